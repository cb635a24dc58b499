"""The interface of every ticket printer."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from drivers.driver import Driver


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on a ticket, ready to print: `values` fill the layout template by name.

    `number` is e.g. "A005"; `qr` is ASCII (readers guess the encoding of anything else) or empty.
    """

    number: str
    values: dict[str, str] = field(default_factory=dict)
    qr: str = ""
    reprint: bool = False


@dataclass(frozen=True, slots=True)
class PrintResult:
    """What is known of a paper: out whole, certainly not out whole, or the printer did not say.

    `code` is a key of the text catalogue when the outcome is not "confirmed".
    """

    outcome: Literal["confirmed", "failed", "unknown"]
    code: str | None = None


class TicketPrinter(Driver):
    """Prints one ticket at a time."""

    kind: ClassVar[str] = "ticket_printer"

    @abstractmethod
    async def print_ticket(self, paper: Paper) -> PrintResult:
        """Print and find out what became of it. Never raises for a fault of the device; never guesses.

        "failed" is only answered when no whole ticket can have come out (refused before the first byte,
        or the printer itself said that it stopped); a line lost in the middle is "unknown".
        """

    @property
    @abstractmethod
    def can_print(self) -> bool:
        """Whether the newest status allows a ticket: open, paper in, cover shut, no fault."""
