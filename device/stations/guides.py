"""The guides (办事指南) of a kiosk: which there are, one whole, and what to bring for it on paper.

All of them are kept in memory as the broker gives them at each connection; what is not in the list is old.
A list of materials is no ticket: it is printed once per request, and nothing of it is on disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from device.stations.station import Node
from drivers.errors import DriverError
from drivers.ticket_printer.protocol import Note, NoteLine, PrintResult, TicketPrinter
from wire.messages import Message
from wire.screen_link import AskGuide, GuidePrinted, GuideShown, GuidesShown, LinkMessage, PrintGuide
from wire.shown import Guide, GuideList, GuideMaterial
from wire.texts import local, text

logger = logging.getLogger(__name__)

GUIDES: Final = 500
"""Guides that are kept; of further ones the names are not shown."""
KEPT_REQUESTS: Final = 16
"""Requests whose paper is remembered, for a screen that says one again."""
GONE: Final = "guide.gone"


class GuideDesk:
    """`show` gives the answers to the screens of the kiosk."""

    topics: Final = [("guides", dict[str, str]()), ("guide", dict[str, str]())]

    def __init__(self, node: Node, printer: TicketPrinter, show: Callable[[LinkMessage], None]) -> None:
        self._node = node
        self._printer = printer
        self._show = show
        self._list: GuideList | None = None
        self._guides: dict[str, Guide] = {}
        self._printed: dict[str, GuidePrinted | None] = {}
        """By request; None: it is being printed."""

    # ---------------------------------------------------------------- from the hall

    def on_retained(self, message: Message) -> None:
        """Anything but guides is ignored."""
        if isinstance(message, Guide):
            # Guides come before the list or after it: kept until a list says that they are old.
            if message.guide in self._guides or len(self._guides) < GUIDES:
                self._guides[message.guide] = message
            else:
                logger.warning("guide %s: there are %d already", message.guide, GUIDES)
        elif isinstance(message, GuideList):
            known = self._list
            if known is not None and (message.epoch, message.rev) <= (known.epoch, known.rev):
                return
            self._list = message
            listed = self._listed()
            self._guides = {id: guide for id, guide in self._guides.items() if id in listed}
            self._show(self.shown())

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
