"""What all keypads of this package do with their keys: gestures, queue of presses, lock, stuck keys."""

from __future__ import annotations

import asyncio
from math import inf
from typing import Final

from drivers.driver import Health
from drivers.keypad.gestures import Gesture, GestureConfig, Gestures
from drivers.keypad.presses import Presses
from drivers.keypad.protocol import Keypad, KeyPress

THANKS_S: Final = 1.5
"""How long the chosen key is lit. Not longer: the next person must not see it."""
LOCKED: Final = "locked"
"""The kept fact: a keypad that was locked by its keys is locked after a power cut, too."""


class KeyedKeypad(Keypad):
    """Base of the drivers. A child says what its contacts do (`_down`, `_up`, `_tap`, `_held`), that the line
    is open (`_keys_open`) or lost (`_keys_lost`), and how the line is (`_line_is`); it gets `_refused`."""

    def __init__(self, config: GestureConfig) -> None:
        super().__init__()
        self._gestures = Gestures(config)
        self._presses = Presses()
        self._timer: asyncio.TimerHandle | None = None
        self._line_health = Health()
        self._opened_before = False
        self._chosen = ""
        """The key that was taken last since the prompt began: the one to light while it is thanked for."""

    @property
    def locked(self) -> bool:
        return self._gestures.locked

    async def next_key(self) -> KeyPress:
        press = await self._presses.get()
        self._chosen = press.key
        return press

    async def lock(self, locked: bool) -> None:
        self._gestures.locked = locked
        self._lock_changed()

    # ------------------------------------------------------------ for the children

    def _down(self, key: str, at: float) -> None:
        self._take(self._gestures.down(key, at))

    def _up(self, key: str, at: float) -> None:
        self._take(self._gestures.up(key, at))

    def _tap(self, key: str, at: float) -> None:
        self._take(self._gestures.tap(key, at))

    def _held(self, keys: set[str], at: float) -> None:
        self._gestures.held(keys, at)
        self._take([])

    def _was_down(self, key: str, at: float, *, releases: bool) -> None:
        """A keypad that was not heard for long says a key that was pressed meanwhile: no press."""
        if releases:
            self._held({key}, at)
        else:
            self._gestures.repeated(key, at)

    def _keys_open(self) -> None:
        if not self._opened_before:
            self._opened_before = True
            self._gestures.locked = bool(self.kept.get(LOCKED))

    def _keys_lost(self) -> None:
        self._take(self._gestures.clear())
        self._stop_timer()

    def _line_is(self, state: str, code: str | None = None) -> None:
        """The health of the line; what the keys add to it is added here."""
        self._line_health = Health(state, code)  # type: ignore[arg-type]  # a HealthState
        self._report()

    def _refused(self) -> None:
        """A key of the locked keypad was pressed."""

    # ------------------------------------------------------------ inside

    def _report(self) -> None:
        health = self._line_health
        facts = dict(health.facts)
        if self._gestures.locked:
            facts[LOCKED] = True
        if stuck := self._gestures.stuck:
            facts["stuck"] = " ".join(stuck)
            if health.state == "ok":
                health = Health("degraded", "keypad.key_stuck")
        self.report(Health(health.state, health.code, facts))

    def _lock_changed(self) -> None:
        self.keep(LOCKED, self._gestures.locked)
        if self._line_health.state != "unknown":
            self._report()

    def _take(self, gestures: list[Gesture]) -> None:
        for gesture in gestures:
            match gesture.kind:
                case "press":
                    self._presses.put(KeyPress(gesture.key, gesture.at))
                case "refused":
                    self._refused()
                case "locked" | "unlocked":
                    self._lock_changed()
                case _:
                    self._report()
        self._stop_timer()
        if (due := self._gestures.deadline) < inf:
            self._timer = asyncio.get_running_loop().call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._take(self._gestures.tick(asyncio.get_running_loop().time()))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
