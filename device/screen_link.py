"""The local stream socket of the node's screens; see `wire.screen_link` for what is said on it.

A screen that reads too slowly, or writes what is no line of the protocol or not for its role, is closed: it
connects again and gets the whole state at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol

from wire.codec import BadMessageError
from wire.screen_link import (
    MAX_LINE,
    MAY_SAY,
    LinkMessage,
    ScreenHello,
    ScreenRole,
    ToAgent,
    decode_to_agent,
    encode_line,
)

logger = logging.getLogger(__name__)

QUEUE: Final = 64
"""Lines that wait for one screen; one more and it is closed."""
CLIENTS: Final = 16
"""Screens at once; the oldest makes room."""
WAITING: Final = 16
"""New clients that have not said who they are; the oldest makes room."""
HELLO_S: Final = 5.0
"""How long a new client may take to say who it is."""


class ScreenStation(Protocol):
    """A station as its screens see it."""

    def whole(self) -> list[LinkMessage]:
        """The present state, for a screen that has just come."""

    async def on_screen(self, message: ToAgent) -> None:
        """Something was touched."""


class ScreenLink:
    """`path` None: a node without screens, where `send` does nothing.

    Attributes:
        greeting: Gives what every new screen is told first.
        on_change: Called when a screen has come or gone.
    """

    def __init__(self, path: str | None, stations: dict[str, ScreenStation]) -> None:
        self._path = Path(path) if path is not None else None
        self._stations = stations
        self._clients: dict[_Client, ScreenHello] = {}
        self._waiting: dict[_Client, None] = {}
        self._server: asyncio.Server | None = None
        self.bad_lines = 0
        self.greeting: Callable[[], list[LinkMessage]] | None = None
        self.on_change: Callable[[], None] | None = None

    async def start(self) -> None:
        """Raises OSError when the socket cannot be made."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # A socket that a killed agent left behind refuses connections: take its place.
        self._path.unlink(missing_ok=True)
        before = os.umask(0o117)
        try:
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(str(self._path))
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=MAX_LINE)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in list(self._clients):
            client.close("the agent stops")
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def has_screen(self, station: str, role: ScreenRole) -> bool:
        """Whether a screen of this station is there."""
        return any(hello.station == station and hello.role == role for hello in self._clients.values())

    def send(self, station: str, message: LinkMessage, role: ScreenRole | None = None) -> None:
        """To every screen of `station`, or those of one role."""
        if not self._clients:
            return
        line = encode_line(message)
        for client, hello in list(self._clients.items()):
            if hello.station == station and role in (None, hello.role):
                client.send(line)

    def tell(self, message: LinkMessage) -> None:
        """To every screen of the node."""
        line = encode_line(message) if self._clients else b""
        for client in list(self._clients):
            client.send(line)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(reader, writer)
        try:
            hello = await self._hello(client)
            while len(self._clients) >= CLIENTS:
                _close_oldest(self._clients)
                self._changed()
            station = self._stations[hello.station]
            self._clients[client] = hello
            greeting = self.greeting() if self.greeting is not None else []
            for message in (*greeting, *station.whole()):
                client.send(encode_line(message))
            logger.info("%s screen of %s is there", hello.role, hello.station)
            self._changed()
            await client.run(station.on_screen, MAY_SAY[hello.role])
        except BadMessageError as error:
            self.bad_lines += 1
            logger.warning("a screen is closed: %s", error.reason)
        except (TimeoutError, ConnectionError, EOFError) as error:
            logger.info("a screen has gone: %s", error or type(error).__name__)
        except Exception:
            # A station's bug closes one screen, not the agent.
            logger.exception("a screen is closed")
        finally:
            client.close("done")
            if self._clients.pop(client, None) is not None:
                self._changed()

    async def _hello(self, client: _Client) -> ScreenHello:
        """Raises BadMessageError, TimeoutError, EOFError, ConnectionError."""
        if len(self._waiting) >= WAITING:
            _close_oldest(self._waiting)
        self._waiting[client] = None
        try:
            async with asyncio.timeout(HELLO_S):
                hello = await client.read()
        finally:
            self._waiting.pop(client, None)
        if not isinstance(hello, ScreenHello) or hello.station not in self._stations:
            raise BadMessageError("no hello of a station of this node")
        return hello

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()


def _close_oldest(clients: dict[_Client, Any]) -> None:
    oldest = next(iter(clients))
    del clients[oldest]
    oldest.close("too many")


class _Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE)

    def send(self, line: bytes) -> None:
        try:
            self._queue.put_nowait(line)
        except asyncio.QueueFull:
            self.close("a screen reads too slowly")

    def close(self, why: str) -> None:
        if not self._writer.is_closing():
            logger.debug("closing a screen: %s", why)
            self._writer.transport.abort()

    async def read(self) -> ToAgent:
        """Raises BadMessageError, EOFError, ConnectionError."""
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            raise EOFError("closed") from error
        except asyncio.LimitOverrunError as error:
            raise BadMessageError(f"a line longer than {MAX_LINE} bytes") from error
        return decode_to_agent(line)

    async def run(
        self, on_message: Callable[[ToAgent], Awaitable[None]], may_say: tuple[type[LinkMessage], ...]
    ) -> None:
        writing = asyncio.create_task(self._write(), name="screen writer")
        try:
            while True:
                message = await self.read()
                if not isinstance(message, may_say):
                    raise BadMessageError(f"{type(message).__name__} is not for its role")
                await on_message(message)
        finally:
            writing.cancel()
            await asyncio.wait([writing])

    async def _write(self) -> None:
        while True:
            self._writer.write(await self._queue.get())
            await self._writer.drain()
