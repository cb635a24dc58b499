"""Who waits for what: one row per service, in pages in turn where they are many."""

from __future__ import annotations

from typing import Final

from ui.board.tongue import Tongue
from ui.elements import Box, Element, Text, column, row
from ui.ems import LEADING, lines
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
_GAP: Final = 0.8
_SIDE: Final = 1.6
_TITLE: Final = 4.6
HEAD: Final = _TITLE * LEADING + 1.0
"""Height of the heading."""


def wait_words(service: BoardService, tongue: Tongue) -> tuple[str, str, bool]:
    """How many wait; how long, or why no number can be taken; whether that is so. "" for nothing known."""
    count = tongue.text("board.waiting_of", count=service.waiting)
    if service.available != "open":
        return (count if service.waiting else ""), tongue.text(f"board.{service.available}"), True
    if service.waiting == 0:
        count = tongue.text("board.nobody")
    if service.left is not None and service.left <= FEW:
        return count, tongue.text("board.left", left=service.left), False
    if service.waiting == 0 or service.wait_min is None:
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
    for size in SIZES:
        made = _fill(services, tongue, size, wide, high - HEAD)
        if len(made) <= 1 and (not made or _tall(made[0], tongue, size, wide) <= high - HEAD):
            break
    return size, made


def panel_height(services: tuple[BoardService, ...], tongue: Tongue, wide: float, most: float) -> float:
    """What the highest page takes of at most `most` units; more than that where one service alone does."""
    size, made = pages(services, tongue, wide, most)
    return HEAD + max((_tall(page, tongue, size, wide) for page in made), default=0.0)


def _tall(page: tuple[BoardService, ...], tongue: Tongue, size: float, wide: float) -> float:
    return sum(row_height(service, tongue, size, wide) + _GAP for service in page)


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
    """Units."""
    room = (wide - 2 * _SIDE) / size
    tall: float = lines(tongue.local(service.name), room)
    tall += lines(tongue.local_under(service.name), room / UNDER) * UNDER
    return (tall + TOLD) * LEADING * size + 2 * _PAD


def waiting_panel(
    services: tuple[BoardService, ...], tongue: Tongue, beat: int, wide: float, high: float, *, stale: bool
) -> Box:
    """All services, or one page of them."""
    size, made = pages(services, tongue, wide, high)
    turn = beat % len(made) if made else 0
    shown = made[turn] if made else ()
    rows = [_row(service, tongue, size, stale) for service in shown]
    title = tongue.text("board.waiting")
    if below := tongue.under("board.waiting"):
        title = f"{title}  {below}"
    count = f"{turn + 1}/{len(made)}" if len(made) > 1 else ""
    top = row(
        Text(title, _TITLE, "soft", grow=1.0, lines=1, least=3.0),
        Text(count, _TITLE, "soft", "right"),
        gap=2.0, height=HEAD - _GAP, align="center",
    )  # fmt: skip
    return column(top, *rows, gap=_GAP, grow=1.0, name="waiting")


def _row(service: BoardService, tongue: Tongue, size: float, stale: bool) -> Box:
    count, wait, closed = wait_words(service, tongue)
    quiet = closed or stale
    told = size * TOLD
    name: list[Element] = [Text(tongue.local(service.name), size, "soft" if quiet else "ink", least=3.0)]
    if below := tongue.local_under(service.name):
        name.append(Text(below, size * UNDER, "soft", least=2.4))
    ink = "soft" if quiet or not service.waiting else "call"
    beside = row(
        Text(count, told, ink, lines=1, least=2.6),
        Text(wait, told, "warn" if closed and not stale else "soft", "right", lines=1, least=2.6, grow=1.0),
        gap=1.0,
    )
    return column(*name, beside, pad=(_SIDE, _PAD), fill="surface")
