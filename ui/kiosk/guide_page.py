"""One guide: who can apply, what to bring (to be ticked), the steps, time and fee, law and phone.

Where there is room the sections are tabs above what they hold; else the guide opens as a page of large keys,
one for each section. What a section holds is parted into pages, never dragged.
"""

from __future__ import annotations

from dataclasses import replace
from math import fsum
from typing import TYPE_CHECKING, Final

from ui.elements import Art, Box, Element, Gap, Text, column, grid, growing, row
from ui.kiosk.guide_print import GuidePrintStep
from ui.kiosk.guide_sections import SECTIONS, content, sections_of
from ui.kiosk.pager import Pager, parted
from ui.kiosk.parts import BESIDE, GAP, listed, service_tile, shares, told
from ui.kiosk.services import halves, has_printer, offer, service_of
from ui.kiosk.step import Room, Step
from ui.widgets import button
from wire.screen_link import AskGuide, GuideShown, KioskState, LinkMessage

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk
    from wire.messages import CatalogueService
    from wire.shown import Guide

ROOM_FOR_TABS: Final = 32.0
"""Units of height, at usual type, that tabs must leave for what they hold; twice that where the page is
upright, and its keys stand in two rows."""


class GuideStep(Step):
    """`have`: positions of the materials that were ticked; forgotten with the step."""

    idle_s = 90.0
    to_number = False

    def __init__(self, guide: str) -> None:
        self.id = guide
        self.guide: Guide | None = None
        self.gone = False
        self.section: str | None = None
        self.have: set[int] = set()
        self._pager = Pager()
        self._tabbed = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"guide-{self.section}" if self.section is not None else "guide"

    def entered(self, kiosk: Kiosk, now: float) -> None:
        if self.guide is None:
            kiosk.say(AskGuide(guide=self.id))

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        if isinstance(message, GuideShown):
            if message.guide is None:
                self.guide, self.gone = None, True
            elif message.guide.guide == self.id:
                self._hold(message.guide)
            return True
        if isinstance(message, KioskState) and self.guide is None and not self.gone:
            kiosk.say(AskGuide(guide=self.id))  # the agent has come back, the answer was lost with it
        return False

    def _hold(self, guide: Guide) -> None:
        if self.guide is not None and self.guide.materials != guide.materials:
            self.have.clear()  # it was changed meanwhile: other things may stand at these positions
        self.guide, self.gone = guide, False
        if self.section not in sections_of(guide):
            self.section = None

    # ---------------------------------------------------------------- what is shown

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        guide = self.guide
        if guide is None:
            return told(room, "search" if self.gone else "clock", *halves(self.speech(kiosk)))
        sections = sections_of(guide)
        if not sections and not self._services(kiosk):
            return told(room, "info", kiosk.text("kiosk_guide.not_said"), "")
        section = self.section or (sections[0] if sections else None)
        head = self._tabbed_head(kiosk, room, guide, sections, section)
        self._tabbed = bool(head)
        if section is None or (self.section is None and not head):
            return self._menu(kiosk, room, guide, sections)
        if head and section == "materials":
            head.append(row(*self._count(kiosk, guide), gap=1.6, align="center"))
        if not head:
            head = [self._plain_head(kiosk, room, guide, section)]
        return self._section(kiosk, room, guide, section, head)

    def _tabbed_head(
        self, kiosk: Kiosk, room: Room, guide: Guide, sections: tuple[str, ...], section: str | None
    ) -> list[Element]:
        """The guide's name and the tabs; nothing where they would leave too little below them."""
        if section is None or room.small:
            return []
        size = "large" if room.high > room.wide else "body"
        name = Text(kiosk.local(guide.name), size, strong=True)
        head: list[Element] = [name, self._tabs(kiosk, room, sections, section)]
        left = room.high - 2 * room.target - fsum(room.height_of(one) + GAP for one in head)
        return head if left >= ROOM_FOR_TABS * room.scale * (2 if room.tall else 1) else []

    def _plain_head(self, kiosk: Kiosk, room: Room, guide: Guide, section: str) -> Element:
        """What the page is about: the section, and the guide's name; in one line but on an upright page."""
        title = Text(kiosk.text(f"kiosk_guide.{section}"), "body", "accent", strong=True)
        name = Text(kiosk.local(guide.name), "small", "soft", grow=1.0)
        count = self._count(kiosk, guide) if section == "materials" else []
        if room.tall and room.scale == 1.0:
            lines = (replace(title, size="title"), replace(name, size="body", grow=0.0))
            return column(*lines, *([row(*count, gap=1.6, align="center")] if count else []), gap=1.0)
        beside = row(title, *(count or [name]), gap=2.5, align="center")
        if room.height_of(beside) <= 1.6 * room.height_of(title):
            return beside
        return row(title, Gap(grow=1.0), *count[1:], gap=2.5, align="center") if count else title

    def _section(self, kiosk: Kiosk, room: Room, guide: Guide, section: str, head: list[Element]) -> Element:
        """Head, one part of the content, and below it the pager's keys and what can be done."""
        tops = [(element, room.height_of(element)) for element in head]
        high = room.high - fsum(needs + GAP for _, needs in tops) - GAP
        actions = self._actions(kiosk, room, guide, section)
        key = max(room.target + 0.6, (7.5 if room.small else 9.0) * min(room.scale, 1.3))
        in_one = room.wide >= BESIDE  # pager and actions in one row
        one_row, two_rows = high - key - GAP, high - 2 * (key + GAP)
        least = one_row if in_one or not actions else two_rows
        rows = content(kiosk, guide, section, self.have, room, least)
        parts = parted(rows, room, one_row if actions else high, GAP)
        if len(parts) > 1:
            parts = parted(rows, room, least, GAP)
        shown = parts[self._pager.of(len(parts))]
        below: list[tuple[Element, float]] = []
        paging = [growing(self._pager.keys(kiosk, room), 1.6)] if len(parts) > 1 else []
        if in_one and actions:
            below = [(row(*(paging or [Gap(grow=0.6)]), *actions, gap=GAP), key)]
        else:
            below = [(row(*keys, gap=GAP), key) for keys in (paging, actions) if keys]
        inner = high - fsum(needs + GAP for _, needs in below)
        return shares(*tops, (column(*shown, gap=GAP), inner), *below)

    def _menu(self, kiosk: Kiosk, room: Room, guide: Guide, sections: tuple[str, ...]) -> Element:
        """The sections as keys; with them what else can be done with the guide."""
        keys = [
            button(kiosk.text(f"kiosk_guide.{section}"), f"section:{section}", icon=SECTIONS[section])
            for section in sections
        ]
        cells = [*keys, *self._actions(kiosk, room, guide, None)]
        return listed(kiosk, room, kiosk.local(guide.name), cells, self._pager, size="body")

    def _tabs(self, kiosk: Kiosk, room: Room, sections: tuple[str, ...], section: str) -> Element:
        tabs = [
            button(
                kiosk.text(f"kiosk_guide.{one}"),
                f"section:{one}",
                size="body",
                kind="main" if one == section else "plain",
            )
            for one in sections
        ]
        columns = min(len(tabs), 3 if room.wide < BESIDE else 5)
        return grid(tabs, columns, gap=GAP)

    def _count(self, kiosk: Kiosk, guide: Guide) -> list[Element]:
        """What to do with the boxes, and how many are left."""
        left = len(guide.materials) - len(self.have)
        words = kiosk.text("kiosk_guide.left", count=left) if left else kiosk.text("kiosk_guide.complete")
        return [
            Text(kiosk.text("kiosk_guide.tick"), "small", "soft", grow=1.0),
            *(() if left else (Art("tick", 4.0, 4.0, "good"),)),
            Text(words, "body", "ink" if left else "good", strong=True),
        ]

    def _actions(self, kiosk: Kiosk, room: Room, guide: Guide, section: str | None) -> list[Box]:
        """Print and take a number, where this terminal can; without tabs each where it belongs."""
        size = "body" if room.small and section is not None else "large"
        actions = []
        prints = guide.materials and has_printer(kiosk)
        if prints and (self._tabbed or section == "materials"):
            words = kiosk.text("kiosk_guide.print")
            actions.append(button(words, "print", icon="paper", grow=1.0, size=size))
        if self._services(kiosk) and (self._tabbed or section is None):
            actions.append(button(kiosk.text("kiosk_guide.take"), "take", kind="main", grow=1.0, size=size))
        return actions

    def _services(self, kiosk: Kiosk) -> tuple[CatalogueService, ...]:
        """Services of this guide for which a number can be asked for here: none without a printer."""
        if self.guide is None or not has_printer(kiosk):
            return ()
        found = (service_of(kiosk, service) for service in self.guide.services)
        return tuple(service for service in found if service is not None)

    # ---------------------------------------------------------------- what is touched

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if self.guide is None:
            return
        if action.startswith("section:"):
            section = action.removeprefix("section:")
            if section in sections_of(self.guide):
                self.section = section
                self._pager.first()
        elif action.startswith("have:"):
            self.have ^= {int(action.removeprefix("have:"))}
        elif action == "print" and has_printer(kiosk):
            kiosk.go(GuidePrintStep(self.id, tuple(sorted(self.have))), now)
        elif action == "take":
            self._take_number(kiosk, now)
        elif action.startswith("read:"):
            kiosk.guidance.again(kiosk)
        else:
            self._pager.touched(action)

    def _take_number(self, kiosk: Kiosk, now: float) -> None:
        services = tuple(service.service for service in self._services(kiosk))
        if len(services) == 1:
            _confirm(kiosk, services[0], now)
        elif services:
            kiosk.go(GuideServicesStep(services), now)

    def back(self, kiosk: Kiosk, now: float) -> bool:
        """From a section to the guide's own page; False when that is where one is."""
        if self.section is None or self._tabbed:
            return False
        self.section = None
        self._pager.first()
        return True

    def speech(self, kiosk: Kiosk) -> str:
        if self.guide is None:
            return kiosk.text("kiosk_guide.gone" if self.gone else "kiosk_guide.loading")
        words = [kiosk.local(self.guide.name)]
        if self.section is not None:
            words.append(kiosk.text(f"kiosk_guide.{self.section}"))
            words.append(self._pager.place(kiosk))
        return "\n".join(word for word in words if word)


class GuideServicesStep(Step):
    """Which of the services that a guide is for?"""

    name = "guide-services"

    def __init__(self, services: tuple[str, ...]) -> None:
        self.services = services
        self._pager = Pager()

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        found = (service_of(kiosk, service) for service in self.services)
        cells = [service_tile(kiosk, offer(kiosk, one)) for one in found if one is not None]
        return listed(kiosk, room, kiosk.text("choose_service"), cells, self._pager)

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        what, _, which = action.partition(":")
        if not self._pager.touched(action) and what == "service":
            _confirm(kiosk, which, now)

    def speech(self, kiosk: Kiosk) -> str:
        return "\n".join((kiosk.text("choose_service"), self._pager.place(kiosk)))


def _confirm(kiosk: Kiosk, service: str, now: float) -> None:
    from ui.kiosk.steps_confirm import ConfirmStep  # which leads to the guides of its service

    kiosk.go(ConfirmStep(service), now)
