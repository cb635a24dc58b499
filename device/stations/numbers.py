"""From a wish at the kiosk to a number: of the coordinator, or of the kiosk's lease.

    tap → ticket_requested (on disk) → print_ticket → paper → ticket_printed
        → no answer in time, or the coordinator is away → number of the lease (burned) → paper →
          ticket_issued_offline
    appointment → check_in (on disk) → print_ticket → paper → ticket_printed; only with the coordinator

A wish gives one paper at most: a `print_ticket` that comes after the kiosk went on without it is answered as
failed, so that the coordinator voids its number. What cannot be printed is refused before a number is asked
for, unless the citizen takes it from the screen (`paperless`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from device.database import StorageError, new_id
from device.profile import KioskStation
from device.stations.handles import Handles
from device.stations.leases import Leases
from device.stations.paper import language_of, offline_event, paper_of
from device.stations.paper_desk import INTERRUPTED, TOO_LATE, PaperDesk, note_of
from device.stations.scan import NO_KEY
from device.stations.station import Node
from drivers.ticket_printer.protocol import Paper, TicketPrinter
from wire.kiosk_messages import CheckIn
from wire.messages import (
    CatalogueService,
    CommandResult,
    Message,
    NodeCommand,
    PrintTicket,
    RefuseTicket,
    TicketIssuedOffline,
    TicketPrinted,
    TicketRequested,
)
from wire.proof import normalised
from wire.screen_link import TakeAppointment, TakeTicket, TicketProgress

logger = logging.getLogger(__name__)

OPEN_REQUESTS: Final = 8
"""Citizens that can wait for one printer; further taps are refused."""
KEPT_REQUESTS: Final = 64
"""Requests whose progress is remembered, for a screen that says one again."""
SHOWN_S: Final = 60.0
"""So long after its end the newest request is told to a screen that starts again."""
CHECK_IN_S: Final = 5.0
"""How long an appointment waits for the coordinator: no lease can take its place."""
FAULT: Final = "agent.fault"
OFFLINE: Final = "appointment.offline"
LAY_AGAIN: Final = "appointment.lay_again"
NO_APPOINTMENT: Final = "appointment.none"

Wish: TypeAlias = TakeTicket | TakeAppointment


class Numbers:
    """The wishes of one kiosk. `show` gives their progress to its screens."""

    def __init__(
        self,
        station: KioskStation,
        node: Node,
        printer: TicketPrinter,
        handles: Handles,
        leases: Leases,
        show: Callable[[TicketProgress], None],
    ) -> None:
        self.node = node
        self._station = station
        self._handles = handles
        self._leases = leases
        self._show = show
        self._progress: dict[str, TicketProgress] = {}
        self._newest: tuple[TicketProgress, float] | None = None
        self._wishes: dict[str, Wish] = {}
        self._answers: dict[str, asyncio.Future[bool]] = {}
        self._under_way: dict[str, asyncio.Event] = {}
        """Tickets that are being printed for a command."""
        self.paper = PaperDesk(node, printer, self._go_on)

    async def start(self) -> None:
        """Know the newest wish of an earlier process, which a screen may say again. Raises StorageError."""
        if (progress := await self.paper.take_up()) is not None:
            self._progress[progress.request] = progress

    def whole(self) -> list[TicketProgress]:
        """For a screen that has just come: the number that the newest citizen may not have in hand yet."""
        if self._newest is None:
            return []
        progress, at = self._newest
        in_hand = progress.paper == "confirmed" and not progress.paperless
        open_ = progress.stage == "printing" or (progress.stage == "done" and not in_hand)
        return [progress] if open_ and asyncio.get_running_loop().time() - at < SHOWN_S else []

    def coordinator_left(self) -> None:
        """Nobody waits any longer for an answer that will not come."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(False)

    def _go_on(self, progress: TicketProgress) -> None:
        self._progress[progress.request] = progress
        while len(self._progress) > KEPT_REQUESTS:
            oldest = next(iter(self._progress))
            del self._progress[oldest]
        self._newest = (progress, asyncio.get_running_loop().time())
        self._show(progress)

    def _refuse(self, request: str, code: str, facts: dict[str, str] | None = None) -> None:
        logger.warning("request %s refused: %s", request, code)
        self._go_on(TicketProgress(request=request, stage="refused", code=code, facts=facts or {}))

    # ---------------------------------------------------------------- a wish

    async def take(self, wish: Wish) -> None:
        """A citizen confirmed; said again, the progress is told again."""
        if (before := self._progress.get(wish.request)) is not None:
            self._show(before)
            return
        if wish.request in self._wishes:
            return
        if len(self._wishes) >= OPEN_REQUESTS:
            self._refuse(wish.request, "kiosk.busy")
            return
        self._wishes[wish.request] = wish
        try:
            code = self.paper.cannot_print()
            paperless = wish.paperless and code is not None and self.node.storage.fault is None
            # What the printer can print is printed, also for a screen that has not noticed yet.
            wish = self._wishes[wish.request] = msgspec.structs.replace(wish, paperless=paperless)
            if code is None or paperless:
                code = await (self._tap(wish) if isinstance(wish, TakeTicket) else self._check_in(wish))
            if code is not None:
                self._refuse(wish.request, code)
        except StorageError as error:
            self._refuse(wish.request, error.code)
        except Exception:
            # A bug: the citizen must not wait for a paper that does not come.
            self._refuse(wish.request, FAULT)
            raise
        finally:
            del self._wishes[wish.request]

    async def _tap(self, wish: TakeTicket) -> str | None:
        event = TicketRequested(
            request=wish.request,
            service=wish.service,
            priority=wish.priority,
            language=wish.language,
            paperless=wish.paperless,
            name=self._name(wish.card),
        )
        if await self._ask(wish.request, event, self._station.online_wait_s):
            return None
        return await self._issue(wish)

    async def _check_in(self, wish: TakeAppointment) -> str | None:
        """Have the coordinator find the appointment; the reason when that is not possible."""
        if not self.node.link.online:
            return OFFLINE
        if wish.handle is not None and not self._handles.known(wish.handle):
            return LAY_AGAIN
        if wish.handle is not None:
            proof = self._handles.proof(wish.handle)
        elif wish.code is not None and normalised(wish.code):
            proof = self._handles.typed(wish.code)
        else:
            return NO_APPOINTMENT
        if proof is None:
            return NO_KEY
        event = CheckIn(
            request=wish.request,
            proof=proof,
            language=wish.language,
            paperless=wish.paperless,
            name=self._name(wish.handle),
        )
        return None if await self._ask(wish.request, event, CHECK_IN_S) else OFFLINE

    def _name(self, handle: str | None) -> str | None:
        """The masked name on a card, where the hall calls by name."""
        catalogue = self.node.catalogue
        return self._handles.name(handle) if catalogue is not None and catalogue.call_by_name else None

    async def _ask(self, request: str, event: Message, wait_s: float) -> bool:
        """Have the coordinator give the number; whether it took the request over."""
        if not self.node.link.online:
            return False
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._answers[request] = answer
        try:
            await self.node.storage.add(event)
            self._go_on(TicketProgress(request=request, stage="requested"))
            await asyncio.wait([answer], timeout=wait_s)
            return answer.done() and answer.result()
        finally:
            del self._answers[request]

    async def _issue(self, wish: TakeTicket) -> str | None:
        """Give a number of the lease; the reason when that is not possible."""
        service = self._service(wish.service)
        if service is None:
            return "ticket.service_unknown" if self.node.catalogue is not None else "kiosk.no_catalogue"
        if not service.open:
            return "ticket.service_closed"
        if not self.node.clock.trusted:
            return "kiosk.no_time"
        catalogue = self.node.catalogue
        assert catalogue is not None
        day = self.node.clock.business_date()
        make = offline_event(catalogue, service, wish, day, self.node.clock.now(), new_id())
        told = TicketProgress(request=wish.request, stage="printing", paperless=wish.paperless)

        def paper(of: TicketIssuedOffline) -> Paper:
            return paper_of(catalogue, of, of.service, of.priority, of.issued_at, wish.language)

        ticket = await self.node.storage.burn(
            service.group, day, make, lambda burned: note_of(burned, paper(burned), told)
        )
        if ticket is None:
            return "kiosk.no_numbers"
        await self.paper.print(ticket, paper(ticket), told, None)
        # Beside: whatever becomes of it, the paper is out.
        self.node.spawn(self._leases.look(), "leases")
        return None

    def _service(self, service: str) -> CatalogueService | None:
        services = self.node.catalogue.services if self.node.catalogue is not None else ()
        return next((s for s in services if s.service == service), None)

    # ---------------------------------------------------------------- commands

    async def print_ticket(self, command: NodeCommand, body: Message) -> Message | None:
        """The handler of `print_ticket`."""
        assert isinstance(body, PrintTicket)
        while (other := self._under_way.get(body.ticket)) is not None:
            await other.wait()  # told by another command while it is being printed: what comes of it counts
        self._under_way[body.ticket] = ended = asyncio.Event()
        try:
            return await self._print(command, body)
        finally:
            del self._under_way[body.ticket]
            ended.set()

    async def _print(self, command: NodeCommand, body: PrintTicket) -> Message | None:
        before = await self.node.storage.outcome(body.ticket)
        if before is not None and not body.reprint:
            return TicketPrinted(ticket=body.ticket, number=body.number, paper=before.paper, code=before.code)
        request, wish = body.request, None
        if request is not None:
            answer, wish = self._answers.get(request), self._wishes.get(request)
            if answer is None or answer.done() or wish is None:
                logger.warning("number %s came too late for its request", body.number)
                return TicketPrinted(ticket=body.ticket, number=body.number, paper="failed", code=TOO_LATE)
            answer.set_result(True)
        begun = TicketPrinted(ticket=body.ticket, number=body.number, paper="unknown", code=INTERRUPTED)
        told = None
        if request is not None and wish is not None:
            told = TicketProgress(
                request=request,
                stage="printing",
                waiting_ahead=body.waiting_ahead,
                service=body.service if isinstance(wish, TakeAppointment) else None,
                paperless=body.paperless or wish.paperless,
            )
        try:
            paper = paper_of(
                self.node.catalogue,
                begun,
                body.service,
                body.priority,
                body.issued_at.astimezone(self.node.clock.now().tzinfo),
                language_of(wish),
                waiting=body.waiting_ahead,
                reprint=body.reprint,
            )
            await self.paper.print(begun, paper, told, command)
        except Exception as error:
            # Nothing was printed: a paper without a record would be a number that nobody knows.
            if request is not None:
                self._refuse(request, error.code if isinstance(error, StorageError) else FAULT)
            raise
        return None

    async def refuse_ticket(self, command: NodeCommand, body: Message) -> Message | None:
        """The handler of `refuse_ticket`."""
        assert isinstance(body, RefuseTicket)
        answer = self._answers.get(body.request)
        if answer is None or answer.done():
            return CommandResult(command=command.id, outcome="done", code=TOO_LATE)
        answer.set_result(True)
        self._refuse(body.request, body.code, body.facts)
        return CommandResult(command=command.id, outcome="done")
