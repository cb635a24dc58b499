"""What a counter tells its call keypad: which keys mean something now, the display, the lock, and that a key
was not taken.

A key that the hall says nothing to within ANSWER_S has done nothing (nobody waits, nothing to recall): that
is refused, too, so that the clerk does not wait for a citizen whom nobody called.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Final

from device.profile import CounterStation
from device.stations.station import Node
from drivers.errors import DriverError
from drivers.keypad.protocol import Keypad, KeypadDisplay
from wire.messages import CounterState

logger = logging.getLogger(__name__)

REFUSED_S: Final = 1.0
"""How long the lights are out after a key that was refused."""
ANSWER_S: Final = 2.0
"""The hall answers a key sooner than this, or has not taken it."""
LIGHTS: Final = {
    "closed": ("open", "next"),
    "paused": ("open", "next"),
    "open": ("next", "unpark", "pause", "close"),
    "called": ("next", "recall", "no_show", "transfer", "park", "finish"),
    "serving": ("next", "recall", "transfer", "park", "finish"),
}
"""The keys that mean something in each state of the counter."""


class CallKeypad:
    """`keypad` None: there is none, and nothing here does anything."""

    def __init__(self, station: CounterStation, node: Node, keypad: Keypad | None) -> None:
        self._station = station
        self._node = node
        self._keypad = keypad
        self._state: CounterState | None = None
        self._lights: tuple[str, ...] | None = None
        self._display: KeypadDisplay | None = None
        self._locked: bool | None = None
        self._unanswered: asyncio.TimerHandle | None = None

    def follow(self, state: CounterState | None) -> None:
        """The counter's newest state, or the coordinator came or went."""
        self._state = state
        if self._keypad is None:
            return
        self._light()
        self._show(self._keypad)
        self._lock(self._keypad)

    def device_back(self) -> None:
        """The keypad works again: say everything again."""
        self._lights = self._display = None
        self.follow(self._state)

    def asked(self) -> None:
        """A key was sent to the hall."""
        if self._keypad is not None and self._unanswered is None:
            self._unanswered = asyncio.get_running_loop().call_later(ANSWER_S, self._not_answered)

    def answered(self) -> None:
        """The hall did something at this counter."""
        if self._unanswered is not None:
            self._unanswered.cancel()
            self._unanswered = None

    async def refuse(self) -> None:
        """All lights go out for a moment, or until the coordinator is back; a beep or a word where the keypad
        has it."""
        if self._keypad is None:
            return
        await self._set_lights(())
        asyncio.get_running_loop().call_later(REFUSED_S, self._light)
        await self._tell(self._keypad.refuse(), "refusal")

    # ---------------------------------------------------------------- inside

    def _not_answered(self) -> None:
        self._unanswered = None
        self._node.spawn(self.refuse(), f"{self._station.id} key not taken")

    def _light(self) -> None:
        state = self._state.state if self._state is not None else "closed"
        lights = LIGHTS[state] if self._node.link.online else ()
        if self._keypad is not None and lights != self._lights:
            self._node.spawn(self._set_lights(lights), f"{self._station.id} lights")

    async def _set_lights(self, keys: tuple[str, ...]) -> None:
        if self._keypad is None:
            return
        self._lights = keys
        if not await self._tell(self._keypad.light(*keys), "lights"):
            self._lights = None

    def _show(self, keypad: Keypad) -> None:
        state = self._state
        if state is None:
            display = KeypadDisplay(state="closed" if self._node.link.online else "away")
        elif self._node.link.online:
            display = KeypadDisplay(state.number, state.waiting, state.state)
        else:
            display = KeypadDisplay(state.number, None, "away")
        if display != self._display:
            self._display = display
            self._node.spawn(self._show_now(keypad, display), f"{self._station.id} keypad display")

    async def _show_now(self, keypad: Keypad, display: KeypadDisplay) -> None:
        if not await self._tell(keypad.show(display), "display"):
            self._display = None

    def _lock(self, keypad: Keypad) -> None:
        """Only when the state changes: the clerk may unlock an unattended counter at the keypad."""
        states = self._station.lock_keypad
        if not states or self._state is None:
            return
        locked = self._state.state in states
        if locked != self._locked:
            self._locked = locked
            self._node.spawn(self._lock_now(keypad, locked), f"{self._station.id} keypad lock")

    async def _lock_now(self, keypad: Keypad, locked: bool) -> None:
        await self._tell(keypad.lock(locked), "lock")

    async def _tell(self, work: Awaitable[None], what: str) -> bool:
        """Whether the driver took it."""
        try:
            await work
        except DriverError as error:
            logger.debug("%s of counter %s: %s", what, self._station.counter, error)
            return False
        return True
