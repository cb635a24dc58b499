"""What every voice has in common: the queue of its announcements, and those who wait for what became of them.

A child says what `first` gives in its `serve`, and ends each announcement with `_settle`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from drivers.voice.protocol import NO_FREE_TEXT, Announcement, SpeakResult, Voice
from drivers.voice.queue import EXPIRED, SUPERSEDED, AnnouncementQueue, Dropped

DEADLINE_LIMIT_S: Final = 300.0
"""No announcement waits longer, whatever a clock that was set wrong makes of its deadline."""
REPEAT_LIMIT: Final = 5
FREE_TEXT_S: Final = 15.0
"""A free text that could not be begun by then (calls, a loudspeaker that is lost) is dropped."""


@dataclass(slots=True, eq=False)
class FreeText:
    """What `speak` was told; `ended` is set by whoever ends it."""

    text: str
    language: str
    volume: int
    ended: asyncio.Future[SpeakResult]
    begun: bool = False

    def too_late(self) -> None:
        """What could not be begun by now is of no use any more."""
        if not self.begun:
            self.end(EXPIRED)

    def end(self, result: SpeakResult) -> None:
        if not self.ended.done():
            self.ended.set_result(result)


class QueuedVoice(Voice):
    """`now` is the clock of deadlines. `_wake` is set when there is something new to say.

    `_free`: the text that is to be said when no announcement is there; only in voices that `speaks_freely`.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now
        self._queue = AnnouncementQueue()
        self._results: dict[int, asyncio.Future[SpeakResult]] = {}
        self._wake = asyncio.Event()
        self._free: FreeText | None = None

    async def say(self, announcement: Announcement) -> SpeakResult:
        loop = asyncio.get_running_loop()
        left = min((announcement.deadline - self._now()).total_seconds(), DEADLINE_LIMIT_S)
        deadline = loop.time() + left
        key, dropped = self._queue.put(announcement, deadline, loop.time())
        result: asyncio.Future[SpeakResult] = loop.create_future()
        self._results[key] = result
        self._settle(dropped)
        self._wake.set()
        timer = loop.call_at(deadline, self._expire)
        try:
            return await result
        finally:
            timer.cancel()
            self._queue.withdraw(key)
            self._results.pop(key, None)

    async def speak(self, text: str, language: str = "zh-CN", volume: int = 100) -> SpeakResult:
        if not self.speaks_freely:
            return SpeakResult("failed", NO_FREE_TEXT)
        before, self._free = self._free, None
        if before is not None:
            before.end(SUPERSEDED)
        self._wake.set()
        if not any(map(str.isalnum, text)):
            return SpeakResult("done")
        mine = FreeText(text, language, volume, asyncio.get_running_loop().create_future())
        self._free = mine
        timer = asyncio.get_running_loop().call_later(FREE_TEXT_S, mine.too_late)
        try:
            return await mine.ended
        finally:
            timer.cancel()
            if self._free is mine:
                self._free = None
                self._wake.set()

    def _expire(self) -> None:
        self._settle(self._queue.expire(asyncio.get_running_loop().time()))

    def _settle(self, ended: Dropped) -> None:
        """Tell whoever waits for these what became of them."""
        for key, result in ended:
            future = self._results.get(key)
            if future is not None and not future.done():
                future.set_result(result)
