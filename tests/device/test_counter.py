from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from device.database import StorageError
from device.profile import CounterStation
from device.stations.counter import CounterStationRunner
from drivers.call_screen.protocol import ScreenText, ShowResult
from wire.messages import (
    Call,
    CallReported,
    CounterClerk,
    CounterState,
    KeyPressed,
    PromptRating,
    Rated,
    RatingUnanswered,
)
from wire.screen_link import CounterShown, RateService

NAME = {"zh-CN": "3号窗口", "en": "Counter 3"}
CALLING = ScreenText("A005 请到3号窗口", "red", flash=True, shorter=("A005 3号窗口",))
STEADY = ScreenText("A005 请到3号窗口", "red", shorter=("A005 3号窗口",))


def entry(flash_s: float = 10.0) -> CounterStation:
    return CounterStation(
        id="c3",
        counter="3",
        call_keypad="keys",
        rating_keypad="rating",
        call_screen="strip",
        flash_s=flash_s,
    )


async def make(room: Any, flash_s: float = 10.0, start: bool = True) -> CounterStationRunner:
    station = CounterStationRunner(entry(flash_s), room.node, room.call_keys, room.rating_keys, room.strip)
    for device, kind in (("keys", "keypad"), ("rating", "keypad"), ("strip", "call_screen")):
        room.device(device, kind)
    if start:
        await station.start()
    room.add(station)
    return station


@pytest.fixture
async def counter(room: Any) -> CounterStationRunner:
    return await make(room)


def state(room: Any, rev: int = 1, state: str = "called", epoch: int = 1, **more: Any) -> CounterState:
    number, ticket, call = ("A005", "t-5", "call-5") if state in ("called", "serving") else (None,) * 3
    fields: dict[str, Any] = {
        "number": number,
        "ticket": ticket,
        "call": call,
        "called_at": room.clock.now() if number else None,
    }
    return CounterState(
        epoch=epoch, rev=rev, counter="3", name=NAME, zone="east", state=state, **(fields | more)
    )


def call(room: Any, seconds: float = 30, **more: Any) -> Call:
    fields: dict[str, Any] = {"call": "call-5", "number": "A005", "counter": "3", "attempt": 1}
    return Call(
        epoch=1,
        counter_name=NAME,
        zone="east",
        deadline=room.clock.now() + timedelta(seconds=seconds),
        **(fields | more),
    )


@pytest.mark.parametrize("first", ["state", "call"])
async def test_a_call_is_shown_once_flashing_and_reported_in_whichever_order_it_comes(
    room: Any, counter: CounterStationRunner, first: str
) -> None:
    room.coordinator()
    if first == "state":
        counter.on_counter(state(room))
        counter.on_call(call(room))
    else:
        counter.on_call(call(room))
        counter.on_counter(state(room))
    (reported,) = await room.event(CallReported)
    assert reported == CallReported(call="call-5", device="strip", how="shown", outcome="done")
    assert room.strip.shown == [CALLING]


async def test_what_the_screen_really_did_is_reported(room: Any, counter: CounterStationRunner) -> None:
    room.coordinator()
    room.strip.results = [ShowResult("failed", "screen.no_answer")]
    counter.on_call(call(room))
    (reported,) = await room.event(CallReported)
    assert (reported.outcome, reported.code) == ("failed", "screen.no_answer")


async def test_a_call_past_its_deadline_is_not_shown(room: Any, counter: CounterStationRunner) -> None:
    room.coordinator()
    counter.on_call(call(room, seconds=-1))
    (reported,) = await room.event(CallReported)
    assert reported.outcome == "expired"
    assert room.strip.shown == []


async def test_a_call_delivered_twice_is_done_once_and_a_recall_again(
    room: Any, counter: CounterStationRunner
) -> None:
    room.coordinator()
    for attempt in (1, 1, 2):
        counter.on_call(call(room, attempt=attempt))
    await room.event(CallReported, 2)
    counter.on_call(call(room, attempt=2, counter="4"))
    assert len(await room.event(CallReported)) == 2


async def test_the_flash_ends_by_itself(room: Any) -> None:
    station = await make(room, flash_s=0)
    room.coordinator()
    station.on_counter(state(room))
    station._end_flash()
    await room.until(lambda: len(room.strip.shown) >= 1)
    assert room.strip.shown[-1] == STEADY


async def test_an_older_state_is_never_shown(room: Any, counter: CounterStationRunner) -> None:
    room.coordinator()
    counter.on_counter(state(room, rev=7, state="paused"))
    for epoch, rev in ((1, 7), (1, 6), (0, 99)):
        counter.on_counter(state(room, epoch=epoch, rev=rev))
    await room.until(lambda: bool(room.strip.shown))
    assert room.strip.shown == [ScreenText("3号窗口 暂停服务", "green", shorter=("暂停服务",))]
    counter.on_counter(state(room, epoch=2, rev=1, state="closed"))
    await room.until(lambda: len(room.strip.shown) == 2)
    assert room.strip.shown[-1].text == "3号窗口 未开放"


async def test_an_idle_screen_says_who_sits_there_as_the_profile_wants_it(room: Any) -> None:
    shows = msgspec.structs.replace(entry(), idle=("{counter} {clerk} {hours}", "{counter}"))
    station = CounterStationRunner(shows, room.node, None, None, room.strip)
    room.add(station)
    room.coordinator()
    station.on_counter(state(room, state="open", clerk=CounterClerk(number="012")))
    await room.until(lambda: len(room.strip.shown) == 1)
    assert room.strip.shown == [ScreenText("3号窗口 工号012", "green", shorter=("3号窗口",))]


async def test_a_state_from_long_ago_does_not_flash(room: Any, counter: CounterStationRunner) -> None:
    room.coordinator()
    counter.on_counter(state(room, called_at=room.clock.now() - timedelta(minutes=5)))
    await room.until(lambda: bool(room.strip.shown))
    assert room.strip.shown == [STEADY]


async def test_what_is_old_is_marked(room: Any, counter: CounterStationRunner) -> None:
    room.coordinator()
    counter.on_counter(state(room, state="serving"))
    room.coordinator(online=False)
    await room.until(lambda: len(room.strip.shown) == 2)
    assert [c.text for c in room.strip.shown] == ["A005 请到3号窗口", "A005 请到3号窗口 ※"]
    assert room.screen.of(CounterShown)[-1].stale
    counter.on_counter(state(room, rev=2, state="open"))
    await room.until(lambda: len(room.strip.shown) == 3)
    assert room.strip.shown[-1].text == "3号窗口 系统离线"


# ---------------------------------------------------------------- keys


async def test_a_key_says_what_was_shown(room: Any, counter: CounterStationRunner) -> None:
    room.coordinator()
    counter.on_counter(state(room))
    room.call_keys.press("next")
    assert await room.event(KeyPressed) == [KeyPressed(counter="3", key="next", shown_ticket="t-5")]


async def test_a_key_pressed_before_the_ticket_was_shown_does_not_act_on_it(
    room: Any, counter: CounterStationRunner
) -> None:
    room.coordinator()
    counter.on_counter(state(room, ticket="t-4"))
    room.call_keys.press("next", ago=0.01)  # waits, as behind a slow commit
    counter.on_counter(state(room, rev=2))
    counter.on_counter(state(room, rev=3))
    room.call_keys.press("recall")
    assert await room.event(KeyPressed) == [KeyPressed(counter="3", key="recall", shown_ticket="t-5")]
    assert () in room.call_keys.said, "the clerk sees that it was refused"


async def test_a_key_while_the_coordinator_is_away_is_refused_and_not_kept(
    room: Any, counter: CounterStationRunner
) -> None:
    room.coordinator(online=False)
    room.call_keys.press("next")
    await room.until(lambda: () in room.call_keys.said)
    room.coordinator()
    room.call_keys.press("recall")
    assert [e.key for e in await room.event(KeyPressed)] == ["recall"]


async def test_a_key_that_waited_too_long_or_means_nothing_does_nothing(
    room: Any, counter: CounterStationRunner
) -> None:
    room.coordinator()
    room.call_keys.press("next", ago=10)
    room.call_keys.press("5")
    room.call_keys.press("finish")
    assert [e.key for e in await room.event(KeyPressed)] == ["finish"]


async def test_the_lights_follow_the_state(room: Any, counter: CounterStationRunner) -> None:
    room.coordinator()
    counter.on_counter(state(room))
    await room.until(lambda: any(isinstance(s, tuple) and "no_show" in s for s in room.call_keys.said))
    room.coordinator(online=False)
    await room.until(lambda: room.call_keys.said[-1] == ())


# ---------------------------------------------------------------- rating


def prompt(n: int = 1, timeout_s: float = 30) -> PromptRating:
    return PromptRating(
        prompt=f"p-{n}",
        ticket=f"t-{n}",
        number="A005",
        counter="3",
        service_name={"zh-CN": "身份证"},
        timeout_s=timeout_s,
    )


async def test_a_grade_is_on_disk_before_the_thanks(room: Any, counter: CounterStationRunner) -> None:
    assert await room.command(prompt())
    await room.until(lambda: True in room.rating_keys.said)
    before = len(await room.events())
    on_disk: list[int] = []

    async def thank() -> None:
        on_disk.append(len(await room.events()))

    room.rating_keys.thank = thank
    room.rating_keys.press("4")
    assert await room.event(Rated) == [Rated(prompt="p-1", ticket="t-1", counter="3", grade=4)]
    await room.until(lambda: bool(on_disk))
    assert on_disk == [before + 1]


async def test_one_rating_per_service(room: Any, counter: CounterStationRunner) -> None:
    await room.command(prompt())
    for key in ("5", "1", "3"):
        room.rating_keys.press(key)
    await room.until(room.rating_keys.presses.empty)
    await room.until(lambda: "thanks" in room.rating_keys.said)
    assert [r.grade for r in await room.event(Rated)] == [5]


async def test_keys_outside_a_prompt_and_keys_of_the_clerk_are_no_grades(
    room: Any, counter: CounterStationRunner
) -> None:
    room.coordinator()
    room.rating_keys.press("1")
    await room.until(room.rating_keys.presses.empty)
    await room.command(prompt())
    room.rating_keys.press("2", ago=60)
    room.call_keys.press("5")
    room.rating_keys.press("next")
    room.rating_keys.press("3")
    assert [r.grade for r in await room.event(Rated)] == [3]
    assert not [e for e in await room.events() if isinstance(e, KeyPressed)]


async def test_a_prompt_that_ran_out_is_unrated_and_its_keypad_is_quiet(
    room: Any, counter: CounterStationRunner
) -> None:
    await room.command(prompt(timeout_s=0.02))
    (missed,) = await room.event(RatingUnanswered)
    assert (missed.prompt, missed.reason) == ("p-1", "timeout")
    room.rating_keys.press("5")
    await room.until(room.rating_keys.presses.empty)
    assert room.rating_keys.said[-1] is False
    assert not [e for e in await room.events() if isinstance(e, Rated)]


async def test_a_new_prompt_replaces_the_old(room: Any, counter: CounterStationRunner) -> None:
    await room.command(prompt(1), "c-1")
    await room.command(prompt(2), "c-2")
    room.rating_keys.press("2")
    (rated,) = await room.event(Rated)
    assert (rated.prompt, rated.grade) == ("p-2", 2)
    (missed,) = await room.event(RatingUnanswered)
    assert (missed.prompt, missed.reason) == ("p-1", "replaced")


async def test_two_prompts_at_once_are_asked_one_after_the_other(
    room: Any, counter: CounterStationRunner
) -> None:
    assert await asyncio.gather(room.command(prompt(1), "c-1"), room.command(prompt(2), "c-2")) == [True] * 2
    (missed,) = await room.event(RatingUnanswered)
    assert (missed.prompt, missed.reason) == ("p-1", "replaced")
    room.rating_keys.press("2")
    (rated,) = await room.event(Rated)
    assert (rated.prompt, rated.grade) == ("p-2", 2)
    assert await room.storage.open_prompts() == []


async def test_a_prompt_that_comes_while_a_grade_cannot_be_stored_replaces_it(
    room: Any, counter: CounterStationRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail = threading.Event()

    def full(*_: object) -> None:
        fail.wait(5)
        raise StorageError("agent.disk_full")

    await room.command(prompt(1), "c-1")
    monkeypatch.setattr(room.storage._records, "blocking_end_prompt", full)
    room.rating_keys.press("5")
    await room.until(lambda: counter.rating.prompt is None)
    asked = asyncio.create_task(room.command(prompt(2), "c-2"))
    await asyncio.sleep(0)
    fail.set()
    assert await asked and counter.rating.prompt == prompt(2)
    (missed,) = await room.event(RatingUnanswered)
    assert (missed.prompt, missed.reason) == ("p-1", "replaced")
    assert [left.prompt for left in await room.storage.open_prompts()] == [prompt(2)]


async def test_the_same_prompt_again_changes_nothing(room: Any, counter: CounterStationRunner) -> None:
    await room.command(prompt(), "c-1")
    await room.command(prompt(), "c-1")
    room.rating_keys.press("2")
    assert len(await room.event(Rated)) == 1
    assert not [e for e in await room.events() if isinstance(e, RatingUnanswered)]


async def test_without_a_keypad_or_panel_there_is_no_prompt(room: Any, counter: CounterStationRunner) -> None:
    room.device("rating", "keypad", "missing", "device.unplugged")
    await room.command(prompt(1), "c-1")
    (missed,) = await room.event(RatingUnanswered)
    assert missed.reason == "device_missing"
    room.screen.there = True
    await room.command(prompt(2), "c-2")
    assert counter.rating.prompt == prompt(2)
    await counter.on_screen(RateService(prompt="p-1", grade=1))
    await counter.on_screen(RateService(prompt="p-2", grade=5))
    assert [r.grade for r in await room.event(Rated)] == [5]


async def test_a_keypad_that_comes_back_is_not_told_to_speak_again(
    room: Any, counter: CounterStationRunner
) -> None:
    """Its driver says what stands; `prompt` would speak to the citizen a second time."""
    await room.command(prompt())
    await room.until(lambda: room.rating_keys.said.count(True) == 1)
    room.device("rating", "keypad", "missing", "device.unplugged")
    room.device("rating", "keypad", "ok")
    room.rating_keys.press("5")
    await room.event(Rated)
    await room.until(lambda: "thanks" in room.rating_keys.said)
    assert room.rating_keys.said.count(True) == 1


async def test_a_grade_that_cannot_be_stored_is_asked_for_again_without_thanks(
    room: Any, counter: CounterStationRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("agent.disk_full")

    await room.command(prompt())
    with monkeypatch.context() as patch:
        patch.setattr(room.storage._records, "blocking_end_prompt", full)
        room.rating_keys.press("5")
        await room.until(lambda: room.rating_keys.said.count(True) == 2)
    assert "thanks" not in room.rating_keys.said
    room.rating_keys.press("4")
    assert [r.grade for r in await room.event(Rated)] == [4]


async def test_after_a_restart_a_prompt_goes_on_while_its_time_lasts(room: Any, hands: Any) -> None:
    await room.storage.open_prompt("c-1", prompt(1), room.clock.now() + timedelta(seconds=30), None)
    hands.forward(5)
    station = await make(room)
    assert station.rating.prompt == prompt(1)
    room.rating_keys.press("5")
    assert len(await room.event(Rated)) == 1


async def test_after_a_restart_a_prompt_whose_time_is_over_is_closed(room: Any, hands: Any) -> None:
    await room.storage.open_prompt("c-1", prompt(1), room.clock.now() + timedelta(seconds=30), None)
    hands.forward(31)
    station = await make(room)
    assert station.rating.prompt is None
    (missed,) = await room.event(RatingUnanswered)
    assert missed.reason == "restarted"
    known = await room.storage.known("c-1")
    assert known is not None and known.row is not None


async def test_a_screen_gets_the_whole_state(room: Any, counter: CounterStationRunner) -> None:
    room.coordinator()
    shown = state(room)
    counter.on_counter(shown)
    await room.command(prompt())
    assert counter.whole()[0] == CounterShown(counter=shown, prompt=prompt(), stale=False)
    await asyncio.sleep(0)
