"""The interface of every call screen: a strip or panel over a counter."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Literal, TypeAlias

import msgspec

from drivers.driver import Driver

Colour: TypeAlias = Literal["red", "green", "yellow"]


class ScreenText(msgspec.Struct, frozen=True):
    """A text for the screen. `flash`: draw the eye to it. `shorter`: the same in fewer words, the longest
    first; the first wording that fits is shown, and where none does the shortest scrolls.

    A "\\n" is where a wording is broken on a screen of two lines; on one line it is a space.
    """

    text: str
    colour: Colour = "red"
    flash: bool = False
    shorter: tuple[str, ...] = ()


class ShowResult(msgspec.Struct, frozen=True):
    """`done`: the screen acknowledged it; `superseded`: a newer text came before it was sent."""

    outcome: Literal["done", "failed", "superseded"]
    code: str | None = None


class CallScreen(Driver):
    """Shows the latest text. Faster changes than the screen can take are dropped, the latest wins."""

    kind: ClassVar[str] = "call_screen"

    def __init__(self) -> None:
        super().__init__()
        self.local_time: Callable[[], datetime] = datetime.now
        """The hall's time, for brightness by time of day; the agent puts its own clock here."""

    @abstractmethod
    async def show(self, content: ScreenText) -> ShowResult:
        """Show `content`; returns when the screen has acknowledged it, refused it or was lost.

        The latest content is shown again by itself after the screen was unplugged.
        """
