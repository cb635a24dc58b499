"""QR codes: printable ASCII in byte mode, error correction M, versions 1 to 20. No I/O, no packages.

Why not python-escpos' `qrcode`: 28 ms for a ticket's code, on the way from the tap to the paper; this takes
about 1 ms, because a row of the code is one integer and what depends on the version alone is kept.

    4 bits 0100, length (8 bits up to version 9, else 16), bytes, 0000, then EC 11 EC 11 …
    → blocks, each with its Reed-Solomon bytes, interleaved → two columns at a time from the right, up and
    down, around the function patterns → the mask of eight with the lowest penalty → format bits

Source: ISO/IEC 18004:2015, tables 7 (capacity), 9 (blocks), E.1 (alignment patterns), annexes A, C and D.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from drivers.ticket_printer.escpos_frames import Bitmap

VERSIONS: Final = 20
"""The largest: 97 modules a side, 666 bytes."""
# bytes of error correction in a block, and blocks, at level M
_CORRECTION: Final = (10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26)
_BLOCKS: Final = (1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16)
_ALIGNMENT: Final[tuple[tuple[int, ...], ...]] = (
    (),
    *((6, last) for last in (18, 22, 26, 30, 34)),
    *((6, 22 + 2 * n, 38 + 4 * n) for n in range(7)),
    (6, 26, 46, 66),
    (6, 26, 48, 70),
    (6, 26, 50, 74),
    (6, 30, 54, 78),
    (6, 30, 56, 82),
    (6, 30, 58, 86),
    (6, 34, 62, 90),
)
_FINDER: Final = (0x7F, 0x41, 0x5D, 0x5D, 0x5D, 0x41, 0x7F)
_LIKE_FINDER: Final = (0b00001011101, 0b10111010000)


class QrPayloadError(ValueError):
    """Not printable ASCII, empty, or too long."""


@lru_cache(maxsize=VERSIONS)
def _capacity(version: int) -> tuple[int, int]:
    """All bytes of a version, and those for data."""
    modules = (16 * version + 128) * version + 64
    if version > 1:
        marks = version // 7 + 2
        modules -= (25 * marks - 10) * marks - 55
        if version > 6:
            modules -= 36
    total = modules // 8
    return total, total - _CORRECTION[version - 1] * _BLOCKS[version - 1]


def version_of(payload: str) -> int:
    """The smallest version that holds `payload`. Raises QrPayloadError."""
    if not payload or not (payload.isascii() and payload.isprintable()):
        raise QrPayloadError("a QR payload has to be printable ASCII")  # readers guess any other encoding
    for version in range(1, VERSIONS + 1):
        if len(payload) + (2 if version < 10 else 3) <= _capacity(version)[1]:
            return version
    raise QrPayloadError(f"a QR payload of {len(payload)} characters is too long")


def modules_of(payload: str) -> int:
    """Modules of a side, without the quiet zone. Raises QrPayloadError."""
    return 17 + 4 * version_of(payload)


def qr_rows(payload: str) -> list[int]:
    """The modules, top row first, bit 0 of each the leftmost one, 1 = black. Raises QrPayloadError."""
    version = version_of(payload)
    frame = _frame(version)
    rows, columns = list(frame.rows), list(frame.columns)
    for (y, x), bit in zip(frame.order, _bits(payload.encode("ascii"), version), strict=False):
        if bit == "1":
            rows[y] |= 1 << x
            columns[x] |= 1 << y
    best: list[int] = []
    least = 0
    for mask in range(8):
        across, down, format_rows, format_columns = _mask(version, mask)
        masked = [row ^ turned | more for row, turned, more in zip(rows, across, format_rows, strict=True)]
        turned = [row ^ turn | more for row, turn, more in zip(columns, down, format_columns, strict=True)]
        penalty = _penalty(masked, turned)
        if not best or penalty < least:
            best, least = masked, penalty
    return best


def qr_bitmap(payload: str, module: int) -> Bitmap:
    """The code as dots, `module` to a module, no quiet zone. Raises QrPayloadError."""
    rows = qr_rows(payload)
    width = (len(rows) * module + 7) // 8
    out = bytearray()
    for row in rows:
        dots = f"{row:0{len(rows)}b}"[::-1].replace("1", "i" * module).replace("0", "0" * module)
        out += int(dots.replace("i", "1").ljust(width * 8, "0"), 2).to_bytes(width, "big") * module
    return Bitmap(width, bytes(out))


# ---------------------------------------------------------------- bytes


def _tables() -> tuple[list[int], list[int]]:
    """Powers and logarithms of the field with 256 elements, x⁸ + x⁴ + x³ + x² + 1."""
    power, logarithm, value = [0] * 255, [0] * 256, 1
    for exponent in range(255):
        power[exponent], logarithm[value] = value, exponent
        value = value << 1 ^ (0x11D if value & 0x80 else 0)
    return power, logarithm


@lru_cache(maxsize=16)
def _remainders(degree: int) -> tuple[int, ...]:
    """What each leading byte leaves of a division by the generator: `degree` bytes as one integer."""
    power, logarithm = _tables()

    def times(a: int, b: int) -> int:
        return power[(logarithm[a] + logarithm[b]) % 255] if a and b else 0

    generator = [1]
    for exponent in range(degree):
        shifted, scaled = [*generator, 0], [0, *(times(part, power[exponent]) for part in generator)]
        generator = [a ^ b for a, b in zip(shifted, scaled, strict=True)]
    return tuple(
        int.from_bytes(bytes(times(part, lead) for part in generator[1:]), "big") for lead in range(256)
    )


def _correction(block: bytes, degree: int) -> bytes:
    table, top, rest = _remainders(degree), 8 * (degree - 1), 0
    for byte in block:
        lead = rest >> top ^ byte
        rest = (rest & (1 << top) - 1) << 8 ^ table[lead]
    return rest.to_bytes(degree, "big")


def _bits(data: bytes, version: int) -> str:
    """All bits of the code in the order of their places."""
    _, room = _capacity(version)
    counted = 8 if version < 10 else 16
    bits = f"0100{len(data):0{counted}b}" + "".join(f"{byte:08b}" for byte in data)
    bits += "0" * min(4, room * 8 - len(bits))
    bits += "0" * (-len(bits) % 8)
    content = int(bits, 2).to_bytes(len(bits) // 8, "big")
    content += (b"\xec\x11" * room)[: room - len(content)]
    count, degree = _BLOCKS[version - 1], _CORRECTION[version - 1]
    short, longer = divmod(room, count)
    blocks: list[bytes] = []
    start = 0
    for index in range(count):
        size = short + (index >= count - longer)
        blocks.append(content[start : start + size])
        start += size
    checks = [_correction(block, degree) for block in blocks]
    mixed = bytes(block[i] for i in range(short + 1) for block in blocks if i < len(block))
    mixed += bytes(check[i] for i in range(degree) for check in checks)
    return f"{int.from_bytes(mixed, 'big'):0{len(mixed) * 8}b}"


# ---------------------------------------------------------------- patterns


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands in a version before any data: black modules by row and column, and the free places."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    order: tuple[tuple[int, int], ...]


@lru_cache(maxsize=VERSIONS)
def _frame(version: int) -> _Frame:
    side = 17 + 4 * version
    black = [[False] * side for _ in range(side)]
    taken = [[False] * side for _ in range(side)]

    def put(y: int, x: int, ink: bool) -> None:
        black[y][x], taken[y][x] = ink, True

    for n in range(side):
        put(6, n, n % 2 == 0)
        put(n, 6, n % 2 == 0)
    for top, left in ((0, 0), (0, side - 7), (side - 7, 0)):
        for y in range(max(0, top - 1), min(side, top + 8)):
            for x in range(max(0, left - 1), min(side, left + 8)):
                inside = 0 <= y - top < 7 and 0 <= x - left < 7
                put(y, x, inside and bool(_FINDER[y - top] >> x - left & 1))
    marks = _ALIGNMENT[version - 1]
    for cy in marks:
        for cx in marks:
            if (cy, cx) in ((6, 6), (6, side - 7), (side - 7, 6)):
                continue
            for y in range(-2, 3):
                for x in range(-2, 3):
                    put(cy + y, cx + x, max(abs(y), abs(x)) != 1)
    for first, second in zip(*_format_places(side), strict=True):
        put(*first, False)
        put(*second, False)
    put(side - 8, 8, True)
    if version > 6:
        bits = _coded(version, 0x1F25, 12)
        for n in range(18):
            put(n // 3, side - 11 + n % 3, bool(bits >> n & 1))
            put(side - 11 + n % 3, n // 3, bool(bits >> n & 1))
    order: list[tuple[int, int]] = []
    for pair, right in enumerate(x for x in range(side - 1, 0, -2)):
        right -= right <= 6
        for y in range(side) if pair % 2 else range(side - 1, -1, -1):
            order += [(y, x) for x in (right, right - 1) if not taken[y][x]]
    rows = tuple(sum(1 << x for x in range(side) if black[y][x]) for y in range(side))
    columns = tuple(sum(1 << y for y in range(side) if black[y][x]) for x in range(side))
    return _Frame(rows, columns, tuple(order))


def _format_places(side: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where the 15 format bits stand, lowest first, twice: (row, column)."""
    first = [(y, 8) for y in (0, 1, 2, 3, 4, 5, 7, 8)] + [(8, x) for x in (7, 5, 4, 3, 2, 1, 0)]
    second = [(8, side - 1 - n) for n in range(8)] + [(side - 7 + n, 8) for n in range(7)]
    return first, second


def _coded(value: int, generator: int, degree: int) -> int:
    """`value` with its BCH remainder behind it."""
    rest = value << degree
    for bit in range(rest.bit_length() - 1, degree - 1, -1):
        if rest >> bit & 1:
            rest ^= generator << bit - degree
    return value << degree | rest


def _turns(mask: int, y: int, x: int) -> bool:
    match mask:
        case 0:
            return (y + x) % 2 == 0
        case 1:
            return y % 2 == 0
        case 2:
            return x % 3 == 0
        case 3:
            return (y + x) % 3 == 0
        case 4:
            return (y // 2 + x // 3) % 2 == 0
        case 5:
            return y * x % 2 + y * x % 3 == 0
        case 6:
            return (y * x % 2 + y * x % 3) % 2 == 0
        case _:
            return ((y + x) % 2 + y * x % 3) % 2 == 0


@lru_cache(maxsize=16)
def _mask(version: int, mask: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """What a mask turns over, by row and by column; its format bits, by row and by column."""
    side = 17 + 4 * version
    across, down, format_rows, format_columns = ([0] * side for _ in range(4))
    for y, x in _frame(version).order:
        if _turns(mask, y, x):
            across[y] |= 1 << x
            down[x] |= 1 << y
    bits = _coded(mask, 0x537, 10) ^ 0x5412  # level M is 00
    for places in _format_places(side):
        for n, (y, x) in enumerate(places):
            if bits >> n & 1:
                format_rows[y] |= 1 << x
                format_columns[x] |= 1 << y
    return across, down, format_rows, format_columns


def _penalty(rows: list[int], columns: list[int]) -> int:
    side = len(rows)
    full = (1 << side) - 1
    points = dark = 0
    for lines in (rows, columns):
        for line in lines:
            for ink in (line, full ^ line):
                run = ink & ink >> 1 & ink >> 2
                run &= run >> 2
                if run:  # n + 4 modules of one colour: 3 points and one for each beyond five
                    points += run.bit_count() + 2 * (run & ~(run << 1)).bit_count()
            for pattern in _LIKE_FINDER:
                found = full >> 10
                for n in range(11):
                    found &= (line if pattern >> n & 1 else ~line) >> n
                    if not found:
                        break
                points += 40 * found.bit_count()
    for upper, lower in itertools.pairwise(rows):
        both, none = upper & lower, full & ~(upper | lower)
        points += 3 * ((both & both >> 1).bit_count() + (none & none >> 1).bit_count())
    dark = sum(row.bit_count() for row in rows)
    # each full step of 5 % from one half
    return points + 10 * (abs(dark * 20 - side * side * 10) // (side * side))
