"""Fingers, the mouse and the keys of a key pad as one: which action was meant.

SDL tells a touch twice, as a finger and as a mouse that it makes up (`touch=True`): those are left out.
A touch counts when the finger leaves the target that it came down on; sliding off takes it back. The first
finger on a target counts until it is up: a palm on the frame, or a second finger, means nothing.
"""

from __future__ import annotations

from typing import Final

import pygame

from ui.items import Layout

STUCK_S: Final = 30.0
"""A finger that is not lifted for so long is none: a drop of water, or the screen lost its lifting."""
QUIET_S: Final = 0.25
"""After another page appeared, touches count for nothing: the second tap of a trembling hand was meant for
the page before."""
MOUSE: Final = (-1, -1)

_AS_FINGER: Final = {
    pygame.MOUSEBUTTONDOWN: pygame.FINGERDOWN,
    pygame.MOUSEMOTION: pygame.FINGERMOTION,
    pygame.MOUSEBUTTONUP: pygame.FINGERUP,
    pygame.FINGERDOWN: pygame.FINGERDOWN,
    pygame.FINGERMOTION: pygame.FINGERMOTION,
    pygame.FINGERUP: pygame.FINGERUP,
}


class Pointer:
    """`pressed`: the action that a finger is on now. `size`: of the page in pixels."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._finger: tuple[int, int] | None = None
        self._down: str | None = None
        self._since = 0.0
        self._quiet_until = 0.0
        self.pressed: str | None = None

    def take(self, event: pygame.event.Event, layout: Layout, now: float) -> str | None:
        """The action of a touch that has ended with this event. `now`: monotonic seconds."""
        what = _AS_FINGER.get(event.type)
        if what is None:
            return None
        if what != event.type:
            if getattr(event, "touch", False) or getattr(event, "button", 1) != 1:
                return None
            finger, place = MOUSE, event.pos
        else:
            finger = (event.touch_id, event.finger_id)
            place = (int(event.x * self._size[0]), int(event.y * self._size[1]))
        target = layout.at(*place)
        action = target.action if target is not None and not target.off else None
        if what == pygame.FINGERDOWN:
            self._came_down(finger, action, now)
            return None
        if finger != self._finger:
            return None
        if what == pygame.FINGERMOTION:
            self.pressed = self._down if action == self._down else None
            return None
        down = self._down
        self.let_go()
        return down if down == action else None

    def _came_down(self, finger: tuple[int, int], action: str | None, now: float) -> None:
        if self._finger is not None and finger != self._finger and now - self._since < STUCK_S:
            return
        self.let_go()
        if action is not None and now >= self._quiet_until:
            self._finger, self._down, self.pressed, self._since = finger, action, action, now

    def due(self) -> float:
        """When `tick` is to be called: monotonic seconds."""
        return self._since + STUCK_S if self._finger is not None else float("inf")

    def tick(self, now: float) -> None:
        """A finger that was not lifted is forgotten."""
        if now >= self.due():
            self.let_go()

    def let_go(self) -> None:
        """What is pressed now means nothing."""
        self._finger = self._down = self.pressed = None

    def turned(self, now: float) -> None:
        """Another page has come under the finger."""
        self.let_go()
        self._quiet_until = now + QUIET_S


class Focus:
    """The target that the keys are on; none until a key moves it."""

    def __init__(self) -> None:
        self.action: str | None = None

    def clear(self) -> None:
        self.action = None

    def move(self, layout: Layout, by: int) -> None:
        """To the next target (by 1) or the one before (-1), round the page."""
        actions = [target.action for target in layout.targets if not target.off]
        if not actions:
            self.action = None
        elif self.action in actions:
            self.action = actions[(actions.index(self.action) + by) % len(actions)]
        else:
            self.action = actions[0 if by > 0 else -1]

    def place(self, layout: Layout) -> tuple[str, int, int]:
        """What the target says for itself, its place from 1, and of how many; ("", 0, n) without one."""
        targets = [target for target in layout.targets if not target.off]
        for n, target in enumerate(targets):
            if target.action == self.action:
                return target.label, n + 1, len(targets)
        return "", 0, len(targets)

    def follow(self, layout: Layout) -> None:
        """The page has changed: a target that has gone, or is off now, has no focus."""
        if not any(target.action == self.action and not target.off for target in layout.targets):
            self.action = None
