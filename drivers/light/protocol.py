"""The interface of every light: flashes for people who do not hear, light towers, beacons behind a relay."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from drivers.driver import Driver

SignalName = Literal["call", "help", "fault", "open"]
"""A number is called; somebody asked for help; a device is at fault; the counter is open."""


@dataclass(frozen=True, slots=True)
class LightResult:
    """`done`: the lamps were switched; `expired`: they could not be in time."""

    outcome: Literal["done", "failed", "expired"]
    code: str | None = None


class Light(Driver):
    """The lamps of one place. Which of them a signal uses, and how, is the driver's configuration.

    Signals that last are shown again when a lost line is back. All lamps are off before the first signal and,
    as far as the line allows, after `close`.
    """

    kind: ClassVar[str] = "light"

    @abstractmethod
    async def signal(
        self, name: SignalName, seconds: float | None = None, within_s: float = 5.0
    ) -> LightResult:
        """Show `name`, for `seconds` from now on or until `clear`. Once more begins its time anew.

        Returns when the lamps are switched. *expired*: that was not possible for `within_s`; a signal with an
        end is dropped then, one without is shown when the light is back. *failed* with "light.no_lamp": no
        lamp stands for this signal.
        """

    @abstractmethod
    def clear(self, name: SignalName) -> None:
        """End a signal; nothing when it is not shown."""
