"""Frames of Onbon (仰邦) BX LED cards: bytes only, no I/O.

Every frame, both ways (multi-byte numbers are little-endian, CRC and lengths are those before escaping)::

    A5 ×8 │ header │ data │ CRC-16 │ 5A            escaped between A5 and 5A:
          │ 14, K family: 5K/6K font cards         A5 → A6 02   A6 → A6 01
          │ 16, dot matrix: 5E/6E/6Q               5A → 5B 02   5B → 5B 01

A receiver accepts any run of A5 (real replies carry nine). It recovers from anything: an A5 inside a frame
starts a new one, a frame without end is dropped at `MAX_WIRE` bytes, a bad one is counted.

Sources: vendor's protocol of the K family (onbonlab.github.io, `zh/k/potocol/index.html`, 2021), with its
sample frames; manuals "5th/6th 动态区域用户手册" in onbonlab/BX-V-VI `bx.dual.Aux.Data/`; where they are
silent, the vendor's onbonlab/bx.dual.dyn.java.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec

from drivers.errors import FrameChecksumError, FrameError

ADDRESS_ANY: Final = 0xFFFE
"""Every card takes it and answers. 0xFFFF is a broadcast without answers."""
SOURCE: Final = 0x8000
"""The default source address; 0x8000–0xDFFF are for programs like this one."""
MAX_WIRE: Final = 4096
"""Bytes of a frame on the wire that a `FrameSplitter` holds before it gives up; replies have about 30."""

F = TypeVar("F")


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ 0xA001 if byte & 1 else byte >> 1
        table.append(byte)
    return tuple(table)


_CRC: Final = _crc_table()


def crc16(data: bytes | bytearray) -> int:
    """CRC-16, polynomial 0xA001 reflected, initial value 0."""
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


def wrap(packet: bytes) -> bytes:
    """Header and data → the frame on the wire."""
    body = packet + crc16(packet).to_bytes(2, "little")
    body = body.replace(b"\xa6", b"\xa6\x01").replace(b"\xa5", b"\xa6\x02")
    body = body.replace(b"\x5b", b"\x5b\x01").replace(b"\x5a", b"\x5b\x02")
    return b"\xa5" * 8 + body + b"\x5a"


def unwrap(wire: bytes) -> bytes:
    """The reverse of `wrap`. Raises FrameError, FrameChecksumError."""
    if wire[:1] != b"\xa5" or wire[-1:] != b"\x5a":
        raise FrameError("no A5 … 5A around it")
    packet = bytearray()
    escape = 0
    for byte in wire.lstrip(b"\xa5")[:-1]:
        if escape:
            if byte not in (1, 2):
                raise FrameError(f"{byte:02X} after the escape {escape:02X}")
            packet.append(escape + 1 - byte)  # A6 02 → A5, A6 01 → A6; the same for 5B
            escape = 0
        elif byte in (0xA6, 0x5B):
            escape = byte
        elif byte in (0xA5, 0x5A):
            raise FrameError(f"bare {byte:02X} inside")
        else:
            packet.append(byte)
    if escape or len(packet) < 2:
        raise FrameError("cut short")
    got = int.from_bytes(packet[-2:], "little")
    del packet[-2:]
    if (expected := crc16(packet)) != got:
        raise FrameChecksumError(expected, got)
    return bytes(packet)


class KFrame(msgspec.Struct, frozen=True):
    """A frame of the 5K/6K cards. Header: dst 2, src 2, reserved 3, barcode 1, check mode 1 (0 = CRC),
    display mode 1, device type 1, version 1 (2), data length 2. Frames with a barcode (they set a card's
    IP address) and with other checks are refused."""

    data: bytes
    dst: int = ADDRESS_ANY
    src: int = SOURCE
    device_type: int = 0xFE
    display_mode: int = 0
    reserved: bytes = b"\0\0\0"

    _HEADER = struct.Struct("<HH3sBBBBBH")

    def to_bytes(self) -> bytes:
        return wrap(
            self._HEADER.pack(
                self.dst,
                self.src,
                self.reserved,
                0,
                0,
                self.display_mode,
                self.device_type,
                2,
                len(self.data),
            )
            + self.data
        )

    @classmethod
    def from_bytes(cls, wire: bytes) -> KFrame:
        """Raises FrameError."""
        packet = unwrap(wire)
        if len(packet) < cls._HEADER.size:
            raise FrameError(f"{len(packet)} bytes are no K header")
        dst, src, reserved, barcode, check, display, device, version, length = cls._HEADER.unpack_from(packet)
        data = packet[cls._HEADER.size :]
        if barcode or check or version != 2 or length != len(data):
            raise FrameError(f"barcode {barcode}, check {check}, version {version}, length {length}")
        return cls(data, dst, src, device, display, reserved)


class MatrixFrame(msgspec.Struct, frozen=True):
    """A frame of the dot-matrix cards. Header: dst 2, src 2, version 1 (F0), 00, type 2, 00 ×4, length 4."""

    data: bytes
    dst: int = ADDRESS_ANY
    src: int = SOURCE
    device_type: int = 0xFFFE

    _HEADER = struct.Struct("<HHBBH4sI")

    def to_bytes(self) -> bytes:
        return wrap(
            self._HEADER.pack(self.dst, self.src, 0xF0, 0, self.device_type, b"\0" * 4, len(self.data))
            + self.data
        )

    @classmethod
    def from_bytes(cls, wire: bytes) -> MatrixFrame:
        """Raises FrameError."""
        packet = unwrap(wire)
        if len(packet) < cls._HEADER.size:
            raise FrameError(f"{len(packet)} bytes are no matrix header")
        dst, src, version, _, device, _, length = cls._HEADER.unpack_from(packet)
        data = packet[cls._HEADER.size :]
        if version != 0xF0 or length != len(data):
            raise FrameError(f"version {version:#x}, length {length}")
        return cls(data, dst, src, device)


class FrameSplitter(Generic[F]):
    """Bytes in pieces of any size → frames. `bad` counts what was no frame."""

    def __init__(self, parse: Callable[[bytes], F]) -> None:
        self.bad = 0
        self._parse = parse
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[F]:
        frames: list[F] = []
        buffer = self._buffer
        searched = len(buffer)
        buffer += data
        while (end := buffer.find(0x5A, searched)) >= 0:
            searched = 0
            start = buffer.rfind(0xA5, 0, end)
            if start < 0:
                self.bad += 1  # an end without a start
            else:
                if buffer.find(0xA5) < start and buffer[: start + 1].strip(b"\xa5"):
                    self.bad += 1  # noise or a frame without end before this one
                try:
                    frames.append(self._parse(bytes(buffer[start : end + 1])))
                except FrameError:
                    self.bad += 1
            del buffer[: end + 1]
        start = buffer.rfind(0xA5)
        del buffer[: start if start >= 0 else len(buffer)]
        if len(buffer) > MAX_WIRE:
            self.bad += 1
            buffer.clear()
        return frames

    def clear(self) -> None:
        self._buffer.clear()
