"""Characters as dots, from Noto Sans Mono CJK SC through Pillow; both are loaded at the first use.

Chinese characters are `size` dots wide, those of ASCII half of that, as in the fonts of LED cards.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_FONT_NAME: Final = "Noto Sans Mono CJK SC"
_LIT: Final = 100
"""Of 255: how much of a dot must be covered by the outline to be lit."""


def width(char: str, size: int) -> int:
    """Dots that a character takes."""
    return size // 2 if char < "\x80" else size


def text_width(text: str, size: int) -> int:
    return sum(width(char, size) for char in text)


@cache
def _font(size: int) -> FreeTypeFont:
    from noto_cjk_sans_otc import FONT_PATH
    from PIL import ImageFont

    for index in range(16):
        font = ImageFont.truetype(str(FONT_PATH), size, index=index)
        if font.getname()[0] == _FONT_NAME:
            return font
    raise OSError(f"no {_FONT_NAME} in {FONT_PATH}")


@lru_cache(maxsize=4096)
def glyph(char: str, size: int) -> tuple[int, ...]:
    """The `size` rows of a character, each a number of `width(char, size)` bits, leftmost highest."""
    from PIL import Image, ImageDraw

    wide = width(char, size)
    image = Image.new("L", (wide, size))
    font = _font(size)
    # the em box, not the line box: its ascent of 0.88 em puts the character in the middle of the cell
    ImageDraw.Draw(image).text((0, round(size * 0.88)), char, fill=255, font=font, anchor="ls")
    pixels = image.tobytes()
    return tuple(
        sum(1 << (wide - 1 - x) for x in range(wide) if pixels[y * wide + x] > _LIT) for y in range(size)
    )


def line(text: str, size: int) -> tuple[int, tuple[int, ...]]:
    """The width in dots and the rows of a whole line."""
    rows = [0] * size
    for char in text:
        wide = width(char, size)
        for y, bits in enumerate(glyph(char, size)):
            rows[y] = rows[y] << wide | bits
    return text_width(text, size), tuple(rows)
