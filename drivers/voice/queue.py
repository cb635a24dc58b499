"""The announcement queue of one loudspeaker. Pure: the time is given, nothing waits here.

One is spoken at a time; the greatest priority goes first, then the order of arrival. What has not begun
by its deadline never begins. A newer announcement of the same number takes the older one's place as long
as that has not begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.voice.protocol import Announcement, SpeakResult

QUEUE_LIMIT: Final = 32
"""Waiting announcements; at 4 s each more than two minutes of talk."""

EXPIRED: Final = SpeakResult("expired", "voice.busy")
SUPERSEDED: Final = SpeakResult("superseded")
OVERFLOWED: Final = SpeakResult("failed", "voice.queue_full")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One in the queue. `key` is its own; `deadline` in the seconds of the clock that is used."""

    key: int
    announcement: Announcement
    deadline: float
    order: int


Dropped = list[tuple[int, SpeakResult]]
"""Keys that left the queue without being spoken, and why."""


class AnnouncementQueue:
    def __init__(self, limit: int = QUEUE_LIMIT) -> None:
        self._limit = limit
        self._waiting: list[Waiting] = []
        self._next_key = 0
        self.speaking: int | None = None
        """The key of the one that has begun and not ended."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, announcement: Announcement, deadline: float, now: float) -> tuple[int, Dropped]:
        """The new key, and what was dropped for it, perhaps itself."""
        key, dropped = self._next_key, self.expire(now)
        self._next_key += 1
        if now >= deadline:
            return key, [*dropped, (key, EXPIRED)]
        order = key
        for older in self._waiting:
            if older.announcement.number == announcement.number:
                self._waiting.remove(older)
                dropped.append((older.key, SUPERSEDED))
                order = older.order
                break
        self._waiting.append(Waiting(key, announcement, deadline, order))
        self._waiting.sort(key=lambda one: (-one.announcement.priority, one.order))
        if len(self._waiting) > self._limit:
            dropped.append((self._waiting.pop().key, OVERFLOWED))
        return key, dropped

    def first(self) -> Waiting | None:
        """The one that goes next, when nothing is being spoken."""
        return self._waiting[0] if self._waiting and self.speaking is None else None

    def begin(self, key: int, now: float) -> bool:
        """Begin to speak `key`: only when it is the first, nothing is spoken and its deadline is ahead."""
        first = self.first()
        if first is None or first.key != key or now >= first.deadline:
            return False
        self._waiting.pop(0)
        self.speaking = key
        return True

    def end(self) -> None:
        """What was being spoken has ended, well or not."""
        self.speaking = None

    def expire(self, now: float) -> Dropped:
        """Drop all whose deadline has come."""
        late = [one for one in self._waiting if now >= one.deadline]
        self._waiting = [one for one in self._waiting if now < one.deadline]
        return [(one.key, EXPIRED) for one in late]

    def withdraw(self, key: int) -> None:
        """Nobody waits for `key` any more; nothing when it has begun or is gone."""
        self._waiting = [one for one in self._waiting if one.key != key]
