"""The guides (办事指南) of a kiosk: which there are, one whole, and what to bring for it on paper.

All of them are in memory as the broker gives them at each connection, and on disk for a start without it.
What is not in the list is old. A list of materials is no ticket: it is printed once per request, and nothing
of it is on disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from device.stations.station import Newest, Node
from drivers.errors import DriverError
from drivers.ticket_printer.protocol import Note, NoteLine, PrintResult, TicketPrinter
from wire.messages import Message
from wire.screen_link import AskGuide, GuidePrinted, GuideShown, GuidesShown, LinkMessage, PrintGuide
from wire.shown import Guide, GuideList, GuideMaterial
from wire.texts import local, text

logger = logging.getLogger(__name__)

GUIDES: Final = 500
"""Guides that are kept; of further ones the names are not shown."""
KEPT_BYTES: Final = 8 * 1024 * 1024
"""Of all guides on disk; more are not there after a start without the hall."""
KEEP_S: Final = 20.0
"""Guides come one by one: so long after a change they are written down together."""
KEY: Final = "guides"
OPEN_REQUESTS: Final = 2
"""Lists that wait for the printer; further ones are refused, for numbers have to be printed as well."""
KEPT_REQUESTS: Final = 16
"""Requests whose paper is remembered, for a screen that says one again."""
GONE: Final = "guide.gone"
BUSY: Final = "kiosk.busy"


class _Kept(msgspec.Struct):
    list: GuideList
    guides: tuple[Guide, ...]


class GuideDesk:
    """`show` gives the answers to the screens of the kiosk."""

    topics: Final = [("guides", dict[str, str]()), ("guide", dict[str, str]())]

    def __init__(self, node: Node, printer: TicketPrinter, show: Callable[[LinkMessage], None]) -> None:
        self._node = node
        self._printer = printer
        self._show = show
        self._list: GuideList | None = None
        self._newest = Newest()
        self._guides: dict[str, Guide] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._printed: dict[str, GuidePrinted | None] = {}
        """By request; None: it is being printed."""

    # ---------------------------------------------------------------- from the hall

    async def start(self) -> None:
        """Take up the guides of an earlier process. Raises StorageError."""
        if (kept := await self._node.storage.kept(KEY)) is None:
            return
        try:
            found = msgspec.json.decode(kept, type=_Kept)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            logger.error("the kept guides are not readable: %s", error)
            return
        self._list = found.list
        self._guides = {guide.guide: guide for guide in found.guides}

    def on_retained(self, message: Message) -> None:
        """Anything but guides is ignored."""
        if isinstance(message, Guide):
            # Guides come before the list or after it: kept until a list says that they are old.
            if message.guide in self._guides or len(self._guides) < GUIDES:
                if self._guides.get(message.guide) != message:
                    self._guides[message.guide] = message
                    self._keep_soon()
            else:
                logger.warning("guide %s: there are %d already", message.guide, GUIDES)
        elif isinstance(message, GuideList):
            if not self._newest.newer(message.epoch, message.rev) or message == self._list:
                return
            self._list = message
            self._keep_soon()
            listed = self._listed()
            self._guides = {id: guide for id, guide in self._guides.items() if id in listed}
            self._show(self.shown())

    def _keep_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(KEEP_S, self._keep)

    def _keep(self) -> None:
        self._timer = None
        if self._list is None:
            return
        kept = msgspec.json.encode(_Kept(self._list, tuple(self._guides.values())))
        if len(kept) <= KEPT_BYTES:
            self._node.spawn(self._node.storage.keep(KEY, kept), "keeping the guides")
        else:
            logger.warning("the guides are not kept: %d bytes, at most %d", len(kept), KEPT_BYTES)

    def shown(self) -> GuidesShown:
        """The names."""
        return GuidesShown(guides=self._list.guides[:GUIDES] if self._list is not None else ())

    def _listed(self) -> set[str]:
        return {title.guide for title in self.shown().guides}

    def _guide(self, id: str) -> Guide | None:
        return self._guides.get(id) if id in self._listed() else None

    # ---------------------------------------------------------------- from the screen

    def ask(self, asked: AskGuide) -> None:
        self._show(GuideShown(guide=self._guide(asked.guide)))

    async def print(self, wish: PrintGuide) -> None:
        """Print what to bring; a request that is said again is told again."""
        if wish.request in self._printed:
            if (before := self._printed[wish.request]) is not None:
                self._show(before)
            return
        if sum(printed is None for printed in self._printed.values()) >= OPEN_REQUESTS:
            self._show(GuidePrinted(request=wish.request, paper="failed", code=BUSY))
            return
        self._printed[wish.request] = None
        while len(self._printed) > KEPT_REQUESTS:
            del self._printed[next(iter(self._printed))]
        result = await self._print(wish)
        printed = GuidePrinted(request=wish.request, paper=result.outcome, code=result.code)
        if wish.request in self._printed:
            self._printed[wish.request] = printed
        self._show(printed)

    async def _print(self, wish: PrintGuide) -> PrintResult:
        guide = self._guide(wish.guide)
        if guide is None:
            return PrintResult("failed", GONE)
        if not self._printer.can_print:
            return PrintResult("failed", self._printer.health.code or "kiosk.printer_away")
        try:
            return await self._printer.print_note(self._note(guide, wish))
        except DriverError as error:
            return PrintResult("unknown", error.code)
        except Exception:
            # A bug: the citizen must not wait for a paper that does not come.
            logger.exception("printing the guide %s", wish.guide)
            return PrintResult("unknown", DriverError.code)

    def _note(self, guide: Guide, wish: PrintGuide) -> Note:
        language, clock, catalogue = wish.language, self._node.clock, self._node.catalogue
        materials = tuple(
            NoteLine(_material(material, language), ticked=number in wish.have)
            for number, material in enumerate(guide.materials)
        )
        further = (("time_limit", guide.time_limit), ("fee", guide.fee), ("phone", {"": guide.phone}))
        return Note(
            title=local(guide.name, language),
            lines=materials
            + tuple(
                NoteLine(text(f"guide.{name}", language, said=local(said, language)))
                for name, said in further
                if local(said, language)
            ),
            hall=local(catalogue.hall_name, language) if catalogue is not None else "",
            date=f"{clock.now():%Y-%m-%d}" if clock.trusted else "",
            language=language,
        )


def _material(material: GuideMaterial, language: str) -> str:
    """ "居民身份证（原件，复印件 2 份） 正反面": a line of the list."""
    kinds = [text("guide.original", language)] if material.original else []
    kinds += [text("guide.copies", language, count=material.copies)] if material.copies else []
    said = local(material.name, language)
    if kinds:
        said = text("guide.material", language, name=said, kinds=text("guide.and", language).join(kinds))
    return f"{said} {local(material.note, language)}".strip()
