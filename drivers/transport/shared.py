"""One line that several drivers of this process share, such as RS-485 with several addresses.

Every driver has its own end (a `Transport`) of the one line: it reads all bytes that come, those for others
too, and takes what bears its address. Writes go out whole, one after another. On a half-duplex line only one
may speak: `turn` is the right to ask and be answered; turns are given in the order of asking, urgent
ones first.

The line opens with the first end that is opened and closes with the last. When it is lost, every end hears of
it; the first that opens again opens it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final
from weakref import WeakValueDictionary

from drivers.errors import ConfigError, DriverError, LineLostError, WriteStalledError
from drivers.transport.descriptor import READ_SIZE
from drivers.transport.transport import Transport

logger = logging.getLogger(__name__)

KEPT: Final = 65536
"""Bytes that wait for one driver; beyond that its oldest are dropped, as a serial port would."""

HOPES: Final = 8
"""Silent devices that may wait for their turn at once."""

_lines: WeakValueDictionary[str, SharedLine] = WeakValueDictionary()


def shared(name: str, config: object, make: Callable[[], Transport]) -> SharedEnd:
    """Another end of the line `name`. Raises ConfigError when it is in use with other settings."""
    line = _lines.get(name)
    if line is None:
        line = _lines[name] = SharedLine(name, config, make())
    elif line.config != config:
        raise ConfigError([f"{name}: 同一线路的设置不一致 · the devices of one line need equal settings"])
    return SharedEnd(line)


class SharedLine:
    """What the ends have in common."""

    def __init__(self, name: str, config: object, transport: Transport) -> None:
        self.name = name
        self.config = config
        self._transport = transport
        self._ends: set[SharedEnd] = set()
        self._pump: asyncio.Task[None] | None = None
        # bound to the loop at their first use
        self._opening = asyncio.Lock()
        self.writing = asyncio.Lock()
        self.turn = asyncio.Lock()
        self.ordinary = asyncio.Lock()
        """Held by the one turn that is not urgent and has or waits for `turn`: the urgent ones are first."""
        self._unlikely = asyncio.Semaphore(1)
        self._hopes = 1
        self._heard = 0

    async def join(self, end: SharedEnd) -> None:
        async with self._opening:
            if not self._ends:
                await self._stop()
                await self._transport.open()
                self._pump = asyncio.get_running_loop().create_task(self._read(), name=f"{self.name} reader")
            self._ends.add(end)

    async def leave(self, end: SharedEnd) -> None:
        self._ends.discard(end)
        async with self._opening:
            if not self._ends:
                await self._stop()

    async def write(self, data: bytes, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        try:
            async with asyncio.timeout(timeout):
                await self.writing.acquire()
        except TimeoutError as error:
            raise WriteStalledError(0, len(data)) from error
        try:
            await self._transport.write(data, max(0.0, deadline - loop.time()))
        finally:
            self.writing.release()

    @contextlib.asynccontextmanager
    async def unlikely_turn(self) -> AsyncIterator[None]:
        """One silent device at a time, and the others have as long; more at a time while silent ones answer,
        as they all do when a line is mended."""
        loop = asyncio.get_running_loop()
        await self._unlikely.acquire()
        back = 1
        try:
            async with self.ordinary, self.turn:
                began, heard = loop.time(), self._heard
                yield
            if self._heard != heard:
                back += self._hopes < HOPES
                self._hopes += back - 1
            else:
                back -= self._hopes > 1
                self._hopes += back - 1
                await asyncio.sleep(loop.time() - began)
        finally:
            for _ in range(back):
                self._unlikely.release()

    async def drained(self, timeout: float) -> None:
        await self._transport.drained(timeout)

    async def _stop(self) -> None:
        pump, self._pump = self._pump, None
        try:
            if pump is not None:
                pump.cancel()
                await asyncio.wait({pump})
        finally:  # cancelled meanwhile: the port must not stay locked
            await self._transport.close()

    async def _read(self) -> None:
        try:
            while True:
                data = await self._transport.read()
                self._heard += 1
                for end in self._ends:
                    end.arrived(data)
        except DriverError as error:
            self._lost(error)
        except Exception as error:  # a bug must not leave the drivers waiting for ever
            logger.exception("%s", self.name)
            self._lost(LineLostError(f"{self.name}: {error}", code=DriverError.code))

    def _lost(self, error: DriverError) -> None:
        ends, self._ends = self._ends, set()
        for end in ends:
            end.lost(error)


class SharedEnd:
    """One driver's `Transport` of a shared line."""

    def __init__(self, line: SharedLine) -> None:
        self._line = line
        self._in = bytearray()
        self._news = asyncio.Event()
        self._open = False
        self._lost: DriverError | None = None

    @property
    def name(self) -> str:
        return self._line.name

    async def open(self) -> None:
        await self.close()
        self._in.clear()
        self._lost = None
        self._news.clear()
        await self._line.join(self)
        self._open = True

    async def read(self, timeout: float | None = None) -> bytes:
        while not self._in:
            self._check()
            if timeout is not None and timeout <= 0:
                return b""  # at once: 32 keypads look before every question
            self._news.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._news.wait()
            except TimeoutError:
                return b""
        data = bytes(self._in[:READ_SIZE])
        del self._in[:READ_SIZE]
        return data

    async def write(self, data: bytes, timeout: float = 5.0) -> None:
        self._check()
        await self._line.write(data, timeout)

    async def drained(self, timeout: float = 5.0) -> None:
        self._check()
        await self._line.drained(timeout)

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with self._line.ordinary, self._line.turn:
            self._check()
            yield

    @contextlib.asynccontextmanager
    async def _urgent_turn(self) -> AsyncIterator[None]:
        async with self._line.turn:
            self._check()
            yield

    @contextlib.asynccontextmanager
    async def _unlikely_turn(self) -> AsyncIterator[None]:
        async with self._line.unlikely_turn():
            self._check()
            yield

    def turn(
        self, *, urgent: bool = False, unlikely: bool = False
    ) -> contextlib.AbstractAsyncContextManager[Any]:
        if urgent:
            return self._urgent_turn()
        return self._unlikely_turn() if unlikely else self._turn()

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._news.set()
            await self._line.leave(self)

    def arrived(self, data: bytes) -> None:
        """Bytes that came on the line."""
        self._in += data
        if len(self._in) > KEPT:
            del self._in[: len(self._in) - KEPT]
        self._news.set()

    def lost(self, error: DriverError) -> None:
        """The line is gone."""
        self._lost = error
        self._news.set()

    def _check(self) -> None:
        if self._lost is not None:
            raise LineLostError(str(self._lost), code=self._lost.code) from self._lost
        if not self._open:
            raise LineLostError(f"{self.name}: not open")
