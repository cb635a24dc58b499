"""Fake buttons and lamps: a `FakeHeader` with people at it, the far end of a `GpioKeypad`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from drivers.fake_gpio import FakeHeader

HELD_S: Final = 0.02
"""How long a person holds a button, at least, and lets go of it."""


class FakeButtons:
    """`keys` and `lamps`: name → pin. Buttons connect their pin to ground; a lamp is lit by a high pin.

    `prompt` and `beeper` as in the driver's options.
    """

    def __init__(
        self,
        label: str,
        keys: dict[str, int],
        lamps: dict[str, int] | None = None,
        *,
        prompt: int | None = None,
        beeper: int | None = None,
    ) -> None:
        self.header = FakeHeader(label)
        self.header.on_change = self._changed
        self.on_change: Callable[[], None] | None = None
        self.beeps = 0
        self.actions = ("stick", "mend", "take_pin", "give_pin", "unplug", "plug")
        self._keys = keys
        self._lamps = lamps or {}
        self._prompt = prompt
        self._beeper = beeper
        self._beeping = False
        self._stuck: set[str] = set()
        self._free_at: dict[str, float] = {}

    @property
    def key_names(self) -> tuple[str, ...]:
        return tuple(self._keys)

    @property
    def lights(self) -> frozenset[str]:
        return frozenset(key for key, pin in self._lamps.items() if self.header.level(pin))

    @property
    def prompting(self) -> bool:
        return self._prompt is not None and self.header.level(self._prompt)

    def press(self, key: str) -> None:
        """Down for HELD_S, then up for as long, the next press after that. Raises KeyError."""
        loop = asyncio.get_running_loop()
        at = max(loop.time(), self._free_at.get(key, 0.0))
        self._free_at[key] = at + 2 * HELD_S
        if at > loop.time():
            loop.call_at(at, self.down, key)
        else:
            self.down(key)
        loop.call_at(at + HELD_S, self.up, key)

    def down(self, key: str) -> None:
        self.header.drive(self._keys[key], False)

    def up(self, key: str) -> None:
        self.header.let_go(self._keys[key])

    def bounce(self, key: str, times: int = 5) -> None:
        """A worn contact."""
        for _ in range(times):
            self.spike(key)
        self.press(key)

    def spike(self, key: str) -> None:
        """Noise on a long wire: down for an instant."""
        self.down(key)
        self.up(key)

    def stick(self, key: str = "") -> None:
        """A button that hangs until `mend`."""
        key = key or self.key_names[0]
        self._stuck.add(key)
        self.down(key)

    def mend(self) -> None:
        for key in self._stuck:
            self.up(key)
        self._stuck.clear()

    def take_pin(self) -> None:
        """Another program has the first button's pin."""
        self.header.busy.add(self._keys[self.key_names[0]])

    def give_pin(self) -> None:
        self.header.busy.clear()

    def plug(self) -> None:
        self.header.plug()

    def unplug(self) -> None:
        self.header.unplug()

    def _changed(self) -> None:
        beeping = self._beeper is not None and self.header.plugged_in and self.header.level(self._beeper)
        self.beeps += beeping and not self._beeping
        self._beeping = beeping
        if self.on_change is not None:
            self.on_change()
