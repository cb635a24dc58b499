"""The watchdog of an agent.

It is fed only after a real round trip: from the loop to the storage thread and back, and, while there is a
broker, to the broker and back. A hung thread is thus restarted by systemd; a broker that is away is not our
fault and starves nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from wire.systemd import notify, watchdog_s

logger = logging.getLogger(__name__)


async def feed(round_trip: Callable[[float], Awaitable[bool]]) -> None:
    """Feed the watchdog three times within its time, each after `round_trip(seconds)` was true."""
    limit = watchdog_s()
    if limit is None:
        return
    while True:
        try:
            async with asyncio.timeout(limit / 2):
                alive = await round_trip(limit / 3)
        except TimeoutError:
            alive = False
        if alive:
            notify("WATCHDOG=1")
        else:
            logger.error("no round trip within %.1f s; the watchdog is not fed", limit / 3)
        await asyncio.sleep(limit / 4)
