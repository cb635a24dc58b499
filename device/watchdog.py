"""systemd's notify protocol by hand: ready, stopping, and the watchdog.

The watchdog is fed only after a real round trip: from the loop to the storage thread and back, and, while
there is a broker, to the broker and back. A hung thread is thus restarted by systemd; a broker that is away
is not our fault and starves nobody.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)


def notify(state: str) -> None:
    """Say e.g. "READY=1" to systemd; nothing happens without it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
            sending.connect(address)
            sending.send(state.encode())
    except OSError as error:
        logger.warning("systemd cannot be told %s: %s", state, error)


def watchdog_s() -> float | None:
    """The time within which systemd wants to be fed; None when it does not watch this process."""
    micros, pid = os.environ.get("WATCHDOG_USEC"), os.environ.get("WATCHDOG_PID")
    if not micros or not micros.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(micros) / 1_000_000


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
