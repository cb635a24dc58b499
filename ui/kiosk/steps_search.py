"""Services by pinyin initials, on a keyboard of letters.

Where there is room the results stand over the keyboard and change with every letter; on a small screen they
have a page of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ui.elements import Box, Element, Text, column, row
from ui.kiosk.keyboard import field, keyboard, typed
from ui.kiosk.pager import Pager
from ui.kiosk.parts import GAP, TILE_HIGH, listed, service_tile, tiles, told
from ui.kiosk.search import found
from ui.kiosk.services import Offer, offer
from ui.kiosk.step import Room, Step
from ui.kiosk.steps_confirm import ConfirmStep
from ui.widgets import button, rest

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

MOST: Final = 12
"""Letters; nobody needs more."""


class SearchStep(Step):
    def __init__(self) -> None:
        self.words = ""
        self.listed = False
        self._pager = Pager()

    @property
    def name(self) -> str:  # type: ignore[override]
        return "search-found" if self.listed else "search"

    def back(self, kiosk: Kiosk, now: float) -> bool:
        listed, self.listed = self.listed, False
        return listed

    def _found(self, kiosk: Kiosk) -> tuple[Offer, ...]:
        services = kiosk.catalogue.services if kiosk.catalogue is not None else ()
        return tuple(offer(kiosk, one) for one in found(self.words, services))

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        results = self._found(kiosk)
        line = row(field(kiosk, self.words, kiosk.text("type_initials"), room), gap=GAP, height=room.target)
        keys_high = room.target * 4 + GAP * 3
        above = room.high - keys_high - room.target - 2 * GAP
        if above < (TILE_HIGH + 2) * room.scale or self.listed:
            return self._listed(kiosk, room, results) if self.listed else self._typing(kiosk, room, results)
        high = above - (room.target + GAP)
        return column(
            line, *self._results(kiosk, room, results, high), rest(), keyboard(kiosk, room, high=keys_high),
            gap=GAP, grow=1.0,
        )  # fmt: skip

    def _results(self, kiosk: Kiosk, room: Room, results: tuple[Offer, ...], high: float) -> list[Element]:
        if not results:
            return [Text(kiosk.text("nothing_found"), "large", "soft")]
        cells = [service_tile(kiosk, one) for one in results]
        grid = tiles(room, cells, high, self._pager)
        return [grid, self._pager.keys(kiosk, room)]

    def _typing(self, kiosk: Kiosk, room: Room, results: tuple[Offer, ...]) -> Element:
        words = kiosk.text("show_found", count=len(results))
        show = button(words, "show", kind="main", size="body", off=not results, width=40.0)
        typed_so_far = field(kiosk, self.words, kiosk.text("type_initials"), room)
        line = row(typed_so_far, show, gap=GAP, height=room.target)
        keys = keyboard(kiosk, room, high=room.high - room.target - GAP)
        return column(line, keys, gap=GAP, grow=1.0)

    def _listed(self, kiosk: Kiosk, room: Room, results: tuple[Offer, ...]) -> Element:
        if not results:
            return told(room, "search", kiosk.text("nothing_found"), "")
        cells: list[Box] = [service_tile(kiosk, one) for one in results]
        return listed(kiosk, room, kiosk.text("found", count=len(results)), cells, self._pager)

    def speech(self, kiosk: Kiosk) -> str:
        if not self.words:
            return kiosk.text("search_speech")
        return kiosk.text("found", count=len(self._found(kiosk)))

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        what, _, which = action.partition(":")
        if what == "service":
            kiosk.go(ConfirmStep(which), now)
        elif action == "show":
            self.listed = True
            self._pager.first()
        elif not self._pager.touched(action):
            self._type(action)

    def key(self, kiosk: Kiosk, key: str, now: float) -> bool:
        return self._type(key)

    def _type(self, key: str) -> bool:
        words = typed(self.words, key, MOST)
        if words is None:
            return False
        self.words, self.listed = words, False
        self._pager.first()
        return True
