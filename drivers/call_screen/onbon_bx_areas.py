"""What an Onbon dynamic area is made of: text with styles for font cards, dots for matrix cards. Pure.

Sources as in `onbon_bx_frames`. Where the manuals leave the lengths of the sixth generation open, they are
those of the vendor's onbonlab/bx.dual.dyn.java: a page's length counts its 26 bytes of parameters, the
area's all parameters, and the dots of all pages stand at the end. The order of the bytes in a 32-bit word of
6E dots is not written anywhere; little-endian is taken, as for all else there: untried.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

Family = Literal["k", "5e", "6e", "6q"]
"""Font cards 5K/6K, and the dot-matrix series."""

SUBSTITUTE: Final = "□"
"""Stands for a character that GB2312 does not have (A1 F5)."""


class RunMode(IntEnum):
    LOOP = 0
    STAY = 1
    DELETE_ON_TIMEOUT = 2


class Mode(IntEnum):
    """How a page comes; K cards know 1–6 (4 is "right" there), matrix cards also those marked."""

    STATIC = 1
    AT_ONCE = 2
    LEFT = 3
    LEFT_CONTINUOUS = 4  # matrix
    BLINK = 7  # matrix


@dataclass(frozen=True, slots=True)
class Sound:
    """Speech with an area, for cards with voice. `text` None: speak what is shown. Volume, speed 0–10."""

    text: bytes | None = None
    person: int = 0
    repeats: int = 0
    volume: int = 5
    speed: int = 5

    def to_bytes(self) -> bytes:
        head = bytes((self.repeats << 4 | self.person, self.volume, self.speed))
        if self.text is None:
            return b"\x01" + head
        return b"\x02" + head + len(self.text).to_bytes(4, "little") + self.text


@dataclass(frozen=True, slots=True)
class TextArea:
    """One dynamic area of a K card (chapter 9.1). Pixels; `stay` in half seconds; `speed` 0 fastest … 24."""

    text: bytes
    width: int
    height: int
    x: int = 0
    y: int = 0
    id: int = 0
    type: int = 0
    line_gap: int = 0
    run_mode: int = RunMode.LOOP
    timeout_s: int = 0
    sound: Sound | None = None
    extra: bytes = b""
    """Extra parameters (type setting, character gap, …) of newer fonts; at most 255 bytes."""
    align: int = 0
    """Bits 1-0: 0 left, 1 right, 2 centre; bits 3-2: 0 top, 1 bottom, 2 middle."""
    single_line: bool = False
    wrap: bool = False
    mode: int = Mode.STATIC
    exit: int = 0
    speed: int = 2
    stay: int = 10

    _PLACE = struct.Struct("<BHHHHBBBH")
    _STYLE = struct.Struct("<BBBBBBBI")

    def to_bytes(self) -> bytes:
        return (
            self._PLACE.pack(
                self.type,
                self.x | 0x8000,
                self.y,
                self.width | 0x8000,
                self.height,
                self.id,
                self.line_gap,
                self.run_mode,
                self.timeout_s,
            )
            + (self.sound.to_bytes() if self.sound else b"\0")
            + bytes((len(self.extra),))
            + self.extra
            + self._STYLE.pack(
                self.align,
                1 if self.single_line else 2,
                2 if self.wrap else 1,
                self.mode,
                self.exit,
                self.speed,
                self.stay,
                len(self.text),
            )
            + self.text
        )


def dynamic_areas(areas: Iterable[TextArea], *, delete: tuple[int, ...] | Literal["all"] = ()) -> bytes:
    """Payload of DYNAMIC_AREA: areas to delete, areas to show.

    The two reserved bytes before it in the request are here the process mode (0: keep the area) and 00.
    """
    shown = [area.to_bytes() for area in areas]
    parts = [b"\xff" if delete == "all" else bytes((len(delete), *delete)), bytes((len(shown),))]
    for area in shown:
        parts += (len(area).to_bytes(2, "little"), area)
    return b"".join(parts)


_COLOURS: Final = {"red": b"\\C1", "green": b"\\C2", "yellow": b"\\C3"}
_HIGH_BYTES: Final = bytes(range(0x80, 0x100))
_FONTS: Final = {16: b"000", 24: b"001", 32: b"002"}


def gb2312(text: str, limit: int) -> tuple[bytes, bool]:
    """`text` for a K card in at most `limit` bytes, and whether something had to be replaced or cut.

    A character that GB2312 lacks becomes `SUBSTITUTE`; a backslash, which would begin a command of the card,
    becomes the wide one; line breaks and other controls become spaces.
    """
    if text.isprintable() and "\\" not in text:
        try:
            whole = text.encode("gb2312")
            if len(whole) <= limit:
                return whole, False
        except UnicodeEncodeError:
            pass  # character by character
    encoded = bytearray()
    changed = False
    for char in text:
        char = " " if char < " " else "＼" if char == "\\" else char
        try:
            code = char.encode("gb2312")
        except UnicodeEncodeError:
            code = SUBSTITUTE.encode("gb2312")
            changed = True
        if len(encoded) + len(code) > limit:
            return bytes(encoded), True
        encoded += code
    return bytes(encoded), changed


def styled(text: bytes, colour: str, font_px: int) -> bytes:
    """Text of a K area that begins with its fonts and its colour, as the card demands (chapter 11.1)."""
    number = _FONTS[font_px]
    # GB2312 has two bytes above 0x7F for each character that is not ASCII
    latin_bytes = len(text.translate(None, _HIGH_BYTES))
    chinese = b"\\FO" + number if latin_bytes < len(text) else b""
    latin = b"\\FE" + number if latin_bytes else b""
    return chinese + latin + _COLOURS[colour] + text


# ---------------------------------------------------------------- dot-matrix areas


@dataclass(frozen=True, slots=True)
class Dots:
    """A picture of one colour: `rows` are numbers of `width` bits, the leftmost dot in the highest bit."""

    width: int
    rows: tuple[int, ...]

    def cut(self, start: int, width: int) -> Dots:
        """The part from column `start`, filled up with dark dots to `width`."""
        shift = self.width - start - width
        mask = (1 << width) - 1
        return Dots(width, tuple((row >> shift if shift >= 0 else row << -shift) & mask for row in self.rows))


def encode_dots(dots: Dots, colour: str, family: Family, x: int = 0) -> bytes:
    """A page of dots for an area that begins at column `x`; 0 is lit, filled up with 1 (appendix 2).

    5E: each row, each 8 dots a byte red and a byte green. 6E: rows of 32-bit words, all red, then all green.
    6Q: three bytes (red, green, blue) per dot.
    """
    red, green = colour in ("red", "yellow"), colour in ("green", "yellow")
    if family == "6q":
        lit, dark = bytes((255 * red, 255 * green, 0)), b"\0\0\0"
        return b"".join(
            lit if row >> bit & 1 else dark for row in dots.rows for bit in reversed(range(dots.width))
        )
    unit = 8 if family == "5e" else 32
    left = x % unit
    size = -(-(left + dots.width) // unit) * unit
    right = size - left - dots.width
    dark_row = ((1 << size) - 1).to_bytes(size // 8, "big")
    lit_rows = [(((1 << size) - 1) ^ (row << right)).to_bytes(size // 8, "big") for row in dots.rows]
    if family == "5e":
        pairs = bytearray()
        for row in lit_rows:
            pair = bytearray(2 * len(row))
            pair[0::2] = row if red else dark_row
            pair[1::2] = row if green else dark_row
            pairs += pair
        return bytes(pairs)
    planes = b"".join(row if red else dark_row for row in lit_rows)
    planes += b"".join(row if green else dark_row for row in lit_rows)
    words = len(planes) // 4
    return struct.pack(f"<{words}I", *struct.unpack(f">{words}I", planes))


@dataclass(frozen=True, slots=True)
class MatrixArea:
    """One dynamic area of a dot-matrix card; pixels; `stay` in 10 ms; `pages` as `encode_dots` makes them.

    `alone`: stored programmes stop and only the area is shown.
    """

    pages: tuple[bytes, ...]
    width: int
    height: int
    x: int = 0
    y: int = 0
    id: int = 0
    run_mode: int = RunMode.LOOP
    timeout_s: int = 0
    alone: bool = True
    mode: int = Mode.STATIC
    clear: int = 0
    speed: int = 2
    stay: int = 500
    repeat: int = 1

    _PLACE = struct.Struct("<BBHBHB4xBHHHHB")
    _PAGE = struct.Struct("<BBBBHBH")

    def payload(self, family: Family) -> bytes:
        """Payload of MATRIX_DYNAMIC_AREA.

        Fifth generation: length of all that follows, area, then per page its length, style and dots. Sixth:
        number of areas, length of the parameters, parameters, all dots at the end, found by offsets.
        """
        area = self._PLACE.pack(
            self.id,
            self.run_mode,
            self.timeout_s,
            1,  # shown with every programme
            0,
            1 if self.alone else 0,
            0x10,
            self.x,
            self.y,
            self.width,
            self.height,
            0,  # no frame around it
        )
        style = self._PAGE.pack(0, self.mode, self.clear, self.speed, self.stay, self.repeat, self.width)
        parts = [area] if family == "5e" else [area, bytes(9)]  # no background, no sound, reserved
        parts.append(len(self.pages).to_bytes(2, "little"))
        offset = 0
        for page in self.pages:
            if family == "5e":
                parts += (struct.pack("<I", len(style) + 4 + len(page)), style, bytes(4), page)
            else:
                place = struct.pack("<9xII", offset, len(page))
                parts += (struct.pack("<I", len(style) + len(place)), style, place)
                offset += len(page)
        parameters = b"".join(parts)
        size = struct.pack("<I", len(parameters))
        if family == "5e":
            return size + parameters
        return b"\x01\0" + size + parameters + b"".join(self.pages)
