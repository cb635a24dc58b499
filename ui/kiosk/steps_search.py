"""Services by pinyin initials, on a keyboard of letters.

Where there is room the results stand over the keyboard and change with every letter; on a small screen they
have a page of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ui.elements import Box, Element, Text, column, growing, row
from ui.kiosk.keyboard import LETTERS, field, keyboard, typed
from ui.kiosk.pager import Pager
from ui.kiosk.parts import GAP, TILE_HIGH, listed, service_tile, tiles, told
from ui.kiosk.search import found
from ui.kiosk.services import Offer, halves, offer
from ui.kiosk.step import Room, Step
from ui.kiosk.steps_confirm import ConfirmStep
from ui.widgets import button, rest

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

LINE: Final = 7.5
"""Height of the line that is typed, in units at usual type."""
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
        line = max(room.target + 0.4, LINE * room.scale, 9.5 if room.tall else 0.0)
        rows = -(-(len(LETTERS) + 1) // room.fit(room.target, 1.0, room.wide))
        keys_high = rows * (line + 1.0)
        above = room.high - keys_high - line - 2 * GAP
        if self.listed:
            return self._listed(kiosk, room, results)
        if above < line + (TILE_HIGH + 6.0) * room.scale:
            return self._typing(kiosk, room, results, line)
        typed_so_far = field(kiosk, self.words, kiosk.text("type_initials"), room)
        return column(
            replace(typed_so_far, grow=line),
            self._results(kiosk, room, results, above, line),
            column(keyboard(kiosk, room, high=keys_high), justify="end", grow=keys_high),
            gap=GAP, grow=1.0,
        )  # fmt: skip

    def _results(
        self, kiosk: Kiosk, room: Room, results: tuple[Offer, ...], high: float, line: float
    ) -> Element:
        if not results:
            return column(Text(kiosk.text("nothing_found"), "large", "soft"), grow=high)
        cells = [service_tile(kiosk, one) for one in results]
        grid = tiles(room, cells, high - line - 2 * GAP, self._pager)
        spare = max(0.1, high - line - 2 * GAP - grid.height)
        keys = growing(self._pager.keys(kiosk, room), line)
        return column(replace(grid, grow=grid.height), keys, rest(spare), gap=GAP, grow=high)

    def _typing(self, kiosk: Kiosk, room: Room, results: tuple[Offer, ...], high: float) -> Element:
        words = kiosk.text("show_found", count=len(results))
        show = button(words, "show", kind="main", size="body", off=not results)
        typed_so_far = field(kiosk, self.words, kiosk.text("type_initials"), room)
        line = row(replace(typed_so_far, grow=1.6), replace(show, grow=1.0), gap=GAP, grow=high)
        keys = keyboard(kiosk, room, high=room.high - high - GAP)
        return column(line, column(keys, grow=room.high - high - GAP), gap=GAP, grow=1.0)

    def _listed(self, kiosk: Kiosk, room: Room, results: tuple[Offer, ...]) -> Element:
        if not results:
            return told(room, "search", *halves(kiosk.text("nothing_found")))
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
