"""Brightness by time of day, the same in the options of every screen driver.

In TOML one level, or a schedule; each step holds until the next, the last one over midnight::

    brightness = 8
    brightness = [{ from = "07:30", level = 12 }, { from = "19:00", level = 5 }]
"""

from __future__ import annotations

from datetime import time
from typing import Annotated, Final, TypeAlias

import msgspec

from drivers.time_of_day import Step, step_at

TOP: Final = 15
Level = Annotated[int, msgspec.Meta(ge=0, le=TOP)]
"""0 darkest … 15 brightest, whatever the screen's own range (see `scaled`)."""


class BrightnessStep(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From this time of day of the hall's clock."""

    level: Level


Brightness: TypeAlias = Level | Annotated[tuple[BrightnessStep, ...], msgspec.Meta(min_length=1)]


def level_at(brightness: Brightness | None, now: time) -> int | None:
    """The level for this time of day; None: leave the screen's own."""
    if brightness is None or isinstance(brightness, int):
        return brightness
    return step_at(brightness, now).level


def scaled(level: int, top: int) -> int:
    """A level as a number of 0 … `top`, rounded; only 0 is 0."""
    return max(1, round(level * top / TOP)) if level else 0
