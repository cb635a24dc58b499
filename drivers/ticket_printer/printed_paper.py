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
class PrintedBarcode:
    """Code 128, `module` dots to a bar's unit."""

    payload: str
    module: int
    height: int
    align: Where


@dataclass(frozen=True, slots=True)
class PrintedFeed:
    dots: int


Printed: TypeAlias = PrintedLine | PrintedRaster | PrintedQr | PrintedBarcode | PrintedFeed


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
    def barcodes(self) -> list[str]:
        return [item.payload for item in self.items if isinstance(item, PrintedBarcode)]

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


def _ink(item: PrintedLine | PrintedRaster | PrintedQr | PrintedBarcode) -> Image.Image:
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
            try:
                code.make(fit=True)
            except (ValueError, qrcode.exceptions.DataOverflowError):
                return Image.new("L", (1, 1))  # more than a code holds: a printer prints nothing
            matrix = code.get_matrix()
            image = Image.new("L", (len(matrix), len(matrix)))
            image.putdata([255 if cell else 0 for row in matrix for cell in row])
            return ImageOps.scale(image, module, Image.Resampling.NEAREST)
        case PrintedBarcode(payload, module, height):
            from barcode import Code128  # type: ignore[import-untyped]

            bars: str = Code128(payload).build()[0]
            image = Image.new("L", (len(bars), 1))
            image.putdata([255 if bar == "1" else 0 for bar in bars])
            return image.resize((len(bars) * module, height), Image.Resampling.NEAREST)
        case PrintedLine():
            return _line_ink(item)


def _line_ink(line: PrintedLine) -> Image.Image:
    from PIL import Image, ImageDraw

    from drivers.ticket_printer.raster_text import noto

    size = line.width * 24
    image = Image.new("L", (sum(map(half_columns, line.text)) * size // 2, max(line.pitch, 24 * line.height)))
    font = noto(round(size * 0.92))
    bold = 0.3 * line.width if line.bold else 0
    x = 0
    for char in line.text:
        cell = half_columns(char) * size // 2
        name = unicodedata.name(char, "")
        if name.startswith("BOX DRAWINGS"):
            mark = Image.new("L", (cell, size))
            thick = size // 8 if "HEAVY" in name else size // 16
            ImageDraw.Draw(mark).rectangle((0, (size - thick) // 2, cell, (size + thick) // 2 - 1), fill=255)
        else:
            # a printer's letters fit their cells: wide ones are made narrow
            wide = max(cell, round(font.getlength(char) + 2 * bold))
            mark = Image.new("L", (wide, size))
            ImageDraw.Draw(mark).text(
                (wide / 2, size * 0.79), char, font=font, anchor="ms", fill=255, stroke_width=bold
            )
        image.paste(mark.resize((cell, 24 * line.height)), (x, 0))
        x += cell
    return image
