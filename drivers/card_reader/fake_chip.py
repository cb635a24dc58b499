"""An IC card that does not exist, in bytes, for the virtual reader of Debian's vsmartcard-vpcd.

The virtual reader listens on a port of loopback for a card. Each message is a length (2, big-endian) and its
bytes; one byte is power off (00), on (01), reset (02) or "give the ATR" (04), which alone is answered; more
bytes are a command of the card. Source: vpcd's protocol as its documentation describes it.
"""

from __future__ import annotations

import asyncio
from typing import Final

MIFARE_1K: Final = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
CONTACT: Final = bytes.fromhex("3B00")


class FakeChip:
    """`await lay()` puts it into the reader, `await take()` takes it out. `commands` is what it was asked."""

    def __init__(self, uid: bytes, *, atr: bytes = MIFARE_1K, port: int) -> None:
        self.uid = uid
        self.atr = atr
        self.commands: list[bytes] = []
        self.has_uid = True
        """False: a contact card, which answers 6A 81."""
        self.wants_length = False
        """Answers 6C first."""
        self.garbled = 0
        """The next n answers are one byte long."""
        self.leave_when_asked = False
        """Is snatched away while it is asked for its UID."""
        self._port = port
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    async def lay(self) -> None:
        """Raises OSError when there is no virtual reader."""
        await self.take()
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._task = asyncio.create_task(self._serve(reader, self._writer))

    async def take(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                message = await reader.readexactly(size)
                if size == 1:
                    if message == b"\x04":
                        self._say(writer, self.atr)
                    continue
                self.commands.append(message)
                if self.leave_when_asked:
                    self.leave_when_asked = False
                    writer.close()
                    return
                self._say(writer, self._answer(message))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the daemon ended

    def _answer(self, command: bytes) -> bytes:
        if self.garbled:
            self.garbled -= 1
            return b"\x90"
        if command[:4] != b"\xff\xca\x00\x00":
            return b"\x6d\x00"
        if not self.has_uid:
            return b"\x6a\x81"
        if self.wants_length and command[4] == 0:
            return bytes((0x6C, len(self.uid)))
        return self.uid + b"\x90\x00"

    def _say(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(len(data).to_bytes(2, "big") + data)
