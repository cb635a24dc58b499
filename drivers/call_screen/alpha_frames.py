"""Packets of the Alpha Sign Communications Protocol (BetaBrite, Alpha): bytes only, no I/O.

    00×5 │ 01 │ type │ address (2 hex digits) │ 02 │ command │ data … │ 03 │ checksum (4 hex digits) │ 04

The five 00 tell the sign the baud rate. `type` is "Z" for any sign, "0" in a sign's answer; address "00" is
all signs. The checksum is the 16-bit sum from 02 to 03, both included; it could be left out, with its 03. The
sign ignores a packet with a wrong one.

Commands: A write text (label, 1B, position, mode, text; label "0" is the priority text, which stands before
all others and needs no memory set up), E write and F read a special function: "*" the serial error status,
"4" clear it. The status is one byte: 20 illegal command or label, 10 checksum, 08 overflow, 04 time-out,
02 framing, 01 parity; 40 is always set.

Source: Alpha Sign Communications Protocol (M-Protocol), Adaptive Micro Systems; the bytes of the tests come
from alphasignpy 0.1.1, which others wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from drivers.errors import FrameChecksumError, FrameError

ANY_TYPE: Final = "Z"
ANSWER_TYPE: Final = "0"
WAKE: Final = bytes(5)
PRIORITY_TEXT: Final = "0"
TEXT_LIMIT: Final = 125
"""Bytes of the priority text."""
PACKET_LIMIT: Final = 512
"""Bytes of an answer that are looked at."""

_SOH, _STX, _ETX, _EOT = 1, 2, 3, 4
_HEAD: Final = 5
"""Bytes from the 01 to the 02."""


class Command(IntEnum):
    WRITE_TEXT = ord("A")
    WRITE_SPECIAL = ord("E")
    READ_SPECIAL = ord("F")


class Special(IntEnum):
    ERROR_STATUS = ord("*")
    CLEAR_ERROR = ord("4")


class Mode(IntEnum):
    ROTATE = ord("a")
    HOLD = ord("b")
    FLASH = ord("c")


class SerialError(IntFlag):
    """What the sign has received wrongly since the status was cleared."""

    PARITY = 0x01
    FRAMING = 0x02
    TIMEOUT = 0x04
    OVERFLOW = 0x08
    CHECKSUM = 0x10
    ILLEGAL = 0x20


_ALL_ERRORS: Final = 0x3F
COLOURS: Final = {"red": b"\x1c1", "green": b"\x1c2", "yellow": b"\x1c3"}


@dataclass(frozen=True, slots=True)
class Packet:
    """One command. `type` is one character, `address` 00–FF."""

    command: int
    data: bytes
    address: int = 0
    type: str = ANY_TYPE

    def to_bytes(self) -> bytes:
        body = bytes((_STX, self.command)) + self.data + bytes((_ETX,))
        head = bytes((_SOH,)) + f"{self.type}{self.address:02X}".encode("ascii")
        return WAKE + head + body + f"{sum(body) & 0xFFFF:04X}".encode("ascii") + bytes((_EOT,))

    @classmethod
    def from_bytes(cls, data: bytes) -> Packet:
        """The packet from its 01 to its 04. Raises FrameError, FrameChecksumError."""
        if len(data) < 12 or data[0] != _SOH or data[4] != _STX or data[-1] != _EOT or data[-6] != _ETX:
            raise FrameError("no packet")
        try:
            type_, address = data[1:2].decode("ascii"), int(data[2:4].decode("ascii"), 16)
            got = int(data[-5:-1].decode("ascii"), 16)
        except ValueError as error:
            raise FrameError("header or checksum is not in hex") from error
        body = data[4:-5]
        if sum(body) & 0xFFFF != got:
            raise FrameChecksumError(sum(body) & 0xFFFF, got)
        return cls(body[1], body[2:-1], address, type_)


def text_packet(text: bytes, colour: str, mode: Mode, address: int) -> bytes:
    """Shows `text` (ASCII, at most `TEXT_LIMIT` bytes with its colour) before everything else."""
    data = PRIORITY_TEXT.encode() + b"\x1b " + bytes((mode,)) + COLOURS[colour] + text
    return Packet(Command.WRITE_TEXT, data, address).to_bytes()


def ask_errors(address: int) -> bytes:
    return Packet(Command.READ_SPECIAL, bytes((Special.ERROR_STATUS,)), address).to_bytes()


def clear_errors(address: int) -> bytes:
    return Packet(Command.WRITE_SPECIAL, bytes((Special.CLEAR_ERROR,)), address).to_bytes()


@dataclass(frozen=True, slots=True)
class ErrorStatus:
    """A sign's answer: what it has received wrongly."""

    errors: SerialError


class AnswerReader:
    """Bytes in pieces of any size → what signs answered. Holds at most `PACKET_LIMIT` bytes."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[ErrorStatus]:
        found = []
        for byte in data:
            if byte == _SOH:
                self._held = bytearray((byte,))  # 01 stands nowhere but at the start
            elif self._held:
                self._held.append(byte)
                if byte == _EOT:
                    if (status := _status(bytes(self._held))) is not None:
                        found.append(status)
                    self._held.clear()
                elif len(self._held) >= PACKET_LIMIT:
                    self._held.clear()
        return found

    def clear(self) -> None:
        self._held.clear()


def _status(packet: bytes) -> ErrorStatus | None:
    try:
        answer = Packet.from_bytes(packet)
    except FrameError:
        return None
    if answer.type != ANSWER_TYPE or answer.command != Command.WRITE_SPECIAL or len(answer.data) != 2:
        return None
    if answer.data[0] != Special.ERROR_STATUS or not answer.data[1] & 0x40:
        return None
    return ErrorStatus(SerialError(answer.data[1] & _ALL_ERRORS))
