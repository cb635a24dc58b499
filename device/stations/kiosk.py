"""The kiosk: numbers and check-ins (`numbers`), cards and codes, guides, enquiries, help, and guidance for
people who do not see the screen. What each promises stands in its module; here they are put together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from device.dispatch import Handler
from device.profile import KioskStation
from device.stations.card import CardDesk
from device.stations.enquiries import EnquiryDesk
from device.stations.guidance import Guidance
from device.stations.guides import GuideDesk
from device.stations.handles import Handles
from device.stations.help import HelpDesk
from device.stations.leases import Leases
from device.stations.lights import StationLight
from device.stations.numbers import Numbers
from device.stations.playlist import StationPlaylist
from device.stations.scan import ScanDesk
from device.stations.station import Node, Station
from drivers.card_reader.protocol import CardReader
from drivers.ticket_printer.protocol import TicketPrinter
from wire.kiosk_messages import HelpAnswered, TicketFound
from wire.messages import Board, Catalogue, DeviceState, GrantLease, Message, PrintTicket, RefuseTicket
from wire.screen_link import (
    AskGuide,
    AskHelp,
    AskTicket,
    KioskState,
    LinkMessage,
    NumberSeen,
    PrintGuide,
    ReprintTicket,
    ScanWanted,
    Speak,
    TakeAppointment,
    TakeTicket,
    ToAgent,
)

if TYPE_CHECKING:
    from drivers.keypad.protocol import Keypad
    from drivers.light.protocol import Light
    from drivers.voice.protocol import Voice

logger = logging.getLogger(__name__)


class KioskStationRunner(Station):
    """One kiosk; a node has one at most."""

    def __init__(
        self,
        station: KioskStation,
        node: Node,
        printer: TicketPrinter,
        reader: CardReader | None,
        scanner: CardReader | None = None,
        voice: Voice | None = None,
        pad: Keypad | None = None,
        light: Light | None = None,
    ) -> None:
        super().__init__(station.id, node)
        self._station = station
        self.handles = Handles(station.match_key_file)
        self._scan = ScanDesk(node, scanner, self.handles, self._show)
        self._card = (
            CardDesk(node, reader, self.handles, self._show, self._scan.take) if reader is not None else None
        )
        self.leases = Leases(node, station.lease_low, self._show_state)
        self.numbers = Numbers(station, node, printer, self.handles, self.leases, self._show)
        self._enquiries = EnquiryDesk(node, self._show)
        self._guides = GuideDesk(node, printer, self._show)
        self._playlist = StationPlaylist(node, station.id, "kiosk")
        self._light = StationLight(node, station.light, light, 0)
        self._help = HelpDesk(node, station.id, self._light, self._show_state)
        self._guidance = Guidance(
            node,
            station.id,
            voice,
            station.voice,
            pad,
            lambda: self._do(self._help.ask(True), "help key", to_the_end=True),
        )

    @property
    def topics(self) -> list[tuple[str, dict[str, str]]]:
        return [("catalogue", {}), ("board", {}), *self._guides.topics, self._playlist.topic]

    @property
    def handlers(self) -> dict[type[Message], Handler]:
        return {
            PrintTicket: self.numbers.print_ticket,
            RefuseTicket: self.numbers.refuse_ticket,
            GrantLease: self.leases.grant,
            TicketFound: self._enquiries.found,
            HelpAnswered: self._help.answered,
        }

    async def start(self) -> None:
        await self.numbers.start()
        await self._playlist.start()
        await self._guides.start()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.leases.run(), name=f"{self.id} leases")
            if self._card is not None:
                tasks.create_task(self._card.run(), name=f"{self.id} cards")
            tasks.create_task(self._scan.run(), name=f"{self.id} scanner")
            tasks.create_task(self._guidance.run(), name=f"{self.id} key pad")

    # ---------------------------------------------------------------- the screen

    def whole(self) -> list[LinkMessage]:
        card = self._card.shown if self._card is not None else None
        return [
            self._state(),
            self._guides.shown(),
            self._playlist.shown(),
            *([card] if card is not None else []),
            *self.numbers.whole(),
        ]

    async def on_screen(self, message: ToAgent) -> None:
        match message:
            case TakeTicket() | TakeAppointment():
                self._do(self.numbers.take(message), f"ticket {message.request}", to_the_end=True)
            case NumberSeen():
                self.numbers.paper.on_screen.seen(message.request)
            case ReprintTicket():
                again = self.numbers.paper.reprint(message.ticket)
                self._do(again, f"reprint {message.ticket}", to_the_end=True)
            case ScanWanted():
                self._do(self._scan.watch(message.wanted), "scanner")
            case AskTicket():
                self._do(self._enquiries.ask(message), f"enquiry {message.request}")
            case AskHelp():
                self._do(self._help.ask(message.wanted), "help key", to_the_end=True)
            case AskGuide():
                self._guides.ask(message)
            case PrintGuide():
                self._do(self._guides.print(message), f"guide {message.request}", to_the_end=True)
            case Speak():
                self._do(self._guidance.speak(message), "guidance")

    def _do(self, work: Coroutine[Any, Any, None], name: str, *, to_the_end: bool = False) -> None:
        self.node.spawn(work, name, to_the_end=to_the_end)

    # ---------------------------------------------------------------- the hall and the devices

    def on_online(self, online: bool) -> None:
        self._show_state()
        if online:
            self._do(self.leases.look(), "leases")
        else:
            self.numbers.coordinator_left()
            self._enquiries.coordinator_left()

    def on_device(self, state: DeviceState) -> None:
        station = self._station
        if state.device == station.card_reader and state.health in ("missing", "fault") and self._card:
            self._card.forget()
        self._light.on_device(state)
        if state.device in (station.printer, station.card_reader, station.scanner, station.voice):
            self._show_state()

    def on_catalogue(self, catalogue: Catalogue) -> None:
        self._show_state()
        self._do(self.leases.look(), "leases")

    def on_board(self, board: Board) -> None:
        self._show_state()

    def on_retained(self, name: str, message: Message, ids: dict[str, str]) -> None:
        self._guides.on_retained(message)
        self._playlist.on_retained(message)

    def on_pictures(self) -> None:
        self._playlist.on_pictures()

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
            voice=self._guidance.can_speak,
            help=self._help.state,
            business_date=self.node.clock.business_date(),
        )

    def _show(self, message: LinkMessage) -> None:
        self.node.show(self.id, message)

    def _show_state(self) -> None:
        self._show(self._state())
