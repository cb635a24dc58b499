"""systemd's notify protocol for a screen program: ready with the first picture, then alive from its own loop.

Whoever runs a program calls `drawn` after each picture and `alive` in every turn of its loop; a loop that
hangs is ended by systemd and started again. Without systemd both do nothing.
"""

from __future__ import annotations

import time
from typing import Final

from wire.systemd import notify, watchdog_s

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
        return watchdog_s()

    def drawn(self) -> None:
        """A picture was handed to the display: the first one means that the program is up."""
        if not self._ready:
            self._ready = True
            notify("READY=1")

    def alive(self) -> None:
        """The loop has come round. Before the first picture this counts for nothing."""
        now = time.monotonic()
        if self._ready and now >= self._next:
            limit = self.limit_s
            if limit is None:
                self._next = float("inf")
                return
            self._next = now + limit / SHARE
            notify("WATCHDOG=1")

    def ending(self) -> None:
        """The program ends by itself."""
        notify("STOPPING=1")
