"""QR codes: printable ASCII in byte mode, error correction M, versions 1 to 20. No I/O, no packages.

Why not python-escpos' `qrcode`: 28 ms for a ticket's code, on the way from the tap to the paper. This takes
a hundredth of that, because the whole code is one integer (and a second one, turned, for what runs
downwards), and what depends on the version alone is kept.

    4 bits 0100, length (8 bits up to version 9, else 16), bytes, 0000, then EC 11 EC 11 …
    → blocks, each with its Reed-Solomon bytes, interleaved → two columns at a time from the right, up and
    down, around the function patterns → the mask of eight with the lowest penalty → format bits

Source: ISO/IEC 18004:2015, tables 7 (capacity), 9 (blocks), E.1 (alignment patterns), annexes A, C and D.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
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


def qr_rows(payload: str) -> list[str]:
    """The modules, row by row, "1" is black. Raises QrPayloadError."""
    version = version_of(payload)
    frame = _frame(version)
    characters = _bits(payload.encode("ascii"), version) + "01"
    across = int("".join(frame.across(characters)), 2)
    down = int("".join(frame.down(characters)), 2)
    best = least = 0
    for mask in range(8):
        turned_across, turned_down, format_across, format_down = _mask(version, mask)
        masked = across ^ turned_across | format_across
        penalty = _penalty(masked, down ^ turned_down | format_down, frame.side)
        if not mask or penalty < least:
            best, least = masked, penalty
    side, stride = frame.side, frame.side + 1
    dots = f"{best:0{stride * side}b}"
    return [dots[row * stride : row * stride + side] for row in range(side)]


def qr_bitmap(payload: str, module: int, left: int = 0) -> Bitmap:
    """The code as dots, `module` to a module, `left` white dots before it. Raises QrPayloadError."""
    rows = qr_rows(payload)
    width = (left + len(rows) * module + 7) // 8
    white = "0" * left
    wide = str.maketrans({"0": "0" * module, "1": "1" * module})
    return Bitmap(
        width,
        b"".join(
            int((white + row.translate(wide)).ljust(width * 8, "0"), 2).to_bytes(width, "big") * module
            for row in rows
        ),
    )


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
    """What a version is before any data. `order`: the free places, (row, column), as data fills them.

    `across` and `down` pick from the data's bits + "01" what stands in each place, row by row and column by
    column. Behind each row and column stands one 0 that is neither black nor white.
    """

    side: int
    order: tuple[tuple[int, int], ...]
    across: Callable[[str], tuple[str, ...]]
    down: Callable[[str], tuple[str, ...]]


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
    bits = _capacity(version)[0] * 8
    # bits beyond the last byte are 0; behind the data stand "0" and "1" for the patterns
    source = {place: min(n, bits) for n, place in enumerate(order)}
    picked = [[source.get((y, x), bits + black[y][x]) for x in range(side)] for y in range(side)]
    return _Frame(
        side,
        tuple(order),
        itemgetter(*(n for row in picked for n in (*row, bits))),
        itemgetter(*(n for column in zip(*picked, strict=True) for n in (*column, bits))),
    )


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


@lru_cache(maxsize=64)
def _mask(version: int, mask: int) -> tuple[int, int, int, int]:
    """What a mask turns over, across and down; its format bits, across and down."""
    side = 17 + 4 * version
    turned = [place for place in _frame(version).order if _turns(mask, *place)]
    bits = _coded(mask, 0x537, 10) ^ 0x5412  # level M is 00
    black = [place for places in _format_places(side) for n, place in enumerate(places) if bits >> n & 1]
    return (
        _grid(turned, side),
        _grid([(x, y) for y, x in turned], side),
        _grid(black, side),
        _grid([(x, y) for y, x in black], side),
    )


def _grid(places: Iterable[tuple[int, int]], side: int) -> int:
    last = side * (side + 1) - 1
    return sum({1 << last - (y * (side + 1) + x) for y, x in places})


def _penalty(across: int, down: int, side: int) -> int:
    """How hard the code is to read, all rows at once: a bit of an integer is a place, and shifting compares
    it with its neighbours. The 0 behind each row keeps them apart."""
    stride = side + 1
    full = int(("1" * side + "0") * side, 2)
    points = 0
    for black in (across, down):
        white = full ^ black
        for ink in (black, white):
            run = ink & ink >> 1 & ink >> 2
            run &= run >> 2
            # n + 4 modules of one colour: 3 points and one for each beyond five
            points += run.bit_count() + 2 * (run & ~(run << 1)).bit_count()
        core = black & white >> 1 & black >> 2 & black >> 3 & black >> 4 & white >> 5 & black >> 6
        before = white >> 7 & white >> 8 & white >> 9 & white >> 10
        after = white & white >> 1 & white >> 2 & white >> 3
        points += 40 * ((core & before).bit_count() + (core >> 4 & after).bit_count())
    for ink in (across, full ^ across):
        both = ink & ink >> stride
        points += 3 * (both & both >> 1).bit_count()
    # each full step of 5 % from one half
    return points + 10 * (abs(across.bit_count() * 20 - side * side * 10) // (side * side))
