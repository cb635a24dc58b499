"""What every voice has in common: the queue of its announcements, and those who wait for what became of them.

A child says what `first` gives in its `serve`, and ends each announcement with `_settle`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from drivers.voice.protocol import Announcement, SpeakResult, Voice
from drivers.voice.queue import AnnouncementQueue, Dropped

DEADLINE_LIMIT_S: Final = 300.0
"""No announcement waits longer, whatever a clock that was set wrong makes of its deadline."""
REPEAT_LIMIT: Final = 5


class QueuedVoice(Voice):
    """`now` is the clock of deadlines. `_wake` is set when there is something new to say."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now
        self._queue = AnnouncementQueue()
        self._results: dict[int, asyncio.Future[SpeakResult]] = {}
        self._wake = asyncio.Event()

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

    def _expire(self) -> None:
        self._settle(self._queue.expire(asyncio.get_running_loop().time()))

    def _settle(self, ended: Dropped) -> None:
        """Tell whoever waits for these what became of them."""
        for key, result in ended:
            future = self._results.get(key)
            if future is not None and not future.done():
                future.set_result(result)
