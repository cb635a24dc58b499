"""What the pages of the kiosk share: tiles to choose from, facts, titles with a pager, a way to say no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import fsum, inf
from typing import TYPE_CHECKING, Final

from ui.elements import Art, Box, Element, Gap, Text, column, grid, growing, row
from ui.kiosk.pager import Pager
from ui.kiosk.services import Offer, queue_words
from ui.kiosk.step import MEASURED, Room
from ui.layout import height_of
from ui.screen import Screen
from ui.theme import load_theme
from ui.widgets import button, rest

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

GAP: Final = 1.6
TILE_WIDE: Final = 42.0
"""Least width of a tile, in units, at usual type."""
TILE_HIGH: Final = 13.0
BESIDE: Final = 120.0
"""Units of width from which a title has the pager's keys beside it."""
TILE_MOST: Final = 26.0
"""Higher tiles would only make the way of the hand longer."""
TILE_TALL: Final = 32.0
"""The same on an upright screen, which has the room."""


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
    columns, rows, each = _shape(room, tuple(cells), high)
    if each > high and any(len(cell.children) > 1 for cell in cells):
        # Even one of them is too high: rather the names alone than names that are cut.
        cells = [replace(cell, children=cell.children[:1]) for cell in cells]
        columns, rows, each = _shape(room, tuple(cells), high)
    part = pager.of(-(-len(cells) // (columns * rows)))
    shown = tuple(cells[part * columns * rows : (part + 1) * columns * rows])
    if pager.parts == 1:
        rows = max(1, -(-len(shown) // columns))
    wide = (room.wide - (columns - 1) * GAP) / columns
    room_each = (high - (rows - 1) * GAP) / rows
    if room.tall and room.scale == 1.0:
        shown = _in_large_type(room, shown, wide, room_each)
    whole_names = max(
        (_needs(room.screen, room.scale, cell, wide, False) + 0.5 for cell in shown), default=0.0
    )
    each = min(max((TILE_TALL if room.tall else TILE_MOST) * room.scale, each, whole_names), room_each)
    whole = rows * each + (rows - 1) * GAP
    shown = tuple(_parted(room, cell, wide, each) for cell in shown)
    return Box((grid(shown, columns, gap=GAP, rows=rows, grow=1.0),), height=whole)


def _in_large_type(room: Room, cells: tuple[Box, ...], wide: float, high: float) -> tuple[Box, ...]:
    """The same with names and what stands under them one size larger, where all of them have room for it."""
    larger = tuple(
        replace(cell, children=tuple(_larger(one) if isinstance(one, Text) else one for one in cell.children))
        for cell in cells
    )
    return (
        larger if all(room.height_of(cell, wide) + 0.5 <= min(high, TILE_TALL) for cell in larger) else cells
    )


def _larger(words: Text) -> Text:
    return replace(words, size={"body": "large", "large": "title"}.get(str(words.size), words.size))


def _parted(room: Room, cell: Box, wide: float, high: float) -> Box:
    """The cell with the line under its name broken between its parts, if it is too long and there is room."""
    last = cell.children[-1]
    if not isinstance(last, Text):
        return cell
    pad = cell.pad[0] if isinstance(cell.pad, tuple) else cell.pad
    broken = replace(cell, children=(*cell.children[:-1], in_parts(room, last, wide - 2 * pad)))
    return broken if room.height_of(least(broken), wide) < high - 0.8 else cell


def in_parts(room: Room, words: Text, wide: float) -> Text:
    """`words` with a line for each of its parts, where they are too long for one line."""
    if room.height_of(words, wide) <= room.height_of(replace(words, words="号"), wide):
        return words
    return replace(words, words=words.words.replace(" · ", "\n"))


def fitting(
    room: Room, texts: Sequence[Text], wide: float, high: float, gap: float, fewest: int = 1
) -> list[Text]:
    """The first of `texts`, the more important first, that have room at their least type; `fewest` always.

    Where all have room at full type, long ones have a line for each of their parts.
    """
    broken = [in_parts(room, one, wide) for one in texts]
    if fsum(room.height_of(one, wide) + gap for one in broken) - gap <= high:
        return broken
    kept: list[Text] = []
    used = -gap
    for element in texts:
        size = _READABLE.get(str(element.size), "small") if room.scale == 1.0 else least(element).size  # type: ignore[union-attr]
        used += gap + room.height_of(replace(element, size=size), wide)
        if len(kept) >= fewest and used > high:
            break
        kept.append(element)
    return kept


def fits_whole(room: Room, cells: Sequence[Box], high: float) -> bool:
    """Whether all of them stand on one page."""
    columns = room.fit(TILE_WIDE * min(room.scale, 1.25), GAP, room.wide)
    if len(cells) > columns * room.fit(max(room.target, TILE_HIGH * min(room.scale, 1.2)), GAP, high):
        return False  # without measuring their names
    columns, rows, each = _shape(room, tuple(cells), high)
    return len(cells) <= columns * rows and each <= high


@lru_cache(maxsize=32)
def _shape(room: Room, cells: tuple[Box, ...], high: float) -> tuple[int, int, float]:
    """Columns, rows, and the height that a cell needs: as many on a page as can be read well."""
    best = (1, 1, high)
    best_worth = (-inf, 0, 0.0, 0, 0.0)
    most_columns = min(room.fit(TILE_WIDE * min(room.scale, 1.25), GAP, room.wide), max(1, len(cells)))
    for columns in range(1, most_columns + 1):
        wide = (room.wide - (columns - 1) * GAP) / columns
        needs = [_needs(room.screen, room.scale, cell, wide, True) + 0.5 for cell in cells]
        each = max([room.target, TILE_HIGH * min(room.scale, 1.2), *needs])
        rows = room.fit(each, GAP, high)
        on_one = min(len(cells), columns * rows)
        filled = max(1, min(rows, -(-len(cells) // columns)))
        # Of two shapes that hold as many, the one whose cells are nearer to a broad card.
        row_high = (high - (filled - 1) * GAP) / filled
        shape = wide / min(TILE_MOST * room.scale, row_high)
        whole = 0.0
        if room.tall:  # and before that, the one in which long names keep their type
            whole = max(_needs(room.screen, room.scale, cell, wide, False) + 0.5 for cell in cells)
        most = min(row_high, TILE_TALL * room.scale)
        holes = columns * filled - on_one if on_one == len(cells) else 0
        worth = (
            min(0.0, high - each), on_one, min(0.0, most - whole),
            -max(0, holes - 1), -abs(shape - 2.6),  # one place may be empty, two are a gap
        )  # fmt: skip
        if worth > best_worth:
            best, best_worth = (columns, rows, each), worth
    return best


@lru_cache(maxsize=1024)
def _needs(screen: Screen, scale: float, cell: Box, wide: float, smallest: bool) -> float:
    """Height of one cell, kept: where one number waiting changes, the other cells are not measured again."""
    return height_of(least(cell) if smallest else cell, wide, screen, load_theme(MEASURED), scale)


def least(element: Element) -> Element:
    """The same with its type as small as the layout makes it."""
    if isinstance(element, Text):
        return replace(element, size=_SMALLER.get(str(element.size), element.least))
    if isinstance(element, Box):
        return replace(element, children=tuple(least(child) for child in element.children))
    return element


_READABLE: Final = {"giant": "number", "number": "title", "title": "large", "large": "body"}
"""One step smaller: rather a line less than all of them small. In elder mode the least is large enough."""
_SMALLER: Final[dict[str, str | float]] = {"title": "body", "number": 8.9, "giant": 14.4}
"""Sizes of which a layout's smallest step is not as small as what they may be."""


def titled(kiosk: Kiosk, room: Room, words: str, pager: Pager, high: float, size: str = "title") -> Box:
    """The title with the pager's keys beside it, where there is more than one part."""
    if pager.parts > 1 and room.scale > 1.0 and size == "title":
        size = "large"
    title = Text(words, size, strong=True, grow=1.0, lines=2 if size != "body" else 0)
    if pager.parts == 1:
        return Box((title,), axis="row", height=high, align="center")
    return row(
        title, growing(pager.keys(kiosk, room), 1.3), gap=3.0, align="center", height=max(high, room.target)
    )  # fmt: skip


def listed(
    kiosk: Kiosk,
    room: Room,
    words: str,
    cells: Sequence[Box],
    pager: Pager,
    high: float | None = None,
    size: str = "title",
) -> Element:
    """A title and the part of `cells` that the pager shows, in `high` units (the room's when None).

    The pager's keys stand beside the title, on a narrow page below the cells.
    """
    high = room.high if high is None else high
    title = Text(words, size, strong=True)
    head, foot = room.height_of(title), 0.0
    grid = tiles(room, cells, high - head - 2 * GAP, pager)
    if pager.parts > 1:
        keys = max(room.target + 0.6, 9.5 * room.scale)
        if room.wide < BESIDE:
            foot = keys + GAP
        else:
            head = max(keys, room.height_of(Text(words, "small", strong=True), (room.wide - 3.0) / 2.3))
        grid = tiles(room, cells, high - head - foot - 2 * GAP, pager)
    spare = max(0.1, high - head - foot - 2 * GAP - grid.height)
    if not foot:
        top = titled(kiosk, room, words, pager, 0.0, size) if pager.parts > 1 else title
        return shares((top, head), (grid, grid.height), (Gap(), spare))
    keys_row = pager.keys(kiosk, room)
    return shares((title, head), (grid, grid.height), (Gap(), spare), (keys_row, foot - GAP))


def shares(*parts: tuple[Element, float]) -> Box:
    """A column of elements with their heights in units, GAP between them.

    Each gets its share and no more: what wants more room makes its type smaller.
    """
    return column(*(growing(element, high) for element, high in parts), gap=GAP, grow=1.0)


def fact(words: str, value: str, *, size: str = "large", grow: float = 1.0) -> Box:
    """A small word and what it is, large, under it."""
    return column(
        Text(words, "body", "soft", align="center"), Text(value, size, align="center", strong=True),
        fill="surface", pad=(2.0, 1.2), justify="center", grow=grow,
    )  # fmt: skip


def told(
    room: Room,
    icon: str,
    so: str,
    do: str,
    *more: Element,
    colour: str = "accent",
    high: float | None = None,
) -> Element:
    """One thing said plainly: what is so, what to do now, and whatever else stands below.

    In `high` units (the room's when None), of which the drawing gets what the words leave. Lines of `do` for
    which there is no room, the last ones first, are left out.
    """
    gap = 2.0 if room.small else 3.0
    high = room.high if high is None else high
    title = Text(so, "title", align="center", strong=True)
    free = high - 2 * gap - fsum(room.height_of(least(element)) + gap for element in more)
    kept = fitting(room, [title, Text(do, "large", align="center")] if do else [title], room.wide, free, gap)
    if do and len(kept) == 1:
        lines = [Text(line, "large", align="center") for line in do.splitlines()]
        kept = fitting(room, [title, *lines], room.wide, free, gap)
    words: list[Element] = [*kept, *more]
    left = high - fsum(room.height_of(e) + gap for e in words) - 2 * gap
    side = min(18.0, left)
    art: list[Element] = [Art(icon, side, side, colour)] if side >= 6.0 else []
    return column(rest(), *art, *words, rest(), gap=gap, grow=1.0)


def told_with(room: Room, icon: str, so: str, do: str, *buttons: Box, above: str = "") -> Element:
    """The same, what it is about above it, and what can be done below."""
    below = choices(room, *buttons)
    about = Text(above, "large", "accent", align="center")
    words = fsum(room.height_of(least(Text(one, "title"))) + 3.0 for one in (so, do))
    if room.high - below.height - words < room.height_of(about) + 2 * GAP:
        above = ""  # what is so and what to do is more important
    head = room.height_of(about) if above else 0.0
    high = room.high - below.height - GAP - (head + GAP if above else 0.0)
    inner = told(room, icon, so, do, high=high)
    return shares(*([(about, head)] if above else []), (inner, high), (below, below.height))


def choices(room: Room, *buttons: Box) -> Box:
    """Buttons side by side, or one under the other where the page is narrow."""
    high = max(room.target + 0.6, 11.0)
    if room.wide < BESIDE and len(buttons) * (high + 4.0) < room.high / 2:
        return column(*(growing(b) for b in buttons), gap=2.5, height=len(buttons) * (high + 4.0))
    return row(*(growing(b) for b in buttons), gap=2.5, height=high + (0.0 if room.small else 4.0))


def ask(kiosk: Kiosk, name: str, action: str, *, main: bool = False, icon: str | None = None) -> Box:
    """A button with a text of this kiosk's."""
    return button(kiosk.text(name), action, kind="main" if main else "plain", icon=icon)
