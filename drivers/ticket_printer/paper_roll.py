"""How much of a paper roll is left, by the length of what was printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.driver import Fact

LOW_TICKETS: Final = 50
"""Tickets left on a roll when it is reported as low."""
_FEW: Final = 100
"""More tickets left than this are told in round figures, so that not every ticket is news."""
_ROUND: Final = 25
_WEIGHT: Final = 1 / 16
"""Of the newest ticket in the usual length of a ticket."""


@dataclass(slots=True)
class PaperRoll:
    """`roll_m`: paper on a full roll in metres, None: not known. `used_mm` since the roll was changed;
    `ticket_mm`: the usual length of a ticket, 0 before the first."""

    roll_m: float | None = None
    used_mm: float = 0.0
    ticket_mm: float = 0.0

    def printed(self, mm: float, *, ticket: bool = True) -> None:
        """So much paper went out. `ticket` False: a slip, which says nothing of the next tickets."""
        self.used_mm += mm
        if ticket:
            self.ticket_mm += (mm - self.ticket_mm) * (_WEIGHT if self.ticket_mm else 1.0)

    def changed(self) -> None:
        """A full roll is in."""
        self.used_mm = 0.0

    @property
    def left(self) -> int | None:
        """Whole tickets that the rest of the roll is enough for; None when it cannot be told."""
        if self.roll_m is None or not self.ticket_mm:
            return None
        return max(0, int((self.roll_m * 1000 - self.used_mm) / self.ticket_mm))

    @property
    def low(self) -> bool:
        return self.left is not None and self.left <= LOW_TICKETS

    @property
    def facts(self) -> dict[str, Fact]:
        """`paper_used_m` and `tickets_left`, where the roll's length is known."""
        left = self.left
        if self.roll_m is None or left is None:
            return {}
        told = left if left <= _FEW else left - left % _ROUND
        return {"paper_used_m": round(self.used_mm / 1000), "tickets_left": told}
