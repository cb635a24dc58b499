"""What every light promises (`protocol.py`), on pins, serial lines, sockets and a bus, with every fault.

Another light runs the same cases: give `lit_places.KINDS` one more.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from lit_places import CALL_BY_STEADY, FAULTS, KINDS, LINES, Place, Wired

from device import supervision
from device.clock import Clock
from device.supervision import Supervisor
from drivers.light import lamps as lamps_module
from drivers.light import signals
from drivers.light.frames import load_format
from drivers.light.lamps import LampLight
from drivers.light.protocol import LightResult
from wire.messages import DeviceState
from wire.texts import LANGUAGES, texts

PATIENCE_S = 60.0


class Run:
    """A light under the agent's supervisor, and every state that would be published."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.light = place.light
        self.states: list[DeviceState] = []

    def publish(self, state: DeviceState) -> None:
        self.states.append(state)

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not met():
                await asyncio.sleep(0.002)

    async def health(self, *healths: str) -> DeviceState:
        await self.until(lambda: self.states[-1].health in healths)
        return self.states[-1]

    async def shows(self, **lamps: str) -> None:
        await self.until(lambda: self.place.lamps() == {"white": "off", "red": "off"} | lamps)


@pytest.fixture
def lit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with lit("modbus", **options) as run`: supervised, and well."""
    monkeypatch.setattr(supervision, "BACK_OFF_MIN_S", 0.02)
    monkeypatch.setattr(supervision, "BACK_OFF_MAX_S", 0.1)
    monkeypatch.setattr(lamps_module, "CHECK_S", 0.05)
    monkeypatch.setitem(signals.HALF_PERIOD_S, "flash", 0.06)
    monkeypatch.setattr(signals, "LEAST_PERIOD_S", 0.01)

    @asynccontextmanager
    async def make(kind: str, *, well: bool = True, **options: Any) -> AsyncIterator[Run]:
        place = KINDS[kind](tmp_path)
        await place.start(**{"signals": CALL_BY_STEADY} | options)
        if not well:
            await place.unplug()
        run = Run(place)
        supervisor = Supervisor("light", run.light, Clock(UTC), run.publish)
        run.publish(supervisor.state)
        task = asyncio.create_task(supervisor.run())
        try:
            if well:
                await run.health("ok")
            yield run
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await place.stop()

    return make


def has_texts(state: DeviceState) -> bool:
    return state.code is not None and all(state.code in texts(language) for language in LANGUAGES)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_is_shown_for_its_time(lit: Any, kind: str) -> None:
    async with lit(kind) as run:
        assert await run.light.signal("call", 0.15) == LightResult("done")
        await run.shows(white="on")
        await run.shows()


@pytest.mark.parametrize("kind", KINDS)
async def test_what_lasts_stays_until_it_is_cleared_and_signals_stand_side_by_side(
    lit: Any, kind: str
) -> None:
    async with lit(kind, signals=CALL_BY_STEADY | {"help": {"lamps": ["red"], "pattern": "on"}}) as run:
        assert await run.light.signal("help") == LightResult("done")
        await run.shows(red="on")
        await run.light.signal("call", 30)
        await run.shows(red="on", white="on")
        run.light.clear("help")
        await run.shows(white="on")
        run.light.clear("call")
        await run.shows()
        run.light.clear("call")


@pytest.mark.parametrize("kind", KINDS)
async def test_it_blinks(lit: Any, kind: str) -> None:
    async with lit(kind, signals={"call": {"lamps": ["white", "red"], "pattern": "flash"}}) as run:
        await run.light.signal("call", 30)
        if kind == "tower":
            await run.shows(white="blink", red="blink")
            return
        for _ in range(2):
            await run.shows(white="on", red="on")
            await run.shows()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_signal_without_a_lamp_is_refused_and_many_at_once_are_bounded(lit: Any, kind: str) -> None:
    async with lit(kind) as run:
        assert await run.light.signal("open") == LightResult("failed", "light.no_lamp")
        results = await asyncio.gather(*(run.light.signal("call", 5) for _ in range(200)))
        assert {result.outcome for result in results} <= {"done", "failed"}
        assert results[0].outcome == "done"


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_is_not_there_is_missing_and_what_is_still_wanted_is_shown_when_it_comes(
    lit: Any, kind: str
) -> None:
    async with lit(kind, well=False) as run:
        assert has_texts(await run.health("missing", "fault"))
        late = await run.light.signal("call", 60, within_s=0.05)
        assert late.outcome == "expired" and late.code == run.states[-1].code
        waiting = asyncio.create_task(run.light.signal("help", 60, within_s=PATIENCE_S))
        await asyncio.sleep(0)
        await run.place.plug()
        assert await waiting == LightResult("done")
        await run.until(lambda: run.place.lamps()["red"] != "off")
        assert run.place.lamps()["white"] == "off", "the call that was too late"


@pytest.mark.parametrize(("kind", "fault"), FAULTS)
async def test_every_fault_is_a_state_with_a_text_and_clears_itself(lit: Any, kind: str, fault: str) -> None:
    async with lit(kind) as run:
        await run.light.signal("call")
        if fault == "unplug":
            await run.place.unplug()
        else:
            run.place.hurt(fault)
            run.light.clear("call")
        state = await run.health("missing", "fault")
        assert has_texts(state)
        expected = {"silence": "light.no_answer", "weld": "light.wrong_state", "refuse": "device.refused"}
        assert state.code == expected.get(fault, state.code)
        run.place.mend()
        await run.place.plug()
        await run.health("ok")
        if fault == "unplug":
            await run.shows(white="on")  # it lasts
            run.light.clear("call")
        await run.shows()
        assert await run.light.signal("call", 60) == LightResult("done")
        await run.shows(white="on")


@pytest.mark.parametrize("kind", LINES)
async def test_one_byte_at_a_time_and_slowly(lit: Any, kind: str) -> None:
    async with lit(kind) as run:
        run.place.line.faults.piece = 1
        run.place.line.faults.delay_s = 0.003
        for _ in range(3):
            assert await run.light.signal("call") == LightResult("done")
            await run.shows(white="on")
            run.light.clear("call")
            await run.shows()
        assert run.states[-1].health == "ok"


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("spoil", ["noise", "loss"])
async def test_on_a_bad_line_the_lamps_come_right_and_health_says_so(lit: Any, kind: str, spoil: str) -> None:
    async with lit(kind) as run:
        setattr(run.place.line.faults, spoil, 0.03)
        for _ in range(2):
            await run.light.signal("call", None, PATIENCE_S)
            await run.shows(white="on")
            run.light.clear("call")
            await run.shows()
        setattr(run.place.line.faults, spoil, 0.0)
        await run.health("ok")


@pytest.mark.parametrize("kind", LINES)
async def test_a_tower_that_was_without_power_is_put_right_and_is_no_fault(lit: Any, kind: str) -> None:
    async with lit(kind) as run:
        await run.light.signal("call")
        await run.shows(white="on")
        run.place.fake.power_cycle()
        await run.shows(white="on")
        assert all(state.health in ("ok", "unknown") for state in run.states)


@pytest.mark.parametrize("kind", KINDS)
async def test_all_lamps_are_off_after_the_end_and_closing_is_safe(tmp_path: Path, kind: str) -> None:
    place = KINDS[kind](tmp_path)
    light = await place.start(signals=CALL_BY_STEADY)
    assert isinstance(light, LampLight)
    await light.close()
    await light.open()
    serving = asyncio.create_task(light.serve())
    await light.signal("call")
    async with asyncio.timeout(PATIENCE_S):
        while place.lamps()["white"] != "on":
            await asyncio.sleep(0.002)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await light.close()
    await light.close()
    async with asyncio.timeout(PATIENCE_S):
        while place.lamps()["white"] != "off":
            await asyncio.sleep(0.002)
    await place.stop()


@pytest.mark.parametrize("kind", LINES)
async def test_what_a_killed_agent_left_on_is_off_after_the_next_start(tmp_path: Path, kind: str) -> None:
    place = KINDS[kind](tmp_path)
    light: Any = await place.start(signals=CALL_BY_STEADY)
    await light.open()
    await light._set_lamps({"white": "on", "red": "off"}, {"white": "on"})
    async with asyncio.timeout(PATIENCE_S):
        while place.lamps()["white"] != "on":
            await asyncio.sleep(0.002)
    await light._line.close()  # the kernel does this much
    light = await place.start(signals=CALL_BY_STEADY)
    await light.open()
    async with asyncio.timeout(PATIENCE_S):
        while place.lamps()["white"] != "off":
            await asyncio.sleep(0.002)
    await light.close()
    await place.stop()


async def test_two_lights_and_their_answers_share_a_bus(tmp_path: Path) -> None:
    """Two relays with addresses of their own behind one RS-485 adapter."""
    from drivers.light.fake import FakeLamps, FakeModbusRelay
    from drivers.transport.fake import FakeDevice, PtyLine

    class Bus(FakeDevice):
        def __init__(self, *devices: FakeLamps) -> None:
            super().__init__()
            self.devices = devices

        def received(self, data: bytes) -> None:
            for device in self.devices:
                device.send = self.send
                device.received(data)

    fakes = FakeModbusRelay(address=3), FakeModbusRelay(address=4)
    line = PtyLine(Bus(*fakes), tmp_path / "bus")
    await line.plug()
    import msgspec

    from drivers.light.serial_light import SerialLight, SerialLightConfig

    lights = [
        SerialLight(
            msgspec.convert(
                {
                    "transport": {"type": "serial", "path": str(tmp_path / "bus"), "shared": True},
                    "format": "modbus-relay",
                    "lamps": {"white": 1},
                    "address": fake.address,
                },
                SerialLightConfig,
            )
        )
        for fake in fakes
    ]
    await asyncio.gather(*(light.open() for light in lights))
    serving = [asyncio.create_task(light.serve()) for light in lights]
    for _ in range(20):
        results = await asyncio.gather(*(light.signal("call") for light in lights))
        assert {result.outcome for result in results} == {"done"}
        for light in lights:
            light.clear("call")
        await asyncio.sleep(0.01)
    assert all(not task.done() for task in serving)
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
    for light in lights:
        await light.close()
    await line.unplug()


def test_a_fault_is_seen_within_five_seconds() -> None:
    from drivers.light.serial_light import TRIES, SerialLightConfig
    from drivers.transport.serial import SerialConfig

    config = SerialLightConfig(transport=SerialConfig(path="x"), lamps={"white": 1})
    # found at the second check at the latest, where an output does not follow
    assert 2 * lamps_module.CHECK_S + TRIES * config.answer_ms / 1000 <= 5
    assert supervision.BACK_OFF_MAX_S <= 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lamps": {"white": 9}}, "channels"),
        ({"lamps": {"white": 1, "red": 1}}, "same number"),
        ({"lamps": {"white": 1}, "signals": {"call": {"lamps": ["blue"]}}}, "no such lamp"),
        ({"lamps": {}}, "length"),
        ({"lamps": {"white": 1}, "format": "no-such"}, "no light format"),
        ({"lamps": {"white": 1}, "signals": {"party": {"lamps": ["white"]}}}, "party"),
        ({"lamps": {"white": 1}, "inline": {"channels": 1}}, "one of set"),
        ({"lamps": {"white": 1}, "inline": {"channels": 1, "on": "A0", "off": "zz"}}, "off"),
    ],
)
def test_a_wrong_config_is_refused(options: dict[str, Any], said: str) -> None:
    import msgspec

    from drivers.light.serial_light import SerialLightConfig

    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"transport": {"type": "serial", "path": "x"}} | options, SerialLightConfig)


def test_every_shipped_format_is_sound_and_has_its_place_in_the_suite() -> None:
    folder = Path(lamps_module.__file__).parent / "formats"
    shipped = {file.stem for file in folder.glob("*.toml")}
    for name in shipped:
        load_format(name)
    assert shipped == {place.format for place in KINDS.values() if issubclass(place, Wired)}
