"""Serial lines and RS-485 through pyserial's port set-up; reads and writes are non-blocking.

pyserial's own reads wait out the whole timeout and its writes can block for ever on a stalled line, so
only its opening (baud rate, parity, flow control, exclusive lock) is used.
"""

from __future__ import annotations

import array
import fcntl
import logging
import termios
import threading
from typing import Annotated, Final, Literal

import msgspec
import serial

from drivers.errors import DriverError, LineLostError
from drivers.transport.descriptor import DescriptorTransport

logger = logging.getLogger(__name__)

LAST_WORDS_S: Final = 0.3
"""How long a close waits for what was written just before; what a stalled line does not take is dropped."""
_closing: Final[set[str]] = set()
"""Ports whose closing the kernel holds up; opening one of them would wait as long."""


class SerialConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="serial"):
    """`path` should be a stable name (/dev/paihao/… by udev), never ttyUSB0. `shared`: several drivers use
    this line (RS-485), each with the same settings."""

    path: str
    baud: Annotated[int, msgspec.Meta(ge=50, le=4_000_000)] = 9600
    bits: Literal[5, 6, 7, 8] = 8
    parity: Literal["N", "E", "O", "M", "S"] = "N"
    stop_bits: Literal[1, 2] = 1
    rts_cts: bool = False
    xon_xoff: bool = False
    shared: bool = False

    @property
    def line(self) -> str:
        """What two devices with equal lines are plugged into."""
        return self.path


class SerialTransport(DescriptorTransport):
    """One serial port, locked against other programs."""

    def __init__(self, config: SerialConfig) -> None:
        super().__init__()
        self._config = config
        self._port: serial.Serial | None = None

    @property
    def name(self) -> str:
        return self._config.path

    async def _open(self) -> int:
        config = self._config
        if config.path in _closing:
            raise LineLostError(f"{config.path}: still being closed", code="device.write_stalled")
        self._port = serial.Serial(
            config.path,
            config.baud,
            bytesize=config.bits,
            parity=config.parity,
            stopbits=config.stop_bits,
            rtscts=config.rts_cts,
            xonxoff=config.xon_xoff,
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )
        try:
            self._port.set_low_latency_mode(True)  # an FTDI adapter waits 16 ms without it
        except (OSError, ValueError, NotImplementedError):
            pass  # not every adapter has it
        try:
            fd = self._port.fileno()
            # pyserial leaves VMIN at 0, which makes an empty line look like a closed one
            attributes = termios.tcgetattr(fd)
            attributes[6][termios.VMIN] = 1
            termios.tcsetattr(fd, termios.TCSANOW, attributes)
        except termios.error as error:  # no OSError; unplugged between the two
            self._close()
            raise LineLostError(f"{self.name}: {error}") from error
        return fd

    async def close(self) -> None:
        port = self._port
        if port is None:
            return
        try:
            await self.drained(LAST_WORDS_S)
        except DriverError:
            pass  # stalled or gone
        finally:
            if self._port is port:  # not opened anew meanwhile
                await super().close()

    def _close(self) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        try:
            left = _left(port.fileno())
            if left:
                # the kernel holds up a close for 30 s while a stalled line has bytes to send
                termios.tcflush(port.fileno(), termios.TCOFLUSH)
                left = _left(port.fileno())
        except (termios.error, OSError):
            left = 0  # unplugged
        if left:  # USB adapters keep what they were given (usb-serial has no flush_buffer)
            _closing.add(self._config.path)
            threading.Thread(
                target=_blocking_close, args=(port, self._config.path), name="serial close", daemon=True
            ).start()
        else:
            port.close()


def _left(fd: int) -> int:
    """Bytes that the port has still to send."""
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.TIOCOUTQ, count)
    return count[0]


def _blocking_close(port: serial.Serial, path: str) -> None:
    try:
        port.close()
    except OSError as error:
        logger.debug("%s: %s", path, error)
    finally:
        _closing.discard(path)
