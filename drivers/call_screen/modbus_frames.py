"""Modbus RTU as far as a display needs it: bytes only, no I/O.

    address │ function │ data … │ CRC-16 (low byte first, start FFFF, polynomial A001 reflected)

    question                                      answer
    03 read registers   start 2, count 2          bytes 1, values 2 each
    06 write one        register 2, value 2       the same
    10 write several    start 2, count 2,         start 2, count 2
                        bytes 1, values 2 each
                                                  function | 80, exception 1

Source: Modbus Application Protocol V1.1b3; Modbus over Serial Line V1.02. Numbers are high byte first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from drivers.checksums import checksum
from drivers.errors import FrameChecksumError, FrameError

MOST_REGISTERS: Final = 123
"""In one write (chapter 6.12)."""
MOST_READ: Final = 125
"""In one read (chapter 6.3)."""
_LONGEST: Final = 256
"""Bytes of a frame."""
_REFUSED: Final = 0x80


class Function(IntEnum):
    READ = 0x03
    WRITE_ONE = 0x06
    WRITE = 0x10


class ModbusException(IntEnum):
    FUNCTION = 1
    REGISTER = 2
    VALUE = 3
    FAILURE = 4
    BUSY = 6


@dataclass(frozen=True, slots=True)
class ModbusFrame:
    """One question or answer. `data`: what stands between function and CRC."""

    address: int
    function: int
    data: bytes

    def to_bytes(self) -> bytes:
        body = bytes((self.address, self.function)) + self.data
        return body + checksum("crc16", body)

    @classmethod
    def from_bytes(cls, data: bytes) -> ModbusFrame:
        """Raises FrameError, FrameChecksumError."""
        if not 4 <= len(data) <= _LONGEST:
            raise FrameError(f"{len(data)} bytes")
        if (expected := checksum("crc16", data[:-2])) != data[-2:]:
            raise FrameChecksumError(int.from_bytes(expected, "little"), int.from_bytes(data[-2:], "little"))
        return cls(data[0], data[1], data[2:-2])

    @property
    def refusal(self) -> int | None:
        """The exception of an answer that refuses."""
        return self.data[0] if self.function & _REFUSED and self.data else None


def read(address: int, start: int, count: int = 1) -> ModbusFrame:
    return ModbusFrame(address, Function.READ, start.to_bytes(2, "big") + count.to_bytes(2, "big"))


def write(address: int, start: int, values: tuple[int, ...]) -> ModbusFrame:
    """Writes 1 to `MOST_REGISTERS` registers from `start`; raises ValueError for others."""
    if not 1 <= len(values) <= MOST_REGISTERS:
        raise ValueError(f"{len(values)} registers")
    head = start.to_bytes(2, "big") + len(values).to_bytes(2, "big") + bytes((2 * len(values),))
    return ModbusFrame(address, Function.WRITE, head + b"".join(value.to_bytes(2, "big") for value in values))


def write_one(address: int, register: int, value: int) -> ModbusFrame:
    return ModbusFrame(address, Function.WRITE_ONE, register.to_bytes(2, "big") + value.to_bytes(2, "big"))


class ModbusAnswers:
    """Bytes in pieces of any size → answers of one address. Holds at most one frame.

    Modbus RTU has no start byte: whatever is no frame at one place is tried again one byte further. `clear`
    before each question, so that noise cannot hold up its answer.
    """

    def __init__(self, address: int) -> None:
        self._address = address
        self._held = bytearray()

    def feed(self, data: bytes) -> list[ModbusFrame]:
        found = []
        held = self._held
        held += data
        while len(held) >= 2:
            size = self._size(held)
            if size is not None and len(held) < size:
                break
            if size is not None:
                try:
                    found.append(ModbusFrame.from_bytes(bytes(held[:size])))
                except FrameError:
                    pass
                else:
                    del held[:size]
                    continue
            del held[0]
        return found

    def clear(self) -> None:
        self._held.clear()

    def _size(self, held: bytearray) -> int | None:
        """Bytes of the answer that begins here; None: none of ours does."""
        if held[0] != self._address:
            return None
        match held[1]:
            case Function.READ:
                return 5 + held[2] if len(held) > 2 else 5
            case Function.WRITE_ONE | Function.WRITE:
                return 8
            case function if function & _REFUSED and function & ~_REFUSED in tuple(Function):
                return 5
        return None
