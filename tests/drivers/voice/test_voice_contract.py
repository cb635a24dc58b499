"""What every voice promises, on every way out and with every fault of each, under the agent's supervisor.

Another way out runs the same cases: give `ways_out.KINDS` one more.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from ways_out import FAULTS, KINDS, WayOut

from device import supervision
from device.clock import Clock
from device.supervision import Supervisor
from drivers.table import build, config_type, driver_class
from drivers.voice import alsa, outlets, outputs, queued_voice, speaker
from drivers.voice import playing as playing_module
from drivers.voice.protocol import Announcement, SpeakResult, Voice
from wire.messages import DeviceState
from wire.texts import LANGUAGES, texts

PATIENCE_S = 60.0
WORDS = "请A005号到3号窗口"


@dataclass
class Place:
    """A voice in its hall: the loudspeakers, the driver, and every state that the agent would publish."""

    ways: dict[str, WayOut]
    voice: Voice
    states: list[DeviceState] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, state: DeviceState) -> None:
        self.states.append(state)
        self.changed.set()

    async def until(self, met: Callable[[DeviceState], bool]) -> DeviceState:
        """The first state from now on, or the present one, that fits."""
        async with asyncio.timeout(PATIENCE_S):
            while not met(self.states[-1]):
                self.changed.clear()
                await self.changed.wait()
        return self.states[-1]

    async def well(self) -> None:
        await self.until(lambda state: state.health == "ok")

    def say(self, number: str = "A005", seconds: float = 60, **more: Any) -> asyncio.Task[SpeakResult]:
        announcement = Announcement(
            id=number,
            number=number,
            counter={"zh-CN": "3号窗口", "en": "Counter 3"},
            deadline=datetime.now(UTC) + timedelta(seconds=seconds),
            **{"repeat": 1, "languages": ("zh-CN",)} | more,
        )
        return asyncio.get_running_loop().create_task(self.voice.say(announcement))


@pytest.fixture
def place(tmp_path: Path, pack: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with place("card", "network", **options) as p`: the first is the main one."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    for module in (speaker, outlets):
        monkeypatch.setattr(module, "CHECK_S", 0.05)
    for module in (playing_module, alsa, outputs):
        monkeypatch.setattr(module, "PATIENCE_S", 0.8)
    monkeypatch.setattr(supervision, "BACK_OFF_MIN_S", 0.02)
    monkeypatch.setattr(supervision, "BACK_OFF_MAX_S", 0.1)

    @asynccontextmanager
    async def make(*kinds: str, plugged: bool = True, **options: Any) -> AsyncIterator[Place]:
        ways = {name: KINDS[name.partition("-")[0]](tmp_path / name) for name in kinds}
        for way in ways.values():
            await way.start()
            if (proc := getattr(way, "proc", None)) is not None:
                monkeypatch.setattr(alsa, "PROC", proc)
            if not plugged:
                await way.unplug()
        first, *others = ways.items()
        driver = driver_class("speaker")
        config = msgspec.convert(
            {
                "output": first[1].output,
                "also": [{"name": name, "output": way.output} for name, way in others],
                "clip_pack": str(pack),
                "gap_s": 0.05,
            }
            | options,
            config_type(driver),
        )
        voice = build(driver, config)
        assert isinstance(voice, Voice)
        made = Place(ways, voice)
        supervisor = Supervisor("voice", voice, Clock(UTC), made.publish)
        made.publish(supervisor.state)
        running = asyncio.create_task(supervisor.run())
        try:
            if plugged:
                await made.well()
            yield made
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            for way in ways.values():
                await way.stop()

    return make


def has_texts(state: DeviceState) -> bool:
    return state.code is not None and all(state.code in texts(language) for language in LANGUAGES)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_is_heard_once_and_done_after_that(place: Any, kind: str) -> None:
    async with place(kind) as p:
        assert await p.say() == SpeakResult("done")
        assert p.ways[kind].heard() == [WORDS]


@pytest.mark.parametrize("kind", KINDS)
async def test_calls_at_once_are_heard_one_after_the_other(place: Any, kind: str) -> None:
    async with place(kind) as p:
        calls = [p.say(f"A00{n}") for n in range(2)]
        assert [(await call).outcome for call in calls] == ["done"] * 2
        assert p.ways[kind].heard() == [f"请A00{n}号到3号窗口" for n in range(2)]


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_is_not_there_is_missing_and_a_call_waits_for_it(place: Any, kind: str) -> None:
    async with place(kind, plugged=False) as p:
        assert has_texts(await p.until(lambda state: state.health == "missing"))
        late, waiting = p.say("A001", seconds=0.2), p.say()
        assert (await late).outcome == "expired"
        await p.ways[kind].plug()
        await p.well()
        assert await waiting == SpeakResult("done")
        assert p.ways[kind].heard() == [WORDS]


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_is_unplugged_while_nobody_is_called_is_missing_until_it_is_back(
    place: Any, kind: str
) -> None:
    async with place(kind) as p:
        for _ in range(2):
            await p.ways[kind].unplug()
            assert has_texts(await p.until(lambda state: state.health == "missing"))
            await p.ways[kind].plug()
            await p.well()
        assert await p.say() == SpeakResult("done")


@pytest.mark.parametrize(("kind", "fault"), FAULTS)
async def test_every_fault_of_a_call_is_a_failed_call_and_a_state_with_a_text_and_mends_itself(
    place: Any, kind: str, fault: str
) -> None:
    async with place(kind) as p:
        way = p.ways[kind]
        if fault == "unplug" and kind != "files":
            way.slowly()
            call = p.say(repeat=3)
            async with asyncio.timeout(PATIENCE_S):
                while not way.playing():
                    await asyncio.sleep(0.005)
            await way.unplug()
        elif fault == "unplug":
            await way.unplug()
            call = p.say(seconds=0.5)
        else:
            way.hurt(fault)
            call = p.say(repeat=3 if fault == "swallow" else 1)
        state = await p.until(lambda state: state.health in ("missing", "fault"))
        assert has_texts(state)
        result = await asyncio.wait_for(call, PATIENCE_S)
        assert result.outcome in ("failed", "expired")
        assert result.code is not None and all(result.code in texts(language) for language in LANGUAGES)
        if fault == "busy":
            assert result.code == "voice.output_busy"
        assert not way.heard() or fault == "swallow"
        way.mend()
        await way.plug()
        await p.well()
        assert await p.say("B006") == SpeakResult("done")
        assert way.heard()[-1] == "请B006号到3号窗口"


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_muted_is_not_played_and_not_heard(place: Any, kind: str) -> None:
    async with place(kind, volume=0, plugged=False) as p:
        await p.ways[kind].plug()
        state = await p.until(lambda state: state.health == "degraded")
        assert (state.code, state.facts["volume"]) == ("voice.muted", 0) and has_texts(state)
        assert await p.say() == SpeakResult("failed", "voice.muted")
        assert p.ways[kind].heard() == []


async def test_two_loudspeakers_say_the_same_and_one_alone_goes_on(place: Any) -> None:
    async with place("card", "network-corridor", "files") as p:
        card, corridor = p.ways["card"], p.ways["network-corridor"]
        assert await p.say() == SpeakResult("done")
        assert card.heard() == corridor.heard() == p.ways["files"].heard() == [WORDS]
        await corridor.unplug()
        state = await p.until(lambda state: state.health == "degraded")
        assert (state.code, state.facts["outputs_lost"]) == ("voice.output_partly_lost", "network-corridor")
        assert has_texts(state)
        assert await p.say("A006") == SpeakResult("done")
        assert card.heard()[-1] == "请A006号到3号窗口"
        await card.unplug()
        state = await p.until(lambda state: "main" in str(state.facts.get("outputs_lost")))
        assert await p.say("A007") == SpeakResult("done"), "the files are still there"
        await corridor.plug()
        await card.plug()
        await p.well()
        assert await p.say("A008") == SpeakResult("done")
        assert card.heard()[-1] == corridor.heard()[-1] == "请A008号到3号窗口"
        # one that breaks off in the middle of a call does not take it from the others
        corridor.slowly()
        call = p.say("A009")
        async with asyncio.timeout(PATIENCE_S):
            while not corridor.playing():
                await asyncio.sleep(0.005)
        await corridor.unplug()
        assert await call == SpeakResult("done")
        assert "请A009号到3号窗口" in card.heard() and "请A009号到3号窗口" not in corridor.heard()


async def test_each_has_its_volume_by_the_time_of_day(place: Any, pack: Path) -> None:
    noon = [{"from": "08:30", "volume": 80}, {"from": "12:00", "volume": 40}]
    async with place("network", volume_schedule=noon) as p:
        fake, peaks = p.ways["network"].fake, []
        for hour in (time(9), time(12, 30), time(7)):  # before the first step yesterday's last one holds
            p.voice._outlets._clock = lambda now=hour: now
            await p.say()
            samples = fake.played[-1].wav[-2000:]
            peaks.append(
                max(abs(int.from_bytes(samples[n : n + 2], "little", signed=True)) for n in range(0, 2000, 2))
            )
        assert peaks[0] == pytest.approx(2 * peaks[1], rel=0.01) and peaks[1] == peaks[2]


async def test_a_pack_that_is_spoilt_or_replaced_is_seen_while_it_runs(place: Any, pack: Path) -> None:
    async with place("network") as p:
        manifest = pack / "pack.toml"
        good = manifest.read_bytes()
        manifest.write_bytes(b"format = 2")
        state = await p.until(lambda state: state.health == "degraded")
        assert state.code == "voice.bad_pack" and has_texts(state)
        assert await p.say() == SpeakResult("done"), "what was loaded before speaks"
        manifest.write_bytes(good)
        await p.well()
        clip = pack / "zh-CN" / "please.wav"
        sound = clip.read_bytes()
        clip.write_bytes(b"x")
        manifest.write_bytes(good + b"\n")
        state = await p.until(lambda state: state.health == "degraded")
        assert state.code == "voice.bad_clip" and has_texts(state)
        clip.write_bytes(sound)
        manifest.write_bytes(good)
        await p.well()


FREE = "请选择业务。"


async def playing(p: Place, kind: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not (p.ways[kind].playing() or p.ways[kind].heard()):
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_free_text_is_heard(place: Any, kind: str) -> None:
    async with place(kind) as p:
        assert p.voice.speaks_freely
        if kind == "card":
            p.ways[kind].slowly()  # real words: played too fast, a card is not believed
        assert await p.voice.speak("A005号，请到东区。") == SpeakResult("done")
        assert p.ways[kind].heard() == ["A005号，", "请到东区。"]
        assert await p.voice.speak(" … ") == SpeakResult("done"), "nothing to say"
        assert (await p.voice.speak("Hello", "fr")).code == "voice.no_free_text"
        assert await p.say() == SpeakResult("done")


@pytest.mark.parametrize("kind", KINDS)
async def test_the_newest_free_text_is_said_and_the_others_end_at_once(place: Any, kind: str) -> None:
    async with place(kind) as p:
        p.ways[kind].slowly()
        first = asyncio.create_task(p.voice.speak("一二三。" * 20))
        await playing(p, kind)
        second = asyncio.create_task(p.voice.speak("第二。"))
        third = asyncio.create_task(p.voice.speak(FREE))
        assert (await first).outcome == (await second).outcome == "superseded"
        assert await third == SpeakResult("done")
        heard = p.ways[kind].heard()
        assert heard[-1] == FREE and "第二。" not in heard and len(heard) <= 2 + (kind == "files")


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_silences_a_free_text_as_nothing(place: Any, kind: str) -> None:
    async with place(kind) as p:
        p.ways[kind].slowly()
        first = asyncio.create_task(p.voice.speak("一二三。" * 20))
        await playing(p, kind)
        assert await p.voice.speak("") == SpeakResult("done")
        assert (await first).outcome == "superseded"
        assert await p.voice.speak(FREE) == SpeakResult("done")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_ends_a_free_text_and_is_never_spoken_over(place: Any, kind: str) -> None:
    async with place(kind) as p:
        way = p.ways[kind]
        way.slowly()
        free = asyncio.create_task(p.voice.speak("一二三。" * 20))
        await playing(p, kind)
        call = p.say()
        while p.voice._queue.first() is None:
            await asyncio.sleep(0)
        waits = asyncio.create_task(p.voice.speak(FREE))
        assert (await free).outcome == "superseded"
        assert await call == SpeakResult("done")
        assert await waits == SpeakResult("done")
        assert way.heard()[-2:] == [WORDS, FREE]
        assert getattr(getattr(way, "fake", None), "overlaps", 0) == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_a_free_text_for_a_lost_loudspeaker_is_dropped_and_not_said_later(
    place: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queued_voice, "FREE_TEXT_S", 0.05)
    async with place(kind, plugged=False) as p:
        result = await p.voice.speak(FREE)
        assert result.outcome in ("expired", "failed")
        await p.ways[kind].plug()
        await p.well()
        assert await p.say() == SpeakResult("done")
        assert p.ways[kind].heard() == [WORDS]


def test_a_fault_is_seen_within_five_seconds() -> None:
    """What was made quick above, as it is: the longest ways from a fault to its state."""
    from drivers.voice.outlets import CHECK_S
    from drivers.voice.outputs import TcpOutput
    from drivers.voice.playing import PATIENCE_S

    assert CHECK_S + TcpOutput(host="x", port=1).connect_timeout_s < 5
    assert PATIENCE_S < 5 and supervision.BACK_OFF_MAX_S <= 5
