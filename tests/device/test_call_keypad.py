"""What the counter station tells a call keypad with display, beeper and lock."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from device.profile import CounterStation
from device.stations import call_keypad
from device.stations.counter import CounterStationRunner
from drivers.keypad.protocol import Keypad, KeypadDisplay, KeyPress
from wire.messages import CounterState, KeyPressed

NAME = {"zh-CN": "3号窗口", "en": "Counter 3"}


class RichKeypad(Keypad):
    """Remembers what it was told."""

    def __init__(self, room: Any) -> None:
        super().__init__()
        self.lights: tuple[str, ...] = ()
        self.displays: list[KeypadDisplay] = []
        self.refusals = 0
        self.locks: list[bool] = []
        self._room = room
        self._keys: asyncio.Queue[KeyPress] = asyncio.Queue()

    def press(self, key: str) -> None:
        self._keys.put_nowait(KeyPress(key, asyncio.get_running_loop().time()))

    async def open(self) -> None: ...
    async def serve(self) -> None: ...
    async def close(self) -> None: ...

    async def next_key(self) -> KeyPress:
        return await self._keys.get()

    async def light(self, *keys: str) -> None:
        self.lights = keys

    async def prompt(self, shown: bool) -> None: ...
    async def thank(self) -> None: ...

    async def show(self, display: KeypadDisplay) -> None:
        self.displays.append(display)

    async def refuse(self) -> None:
        self.refusals += 1

    async def lock(self, locked: bool) -> None:
        self.locks.append(locked)


@pytest.fixture
async def pad(room: Any) -> RichKeypad:
    return RichKeypad(room)


@pytest.fixture
async def counter(room: Any, pad: RichKeypad) -> CounterStationRunner:
    entry = CounterStation(id="c3", counter="3", call_keypad="keys", lock_keypad=("closed",))
    station = CounterStationRunner(entry, room.node, pad, None, None)
    room.device("keys", "keypad")
    await station.start()
    room.add(station)
    return station


def state(rev: int, state: str = "called", **more: Any) -> CounterState:
    number, ticket = ("A005", "t-5") if state in ("called", "serving") else (None, None)
    fields: dict[str, Any] = {"number": number, "ticket": ticket, "waiting": 7}
    return CounterState(epoch=1, rev=rev, counter="3", name=NAME, zone="e", state=state, **(fields | more))


async def test_the_display_has_the_number_and_the_people_waiting(
    room: Any, counter: CounterStationRunner, pad: RichKeypad
) -> None:
    room.coordinator()
    counter.on_counter(state(1))
    await room.until(lambda: pad.displays and pad.displays[-1] == KeypadDisplay("A005", 7, "called"))
    counter.on_counter(state(2, waiting=6))
    await room.until(lambda: pad.displays[-1] == KeypadDisplay("A005", 6, "called"))
    counter.on_counter(state(3, "open", waiting=6))
    await room.until(lambda: pad.displays[-1] == KeypadDisplay(None, 6, "open"))
    told = len(pad.displays)
    counter.on_counter(state(4, "open", waiting=6, parked=1))
    await room.until(lambda: "unpark" in pad.lights)
    assert len(pad.displays) == told, "the same is not told twice"


async def test_what_may_be_old_is_not_shown_as_new(
    room: Any, counter: CounterStationRunner, pad: RichKeypad
) -> None:
    room.coordinator()
    counter.on_counter(state(1))
    room.coordinator(online=False)
    await room.until(lambda: pad.displays and pad.displays[-1] == KeypadDisplay("A005", None, "away"))


async def test_a_key_while_the_hall_is_away_is_refused_with_a_sign(
    room: Any, counter: CounterStationRunner, pad: RichKeypad
) -> None:
    room.coordinator(online=False)
    pad.press("next")
    await room.until(lambda: pad.refusals)


async def test_a_key_that_the_hall_does_nothing_about_is_refused_with_a_sign(
    room: Any, counter: CounterStationRunner, pad: RichKeypad, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_keypad, "ANSWER_S", 0.01)
    room.coordinator()
    counter.on_counter(state(1, "open", waiting=0))
    pad.press("next")
    assert [event.key for event in await room.event(KeyPressed)] == ["next"]
    await room.until(lambda: pad.refusals == 1)


async def test_a_key_that_the_hall_answers_is_not_refused(
    room: Any, counter: CounterStationRunner, pad: RichKeypad, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.coordinator()
    counter.on_counter(state(1, "open"))
    pad.press("next")
    await room.event(KeyPressed)
    counter.on_counter(state(2))
    assert counter._call_keypad._unanswered is None
    assert pad.refusals == 0


async def test_an_unattended_counter_is_locked_and_opens_with_the_counter(
    room: Any, counter: CounterStationRunner, pad: RichKeypad
) -> None:
    room.coordinator()
    counter.on_counter(state(1, "closed"))
    await room.until(lambda: pad.locks == [True])
    counter.on_counter(state(2, "closed", waiting=8))
    counter.on_counter(state(3, "open"))
    await room.until(lambda: pad.locks == [True, False])


async def test_a_keypad_that_is_back_is_told_everything_again(
    room: Any, counter: CounterStationRunner, pad: RichKeypad
) -> None:
    room.coordinator()
    counter.on_counter(state(1))
    await room.until(lambda: pad.displays and pad.lights)
    told = len(pad.displays)
    pad.lights = ()
    counter.on_device(room.node.devices["keys"])
    await room.until(lambda: len(pad.displays) > told and pad.lights)
