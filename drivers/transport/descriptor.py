"""Reading and writing a non-blocking descriptor in the running loop: the base of serial, TCP and file."""

from __future__ import annotations

import array
import asyncio
import errno
import fcntl
import os
import termios
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, ClassVar, Final

from drivers.errors import LineLostError, WriteStalledError

READ_SIZE: Final = 4096
_DRAIN_FIRST_S: Final = 0.0005
_DRAIN_MOST_S: Final = 0.004
"""How often `drained` looks: soon at first, for a fast line, then twice as late each time."""
OPENING: Final = {
    errno.EACCES: "device.no_permission",
    errno.EPERM: "device.no_permission",
    errno.EBUSY: "device.in_use",
    errno.EAGAIN: "device.in_use",  # the lock of a serial port
}
"""Why a line that is there does not open, for people; anything else is unplugged."""
_CANNOT_TELL: Final = (errno.ENOTTY, errno.EINVAL, errno.EOPNOTSUPP)
"""What a line answers that does not know how much is left, such as usblp."""


class DescriptorTransport(ABC):
    """A `Transport` over a descriptor. Children open it and say how it is closed."""

    _out_queue: ClassVar[int] = termios.TIOCOUTQ
    """The ioctl that tells how many bytes are still to be sent."""

    def __init__(self) -> None:
        self._fd = -1
        self._waiting: set[asyncio.Future[bool]] = set()
        self._pours = False
        """The last read found bytes without waiting for them."""

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    async def _open(self) -> int:
        """The opened non-blocking descriptor. Raises OSError or LineLostError."""

    async def _empty(self) -> None:
        """The line was ready and had nothing: the other end closed it."""
        raise LineLostError(f"{self.name}: closed by the other end")

    def _alive(self) -> bool:
        """False when the line is known to be gone, though bytes are counted that wait to be sent."""
        return True

    def _close(self) -> None:
        """Close what `_open` opened."""
        os.close(self._fd)

    async def open(self) -> None:
        await self.close()
        try:
            self._fd = await self._open()
        except LineLostError:
            raise  # with a code of its own
        except OSError as error:
            raise LineLostError(f"{self.name}: {error}", code=OPENING.get(error.errno or 0)) from error

    async def read(self, timeout: float | None = None) -> bytes:
        if self._pours:
            # A device that never stops sending must not keep the whole process waiting. Before the read: what
            # was read would be lost with a caller that is cancelled meanwhile.
            await asyncio.sleep(0)
        self._pours = True
        while True:
            try:
                data = os.read(self._descriptor(), READ_SIZE)
            except BlockingIOError:
                self._pours = False
                if not await self._ready(writing=False, timeout=timeout):
                    return b""
                continue
            except OSError as error:
                raise LineLostError(f"{self.name}: {error}") from error
            if data:
                return data
            await self._empty()

    async def write(self, data: bytes, timeout: float = 5.0) -> None:
        written = 0
        deadline = asyncio.get_running_loop().time() + timeout
        while written < len(data):
            try:
                written += os.write(self._descriptor(), data[written:] if written else data)
            except BlockingIOError:
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0 or not await self._ready(writing=True, timeout=left):
                    raise WriteStalledError(written, len(data)) from None
            except OSError as error:
                raise LineLostError(f"{self.name}: {error}") from error

    async def drained(self, timeout: float = 5.0) -> None:
        deadline = asyncio.get_running_loop().time() + timeout
        left = array.array("i", [0])
        pause = _DRAIN_FIRST_S
        while True:
            try:
                fcntl.ioctl(self._descriptor(), self._out_queue, left)
            except OSError as error:
                if error.errno in _CANNOT_TELL:
                    return
                raise LineLostError(f"{self.name}: {error}") from error
            if left[0] == 0:
                return
            if not self._alive():
                raise LineLostError(f"{self.name}: connection reset")
            if asyncio.get_running_loop().time() > deadline:
                raise WriteStalledError(0, left[0])
            await asyncio.sleep(pause)
            pause = min(2 * pause, _DRAIN_MOST_S)

    def turn(self, *, urgent: bool = False, unlikely: bool = False) -> AbstractAsyncContextManager[Any]:
        return nullcontext()  # nobody else is on this line

    async def close(self) -> None:
        if self._fd < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._fd)
        loop.remove_writer(self._fd)
        try:
            self._close()
        except OSError:
            pass  # an unplugged line may fail to close; it is gone either way
        self._fd = -1
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            _settle(future, True)  # whoever waited finds the line closed

    def _descriptor(self) -> int:
        if self._fd < 0:
            raise LineLostError(f"{self.name}: not open")
        return self._fd

    async def _ready(self, *, writing: bool, timeout: float | None) -> bool:
        """Wait until the descriptor is ready; False when the time ran out."""
        loop = asyncio.get_running_loop()
        fd = self._descriptor()
        future: asyncio.Future[bool] = loop.create_future()
        add, remove = (
            (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
        )
        try:
            add(fd, _settle, future, True)
        except OSError as error:
            raise LineLostError(f"{self.name}: {error}") from error
        self._waiting.add(future)
        timer = loop.call_later(timeout, _settle, future, False) if timeout is not None else None
        try:
            return await future
        finally:
            if timer is not None:
                timer.cancel()
            if future in self._waiting:  # else `close` removed it, and the number may be another line's now
                self._waiting.discard(future)
                remove(fd)


def _settle(future: asyncio.Future[bool], ready: bool) -> None:
    if not future.done():
        future.set_result(ready)
