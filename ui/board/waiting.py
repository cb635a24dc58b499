"""Who waits for what: one row per service, in pages in turn where they are many."""

from __future__ import annotations

from math import fsum
from typing import Final

from ui.elements import Box, Element, Gap, Text, column, row
from ui.ems import LEADING, ems, lines
from ui.tongue import Tongue
from wire.messages import BoardService

SIZES: Final = (7.4, 6.2, 5.4, 4.8, 4.4)
"""Type of the rows: the largest at which all fit on one page, else the last, in pages."""
UNDER: Final = 0.72
"""Type of what stands below, of the row's type."""
FEW: Final = 20
"""So few numbers left today are told."""
TOLD: Final = 0.86
"""Type of how many wait, of the row's type."""
_PAD: Final = 0.9
_COUNT_EMS: Final = 2.4
_TOLD_EMS: Final = 5.2
"""Widths of how many and how long, in heights of their type: so that they stand one under the other."""
_GAP: Final = 0.8
_SIDE: Final = 1.6
_TITLE: Final = 4.6
HEAD: Final = _TITLE * LEADING + 1.0
"""Height of the heading."""


def wait_words(service: BoardService, tongue: Tongue) -> tuple[str, str, bool]:
    """How many wait; how long, or why no number can be taken; whether that is so. "" for nothing known."""
    count = tongue.text("board.waiting_of", count=service.waiting) if service.waiting else ""
    if service.available != "open":
        return count, tongue.text(f"board.{service.available}"), True
    if service.left is not None and service.left <= FEW:
        return count, tongue.text("board.left", left=service.left), False
    if service.waiting == 0:
        return "", tongue.text("board.nobody"), False
    if service.wait_min is None:
        return count, "", False
    least, most = service.wait_min
    if least <= 0:
        return count, tongue.text("board.wait_within", most=max(1, most)), False
    if least >= most:
        return count, tongue.text("board.wait_about", most=most), False
    return count, tongue.text("board.wait_range", least=least, most=most), False


def pages(
    services: tuple[BoardService, ...], tongue: Tongue, wide: float, high: float
) -> tuple[float, tuple[tuple[BoardService, ...], ...]]:
    """Size of the type, and the services page by page, for a panel of `wide` × `high` units."""
    for size in SIZES[:-1]:
        if _fits(services, tongue, size, wide, high - HEAD):
            return size, (services,) if services else ()
    return SIZES[-1], _fill(services, tongue, SIZES[-1], wide, high - HEAD)


def _fits(services: tuple[BoardService, ...], tongue: Tongue, size: float, wide: float, high: float) -> bool:
    """Whether all stand on one page; of many the first few tell."""
    for service in services:
        high -= row_height(service, tongue, size, wide) + _GAP
        if high < 0.0:
            return False
    return True


def panel_height(services: tuple[BoardService, ...], tongue: Tongue, wide: float, most: float) -> float:
    """What the highest page takes of at most `most` units; more than that where one service alone does."""
    size, made = pages(services, tongue, wide, most)
    return HEAD + max((_tall(page, tongue, size, wide) for page in made), default=0.0)


def _tall(page: tuple[BoardService, ...], tongue: Tongue, size: float, wide: float) -> float:
    return fsum(row_height(service, tongue, size, wide) + _GAP for service in page)


def _fill(
    services: tuple[BoardService, ...], tongue: Tongue, size: float, wide: float, high: float
) -> tuple[tuple[BoardService, ...], ...]:
    made: list[list[BoardService]] = []
    left = 0.0
    for service in services:
        tall = row_height(service, tongue, size, wide)
        if not made or tall > left:
            made.append([])
            left = high
        made[-1].append(service)
        left -= tall + _GAP
    return tuple(tuple(page) for page in made)


def row_height(service: BoardService, tongue: Tongue, size: float, wide: float) -> float:
    """Units: what is told stands behind a short name, else below it."""
    room = (wide - 2 * _SIDE) / size
    if _beside(service, tongue, room):
        tall = 1.0 + (UNDER if tongue.local_under(service.name) else 0.0)
    else:
        tall = lines(tongue.local(service.name), room) + TOLD
        tall += lines(tongue.local_under(service.name), room / UNDER) * UNDER
    return tall * LEADING * size + 2 * _PAD


def _beside(service: BoardService, tongue: Tongue, room: float) -> bool:
    """Whether name and what is told fit in one line of `room` heights of type."""
    count, wait, _ = wait_words(service, tongue)
    told = max(_TOLD_EMS, ems(wait)) + (_COUNT_EMS if count else 0.0) + 1.0
    name = max(ems(tongue.local(service.name)), UNDER * ems(tongue.local_under(service.name)))
    return name + TOLD * told + 1.0 <= room


def waiting_panel(
    services: tuple[BoardService, ...], tongue: Tongue, beat: int, wide: float, high: float, *, stale: bool
) -> Box:
    """All services, or one page of them."""
    size, made = pages(services, tongue, wide, high)
    turn = beat % len(made) if made else 0
    shown = made[turn] if made else ()
    rows = [_row(service, tongue, size, wide, stale) for service in shown]
    title = tongue.text("board.waiting")
    if (below := tongue.under("board.waiting")) and ems(title + below) * _TITLE < wide - 14.0:
        title = f"{title}  {below}"
    count = f"{turn + 1}/{len(made)}" if len(made) > 1 else ""
    top = row(
        Text(title, _TITLE, "soft", grow=1.0, lines=1, least=3.0),
        Text(count, _TITLE, "soft", "right"),
        gap=2.0, height=HEAD - _GAP, align="center",
    )  # fmt: skip
    return column(top, *rows, gap=_GAP, grow=1.0, name="waiting")


def _row(service: BoardService, tongue: Tongue, size: float, wide: float, stale: bool) -> Box:
    count, wait, closed = wait_words(service, tongue)
    quiet = closed or stale
    told = size * TOLD
    name: list[Element] = [Text(tongue.local(service.name), size, "soft" if quiet else "ink", least=3.0)]
    if below := tongue.local_under(service.name):
        name.append(Text(below, size * UNDER, "soft", least=2.4))
    said: list[Element] = []
    if count:
        said.append(Text(count, told, "soft" if quiet else "call", "right", lines=1, least=2.4))
    ink = "warn" if closed and not stale else "soft"
    words = column(
        Text(wait, told, ink, "right", lines=1, least=2.4), width=_TOLD_EMS * told, justify="center"
    )
    if _beside(service, tongue, (wide - 2 * _SIDE) / size):
        inside = row(column(*name, grow=1.0, justify="center"), *said, words, gap=told, align="center")
        return Box((inside,), pad=(_SIDE, _PAD), fill="surface")
    below_name = row(Gap(grow=1.0), *said, words, gap=told, align="center")
    return column(*name, below_name, pad=(_SIDE, _PAD), fill="surface")
