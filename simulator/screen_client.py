"""A screen's side of the socket between an agent and its screens (`wire.screen_link`).

It connects again for ever, as a real screen program does, says which station it is and hands each line
to its child. What it shows is what the agent said on this connection, nothing kept.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from wire.codec import BadMessageError
from wire.screen_link import (
    MAX_LINE,
    LinkMessage,
    ScreenHello,
    ScreenRole,
    ToScreen,
    decode_to_screen,
    encode_line,
)

log = logging.getLogger(__name__)

RETRY_S: Final = 0.3


class ScreenClient(ABC):
    """Base of the simulated screens. `on_change` is called after anything that the screen shows changed."""

    role: ClassVar[ScreenRole]

    def __init__(self, path: Path, station: str) -> None:
        self.path = path
        self.station = station
        self.connected = False
        self.on_change: Callable[[], None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"screen {self.station}")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @abstractmethod
    def received(self, message: ToScreen) -> None:
        """Take what the agent said."""

    @abstractmethod
    def forget(self) -> None:
        """The agent is gone: show nothing that it said."""

    def send(self, message: LinkMessage) -> bool:
        """False when no agent is there: the touch had no effect."""
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(encode_line(message))
        return True

    def changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    async def _run(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self.path), limit=MAX_LINE)
            except OSError:
                await asyncio.sleep(RETRY_S)
                continue
            self._writer = writer
            try:
                writer.write(encode_line(ScreenHello(station=self.station, role=self.role)))
                self.connected = True
                await self._read(reader)
            except (OSError, ValueError) as error:
                log.debug("screen %s: %s", self.station, error)
            finally:
                self._writer = None
                self.connected = False
                writer.transport.abort()
                self.forget()
                self.changed()
            await asyncio.sleep(RETRY_S)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            try:
                message = decode_to_screen(line)
            except BadMessageError as error:
                log.warning("screen %s: %s", self.station, error)
                continue
            self.received(message)
            self.changed()
