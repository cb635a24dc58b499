"""The papers of a kiosk: each printed once, its outcome on disk, and the newest printed again when it may be.

A number that is shown on the screen instead (`paperless`) goes the same way.

A paper whose outcome is known is not printed again, except one that the printer took back.

What the screen that waits for a paper has to be told of it is on disk with the paper: after a kill in the
middle its wish is answered by what is known, and gives no second number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from device.database import StorageError
from device.stations.outlet import OutletDesk
from device.stations.paperless import Paperless
from device.stations.station import Node
from device.storage import PaperEvent
from drivers.errors import DriverError
from drivers.ticket_printer.protocol import Paper, PrintResult, TicketPrinter
from wire.messages import NodeCommand, TicketPrinted
from wire.screen_link import TicketProgress

logger = logging.getLogger(__name__)

RETRY_S: Final = 1.0
"""How soon the outcome of a paper that could not be stored is tried again."""
INTERRUPTED: Final = "ticket.interrupted"
TOO_LATE: Final = "ticket.too_late"


class _Printed(msgspec.Struct, frozen=True):
    """The newest paper, for printing it again."""

    event: PaperEvent
    paper: Paper
    told: TicketProgress


class _Note(msgspec.Struct, frozen=True):
    """Of the newest paper that a screen waits for, what a later process needs beside its outcome."""

    ticket: str
    paper: Paper
    told: TicketProgress


def note_of(event: PaperEvent, paper: Paper, told: TicketProgress) -> bytes:
    """To be stored with a paper when it is begun."""
    return msgspec.json.encode(_Note(event.ticket, paper, told))


class PaperDesk:
    """`show` gets the progress of a request as its paper goes on."""

    def __init__(self, node: Node, printer: TicketPrinter, show: Callable[[TicketProgress], None]) -> None:
        self.node = node
        self._printer = printer
        self._show = show
        self._printing = asyncio.Lock()
        self._last: _Printed | None = None
        self._outlet = OutletDesk(node, show)
        self.on_screen = Paperless(show)
        printer.on_outlet = self._outlet.heard

    async def take_up(self) -> TicketProgress | None:
        """What a screen that waited for the newest paper of an earlier process is to be told; None: none did.

        Raises StorageError.
        """
        if (kept := await self.node.storage.paper_note()) is None:
            return None
        try:
            note = msgspec.json.decode(kept, type=_Note)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            logger.error("the note of the newest paper is not readable: %s", error)
            return None
        event = await self.node.storage.outcome(note.ticket)
        if event is None:
            return None
        known = _known(event, note.paper)
        self._outlet.begun(known)
        if not note.told.paperless:
            self._last = _Printed(known, note.paper, note.told)
        return self._filled(known, note.told, _end(known))

    def cannot_print(self) -> str | None:
        """The reason why no number may be given now."""
        if self.node.storage.fault is not None:
            return self.node.storage.fault
        if self._printer.can_print:
            return None
        return self._printer.health.code or "kiosk.printer_away"

    async def print(
        self, begun: PaperEvent, paper: Paper, told: TicketProgress | None, command: NodeCommand | None
    ) -> None:
        """Print and report. `told`: the request's progress, filled here; None: no screen waits for it. With
        its `paperless` the number is shown in place of the paper.

        Raises StorageError when the paper could not be noted: nothing was printed.
        """
        paperless = told is not None and told.paperless
        async with self._printing:
            if command is not None and self.node.clock.expired(command.deadline):
                result = PrintResult("failed", TOO_LATE)
            else:
                # A number of the lease was noted when it was burned.
                if isinstance(begun, TicketPrinted):
                    note = note_of(begun, paper, told) if told is not None else None
                    await self.node.storage.begin_print(begun, command.id if command else None, note)
                self._outlet.begun(begun)
                if told is not None and paperless:
                    result = await self.on_screen.print(self._filled(begun, told, "printing"))
                else:
                    self._tell(begun, told, "printing")
                    result = await self._print_paper(paper)
        event = msgspec.structs.replace(begun, paper=result.outcome, code=result.code)
        known = _known(event, paper)
        if told is not None and not paperless:
            self._last = _Printed(known, paper, told)
        elif (last := self._last) is not None and last.event.ticket == begun.ticket:
            # printed again for the hall: whether the screen may do so, too, hangs on this paper
            self._last = msgspec.structs.replace(last, event=known)
        await self._store_outcome(event, command)
        self._tell(known, told, _end(known))
        if result.outcome != "confirmed":
            logger.warning("paper of %s: %s (%s)", begun.number, result.outcome, result.code)

    async def _print_paper(self, paper: Paper) -> PrintResult:
        try:
            return await self._printer.print_ticket(paper)
        except DriverError as error:
            return PrintResult("unknown", error.code)
        except Exception:
            # A driver's bug in the middle of a paper: nobody knows what came out.
            logger.exception("printing %s", paper.number)
            return PrintResult("unknown", DriverError.code)

    async def _store_outcome(self, event: PaperEvent, command: NodeCommand | None) -> None:
        while True:
            try:
                await self.node.storage.add(paper=event, command=command.id if command is not None else None)
                return
            except StorageError as error:
                logger.error("the outcome of %s waits for the storage: %s", event.number, error)
                await asyncio.sleep(RETRY_S)

    def _tell(self, event: PaperEvent, told: TicketProgress | None, stage: str) -> None:
        if told is not None:
            self._show(self._filled(event, told, stage))

    def _filled(self, event: PaperEvent, told: TicketProgress, stage: str) -> TicketProgress:
        ended = stage != "printing"
        return self._outlet.fill(
            msgspec.structs.replace(
                told,
                stage=stage,
                ticket=event.ticket,
                number=event.number,
                paper=event.paper if ended else None,
                code=event.code if ended else None,
                offline=not isinstance(event, TicketPrinted),
            )
        )

    async def reprint(self, ticket: str) -> None:
        """The citizen has no whole paper in hand: the same number once more."""
        last = self._last
        again = last is not None and (
            last.event.paper == "unknown" or self._outlet.retracted(last.event.number)
        )
        if last is None or last.event.ticket != ticket or not again:
            logger.warning("no reprint of %s: it is not the newest, or its paper is out", ticket)
            return
        self._last = None
        code = self.cannot_print()
        if code is None:
            begun = TicketPrinted(ticket=ticket, number=last.event.number, paper="unknown", code=INTERRUPTED)
            paper = Paper(last.paper.number, last.paper.values, last.paper.qr, reprint=True)
            try:
                await self.print(begun, paper, last.told, None)
                return
            except StorageError as error:
                code = error.code
        # Nothing was printed; unless another citizen's paper came meanwhile, it may be tried again.
        self._last = self._last or last
        event = msgspec.structs.replace(last.event, code=code)
        self._tell(event, last.told, "done")


def _known(event: PaperEvent, paper: Paper) -> PaperEvent:
    """`event` as it stands for the citizen."""
    if paper.reprint and event.paper == "failed":
        # Nothing new came out: the first paper is as doubtful as before, and may be printed again.
        return msgspec.structs.replace(event, paper="unknown")
    return event


def _end(event: PaperEvent) -> Literal["done", "failed"]:
    return "failed" if event.paper == "failed" else "done"
