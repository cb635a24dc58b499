"""A card that speaks: every call once, one after another, whatever the line does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from device.clock import Clock
from device.supervision import Supervisor
from drivers.call_screen.fake import FakeOnbonCard
from drivers.call_screen.fake_bus import FakeBus
from drivers.call_screen.onbon_bx import OnbonBx
from drivers.call_screen.onbon_bx_commands import Speech
from drivers.call_screen.onbon_bx_config import OnbonBxConfig
from drivers.call_screen.protocol import ScreenText
from drivers.transport.fake import Line, PtyLine, TcpLine
from drivers.transport.serial import SerialConfig
from drivers.transport.tcp import TcpConfig
from drivers.voice.onbon_voice import OnbonVoice, OnbonVoiceConfig, duration_s
from drivers.voice.protocol import Announcement, SpeakResult

PATIENCE_S = 20.0
SPOKEN = {"k": "[n1]请A005号到三号窗口", "6e": "请A005号到三号窗口"}


def announcement(number: str = "A005", seconds: float = 30, **more: Any) -> Announcement:
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    fields: dict[str, Any] = {"counter": {"zh-CN": "3号窗口", "en": "Counter 3"}, "repeat": 1}
    return Announcement(id=number, number=number, deadline=deadline, **(fields | more))


class Place:
    def __init__(self, voice: OnbonVoice, card: FakeOnbonCard, line: Line) -> None:
        self.voice, self.card, self.line = voice, card, line
        self.codes: list[str | None] = []
        self._supervisor = Supervisor("voice", voice, Clock(), lambda state: self.codes.append(state.code))

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.01)

    async def start(self) -> None:
        self.task = asyncio.get_running_loop().create_task(self._supervisor.run())
        await self.until(lambda: self.voice.health.state == "ok")

    async def say(self, *args: Any, **more: Any) -> SpeakResult:
        async with asyncio.timeout(PATIENCE_S):
            return await self.voice.say(announcement(*args, **more))


@pytest.fixture(params=["k", "6e"])
async def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr("drivers.voice.onbon_voice.PING_S", 0.05)
    monkeypatch.setattr("drivers.voice.onbon_voice.PAUSE_S", 0.02)
    monkeypatch.setattr("drivers.voice.onbon_voice.duration_s", lambda speech: 0.05 * speech.times)
    monkeypatch.setattr("device.supervision.BACK_OFF_MIN_S", 0.01)
    monkeypatch.setattr("device.supervision.BACK_OFF_MAX_S", 0.05)
    card = FakeOnbonCard(family=request.param)
    card.voice = True
    line = TcpLine(card)
    await line.plug()
    where = TcpConfig(host="127.0.0.1", port=line.port)
    config = OnbonVoiceConfig(transport=where, family=request.param, reply_timeout_s=0.2, retries=1)
    place = Place(OnbonVoice(config), card, line)
    await place.start()
    yield place
    place.task.cancel()
    with suppress(asyncio.CancelledError):
        await place.task
    await line.unplug()
    await asyncio.sleep(0)


async def test_a_call_is_spoken_as_often_as_wanted_and_then_done(place: Place) -> None:
    assert await place.say(repeat=2) == SpeakResult("done")
    assert list(place.card.spoken) == [SPOKEN[place.card.family]] * 2


async def test_calls_at_once_are_spoken_one_after_another(place: Place) -> None:
    results = await asyncio.gather(*[place.say(f"A00{n}") for n in range(3)])
    assert {result.outcome for result in results} == {"done"}
    assert [text[-9:] for text in place.card.spoken] == [f"00{n}号到三号窗口"[-9:] for n in range(3)]


async def test_a_lost_answer_is_a_failed_call_that_is_not_spoken_again(place: Place) -> None:
    place.card.delay_s = 0.5
    assert (await place.say()).outcome == "failed"
    place.card.delay_s = 0.0
    await place.until(lambda: place.voice.health.state == "ok")
    assert len(place.card.spoken) == 1
    assert await place.say("A006") == SpeakResult("done")
    assert len(place.card.spoken) == 2


async def test_a_command_that_came_spoiled_is_told_again_and_spoken_once(place: Place) -> None:
    place.card.bad_crc = 0
    taken: list[int] = []
    speak = place.card._speak

    def refuse_first(*args: Any) -> int:
        taken.append(1)
        return 5 if len(taken) == 1 else speak(*args)

    place.card._speak = refuse_first  # type: ignore[method-assign, assignment]
    assert await place.say() == SpeakResult("done")
    assert len(taken) == 2 and len(place.card.spoken) == 1


async def test_a_card_that_loses_its_power_while_it_speaks_was_not_heard(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.voice.onbon_voice.duration_s", lambda speech: 30.0)
    call = asyncio.create_task(place.say())
    await place.until(lambda: place.card.spoken)
    place.card.silent = True
    result = await asyncio.wait_for(call, PATIENCE_S)
    assert result == SpeakResult("failed", "screen.no_answer")
    assert place.voice.health.state == "missing"


async def test_a_card_without_voice_is_told(place: Place) -> None:
    place.card.voice = False
    assert await place.say() == SpeakResult("failed", "voice.card_mute")
    assert (place.voice.health.state, place.voice.health.code) == ("fault", "voice.card_mute")
    place.card.voice = True
    assert await place.say() == SpeakResult("done")
    assert place.voice.health.state == "ok"


async def test_what_waits_is_spoken_when_the_card_is_back(place: Place) -> None:
    await place.line.unplug()
    await place.until(lambda: place.voice.health.state == "missing")
    late, waiting = asyncio.ensure_future(place.say("A001", 0.05)), asyncio.ensure_future(place.say())
    assert (await late).outcome == "expired"
    await place.line.plug()
    assert await waiting == SpeakResult("done")
    assert len(place.card.spoken) == 1


async def test_a_silent_card_is_missing_until_it_answers(place: Place) -> None:
    place.card.silent = True
    await place.until(lambda: place.voice.health.code == "screen.no_answer")
    place.card.silent = False
    await place.until(lambda: place.voice.health.state == "ok")


async def test_screen_and_voice_of_one_card_share_its_line_and_a_call_is_spoken_once(tmp_path: Path) -> None:
    card = FakeOnbonCard(address=2)
    card.voice, card.delay_s = True, 0.005
    bus = FakeBus([FakeOnbonCard(address=1), card])
    line = PtyLine(bus, tmp_path / "line")
    await line.plug()
    where = SerialConfig(path=str(line.path), baud=115200, shared=True)
    screen = OnbonBx(OnbonBxConfig(transport=where, address=2, min_interval_s=0))
    voice = OnbonVoice(OnbonVoiceConfig(transport=where, address=2, speed=10))
    async with asyncio.timeout(PATIENCE_S):
        await screen.open()
        await voice.open()
        speaking = asyncio.ensure_future(voice.serve())
        said = asyncio.ensure_future(voice.say(announcement()))
        for n in range(5):
            assert (await screen.show(ScreenText(f"A00{n}"))).outcome == "done"
        assert await said == SpeakResult("done")
    assert (card.text, list(card.spoken), bus.collisions) == ("A004", [SPOKEN["k"]], 0)
    speaking.cancel()
    await asyncio.gather(speaking, return_exceptions=True)
    await screen.close()
    await voice.close()
    await line.unplug()


def test_how_long_a_text_takes() -> None:
    once = duration_s(Speech("请A005号到三号窗口".encode("gb2312")))
    assert 3 < once < 4.5
    assert duration_s(Speech(b"A005", times=2, pause_s=1)) == 2 * duration_s(Speech(b"A005")) + 1
    assert duration_s(Speech(b"A005", speed=10)) < duration_s(Speech(b"A005"))


async def test_a_card_that_cannot_be_silenced_reads_no_screen(place: Place) -> None:
    assert not place.voice.speaks_freely
    assert await place.voice.speak("请选择业务。") == SpeakResult("failed", "voice.no_free_text")
    assert (await place.say()).outcome == "done"
