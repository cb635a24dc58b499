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

Volume = Annotated[int, msgspec.Meta(ge=0, le=100)]
"""Per cent of the amplitude; 50 is 6 dB less than 100."""


class VolumeStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From this time of day, "HH:MM"."""

    since: Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")] = msgspec.field(
        name="from"
    )
    volume: Volume


def volume_at(volume: int, schedule: Sequence[VolumeStep], now: time) -> int:
    """`volume` where there is no schedule."""
    if not schedule:
        return volume
    steps = sorted(schedule, key=lambda step: step.since)
    begun = [step for step in steps if step.since <= now.strftime("%H:%M")]
    return (begun or steps)[-1].volume
