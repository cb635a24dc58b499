"""Serial lines and RS-485 through pyserial's port set-up; reads and writes are non-blocking.

pyserial's own reads wait out the whole timeout and its writes can block for ever on a stalled line, so
only its opening (baud rate, parity, flow control, exclusive lock) is used.
"""

from __future__ import annotations

import termios
from typing import Annotated, Literal

import msgspec
import serial

from drivers.errors import LineLostError
from drivers.transport.descriptor import DescriptorTransport


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

    def _close(self) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        try:
            # the kernel holds up a close for 30 s while a stalled line has bytes to send
            termios.tcflush(port.fileno(), termios.TCOFLUSH)
        except (termios.error, OSError):
            pass  # unplugged
        port.close()
