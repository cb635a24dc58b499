"""Text as dots: Noto Sans CJK or a typeface of the hall's own, by Pillow.

Pillow and the fonts are loaded at the first use. Glyphs lie in the same cells as the printer's font:
24 dots high, 12 or 24 wide, times the size. Each glyph is drawn once and kept; a line is put together from
kept glyphs.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from drivers.ticket_printer.escpos_frames import CELL_HEIGHT, DOTS_PER_COLUMN, display_width

if TYPE_CHECKING:
    from PIL import Image, ImageFont

GLYPH_LIMIT: Final = 512
"""Glyphs kept; the least used is forgotten."""
FONT_LIMIT: Final = 16
"""Typefaces in a size kept."""
INK: Final = 150
"""What is darker becomes a black dot: a little more than half, because fine strokes fade on thermal paper."""
_SIMPLIFIED: Final = 2
"""Index of Noto Sans CJK SC in the collection."""
_NO_CHARACTER: Final = "\U0010fffe"


@lru_cache(maxsize=FONT_LIMIT)
def noto(pixels: int) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK SC."""
    from noto_cjk_sans_otc import FONT_PATH
    from PIL import ImageFont

    return ImageFont.truetype(str(FONT_PATH), pixels, index=_SIMPLIFIED)


@lru_cache(maxsize=FONT_LIMIT)
def _own(face: str, pixels: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(face, pixels)


def _font(face: str | None, cluster: str, pixels: int) -> ImageFont.FreeTypeFont:
    """The typeface, or Noto where it has not all of the characters."""
    if face is None:
        return noto(pixels)
    font = _own(face, pixels)
    missing = bytes(font.getmask(_NO_CHARACTER))
    return noto(pixels) if any(bytes(font.getmask(char)) == missing for char in cluster) else font


@lru_cache(maxsize=GLYPH_LIMIT)
def glyph(
    cluster: str, columns: int, width: int, height: int, bold: bool, face: str | None = None
) -> Image.Image:
    """A character (with its combining marks) in its cell, mode "1": True is ink."""
    from PIL import Image, ImageDraw

    cell = (columns * DOTS_PER_COLUMN * width, CELL_HEIGHT * height)
    name = unicodedata.name(cluster[0], "")
    if name in _RULES:  # a line that joins its neighbours exactly
        image = Image.new("1", cell)
        for top, bottom in _RULES[name]:
            ImageDraw.Draw(image).rectangle((0, top * height, cell[0], bottom * height - 1), fill=1)
        return image
    times = max(width, height)
    font = _font(face, cluster, round(CELL_HEIGHT * times * 0.92))
    stroke = 0.3 * times if bold else 0
    # wide letters are made to fit their cell
    wide = max(columns * DOTS_PER_COLUMN * times, round(font.getlength(cluster) + 2 * stroke))
    drawn = Image.new("L", (wide, CELL_HEIGHT * times), 255)
    ImageDraw.Draw(drawn).text(
        (wide / 2, drawn.height * 0.79), cluster, font=font, anchor="ms", fill=0, stroke_width=stroke
    )
    return drawn.resize(cell).point(lambda value: 255 if value < INK else 0, mode="1")


_RULES: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    "BOX DRAWINGS LIGHT HORIZONTAL": ((11, 13),),
    "BOX DRAWINGS HEAVY HORIZONTAL": ((10, 14),),
    "BOX DRAWINGS DOUBLE HORIZONTAL": ((8, 10), (14, 16)),
}
"""Separators, and the rows of their cell that are ink."""


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


def text_image(
    text: str,
    width: int = 1,
    height: int = 1,
    bold: bool = False,
    face: str | None = None,
    *,
    left: int = 0,
) -> Image.Image:
    """One line of text, mode "1" (True is ink), as wide as its columns and `left` white dots before them."""
    from PIL import Image

    parts = clusters(text)
    total = max(1, sum(columns for _, columns in parts)) * DOTS_PER_COLUMN * width
    line = Image.new("1", (left + total, CELL_HEIGHT * height))
    x = left
    for cluster, columns in parts:
        if cluster.strip():
            line.paste(glyph(cluster, columns, width, height, bold, face), (x, 0))
        x += columns * DOTS_PER_COLUMN * width
    return line
