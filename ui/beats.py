"""What changes by itself, in even beats: flashing, pages in turn, countdowns.

A beat is the number of whole periods since a beginning. What shows depends on the beat alone, so the same
moment gives the same page.
"""

from __future__ import annotations

from math import floor
from typing import Final

HALF_S: Final = 0.5
"""Between the two looks of what flashes: 1 Hz, far from what troubles people."""
_SLACK: Final = 1e-6
"""A program that is woken exactly at a beat must see that beat, in spite of how sums are rounded."""


def beat(began: float, period: float, now: float) -> int:
    """Whole periods since `began`, in seconds of one clock; 0 before it."""
    return max(0, floor((now - began) / period + _SLACK))


def next_beat(began: float, period: float, now: float) -> float:
    """When the beat changes next; always after `now`."""
    at = began + period * (beat(began, period, now) + 1)
    return at if at > now else at + period


def lit(began: float, now: float) -> bool:
    """Whether what flashes since `began` shows its first look."""
    return beat(began, HALF_S, now) % 2 == 0
