"""Who comes to the hall on a busy day, and what each of them does: a plan, drawn once from a seed.

Pure: no clock, no I/O. `simulator.busy_day` plays a plan on the devices. The figures are of the kind that
the yearly reports of such halls quote: a steep morning peak, a dip at noon, a small afternoon peak, a few
services that most people come for, one person in five with a right to go first.
"""

from __future__ import annotations

import bisect
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Literal

PEOPLE: Final = 600
DAY_S: Final = 8 * 3600.0
"""From opening to the last person in, in seconds of people's time: 09:00 to 17:00."""

PRIORITY_SHARE: Final = 0.20
CARD_SHARE: Final = 0.15
NO_SHOW_SHARE: Final = 0.04
TRANSFER_SHARE: Final = 0.03
PARK_SHARE: Final = 0.03
RATING_SHARE: Final = 0.70
ENGLISH_SHARE: Final = 0.02
UTILISATION: Final = 0.80
"""Share of the clerks' day that is spent serving, recalls and walks not counted."""

_GRADES: Final = ((5, 0.70), (4, 0.20), (3, 0.06), (2, 0.025), (1, 0.015))
_PEAKS: Final = ((0.11, 0.06, 1.0), (0.20, 0.10, 0.7), (0.66, 0.09, 0.55))
"""Each peak: its middle and its width as parts of the day, its height. 0.11 of 8 h is 09:53."""
_EVEN: Final = 0.16
"""Height of the even flow under the peaks."""

Ending = Literal["finish", "transfer", "park"]


@dataclass(frozen=True, slots=True)
class Visit:
    """One person. Times in seconds of people's time; `at` counts from opening."""

    at: float
    service: str
    priority: str | None
    card: bool
    """Lays an ID card on the kiosk first."""
    language: str
    kiosk_s: float
    walk_s: float
    """From where they wait to the counter."""
    shows_up: bool
    service_s: float
    ending: Ending
    """`park`: sent away for a missing paper, served when back; `transfer`: belongs to another counter."""
    away_s: float
    grade: int | None
    """None: walks off without rating."""
    rating_s: float


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Visits in the order of arrival."""

    seed: int
    day_s: float
    visits: tuple[Visit, ...]


def arrival_density(part: float) -> float:
    """How many come at this part of the day (0 … 1), on no particular scale; 0 outside the day."""
    if not 0.0 <= part <= 1.0:
        return 0.0
    opening = min(1.0, part / 0.015)
    closing = min(1.0, (1.0 - part) / 0.06)
    flow = sum(h * math.exp(-((part - m) ** 2) / (2 * w * w)) for m, w, h in _PEAKS)
    return (_EVEN + flow) * opening * closing


def plan_day(
    services: Sequence[str],
    priorities: Sequence[str],
    *,
    seed: int = 1,
    people: int = PEOPLE,
    counters: int = 4,
    day_s: float = DAY_S,
) -> DayPlan:
    """The same arguments give the same day.

    Args:
        services: Ids, at least one; the first ones are asked for most.
        priorities: Ids of priority classes; when empty nobody has priority.
        counters: How many clerks share the work; their number sets how long a service may take.
    """
    if not services or people < 0 or counters < 1:
        raise ValueError("a day needs services, people and counters")
    chance = random.Random(seed)
    arrivals = _arrivals(chance, people, day_s)
    wanted = _services(chance, services, people)
    first = _some(chance, people, PRIORITY_SHARE) if priorities else frozenset[int]()
    carded = _some(chance, people, CARD_SHARE)
    absent = _some(chance, people, NO_SHOW_SHARE)
    mean_s = counters * day_s * UTILISATION / max(people, 1)
    visits = []
    for index in range(people):
        roll = chance.random()
        visits.append(
            Visit(
                at=arrivals[index],
                service=wanted[index],
                priority=chance.choice(list(priorities)) if index in first else None,
                card=index in carded,
                language="en" if chance.random() < ENGLISH_SHARE else "zh-CN",
                kiosk_s=chance.uniform(6, 25),
                walk_s=chance.uniform(8, 30),
                shows_up=index not in absent,
                # log-normal with sigma 0.5: few are very long; e^(sigma²/2) makes `mean_s` its mean
                service_s=min(mean_s * 4, mean_s * math.exp(chance.gauss(-0.125, 0.5))),
                ending="transfer"
                if roll < TRANSFER_SHARE
                else "park"
                if roll < TRANSFER_SHARE + PARK_SHARE
                else "finish",
                away_s=chance.uniform(300, 1200),
                grade=_grade(chance) if chance.random() < RATING_SHARE else None,
                rating_s=chance.uniform(3, 9),
            )
        )
    return DayPlan(seed, day_s, tuple(visits))


def _arrivals(chance: random.Random, people: int, day_s: float) -> list[float]:
    """One arrival in each slice of equal weight under the curve: random, and true to the curve."""
    steps = 960
    sums = [0.0, *accumulate(arrival_density((step + 0.5) / steps) for step in range(steps))]
    times = []
    for index in range(people):
        weight = (index + chance.random()) / people * sums[-1]
        step = min(bisect.bisect_right(sums, weight) - 1, steps - 1)
        inside = (weight - sums[step]) / max(sums[step + 1] - sums[step], 1e-12)
        times.append((step + min(max(inside, 0.0), 1.0)) / steps * day_s)
    return sorted(times)


def _services(chance: random.Random, services: Sequence[str], people: int) -> list[str]:
    """Each is asked for at least once in a full day; the n-th as often as 1 / (n + 2)."""
    weights = [1 / (rank + 3) for rank in range(len(services))]
    drawn = list(services)[:people]
    drawn += chance.choices(list(services), weights, k=people - len(drawn))
    chance.shuffle(drawn)
    return drawn


def _some(chance: random.Random, people: int, share: float) -> frozenset[int]:
    return frozenset(chance.sample(range(people), round(people * share)))


def _grade(chance: random.Random) -> int:
    grades, weights = zip(*_GRADES, strict=True)
    return int(chance.choices(grades, weights)[0])
