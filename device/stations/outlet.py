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

    def fill(self, progress: TicketProgress) -> TicketProgress:
        """`progress` with what is known of its paper in the outlet."""
        number = progress.number
        if number is None:
            return progress
        if progress.stage == "printing":  # a paper of its own, also of a reprint
            self._state.pop(number, None)
        progress = msgspec.structs.replace(progress, outlet=self._state.get(number))
        _put(self._progress, number, progress)
        return progress

    def heard(self, event: OutletEvent) -> None:
        """The printer says what became of a paper."""
        _put(self._state, event.number, event.what)
        progress = self._progress.get(event.number)
        if progress is None:
            return
        if event.what == "retracted":
            logger.info("the ticket %s was not taken", event.number)
            if progress.ticket is not None:
                note = TicketPrinted(
                    ticket=progress.ticket, number=event.number, paper="confirmed", code=NOT_TAKEN
                )
                self._node.spawn(self._report(note), f"outlet {event.number}", to_the_end=True)
        if progress.stage != "printing":  # else the end of the printing tells it
            self._show(progress)

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
