"""A kiosk's paper that waits in the printer's outlet: what the screen shows of it, and what the hall hears.

The number is given when the paper is out, whoever takes it; see docs/decisions/0030. A paper that the printer
took back is in its bin: the same number may be printed again for a citizen who comes back, and the hall's
journal gets a `ticket_printed` with the code `ticket.not_taken`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from device.stations.station import Node
from device.storage import PaperEvent
from drivers.ticket_printer.protocol import OutletEvent, OutletState
from wire.messages import TicketPrinted
from wire.screen_link import TicketProgress

logger = logging.getLogger(__name__)

T = TypeVar("T")

NOT_TAKEN: Final = "ticket.not_taken"
KEPT: Final = 8
"""Papers that are remembered; one lies in the outlet at a time."""


class OutletDesk:
    """`show` gets the progress of a request anew whenever its paper moved."""

    def __init__(self, node: Node, show: Callable[[TicketProgress], None]) -> None:
        self._node = node
        self._show = show
        self._state: dict[str, OutletState] = {}
        self._progress: dict[str, TicketProgress] = {}
        self._tickets: dict[str, str] = {}
        """By number, also of papers that no screen asked for."""

    def begun(self, event: PaperEvent) -> None:
        """A paper of its own is being printed, also a reprint: nothing is known of it."""
        self._state.pop(event.number, None)
        _put(self._tickets, event.number, event.ticket)

    def fill(self, progress: TicketProgress) -> TicketProgress:
        """`progress` with what is known of its paper in the outlet."""
        number = progress.number
        if number is None:
            return progress
        progress = msgspec.structs.replace(progress, outlet=self._state.get(number))
        _put(self._progress, number, progress)
        return progress

    def heard(self, event: OutletEvent) -> None:
        """The printer says what became of a paper."""
        _put(self._state, event.number, event.what)
        ticket, progress = self._tickets.get(event.number), self._progress.get(event.number)
        if event.what == "retracted" and ticket is not None:
            logger.info("the ticket %s was not taken", event.number)
            note = TicketPrinted(ticket=ticket, number=event.number, paper="confirmed", code=NOT_TAKEN)
            self._node.spawn(self._report(note), f"outlet {event.number}", to_the_end=True)
        # while it is printed the end of the printing tells it
        if progress is not None and progress.ticket == ticket and progress.stage != "printing":
            self._show(self.fill(progress))

    def retracted(self, number: str) -> bool:
        """Whether the newest paper of a number lies in the printer's bin."""
        return self._state.get(number) == "retracted"

    async def _report(self, note: TicketPrinted) -> None:
        await self._node.report(note)


def _put(kept: dict[str, T], number: str, value: T) -> None:
    kept.pop(number, None)
    kept[number] = value
    if len(kept) > KEPT:
        del kept[next(iter(kept))]
