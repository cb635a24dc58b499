"""Fingers, the mouse and the keys of a key pad as one: which action was meant.

SDL tells a touch twice, as a finger and as a mouse that it makes up (`touch=True`): those are left out.
A touch counts when the finger leaves the target that it came down on; sliding off takes it back.
"""

from __future__ import annotations

import pygame

from ui.layout import Layout


class Pointer:
    """`pressed`: the action that a finger is on now."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._finger: int | None = None
        self._down: str | None = None
        self.pressed: str | None = None

    def take(self, event: pygame.event.Event, layout: Layout) -> str | None:
        """The action of a touch that has ended with this event."""
        if event.type in (pygame.FINGERDOWN, pygame.FINGERMOTION, pygame.FINGERUP):
            place = (int(event.x * self._size[0]), int(event.y * self._size[1]))
            return self._take(event.type, event.finger_id, place, layout)
        if event.type in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEMOTION, pygame.MOUSEBUTTONUP):
            if getattr(event, "touch", False) or getattr(event, "button", 1) != 1:
                return None
            as_finger = {
                pygame.MOUSEBUTTONDOWN: pygame.FINGERDOWN,
                pygame.MOUSEMOTION: pygame.FINGERMOTION,
                pygame.MOUSEBUTTONUP: pygame.FINGERUP,
            }[event.type]
            return self._take(as_finger, -1, event.pos, layout)
        return None

    def _take(self, what: int, finger: int, place: tuple[int, int], layout: Layout) -> str | None:
        target = layout.at(*place)
        action = target.action if target is not None and not target.off else None
        if what == pygame.FINGERDOWN:
            if self._finger is None:  # a second finger, or the palm, means nothing
                self._finger, self._down, self.pressed = finger, action, action
            return None
        if finger != self._finger:
            return None
        if what == pygame.FINGERMOTION:
            self.pressed = self._down if action == self._down else None
            return None
        down, self._finger, self._down, self.pressed = self._down, None, None, None
        return down if down is not None and down == action else None


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

    def follow(self, layout: Layout) -> None:
        """The page has changed: a target that has gone has no focus."""
        if self.action is not None and all(target.action != self.action for target in layout.targets):
            self.action = None
