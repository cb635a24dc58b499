"""Volume by time of day::

    volume_schedule = [{ from = "08:30", volume = 80 }, { from = "12:00", volume = 45 }]

Each step holds until the next, the last one over midnight; the time is the hall's (the profile's
`timezone`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Annotated

import msgspec

from drivers.time_of_day import Step, step_at

Volume = Annotated[int, msgspec.Meta(ge=0, le=100)]
"""Per cent of the amplitude; 50 is 6 dB less than 100."""


class VolumeStep(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From this time of day."""

    volume: Volume


def volume_at(volume: int, schedule: Sequence[VolumeStep], now: time) -> int:
    """`volume` where there is no schedule."""
    return step_at(schedule, now).volume if schedule else volume
