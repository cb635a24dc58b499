"""How much of a paper roll is left, by the length of what was printed; and when it was changed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from drivers.driver import Driver, Fact

logger = logging.getLogger(__name__)

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


class KeptRoll:
    """The roll in a printer, kept across processes by its driver."""

    def __init__(self, roll_m: float | None, driver: Driver) -> None:
        self.roll = PaperRoll(roll_m)
        self._driver = driver
        self._was_open = True
        """The cover was open since paper was last looked at; anyone may open it while we are away."""

    def recall(self) -> None:
        """What was counted in earlier processes; before the first look at the printer."""
        kept = self._driver.kept
        used, ticket = kept.get("roll_used_mm"), kept.get("ticket_mm")
        if isinstance(used, int | float) and isinstance(ticket, int | float):
            self.roll.used_mm, self.roll.ticket_mm = float(used), float(ticket)
        self._was_open = True

    def printed(self, mm: float, *, ticket: bool = True) -> None:
        """See `PaperRoll.printed`."""
        self.roll.printed(mm, ticket=ticket)
        self._keep()

    def changed(self) -> None:
        """A full roll is in."""
        self.roll.changed()
        self._keep()

    def seen(self, *, cover_open: bool, out: bool, low: bool) -> None:
        """A new roll: paper was out and is in; or it was low, the cover was open, and it is low no more.

        Under an open cover the paper is off its sensor: "out" means nothing then.
        """
        keep, kept = self._driver.keep, self._driver.kept
        self._was_open = self._was_open or cover_open
        if out or cover_open:
            keep("paper_out", (out and not cover_open) or kept.get("paper_out") is True)
            return
        more = kept.get("paper_low") is True and not low
        if kept.get("paper_out") is True or (more and self._was_open):
            logger.info("a new roll, after %.0f m", self.roll.used_mm / 1000)
            self.changed()
        self._was_open = False
        keep("paper_out", False)
        keep("paper_low", low)

    def _keep(self) -> None:
        self._driver.keep("roll_used_mm", round(self.roll.used_mm))
        self._driver.keep("ticket_mm", round(self.roll.ticket_mm, 1))
