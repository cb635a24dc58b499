"""The plain panel over a counter: one text, as large as it fits, in place of an LED strip.

It sleeps until the agent says something; a flashing text changes once in half a second. A text is
acknowledged when its picture has been handed to the display. Without the agent it says so: an old call must
not stand there.
"""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from typing import Final

import pygame

from ui import fonts
from ui.link import Link
from ui.theme import Colour
from ui.turned import Turned
from ui.watchdog import Watchdog
from wire.screen_link import PanelDrawn, PanelShow
from wire.texts import text

BLINK_S: Final = 0.5
"""A flashing text changes so often: 1 Hz, far from what troubles people."""
LOOK_S: Final = 0.25
"""So often the window's own events (closed, uncovered) are looked at: SDL cannot wake a sleeping program."""
GROUND: Final[Colour] = (0, 0, 0)
COLOURS: Final[dict[str, Colour]] = {
    "red": (255, 128, 118),
    "green": (92, 230, 110),
    "yellow": (255, 216, 74),
}
AWAY: Final[Colour] = (190, 190, 190)
_LEAST: Final = 0.15
"""A wording whose characters would be smaller than this share of the height gives way to a shorter one."""
_MARGIN: Final = 0.04
"""Of the width and of the height, at every side."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """`lines` of a wording, and how many pixels high its font is."""

    lines: tuple[str, ...]
    size: int


def fit(wordings: tuple[str, ...], width: int, height: int) -> Fitted:
    """The first wording that can be read from afar on `width` × `height` pixels, else the largest."""
    best = Fitted((), 0)
    for wording in wordings:
        tried = max((_largest(lines, width, height) for lines in _broken(wording)), key=lambda one: one.size)
        if tried.size >= _LEAST * height:
            return tried
        best = max(best, tried, key=lambda one: one.size)
    return best


def _broken(wording: str) -> list[tuple[str, ...]]:
    """As one line, and as the wording says where to break it."""
    parts = tuple(part.strip() for part in wording.split("\n") if part.strip())
    return [(" ".join(parts),), parts] if len(parts) > 1 else [(wording.strip(),)]


def _largest(lines: tuple[str, ...], width: int, height: int) -> Fitted:
    """The greatest size at which all lines are inside the margins."""
    room_wide, room_high = width * (1 - 2 * _MARGIN), height * (1 - 2 * _MARGIN)
    measured = 200
    wide = max(fonts.line_size(line, measured)[0] for line in lines)
    high = fonts.line_size(lines[0], measured)[1] * len(lines)
    size = int(measured * min(room_wide / wide, room_high / high))
    while size > 1 and max(fonts.line_size(line, size)[0] for line in lines) > room_wide:
        size -= 1
    return Fitted(lines, max(1, size))


class Panel:
    """The program. `run` returns when the window is closed. `turned`: as for `ui.program.Runner`."""

    def __init__(
        self, surface: pygame.Surface, link: Link, language: str, turned: Turned | None = None
    ) -> None:
        self._surface = surface
        self._turned = turned
        self._link = link
        self._language = language
        self.shown: PanelShow | None = None
        self._lit = True
        self._blink_at = 0.0
        self._watchdog = Watchdog()

    def run(self) -> None:
        self._draw()
        while not self._ended():
            self._watchdog.alive()
            flashing = self.shown is not None and self.shown.flash
            try:
                self.said(
                    self._link.next(min(LOOK_S, self._blink_at - time.monotonic()) if flashing else LOOK_S)
                )
            except queue.Empty:
                pass
            if self.shown is not None and self.shown.flash and time.monotonic() >= self._blink_at:
                self._blink_at = time.monotonic() + BLINK_S
                self._lit = not self._lit
                self._draw()

    def _ended(self) -> bool:
        """What the window says: whether it was closed."""
        for event in pygame.event.get():
            if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE):
                return True
            if event.type in (pygame.WINDOWEXPOSED, pygame.WINDOWSIZECHANGED):
                self._draw()
        return False

    def said(self, message: object) -> None:
        """What the agent said; None: it is gone."""
        if message is not None and not isinstance(message, PanelShow):
            return
        if message != self.shown:
            self.shown = message
            self._lit = True
            self._blink_at = time.monotonic() + BLINK_S
            self._draw()
        if message is not None:
            self._link.send(PanelDrawn(show=message.show))

    def _draw(self) -> None:
        wide, high = self._surface.get_size()
        wordings: tuple[str, ...] = (text("panel.away", self._language),)
        colour = AWAY
        if self.shown is not None:
            wordings, colour = self.shown.wordings, COLOURS[self.shown.colour]
        ink, ground = (colour, GROUND) if self._lit else (GROUND, colour)
        self._surface.fill(ground)
        fitted = fit(wordings, wide, high) if any(wordings) else Fitted((), 1)
        pictures = [fonts.line(line, fitted.size, ink) for line in fitted.lines]
        step = fonts.line_size(fitted.lines[0], fitted.size)[1] if fitted.lines else 0
        top = (high - step * len(pictures)) // 2
        for n, picture in enumerate(pictures):
            self._surface.blit(picture, ((wide - picture.get_width()) // 2, top + n * step))
        if self._turned is not None:
            self._turned.update([self._surface.get_rect()])
        else:
            pygame.display.flip()
        self._watchdog.drawn()
