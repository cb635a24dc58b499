"""What every screen program is: something that the agent speaks to and people touch, and that gives a page.

The loop sleeps in `Link.next` until the agent speaks, a finger moves or the page says that it changes by
itself; then it lays the page out, draws what differs and hands that to the display. Nothing is drawn when
nothing has changed.
"""

from __future__ import annotations

import logging
import queue
import time
from abc import ABC, abstractmethod
from typing import ClassVar, Final

import pygame

from ui.elements import Page
from ui.layout import Layout, lay_out
from ui.link import Link
from ui.paint import Painter
from ui.screen import Screen
from ui.theme import load_theme
from ui.touch import Focus, Pointer
from ui.watchdog import Watchdog
from wire.screen_link import LinkMessage, PadKey, ScreenRole

log = logging.getLogger(__name__)

LOOK_S: Final = 1 / 60
"""So often the window's own events are looked at where people touch: SDL cannot wake a sleeping program."""
LOOK_SLOW_S: Final = 0.25
"""The same where nobody touches."""
NEVER: Final = float("inf")


class Program(ABC):
    """One kind of screen. Everything is called from one thread; `now` is `time.monotonic()` in seconds.

    `say` is put in by whoever runs it: it gives a message to the agent, False when no agent is there.
    """

    role: ClassVar[ScreenRole]
    touched_by_people: ClassVar[bool] = True
    theme: ClassVar[str] = "day"

    def say(self, message: LinkMessage) -> bool:
        """To the agent; replaced by the runner."""
        return False

    @abstractmethod
    def said(self, message: LinkMessage | None, now: float) -> None:
        """What the agent said; None: it is gone."""

    def touched(self, action: str, now: float) -> None:
        """A finger, or OK on the key pad, on the target with this action."""

    def key(self, key: str, now: float) -> None:
        """A key of the key pad or the keyboard that moves no focus: back, help, repeat, louder, softer, or a
        character."""

    def due(self, now: float) -> float:
        """When `tick` wants to be called next (monotonic), NEVER when nothing changes by itself."""
        return NEVER

    def tick(self, now: float) -> None:
        """The time of `due` has come."""

    @abstractmethod
    def page(self, screen: Screen, now: float) -> Page:
        """What is shown now. The same state gives the same page."""

    def shown(self, page: Page, now: float) -> None:
        """The picture of `page` has been handed to the display."""


class Runner:
    """Runs a program on a surface. `run` returns when the window is closed."""

    def __init__(
        self, program: Program, surface: pygame.Surface, link: Link, screen: Screen, theme: str | None = None
    ) -> None:
        self.program = program
        self.screen = screen
        self.theme = theme or program.theme
        self.layout = Layout((0, 0, 0))
        self.page: Page | None = None
        self._link = link
        self._painter = Painter(surface)
        self._pointer = Pointer(surface.get_size())
        self._focus = Focus()
        self._watchdog = Watchdog()
        program.say = link.send  # type: ignore[method-assign]

    def run(self) -> None:
        self.draw()
        while self.step():
            pass

    def step(self) -> bool:
        """Wait for something and do it; False when the window was closed."""
        self._watchdog.alive()
        now = time.monotonic()
        look = LOOK_S if self.program.touched_by_people else LOOK_SLOW_S
        changed = False
        try:
            said = self._link.next(min(look, self.program.due(now) - now))
            changed = True
            self._hear(said)
            while True:
                self._hear(self._link.next(0))
        except queue.Empty:
            pass
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                return False
            changed |= self._window_event(event)
        now = time.monotonic()
        if self.program.due(now) <= now:
            self.program.tick(now)
            changed = True
        if changed:
            self.draw()
        return True

    def draw(self) -> None:
        """Show the program's page, if it differs from what is shown."""
        now = time.monotonic()
        page = self.program.page(self.screen, now)
        if self.page is None or page.name != self.page.name:
            self._focus.clear()
        theme = load_theme(page.theme or self.theme)
        self.layout = lay_out(
            page, self.screen, theme, pressed=self._pointer.pressed, focus=self._focus.action
        )
        self._focus.follow(self.layout)
        for problem in self.layout.problems:
            log.warning("page %s: %s", page.name, problem)
        self.page = page
        changed = self._painter.paint(self.layout)
        if changed:
            pygame.display.update(changed)
        self._watchdog.drawn()
        self.program.shown(page, now)

    def _hear(self, said: LinkMessage | None) -> None:
        now = time.monotonic()
        if isinstance(said, PadKey):
            self._key({"up": "up", "down": "down", "ok": "ok"}.get(said.key, said.key), now)
        else:
            self.program.said(said, now)

    def _window_event(self, event: pygame.event.Event) -> bool:
        now = time.monotonic()
        if event.type in (pygame.WINDOWEXPOSED, pygame.WINDOWSIZECHANGED):
            self._painter.forget()
            return True
        if event.type == pygame.KEYDOWN and (key := _KEYS.get(event.key, event.unicode)):
            self._key(key, now)
            return True
        before = self._pointer.pressed
        action = self._pointer.take(event, self.layout)
        if action is not None:
            self._focus.clear()
            self.program.touched(action, now)
        return action is not None or before != self._pointer.pressed

    def _key(self, key: str, now: float) -> None:
        if key in ("up", "down"):
            self._focus.move(self.layout, 1 if key == "down" else -1)
            self.program.key(key, now)
        elif key == "ok" and self._focus.action is not None:
            self.program.touched(self._focus.action, now)
        else:
            self.program.key(key, now)


_KEYS: Final = {
    pygame.K_UP: "up",
    pygame.K_DOWN: "down",
    pygame.K_TAB: "down",
    pygame.K_RETURN: "ok",
    pygame.K_KP_ENTER: "ok",
    pygame.K_ESCAPE: "back",
    pygame.K_BACKSPACE: "erase",
    pygame.K_F1: "help",
}
"""Keys of a keyboard, for a kiosk whose key pad is one."""
