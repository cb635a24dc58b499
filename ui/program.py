"""What every screen program is: something that the agent speaks to and people touch, and that gives a page.

`ui.runner` runs it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final

from ui.elements import Page
from ui.screen import Screen
from ui.sounds import Sound
from wire.messages import LocalText
from wire.screen_link import LinkMessage, ScreenRole

NEVER: Final = float("inf")


class Program(ABC):
    """One kind of screen. Everything is called from one thread; `now` is `time.monotonic()` in seconds.

    `say` and `sound` are put in by whoever runs it.
    """

    role: ClassVar[ScreenRole]
    touched_by_people: ClassVar[bool] = True
    theme: ClassVar[str] = "day"

    hall_name: LocalText = {}  # noqa: RUF012  replaced, never changed
    """Of the hall's own theme: shown until the hall has told its name."""

    def say(self, message: LinkMessage) -> bool:
        """To the agent; False when no agent is there."""
        return False

    def sound(self, sound: Sound) -> None:
        """A short sound, where the screen has a loudspeaker. A touch has its own already."""

    @abstractmethod
    def said(self, message: LinkMessage | None, now: float) -> None:
        """What the agent said; None: it is gone."""

    def touched(self, action: str, now: float) -> None:
        """A finger, or OK on the key pad, on the target with this action."""

    def key(self, key: str, now: float) -> None:
        """A key of the key pad or the keyboard that moves no focus: back, help, repeat, louder, softer, or a
        character."""

    def focused(self, label: str, position: int, count: int, now: float) -> None:
        """Where the key pad's focus is on the page `shown` next: the `position`th of `count` targets,
        which says `label`; position 0: nowhere."""

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
