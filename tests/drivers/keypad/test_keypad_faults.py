"""Every fault of every keypad is told with a code that has a text, and ends by itself when it is mended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from keypad_rigs import PATIENCE_S, Rig, make

from device import supervision
from device.clock import Clock
from device.supervision import Supervisor
from drivers.keypad import serial_keypad
from wire.messages import DeviceState
from wire.texts import LANGUAGES, texts

Act = Callable[[Rig], Any]


class Fault(NamedTuple):
    name: str
    rigs: tuple[str, ...]
    breaks: Act
    mends: Act
    health: str
    code: str


async def _busy(rig: Rig) -> None:
    """Another program takes a pin while the header was away."""
    await rig.line.unplug()
    await rig.until(lambda: rig.keypad.health.state == "missing")
    rig.pad.take_pin()
    await rig.line.plug()


POLLED = ("polled-pty", "polled-tcp", "display-pty")
PUSHED = ("push-pty", "push-tcp", "lit-pty")
FAULTS = [
    Fault(
        "unplugged",
        (*POLLED, *PUSHED, "evdev-pty", "hidraw-pty"),
        lambda rig: rig.line.unplug(),
        lambda rig: rig.line.plug(),
        "missing",
        "device.unplugged",
    ),
    Fault(
        "no chip",
        ("gpio",),
        lambda rig: rig.line.unplug(),
        lambda rig: rig.line.plug(),
        "missing",
        "gpio.no_chip",
    ),
    Fault("pin taken", ("gpio",), _busy, lambda rig: rig.pad.give_pin(), "fault", "gpio.pin_busy"),
    Fault(
        "silent",
        POLLED,
        lambda rig: rig.pad.silence(),
        lambda rig: rig.pad.mend(),
        "missing",
        "keypad.no_answer",
    ),
    Fault(
        "wrong checksums",
        POLLED,
        lambda rig: rig.pad.spoil(),
        lambda rig: rig.pad.mend(),
        "missing",
        "device.bad_frame",
    ),
    Fault(
        "half frames",
        POLLED,
        lambda rig: rig.pad.halve(),
        lambda rig: rig.pad.mend(),
        "missing",
        "device.bad_frame",
    ),
    Fault(
        "two with one address",
        POLLED,
        lambda rig: rig.pad.double(),
        lambda rig: rig.pad.mend(),
        "degraded",
        "keypad.same_address",
    ),
    Fault(
        "wrong checksums",
        ("lit-pty", "push-pty", "push-tcp"),
        lambda rig: (rig.pad.spoil(), rig.pad.press("next")),
        lambda rig: rig.pad.mend(),
        "degraded",
        "device.bad_frame",
    ),
    Fault(
        "reports of another size",
        ("hidraw-pty",),
        lambda rig: (rig.pad.spoil(), rig.pad.press("next")),
        lambda rig: rig.pad.mend(),
        "degraded",
        "device.bad_frame",
    ),
    Fault(
        "a stuck key",
        ("push-pty", "display-pty", "evdev-pty", "hidraw-pty", "gpio"),
        lambda rig: rig.pad.stick("next"),
        lambda rig: rig.pad.up("next") if hasattr(rig.pad, "codes") else rig.pad.mend(),
        "degraded",
        "keypad.key_stuck",
    ),
]
CASES = [pytest.param(fault, which, id=f"{fault.name}-{which}") for fault in FAULTS for which in fault.rigs]


class Watched:
    """A keypad under the agent's own supervisor; `states` are those that would be published."""

    def __init__(self, rig: Rig) -> None:
        self.states: list[DeviceState] = []
        self._changed = asyncio.Event()
        clock = Clock(UTC)
        self._supervisor = Supervisor("keypad", rig.keypad, clock, self._published)
        rig.keypad.on_health = self._supervisor._on_health
        self._task = asyncio.create_task(self._supervisor.run())

    def _published(self, state: DeviceState) -> None:
        self.states.append(state)
        self._changed.set()

    async def until(self, health: str, code: str | None) -> DeviceState:
        async with asyncio.timeout(PATIENCE_S):
            while not self.states or (self.states[-1].health, self.states[-1].code) != (health, code):
                self._changed.clear()
                await self._changed.wait()
        return self.states[-1]

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "BACK_OFF_MAX_S", 0.2)
    monkeypatch.setattr(supervision, "BACK_OFF_MIN_S", 0.05)
    monkeypatch.setattr(serial_keypad, "QUIET_S", 0.1)
    monkeypatch.setattr(serial_keypad, "MISSING_WAIT_S", 0.05)


@pytest.fixture
async def watched(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Fault, Rig, Watched]]:
    fault, which = request.param
    # not checked when made here: as short as a test may be
    rig = await make(which, tmp_path / "keypad", stuck_s=0.3 if fault.code == "keypad.key_stuck" else 30)
    watched = Watched(rig)
    yield fault, rig, watched
    await watched.stop()
    await rig.stop()


async def done(act: Act, rig: Rig) -> None:
    result = act(rig)
    if asyncio.iscoroutine(result):
        await result


@pytest.mark.parametrize(
    "watched",
    [pytest.param((case.values[0], case.values[1]), id=case.id) for case in CASES],
    indirect=True,
)
async def test_a_fault_is_told_and_ends_by_itself_when_mended(watched: tuple[Fault, Rig, Watched]) -> None:
    fault, rig, seen = watched
    await seen.until("ok", None)
    await rig.connected()
    await done(fault.breaks, rig)
    await seen.until(fault.health, fault.code)
    for language in LANGUAGES:
        what, _, to_do = texts(language)[fault.code].partition(" · ")
        assert what and to_do
    await done(fault.mends, rig)
    await seen.until("ok", None)
    await rig.connected()
    while True:  # what was pressed while it was broken may still be there
        rig.pad.press("recall")
        async with asyncio.timeout(PATIENCE_S):
            if (await rig.keypad.next_key()).key == "recall":
                return
