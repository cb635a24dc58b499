"""What the pages of the kiosk share: tiles to choose from, facts, titles with a pager, a way to say no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ui.elements import Art, Box, Element, Gap, Text, column, grid, growing, row
from ui.kiosk.pager import Pager
from ui.kiosk.services import Offer, queue_words
from ui.kiosk.step import Room
from ui.layout import height_of
from ui.theme import load_theme
from ui.widgets import button, rest

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

GAP: Final = 1.6
TILE_WIDE: Final = 42.0
"""Least width of a tile, in units, at usual type."""
TILE_HIGH: Final = 13.0
TITLE: Final = 9.5
TILE_MOST: Final = 26.0
"""Higher tiles would only make the way of the hand longer."""


def tile(words: str, under: str, action: str, *, pale: bool = False, size: str = "large") -> Box:
    """Something to choose. `pale`: it cannot be had now; a touch says why."""
    ink = "soft" if pale else "ink"
    texts: list[Element] = [Text(words, size, ink, align="center", strong=not pale)]
    if under:
        texts.append(Text(under, "body", "soft" if pale else "accent", align="center"))
    return column(
        *texts, gap=0.6, pad=(2.0, 1.0), fill="ground" if pale else "surface", line="line",
        justify="center", touch=action, grow=1.0,
    )  # fmt: skip


def service_tile(kiosk: Kiosk, one: Offer) -> Box:
    return tile(
        kiosk.local(one.service.name), queue_words(kiosk, one), f"service:{one.service.service}",
        pale=bool(one.why),
    )  # fmt: skip


def tiles(room: Room, cells: Sequence[Box], high: float, pager: Pager) -> Box:
    """The part of `cells` that the pager shows, in `high` units, as evenly as they go.

    Cells are as high as the longest name needs, so that every part of the list looks alike.
    """
    high -= 0.3  # whole pixels
    columns, rows, each = _shape(room, cells, high)
    part = pager.of(-(-len(cells) // (columns * rows)))
    shown = tuple(cells[part * columns * rows : (part + 1) * columns * rows])
    if pager.parts == 1:
        rows = -(-len(shown) // columns)
    most = max(TILE_MOST * room.scale, each)
    each = min(most, (high - (rows - 1) * GAP) / rows)
    whole = rows * each + (rows - 1) * GAP
    return Box((grid(shown, columns, gap=GAP, rows=rows, grow=1.0),), height=whole)


def choosing(
    kiosk: Kiosk, room: Room, title: str, cells: Sequence[Box], pager: Pager, high: float
) -> list[Element]:
    """A title, with the pager's keys beside it where they are needed, and the tiles under it: `high` units."""
    head = TITLE * min(room.scale, 1.3)
    grid = tiles(room, cells, high - head - GAP, pager)
    if pager.parts > 1 and head < room.target:
        head = room.target
        grid = tiles(room, cells, high - head - GAP, pager)
    return [titled(kiosk, room, title, pager, head), column(grid, grow=1.0)]


def fits_whole(room: Room, cells: Sequence[Box], high: float) -> bool:
    """Whether all of them stand on one page."""
    columns, rows, _ = _shape(room, cells, high)
    return len(cells) <= columns * rows


def _shape(room: Room, cells: Sequence[Box], high: float) -> tuple[int, int, float]:
    """Columns, rows, and the height that a cell needs: as many on a page as can be read well."""
    theme = load_theme("day")
    best = (1, 1, high)
    best_worth = (0, 0.0)
    for columns in range(1, room.fit(TILE_WIDE * room.scale, GAP, room.wide) + 1):
        wide = (room.wide - (columns - 1) * GAP) / columns
        needs = [height_of(_least(cell), wide, room.screen, theme, room.scale) for cell in cells]
        each = max([room.target, TILE_HIGH * room.scale, *needs])
        rows = room.fit(each, GAP, high)
        on_one = min(len(cells), columns * rows)
        filled = min(rows, -(-len(cells) // columns))
        # Of two shapes that hold as many, the one whose cells are nearer to a broad card.
        shape = wide / min(TILE_MOST * room.scale, (high - (filled - 1) * GAP) / filled)
        worth = (on_one, -abs(shape - 2.6))
        if worth > best_worth:
            best, best_worth = (columns, rows, each), worth
    return best


def _least(element: Element) -> Element:
    """The same with its type as small as it may get."""
    if isinstance(element, Text):
        return replace(element, size=element.least)
    if isinstance(element, Box):
        return replace(element, children=tuple(_least(child) for child in element.children))
    return element


def titled(kiosk: Kiosk, room: Room, words: str, pager: Pager, high: float) -> Box:
    """The title with the pager's keys beside it, where there is more than one part."""
    title = Text(words, "title", strong=True, grow=1.0, lines=2)
    if pager.parts == 1:
        return Box((title,), axis="row", height=high, align="center")
    return row(
        title, growing(pager.keys(kiosk, room), 1.3), gap=3.0, align="center", height=max(high, room.target)
    )  # fmt: skip


def listed(
    kiosk: Kiosk, room: Room, words: str, cells: Sequence[Box], pager: Pager, high: float | None = None
) -> Element:
    """A title and the part of `cells` that the pager shows, in `high` units (the room's when None)."""
    high = room.high if high is None else high
    head = room.height_of(Text(words, "title", strong=True))
    grid = tiles(room, cells, high - head - 2 * GAP, pager)
    if pager.parts > 1:
        head = max(room.target + 0.6, 8.0 * room.scale)
        grid = tiles(room, cells, high - head - 2 * GAP, pager)
    # Shares of the height, not wishes: what has less room than it wants makes its type smaller.
    spare = max(0.1, high - head - 2 * GAP - grid.height)
    title = replace(titled(kiosk, room, words, pager, 0.0), grow=head)
    return column(title, replace(grid, grow=grid.height), Gap(grow=spare), gap=GAP, grow=1.0)


def fact(words: str, value: str, *, size: str = "large", grow: float = 1.0) -> Box:
    """A small word and what it is, large, under it."""
    return column(
        Text(words, "body", "soft", align="center"), Text(value, size, align="center", strong=True),
        fill="surface", pad=(2.0, 1.2), justify="center", grow=grow,
    )  # fmt: skip


def told(room: Room, icon: str, so: str, do: str, *more: Element, colour: str = "accent") -> Element:
    """One thing said plainly: what is so, what to do now, and whatever else stands below."""
    side = 11.0 if room.small else 18.0
    return column(
        rest(),
        Art(icon, side, side, colour),
        Text(so, "title", align="center", strong=True),
        *([Text(do, "large", align="center")] if do else []),
        *more,
        rest(),
        gap=2.0 if room.small else 3.0, grow=1.0,
    )  # fmt: skip


def choices(room: Room, *buttons: Box) -> Element:
    """Buttons side by side, or one under the other where the page is narrow."""
    high = max(room.target, 11.0)
    if room.tall:
        return column(*(growing(b) for b in buttons), gap=2.5, height=len(buttons) * (high + 6.0))
    return row(*(growing(b) for b in buttons), gap=2.5, height=high + (0.0 if room.small else 4.0))


def ask(kiosk: Kiosk, name: str, action: str, *, main: bool = False, icon: str | None = None) -> Box:
    """A button with a text of this kiosk's."""
    return button(kiosk.text(name), action, kind="main" if main else "plain", icon=icon)
