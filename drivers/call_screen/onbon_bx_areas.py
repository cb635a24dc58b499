"""What an Onbon dynamic area is made of: text with styles for font cards, dots for matrix cards. Pure.

Sources as in `onbon_bx_frames`. Where the manuals leave the lengths of the sixth generation open, they are
those of the vendor's onbonlab/bx.dual.dyn.java: a page's length counts its 26 bytes of parameters, the
area's all parameters, and the dots of all pages stand at the end. The order of the bytes in a 32-bit word of
6E dots is not written anywhere; little-endian is taken, as for all else there: untried.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, Literal

import msgspec

from drivers.errors import FrameError

Family = Literal["k", "5e", "6e", "6q"]
"""Font cards 5K/6K, and the dot-matrix series."""


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


class Sound(msgspec.Struct, frozen=True):
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

    @classmethod
    def from_bytes(cls, data: bytes) -> tuple[Sound | None, int]:
        """The sound field at the beginning of `data`, and its length. Raises FrameError."""
        kind = data[0] if data else 3
        if kind == 0:
            return None, 1
        if kind > 2 or len(data) < 4:
            raise FrameError("no sound field")
        voice = {"person": data[1] & 15, "repeats": data[1] >> 4, "volume": data[2], "speed": data[3]}
        if kind == 1:
            return cls(None, **voice), 4
        end = 8 + int.from_bytes(data[4:8], "little")
        if len(data) < max(8, end):
            raise FrameError("sound cut short")
        return cls(data[8:end], **voice), end


class TextArea(msgspec.Struct, frozen=True):
    """One dynamic area of a K card (chapter 9.1). Pixels; `stay` in half seconds; `speed` 0 fastest … 24.

    `eights`: x and width travel in units of 8 dots, the only ones that 5K cards take (onbonlab/bx.k.java);
    else in dots, with the high bit set.
    """

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
    eights: bool = False

    _PLACE = struct.Struct("<BHHHHBBBH")
    _STYLE = struct.Struct("<BBBBBBBI")

    def to_bytes(self) -> bytes:
        return (
            self._PLACE.pack(
                self.type,
                self.x // 8 if self.eights else self.x | 0x8000,
                self.y,
                self.width // 8 if self.eights else self.width | 0x8000,
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

    @classmethod
    def from_bytes(cls, data: bytes) -> TextArea:
        """The reverse of `to_bytes`. Raises FrameError."""
        try:
            kind, x, y, width, height, id, gap, run_mode, timeout = cls._PLACE.unpack_from(data)
            sound, size = Sound.from_bytes(data[cls._PLACE.size :])
            at = cls._PLACE.size + size
            extra = data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
            align, single, wrap, mode, exit, speed, stay, length = cls._STYLE.unpack_from(data, at)
        except (struct.error, IndexError) as error:
            raise FrameError("area cut short") from error
        text = data[at + cls._STYLE.size :]
        if length != len(text) or single not in (1, 2) or wrap not in (1, 2):
            raise FrameError(f"area of {len(data)} bytes with {length} of text")
        if (x ^ width) & 0x8000:
            raise FrameError("x and width in different units")
        eights = not x & 0x8000
        x, width = (x * 8, width * 8) if eights else (x & 0x7FFF, width & 0x7FFF)
        return cls(
            text, width, height, x, y, id, kind, gap, run_mode, timeout, sound, extra,
            align, single == 1, wrap == 2, mode, exit, speed, stay, eights,
        )  # fmt: skip


def dynamic_areas(areas: Iterable[TextArea], *, delete: tuple[int, ...] | Literal["all"] = ()) -> bytes:
    """Payload of DYNAMIC_AREA: areas to delete, areas to show.

    The two reserved bytes before it in the request are here the process mode (0: keep the area) and 00.
    """
    shown = [area.to_bytes() for area in areas]
    parts = [b"\xff" if delete == "all" else bytes((len(delete), *delete)), bytes((len(shown),))]
    for area in shown:
        parts += (len(area).to_bytes(2, "little"), area)
    return b"".join(parts)


def read_dynamic_areas(payload: bytes) -> tuple[tuple[int, ...] | Literal["all"], tuple[TextArea, ...]]:
    """The reverse of `dynamic_areas`: what is deleted, what is shown. Raises FrameError."""
    try:
        ids = 0 if payload[0] == 0xFF else payload[0]
        at = 2 + ids
        areas: list[TextArea] = []
        for _ in range(payload[at - 1]):
            size = int.from_bytes(payload[at : at + 2], "little")
            if len(payload) < at + 2 + size:
                raise FrameError("area cut short")
            areas.append(TextArea.from_bytes(payload[at + 2 : at + 2 + size]))
            at += 2 + size
    except IndexError as error:
        raise FrameError("areas cut short") from error
    if at != len(payload):
        raise FrameError(f"{len(payload) - at} bytes after the areas")
    return ("all" if payload[0] == 0xFF else tuple(payload[1 : 1 + ids])), tuple(areas)


_COLOURS: Final = {"red": b"\\C1", "green": b"\\C2", "yellow": b"\\C3"}
_HIGH_BYTES: Final = bytes(range(0x80, 0x100))
_FONTS: Final = {16: b"000", 24: b"001", 32: b"002"}
NEW_LINE: Final = b"\\n"


def styled(text: bytes, colour: str, font_px: int) -> bytes:
    """Text of a K area that begins with its fonts and its colour, as the card demands (chapter 11.1).

    Lines are joined by NEW_LINE.
    """
    number = _FONTS[font_px]
    plain = text.replace(NEW_LINE, b"")
    # GB2312 has two bytes above 0x7F for each character that is not ASCII
    latin_bytes = len(plain.translate(None, _HIGH_BYTES))
    chinese = b"\\FO" + number if latin_bytes < len(plain) else b""
    latin = b"\\FE" + number if latin_bytes else b""
    return chinese + latin + _COLOURS[colour] + text


# ---------------------------------------------------------------- dot-matrix areas


class Dots(msgspec.Struct, frozen=True):
    """A picture of one colour: `rows` are numbers of `width` bits, the leftmost dot in the highest bit."""

    width: int
    rows: tuple[int, ...]

    def cut(self, start: int, width: int) -> Dots:
        """The part from column `start`, filled up with dark dots to `width`."""
        shift = self.width - start - width
        mask = (1 << width) - 1
        return Dots(width, tuple((row >> shift if shift >= 0 else row << -shift) & mask for row in self.rows))


def encode_dots(dots: Dots, colour: str, family: Family, x: int = 0, *, colours: int = 2) -> bytes:
    """A page of dots for an area that begins at column `x`; 0 is lit, filled up with 1 (appendix 2).

    5E: each row, each 8 dots a byte red and a byte green. 6E: rows of 32-bit words, all red, then all green.
    6Q: three bytes (red, green, blue) per dot. `colours` 1: of a 5E or 6E screen with LEDs of one colour
    only the first plane is sent.
    """
    red, green = colour in ("red", "yellow") or colours == 1, colour in ("green", "yellow")
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
    if colours == 1:
        planes = b"".join(lit_rows)
    elif family == "5e":
        pairs = bytearray()
        for row in lit_rows:
            pair = bytearray(2 * len(row))
            pair[0::2] = row if red else dark_row
            pair[1::2] = row if green else dark_row
            pairs += pair
        return bytes(pairs)
    else:
        planes = b"".join(row if red else dark_row for row in lit_rows)
        planes += b"".join(row if green else dark_row for row in lit_rows)
    if family == "5e":
        return planes
    words = len(planes) // 4
    return struct.pack(f"<{words}I", *struct.unpack(f">{words}I", planes))


class MatrixArea(msgspec.Struct, frozen=True):
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
