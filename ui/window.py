"""The window of a screen program: the whole display on a Pi without X (KMSDRM), a window elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pygame


def open_window(title: str, size: tuple[int, int] | None) -> pygame.Surface:
    """`size` None: the whole display. Raises pygame.error when there is none.

    SDL chooses how: KMSDRM where neither X nor Wayland runs.
    """
    os.environ.setdefault("SDL_VIDEO_ALLOW_SCREENSAVER", "0")
    pygame.display.init()
    if pygame.display.get_driver() == "x11":
        # It would draw each picture through the graphics card; without that a changed cell takes 0.07 ms in
        # place of 5. KMSDRM has no other way.
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
    pygame.display.set_caption(title)
    surface = pygame.display.set_mode(size or (0, 0), pygame.FULLSCREEN if size is None else 0)
    pygame.mouse.set_visible(size is not None)
    return surface


_WINDOW: Final = ("socket:", "/dev/input/", "anon_inode:inotify")
"""The connection to X or Wayland, input devices, and what tells that one was plugged in."""
_DEVICES: Final = ("/dev/input/",)


def window_handles(before: dict[int, str]) -> frozenset[int]:
    """Handles by which SDL hears of fingers and keys: asked just after the window opened, with
    `open_handles` before it."""
    return frozenset(
        handle
        for handle, what in open_handles().items()
        if before.get(handle) != what and what.startswith(_WINDOW)
    )


def device_handles() -> frozenset[int]:
    """Those of input devices only, which come and go."""
    return frozenset(handle for handle, what in open_handles().items() if what.startswith(_DEVICES))


def open_handles() -> dict[int, str]:
    """All of this process and what they are; none where the system does not tell.

    What they are, for a number says little: the one by which the list is read is free again after it.
    """
    found = {}
    try:
        entries = list(Path("/proc/self/fd").iterdir())
    except OSError:
        return {}
    for entry in entries:
        try:
            found[int(entry.name)] = str(entry.readlink())
        except OSError:
            continue  # it was the one that read the list
    return found
