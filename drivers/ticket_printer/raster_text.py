"""Text as dots, for characters that a printer's own font lacks (rare names): Noto Sans CJK by Pillow.

Pillow and the font are loaded at the first use. Glyphs lie in the same cells as the printer's font:
24 dots high, 12 or 24 wide, times the size.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from drivers.ticket_printer.escpos_frames import CELL_HEIGHT, DOTS_PER_COLUMN, Bitmap, display_width

if TYPE_CHECKING:
    from PIL import Image, ImageFont

GLYPH_LIMIT: Final = 512
"""Glyphs kept; the least used is forgotten."""
_SIMPLIFIED: Final = 2
"""Index of Noto Sans CJK SC in the collection."""


@lru_cache(maxsize=8)
def noto(pixels: int) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK SC; eight sizes are kept."""
    from noto_cjk_sans_otc import FONT_PATH
    from PIL import ImageFont

    return ImageFont.truetype(str(FONT_PATH), pixels, index=_SIMPLIFIED)


@lru_cache(maxsize=GLYPH_LIMIT)
def glyph(cluster: str, columns: int, width: int, height: int, bold: bool) -> Image.Image:
    """A character (with its combining marks) in its cell, white paper, black ink, mode "L"."""
    from PIL import Image, ImageDraw

    times = max(width, height)
    font = noto(round(CELL_HEIGHT * times * 0.92))
    stroke = 0.3 * times if bold else 0
    # wide letters are made to fit their cell
    wide = max(columns * DOTS_PER_COLUMN * times, round(font.getlength(cluster) + 2 * stroke))
    image = Image.new("L", (wide, CELL_HEIGHT * times), 255)
    ImageDraw.Draw(image).text(
        (wide / 2, image.height * 0.79), cluster, font=font, anchor="ms", fill=0, stroke_width=stroke
    )
    return image.resize((columns * DOTS_PER_COLUMN * width, CELL_HEIGHT * height))


def clusters(text: str) -> list[tuple[str, int]]:
    """Characters with their combining marks, and the columns of each."""
    found: list[tuple[str, int]] = []
    for char in text:
        columns = display_width(char)
        if columns == 0 and found:
            found[-1] = (found[-1][0] + char, found[-1][1])
        elif columns:
            found.append((char, columns))
    return found


def text_image(text: str, width: int = 1, height: int = 1, bold: bool = False) -> Image.Image:
    """One line of text, mode "L", as wide as its columns."""
    from PIL import Image

    parts = clusters(text)
    total = max(1, sum(columns for _, columns in parts)) * DOTS_PER_COLUMN * width
    line = Image.new("L", (total, CELL_HEIGHT * height), 255)
    x = 0
    for cluster, columns in parts:
        if cluster.strip():
            line.paste(glyph(cluster, columns, width, height, bold), (x, 0))
        x += columns * DOTS_PER_COLUMN * width
    return line


def text_bitmap(text: str, width: int = 1, height: int = 1, bold: bool = False) -> Bitmap:
    """One line of text as dots."""
    dots = text_image(text, width, height, bold).point(lambda value: 255 if value < 128 else 0, mode="1")
    return Bitmap((dots.width + 7) // 8, dots.tobytes())
