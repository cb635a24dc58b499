"""The plain panel over a counter: one text, as large as it fits, in place of an LED strip.

A flashing text changes once in half a second. A text is acknowledged when its picture has been handed to the
display. Without the agent it says so: an old call must not stand there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from ui import fonts
from ui.beats import HALF_S, lit, next_beat
from ui.elements import Box, Page, Text
from ui.program import NEVER, Program
from ui.screen import Screen
from wire.screen_link import LinkMessage, PanelDrawn, PanelShow, ScreenRole
from wire.texts import text

COLOURS: Final = {"red": "bad", "green": "good", "yellow": "warn"}
"""Roles of the theme."""
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
    high = fonts.line_height(measured) * len(lines)
    size = int(measured * min(room_wide / wide, room_high / high))
    while size > 1 and (
        max(fonts.line_size(line, size)[0] for line in lines) > room_wide
        or fonts.line_height(size) * len(lines) > room_high
    ):
        size -= 1
    return Fitted(lines, max(1, size))


class Panel(Program):
    """The program; `text_shown` is what stands there, None while the agent is away."""

    role: ClassVar[ScreenRole] = "panel"
    touched_by_people: ClassVar[bool] = False
    theme: ClassVar[str] = "panel"

    def __init__(self, language: str = "zh-CN") -> None:
        self._language = language
        self.text_shown: PanelShow | None = None
        self._since = 0.0
        self._owed: int | None = None

    def said(self, message: LinkMessage | None, now: float) -> None:
        if message is not None and not isinstance(message, PanelShow):
            return
        if message != self.text_shown:
            self.text_shown = message
            self._since = now
        self._owed = message.show if message is not None else None

    def due(self, now: float) -> float:
        if self.text_shown is None or not self.text_shown.flash:
            return NEVER
        return next_beat(self._since, HALF_S, now)

    def page(self, screen: Screen, now: float) -> Page:
        wordings: tuple[str, ...] = (text("panel.away", self._language),)
        colour, inverse = "soft", False
        if self.text_shown is not None:
            wordings, colour = self.text_shown.wordings, COLOURS[self.text_shown.colour]
            inverse = self.text_shown.flash and not lit(self._since, now)
        fitted = fit(wordings, screen.width, screen.height) if any(wordings) else Fitted((), 1)
        units = fitted.size / screen.unit
        ink = "ground" if inverse else colour
        lines = tuple(
            Text(line, units, ink, align="center", lines=1, least=units) for line in fitted.lines if line
        )
        return Page(
            "panel",
            Box(lines, fill=colour if inverse else None, radius=0, justify="center", grow=1.0),
            self._language,
        )

    def shown(self, page: Page, now: float) -> None:
        owed, self._owed = self._owed, None
        if owed is not None:
            self.say(PanelDrawn(show=owed))
