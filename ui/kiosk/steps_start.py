"""Where every way begins: the attract page that nobody looks at yet, and the start page.

The start page is the page where a number is taken: the services themselves where they are few, else their
groups. What else can be done stands in a row below. So an ordinary way is: touch, (group,) service, take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ui.elements import ABOUT, Art, Box, Element, Text, column, grid, growing, row
from ui.kiosk.pager import Pager
from ui.kiosk.parts import GAP, fits_whole, listed, service_tile, tile, told
from ui.kiosk.services import (
    card_works,
    closed_words,
    group_words,
    groups,
    hall_why,
    offers,
    scanner_works,
)
from ui.kiosk.step import Room, Step
from ui.kiosk.steps_checkin import begin_check_in
from ui.kiosk.steps_confirm import ConfirmStep
from ui.kiosk.steps_enquiry import EnquiryStep
from ui.kiosk.steps_guides import GuidesStep
from ui.kiosk.steps_search import SearchStep
from ui.kiosk.steps_services import ServicesStep
from ui.playlist import Playing
from ui.widgets import button, rest
from wire.screen_link import LinkMessage, PlaylistShown, ShownPicture

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

SEARCHED: Final = 12
"""More services than these can be searched: who knows the name finds it sooner than by leafing."""


class AttractStep(Step):
    """Touched anywhere it gives the start page. Pages of the playlist take turns above the instruction."""

    name = "attract"
    idle_s = 60.0
    warns = "no"
    can_back = can_home = False

    def __init__(self) -> None:
        self._playing = Playing()

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        why = hall_why(kiosk)
        if why:
            inner = told(room, "clock", *closed_words(kiosk, why))
        elif (page := self._playing.page) is not None:
            inner = _played(kiosk, room, page)
        else:
            inner = _instruction(kiosk, room)
        return Box((inner,), touch="start", grow=1.0, label=kiosk.text("touch_to_start"))

    def speech(self, kiosk: Kiosk) -> str:
        why = hall_why(kiosk)
        return "\n".join(closed_words(kiosk, why)) if why else kiosk.text("attract_speech")

    def entered(self, kiosk: Kiosk, now: float) -> None:
        self._playing.follow(kiosk.playlist, now, kiosk.hall_time(now))

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        if isinstance(message, PlaylistShown):
            self._playing.follow(message.pages, now, kiosk.hall_time(now))
        else:
            self._playing.step(now, kiosk.hall_time(now))
        return False

    def due(self, now: float) -> float:
        return self._playing.due()

    def tick(self, kiosk: Kiosk, now: float) -> None:
        self._playing.step(now, kiosk.hall_time(now))

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action == "start":
            kiosk.home(now)


def _instruction(kiosk: Kiosk, room: Room) -> Element:
    """How it is done, in pictures and words."""
    parts = [_way("touch", kiosk.text("touch_to_start"), room, "accent", "accent_ink")]
    if card_works(kiosk):
        parts.append(_way("card", kiosk.text("or_lay_card"), room, "surface", "ink"))
    whole = column if room.tall else row
    return whole(*parts, gap=3.0, pad=(0.0, 1.0), grow=1.0)


def _way(icon: str, words: str, room: Room, fill: str, ink: str) -> Box:
    side = 24.0 if room.small else 34.0
    side = min(side, room.high * (0.3 if room.tall else 0.5) / room.scale)
    return column(
        Art(icon, side, side, "accent" if ink == "ink" else ink),
        Text(words, "title", ink, align="center", strong=True),
        gap=2.5, pad=2.0, fill=fill, grow=1.0, justify="center",
    )  # fmt: skip


def _played(kiosk: Kiosk, room: Room, page: ShownPicture) -> Element:
    parts: list[Element] = []
    words = kiosk.local(page.item.text)
    if page.file is not None:
        parts.append(Art("file", room.wide, room.high / 2, args=(page.file, ABOUT), grow=1.0))
        if words:
            parts.append(Text(words, "large", align="center", lines=2))
    else:
        parts += [rest(), Text(words, "title", align="center", strong=True), rest()]
    parts.append(
        row(
            Art("touch", 7.0, 7.0, "accent_ink"),
            Text(kiosk.text("touch_to_start"), "large", "accent_ink", strong=True, grow=1.0),
            gap=2.0, pad=(3.0, 1.6), fill="accent", align="center",
        )
    )  # fmt: skip
    return column(*parts, gap=2.0, grow=1.0)


class StartStep(Step):
    """What somebody can do here. With a card on the reader it goes on with that card's priority."""

    name = "start"
    idle_s = 40.0
    warns = "modes"
    can_home = False

    def __init__(self) -> None:
        self._pager = Pager()

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        beside = self._beside(kiosk)
        lines = -(-len(beside) // (4 if room.wide > 120.0 else 2))
        low = lines * (max(room.target + 0.4, 10.0 * min(room.scale, 1.3)) + GAP)
        high = room.high - low
        why = hall_why(kiosk)
        if why:
            whole = [told(room, "clock", *closed_words(kiosk, why), high=high)]
        else:
            cells, direct = self._cells(kiosk, room, high - 12.0 * room.scale)
            words = kiosk.text("choose_service" if direct else "choose_group")
            whole = [listed(kiosk, room, words, cells, self._pager, high)]
        if beside:
            columns = -(-len(beside) // lines)
            whole.append(Box((grid(beside, columns, gap=GAP, grow=1.0),), height=low - GAP))
        # Shares of the height, so that words that are long make themselves smaller.
        parts = [growing(one, share) for one, share in zip(whole, (high, low - GAP), strict=False)]
        return column(*parts, gap=GAP, grow=1.0)

    def _cells(self, kiosk: Kiosk, room: Room, high: float) -> tuple[list[Box], bool]:
        """Tiles of all services where one page holds them, else of the groups; whether the former."""
        every = [service_tile(kiosk, one) for one in offers(kiosk)]
        grouped = groups(kiosk)
        if len(grouped) < 2 or fits_whole(room, every, high):
            return every, True
        cells = [
            tile(
                kiosk.local(group.name), group_words(kiosk, inside), f"group:{group.group}",
                pale=all(one.why for one in inside),
            )
            for group, inside in grouped
        ]  # fmt: skip
        return cells, False

    def _beside(self, kiosk: Kiosk) -> list[Box]:
        """What can be done beside taking a number; in elder mode less of it (a ticket can be held before the
        scanner on any page)."""
        found = []
        if kiosk.catalogue is not None and kiosk.catalogue.appointments:
            found.append(("appointment", "checkin"))
        fewer = kiosk.modes.elder
        if len(offers(kiosk)) > SEARCHED and not hall_why(kiosk) and not fewer:
            found.append(("search", "search"))
        if kiosk.guides:
            found.append(("guides", "guides"))
        if scanner_works(kiosk) and not fewer:
            found.append(("enquiry", "enquiry"))
        return [button(kiosk.text(name), action) for name, action in found]

    def speech(self, kiosk: Kiosk) -> str:
        why = hall_why(kiosk)
        return "\n".join(closed_words(kiosk, why)) if why else kiosk.text("start_speech")

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        what, _, which = action.partition(":")
        if self._pager.touched(action):
            return
        if what == "service":
            kiosk.go(ConfirmStep(which), now)
        elif what == "group":
            inside = offers(kiosk, which)
            kiosk.go(ConfirmStep(inside[0].service.service) if len(inside) == 1 else ServicesStep(which), now)
        elif what == "checkin":
            begin_check_in(kiosk, now)
        elif what == "search":
            kiosk.go(SearchStep(), now)
        elif what == "guides":
            kiosk.go(GuidesStep(), now)
        elif what == "enquiry":
            kiosk.go(EnquiryStep(), now)
        elif action == "home":  # nobody is there: the key of the page that asks
            kiosk.rest(now)
