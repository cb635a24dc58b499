"""What drivers keep of their devices beyond the end of the process (`Driver.keep`), in the node's storage."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

import msgspec

from device.database import StorageError
from device.stations.station import Node
from drivers.driver import Driver, Fact

logger = logging.getLogger(__name__)

GATHER_S: Final = 1.0
"""Changes within this time are stored together."""


class KeptFacts:
    """One row per device. `load` before the drivers are opened."""

    def __init__(self, node: Node, drivers: Mapping[str, Driver]) -> None:
        self._node = node
        self._drivers = drivers
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def load(self) -> None:
        """Fill `Driver.kept`, and store from now on what drivers keep. Raises StorageError."""
        for device, driver in self._drivers.items():
            driver.on_keep = lambda facts, device=device: self._changed(device)
            if (row := await self._node.storage.kept(_key(device))) is not None:
                try:
                    driver.kept.update(msgspec.json.decode(row, type=dict[str, Fact]))
                except msgspec.DecodeError as error:
                    logger.error("what %s kept is not readable: %s", device, error)

    async def flush(self) -> None:
        """Store at once what still waits: the process ends."""
        for device in list(self._timers):
            self._timers.pop(device).cancel()
            await self._store(device)

    def _changed(self, device: str) -> None:
        if device not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[device] = loop.call_later(GATHER_S, self._due, device)

    def _due(self, device: str) -> None:
        self._timers.pop(device, None)
        self._node.spawn(self._store(device), f"keeping facts of {device}", to_the_end=True)

    async def _store(self, device: str) -> None:
        try:
            await self._node.storage.keep(_key(device), msgspec.json.encode(self._drivers[device].kept))
        except StorageError as error:
            logger.warning("facts of %s are not kept: %s", device, error)


def _key(device: str) -> str:
    return f"driver/{device}"
