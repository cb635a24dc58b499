"""The hall display and the counter panels, without their pixels: what stands on them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from simulator.screen_client import ScreenClient
from wire.messages import Board, CounterState, PromptRating
from wire.screen_link import BoardShown, CounterShown, ScreenRole, ToScreen


class BoardScreen(ScreenClient):
    """The hall display: recent calls, waiting, missed. `stale`: marked as old."""

    role: ClassVar[ScreenRole] = "board"

    def __init__(self, path: Path, station: str) -> None:
        super().__init__(path, station)
        self.board: Board | None = None
        self.stale = True

    def received(self, message: ToScreen) -> None:
        if isinstance(message, BoardShown):
            self.board = message.board
            self.stale = message.stale

    def forget(self) -> None:
        self.board = None
        self.stale = True


class CounterScreen(ScreenClient):
    """The rating panel of a counter: a grade is pressed on the keypad beside it."""

    role: ClassVar[ScreenRole] = "rating"

    def __init__(self, path: Path, station: str) -> None:
        super().__init__(path, station)
        self.counter: CounterState | None = None
        self.prompt: PromptRating | None = None
        self.text_url = ""
        """Where a text can be written about the newest service; as the panel's QR code says it."""
        self.stale = True
        self._news = asyncio.Event()

    def received(self, message: ToScreen) -> None:
        if isinstance(message, CounterShown):
            self.counter = message.counter
            self.prompt = message.prompt
            if message.prompt is not None:
                self.text_url = message.prompt.url
            self.stale = message.stale

    def forget(self) -> None:
        self.counter = None
        self.prompt = None
        self.text_url = ""
        self.stale = True

    def changed(self) -> None:
        self._news.set()
        super().changed()

    async def next_change(self, timeout: float) -> bool:
        """Wait until something else is shown; False when nothing was for `timeout` seconds."""
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), timeout)
        except TimeoutError:
            return False
        return True
