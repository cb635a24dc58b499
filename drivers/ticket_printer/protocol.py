"""The interface of every ticket printer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from drivers.driver import Driver
from drivers.errors import ConfigError

OutletState = Literal["presented", "left", "taken", "retracted"]


@dataclass(frozen=True, slots=True)
class NoteLine:
    """A line of a note. `ticked`: before it stands a box that is ticked or not; None: no box."""

    text: str
    ticked: bool | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A list to take home that is no ticket, such as what to bring for a matter."""

    title: str
    lines: tuple[NoteLine, ...]
    hall: str = ""
    date: str = ""
    language: str = "zh-CN"


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on a ticket, ready to print: `values` fill the layout template by name.

    `number` is e.g. "A005"; `qr` is ASCII (readers guess the encoding of anything else) or empty. With a
    `note` it is no ticket: the note alone is printed, in its own layout.
    """

    number: str
    values: dict[str, str] = field(default_factory=dict)
    qr: str = ""
    reprint: bool = False
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class PrintResult:
    """What is known of a paper: out whole, certainly not out whole, or the printer did not say.

    `code` is a key of the text catalogue when the outcome is not "confirmed".
    """

    outcome: Literal["confirmed", "failed", "unknown"]
    code: str | None = None


@dataclass(frozen=True, slots=True)
class OutletEvent:
    """What became of the paper of `number` in the outlet of a printer that holds it until it is taken.

    "presented" comes first; then "left" when it has lain there for a while; at last "taken", or
    "retracted" when the printer took it back. The end may stay unsaid (power, another paper pushed it out).
    """

    what: OutletState
    number: str


class TicketPrinter(Driver):
    """Prints one ticket at a time.

    Health facts of those that know: `paper` (ok, low, out), `cover`, `cutter`, `paper_used_m`,
    `tickets_left`, and of those with an outlet `outlet` (empty or an OutletState) and `retracted` (papers).
    """

    kind: ClassVar[str] = "ticket_printer"

    def __init__(self) -> None:
        super().__init__()
        self.on_outlet: Callable[[OutletEvent], None] | None = None

    @classmethod
    def check(cls, config: Any) -> list[str]:
        """The layout template, the capability profile, and whether it prints as wide as `columns`."""
        from drivers.ticket_printer.escpos_ticket import too_wide
        from drivers.ticket_printer.layout_file import load_layout

        problems: list[str] = []
        try:
            load_layout(getattr(config, "layout", None))
        except ConfigError as error:
            problems += error.problems
        try:
            if problem := too_wide(getattr(config, "profile", "default"), getattr(config, "columns", 0)):
                problems.append(problem)
        except ConfigError as error:
            problems += error.problems
        return problems

    @abstractmethod
    async def print_ticket(self, paper: Paper) -> PrintResult:
        """Print and find out what became of it. Never raises for a fault of the device; never guesses.

        "failed" is only answered when no whole ticket can have come out (refused before the first byte,
        or the printer itself said that it stopped); a line lost in the middle is "unknown".
        """

    async def print_note(self, note: Note) -> PrintResult:
        """Print a note, proved like a ticket: one for the printer, with another layout and no number."""
        return await self.print_ticket(Paper("", note=note))

    @property
    @abstractmethod
    def can_print(self) -> bool:
        """Whether the newest status allows a ticket: open, paper in, cover shut, no fault."""

    async def roll_changed(self) -> None:
        """A new roll is in: paper is counted from here on. Nothing where paper is not counted."""
