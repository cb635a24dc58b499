"""Checksums of short serial frames. Pure.

| kind | over the bytes | size |
|---|---|---|
| `xor` | exclusive or (often called BCC) | 1 |
| `sum` | low byte of the sum | 1 |
| `twos` | 256 minus the sum: all bytes together give 0 (often called LRC) | 1 |
| `sum16` | low two bytes of the sum | 2 |
| `crc8` | polynomial 07, initial 00 (CRC-8/SMBUS) | 1 |
| `crc8-maxim` | polynomial 31 reflected, initial 00 (CRC-8/MAXIM-DOW) | 1 |
| `crc16` | polynomial 8005 reflected, initial FFFF (as Modbus) | 2 |
"""

from __future__ import annotations

from functools import cache, reduce
from operator import xor
from typing import Final, Literal

Checksum = Literal["none", "xor", "sum", "twos", "sum16", "crc8", "crc8-maxim", "crc16"]
SIZES: Final[dict[Checksum, int]] = {
    "none": 0,
    "xor": 1,
    "sum": 1,
    "twos": 1,
    "sum16": 2,
    "crc8": 1,
    "crc8-maxim": 1,
    "crc16": 2,
}


def checksum(kind: Checksum, data: bytes, order: Literal["little", "big"] = "little") -> bytes:
    """The checksum bytes over `data`; `order` is for those of two bytes."""
    match kind:
        case "none":
            return b""
        case "xor":
            return bytes((reduce(xor, data, 0),))
        case "sum":
            return bytes((sum(data) & 0xFF,))
        case "twos":
            return bytes((-sum(data) & 0xFF,))
        case "sum16":
            return (sum(data) & 0xFFFF).to_bytes(2, order)
        case "crc8":
            table = _crc8()
            return bytes((reduce(lambda crc, byte: table[crc ^ byte], data, 0),))
        case "crc8-maxim":
            return bytes((_reflected(data, 0, _reflected_table(0x8C)),))
        case "crc16":
            return _reflected(data, 0xFFFF, _reflected_table(0xA001)).to_bytes(2, order)


# The tables are made when first used: all of them cost a node's start 0.5 ms.
@cache
def _crc8() -> list[int]:
    table = list(range(256))
    for _ in range(8):
        table = [value << 1 ^ 0x07 if value & 0x80 else value << 1 for value in table]
    return [value & 0xFF for value in table]


@cache
def _reflected_table(polynomial: int) -> list[int]:
    table = list(range(256))
    for _ in range(8):
        table = [value >> 1 ^ polynomial if value & 1 else value >> 1 for value in table]
    return table


def _reflected(data: bytes, crc: int, table: list[int]) -> int:
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc
