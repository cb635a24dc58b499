"""The interface of every call screen: a strip or panel over a counter."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from drivers.driver import Driver


@dataclass(frozen=True, slots=True)
class ScreenText:
    """One line of text for the strip. Too long for its width: it scrolls. `flash`: draw the eye to it."""

    text: str
    colour: Literal["red", "green", "yellow"] = "red"
    flash: bool = False


@dataclass(frozen=True, slots=True)
class ShowResult:
    """`done`: the screen acknowledged it; `superseded`: a newer text came before it was sent."""

    outcome: Literal["done", "failed", "superseded"]
    code: str | None = None


class CallScreen(Driver):
    """Shows the latest text. Faster changes than the screen can take are dropped, the latest wins."""

    kind: ClassVar[str] = "call_screen"

    @abstractmethod
    async def show(self, content: ScreenText) -> ShowResult:
        """Show `content`; returns when the screen has acknowledged it, refused it or was lost.

        The latest content is shown again by itself after the screen was unplugged.
        """
