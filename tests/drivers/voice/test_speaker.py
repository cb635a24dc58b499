"""The voice against a network loudspeaker: what was heard is what is reported, one after the other."""

from __future__ import annotations

import asyncio
import importlib
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.driver import Health
from drivers.errors import LineLostError
from drivers.voice import espeak, queued_voice, speaker
from drivers.voice.outputs import CommandOutput, WavOutput
from drivers.voice.protocol import Announcement, SpeakResult
from drivers.voice.speaker import Speaker, SpeakerConfig


def announcement(
    number: str = "A005", counter: str = "3", *, seconds: float = 60, **more: Any
) -> Announcement:
    return Announcement(
        id=f"call-{number.lower()}",
        number=number,
        counter={"zh-CN": f"{counter}号窗口", "en": f"Counter {counter}"},
        deadline=datetime.now(UTC) + timedelta(seconds=seconds),
        **{"repeat": 1} | more,
    )


async def test_a_call_is_heard_with_its_words_and_done_after_that(bench: Any) -> None:
    async with bench() as b:
        assert await b.said(announcement(languages=("zh-CN", "en"))) == ["done"]
        [played] = b.fake.played
        assert played.text == "请A005号到3号窗口 · Ticket A005, please go to Counter 3"
        assert played.complete
        assert b.voice.health.state == "ok"


async def test_repetitions_languages_chime_and_gap_make_the_length(bench: Any) -> None:
    async with bench(speed=200) as b:
        await b.said(announcement())
        await b.said(announcement(repeat=3))
        await b.said(announcement(languages=("en", "fr")))
        await b.said(announcement(languages=("fr",)))
        once, thrice, english, fallback = (played.seconds for played in b.fake.played)
        assert thrice == pytest.approx(3 * once + 2 * 0.05, abs=0.001)
        assert fallback == pytest.approx(once, abs=0.001)
        assert b.fake.played[2].text.startswith("Ticket") and english > 0
    async with bench(speed=200, chime=True, repeat=1) as b:
        await b.said(announcement(repeat=3))
        assert b.fake.played[0].seconds == pytest.approx(once + 0.9, abs=0.01)


async def test_calls_at_once_are_spoken_one_after_the_other_urgent_first(bench: Any) -> None:
    async with bench(start=False, speed=200) as b:
        await b.voice.open()
        calls = [announcement(f"A{n:03}", priority=n % 3) for n in range(12)]
        waiting = asyncio.create_task(b.said(*calls))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        serving = asyncio.create_task(b.voice.serve())
        assert await waiting == ["done"] * 12
        serving.cancel()
        spoken = [played.text[1:5] for played in b.fake.played]
        assert spoken == [call.number for call in sorted(calls, key=lambda call: -call.priority)]
        assert b.fake.overlaps == 0


async def test_a_newer_call_of_the_number_supersedes_one_that_waits(bench: Any) -> None:
    async with bench(speed=20) as b:
        first = asyncio.create_task(b.said(announcement("A001", repeat=3)))
        await b.until(lambda: b.fake.playing is not None)
        old = asyncio.create_task(b.said(announcement("A002", counter="3")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        new = asyncio.create_task(b.said(announcement("A002", counter="4")))
        assert [await first, await old, await new] == [["done"], ["superseded"], ["done"]]
        assert [played.text for played in b.fake.played] == ["请A001号到3号窗口", "请A002号到4号窗口"]


async def test_what_has_not_begun_by_its_deadline_is_never_heard(bench: Any) -> None:
    async with bench(speed=20) as b:
        assert await b.said(announcement("A000", seconds=-1)) == ["expired"]
        b.fake.silent = True
        stuck = asyncio.create_task(b.said(announcement("A001")))
        await b.until(lambda: b.fake.playing is not None)
        result = await b.voice.say(announcement("A002", seconds=0.05))
        assert result == SpeakResult("expired", "voice.busy")
        assert (b.voice.health.state, b.voice.health.code) == ("degraded", "voice.busy")
        assert b.voice.health.facts["expired"] == 2
        b.fake.silent = False
        await b.fake.unplug()
        assert await stuck == ["failed"]
        await b.fake.plug()
        assert await b.said(announcement("A003")) == ["done"]
        assert [played.text for played in b.fake.played if played.complete] == ["请A003号到3号窗口"]
        assert b.voice.health.state == "ok"


@pytest.mark.parametrize("fault", ["unplug", "dies", "refuses"])
async def test_a_call_that_breaks_off_has_failed_and_the_voice_comes_back(bench: Any, fault: str) -> None:
    async with bench(speed=20) as b:
        await b.said(announcement("A000"))
        if fault == "dies":
            b.fake.dies_at = 0.3
        if fault == "refuses":
            b.fake.refusing = True
        call = asyncio.create_task(b.voice.say(announcement("A001")))
        if fault == "unplug":
            await b.until(lambda: b.fake.playing is not None)
            await b.fake.unplug()
        result = await asyncio.wait_for(call, 20)
        assert result == SpeakResult("failed", "voice.output_lost")
        await asyncio.wait_for(b.failed.wait(), 20)
        assert isinstance(b.errors[0], LineLostError)
        b.fake.dies_at, b.fake.refusing = None, False
        await b.fake.plug()
        assert await b.said(announcement("A002")) == ["done"]


async def test_while_the_loudspeaker_is_away_calls_wait_as_long_as_they_may(bench: Any) -> None:
    async with bench(speed=50) as b:
        await b.fake.unplug()
        short = asyncio.create_task(b.said(announcement("A001", seconds=0.2)))
        long = asyncio.create_task(b.said(announcement("A002", seconds=60)))
        assert await short == ["expired"]
        assert b.voice.health == Health("missing", "voice.output_lost")
        await b.fake.plug()
        assert await long == ["done"]
        assert [played.text for played in b.fake.played] == ["请A002号到3号窗口"]


async def test_an_idle_loudspeaker_that_goes_away_is_noticed(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaker, "CHECK_S", 0.02)
    async with bench() as b:
        await b.said(announcement())
        await b.fake.unplug()
        await asyncio.wait_for(b.failed.wait(), 20)
        assert b.voice.health == Health("missing", "voice.output_lost")
        assert b.fake.overlaps == 0


async def test_a_caller_who_gives_up_leaves_nothing_behind(bench: Any) -> None:
    async with bench(start=False) as b:
        await b.voice.open()
        call = asyncio.create_task(b.voice.say(announcement("A001")))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert len(b.voice._queue) == 0
        assert not b.voice._results


async def test_stopping_in_the_middle_of_a_call_reports_it_failed(bench: Any) -> None:
    async with bench(start=False, speed=1) as b:
        await b.voice.open()
        serving = asyncio.create_task(b.voice.serve())
        call = asyncio.create_task(b.voice.say(announcement()))
        await b.until(lambda: b.fake.playing is not None)
        serving.cancel()
        assert (await call).outcome == "failed"
        await b.voice.close()


async def test_without_any_synthesiser_a_full_pack_still_speaks(
    bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    async with bench() as b:
        assert await b.said(announcement(languages=("zh-CN",))) == ["done"]
        result = await b.voice.say(replace(announcement(), counter={"zh-CN": "咨询台"}))
        assert result == SpeakResult("failed", "voice.synthesiser_missing")
        assert (b.voice.health.state, b.voice.health.code) == ("degraded", "voice.synthesiser_missing")
    voice = Speaker(SpeakerConfig(output=WavOutput(directory=str(tmp_path))))
    await voice.open()
    assert (voice.health.state, voice.health.code) == ("fault", "voice.synthesiser_missing")
    assert espeak.Espeak().found() is None


async def test_a_clock_set_wrong_does_not_keep_a_call_for_ever(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queued_voice, "DEADLINE_LIMIT_S", 0.05)
    async with bench(start=False) as b:
        b.voice._now = lambda: datetime(1970, 1, 1, tzinfo=UTC)
        assert await b.said(announcement()) == ["expired"]


async def test_any_storm_of_calls_is_accounted_for_and_never_overlaps(bench: Any) -> None:
    chance = random.Random(7)
    async with bench(speed=1000, gap_s=0.0) as b:

        async def caller(n: int) -> str:
            await asyncio.sleep(chance.random() * 0.5)
            number = f"A{chance.randrange(25):03}"
            left = chance.choice([0.05, 0.3, 20])
            return (await b.voice.say(announcement(number, seconds=left, priority=n % 3))).outcome

        outcomes = await asyncio.wait_for(asyncio.gather(*map(caller, range(120))), 30)
        assert outcomes.count("done") == b.fake.count
        assert outcomes.count("done") > 5
        assert set(outcomes) <= {"done", "expired", "superseded", "failed"}
        assert b.fake.overlaps == 0
        assert not b.voice._results and not len(b.voice._queue)


def test_the_config_is_strict() -> None:
    made = msgspec.convert(
        {
            "output": {"type": "tcp", "host": "10.0.0.7", "port": 7070},
            "languages": ["zh-CN"],
            "digit_one": "yi",
        },
        SpeakerConfig,
        strict=True,
    )
    assert made.languages == ("zh-CN",)
    assert msgspec.convert({"output": {"type": "command"}}, SpeakerConfig).output == CommandOutput()
    bad: list[dict[str, Any]] = [
        {"output": {"type": "tcp", "host": "x"}},
        {"output": {"type": "horn"}},
        {"output": {"type": "command", "argv": []}},
        {"output": {"type": "command"}, "volume": 101},
        {"output": {"type": "command"}, "languages": ["xx"]},
        {"output": {"type": "command"}, "louder": True},
    ]
    for wrong in bad:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, SpeakerConfig)
