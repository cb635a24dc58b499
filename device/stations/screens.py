"""The screens of a node as devices: one that should be there and is not raises the alarm of any dead device.

A screen program keeps nothing and may be restarted at any time; only one that stays away for ABSENT_S is
missing. The panel over a counter is not here: its call-screen driver reports it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from device.clock import Clock
from device.profile import Station, screen_device
from wire.messages import DeviceDescription, DeviceState
from wire.screen_link import ScreenRole

ABSENT_S: Final = 10.0
"""A program that is restarted is back within 3 s."""
MISSING: Final = "screen.program_missing"


class ScreenDevices:
    """The `screens` of all stations. `look` is called when a screen has come or gone.

    Args:
        has_screen: Whether a screen of a station is connected.
        report: Gets every new state.
    """

    def __init__(
        self,
        stations: Iterable[Station],
        clock: Clock,
        has_screen: Callable[[str, ScreenRole], bool],
        report: Callable[[DeviceState], None],
    ) -> None:
        self._rows: dict[str, tuple[Station, ScreenRole]] = {
            screen_device(station.id, role): (station, role)
            for station in stations
            for role in station.screens
        }
        self._clock = clock
        self._has_screen = has_screen
        self._report = report
        self._there: dict[str, bool] = {}
        self._starts: dict[str, int] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def descriptions(self) -> tuple[DeviceDescription, ...]:
        return tuple(
            DeviceDescription(
                device=device,
                kind="screen",
                driver=f"paihao screen {role}",
                counter=getattr(station, "counter", None),
                zone=getattr(station, "zone", None),
            )
            for device, (station, role) in self._rows.items()
        )

    def start(self) -> None:
        """From now on they are expected."""
        for device in self._rows:
            self._tell(device, "unknown")
        self.look()

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def look(self) -> None:
        """See which are there."""
        loop = asyncio.get_running_loop()
        for device, (station, role) in self._rows.items():
            there = self._has_screen(station.id, role)
            if there == self._there.get(device):
                continue
            self._there[device] = there
            if (timer := self._timers.pop(device, None)) is not None:
                timer.cancel()
            if there:
                self._starts[device] = self._starts.get(device, 0) + 1
                self._tell(device, "ok")
            else:
                self._timers[device] = loop.call_later(ABSENT_S, self._missing, device)

    def _missing(self, device: str) -> None:
        del self._timers[device]
        self._tell(device, "missing")

    def _tell(self, device: str, health: str) -> None:
        now = self._clock.now()
        self._report(
            DeviceState(
                device=device,
                kind="screen",
                health=health,  # type: ignore[arg-type]
                code=MISSING if health == "missing" else None,
                # How often it came: a program that crashes again and again is there most of the time.
                facts={"starts": self._starts.get(device, 0)},
                since=now,
                seen_at=now if health == "ok" else None,
            )
        )
