"""Text as pictures, in Noto Sans CJK with the shapes of mainland China; drawn once, then kept."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

import pygame
import pygame.freetype

from ui.theme import Colour

_FACE: Final = "Noto Sans CJK SC"
LEADING: Final = 1.28
"""Height of a line in heights of the type."""
ABOVE: Final = 0.6
"""Share of what the font leaves free that is above the letters."""
LINES_KEPT: Final = 768
"""Pictures of lines that are kept; a page has about 60."""


@cache
def _font() -> pygame.freetype.Font:
    from noto_cjk_sans_otc import FONT_PATH

    pygame.freetype.init()
    for index in range(16):
        try:
            font = pygame.freetype.Font(str(FONT_PATH), 16, font_index=index)
        except (pygame.error, FileNotFoundError, RuntimeError) as error:
            raise OSError(f"no {_FACE} in {FONT_PATH}") from error
        if font.name == _FACE:
            break
    font.pad = True  # every line as high as the font, so that a text does not jump with its letters
    font.kerning = True
    return font


@lru_cache(maxsize=8192)
def line_size(text: str, size: int, strong: bool = False) -> tuple[int, int]:
    """Width and height in pixels of one line."""
    font = _font()
    style = pygame.freetype.STYLE_STRONG if strong else pygame.freetype.STYLE_NORMAL
    box = font.get_rect(text, style=style, size=size)
    return max(1, box.width), line_height(size)


def line_height(size: int) -> int:
    """Pixels from one line to the next: closer than the font's own, which leaves half a line between."""
    return round(size * LEADING)


@lru_cache(maxsize=LINES_KEPT)
def line(text: str, size: int, colour: Colour, strong: bool = False) -> pygame.Surface:
    """One line of text on a transparent ground, `line_height` high."""
    style = pygame.freetype.STYLE_STRONG if strong else pygame.freetype.STYLE_NORMAL
    drawn = _font().render(text, colour, style=style, size=size)[0]
    spare = drawn.get_height() - line_height(size)
    if spare <= 0:
        return drawn
    return drawn.subsurface((0, round(spare * ABOVE), drawn.get_width(), line_height(size)))
