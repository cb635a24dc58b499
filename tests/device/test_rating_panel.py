"""What the rating panel is asked to show, from the prompt to the thanks, and the reasons."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device.database import StorageError
from device.profile import CounterStation
from device.stations import rating as module
from device.stations.counter import CounterStationRunner
from device.stations.pictures import Pictures
from wire.messages import (
    CounterClerk,
    CounterState,
    DeviceState,
    PromptRating,
    Rated,
    RatingReasonsGiven,
    RatingUnanswered,
)
from wire.screen_link import CounterShown, GiveReasons, RateService, RatingShown
from wire.shown import Picture, RatingReason, RatingReasons


def prompt(n: int = 1, timeout_s: float = 30) -> PromptRating:
    return PromptRating(
        prompt=f"p-{n}",
        ticket=f"t-{n}",
        number="A005",
        counter="3",
        service_name={"zh-CN": "身份证"},
        timeout_s=timeout_s,
    )


RUDE = RatingReason(reason="rude", text={"zh-CN": "态度不好"}, grades=(1, 2))
SLOW = RatingReason(reason="slow", text={"zh-CN": "等候太久"}, grades=(1, 2, 3))
KIND = RatingReason(reason="kind", text={"zh-CN": "态度热情"}, grades=(5,))
REASONS = RatingReasons(version=7, reasons=(RUDE, SLOW, KIND))
BAD = RatingReasons(version=7, reasons=(RUDE, SLOW))


def make(room: Any) -> CounterStationRunner:
    station = CounterStation(id="c3", counter="3", rating_keypad="rating")
    return CounterStationRunner(station, room.node, None, room.rating_keys, None)


@pytest.fixture
async def counter(room: Any) -> CounterStationRunner:
    station = make(room)
    room.device("rating", "keypad")
    room.screen.there = True
    station.on_retained("rating_reasons", REASONS, {})
    room.add(station)
    return station


def shown(room: Any) -> RatingShown:
    last: RatingShown = room.screen.of(RatingShown)[-1]
    return last


async def grade(room: Any, counter: CounterStationRunner, grade: int, n: int = 1) -> None:
    await room.command(prompt(n), f"c-{n}")
    await counter.on_screen(RateService(prompt=f"p-{n}", grade=grade))


def give(*reasons: str, n: int = 1, version: int = 7) -> GiveReasons:
    return GiveReasons(prompt=f"p-{n}", version=version, reasons=reasons)


async def test_an_open_prompt_is_shown_with_the_time_that_is_left(
    room: Any, counter: CounterStationRunner
) -> None:
    await room.command(prompt())
    assert (shown(room).prompt, shown(room).grade, shown(room).works) == (prompt(), None, True)
    assert 29 < shown(room).left_s <= 30
    assert isinstance(counter.whole()[1], RatingShown), "a screen that comes now gets it too"


async def test_after_the_grade_its_reasons_are_offered_and_the_grade_is_on_disk(
    room: Any, counter: CounterStationRunner
) -> None:
    await grade(room, counter, 1)
    assert [r.grade for r in await room.event(Rated)] == [1]
    assert (shown(room).prompt, shown(room).grade, shown(room).reasons) == (prompt(), 1, BAD)
    assert 14 < shown(room).left_s <= module.REASONS_S
    assert room.screen.of(CounterShown)[-1].prompt is None, "there is nothing to grade any more"


async def test_reasons_are_kept_once_and_then_there_are_thanks(
    room: Any, counter: CounterStationRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "THANKS_S", 0.02)
    await grade(room, counter, 2)
    await counter.on_screen(give("slow", "rude", "slow"))
    await counter.on_screen(give("rude"))
    (given,) = await room.event(RatingReasonsGiven)
    assert (given.prompt, given.ticket, given.grade, given.version) == ("p-1", "t-1", 2, 7)
    assert given.reasons == ("slow", "rude")
    thanks = [s for s in room.screen.of(RatingShown) if s.reasons_given]
    assert [(s.prompt, s.grade) for s in thanks] == [(prompt(), 2)]
    await room.until(lambda: shown(room) == RatingShown())
    await counter.on_screen(give("rude"))
    assert len(await room.event(RatingReasonsGiven)) == 1


@pytest.mark.parametrize(
    "said", [give("kind"), give("rude", "unheard-of"), give("rude", version=6), give("rude", n=9)], ids=str
)
async def test_what_was_not_offered_is_no_reason(
    room: Any, counter: CounterStationRunner, said: GiveReasons
) -> None:
    await grade(room, counter, 1)
    await counter.on_screen(said)
    assert not [e for e in await room.events() if isinstance(e, RatingReasonsGiven)]
    assert shown(room).reasons == BAD and not shown(room).reasons_given
    await counter.on_screen(give("rude"))
    assert len(await room.event(RatingReasonsGiven)) == 1


async def test_a_catalogue_that_changes_meanwhile_does_not_change_the_question(
    room: Any, counter: CounterStationRunner
) -> None:
    await grade(room, counter, 1)
    counter.on_retained("rating_reasons", RatingReasons(version=8), {})
    await counter.on_screen(give("rude"))
    assert [e.version for e in await room.event(RatingReasonsGiven)] == [7]


async def test_nothing_to_add_goes_on_to_the_thanks(room: Any, counter: CounterStationRunner) -> None:
    await grade(room, counter, 1)
    await counter.on_screen(give())
    assert (shown(room).grade, shown(room).reasons, shown(room).reasons_given) == (1, None, False)
    assert shown(room).left_s <= module.THANKS_S
    assert not [e for e in await room.events() if isinstance(e, RatingReasonsGiven)]


async def test_with_a_code_to_scan_there_is_time_to_get_a_phone_out(
    room: Any, counter: CounterStationRunner
) -> None:
    asked = msgspec.structs.replace(prompt(), url="http://hall.example:8601/rate/5f5f5f5f5f5f5f5f5f5f")
    await room.command(asked, "c-1")
    await counter.on_screen(RateService(prompt="p-1", grade=1))
    assert module.REASONS_S < shown(room).left_s <= module.PHONE_S
    await counter.on_screen(give())
    assert module.REASONS_S < shown(room).left_s <= module.PHONE_S
    assert shown(room).reasons is None and shown(room).prompt == asked


async def test_a_grade_without_reasons_is_only_thanked_for(room: Any, counter: CounterStationRunner) -> None:
    await grade(room, counter, 4)
    assert (shown(room).grade, shown(room).reasons) == (4, None)
    assert shown(room).left_s <= module.THANKS_S


async def test_an_impatient_second_press_on_the_keypad_is_no_reason(
    room: Any, counter: CounterStationRunner
) -> None:
    await room.command(prompt())
    for key in ("1", "1", "2"):
        room.rating_keys.press(key)
    await room.until(lambda: shown(room).grade == 1)
    await room.until(room.rating_keys.presses.empty)
    assert [type(e) for e in await room.events() if not isinstance(e, Rated)] == []
    assert shown(room).reasons == BAD, "the panel asks why, also after a grade by keypad"


async def test_a_new_prompt_takes_the_place_of_the_reasons_at_once(
    room: Any, counter: CounterStationRunner
) -> None:
    await grade(room, counter, 1)
    await room.command(prompt(2), "c-2")
    assert (shown(room).prompt, shown(room).grade) == (prompt(2), None)
    await counter.on_screen(give("rude"))
    assert not [e for e in await room.events() if isinstance(e, RatingReasonsGiven)]


async def test_silence_after_the_prompt_is_unrated_and_after_the_grade_is_nothing(
    room: Any, counter: CounterStationRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REASONS_S", 0.02)
    await room.command(prompt(1, timeout_s=0.02), "c-1")
    (missed,) = await room.event(RatingUnanswered)
    assert (missed.prompt, missed.reason, shown(room)) == ("p-1", "timeout", RatingShown())
    await grade(room, counter, 1, n=2)
    await room.until(lambda: shown(room) == RatingShown())
    assert {type(e) for e in await room.events()} == {RatingUnanswered, Rated}


async def test_reasons_that_cannot_be_kept_are_asked_for_again(
    room: Any, counter: CounterStationRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("agent.disk_full")

    room.storage.on_fault = lambda code: counter.on_device(
        DeviceState(device="storage", kind="storage", health="fault" if code else "ok", code=code)
    )
    await grade(room, counter, 1)
    with monkeypatch.context() as patch:
        patch.setattr(room.storage._records, "blocking_add", full)
        await counter.on_screen(give("rude"))
        assert (shown(room).reasons_given, shown(room).reasons, shown(room).works) == (False, BAD, False)
    await counter.on_screen(give("rude"))
    assert (shown(room).reasons_given, shown(room).works) == (True, True)


async def test_the_reasons_are_known_without_the_hall(room: Any, counter: CounterStationRunner) -> None:
    async with asyncio.timeout(5):
        while await room.storage.kept("rating_reasons") is None:
            await asyncio.sleep(0.001)
    again = make(room)
    await again.start()
    room.stations[:] = [again]
    await grade(room, again, 1)
    assert shown(room).reasons == BAD


async def test_a_restart_while_reasons_are_asked_loses_nothing_but_them(
    room: Any, counter: CounterStationRunner
) -> None:
    await grade(room, counter, 1)
    again = make(room)
    await again.start()
    room.stations[:] = [again]
    assert again.rating.shown() == RatingShown()
    await again.on_screen(give("rude"))
    assert [type(e) for e in await room.events()] == [Rated], "graded once, and not unrated"


async def test_without_a_rating_panel_nothing_is_asked(room: Any, counter: CounterStationRunner) -> None:
    room.screen.there = False
    await room.command(prompt())
    room.rating_keys.press("1")
    await room.event(Rated)
    await room.until(lambda: shown(room).grade == 1)
    assert shown(room).reasons is None


async def test_a_panel_that_is_just_being_restarted_is_still_asked(
    room: Any, counter: CounterStationRunner
) -> None:
    room.screen.there = False
    room.device("rating", "keypad", "missing", "device.unplugged")
    room.device("c3-rating-screen", "screen", "ok")
    await room.command(prompt(1), "c-1")
    assert counter.rating.prompt == prompt(1)
    room.device("c3-rating-screen", "screen", "missing", "screen.program_missing")
    await room.command(prompt(2), "c-2")
    (missed,) = await room.event(RatingUnanswered)
    assert (missed.prompt, missed.reason) == ("p-2", "device_missing")


# ---------------------------------------------------------------- the counter panel


async def test_the_counter_panel_gets_the_clerks_photo(room: Any, tmp_path: Path) -> None:
    data = b"synthetic portrait"
    photo = Picture(picture=hashlib.sha256(data).hexdigest()[:32], format="jpeg", data=data)
    other = "0" * 32
    station = make(room)
    room.add(station)
    pictures = room.node.pictures = Pictures(tmp_path / "pictures", room.node)
    asked: list[tuple[str, bool]] = []
    pictures.follow = lambda picture, wanted: asked.append((picture, wanted))
    pictures.on_change = station.on_pictures
    pictures.start()

    def state(rev: int, photo: str | None) -> CounterState:
        clerk = CounterClerk(number="007", photo=photo)
        return CounterState(
            epoch=1, rev=rev, counter="3", name={"zh-CN": "3号窗口"}, zone="east", state="open", clerk=clerk
        )

    with contextlib.ExitStack() as stack:
        stack.callback(pictures.stop)
        station.on_counter(state(1, photo.picture))
        assert room.screen.of(CounterShown)[-1].photo is None
        await room.until(lambda: asked == [(photo.picture, True)])
        pictures.take(photo)
        await room.until(lambda: room.screen.of(CounterShown)[-1].photo is not None)
        assert Path(room.screen.of(CounterShown)[-1].photo).read_bytes() == data
        station.on_counter(state(2, other))
        assert room.screen.of(CounterShown)[-1].photo is None, "never another clerk's face"
        station.on_counter(state(3, None))
        await room.until(lambda: not list((tmp_path / "pictures").iterdir()))
