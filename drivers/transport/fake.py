"""The other end of a line: a `FakeDevice` that knows only bytes, on a pty or a TCP port.

The driver's side is real: a serial port under a stable name, or a socket. A `Line` can be unplugged and
plugged in again and can spoil what passes: noise, lost bytes, one byte at a time, half a frame, slow.
"""

from __future__ import annotations

import asyncio
import os
import pty
import random
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BUFFER_LIMIT: Final = 1 << 20
"""Bytes waiting to go out to the driver; more are lost, as on a real line."""


class FakeDevice:
    """Base of the fakes. `send` is set by the line; `on_change` is called when what people see changed."""

    def __init__(self) -> None:
        self.send: Callable[[bytes], None] = lambda data: None
        self.on_change: Callable[[], None] | None = None

    def received(self, data: bytes) -> None:
        """Bytes from the driver, in pieces of any size."""

    def plugged(self) -> None:
        """The line was plugged in or the driver connected: power-on state of the protocol."""

    def changed(self) -> None:
        """To be called by children after anything visible changed."""
        if self.on_change is not None:
            self.on_change()


@dataclass(slots=True)
class LineFaults:
    """What the line does to bytes, both ways. Probabilities per byte; `seed` makes it repeatable."""

    noise: float = 0.0
    """A byte is replaced by a random one."""
    loss: float = 0.0
    """A byte vanishes."""
    piece: int = 0
    """At most so many bytes are handed on at once; 0 = all."""
    delay_s: float = 0.0
    """Before each piece towards the driver."""
    stop_after: int | None = None
    """So many more bytes (at least 1) from the driver are taken, then it stops reading (back-pressure)."""


class Line(ABC):
    """A line with a fake at its far end, in the running loop."""

    def __init__(self, device: FakeDevice, *, seed: int = 0) -> None:
        self.device = device
        self.faults = LineFaults()
        self.bytes_in = 0
        self.bytes_out = 0
        self._random = random.Random(seed)
        self._out = bytearray()
        self._pump_task: asyncio.Task[None] | None = None
        device.send = self.send

    @abstractmethod
    async def plug(self) -> None:
        """Plug in (again); nothing when it is plugged in."""

    @abstractmethod
    async def unplug(self) -> None:
        """Pull the cable; the driver's end fails at once. Also the end of the line."""

    @property
    @abstractmethod
    def plugged_in(self) -> bool: ...

    @abstractmethod
    def _write(self, data: bytes) -> int:
        """Hand bytes to the driver; the count taken. 0: try again later."""

    def send(self, data: bytes) -> None:
        """From the fake towards the driver."""
        if not self.plugged_in:
            return
        if len(self._out) + len(data) <= BUFFER_LIMIT:
            self._out += self._spoil(data)
        self._pump()

    def _pump(self) -> None:
        """Write now what can be written now; a task does the rest when there is a delay or no room."""
        if self._pump_task is not None and not self._pump_task.done():
            return
        if not self.faults.delay_s and not self.faults.piece:
            self._flush(len(self._out))
        if self._out:
            self._pump_task = asyncio.get_running_loop().create_task(self._pump_slowly())

    def _flush(self, limit: int) -> None:
        if limit and (count := self._write(bytes(self._out[:limit]))):
            self.bytes_out += count
            del self._out[:count]

    async def _pump_slowly(self) -> None:
        while self._out and self.plugged_in:
            await asyncio.sleep(self.faults.delay_s or 0.001)
            self._flush(min(self.faults.piece or len(self._out), len(self._out)))

    def _take(self, data: bytes) -> None:
        """From the driver towards the fake."""
        self.bytes_in += len(data)
        data = self._spoil(data)
        step = self.faults.piece or len(data) or 1
        for start in range(0, len(data), step):
            self.device.received(data[start : start + step])

    def _spoil(self, data: bytes) -> bytes:
        if not self.faults.noise and not self.faults.loss:
            return data
        spoiled = bytearray()
        for byte in data:
            chance = self._random.random()
            if chance < self.faults.loss:
                continue
            if chance < self.faults.loss + self.faults.noise:
                byte = self._random.randrange(256)
            spoiled.append(byte)
        return bytes(spoiled)

    def _budget(self) -> int:
        """How many bytes may be read from the driver now."""
        return 65536 if self.faults.stop_after is None else min(65536, self.faults.stop_after)

    def _used(self, count: int) -> None:
        if self.faults.stop_after is not None:
            self.faults.stop_after -= count
            if self.faults.stop_after <= 0:
                self._stalled()

    def resume(self) -> None:
        """Read again after `faults.stop_after` had run out."""
        self.faults.stop_after = None

    @abstractmethod
    def _stalled(self) -> None:
        """`faults.stop_after` has run out: read no more."""

    def _forget(self) -> None:
        self._out.clear()
        if self._pump_task is not None:
            self._pump_task.cancel()
            self._pump_task = None


class PtyLine(Line):
    """A serial line: `path` is a symbolic link to the pty, like a udev name; gone while unplugged."""

    def __init__(self, device: FakeDevice, path: Path, *, seed: int = 0) -> None:
        super().__init__(device, seed=seed)
        self.path = path
        self._master = -1
        self._slave = -1

    @property
    def plugged_in(self) -> bool:
        return self._master >= 0

    async def plug(self) -> None:
        if self.plugged_in:
            return
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._readable)
        self.device.plugged()

    async def unplug(self) -> None:
        if not self.plugged_in:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        self.path.unlink(missing_ok=True)
        # the slave is kept open until now so that the line outlives a driver that closes and opens it
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1
        self._forget()

    def resume(self) -> None:
        super().resume()
        if self.plugged_in:
            asyncio.get_running_loop().add_reader(self._master, self._readable)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, self._budget())
        except OSError:
            return
        self._used(len(data))
        self._take(data)

    def _stalled(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0


class TcpLine(Line):
    """A network device on loopback; one driver at a time, a newer connection replaces the older."""

    def __init__(self, device: FakeDevice, *, port: int = 0, seed: int = 0) -> None:
        super().__init__(device, seed=seed)
        self.port = port
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._may_read = asyncio.Event()
        self._may_read.set()

    @property
    def plugged_in(self) -> bool:
        return self._server is not None

    async def plug(self) -> None:
        if self.plugged_in:
            return
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def unplug(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        self._drop()
        self._forget()

    def resume(self) -> None:
        super().resume()
        self._may_read.set()

    def _stalled(self) -> None:
        self._may_read.clear()

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._drop()
        if not self.plugged_in:  # pulled between the connection and now
            writer.transport.abort()
            return
        self._writer = writer
        self.device.plugged()
        try:
            while self._writer is writer:
                await self._may_read.wait()
                data = await reader.read(self._budget())
                if not data:
                    break
                self._used(len(data))
                self._take(data)
        except ConnectionError:
            pass
        finally:
            if self._writer is writer:
                self._writer = None
            writer.transport.abort()

    def _write(self, data: bytes) -> int:
        if self._writer is None:
            return len(data)  # nobody is connected: lost
        self._writer.write(data)
        return len(data)
