"""A line inside one process: a driver's `Transport` joined to its fake, byte by byte, without a kernel.

For tests that need every byte position in a short time, and for programs without a pty.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from drivers.errors import LineLostError, WriteStalledError
from drivers.transport.descriptor import READ_SIZE
from drivers.transport.fake import BUFFER_LIMIT, FakeDevice, Line


class PairLine(Line):
    """`PairLine(device).transport` is the driver's end. Bytes pass at once, in the writer's task.

    `unplug_after`: so many more bytes from the driver pass, then the cable is pulled.
    """

    def __init__(self, device: FakeDevice, *, seed: int = 0) -> None:
        super().__init__(device, seed=seed)
        self.transport = PairTransport(self)
        self.unplug_after: int | None = None
        self._plugged = False

    @property
    def plugged_in(self) -> bool:
        return self._plugged

    async def plug(self) -> None:
        if not self._plugged:
            self._plugged = True
            self.device.plugged()

    async def unplug(self) -> None:
        self._pull()

    def _pull(self) -> None:
        self._plugged = False
        self._forget()
        self.transport.lost()

    def carry(self, data: bytes) -> int:
        """Bytes from the driver: how many were taken before the line stalled or was pulled."""
        taken = min(len(data), self._budget())
        if self.unplug_after is not None:
            taken = min(taken, self.unplug_after)
            self.unplug_after -= taken
        if taken:
            self._used(taken)
            self._take(data[:taken])
        if self.unplug_after == 0 and self._plugged:
            self.unplug_after = None
            self._pull()
        return taken

    def _stalled(self) -> None:
        """`_budget` is 0 from now on."""

    def resume(self) -> None:
        super().resume()
        self.transport.room.set()

    def _write(self, data: bytes) -> int:
        return self.transport.arrived(data)


class PairTransport:
    """The driver's end of a `PairLine`."""

    def __init__(self, line: PairLine) -> None:
        self._line = line
        self._open = False
        self._in: deque[bytes] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self.room = asyncio.Event()

    @property
    def name(self) -> str:
        return "pair"

    async def open(self) -> None:
        await self.close()
        if not self._line.plugged_in:
            raise LineLostError("pair: not plugged in")
        self._open = True
        self._news.clear()

    async def read(self, timeout: float | None = None) -> bytes:
        while True:
            self._check()
            if self._in:
                data = self._in.popleft()
                if len(data) > READ_SIZE:
                    self._in.appendleft(data[READ_SIZE:])
                    data = data[:READ_SIZE]
                self._size -= len(data)
                return data
            self._news.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._news.wait()
            except TimeoutError:
                return b""

    async def write(self, data: bytes, timeout: float = 5.0) -> None:
        self._check()
        written = 0
        try:
            async with asyncio.timeout(timeout):
                while written < len(data):
                    taken = self._line.carry(data[written:])
                    written += taken
                    self._check()
                    if not taken:
                        self.room.clear()
                        await self.room.wait()
        except TimeoutError as error:
            raise WriteStalledError(written, len(data)) from error

    async def drained(self, timeout: float = 5.0) -> None:
        self._check()

    def turn(self, *, urgent: bool = False, unlikely: bool = False) -> AbstractAsyncContextManager[Any]:
        return nullcontext()  # nobody else is on this line

    async def close(self) -> None:
        self._open = False
        self._in.clear()
        self._size = 0
        self._news.set()
        self.room.set()

    def _check(self) -> None:
        if not self._open or not self._line.plugged_in:
            raise LineLostError("pair: unplugged or not open")

    def arrived(self, data: bytes) -> int:
        """Bytes from the fake; lost while nobody has the line open. The count taken."""
        if self._open:
            if self._size + len(data) > BUFFER_LIMIT:
                return 0
            self._in.append(data)
            self._size += len(data)
            self._news.set()
        return len(data)

    def lost(self) -> None:
        """The cable was pulled: whoever waits fails now."""
        self._open = False
        self._news.set()
        self.room.set()
