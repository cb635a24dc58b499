"""The kiosk: from a tap to a paper, with the coordinator or without.

    tap → ticket_requested (on disk) → print_ticket → paper → ticket_printed
        → no answer in time, or the coordinator is away → number of the lease (burned) → paper →
          ticket_issued_offline

A tap gives one paper at most: a `print_ticket` that comes after the kiosk went on without it is answered as
failed, so that the coordinator voids its number. What cannot be printed is refused before a number is asked
for. After a paper whose fate is unknown the same number can be printed again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from device.database import StorageError, new_id
from device.dispatch import Handler
from device.profile import KioskStation
from device.stations.card import CardDesk
from device.stations.leases import Leases
from device.stations.paper import language_of, offline_event, paper_of
from device.stations.paper_desk import INTERRUPTED, TOO_LATE, PaperDesk
from device.stations.scan import ScanDesk
from device.stations.station import Node, Station
from drivers.card_reader.protocol import CardReader
from drivers.ticket_printer.protocol import TicketPrinter
from wire.messages import (
    Board,
    Catalogue,
    CatalogueService,
    CommandResult,
    DeviceState,
    GrantLease,
    Message,
    NodeCommand,
    PrintTicket,
    RefuseTicket,
    TicketPrinted,
    TicketRequested,
)
from wire.screen_link import (
    KioskState,
    LinkMessage,
    ReprintTicket,
    ScanWanted,
    TakeTicket,
    TicketProgress,
    ToAgent,
)

logger = logging.getLogger(__name__)

OPEN_REQUESTS: Final = 8
"""Citizens that can wait for one printer; further taps are refused."""
KEPT_REQUESTS: Final = 64
"""Requests whose progress is remembered, for a screen that says one again."""
FAULT: Final = "agent.fault"


class KioskStationRunner(Station):
    """One kiosk; a node has one at most."""

    def __init__(
        self,
        station: KioskStation,
        node: Node,
        printer: TicketPrinter,
        reader: CardReader | None,
        scanner: CardReader | None = None,
    ) -> None:
        super().__init__(station.id, node)
        self._station = station
        self._printer = printer
        self.scan = ScanDesk(node, scanner, station.match_key_file, self._show)
        self._desk = CardDesk(node, reader, self._show, self.scan.take) if reader is not None else None
        self.leases = Leases(node, station.lease_low, self._show_state)
        self._progress: dict[str, TicketProgress] = {}
        self._wishes: dict[str, TakeTicket] = {}
        self._answers: dict[str, asyncio.Future[bool]] = {}
        self._paper = PaperDesk(node, printer, self._go_on)

    @property
    def topics(self) -> list[tuple[str, dict[str, str]]]:
        return [("catalogue", {}), ("board", {})]

    @property
    def handlers(self) -> dict[type[Message], Handler]:
        return {
            PrintTicket: self._print_ticket,
            RefuseTicket: self._refuse_ticket,
            GrantLease: self.leases.grant,
        }

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.leases.run(), name=f"{self.id} leases")
            if self._desk is not None:
                tasks.create_task(self._desk.run(), name=f"{self.id} cards")
            tasks.create_task(self.scan.run(), name=f"{self.id} scanner")

    # ---------------------------------------------------------------- the screen

    def whole(self) -> list[LinkMessage]:
        card = self._desk.shown if self._desk is not None else None
        return [self._state(), *([card] if card is not None else [])]

    async def on_screen(self, message: ToAgent) -> None:
        if isinstance(message, TakeTicket):
            self.node.spawn(self._take(message), f"ticket {message.request}", to_the_end=True)
        elif isinstance(message, ReprintTicket):
            self.node.spawn(self._paper.reprint(message.ticket), f"reprint {message.ticket}", to_the_end=True)
        elif isinstance(message, ScanWanted):
            self.node.spawn(self.scan.watch(message.wanted), "scanner")

    def on_online(self, online: bool) -> None:
        self._show_state()
        if online:
            self.node.spawn(self.leases.look(), "leases")
        else:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_result(False)

    def on_device(self, state: DeviceState) -> None:
        if state.device == self._station.card_reader and state.health in ("missing", "fault") and self._desk:
            self._desk.forget()
        if state.device in (self._station.printer, self._station.card_reader, self._station.scanner):
            self._show_state()

    def on_catalogue(self, catalogue: Catalogue) -> None:
        self._show_state()
        self.node.spawn(self.leases.look(), "leases")

    def on_board(self, board: Board) -> None:
        self._show_state()

    def _state(self) -> KioskState:
        devices, reader, scanner = self.node.devices, self._station.card_reader, self._station.scanner
        return KioskState(
            online=self.node.link.online,
            catalogue=self.node.catalogue,
            board=self.node.board,
            printer=devices.get(self._station.printer),
            card_reader=devices.get(reader) if reader is not None else None,
            offline_numbers=self.leases.remaining,
            scanner=devices.get(scanner) if scanner is not None else None,
        )

    def _show(self, message: LinkMessage) -> None:
        self.node.show(self.id, message)

    def _show_state(self) -> None:
        self._show(self._state())

    def _go_on(self, progress: TicketProgress) -> None:
        self._progress[progress.request] = progress
        while len(self._progress) > KEPT_REQUESTS:
            oldest = next(iter(self._progress))
            del self._progress[oldest]
        self._show(progress)

    def _refuse(self, request: str, code: str) -> None:
        logger.warning("request %s refused: %s", request, code)
        self._go_on(TicketProgress(request=request, stage="refused", code=code))

    # ---------------------------------------------------------------- a tap

    async def _take(self, wish: TakeTicket) -> None:
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
            code = self._paper.cannot_print()
            if code is None and not await self._ask(wish):
                code = await self._issue(wish)
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

    async def _ask(self, wish: TakeTicket) -> bool:
        """Have the coordinator give the number; whether it took the request over."""
        if not self.node.link.online:
            return False
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._answers[wish.request] = answer
        try:
            await self.node.storage.add(
                TicketRequested(
                    request=wish.request,
                    service=wish.service,
                    priority=wish.priority,
                    language=wish.language,
                )
            )
            self._go_on(TicketProgress(request=wish.request, stage="requested"))
            await asyncio.wait([answer], timeout=self._station.online_wait_s)
            return answer.done() and answer.result()
        finally:
            del self._answers[wish.request]

    async def _issue(self, wish: TakeTicket) -> str | None:
        """Give a number of the lease; the reason when that is not possible."""
        service = self._service(wish.service)
        if service is None:
            return "ticket.service_unknown" if self.node.catalogue is not None else "kiosk.no_catalogue"
        if not service.open:
            return "ticket.service_closed"
        if not self.node.clock.trusted:
            return "kiosk.no_time"
        assert self.node.catalogue is not None
        day = self.node.clock.business_date()
        make = offline_event(self.node.catalogue, service, wish, day, self.node.clock.now(), new_id())
        ticket = await self.node.storage.burn(service.group, day, make)
        if ticket is None:
            return "kiosk.no_numbers"
        paper = paper_of(
            self.node.catalogue, ticket, ticket.service, ticket.priority, ticket.issued_at, wish.language
        )
        await self._paper.print(ticket, paper, wish.request, None, None)
        # Beside: whatever becomes of it, the paper is out.
        self.node.spawn(self.leases.look(), "leases")
        return None

    def _service(self, service: str) -> CatalogueService | None:
        services = self.node.catalogue.services if self.node.catalogue is not None else ()
        return next((s for s in services if s.service == service), None)

    # ---------------------------------------------------------------- commands

    async def _print_ticket(self, command: NodeCommand, body: Message) -> Message | None:
        assert isinstance(body, PrintTicket)
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
            await self._paper.print(begun, paper, request, body.waiting_ahead, command)
        except Exception as error:
            # Nothing was printed: a paper without a record would be a number that nobody knows.
            if request is not None:
                self._refuse(request, error.code if isinstance(error, StorageError) else FAULT)
            raise
        return None

    async def _refuse_ticket(self, command: NodeCommand, body: Message) -> Message | None:
        assert isinstance(body, RefuseTicket)
        answer = self._answers.get(body.request)
        if answer is None or answer.done():
            return CommandResult(command=command.id, outcome="done", code=TOO_LATE)
        answer.set_result(True)
        self._refuse(body.request, body.code)
        return CommandResult(command=command.id, outcome="done")
