"""The numbers that a kiosk may issue by itself: asked for in time, kept, and counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from typing import Final

from device.database import StorageError
from device.stations.station import Node
from wire.messages import GrantLease, LeaseLow, Message, NodeCommand

logger = logging.getLogger(__name__)

ASK_AGAIN_S: Final = 60.0
"""So long after an answer failed to come, numbers are asked for again."""
LOOK_S: Final = 5.0
"""How often the business date is looked at."""


class Leases:
    """`remaining`: numbers left today, per group. `low`: ask for more when fewer are left."""

    def __init__(self, node: Node, low: int, on_change: Callable[[], None]) -> None:
        self._node = node
        self._low = low
        self._on_change = on_change
        self._asked: dict[tuple[str, date], float] = {}
        self._day: date | None = None
        self.remaining: dict[str, int] = {}

    async def run(self) -> None:
        """Look again when the date changes or an answer does not come. Never returns."""
        while True:
            try:
                await self.look()
            except StorageError as error:
                logger.debug("leases: %s", error)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Count what is left, and ask for numbers where few are. Raises StorageError."""
        node = self._node
        day = node.clock.business_date()
        remaining = await node.storage.remaining(day)
        if (day, remaining) != (self._day, self.remaining):
            self._day, self.remaining = day, remaining
            self._on_change()
        if not node.link.online or node.catalogue is None:
            return
        now = asyncio.get_running_loop().time()
        self._asked = {key: at for key, at in self._asked.items() if now - at < ASK_AGAIN_S}
        low = [
            LeaseLow(group=group.group, business_date=day, remaining=remaining.get(group.group, 0))
            for group in node.catalogue.groups
            if remaining.get(group.group, 0) < self._low and (group.group, day) not in self._asked
        ]
        if low:
            self._asked |= {(ask.group, day): now for ask in low}
            await node.storage.add(*low)

    async def grant(self, command: NodeCommand, body: Message) -> Message | None:
        """The handler of `grant_lease`."""
        assert isinstance(body, GrantLease)
        await self._node.storage.grant(body, command.epoch, command.id)
        self._asked.pop((body.group, body.business_date), None)
        logger.info("leased %s %s: %d–%d", body.group, body.business_date, body.first, body.last)
        await self.look()
        return None
