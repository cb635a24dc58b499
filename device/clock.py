"""The time of day on a machine that may have no clock chip.

A Pi boots in 1970 or at the minute of its last shutdown, and its wall clock may jump by a day when NTP
arrives. So the node learns the time from the coordinator's live heartbeats and carries it on with the
kernel's boot-time clock, which never jumps. Until the first heartbeat the wall clock is used as it is,
and `trusted` tells whether it can be right at all. What was learned is kept with the kernel's boot id, so
that an agent that restarts while the coordinator is away still knows the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Final

FIRST_PLAUSIBLE_YEAR: Final = 2024
TOLERANCE_S: Final = 2.0
"""A heartbeat that agrees within this does not move the clock: its delay on the way is no better."""
DAY_S: Final = 86_400
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """The kernel's id of this boot; "" where it has none."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _boot_time() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def hall_zone(name: str) -> tzinfo:
    """The time zone `name`, or the machine's own where its tables are not installed."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # 6 ms that a counter node does not need

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return datetime.now().astimezone().tzinfo or UTC


class Clock:
    """`wall` and `boot` return seconds: since 1970, and since boot without jumps."""

    def __init__(
        self,
        zone: tzinfo = UTC,
        wall: Callable[[], float] = time.time,
        boot: Callable[[], float] = _boot_time,
    ) -> None:
        self._zone = zone
        self._wall = wall
        self._boot = boot
        self._offset: float | None = None
        self._heard_day: tuple[date, date, float | None] | None = None

    def now(self) -> datetime:
        """The best known time, in the hall's zone."""
        seconds = self._wall() if self._offset is None else self._boot() + self._offset
        return datetime.fromtimestamp(seconds, self._zone)

    def in_zone(self, name: str) -> Callable[[], datetime]:
        """The best known time of the zone `name`, whose tables are loaded when first asked for."""
        zone = cache(lambda: hall_zone(name))
        return lambda: self.now().astimezone(zone())

    @property
    def trusted(self) -> bool:
        """Whether dates may be printed: heard from the coordinator in this boot, or plausible by itself."""
        return self._offset is not None or self.now().year >= FIRST_PLAUSIBLE_YEAR

    def learn(self, at: datetime) -> bool:
        """Take the time of a live heartbeat (aware). True when the clock moved and should be kept."""
        if at.year < FIRST_PLAUSIBLE_YEAR:
            return False
        error = at.timestamp() - self.now().timestamp()
        if self._offset is not None and abs(error) <= TOLERANCE_S:
            return False
        near = abs(at.timestamp() - self._wall()) <= TOLERANCE_S
        self._offset = (self._wall() if near else at.timestamp()) - self._boot()
        return True

    def hear_business_date(self, day: date, ends: datetime | None = None) -> None:
        """The coordinator's business date, as of now, and when it ends (aware)."""
        self._heard_day = (day, self.now().date(), ends.timestamp() if ends is not None else None)

    def business_date(self) -> date:
        """The business date: the coordinator's until it ends, then the next ones, each a day long.

        Where its end was not heard it holds until the hall's calendar day ends, and then the calendar's.
        """
        now = self.now()
        if self._heard_day is None:
            return now.date()
        day, heard_on, ends = self._heard_day
        if ends is not None:
            over = now.timestamp() - ends
            return day if over < 0 else day + timedelta(days=1 + over // DAY_S)
        return day if heard_on == now.date() else now.date()

    def expired(self, deadline: datetime) -> bool:
        """Whether `deadline` (aware) has passed. A clock that cannot be right expires nothing."""
        return self.trusted and self.now() >= deadline

    def kept(self) -> bytes:
        """What to store after `learn` returned True."""
        return f"{boot_id()} {self._offset}".encode()

    def restore(self, kept: bytes) -> None:
        """Take up what an earlier process of the same boot stored; anything else is ignored."""
        identity, _, offset = kept.decode("ascii", "replace").partition(" ")
        if identity and identity == boot_id():
            try:
                self._offset = float(offset)
            except ValueError:
                return
