"""A page in its places: what is drawn where, and what can be touched. Pixels, from the top left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ui.theme import Colour

Rect: TypeAlias = tuple[int, int, int, int]
"""Left, top, width, height in pixels."""


@dataclass(frozen=True, slots=True)
class Fill:
    """A rectangle with round corners; `line` is its border."""

    rect: Rect
    colour: Colour | None
    radius: int
    line: Colour | None
    line_width: int


@dataclass(frozen=True, slots=True)
class Words:
    """Lines of text, one under the other, in the middle of `rect`'s height."""

    rect: Rect
    lines: tuple[str, ...]
    size: int
    colour: Colour
    align: str
    strong: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """An `Art` in its place, in the middle of `rect`."""

    rect: Rect
    name: str
    colour: Colour
    args: tuple[str | int | float | bool, ...]


Item: TypeAlias = Fill | Words | Drawing


@dataclass(frozen=True, slots=True)
class Target:
    """What can be touched. `off`: it is shown and does nothing."""

    rect: Rect
    action: str
    label: str
    off: bool


@dataclass(slots=True)
class Layout:
    """A page in its places. `boxes`: rectangles of named boxes."""

    ground: Colour
    items: list[Item] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    boxes: dict[str, Rect] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def at(self, x: int, y: int) -> Target | None:
        """The uppermost target there."""
        for target in reversed(self.targets):
            left, top, wide, high = target.rect
            if left <= x < left + wide and top <= y < top + high:
                return target
        return None
