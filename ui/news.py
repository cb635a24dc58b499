"""How old what stands on a display may be: a call that is new, an agent that is away.

For the hall display and the panel over a counter alike.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ui.program import NEVER

FLASH_S: Final = 10.0
"""How long a new call flashes."""
AGE_S: Final = 20
"""A display that has just started flashes a call that is not older than that."""
AWAY_S: Final = 5.0
"""An agent that is gone for so long is marked; it may only be starting again."""


def is_fresh(called_at: datetime | None, at: datetime | None) -> bool:
    """Whether a call is of just now. `at`: the hall's time; None: nobody knows it, and nothing is fresh."""
    return called_at is not None and at is not None and at - called_at <= timedelta(seconds=AGE_S)


class Absence:
    """Of the agent, or of its knowledge of the hall. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._since: float | None = None

    def begins(self, now: float) -> bool:
        """False: it has lasted already."""
        new = self._since is None
        if new:
            self._since = now
        return new

    def ends(self) -> None:
        self._since = None

    @property
    def lasts(self) -> bool:
        return self._since is not None

    def is_marked(self, now: float) -> bool:
        """Whether it has lasted so long that what stands there is old."""
        return self._since is not None and now >= self._since + AWAY_S

    def due(self, now: float) -> float:
        """When it is marked; NEVER where it is so already."""
        return self._since + AWAY_S if self._since is not None and not self.is_marked(now) else NEVER
