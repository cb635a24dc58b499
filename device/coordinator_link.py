"""What the node knows of the coordinator: whether it is there, its epoch, its business date and its time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from device.clock import Clock
from wire.messages import CoordinatorState

logger = logging.getLogger(__name__)

FRESH_S: Final = 9.5
"""A heartbeat older than this (it comes every 3 s) means that the coordinator is away. Screens mark what is
old within 10 s: the rest is for its way and for drawing."""


class CoordinatorLink:
    """`online`: the broker is connected and the coordinator's heartbeat is fresh.

    Attributes:
        on_change: Called with `online` each time it changes.
        on_epoch: Called with a new epoch.
        on_time: Called when the clock moved and what it knows should be kept.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._connected = False
        self._state: CoordinatorState | None = None
        self._heard_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.online = False
        self.on_change: Callable[[bool], None] | None = None
        self.on_epoch: Callable[[int], None] | None = None
        self.on_time: Callable[[], None] | None = None

    @property
    def epoch(self) -> int:
        """The coordinator's epoch; 0 when it was never heard."""
        return self._state.epoch if self._state is not None else 0

    def set_connected(self, connected: bool) -> None:
        """Whether the broker is there and our birth is out; each connection has to hear the coordinator anew,
        which may be before the birth is through."""
        if connected != self._connected:
            self._connected = connected
            if not connected:
                self._heard_at = 0.0
            self._weigh()

    def hear(self, state: CoordinatorState, *, retained: bool) -> None:
        """A heartbeat or a change of state. A retained one may be old: it gives neither time nor date."""
        epoch = self.epoch
        if retained and state.epoch < epoch:
            return
        self._state = state
        if state.state == "online":
            self._heard_at = asyncio.get_running_loop().time()
            if state.at is not None and not retained and self._clock.learn(state.at) and self.on_time:
                self.on_time()
            if state.business_date is not None and not retained:
                self._clock.hear_business_date(state.business_date, state.day_ends)
        else:
            self._heard_at = 0.0
        if state.epoch != epoch and self.on_epoch is not None:
            self.on_epoch(state.epoch)
        self._weigh()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _weigh(self) -> None:
        now = asyncio.get_running_loop().time()
        left = self._heard_at + FRESH_S - now if self._heard_at else 0.0
        online = self._connected and left > 0
        self.close()
        if online:
            self._timer = asyncio.get_running_loop().call_later(left + 0.01, self._weigh)
        if online == self.online:
            return
        self.online = online
        logger.log(
            logging.INFO if online else logging.WARNING, "coordinator %s", "online" if online else "away"
        )
        if self.on_change is not None:
            self.on_change(online)
