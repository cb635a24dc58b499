"""Paper that came out of a fake printer, and its picture."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from PIL import Image

MARGIN: Final = 28
"""Dots of bare paper left and right."""
TOP: Final = 24
_PAPER: Final = 252
_INK: Final = 24

Where: TypeAlias = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line of text as it stands on the paper; `width` and `height` times the normal character."""

    text: str
    width: int
    height: int
    bold: bool
    align: Where
    pitch: int
    """Dots from the top of this line to the top of the next."""


@dataclass(frozen=True, slots=True)
class PrintedRaster:
    """Dots, 1 = black, most significant bit left."""

    width_bytes: int
    rows: bytes
    align: Where


@dataclass(frozen=True, slots=True)
class PrintedQr:
    payload: str
    module: int
    align: Where


@dataclass(frozen=True, slots=True)
class PrintedFeed:
    dots: int


Printed: TypeAlias = PrintedLine | PrintedRaster | PrintedQr | PrintedFeed


@dataclass(frozen=True, slots=True)
class PrintedTicket:
    """A piece of paper from one cut to the next.

    `whole`: nothing broke it off between (another start, cleared buffers, paper end, power).
    """

    items: tuple[Printed, ...]
    columns: int
    at: datetime
    whole: bool

    @property
    def lines(self) -> list[PrintedLine]:
        return [item for item in self.items if isinstance(item, PrintedLine)]

    @property
    def rasters(self) -> list[PrintedRaster]:
        return [item for item in self.items if isinstance(item, PrintedRaster)]

    @property
    def qr(self) -> list[str]:
        return [item.payload for item in self.items if isinstance(item, PrintedQr)]

    @property
    def text(self) -> str:
        """Its lines of text."""
        return "\n".join(line.text for line in self.lines)

    def render(self) -> Image.Image:
        """Its picture at 8 dots per mm, mode "L"."""
        from PIL import Image

        width = self.columns * 12
        inks: list[tuple[int, int, Image.Image]] = []
        y = TOP
        for item in self.items:
            if isinstance(item, PrintedFeed):
                y += item.dots
                continue
            ink = _ink(item)
            room = width - ink.width
            inks.append((MARGIN + {"left": 0, "center": room // 2, "right": room}[item.align], y, ink))
            y += ink.height
        paper = Image.new("L", (width + 2 * MARGIN, y + TOP), _PAPER)
        for x, y, ink in inks:
            paper.paste(_INK, (x, y), ink)
        return paper

    def png(self) -> bytes:
        """`render` as a PNG file."""
        out = io.BytesIO()
        self.render().save(out, "PNG", optimize=True)
        return out.getvalue()


def half_columns(char: str) -> int:
    """How wide a printer sets a character: one column or two."""
    return 1 if char.isascii() or unicodedata.east_asian_width(char) == "H" else 2


def _ink(item: PrintedLine | PrintedRaster | PrintedQr) -> Image.Image:
    """The ink of an item as a mask."""
    from PIL import Image, ImageOps

    match item:
        case PrintedRaster(width_bytes, rows):
            dots = Image.frombytes("1", (width_bytes * 8, len(rows) // width_bytes), rows)
            return dots.convert("L")
        case PrintedQr(payload, module):
            import qrcode  # type: ignore[import-untyped]

            code = qrcode.QRCode(border=0, box_size=1, error_correction=qrcode.constants.ERROR_CORRECT_M)
            code.add_data(payload)
            code.make(fit=True)
            matrix = code.get_matrix()
            image = Image.new("L", (len(matrix), len(matrix)))
            image.putdata([255 if cell else 0 for row in matrix for cell in row])
            return ImageOps.scale(image, module, Image.Resampling.NEAREST)
        case PrintedLine():
            return _line_ink(item)


def _line_ink(line: PrintedLine) -> Image.Image:
    from PIL import Image, ImageDraw

    from drivers.ticket_printer.raster_text import noto

    columns = sum(map(half_columns, line.text))
    image = Image.new("L", (max(1, columns * 12 * line.width), max(line.pitch, 24 * line.height)))
    tall = line.height / line.width
    font = noto(round(23 * line.width))
    x = 0
    for char in line.text:
        cell = half_columns(char) * 12 * line.width
        if char != " ":
            mark = Image.new("L", (cell, 24 * line.width))
            pen = ImageDraw.Draw(mark)
            stroke = 0.45 * line.width if line.bold else 0
            if unicodedata.name(char, "").startswith("BOX DRAWINGS"):
                middle, thick = 12 * line.width, 3 if "HEAVY" in unicodedata.name(char) else 1
                pen.rectangle((0, middle - thick, cell, middle + thick - 1), fill=255)
            else:
                pen.text(
                    (cell / 2, 20 * line.width), char, font=font, anchor="ms", fill=255, stroke_width=stroke
                )
            if tall != 1:
                mark = mark.resize((cell, 24 * line.height))
            image.paste(mark, (x, 0))
        x += cell
    return image
