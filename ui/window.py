"""The window of a screen program: the whole display on a Pi without X (KMSDRM), a window elsewhere."""

from __future__ import annotations

import os
from typing import Final

import pygame

SIZES: Final = ((1920, 1080), (1080, 1920), (1024, 600), (800, 480))
"""The sizes that every page is made for."""


def open_window(title: str, size: tuple[int, int] | None) -> pygame.Surface:
    """`size` None: the whole display. Raises pygame.error when there is none.

    SDL chooses how: KMSDRM where neither X nor Wayland runs. Under X it would draw each picture through the
    graphics card; without that a changed cell takes 0.07 ms in place of 5.
    """
    os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
    os.environ.setdefault("SDL_VIDEO_ALLOW_SCREENSAVER", "0")
    pygame.display.init()
    pygame.display.set_caption(title)
    surface = pygame.display.set_mode(size or (0, 0), pygame.FULLSCREEN if size is None else 0)
    pygame.mouse.set_visible(size is not None)
    return surface
