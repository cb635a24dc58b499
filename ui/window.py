"""The window of a screen program: the whole display on a Pi without X (KMSDRM), a window elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal, TypeAlias

import pygame

SIZES: Final = ((1920, 1080), (1080, 1920), (1024, 600), (800, 480))
"""The sizes that every page is made for."""

Turn: TypeAlias = Literal[0, 90, 180, 270]
"""Degrees, clockwise: by so much the picture is turned for a display that was mounted turned."""


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


class Display:
    """What programs draw on (`canvas`), turned on its way to the window as the display is mounted."""

    def __init__(self, surface: pygame.Surface, turn: Turn = 0) -> None:
        self._surface = surface
        self._turn = turn
        wide, high = surface.get_size()
        self.canvas = surface if turn == 0 else pygame.Surface((high, wide) if turn % 180 else (wide, high))

    def show(self, changed: list[pygame.Rect]) -> None:
        """Hand the changed parts of the canvas to the display."""
        if self._turn:
            changed = [self._turned(rect) for rect in changed]
        pygame.display.update(changed)

    def _turned(self, rect: pygame.Rect) -> pygame.Rect:
        part = pygame.transform.rotate(self.canvas.subsurface(rect), -self._turn)
        wide, high = self.canvas.get_size()
        corner = {
            90: (high - rect.bottom, rect.left),
            180: (wide - rect.right, high - rect.bottom),
            270: (rect.top, wide - rect.right),
        }[self._turn]
        return self._surface.blit(part, corner)

    def place(self, x: int, y: int) -> tuple[int, int]:
        """Where on the canvas a place of the window is."""
        wide, high = self.canvas.get_size()
        return {
            0: (x, y),
            90: (y, high - 1 - x),
            180: (wide - 1 - x, high - 1 - y),
            270: (wide - 1 - y, x),
        }[self._turn]

    def touched(self, event: pygame.event.Event) -> tuple[int, int]:
        """Where on the canvas an event of a finger or the mouse is."""
        if event.type in (pygame.FINGERDOWN, pygame.FINGERMOTION, pygame.FINGERUP):
            wide, high = self._surface.get_size()
            return self.place(min(wide - 1, int(event.x * wide)), min(high - 1, int(event.y * high)))
        return self.place(*event.pos)


def event_handles(before: frozenset[int]) -> frozenset[int]:
    """Open handles by which SDL hears of fingers and keys, but for those of `before` the window opened.

    The socket of X or Wayland, input devices, and what tells that one was plugged in.
    """
    found = set()
    for handle in open_handles() - before:
        try:
            what = str(Path(f"/proc/self/fd/{handle}").readlink())
        except OSError:
            continue  # it was the one that read the list
        if what.startswith(("socket:", "/dev/input/", "anon_inode:inotify")):
            found.add(handle)
    return frozenset(found)


def open_handles() -> frozenset[int]:
    """All of this process; none where the system does not tell."""
    try:
        return frozenset(int(name) for name in os.listdir("/proc/self/fd"))
    except OSError:
        return frozenset()
