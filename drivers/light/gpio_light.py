"""Driver of lamps on pins of the header: a light tower or a beacon behind a transistor or solid-state relay.

Binds to: GPIO (`drivers.gpio`). Implements: Light. A pin can be set and not asked: what hangs on it is not
known, so health is that of the chip. The pins are set again every 2 s, by which a chip that went away shows.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from drivers.driver import Health
from drivers.gpio import HEADER, Output, Pins
from drivers.light.lamps import LampLight
from drivers.light.signals import LampConfig, LampState


class GpioLightConfig(LampConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`lamps`: name → pin (BCM). `chip`: label of the chip. `active_low`: low switches the lamp on."""

    chip: str = HEADER
    active_low: bool = False


class GpioLight(LampLight):
    """Lamps on pins. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = GpioLightConfig

    def __init__(self, config: GpioLightConfig) -> None:
        super().__init__(config, config.looks("flash"))
        self._pins = Pins(config.chip)
        self._active_low = config.active_low
        self._outputs: dict[str, Output] = {}

    async def _open_lamps(self) -> None:
        await self._pins.open()
        self._outputs = {
            lamp: self._pins.output(pin, active_low=self._active_low) for lamp, pin in self._lamps.items()
        }

    async def _set_lamps(self, states: dict[str, LampState], changed: dict[str, LampState]) -> None:
        for lamp, state in changed.items():
            self._outputs[lamp].write(state != "off")

    async def _check_lamps(self, states: dict[str, LampState]) -> Health:
        await self._set_lamps(states, states)
        return Health("ok")

    async def _close_lamps(self) -> None:
        self._outputs = {}
        await self._pins.close()
