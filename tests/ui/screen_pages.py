"""All pages of all programs, as `pages_*.py` beside this file bring them about, and their pictures.

Each of those modules has `PAGES`: name → a function of the language that gives a program in that state, and
may have `CLOCKS`: name → the monotonic second at which the page is looked at (else the program's `clock`, or
1000). What `ABOUT` says of each page, in a sentence, stands in the gallery.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import pygame

from ui.items import Layout
from ui.layout import lay_out
from ui.paint import Painter
from ui.program import Program
from ui.screen import STATED, Screen
from ui.theme import load_theme
from wire.texts import LANGUAGES

FOLDER: Final = Path(__file__).parent
START: Final = 1000.0

pygame.display.init()
pygame.display.set_mode((1, 1))  # pictures from files want to know how the display keeps colours
SIZES: Final = tuple(STATED)


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of a program; `name` is that of its pictures."""

    role: str
    name: str
    about: str
    make: Callable[[str], Program]
    clock: float | None

    def laid_out(self, language: str, size: tuple[int, int]) -> Layout:
        program = self.make(language)
        screen = Screen.of(size)
        clock = self.clock if self.clock is not None else getattr(program, "clock", START)
        page = program.page(screen, clock)
        return lay_out(page, screen, load_theme(page.theme or program.theme))

    def picture(self, language: str, size: tuple[int, int]) -> pygame.Surface:
        surface = pygame.Surface(size, 0, 32)
        Painter(surface).paint(self.laid_out(language, size))
        return surface


def load(file: Path) -> ModuleType:
    """The module of a file of this folder."""
    if file.stem in sys.modules:
        return sys.modules[file.stem]
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def modules() -> Iterator[ModuleType]:
    for file in sorted(FOLDER.glob("pages_*.py")):
        yield load(file)


@cache
def every_page() -> tuple[Shown, ...]:
    """In the order of the modules."""
    made: dict[tuple[str, str], Shown] = {}
    for module in modules():
        about: dict[str, str] = module.ABOUT
        clocks: dict[str, float] = getattr(module, "CLOCKS", {})
        pages: dict[str, Callable[[str], Any]] = module.PAGES
        for name, make in pages.items():
            role = make(LANGUAGES[0]).role
            short = name.replace("_", "-").removeprefix(f"{role}-")
            shown = Shown(role, short, about[name], make, clocks.get(name))
            assert (role, short) not in made, f"two pages are called {short}"
            made[role, short] = shown
    return tuple(made.values())
