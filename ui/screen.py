"""How large a screen is, in pixels and in the hand: what layout and touch targets are reckoned from."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Final

STATED: Final[dict[tuple[int, int], float]] = {
    (1920, 1080): 21.5,
    (1080, 1920): 21.5,
    (1024, 600): 10.1,
    (800, 480): 7.0,
}
"""The sizes that every page is made for, in pixels, and their diagonals in inches."""

_MM: Final = 25.4


@dataclass(frozen=True, slots=True)
class Screen:
    """`inches`: the diagonal. One *unit* of layout is a hundredth of the shorter side."""

    width: int
    height: int
    inches: float

    @classmethod
    def of(cls, size: tuple[int, int], inches: float | None = None) -> Screen:
        """`inches` None: of the stated size with the nearest shape and number of pixels."""
        if inches is None:
            nearest = min(STATED, key=lambda one: abs(one[0] - size[0]) + abs(one[1] - size[1]))
            inches = STATED[nearest]
        return cls(*size, inches)

    @property
    def unit(self) -> float:
        """Pixels of one unit."""
        return min(self.width, self.height) / 100

    @property
    def portrait(self) -> bool:
        return self.height > self.width

    @property
    def small(self) -> bool:
        """So small that a page holds about five targets one above the other."""
        return min(self.width, self.height) * self.mm_per_px < 150

    @property
    def mm_per_px(self) -> float:
        return self.inches * _MM / hypot(self.width, self.height)

    def px(self, units: float) -> int:
        """Pixels of a length in units."""
        return round(units * self.unit)

    def from_mm(self, mm: float) -> int:
        """The fewest pixels that are at least so long."""
        return int(-(-mm // self.mm_per_px))
