"""Which font has a character: Noto Sans CJK first, then the theme's fonts, then those of the system.

Names of people and places hold characters that one font of 65,535 glyphs has no room for. What no font has
is shown as 〓, the mark that Chinese and Japanese printers set for a missing type.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pygame
import pygame.freetype

log = logging.getLogger(__name__)

FACE: Final = "Noto Sans CJK SC"
MISSING: Final = "〓"
SYSTEM: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_KINDS: Final = frozenset({".otf", ".ttf", ".ttc", ".otc"})
_LIKELY: Final = ("cjk", "han", "hei", "song", "ming", "kai", "sc", "wqy", "plangothic", "unifont")
"""Parts of file names that speak for Chinese characters: those fonts are asked first."""
_UNLIKE: Final = ("bold", "italic", "oblique", "condensed", "mono", "serif")
"""Parts of file names that look strange among ours: those are asked last."""
MOST_FONTS: Final = 300
"""More files than this are not looked into."""
ASKED_KEPT: Final = 4096
"""Characters whose font is remembered."""


@cache
def main() -> pygame.freetype.Font:
    """The font of everything that it has. Raises OSError."""
    from noto_cjk_sans_otc import FONT_PATH

    pygame.freetype.init()
    for index in range(16):
        try:
            font = pygame.freetype.Font(str(FONT_PATH), 16, font_index=index)
        except (pygame.error, FileNotFoundError, RuntimeError) as error:
            raise OSError(f"no {FACE} in {FONT_PATH}") from error
        if font.name == FACE:
            break
    return _ready(font)


def _ready(font: pygame.freetype.Font) -> pygame.freetype.Font:
    font.pad = True  # every line as high as the font, so that a text does not jump with its letters
    font.kerning = True
    return font


class Others:
    """The fonts after the main one, opened when a character wants them."""

    def __init__(self, places: tuple[Path, ...] = (), system: tuple[Path, ...] = SYSTEM) -> None:
        self._places = places
        self._system = system
        self._waiting: Iterator[Path] | None = None
        self._open: list[pygame.freetype.Font] = []
        self._asked: dict[str, pygame.freetype.Font | None] = {}

    def font(self, character: str) -> pygame.freetype.Font | None:
        """A font that has it; None when no font does, which is logged once (the number only)."""
        if character not in self._asked:
            if len(self._asked) >= ASKED_KEPT:
                self._asked.clear()
            found = self._asked[character] = self._look(character)
            if found is None:
                log.warning("no font has U+%04X; 〓 stands for it", ord(character))
        return self._asked[character]

    def _look(self, character: str) -> pygame.freetype.Font | None:
        for font in self._open:
            if has(font, character):
                return font
        if self._waiting is None:
            self._waiting = self._files()
        for file in self._waiting:
            try:
                font = _ready(pygame.freetype.Font(str(file), 16))
            except (pygame.error, OSError, RuntimeError):
                continue  # broken, or no font
            self._open.append(font)
            if has(font, character):
                return font
        return None

    def _files(self) -> Iterator[Path]:
        found = [file for place in self._places for file in _fonts_in(place)]
        system = [file for place in self._system for file in _fonts_in(place)]
        found += sorted(system, key=lambda file: _strangeness(file.name.lower()))
        return iter(found[:MOST_FONTS])


def _fonts_in(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return sorted(file for file in place.rglob("*") if file.suffix.lower() in _KINDS and file.is_file())


def _strangeness(name: str) -> tuple[bool, int]:
    return not any(part in name for part in _LIKELY), sum(part in name for part in _UNLIKE)


def has(font: pygame.freetype.Font, character: str) -> bool:
    """Whether the font has a glyph for it."""
    return font.get_metrics(character, size=16)[0] is not None
