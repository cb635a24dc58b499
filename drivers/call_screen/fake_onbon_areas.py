"""What an Onbon card makes of the areas that it is sent: text with escapes, or dots. Apart from the driver.

Every function raises IndexError, ValueError or UnicodeDecodeError for what no card would understand.
"""

from __future__ import annotations

from typing import Final

from drivers.call_screen.fake_onbon_wire import Family, u16, u32
from drivers.call_screen.fake_strip import Run, ShownArea

_COLOUR_CODES: Final = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 6, "6": 5, "7": 7}
_FONT_PX: Final = {"000": 16, "001": 24, "002": 32}


class RefusedAreaError(ValueError):
    """`error` is the card's answer."""

    def __init__(self, error: int) -> None:
        super().__init__(str(error))
        self.error = error


def text_area(area: bytes, now: float, buffer: int) -> tuple[int, ShownArea]:
    """The number and the area of a font card whose areas hold `buffer` bytes of text."""
    x, y, width, height = (u16(area, offset) for offset in (1, 3, 5, 7))
    x = x & 0x7FFF if x & 0x8000 else x * 8
    width = width & 0x7FFF if width & 0x8000 else width * 8
    number, run_mode, timeout, sound = area[9], area[11], u16(area, 12), area[14]
    at = 15 + (3 if sound else 0)
    if sound == 2:
        at += 4 + u32(area, at)
    at += 1 + area[at]
    align, single, _, mode, _, speed, stay = area[at : at + 7]
    size = u32(area, at + 7)
    raw = area[at + 11 :]
    if size != len(raw):
        raise RefusedAreaError(2)
    if size > buffer:
        raise RefusedAreaError(4)
    lines, font_px = parse(raw.decode("gb2312"))
    if font_px > height:
        raise RefusedAreaError(12)
    return number, ShownArea(
        x, y, width, height, mode, speed, stay / 2, now, align, font_px, single == 1,
        timeout, run_mode, tuple(lines),
    )  # fmt: skip


def parse(text: str) -> tuple[list[Run], int]:
    """Text with the card's escapes → lines of coloured characters, and the height of the font."""
    lines: list[Run] = [[]]
    colour, font_px, at = 1, 16, 0
    while at < len(text):
        two = text[at : at + 2]
        if two == "\\F":
            font_px = _FONT_PX[text[at + 3 : at + 6]]
            at += 6
        elif two == "\\C":
            colour = _COLOUR_CODES[text[at + 2]]
            at += 3
        elif two == "\\n":
            lines.append([])
            at += 2
        else:
            lines[-1].append((text[at], colour))
            at += 1
    return lines, font_px


def dot_area(payload: bytes, family: Family, colours: int, now: float) -> tuple[int, ShownArea]:
    """The number and the area of a matrix card."""
    sixth = family != "5e"
    if sixth and u16(payload, 0) != 1:
        raise RefusedAreaError(2)
    at = 2 if sixth else 0
    size, at = u32(payload, at), at + 4
    area, dots = payload[at : at + size], payload[at + size :]
    number, run_mode, timeout = area[0], area[1], u16(area, 2)
    at = 7 + 2 * u16(area, 5) + 1 + 4 + 1
    x, y, width, height = (u16(area, at + offset) for offset in (0, 2, 4, 6))
    at += 9 + (9 if sixth else 0)
    count, at = u16(area, at), at + 2
    pages: list[list[bytes]] = []
    mode = speed = stay = 0
    for _ in range(count):
        size = u32(area, at)
        page = area[at + 4 : at + 4 + size]
        mode, speed, stay = page[1], page[3], u16(page, 4)
        if sixth:
            offset, length = u32(page, 18), u32(page, 22)
            data = dots[offset : offset + length]
        else:
            data = page[13:]
        pages.append(_dots(data, family, colours, x, width, height))
        at += 4 + size
    if not pages or at != len(area):
        raise RefusedAreaError(2)
    return number, ShownArea(
        x, y, width, height, mode, speed, stay / 100, now,
        timeout_s=timeout, run_mode=run_mode, pages=tuple(pages),
    )  # fmt: skip


def _dots(data: bytes, family: Family, colours: int, x: int, width: int, height: int) -> list[bytes]:
    """Rows of palette values."""
    rows = [bytearray(width) for _ in range(height)]
    if family == "6q":
        if len(data) != 3 * width * height:
            raise ValueError("dots do not fill the area")
        for y in range(height):
            for column in range(width):
                at = 3 * (y * width + column)
                rows[y][column] = sum(1 << k for k in range(3) if data[at + k] > 127)
        return [bytes(row) for row in rows]
    unit = 8 if family == "5e" else 32
    units = (x % unit + width + unit - 1) // unit
    plane = units * unit // 8 * height
    if len(data) != colours * plane:
        raise ValueError("dots do not fill the area")
    for y in range(height):
        for column in range(width):
            place = x % unit + column
            for colour in range(colours):
                if family == "5e":
                    byte = data[colours * (y * units + place // 8) + colour]
                else:
                    word = colour * plane + 4 * (y * units + place // 32)
                    byte = data[word + 3 - place % 32 // 8]  # words come low byte first
                if not byte >> (7 - place % 8) & 1:
                    rows[y][column] |= 1 << colour
    return [bytes(row) for row in rows]
