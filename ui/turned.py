"""A display that hangs on its side: the picture is turned, and touches are turned back.

Without X nobody else does it: the kernel's `rotate=` turns only the console, and SDL leaves it to the
program (libsdl-org/SDL#9682). Touch panels are told as they are built in, like the display.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Protocol, TypeAlias

import pygame

Turn: TypeAlias = Literal[0, 90, 180, 270]
"""Degrees clockwise by which the picture is turned on the display."""

_FINGERS: Final = (pygame.FINGERDOWN, pygame.FINGERMOTION, pygame.FINGERUP)
_MOUSE: Final = (pygame.MOUSEBUTTONDOWN, pygame.MOUSEMOTION, pygame.MOUSEBUTTONUP)


class Display(Protocol):
    """What a program is shown on: it draws on `surface`."""

    surface: pygame.Surface

    def update(self, changed: Sequence[pygame.Rect]) -> None:
        """Show these parts of `surface`."""

    def event(self, event: pygame.event.Event) -> pygame.event.Event:
        """An event of the window as one of `surface`."""


class Turned:
    """`surface` is what programs draw on: with 90 and 270 as wide as the window is high."""

    def __init__(self, window: pygame.Surface, turn: Turn) -> None:
        self._window = window
        self._turn = turn
        size = window.get_size() if turn in (0, 180) else window.get_size()[::-1]
        self.surface = window if turn == 0 else pygame.Surface(size, 0, window)

    def update(self, changed: Sequence[pygame.Rect]) -> None:
        """Hand these parts of `surface` to the display; in place of `pygame.display.update`."""
        if self._turn == 0:
            pygame.display.update(changed)
            return
        places: list[pygame.Rect] = []
        for rect in changed:
            part = rect.clip(self.surface.get_rect())
            place = self._place(part)
            self._window.blit(pygame.transform.rotate(self.surface.subsurface(part), -self._turn), place)
            places.append(place)
        pygame.display.update(places)

    def event(self, event: pygame.event.Event) -> pygame.event.Event:
        """An event of the window as one of `surface`."""
        if self._turn == 0:
            return event
        if event.type in _FINGERS:
            x, y = self._back(event.x, event.y, 1.0, 1.0)
            return pygame.event.Event(event.type, {**event.dict, "x": x, "y": y})
        if event.type in _MOUSE:
            wide, high = self._window.get_size()
            left, top = event.pos
            x, y = self._back(left, top, wide - 1, high - 1)
            return pygame.event.Event(event.type, {**event.dict, "pos": (int(x), int(y))})
        return event

    def _place(self, rect: pygame.Rect) -> pygame.Rect:
        """Where on the window a part of `surface` stands."""
        wide, high = self.surface.get_size()
        if self._turn == 90:
            return pygame.Rect(high - rect.bottom, rect.x, rect.h, rect.w)
        if self._turn == 180:
            return pygame.Rect(wide - rect.right, high - rect.bottom, rect.w, rect.h)
        return pygame.Rect(rect.y, wide - rect.right, rect.h, rect.w)

    def _back(self, x: float, y: float, right: float, bottom: float) -> tuple[float, float]:
        """A point of the window, whose last one is (`right`, `bottom`), on `surface`."""
        if self._turn == 90:
            return y, right - x
        if self._turn == 180:
            return right - x, bottom - y
        return bottom - y, x
