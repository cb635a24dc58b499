"""The head of a hall display: whose hall it is, its hours today, day and time; and the mark of age."""

from __future__ import annotations

from datetime import date
from typing import Final

from ui.board.seen import Seen
from ui.elements import Art, Box, Element, Gap, Text, column, row
from ui.ems import ems, size_for
from ui.hall_time import day_in_words, hours_in_words, is_open, next_start, part_and_time, spans
from wire.messages import Board
from wire.texts import text

_LYING: Final = 12.0
_STANDING: Final = 22.0


def header_height(seen: Seen, *, portrait: bool) -> float:
    """Units; a standing screen has two rows."""
    more = 4.0 if seen.tongue.second is not None else 0.0
    return _STANDING + more if portrait else _LYING + more / 2


def header(seen: Seen, wide: float, *, portrait: bool) -> Box:
    """`wide`: units of the screen's width. The clock only where it can be trusted."""
    high = header_height(seen, portrait=portrait)
    if seen.board is None and seen.at is None and not seen.hall_name:
        return Box(height=high, fill="accent", radius=0, name="header")
    name, hours, day, time = _hall(seen, wide), _hours_text(seen, wide), _day(seen), _clock(seen)
    names: Element = column(*name, grow=1.0, justify="center") if name else Gap(grow=1.0)
    if portrait:
        below: Element = column(*hours, grow=1.0) if hours else Gap(grow=1.0)
        body: Element = column(
            row(names, *time, gap=2.6, align="center", grow=1.2),
            row(below, *day, gap=2.6, align="center", grow=1.0),
            grow=1.0,
        )
    else:
        left = column(*name, *hours, grow=1.0, justify="center") if name or hours else names
        body = row(left, *day, *time, gap=2.6, align="center", grow=1.0)
    return Box((body,), pad=(3.0, 0.8), height=high, fill="accent", radius=0, name="header")


def _hall(seen: Seen, wide: float) -> list[Element]:
    made: list[Element] = []
    room, tongue = _room(wide), seen.tongue
    names = (seen.board.hall_name if seen.board is not None else {}) or seen.hall_name
    if name := _with_zone(tongue.local(names), tongue.local(seen.zone), room / 3.6):
        made.append(Text(name, size_for([name], room, 5.8, 3.6), "accent_ink", lines=1, least=2.4))
    if below := _with_zone(tongue.local_under(names), tongue.local_under(seen.zone), room / 2.4):
        made.append(Text(below, size_for([below], room, 3.4, 2.4), "accent_ink", lines=1, least=1.8))
    return made


def _with_zone(hall: str, zone: str, width: float) -> str:
    """Both on `width` heights of type; without room the zone, which says more to who stands here."""
    both = "  ".join(part for part in (hall, zone) if part)
    return both if not zone or ems(both) <= width else zone


def _room(wide: float) -> float:
    """What the clock, and on a lying screen the day, leave."""
    return wide - 30.0 if wide < 120.0 else wide - 68.0


def _hours_text(seen: Seen, wide: float) -> list[Element]:
    words = _hours(seen, seen.board) if seen.board is not None else ""
    room = wide - 50.0 if wide < 120.0 else _room(wide)
    return [Text(words, size_for([words], room, 3.6, 2.6), "accent_ink", lines=1, least=2.0)] if words else []


def _day(seen: Seen) -> list[Element]:
    if seen.at is None:
        return []
    tongue = seen.tongue
    made: list[Element] = [
        Text(day_in_words(seen.at.date(), tongue.first), 4.0, "accent_ink", "right", lines=1, least=3.0)
    ]
    if tongue.second is not None:
        made.append(
            Text(day_in_words(seen.at.date(), tongue.second), 3.2, "accent_ink", "right", lines=1, least=2.6)
        )
    return [column(*made, justify="center")]


def _clock(seen: Seen) -> list[Element]:
    if seen.at is None:
        return []
    return [Text(f"{seen.at:%H:%M}", 8.0, "accent_ink", strong=True, lines=1)]


def _hours(seen: Seen, board: Board) -> str:
    """Today's hours; outside them, when they begin."""
    tongue = seen.tongue
    if closed := closed_words(seen, tongue.first):
        return closed
    if not spans(board.hours) or (seen.at is not None and seen.at.date() != board.business_date):
        return ""
    return tongue.text("board.hours", hours=hours_in_words(board.hours))


def closed_words(seen: Seen, language: str) -> str:
    """Outside the hours: when they begin, today or on another day, or that they are over for today; else "".

    After midnight what the board says of its hours is of the day before.
    """
    board, at = seen.board, seen.at
    if board is None or at is None:
        return ""
    again = _again(board)
    if at.date() != board.business_date:
        past = again is None or again < at.date() or (seen.stale and again == at.date())
        return "" if past else _until("rest", again, language)
    if board.services and not any(service.today for service in board.services):
        return _until("not_today", again, language)
    if is_open(board.hours, at):
        return ""
    start = next_start(board.hours, at)
    if start is None:
        return _until("over", again, language)
    return text("board.rest", language, when=part_and_time(start, language))


def _again(board: Board) -> date | None:
    """The next day on which numbers are given; None: still today, or not known."""
    days = [service.again for service in board.services if service.available != "closed"]
    known = [day for day in days if day is not None]
    return min(known) if known and len(known) == len(days) else None


def _until(what: str, again: date | None, language: str) -> str:
    if again is None:
        return text(f"board.{what}", language)
    day = text(f"time.month_{again.month}", language, day=again.day)
    return text(f"board.{what}_until", language, day=day)


def stale_height(seen: Seen, *, portrait: bool) -> float:
    more = 4.0 if seen.tongue.second is not None else 0.0
    return (16.0 if portrait else 8.0) + more


def stale_line(seen: Seen, *, portrait: bool) -> Box:
    """That what stands below is old, and since when."""
    tongue = seen.tongue
    words: list[Element] = [Text(tongue.text("board.stale"), 4.6, "warn_ink", least=3.4)]
    if below := tongue.under("board.stale"):
        words.append(Text(below, 3.4, "warn_ink", least=2.6))
    since: list[Element] = []
    if seen.news_at is not None:
        time = f"{seen.news_at:%H:%M}"
        if seen.at is not None and seen.news_at.date() != seen.at.date():
            time = f"{day_in_words(seen.news_at.date(), tongue.first)} {time}"
        said = tongue.text("board.stale_since", time=time)
        since = [Text(said, 4.0, "warn_ink", "left" if portrait else "right", least=3.0)]
    mark = Art("warning", 6.0, 6.0, "warn_ink")
    if portrait:
        parts: list[Element] = [mark, column(*words, *since, grow=1.0, justify="center")]
    else:
        parts = [mark, column(*words, grow=1.0, justify="center"), *since]
    return row(
        *parts,
        gap=2.0, pad=(3.0, 0.8), height=stale_height(seen, portrait=portrait), fill="warn", radius=0,
        align="center", name="stale",
    )  # fmt: skip
