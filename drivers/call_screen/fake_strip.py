"""How a fake card's area looks: rows of dots by its text or dots, its motion and the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.call_screen import glyphs

PALETTE: Final = (
    "#1a0d0d", "#ff2a1a", "#28e02c", "#ffc81e", "#2f5cff", "#ff3de0", "#25e4ec", "#ffffff"
)  # fmt: skip
"""Colours of the values in `FakeOnbonCard.dots`: bit 0 red, bit 1 green, bit 2 blue; 0 is a dark LED."""

Run = list[tuple[str, int]]
"""Characters of one line with their colours."""


@dataclass(slots=True)
class ShownArea:
    """One dynamic area as the card keeps it. `lines`: text of a font card; `pages`: dots of a matrix card."""

    x: int
    y: int
    width: int
    height: int
    mode: int
    speed: int
    stay_s: float
    since: float
    align: int = 0
    font_px: int = 16
    single_line: bool = False
    timeout_s: int = 0
    run_mode: int = 0
    lines: tuple[Run, ...] = ()
    pages: tuple[list[bytes], ...] = ()

    @property
    def text(self) -> str:
        return "\n".join("".join(char for char, _ in line) for line in self.lines)


def picture(area: ShownArea, age: float) -> list[bytes]:
    """The area as rows of palette values, `age` seconds after it was sent."""
    step = 100 / (1 + area.speed)  # dots per second: the real figure is not documented
    if area.pages:
        if area.mode in (3, 4):
            strip = [b"".join(page[y] for page in area.pages) for y in range(area.height)]
            return _window(strip, int(age * step), area.width)
        if area.mode == 7 and int(age * 2) % 2:
            return [bytes(area.width)] * area.height
        page = int(age / max(area.stay_s, 0.1)) % len(area.pages)
        return area.pages[page]
    if area.mode == 3:
        strip = _draw([pair for line in area.lines for pair in line], area.font_px)
        gap = bytes(area.width)
        return _fit([gap + row for row in strip], area, int(age * step))
    lines_per_page = max(1, area.height // area.font_px)
    pages = [area.lines[i : i + lines_per_page] for i in range(0, len(area.lines), lines_per_page)]
    if not pages:
        return [bytes(area.width)] * area.height
    page_lines = pages[int(age / max(area.stay_s, 0.1)) % len(pages)]
    rows: list[bytes] = []
    for line in page_lines:
        rows += _aligned(_draw(line, area.font_px), area.width, area.align & 3)
    return _middle(rows, area)


def _draw(line: Run, size: int) -> list[bytes]:
    rows = [bytearray() for _ in range(size)]
    for char, colour in line:
        wide = glyphs.width(char, size)
        for y, bits in enumerate(glyphs.glyph(char, size)):
            rows[y] += bytes(colour if bits >> (wide - 1 - x) & 1 else 0 for x in range(wide))
    return [bytes(row) for row in rows]


def _window(strip: list[bytes], offset: int, width: int) -> list[bytes]:
    """`width` dots of an endless strip from `offset`."""
    length = len(strip[0]) or 1
    offset %= length
    return [(row * (2 + width // length))[offset : offset + width] for row in strip]


def _aligned(rows: list[bytes], width: int, align: int) -> list[bytes]:
    room = width - len(rows[0])
    left = 0 if room <= 0 or align == 0 else room if align == 1 else room // 2
    return [(bytes(left) + row).ljust(width, b"\0")[:width] for row in rows]


def _middle(rows: list[bytes], area: ShownArea) -> list[bytes]:
    room = area.height - len(rows)
    upright = area.align >> 2 & 3
    top = 0 if room <= 0 or upright == 0 else room if upright == 1 else room // 2
    rows = [bytes(area.width)] * top + rows
    return (rows + [bytes(area.width)] * area.height)[: area.height]


def _fit(strip: list[bytes], area: ShownArea, offset: int) -> list[bytes]:
    return _middle(_window(strip, offset, area.width), area)
