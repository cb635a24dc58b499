"""The queue between a keypad's line and whoever acts on its keys."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from drivers.keypad.protocol import KeyPress

log = logging.getLogger(__name__)

MAX_PRESSES: Final = 64
"""Presses kept while nobody takes them; the oldest go."""


class Presses:
    """Presses in order."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[KeyPress] = asyncio.Queue(MAX_PRESSES)

    def put(self, press: KeyPress) -> None:
        if self._queue.full():
            log.warning("nobody takes the keys: %s dropped", self._queue.get_nowait().key)
        self._queue.put_nowait(press)

    async def get(self) -> KeyPress:
        return await self._queue.get()
