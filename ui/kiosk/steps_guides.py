"""Guides (办事指南): the list, and the search by what somebody types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ui.elements import Box, Element, Gap, Text, column, growing, row
from ui.kiosk.guide_page import GuideStep
from ui.kiosk.keyboard import field, keyboard, typed
from ui.kiosk.pager import Pager
from ui.kiosk.parts import GAP, listed, shares, tile, tiles, told
from ui.kiosk.search import found
from ui.kiosk.services import halves
from ui.kiosk.step import Room, Step
from ui.widgets import button

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk
    from wire.shown import GuideTitle

MOST_TYPED: Final = 12
TIGHT: Final = 40.0
"""Units of height, at usual type, under which a list has no title."""
FEW: Final = 4
"""So many guides need no search."""


class GuidesStep(Step):
    """The list; of the guides of one service where `service` is given."""

    to_number = False

    def __init__(self, service: str | None = None) -> None:
        self.service = service
        self.words = ""
        self.typing = False
        self._pager = Pager()

    @property
    def name(self) -> str:  # type: ignore[override]
        return "guides-search" if self.typing else "guides-found" if self.words else "guides"

    def among(self, kiosk: Kiosk) -> tuple[GuideTitle, ...]:
        """What can be chosen here, before the search."""
        if self.service is None:
            return kiosk.guides
        return tuple(guide for guide in kiosk.guides if self.service in guide.services)

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        if not self.among(kiosk):
            return _nothing(kiosk, room, "")
        return self._typing(kiosk, room) if self.typing else self._choosing(kiosk, room)

    # ---------------------------------------------------------------- the list

    def _choosing(self, kiosk: Kiosk, room: Room) -> Element:
        guides = found(self.words, self.among(kiosk))
        keys = self._keys(kiosk, room)
        low = room.height_of(row(*keys, gap=GAP)) if keys else 0.0
        if guides:
            title = self._title(kiosk, len(guides))
            above = room.high - (low + GAP if keys else 0.0)
            cells = _cells(kiosk, guides)
            if room.high < TIGHT * room.scale:
                return self._tight(kiosk, room, cells, keys)
            inner = listed(kiosk, room, title, cells, self._pager, above)
        else:
            inner = _nothing(kiosk, room, self.words)
        return column(inner, *([row(*keys, gap=GAP)] if keys else []), gap=GAP, grow=1.0)

    def _tight(self, kiosk: Kiosk, room: Room, cells: list[Box], keys: list[Element]) -> Element:
        """Where controls lie low in large type: without a title, all keys in one row."""
        high = max(room.target, 10.0 * room.scale)
        grid = tiles(room, cells, room.high - high - 2 * GAP, self._pager)
        if self._pager.parts > 1:
            keys = [growing(self._pager.keys(kiosk, room), 2.0), *keys]
        spare = max(0.1, room.high - high - 2 * GAP - grid.height)
        return shares((grid, grid.height), (Gap(), spare), (row(*keys, gap=GAP), high))

    def _title(self, kiosk: Kiosk, count: int) -> str:
        if self.words:
            return kiosk.text("found", count=count)
        return kiosk.text("kiosk_guide.choose" if self.service is None else "kiosk_guide.of_service")

    def _keys(self, kiosk: Kiosk, room: Room) -> list[Element]:
        keys: list[Element] = []
        if self.words:
            keys.append(button(kiosk.text("kiosk_guide.all_again"), "all", grow=1.0))
        if self.words or len(self.among(kiosk)) > FEW:
            keys.append(button(kiosk.text("kiosk_guide.search"), "search", icon="search", grow=1.0))
        return keys

    # ---------------------------------------------------------------- the search

    def _typing(self, kiosk: Kiosk, room: Room) -> Element:
        """What is found stands over the keys where there is room, else on a page of its own."""
        guides = found(self.words, self.among(kiosk))
        line = field(kiosk, self.words, kiosk.text("kiosk_guide.type_initials"), room)
        top = max(room.target + 0.6, 8.5 * room.scale)
        keys = 4 * room.target + 3 * GAP
        pager = max(room.target, 8.0 * room.scale)
        high = room.high - top - keys - pager - 4 * GAP
        if high < 16.0 * room.scale:
            key = "results" if guides else "results_none"
            words = kiosk.text(f"kiosk_guide.{key}", count=len(guides))
            see = button(words, "see", kind="main", size="body", off=not guides, width=40.0)
            keys = room.high - top - GAP
            return shares((row(line, see, gap=GAP), top), (keyboard(kiosk, room, high=keys), keys))
        parts: list[tuple[Element, float]] = [(row(line), top)]
        if guides:
            grid = tiles(room, _cells(kiosk, guides), high, self._pager)
            parts += [(grid, grid.height), (Gap(), max(0.1, high - grid.height))]
            parts.append((self._pager.keys(kiosk, room), pager))
        else:
            so, do = halves(kiosk.text("kiosk_guide.not_found", words=self.words))
            none = column(Text(so, "large", strong=True), Text(do, "body"), gap=1.0, justify="center")
            parts.append((none, high + pager + 2 * GAP))
        return shares(*parts, (keyboard(kiosk, room, high=keys), keys))

    # ---------------------------------------------------------------- what is touched

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action.startswith("guide:"):
            kiosk.go(GuideStep(action.removeprefix("guide:")), now)
        elif action == "search":
            self._search("", True)
        elif action == "all":
            self._search("", False)
        elif action == "see":
            self._search(self.words, False)
        elif not self._pager.touched(action) and self.typing:
            self._type(action)

    def back(self, kiosk: Kiosk, now: float) -> bool:
        if not self.typing and not self.words:
            return False
        self._search("", False)
        return True

    def key(self, kiosk: Kiosk, key: str, now: float) -> bool:
        return self.typing and self._type(key)

    def _search(self, words: str, typing: bool) -> None:
        self.words, self.typing = words, typing
        self._pager.first()

    def _type(self, action: str) -> bool:
        words = typed(self.words, action, MOST_TYPED)
        if words is None:
            return False
        self.words = words
        self._pager.first()
        return True

    def speech(self, kiosk: Kiosk) -> str:
        guides = found(self.words, self.among(kiosk))
        if self.typing:
            words = " ".join(self.words) or kiosk.text("kiosk_guide.nothing_typed")
            return kiosk.text("kiosk_guide.say_search", words=words, count=len(guides))
        if not guides:
            return kiosk.text("kiosk_guide.none")
        return "\n".join((kiosk.text("kiosk_guide.say_list", count=len(guides)), self._pager.place(kiosk)))


def _cells(kiosk: Kiosk, guides: tuple[GuideTitle, ...]) -> list[Box]:
    return [tile(kiosk.local(guide.name), "", f"guide:{guide.guide}") for guide in guides]


def _nothing(kiosk: Kiosk, room: Room, words: str) -> Element:
    """There is none, or none for the `words` that were typed."""
    key = "kiosk_guide.not_found" if words else "kiosk_guide.none"
    return told(room, "search", *halves(kiosk.text(key, words=words)))
