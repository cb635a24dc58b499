"""A network loudspeaker that does not exist: takes WAV files on a TCP port and "plays" them in time.

Knows nothing of the driver's code: one connection, one WAV; its words are read from the INAM chunk. When
the last sample would have been heard it answers `PLAYED <samples>` and closes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from drivers.transport.fake import FakeDevice

WAV_LIMIT: Final = 16 << 20
"""A longer file is hung up on."""
KEPT: Final = 20
"""So many of the last announcements are kept, with their sound."""


@dataclass(frozen=True, slots=True)
class Played:
    """One announcement. `complete`: heard to its end; `at`: loop time of its first sample."""

    text: str
    seconds: float
    at: float
    complete: bool
    wav: bytes = field(repr=False)


class FakeLoudspeaker(FakeDevice):
    """Its own line: `plug`, `unplug`, `port`. `speed`: so many times faster than real time."""

    def __init__(self, *, port: int = 0, speed: float = 1.0, acknowledges: bool = True) -> None:
        super().__init__()
        self.port = port
        self.speed = speed
        self.acknowledges = acknowledges
        """False: a plain player behind a socket, which only closes at the end."""
        self.silent = False
        """Takes the sound, plays nothing and never closes."""
        self.refusing = False
        """Hangs up at once."""
        self.dies_at: float | None = None
        """Hangs up after this share (0–1) of the sound."""
        self.played: deque[Played] = deque(maxlen=KEPT)
        self.count = 0
        """Announcements heard to their end."""
        self.overlaps = 0
        """How often one began before another had ended."""
        self.playing: str | None = None
        """The words that are being spoken."""
        self.sound: bytes | None = None
        """The WAV of them."""
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._active = 0

    @property
    def plugged_in(self) -> bool:
        return self._server is not None

    async def plug(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]
            self.plugged()

    async def unplug(self) -> None:
        """Off: what is being played breaks off. Also the end of it."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for writer, task in list(self._connections.items()):
            writer.transport.abort()
            if task is not None:
                task.cancel()
        self.changed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[writer] = asyncio.current_task()
        try:
            if self.refusing:
                writer.transport.abort()
                return
            wav = b""
            while data := await reader.read(65536):
                wav += data
                if len(wav) > WAV_LIMIT:
                    return
            found = _look_into(wav)
            if found is not None:
                await self._play(wav, *found, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # hung up, or unplugged
        finally:
            del self._connections[writer]
            writer.close()

    async def _play(
        self, wav: bytes, text: str, samples: int, rate: int, writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        seconds, begun = samples / rate, loop.time()
        self.overlaps += self._active > 0
        self._active += 1
        self.playing, self.sound = text, wav
        self.changed()
        complete = False
        try:
            if self.silent:
                await asyncio.Event().wait()
            share = 1.0 if self.dies_at is None else self.dies_at
            left = seconds * share
            while left > 0:  # in steps, so that a new `speed` is heard at once
                step = min(left, 0.05 * self.speed)
                await asyncio.sleep(step / self.speed)
                left -= step
            if self.dies_at is not None:
                writer.transport.abort()
                return
            complete = True
            self.count += 1
            if self.acknowledges:
                writer.write(b"PLAYED %d\n" % samples)
                with contextlib.suppress(ConnectionError):
                    await writer.drain()
        finally:
            self._active -= 1
            self.playing = self.sound = None
            self.played.append(Played(text, seconds, begun, complete, wav))
            self.changed()


def _look_into(wav: bytes) -> tuple[str, int, int] | None:
    """Words, samples, samples a second; None when it is no WAV of 16-bit PCM."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        return None
    text, rate, frame, at = "", 0, 0, 12
    while at + 8 <= len(wav):
        name, size = wav[at : at + 4], int.from_bytes(wav[at + 4 : at + 8], "little")
        body = wav[at + 8 : at + 8 + size]
        if name == b"fmt " and size >= 16:
            rate, frame = int.from_bytes(body[4:8], "little"), int.from_bytes(body[12:14], "little")
        elif name == b"LIST" and body[:4] == b"INFO" and body[4:8] == b"INAM":
            length = int.from_bytes(body[8:12], "little")
            text = body[12 : 12 + length].rstrip(b"\0").decode("utf-8", "replace")
        elif name == b"data":
            # a file that was cut off is not played
            return (text, size // frame, rate) if rate and frame and len(body) == size else None
        at += 8 + size + size % 2
    return None
