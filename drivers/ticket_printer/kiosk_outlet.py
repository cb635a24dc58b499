"""What becomes of the paper in the outlet of a presenter: a small machine that is told what the sensor sees.

    empty → presented → taken
                      → left → taken
                             → retracting → retracted
                                          → stuck      it still lies there: somebody has to take it out

Pure: no clock and no line of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from drivers.ticket_printer.protocol import OutletEvent, OutletState

RETRACT_S: Final = 10.0
"""A retraction does not take longer."""
AGAIN_S: Final = 60.0
"""So often a stuck paper is tried again: somebody may have enabled retracting."""
TAKE_S: Final = 5.0
"""So long a paper may be taken, also when the next citizen waits; less where it counts as left earlier."""

State = Literal["empty", "presented", "left", "retracting", "stuck"]


class Outlet:
    """`left_s`: so long may a paper lie there before it counts as left; `away_s`: before it is to be moved
    away, None: never. `settle_s`: the sensor has to see nothing for so long before the paper is gone."""

    def __init__(
        self, left_s: float, away_s: float | None, settle_s: float, tell: Callable[[OutletEvent], None]
    ) -> None:
        self._left_s = left_s
        self._away_s = away_s
        self._settle_s = settle_s
        self._tell = tell
        self.state: State = "empty"
        self.fact: str = "empty"
        """For `Health.facts`: what was told last, or empty."""
        self.number: str | None = None
        """Of the paper that lies there; None: it was there before us."""
        self._since = 0.0
        self._empty_since: float | None = None

    @property
    def occupied(self) -> bool:
        return self.state != "empty"

    def presented(self, number: str | None, now: float) -> None:
        """A paper was put there; whatever lay there was pushed out."""
        self.number = number
        self._since, self._empty_since = now, None
        self._go("presented", "presented")

    def seen(self, there: bool, now: float) -> None:
        """What the sensor sees while the motor rests; see `emptied`."""
        if there:
            self._empty_since = None
            if self.state == "empty":
                self.presented(None, now)
            elif self.state == "presented" and now - self._since >= self._left_s:
                self._go("left", "left")
            elif self.state == "retracting" and now - self._since >= RETRACT_S:
                self.state = "stuck"
                self.fact = "left"
        elif self.occupied and self._empty_since is None:
            self._empty_since = now

    def emptied(self, now: float) -> bool:
        """Whether the paper is there no more, seen for long enough: say what became of it to `gone`."""
        return self._empty_since is not None and now - self._empty_since >= self._settle_s

    def gone(self, what: Literal["taken", "retracted"] | None) -> None:
        """Nothing lies there any more. None: nobody can say what became of the paper."""
        if what is None:
            self.fact = "empty"
            self.state = "empty"
        else:
            self._go("empty", what)
        self.number = self._empty_since = None

    def fresh(self, now: float) -> bool:
        """Whether a citizen may be about to take the paper."""
        lain = now - self._since
        return self.state == "presented" and self.number is not None and lain < min(self._left_s, TAKE_S)

    def due(self, now: float) -> bool:
        """Whether the paper has lain there for as long as it may."""
        if self._away_s is None or self.state not in ("presented", "left", "stuck"):
            return False
        return now - self._since >= (AGAIN_S if self.state == "stuck" else self._away_s)

    def retracting(self, now: float) -> None:
        """The printer was told to take it back (again, where it is stuck)."""
        if self.state != "stuck":
            self.state = "retracting"
        self._since, self._empty_since = now, None

    def _go(self, state: State, what: OutletState) -> None:
        self.state, self.fact = state, what
        if self.number is not None:
            self._tell(OutletEvent(what, self.number))
