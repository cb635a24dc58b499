"""The wire of an Onbon card as the fakes see it: frames taken apart and answers put together.

Written from the vendor's documents apart from the driver's frames, so that a mistake in one does not hide in
the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

Family = Literal["k", "5e", "6e", "6q"]

FRAME_LIMIT: Final = 64 * 1024
"""Bytes of a frame that a card takes."""


def u16(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def u32(data: bytes, at: int) -> int:
    return u16(data, at) | u16(data, at + 2) << 16


def checksum(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc


@dataclass(frozen=True, slots=True)
class Order:
    """What a card was told. `bad`: its checksum was wrong; `foreign`: a frame of another family."""

    to: int
    source: int
    group: int = 0
    command: int = 0
    wanted: bool = True
    payload: bytes = b""
    bad: bool = False
    foreign: bool = False


class OrderReader:
    """Bytes in pieces of any size → `take` is called with each order."""

    def __init__(self, family: Family, take: Callable[[Order | None], None]) -> None:
        """`take` gets None for what was too short to be an order."""
        self._family = family
        self._take = take
        self._frame: bytearray | None = None
        self._escape = 0

    def clear(self) -> None:
        self._frame = None

    def feed(self, data: bytes) -> None:
        for byte in data:
            if byte == 0xA5:
                self._frame, self._escape = bytearray(), 0
            elif self._frame is None:
                continue
            elif byte == 0x5A:
                frame, self._frame = bytes(self._frame), None
                self._take(self._order(frame))
            elif self._escape:
                self._frame.append(self._escape if byte == 1 else self._escape - 1)
                self._escape = 0
            elif byte in (0xA6, 0x5B):
                self._escape = byte
            else:
                self._frame.append(byte)
                if len(self._frame) > FRAME_LIMIT:
                    self._frame = None

    def _order(self, frame: bytes) -> Order | None:
        font = self._family == "k"
        header = 14 if font else 16
        if len(frame) < header + 5:
            return None
        to, source = u16(frame, 0), u16(frame, 2)
        if checksum(frame[:-2]) != u16(frame, len(frame) - 2):
            return Order(to, source, bad=True)
        length = u16(frame, 12) if font else u32(frame, 12)
        body = frame[header:-2]
        if length != len(body) or (frame[4] == 0xF0) == font:
            return Order(to, source, foreign=True)
        if font:
            return Order(to, source, body[0], body[1], body[2] == 1, body[5:])
        return Order(to, source, body[1], body[2], body[0] == 1, body[5:])


def answer(
    family: Family, to: int, source: int, group: int, command: int, error: int, data: bytes, spoil: int = 0
) -> bytes:
    """An answer as it stands on the wire, with the nine A5 of real cards."""
    head = to.to_bytes(2, "little") + source.to_bytes(2, "little")
    if family == "k":
        body = bytes((group, command, error, 0, 0)) + data
        head += bytes(6) + b"\xfe\x02" + len(body).to_bytes(2, "little")
    else:
        body = bytes((0, group, command, 1 if error else 0, 0, error, 0))
        body += len(data).to_bytes(2, "little") + data
        head += b"\xf0\0\xfe\xff" + bytes(4) + len(body).to_bytes(4, "little")
    check = checksum(head + body) ^ spoil
    wire = bytearray(b"\xa5" * 9)
    for byte in head + body + check.to_bytes(2, "little"):
        if byte in (0xA5, 0x5A):
            wire += bytes((byte + 1, 2))
        elif byte in (0xA6, 0x5B):
            wire += bytes((byte, 1))
        else:
            wire.append(byte)
    wire.append(0x5A)
    return bytes(wire)
