"""The light of a station flashes at its calls, is an extra, and never holds anything up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from device.profile import BoardStation, CounterStation, Profile, check
from device.stations.board import BoardStationRunner
from device.stations.counter import CounterStationRunner
from drivers.driver import Health
from drivers.light.protocol import Light, LightResult, SignalName
from wire.checked_toml import TomlProblems, loads
from wire.messages import Call, CallReported, CounterState

NAME = {"zh-CN": "3号窗口", "en": "Counter 3"}


class Lamp(Light):
    """Keeps what it was told. `on`: what it shows now."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[SignalName, float | None, float]] = []
        self.on: set[SignalName] = set()
        self.result = LightResult("done")
        self.hold: asyncio.Event | None = None

    async def open(self) -> None:
        self.report(Health("ok"))

    async def serve(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        pass

    async def signal(
        self, name: SignalName, seconds: float | None = None, within_s: float = 5.0
    ) -> LightResult:
        self.told.append((name, seconds, within_s))
        self.on.add(name)
        if self.hold is not None:
            await self.hold.wait()
        return self.result

    def clear(self, name: SignalName) -> None:
        self.on.discard(name)


@pytest.fixture
def lamp() -> Lamp:
    return Lamp()


def call(room: Any, seconds: float = 30, **more: Any) -> Call:
    fields: dict[str, Any] = {
        "call": "call-5",
        "number": "A005",
        "counter": "3",
        "zone": "east",
        "attempt": 1,
    }
    return Call(
        epoch=1,
        counter_name=NAME,
        deadline=room.clock.now() + timedelta(seconds=seconds),
        **(fields | more),
    )


def state(room: Any, rev: int, state: str, number: str | None) -> CounterState:
    return CounterState(
        epoch=1, rev=rev, counter="3", name=NAME, zone="east", state=state, number=number, ticket=number,
        call=f"call-{number.lower()}" if number else None, called_at=room.clock.now() if number else None,
    )  # fmt: skip


async def board(room: Any, lamp: Lamp, voice: bool = True, **more: Any) -> BoardStationRunner:
    entry = BoardStation(id="b", zone="east", voice="voice" if voice else None, light="light", **more)
    station = BoardStationRunner(entry, room.node, room.voice if voice else None, lamp)
    room.device("voice", "voice")
    room.add(station)
    return station


async def counter(room: Any, lamp: Lamp, screen: bool) -> CounterStationRunner:
    entry = CounterStation(
        id="c", counter="3", call_screen="strip" if screen else None, light="light", flash_s=8
    )
    station = CounterStationRunner(entry, room.node, None, None, room.strip if screen else None, lamp)
    await station.start()
    room.add(station)
    room.coordinator()
    return station


async def settled(room: Any, met: Callable[[], bool]) -> None:
    await room.until(met)


@pytest.mark.parametrize("voice", [True, False])
async def test_a_zones_light_flashes_once_for_each_call_of_the_zone(
    room: Any, lamp: Lamp, voice: bool
) -> None:
    station = await board(room, lamp, voice, flash_s=12)
    for zone in ("east", "east", "west"):
        station.on_call(call(room, zone=zone))
    await settled(room, lambda: bool(lamp.told))
    station.on_call(call(room, attempt=2, seconds=3))
    await settled(room, lambda: len(lamp.told) == 2)
    assert [told[:2] for told in lamp.told] == [("call", 12), ("call", 12)]
    assert lamp.told[0][2] == 12 and lamp.told[1][2] <= 3, "not after the call's deadline"


async def test_a_call_past_its_deadline_flashes_nothing(room: Any, lamp: Lamp) -> None:
    station = await board(room, lamp)
    station.on_call(call(room, seconds=-1))
    await room.event(CallReported)
    assert lamp.told == []


@pytest.mark.parametrize("result", [LightResult("failed", "light.no_answer"), LightResult("expired")])
async def test_what_the_light_does_changes_nothing_about_the_call(
    room: Any, lamp: Lamp, result: LightResult, caplog: pytest.LogCaptureFixture
) -> None:
    lamp.result = result
    station = await board(room, lamp)
    station.on_call(call(room))
    assert await room.event(CallReported) == [
        CallReported(call="call-5", device="voice", how="heard", outcome="done")
    ]
    assert "was not shown" in caplog.text


async def test_a_light_that_hangs_holds_nothing_up(room: Any, lamp: Lamp) -> None:
    lamp.hold = asyncio.Event()
    station = await board(room, lamp)
    for attempt in range(1, 6):
        station.on_call(call(room, attempt=attempt))
    assert len(await room.event(CallReported, 5)) == 5
    lamp.hold.set()


@pytest.mark.parametrize("screen", [True, False])
async def test_a_counters_light_flashes_until_the_citizen_is_served(
    room: Any, lamp: Lamp, screen: bool
) -> None:
    station = await counter(room, lamp, screen)
    station.on_counter(state(room, 1, "called", "A005"))
    station.on_call(call(room, call="call-a005"))
    await settled(room, lambda: lamp.on == {"call", "open"})
    assert [told for told in lamp.told if told[0] == "call"] == [("call", 8, 8)], "once for both messages"
    station.on_call(call(room, call="call-a005", attempt=2))
    await settled(room, lambda: sum(told[0] == "call" for told in lamp.told) == 2)
    station.on_counter(state(room, 2, "serving", "A005"))
    assert lamp.on == {"open"}
    station.on_counter(state(room, 3, "closed", None))
    assert lamp.on == set()
    reports = [event for event in await room.events() if isinstance(event, CallReported)]
    assert {report.device for report in reports} <= {"strip"}
    assert screen == bool(reports)


async def test_a_flash_that_is_over_before_it_began_does_not_begin(room: Any, lamp: Lamp) -> None:
    station = await counter(room, lamp, screen=False)
    station.on_counter(state(room, 1, "called", "A005"))
    station.on_counter(state(room, 2, "open", None))
    await settled(room, lambda: bool(lamp.told))
    assert lamp.on == {"open"} and not any(told[0] == "call" for told in lamp.told)


async def test_a_fault_of_another_device_is_shown_until_it_is_mended(room: Any, lamp: Lamp) -> None:
    await board(room, lamp)
    room.device("light", "light", "missing", "light.no_answer")
    room.device("voice", "voice", "missing", "voice.output_lost")
    await settled(room, lambda: lamp.on == {"fault"})
    room.device("printer", "ticket_printer", "fault", "printer.cutter")
    room.device("voice", "voice", "ok")
    assert lamp.on == {"fault"}
    room.device("printer", "ticket_printer", "degraded", "printer.paper_low")
    assert lamp.on == set()


PROFILE = """
hall = "demo"
node = "n"
storage = "a.db"
broker = {{ host = "x" }}
[[device]]
id = "beacon"
driver = "serial_light"
options = {{ transport = {{ type = "serial", path = "/dev/paihao/light" }}, lamps = {{ white = {channel} }} }}
[[device]]
id = "tower"
driver = "gpio_light"
options = {{ lamps = {{ red = 17, green = 27 }} }}
[[station]]
kind = "counter"
id = "c"
counter = "3"
light = "beacon"
[[station]]
kind = "board"
id = "b"
zone = "east"
light = "tower"
{more}
"""


def test_a_profile_names_the_lights_of_its_stations() -> None:
    checked = check(loads(PROFILE.format(channel=1, more=""), Profile))
    beacon, tower = (device.description for device in checked.devices)
    assert (beacon.kind, beacon.counter, tower.kind, tower.zone) == ("light", "3", "light", "east")
    with pytest.raises(TomlProblems, match="channels"):
        check(loads(PROFILE.format(channel=9, more=""), Profile))
    with pytest.raises(TomlProblems, match="is a light, a voice is needed"):
        check(loads(PROFILE.format(channel=1, more='voice = "beacon"'), Profile))
