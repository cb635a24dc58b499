"""Runs a screen program: the loop between agent, window, time and display.

It sleeps until the agent speaks, a finger moves or the page says that it changes by itself; then it lays the
page out, draws what differs and hands that to the display. Nothing is drawn when nothing has changed.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable
from typing import Final

import pygame

from ui import fonts
from ui.elements import Page
from ui.items import Layout
from ui.layout import lay_out
from ui.link import Link
from ui.paint import Painter
from ui.program import NEVER, Program
from ui.screen import Screen
from ui.snapshot import covered
from ui.sounds import Sounds
from ui.theme import load_theme
from ui.touch import Focus, Pointer
from ui.turned import Display
from ui.wake import Wake
from ui.watchdog import SHARE, Watchdog
from ui.window import device_handles
from wire.screen_link import LinkMessage, PadKey

log = logging.getLogger(__name__)

LOOK_S: Final = 1 / 60
"""So often the window's events are looked for where people touch and nothing tells of them (dummy driver)."""
LOOK_SLOW_S: Final = 0.25
"""The same where nobody touches."""
LOOK_WATCHED_S: Final = 1.0
"""The same where the kernel tells of them: for a touch screen that was plugged in meanwhile."""
MOST_AT_ONCE: Final = 64
"""Messages that are heard before the next picture: a flood must not leave the screen as it was."""


class Runner:
    """Runs a program on a display. `run` returns when the window is closed or after `end`.

    `handles`: those by which the window hears of events, from `ui.window.window_handles`.
    """

    def __init__(
        self,
        program: Program,
        display: Display,
        link: Link,
        wake: Wake,
        screen: Screen,
        *,
        theme: str | None = None,
        sounds: Sounds | None = None,
        handles: frozenset[int] = frozenset(),
    ) -> None:
        self.program = program
        self.screen = screen
        self.theme = theme or program.theme
        self.layout = Layout((0, 0, 0))
        self.page: Page | None = None
        self._display = display
        self._link = link
        self._wake = wake
        self._sounds = sounds or Sounds(0)
        self._handles = handles
        self._painter = Painter(display.surface)
        self._pointer = Pointer(display.surface.get_size())
        self._focus = Focus()
        self._watchdog = Watchdog()
        self._rescan_at = 0.0
        self._due = NEVER
        self._changed = False
        self._told: set[tuple[str, str]] = set()
        """Names of pages are few, and kinds of problems too."""
        self._ended = False
        self._snapshot: Callable[[pygame.Surface], object] | None = None
        program.say = link.send  # type: ignore[method-assign]
        program.sound = self._sounds.play  # type: ignore[method-assign]

    def run(self) -> None:
        wide, high = self._display.surface.get_size()
        fonts.use(load_theme(self.theme).file.fonts, wide * high)
        self._wake.watch(self._handles)
        self.draw()
        while self.step():
            pass
        self._watchdog.ending()

    def end(self) -> None:
        """From any thread: `run` returns soon."""
        self._ended = True
        self._wake.ring()

    def snapshot(self, take: Callable[[pygame.Surface], object]) -> None:
        """From any thread: call `take` soon with what is shown."""
        self._snapshot = take
        self._wake.ring()

    def step(self) -> bool:
        """Wait for something and do it; False when it is to end."""
        self._wake.sleep(self._longest(time.monotonic()))
        self._hear_all()
        events = pygame.event.get()
        self._wake.looked(bool(events))
        pressed = self._pointer.pressed
        for event in events:
            if event.type == pygame.QUIT:
                return False
            self._window_event(event)
        now = time.monotonic()
        if self._pointer.due() <= now:
            self._pointer.tick(now)
        if self._changed or self._pointer.pressed != pressed or self._is_due(now):
            self.draw()
        if (take := self._snapshot) is not None:
            self._snapshot = None
            take(covered(self._display.surface, self.layout))
        self._watchdog.alive()
        return not self._ended

    def draw(self) -> None:
        """Show the program's page, if it differs from what is shown."""
        self._changed = False
        now = time.monotonic()
        if self._is_due(now):  # here, for the time that was due is forgotten below
            self.program.tick(now)
        page = self.program.page(self.screen, now)
        turned = self.page is None or page.name != self.page.name
        if turned:
            self._focus.clear()
            self._pointer.let_go()
        theme = load_theme(page.theme or self.theme)
        self.layout = lay_out(
            page, self.screen, theme, pressed=self._pointer.pressed, focus=self._focus.action
        )
        self._focus.follow(self.layout)
        self._tell_problems(page.name)
        self.page = page
        changed = self._painter.paint(self.layout)
        if changed:
            self._display.update(changed)
        if turned:
            self._pointer.turned(time.monotonic())  # now it is seen: drawing it may have taken long
        self.program.focused(*self._focus.place(self.layout), now)
        self.program.shown(page, now)
        # Asked later, a program of even beats would tell the next one and the one between would not be drawn.
        self._due = self.program.due(now)
        self._watchdog.drawn()

    def _tell_problems(self, page: str) -> None:
        """Once: a name that is too long for a display flashes twice a second, and stands there every day."""
        for problem in self.layout.problems:
            kind = problem.partition(":")[0]  # no more: the words can be a name, or a code that is typed
            if (page, kind) not in self._told:
                self._told.add((page, kind))
                log.warning("page %s: %s", page, kind)

    def _is_due(self, now: float) -> bool:
        return min(self._due, self.program.due(now)) <= now

    def _longest(self, now: float) -> float:
        """Seconds that may be slept."""
        if pygame.event.peek():  # drawing can have read events that no handle tells of any more
            return 0.0
        if now >= self._rescan_at:
            self._rescan_at = now + LOOK_WATCHED_S
            self._wake.watch(device_handles())
        if self._wake.watches:
            look = LOOK_WATCHED_S
        else:
            look = LOOK_S if self.program.touched_by_people else LOOK_SLOW_S
        limit = self._watchdog.limit_s
        if limit is not None:
            look = min(look, limit / SHARE)
        return min(look, min(self._due, self._pointer.due()) - now)

    def _hear_all(self) -> None:
        for _ in range(MOST_AT_ONCE):
            try:
                said = self._link.next()
            except queue.Empty:
                return
            self._hear(said)
        self._wake.ring()  # there may be more, of which nobody tells again

    def _hear(self, said: LinkMessage | None) -> None:
        now = time.monotonic()
        if isinstance(said, PadKey):
            self._key(said.key, now)
        else:
            self.program.said(said, now)
            self._changed = True

    def _window_event(self, event: pygame.event.Event) -> None:
        if event.type in (pygame.WINDOWEXPOSED, pygame.WINDOWSIZECHANGED):
            self._painter.forget()
            self._changed = True
            return
        now = time.monotonic()
        if event.type == pygame.KEYDOWN and (key := _KEYS.get(event.key, event.unicode)):
            self._key(key, now)
            return
        self._show_first()
        before = self._pointer.pressed
        action = self._pointer.take(self._display.event(event), self.layout, now)
        if action is not None:
            self._focus.clear()
            self.program.touched(action, now)
            self._changed = True
        elif self._pointer.pressed is not None and before is None and event.type in _DOWN:
            self._sounds.play("touch")

    def _show_first(self) -> None:
        """Before a finger or a key, which mean what stands on the screen: a second tap that waited already
        must not be on the page before, which is gone, nor on the next one, which nobody has seen."""
        if self._changed:
            self.draw()

    def _key(self, key: str, now: float) -> None:
        self._show_first()
        if key in ("up", "down"):
            self._focus.move(self.layout, 1 if key == "down" else -1)
            self.program.key(key, now)
        elif key == "ok" and self._focus.action is not None:
            self.program.touched(self._focus.action, now)
        else:
            self.program.key(key, now)
        self._changed = True


_DOWN: Final = frozenset({pygame.FINGERDOWN, pygame.MOUSEBUTTONDOWN})
_KEYS: Final = {
    pygame.K_UP: "up",
    pygame.K_DOWN: "down",
    pygame.K_TAB: "down",
    pygame.K_RETURN: "ok",
    pygame.K_KP_ENTER: "ok",
    pygame.K_ESCAPE: "back",
    pygame.K_BACKSPACE: "erase",
    pygame.K_F1: "help",
    pygame.K_F2: "repeat",
    pygame.K_KP_PLUS: "louder",
    pygame.K_KP_MINUS: "softer",
}
"""Keys of a keyboard, for a kiosk whose key pad is one."""
