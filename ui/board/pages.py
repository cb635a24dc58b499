"""The hall display's page: which parts stand where, by the size and shape of the screen.

Lying and large: calls on the left, on the right the playlist and who waits. Standing: one below the other.
Small: one column; below the large call the list, who waits and the playlist take turns.
"""

from __future__ import annotations

from typing import Final

from ui.board.calls import call_list, large_call, list_height, set_list
from ui.board.header import header, header_height, stale_height, stale_line
from ui.board.notices import band, band_height, band_pieces
from ui.board.picture import playlist_box
from ui.board.seen import Seen
from ui.board.spotlight import key_of
from ui.board.waiting import pages, panel_height, waiting_panel
from ui.elements import Art, Box, Element, Page, Text, column, growing, row
from ui.screen import Screen
from wire.messages import BoardCall

GAP: Final = 2.0
STRIP: Final = 3.0
"""A screen that is so many times as wide as high has room side by side, however small it is."""
LEAST_LARGE: Final = 29.0
"""Height of the large call at least."""
LEFT: Final = 0.62
"""Share of a lying screen's width that the calls have."""
LOWER: Final = 0.55
"""Share of a small screen's height that takes turns."""
ASIDE_PAGES: Final = 3
"""Who waits takes so many pages beside the playlist at most; else both take turns."""


def display_page(seen: Seen, screen: Screen) -> Page:
    """What stands at that moment; never blank."""
    wide, high = screen.width / screen.unit, screen.height / screen.unit
    portrait = screen.portrait
    if seen.board is None:
        return Page("board_starting", _starting(seen, wide, portrait), seen.tongue.first)
    parts: list[Element] = [header(seen, wide, portrait=portrait)]
    room = high - header_height(seen, portrait=portrait) - 2 * GAP
    if seen.stale:
        parts.append(stale_line(seen, portrait=portrait))
        room -= stale_height(seen, portrait=portrait)
    pieces = band_pieces(seen.board.announcements, seen.board.missed, seen.tongue, wide)
    foot = band_height(pieces, wide)
    room -= foot
    across = wide - 2 * GAP
    if portrait:
        body = _standing(seen, across, room)
    elif screen.small and wide < STRIP * high:
        body = _small(seen, across, room)
    else:
        body = _lying(seen, across, room)
    parts.append(Box((body,), pad=GAP, grow=1.0))
    if pieces:
        parts.append(band(pieces, seen.beat, foot))
    return Page("board_stale" if seen.stale else "board", column(*parts), seen.tongue.first)


def _starting(seen: Seen, wide: float, portrait: bool) -> Element:
    tongue = seen.tongue
    words: list[Element] = []
    for key, size in (("board.starting", 7.2), ("board.starting_do", 5.2)):
        words.append(Text(tongue.text(key), size, "ink", "center"))
        if below := tongue.under(key):
            words.append(Text(below, size * 0.66, "soft", "center"))
    clock = column(Art("clock", 14.0, 14.0, "soft"), align="center")
    return column(
        header(seen, wide, portrait=portrait),
        column(clock, *words, gap=3.0, pad=4.0, justify="center", grow=1.0),
    )  # fmt: skip


def _calls(seen: Seen, wide: float, high: float, *, small: bool = False) -> list[Element]:
    """The large call and the list below it, on `high` units."""
    others = _others(seen)
    grid, shown = set_list(others, seen.tongue, wide, high - GAP - LEAST_LARGE, small=small)
    if not shown:
        return [growing(large_call(seen, wide, high), high)]
    tall = min(list_height(grid, seen.tongue), high - GAP - LEAST_LARGE)
    top = high - GAP - tall
    return [growing(large_call(seen, wide, top), top), growing(call_list(seen, shown, grid), tall)]


def _others(seen: Seen) -> tuple[BoardCall, ...]:
    large = key_of(seen.large) if seen.large is not None else None
    return tuple(call for call in seen.calls if key_of(call) != large)


def _waiting(seen: Seen, turn: int, wide: float, high: float) -> Box:
    return waiting_panel(seen.services, seen.tongue, turn, wide, high, stale=seen.stale)


def _lying(seen: Seen, wide: float, high: float) -> Element:
    if not seen.services and seen.picture is None:
        return column(*_calls(seen, wide, high), gap=GAP, grow=1.0)
    left = (wide - GAP) * LEFT
    right = wide - GAP - left
    return row(
        column(*_calls(seen, left, high), gap=GAP, grow=left),
        column(*_aside(seen, right, high, right * 9 / 16 + 7.0), gap=GAP, grow=right),
        gap=GAP,
        grow=1.0,
    )


def _standing(seen: Seen, wide: float, high: float) -> Element:
    if not seen.services and seen.picture is None:
        return column(*_calls(seen, wide, high), gap=GAP, grow=1.0)
    most = high * 0.5 if seen.services and seen.picture is not None else high * 0.42
    below = panel_height(seen.services, seen.tongue, wide, most) if seen.picture is None else most
    top = high - GAP - below
    return column(
        column(*_calls(seen, wide, top), gap=GAP, grow=top),
        column(*_aside(seen, wide, below, min(wide * 9 / 16, below * 0.5)), gap=GAP, grow=below),
        gap=GAP,
        grow=1.0,
    )


def _aside(seen: Seen, wide: float, high: float, picture: float) -> list[Element]:
    """The playlist, `picture` units high, over who waits; in turn where both do not fit."""
    if seen.picture is None:
        return [growing(_waiting(seen, seen.beat, wide, high), high)]
    if not seen.services:
        return [growing(playlist_box(seen.picture, seen.tongue, wide, high), high)]
    rest = high - picture - GAP
    _, made = pages(seen.services, seen.tongue, wide, rest)
    if len(made) <= ASIDE_PAGES and panel_height(seen.services, seen.tongue, wide, rest) <= rest:
        return [
            growing(playlist_box(seen.picture, seen.tongue, wide, picture), picture),
            growing(_waiting(seen, seen.beat, wide, rest), rest),
        ]
    return [growing(_in_turn(seen, wide, high, seen.beat), high)]


def _in_turn(seen: Seen, wide: float, high: float, turn: int) -> Element:
    """The pages of who waits, and after every second one the playlist."""
    _, made = pages(seen.services, seen.tongue, wide, high)
    turns: list[int | None] = []
    for n in range(len(made)):
        turns.append(n)
        if seen.picture is not None and (n % 2 == 1 or n == len(made) - 1):
            turns.append(None)
    if not turns:
        turns = [None]
    which = turns[turn % len(turns)]
    if which is None and seen.picture is not None:
        return playlist_box(seen.picture, seen.tongue, wide, high)
    return _waiting(seen, which or 0, wide, high)


def _small(seen: Seen, wide: float, high: float) -> Element:
    others = _others(seen)
    aside = bool(seen.services) or seen.picture is not None
    calling = seen.large is not None and key_of(seen.large) in seen.fresh
    if not aside or (others and (calling or seen.beat % 2 == 0)):
        return column(*_calls(seen, wide, high, small=True), gap=GAP, grow=1.0)
    tall = high * LOWER
    top = high - tall - GAP
    turn = seen.beat // 2 if others else seen.beat
    return column(
        growing(large_call(seen, wide, top), top),
        growing(_in_turn(seen, wide, tall, turn), tall),
        gap=GAP,
        grow=1.0,
    )
