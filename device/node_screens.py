"""All that a node has for its screens: socket, pictures, time; and the screens themselves as devices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from device.clock import TOLERANCE_S
from device.profile import Profile
from device.screen_link import ScreenLink
from device.stations.screens import ScreenDevices
from device.stations.station import Node, Station
from wire.messages import DeviceState
from wire.screen_link import TimeShown

LOOK_S: Final = 10.0
"""How soon it is noticed that something else set the clock: NTP, before the coordinator was heard."""


class NodeScreens:
    """`link` and `devices` are always there; without a `screen_socket` in the profile they do nothing.

    Args:
        on_device: Gets every state of a screen as a device.
        on_pictures_fault: Called when `node.pictures.fault` changed.
        follow_picture: Called with a picture's id and whether its topic is to be subscribed.
    """

    def __init__(
        self,
        profile: Profile,
        node: Node,
        stations: Sequence[Station],
        *,
        on_device: Callable[[DeviceState], None],
        on_pictures_fault: Callable[[], None],
        follow_picture: Callable[[str, bool], None],
    ) -> None:
        self._node = node
        self._stations = stations
        self._local_time = node.clock.in_zone(profile.timezone)
        self.link = ScreenLink(profile.screen_socket, {station.id: station for station in stations})
        self.devices = ScreenDevices(profile.station, node.clock, self.link.has_screen, on_device)
        self.link.greeting = lambda: [self._time_shown()]
        self.link.on_change = self.devices.look
        node.screens = self.link
        self._told = 0.0
        self._timer: asyncio.TimerHandle | None = None
        if profile.screen_socket is not None:
            # Imported here: a node without screens needs no pictures.
            from device.stations.pictures import Pictures

            node.pictures = Pictures(Path(profile.storage).parent / "pictures", node)
            node.pictures.follow = follow_picture
            node.pictures.on_fault = on_pictures_fault
            node.pictures.on_change = self._on_pictures

    async def start(self) -> None:
        """Raises OSError when the socket cannot be made."""
        self.devices.start()
        if self._node.pictures is not None:
            self._node.pictures.start()
            self._told = self._set_at()
            self._look_again()
        await self.link.start()

    async def stop(self) -> None:
        """Screens that go now are not missing."""
        if self._timer is not None:
            self._timer.cancel()
        self.devices.stop()
        self.link.on_change = None
        await self.link.stop()
        if self._node.pictures is not None:
            self._node.pictures.stop()

    def tell_time(self) -> None:
        """The clock moved."""
        self._told = self._set_at()
        self.link.tell(self._time_shown())

    def _look_again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look_at_clock)

    def _look_at_clock(self) -> None:
        # Screens run on by the monotonic clock: against that one the node's clock must stand still.
        if abs(self._set_at() - self._told) > TOLERANCE_S:
            self.tell_time()
        self._look_again()

    def _set_at(self) -> float:
        return self._node.clock.now().timestamp() - asyncio.get_running_loop().time()

    def _time_shown(self) -> TimeShown:
        return TimeShown(at=self._local_time(), trusted=self._node.clock.trusted)

    def _on_pictures(self) -> None:
        for station in self._stations:
            station.on_pictures()
