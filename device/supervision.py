"""One supervised task per device: open, serve, report, close, back off, again.

Whatever a driver raises, a fault of the device or a bug of its own, ends in the same way: the device's state
says so, the others go on, and it is opened again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime
from typing import Final

from device.clock import Clock
from drivers.driver import Driver, Health
from drivers.errors import ConfigError, DriverError, LineLostError, NoAnswerError
from wire.messages import DeviceState

logger = logging.getLogger(__name__)

BACK_OFF_MIN_S: Final = 0.2
BACK_OFF_MAX_S: Final = 2.0
"""A mended device is back after this and its opening: a person waits beside it, and one try in a second costs
nothing."""
OPEN_S: Final = 30.0
"""No driver may take longer to open."""
CLOSE_S: Final = 5.0
STABLE_S: Final = 10.0
"""Served this long, the next attempt after a loss begins with the shortest wait."""
SEEN_S: Final = 30.0
"""`seen_at` is published at most this often when nothing else changes."""


class Supervisor:
    """Keeps one driver open. `publish` gets every new DeviceState."""

    def __init__(
        self, device: str, driver: Driver, clock: Clock, publish: Callable[[DeviceState], None]
    ) -> None:
        self.device = device
        self.driver = driver
        self._clock = clock
        self._publish = publish
        self._down: bool | None = None
        self._said_for_it: Health | None = None
        self._seen_at: datetime | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.state = self._state_of(driver.health)
        driver.on_health = self._on_health
        driver.on_seen = self._on_seen

    async def run(self) -> None:
        """Never returns."""
        failures = 0
        loop = asyncio.get_running_loop()
        try:
            while True:
                began = loop.time()
                await self._attempt()
                failures = 0 if loop.time() - began >= STABLE_S else failures + 1
                ceiling = min(BACK_OFF_MAX_S, BACK_OFF_MIN_S * 2 ** min(failures, 8))
                await asyncio.sleep(random.uniform(BACK_OFF_MIN_S / 2, ceiling))
        finally:
            if self._timer is not None:
                self._timer.cancel()
            await self._close()

    async def _attempt(self) -> None:
        try:
            try:
                async with asyncio.timeout(OPEN_S):
                    await self.driver.open()
            except TimeoutError as error:
                if isinstance(error, DriverError):
                    raise
                raise NoAnswerError(f"not open within {OPEN_S:.0f} s") from error
            if self.driver.health.state == "unknown" or self.driver.health == self._said_for_it:
                # The driver has not said by itself how its device is.
                self.driver.report(Health("ok"))
            self._log(None)
            await self.driver.serve()
            raise LineLostError("the driver ended")
        except DriverError as error:
            self._lost(error, error.code)
        except Exception as error:
            # A driver's bug must not take the agent down: the other devices go on.
            logger.exception("driver of %s", self.device)
            self._lost(error, DriverError.code)
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            logger.exception("driver of %s: something of its own was cancelled", self.device)
            self._lost(error, DriverError.code)
        finally:
            await self._close()

    def _lost(self, error: BaseException, code: str) -> None:
        missing = isinstance(error, LineLostError | NoAnswerError) and not isinstance(error, ConfigError)
        facts = self.driver.health.facts
        self._said_for_it = Health("missing" if missing else "fault", code, facts)
        self.driver.report(self._said_for_it)
        self._log(error)

    def _log(self, error: BaseException | None) -> None:
        """Once when it goes, once when it is back."""
        down = error is not None
        if down == self._down:
            return
        if down:
            logger.warning("%s is gone: %s", self.device, error)
        elif self._down:
            logger.info("%s is back", self.device)
        else:
            logger.info("%s is there", self.device)
        self._down = down

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.driver.close()
        except (DriverError, TimeoutError) as error:
            logger.warning("closing %s: %s", self.device, error)
        except Exception:
            logger.exception("closing %s", self.device)
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            logger.exception("closing %s", self.device)

    # ---------------------------------------------------------------- state

    def _state_of(self, health: Health) -> DeviceState:
        now = self._clock.now()
        before = getattr(self, "state", None)
        since = before.since if before is not None and before.health == health.state else now
        return DeviceState(
            device=self.device,
            kind=self.driver.kind,  # type: ignore[arg-type]  # a DeviceKind, checked by the profile
            health=health.state,
            code=health.code,
            facts=dict(health.facts),
            since=since,
            seen_at=self._seen_at,
        )

    def _on_health(self, health: Health) -> None:
        if health.state in ("ok", "degraded", "fault"):
            self._seen_at = self._clock.now()
        self._tell()

    def _on_seen(self) -> None:
        self._seen_at = self._clock.now()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SEEN_S, self._tell)

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.state = self._state_of(self.driver.health)
        self._publish(self.state)


def _is_cancelled() -> bool:
    """Whether it is the supervisor that is to end. A driver that awaits a cancelled task of its own raises
    CancelledError, too, which would end the supervision of its device without a word."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
