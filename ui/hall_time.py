"""The hall's clock on a screen, and its hours: from what the agent says, run on by the monotonic clock."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from math import inf
from typing import Final

from wire.screen_link import TimeShown
from wire.texts import text

_SPAN: Final = re.compile(r"([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])\Z")
_NOON: Final = 12 * 60


class HallTime:
    """`heard` every `TimeShown`; `at` is None until one came that can be trusted."""

    def __init__(self) -> None:
        self._said: tuple[datetime, float] | None = None

    def heard(self, message: TimeShown, now: float) -> None:
        self._said = (message.at, now) if message.trusted else None

    def at(self, now: float) -> datetime | None:
        """The hall's local time."""
        if self._said is None:
            return None
        at, since = self._said
        return at + timedelta(seconds=max(0.0, now - since))

    def next_minute(self, now: float) -> float:
        """When the minute changes, by the monotonic clock; never where there is no time."""
        at = self.at(now)
        return inf if at is None else now + to_minute(at)


def to_minute(at: datetime) -> float:
    """Seconds until the minute changes, at least 0.001."""
    return max(0.001, 60 - at.second - at.microsecond / 1e6)


def minute_of(at: datetime) -> int:
    """Minutes since midnight."""
    return at.hour * 60 + at.minute


def spans(hours: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Spans such as "08:30-11:45" as minutes since midnight, in order; what is no span is left out."""
    found = []
    for words in hours:
        if (match := _SPAN.match(words)) is not None:
            first, last = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
            if first < last:
                found.append((first, last))
    return tuple(sorted(found))


def is_open(hours: tuple[str, ...], at: datetime) -> bool:
    """Whether a span holds `at`; hours of which nothing is said never close."""
    whole = spans(hours)
    return not whole or any(first <= minute_of(at) < last for first, last in whole)


def next_start(hours: tuple[str, ...], at: datetime) -> int | None:
    """The minute since midnight at which the next span of today begins; None: no more today."""
    return next((first for first, _ in spans(hours) if first > minute_of(at)), None)


def part_and_time(minute: int, language: str) -> str:
    """上午 08:30, 下午 13:30; in English the time alone."""
    key = "time.morning" if minute < _NOON else "time.afternoon"
    return text(key, language, time=f"{minute // 60:02}:{minute % 60:02}")


def hours_in_words(hours: tuple[str, ...]) -> str:
    """08:30–11:45 13:30–16:45."""
    return "  ".join(
        f"{first // 60:02}:{first % 60:02}–{last // 60:02}:{last % 60:02}" for first, last in spans(hours)
    )


def day_in_words(day: date, language: str) -> str:
    """11月23日 星期一, Monday 23 November."""
    month = text(f"time.month_{day.month}", language, day=day.day)
    weekday = text(f"time.weekday_{day.isoweekday()}", language)
    return text("time.day", language, date=month, weekday=weekday)
