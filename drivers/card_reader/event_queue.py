"""The events of a reader that wait for the station: few, and not for long."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from drivers.card_reader.protocol import CardEvent

EVENT_LIMIT: Final = 8
EVENT_AGE_S: Final = 30.0
"""An event that nobody took by then is forgotten, and what was read with it."""


class EventQueue:
    """Bounded, oldest dropped. `forget_old` is to be called now and then."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, CardEvent]] = deque(maxlen=EVENT_LIMIT)
        self._came = asyncio.Event()

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: CardEvent) -> None:
        self._events.append((asyncio.get_running_loop().time(), event))
        self._came.set()

    async def get(self) -> CardEvent:
        while True:
            self.forget_old()
            if self._events:
                return self._events.popleft()[1]
            self._came.clear()
            await self._came.wait()

    def forget_old(self) -> None:
        oldest = asyncio.get_running_loop().time() - EVENT_AGE_S
        while self._events and self._events[0][0] < oldest:
            self._events.popleft()
