"""systemd's notify protocol for a screen program: ready with the first picture, then alive from its own loop.

Whoever runs a program calls `drawn` after each picture and `alive` in every turn of its loop; a loop that
hangs is ended by systemd and started again. Without systemd both do nothing.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import Final

log = logging.getLogger(__name__)

SHARE: Final = 4
"""It is fed so many times within its limit."""


class Watchdog:
    """Used from the program's own thread only: another one would live on where the loop hangs."""

    def __init__(self) -> None:
        self._ready = False
        self._next = 0.0

    @property
    def limit_s(self) -> float | None:
        """The time within which systemd wants to hear of us; None when it does not watch this process.

        A loop that sleeps must not do so for longer than a quarter of it.
        """
        micros, pid = os.environ.get("WATCHDOG_USEC"), os.environ.get("WATCHDOG_PID")
        if not micros or not micros.isdigit() or (pid and pid != str(os.getpid())):
            return None
        return int(micros) / 1_000_000

    def drawn(self) -> None:
        """A picture was handed to the display: the first one means that the program is up."""
        if not self._ready:
            self._ready = True
            _say("READY=1")

    def alive(self) -> None:
        """The loop has come round. Before the first picture this counts for nothing."""
        now = time.monotonic()
        if self._ready and now >= self._next:
            limit = self.limit_s
            if limit is None:
                self._next = float("inf")
                return
            self._next = now + limit / SHARE
            _say("WATCHDOG=1")

    def ending(self) -> None:
        """The program ends by itself."""
        _say("STOPPING=1")


def _say(state: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sending:
            sending.connect(address)
            sending.send(state.encode())
    except OSError as error:
        log.warning("systemd cannot be told %s: %s", state, error)
