"""Sleep until there is something to do, without looking for it: the agent, the window, a signal or the time.

SDL can wait for events only by looking a thousand times a second (KMSDRM) or not beside a socket. But what it
reads is known to the kernel: the socket of X, the touch screen's /dev/input/event*. See
docs/decisions/0041-how-a-screen-sleeps.md.
"""

from __future__ import annotations

import logging
import os
import select
from typing import Final

log = logging.getLogger(__name__)

DEAF: Final = 20
"""A handle that so often in a row could be read and gave no event of the window is none that SDL reads."""


class Wake:
    """`ring` from any thread; the rest from the program's own."""

    def __init__(self) -> None:
        self._bell, self._ringing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._bell, select.POLLIN)
        self._watched: dict[int, int] = {}

    def close(self) -> None:
        os.close(self._ringing)
        os.close(self._bell)

    def ring(self) -> None:
        """End the present sleep, or the next one."""
        try:
            os.write(self._ringing, b"!")
        except OSError:
            pass  # it rings already, or nobody sleeps any more

    def watch(self, handles: frozenset[int]) -> None:
        """Wake also when one of these can be read; those watched already stay."""
        for handle in handles - self._watched.keys():
            self._poll.register(handle, select.POLLIN)
            self._watched[handle] = 0

    @property
    def watches(self) -> bool:
        """Whether the window's events wake it: else they must be looked for."""
        return any(times < DEAF for times in self._watched.values())

    def sleep(self, seconds: float) -> None:
        """At most so long."""
        for handle, what in self._poll.poll(max(0.0, seconds) * 1000):
            if handle == self._bell:
                os.read(self._bell, 4096)
            elif what & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                self._leave(handle)
            else:
                self._watched[handle] += 1
                if self._watched[handle] >= DEAF:
                    log.warning("handle %d is not read by the window; it is not watched", handle)
                    self._poll.unregister(handle)

    def looked(self, events: bool) -> None:
        """SDL has read what there was; whether it had events for us."""
        suspects = [handle for handle, times in self._watched.items() if 0 < times < DEAF]
        if suspects:
            still = set() if events else {handle for handle, _ in self._poll.poll(0)}
            for handle in suspects:
                if handle not in still:
                    self._watched[handle] = 0

    def _leave(self, handle: int) -> None:
        """An input device was unplugged."""
        self._poll.unregister(handle)
        del self._watched[handle]
