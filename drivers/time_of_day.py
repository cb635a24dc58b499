"""Settings by time of day: steps that each hold until the next, the last one over midnight.

In TOML: schedule = [{ from = "07:30", … }, { from = "19:00", … }]; times are the hall's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Annotated, TypeVar

import msgspec


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From this time of day, "HH:MM". Children add what holds from then on."""

    since: Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")] = msgspec.field(
        name="from"
    )


S = TypeVar("S", bound=Step)


def step_at(steps: Sequence[S], now: time) -> S:
    """The step that holds at `now`. There must be one; they may stand in any order."""
    ordered = sorted(steps, key=lambda step: step.since)
    begun = [step for step in ordered if step.since <= now.strftime("%H:%M")]
    return (begun or ordered)[-1]
