"""What every driver is: opened, served until its line is lost, closed; and its health.

A driver's constructor only assigns. The supervisor of the agent calls `open`, then runs `serve` as a
task; when either raises DriverError it calls `close`, waits and opens again. A driver is used from one
event loop only. Its class interface (`print_ticket`, `show`, …) is in the `protocol.py` of its folder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import msgspec

HealthState = Literal["ok", "degraded", "fault", "missing", "unknown"]
Fact = str | int | float | bool | None
"""A measured thing for `DeviceState.facts`: paper, cover, temperature … Never personal data."""


class Health(msgspec.Struct, frozen=True):
    """What a driver knows of its device now. `code` is a key of the text catalogue, None when ok."""

    state: HealthState = "unknown"
    code: str | None = None
    facts: dict[str, Fact] = msgspec.field(default_factory=dict)


class Driver(ABC):
    """Base of all drivers. `kind` is the device class as it stands in messages."""

    kind: ClassVar[str]

    def __init__(self) -> None:
        self._health = Health()
        self.on_health: Callable[[Health], None] | None = None
        self.on_seen: Callable[[], None] | None = None
        self.kept: dict[str, Fact] = {}
        """What `keep` was told in this and earlier processes; filled before the first `open`."""
        self.on_keep: Callable[[dict[str, Fact]], None] | None = None

    @classmethod
    def check(cls, config: Any) -> list[str]:
        """What is wrong with a `Config` beyond its values, e.g. in a file that it names; without the device.

        For `paihao agent --check`. May load libraries and read files.
        """
        return []

    @property
    def health(self) -> Health:
        return self._health

    def report(self, health: Health) -> None:
        """Set the health; tells the supervisor only when something changed."""
        if health != self._health:
            self._health = health
            if self.on_health is not None:
                self.on_health(health)

    def seen(self) -> None:
        """The device has just answered."""
        if self.on_seen is not None:
            self.on_seen()

    def keep(self, name: str, value: Fact) -> None:
        """Remember a small thing about the device beyond the end of the process. Never personal data.

        A power cut can lose what was kept in the second before it.
        """
        if self.kept.get(name) != value or name not in self.kept:
            self.kept[name] = value
            if self.on_keep is not None:
                self.on_keep(self.kept)

    @abstractmethod
    async def open(self) -> None:
        """Open the line and make sure that the device is there. Raises DriverError."""

    @abstractmethod
    async def serve(self) -> None:
        """Read and poll the device until it is lost, then raise DriverError. Never returns."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the line; safe to call at any time and more than once."""
