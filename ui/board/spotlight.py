"""Which call stands large and flashes, and for how long: each new one, one after the other.

Pure but for what it remembers. A call is new when it, or this recall of it, was not on the board before; one
that is over asks nobody to come any more.
"""

from __future__ import annotations

from datetime import datetime
from math import inf
from typing import Final, TypeAlias

from ui.beats import HALF_S, lit, next_beat
from ui.news import FLASH_S, is_fresh
from wire.messages import BoardCall

LEAST_S: Final = 3.0
"""How long a new call stands large at least, when others wait behind it."""
QUEUE: Final = 12
"""New calls that wait to stand large; of more the oldest are only in the list."""

GOING: Final = ("called", "serving")
"""States of a call that is not over."""

Key: TypeAlias = tuple[str, datetime]
"""A call and when it was last called: a recall is another."""


def key_of(call: BoardCall) -> Key:
    return call.call, call.called_at


class Spotlight:
    """`follow` every board, `step` at `due`."""

    def __init__(self) -> None:
        self._known: frozenset[Key] | None = None
        self._waiting: list[Key] = []
        self._flashing: dict[Key, float] = {}
        self._standing: Key | None = None

    def follow(self, calls: tuple[BoardCall, ...], now: float, at: datetime | None) -> None:
        """`calls` newest first; `at`: the hall's time, None where nobody knows it."""
        present = {key_of(call): call for call in calls if call.state in GOING}
        if self._known is None:
            newest = calls[:1]
            new = [key_of(call) for call in newest if call.state == "called" and is_fresh(call.called_at, at)]
        else:
            new = [key for key in reversed(present) if key not in self._known]
        self._known = frozenset(key_of(call) for call in calls)
        self._waiting = [key for key in [*self._waiting, *new] if key in present][-QUEUE:]
        self._flashing = {key: began for key, began in self._flashing.items() if key in present}
        if self._standing not in self._flashing:
            self._standing = None
        self.step(now)

    def step(self, now: float) -> None:
        """Let the next one stand, end what has flashed long enough."""
        self._flashing = {key: began for key, began in self._flashing.items() if now < began + FLASH_S}
        began = self._flashing.get(self._standing) if self._standing is not None else None
        if began is None:
            self._standing = None
        if self._waiting and (began is None or now >= began + LEAST_S):
            self._standing = self._waiting.pop(0)
            self._flashing[self._standing] = now

    def due(self, now: float) -> float:
        """When something changes by itself."""
        if self._standing is None:
            return min((began + FLASH_S for began in self._flashing.values()), default=inf)
        began = self._flashing[self._standing]
        times = [next_beat(began, HALF_S, now), *(each + FLASH_S for each in self._flashing.values())]
        if self._waiting:
            times.append(began + LEAST_S)
        return min(times)

    def large(self, calls: tuple[BoardCall, ...]) -> BoardCall | None:
        """The call that stands large: the new one whose turn it is, else the newest that is not over."""
        standing = (call for call in calls if key_of(call) == self._standing)
        going = (call for call in calls if call.state in GOING)
        return next(standing, None) or next(going, None) or (calls[0] if calls else None)

    def alternate(self, now: float) -> bool:
        """Whether the large call shows its other look now."""
        began = self._flashing.get(self._standing) if self._standing is not None else None
        return began is not None and now < began + FLASH_S and not lit(began, now)

    def fresh(self) -> frozenset[Key]:
        """Calls that are marked as new in the list: they flash, have just flashed or will do so."""
        return frozenset([*self._flashing, *self._waiting])
