"""Text as pictures, in Noto Sans CJK with the shapes of mainland China; drawn once, then kept.

A character that it lacks comes from another font (`ui.faces`), on the same baseline. Digits are equally wide
in this font: a clock does not tremble.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import pygame
import pygame.freetype

from ui import faces
from ui.ems import LEADING
from ui.kept import Figures, Pictures
from ui.theme import Colour

ABOVE: Final = 0.6
"""Share of what the font leaves free that is above the letters."""
FULL: Final = 1920 * 1080
LINES_BYTES: Final = 16 * 1024 * 1024
"""Of pictures of lines; a page of 60 lines at 1920×1080 has about 4 MB. A screen with less than half as many
pixels has as much less: a panel would fill all of it for hours with what is not wanted again."""

MEASURED: Final = 64
"""Characters that are measured at once."""

Run = tuple[pygame.freetype.Font, str]
"""Characters that one font has."""

_lines: Final = Pictures(LINES_BYTES)
_known: Final[set[str]] = set()
"""Characters that the main font has: most lines have no others. At most its 65,535."""
_others = faces.Others()


def use(places: tuple[str, ...], pixels: int = FULL) -> None:
    """Font files, or folders of them, to look into before those of the system; the pixels of the screen."""
    global _others
    _others = faces.Others(tuple(Path(place) for place in places))
    _runs.cache_clear()
    line_size.cache_clear()
    _lines.clear(LINES_BYTES * min(2 * pixels, FULL) // FULL)


def figures() -> Figures:
    """Of the pictures of lines."""
    return _lines.figures


def line_height(size: int) -> int:
    """Pixels from one line to the next: closer than the font's own, which leaves half a line between."""
    return round(size * LEADING)


@lru_cache(maxsize=1024)
def line_size(text: str, size: int, strong: bool = False) -> tuple[int, int]:
    """Width and height in pixels of one line."""
    if len(text) > MEASURED:
        # The renderer reckons in 16 bits: a line of 40,000 pixels would be a short one.
        pieces = [text[at : at + MEASURED] for at in range(0, len(text), MEASURED)]
        return sum(line_size(piece, size, strong)[0] for piece in pieces), line_height(size)
    wide = sum(font.get_rect(part, style=_style(strong), size=size).width for font, part in _runs(text))
    return max(1, wide), line_height(size)


def line(text: str, size: int, colour: Colour, strong: bool = False) -> pygame.Surface:
    """One line of text on a transparent ground, `line_height` high."""
    return _lines.get((text, size, colour, strong), lambda: _drawn(text, size, colour, strong))


def _drawn(text: str, size: int, colour: Colour, strong: bool) -> pygame.Surface:
    runs = _runs(text)
    if len(runs) == 1 and runs[0][0] is faces.main():
        drawn = faces.main().render(runs[0][1], colour, style=_style(strong), size=size)[0]
    else:
        drawn = _mixed(runs, size, colour, strong)
    spare = drawn.get_height() - line_height(size)
    if spare <= 0:
        return drawn
    # A copy: a part of a surface would keep the whole of it in memory, uncounted.
    return drawn.subsurface((0, round(spare * ABOVE), drawn.get_width(), line_height(size))).copy()


def _mixed(runs: tuple[Run, ...], size: int, colour: Colour, strong: bool) -> pygame.Surface:
    """Runs in different fonts side by side on one baseline, as high as the main font."""
    main = faces.main()
    parts = [font.render(part, colour, style=_style(strong), size=size) for font, part in runs]
    own = main.get_rect("口", style=_style(strong), size=size)  # its y: from the top to the baseline
    whole = pygame.Surface((max(1, sum(part.get_width() for part, _ in parts)), own.height), pygame.SRCALPHA)
    whole.fill((*colour, 0))
    x = 0
    for part, box in parts:
        whole.blit(part, (x, own.y - box.y), special_flags=pygame.BLEND_RGBA_MAX)
        x += part.get_width()
    return whole


@lru_cache(maxsize=1024)
def _runs(text: str) -> tuple[Run, ...]:
    main = faces.main()
    if _known.issuperset(text):
        return ((main, text),)
    runs: list[Run] = []
    for character in text:
        font: pygame.freetype.Font | None = main
        if character not in _known:
            if faces.has(main, character):
                _known.add(character)
            elif (font := _others.font(character)) is None:
                font, character = main, faces.MISSING
        assert font is not None
        if runs and runs[-1][0] is font:
            runs[-1] = (font, runs[-1][1] + character)
        else:
            runs.append((font, character))
    return tuple(runs) or ((main, ""),)


def _style(strong: bool) -> int:
    return pygame.freetype.STYLE_STRONG if strong else pygame.freetype.STYLE_NORMAL
