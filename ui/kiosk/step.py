"""One step of a citizen's way through the kiosk: what stands below the header, and what it answers to.

Steps are small mutable objects on a stack (`Kiosk.go`, `Kiosk.back`). A step never keeps what is personal
after it has been left: the stack forgets it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from ui.elements import Element
from ui.layout import height_of
from ui.program import NEVER
from ui.screen import Screen
from ui.theme import load_theme
from wire.screen_link import LinkMessage

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

MEASURED: Final = "day"
"""The theme in whose type pages are reckoned; a hall's own with larger type is made smaller by the layout."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a body has, in units (see `ui.screen`), without the margins that the frame keeps.

    `target`: the least side of a target; `scale`: of all type (1.5 in elder mode). A step reckons from these
    how many rows and columns it can show, and pages through the rest.
    """

    screen: Screen
    wide: float
    high: float
    target: float
    scale: float = 1.0

    @property
    def tall(self) -> bool:
        """Higher than wide: put things one under the other."""
        return self.high > self.wide

    @property
    def small(self) -> bool:
        return self.screen.small

    def height_of(self, element: Element, wide: float | None = None) -> float:
        """Units that it needs at full type, in the whole width or in `wide` units."""
        wide = self.wide if wide is None else wide
        return height_of(element, wide, self.screen, load_theme(MEASURED), self.scale)

    def fit(self, size: float, gap: float, room: float) -> int:
        """How many of `size` with `gap` between them lie in `room`; at least 1."""
        return max(1, int((room + gap) // (size + gap)))


class Step(ABC):
    """`name` names its page in tests and pictures."""

    name: str
    idle_s: float | None = 40.0
    """Untouched for so long, the kiosk asks whether somebody is there; None: never."""
    warns: Literal["page", "foot", "modes", "no"] = "page"
    """How it asks: in place of the page, of the footer (a number stays to be seen), like a page where a
    language or a mode that was asked for would be forgotten, or not at all."""
    to_number: bool = True
    """It is on the way to a number: that a card helps, or that numbers are still given, is said."""
    stays: bool = False
    """It is shown even while the agent is away."""
    can_back: bool = True
    can_home: bool = True
    can_help: bool = True

    @abstractmethod
    def body(self, kiosk: Kiosk, room: Room) -> Element:
        """What stands between header and footer. Pure: the same state gives the same element."""

    def speech(self, kiosk: Kiosk) -> str:
        """What voice guidance says when the page appears, in the citizen's language."""
        return ""

    @property
    def under_way(self) -> bool:
        """Whether something comes of it that its citizen should not go away from."""
        return False

    def entered(self, kiosk: Kiosk, now: float) -> None:
        """It is on top now: put there, or come back to."""

    def left(self, kiosk: Kiosk, now: float) -> None:
        """It is no longer on top: another lies over it, or it is gone."""

    def back(self, kiosk: Kiosk, now: float) -> bool:
        """Whether it went back within itself; else it is taken from the stack."""
        return False

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        """An action of its own; the frame's are taken by the kiosk."""

    def key(self, kiosk: Kiosk, key: str, now: float) -> bool:
        """Whether it took a key that is no focus move (see `Program.key`)."""
        return False

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        """Whether it took what the agent said. Cards and codes are told to the top only, and open their own
        pages where it does not take them; all else is told down the stack until a step takes it."""
        return False

    def lost(self, kiosk: Kiosk, now: float) -> None:
        """The agent has gone; when it is back, the first that it says is its whole state."""

    def due(self, now: float) -> float:
        """When `tick` wants to be called (monotonic)."""
        return NEVER

    def tick(self, kiosk: Kiosk, now: float) -> None:
        """The time of `due` has come."""

    def shown(self, kiosk: Kiosk, now: float) -> None:
        """The picture of its page has been handed to the display."""
