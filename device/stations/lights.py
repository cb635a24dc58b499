"""The light of a station: it flashes when a number is called, for people who do not hear.

A light is an extra: what it did is in its device state and in the log, and no call waits for it or is
reported as seen because of it. Which lamps stand for what is the driver's configuration; "fault" and "open"
are shown where it names lamps for them.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from device.stations.station import Node
from wire.messages import DeviceState

if TYPE_CHECKING:
    from drivers.light.protocol import Light, SignalName

logger = logging.getLogger(__name__)

LEAST_FLASH_S: Final = 1.0


class StationLight:
    """`light` None: there is none, and nothing here does anything. `flash_s`: how long for one call."""

    def __init__(self, node: Node, device: str | None, light: Light | None, flash_s: float) -> None:
        self._node = node
        self._device = device
        self._light = light
        self._flash_s = max(LEAST_FLASH_S, flash_s)
        self._at_fault: set[str] = set()
        self._shown: set[SignalName] = set()

    def flash(self, number: str, left_s: float | None = None) -> None:
        """A number is called. `left_s`: until its deadline; a light that is away flashes not later than that,
        nor when nobody looks for it any more."""
        within_s = self._flash_s if left_s is None else min(self._flash_s, left_s)
        if self._light is not None and within_s > 0:
            self._shown.add("call")
            self._node.spawn(self._signal("call", f"call of {number}", self._flash_s, within_s), "call light")

    def stop(self) -> None:
        """Nobody is called any more."""
        self._shown.discard("call")
        if self._light is not None:
            self._light.clear("call")

    @property
    def there(self) -> bool:
        """Whether the station has a light."""
        return self._light is not None

    def help_wanted(self, wanted: bool) -> None:
        """Somebody asked for help, or is served."""
        self._lasting("help", wanted)

    def is_open(self, is_open: bool) -> None:
        """Whether the counter serves."""
        self._lasting("open", is_open)

    def on_device(self, state: DeviceState) -> None:
        """Another device of this node has a new state."""
        if self._light is None or state.device == self._device:
            return
        if state.health in ("fault", "missing"):
            self._at_fault.add(state.device)
        else:
            self._at_fault.discard(state.device)
        self._lasting("fault", bool(self._at_fault))

    def _lasting(self, name: SignalName, shown: bool) -> None:
        if self._light is None or shown == (name in self._shown):
            return
        if shown:
            self._shown.add(name)
            self._node.spawn(self._signal(name, name), f"{name} light")
        else:
            self._shown.discard(name)
            self._light.clear(name)

    async def _signal(
        self, name: SignalName, what: str, seconds: float | None = None, within_s: float = 5.0
    ) -> None:
        assert self._light is not None
        if name not in self._shown:
            return  # over before it began
        result = await self._light.signal(name, seconds, within_s)
        if result.outcome != "done" and name == "call":
            logger.warning("%s: %s was not shown: %s", self._device, what, result.code or result.outcome)
