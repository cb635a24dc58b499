"""The time of the simulated people, which may run faster than that of the devices."""

from __future__ import annotations

import asyncio


class PeopleTime:
    """Seconds of people's time since `start`, `speed` times as fast as the real clock."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._base = 0.0
        self._since: float | None = None
        self._changed = asyncio.Event()

    def start(self) -> None:
        self._since = asyncio.get_running_loop().time()

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if self._since is not None:
            self._base = self.now()
            self._since = asyncio.get_running_loop().time()
        self._speed = speed
        self._changed.set()
        self._changed = asyncio.Event()

    def now(self) -> float:
        if self._since is None:
            return self._base
        return self._base + (asyncio.get_running_loop().time() - self._since) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Sleep so many seconds of people's time, also when the speed changes meanwhile."""
        await self.sleep_until(self.now() + seconds)

    async def sleep_until(self, moment: float) -> None:
        while (left := moment - self.now()) > 0:
            try:
                await asyncio.wait_for(self._changed.wait(), left / self._speed)
            except TimeoutError:
                pass  # the usual end: nobody changed the speed
