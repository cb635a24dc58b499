"""Text as pictures, in Noto Sans CJK with the shapes of mainland China; drawn once, then kept."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

import pygame
import pygame.freetype

Colour = tuple[int, int, int]

_FACE: Final = "Noto Sans CJK SC"


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


def line_size(text: str, size: int) -> tuple[int, int]:
    """Width and height in pixels of one line."""
    box = _font().get_rect(text, size=size)
    return max(1, box.width), _font().get_sized_height(size)


@lru_cache(maxsize=512)
def line(text: str, size: int, colour: Colour) -> pygame.Surface:
    """One line of text on a transparent ground."""
    return _font().render(text, colour, size=size)[0]
