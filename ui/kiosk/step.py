"""One step of a citizen's way through the kiosk: what stands below the header, and what it answers to.

Steps are small mutable objects on a stack (`Kiosk.go`, `Kiosk.back`). A step never keeps what is personal
after it has been left: the stack forgets it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ui.elements import Element
from ui.program import NEVER
from ui.screen import Screen
from wire.screen_link import LinkMessage

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


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

    def fit(self, size: float, gap: float, room: float) -> int:
        """How many of `size` with `gap` between them lie in `room`; at least 1."""
        return max(1, int((room + gap) // (size + gap)))


class Step(ABC):
    """`name` names its page in tests and pictures."""

    name: ClassVar[str]
    idle_s: float | None = 40.0
    """Untouched for so long, the kiosk asks whether somebody is there; None: never."""
    warns: Literal["page", "foot", "no"] = "page"
    """How it asks: in place of the page, of the footer (a number stays to be seen), or not at all."""
    ends_at: Literal["home", "rest"] = "rest"
    """Where nobody's answer leads: the start page, or the attract page with everything forgotten."""
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

    def entered(self, kiosk: Kiosk, now: float) -> None:
        """It is on top now: put there, or come back to."""

    def left(self, kiosk: Kiosk, now: float) -> None:
        """It is no longer on top: another lies over it, or it is gone."""

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        """An action of its own; the frame's are taken by the kiosk."""

    def key(self, kiosk: Kiosk, key: str, now: float) -> bool:
        """Whether it took a key that is no focus move (see `Program.key`)."""
        return False

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        """Whether it took what the agent said; cards and codes that no step takes open their own pages."""
        return False

    def due(self, now: float) -> float:
        """When `tick` wants to be called (monotonic)."""
        return NEVER

    def tick(self, kiosk: Kiosk, now: float) -> None:
        """The time of `due` has come."""

    def shown(self, kiosk: Kiosk, now: float) -> None:
        """The picture of its page has been handed to the display."""
