"""What a driver keeps is there before its first opening in the next process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from device import kept_facts
from device.clock import Clock
from device.coordinator_link import CoordinatorLink
from device.kept_facts import KeptFacts
from device.stations.station import Node
from device.storage import Storage
from drivers.driver import Driver


class Roll(Driver):
    kind: ClassVar[str] = "ticket_printer"

    async def open(self) -> None: ...

    async def serve(self) -> None: ...

    async def close(self) -> None: ...


async def process(path: Path, clock: Clock) -> tuple[Storage, Node, Roll, KeptFacts]:
    storage = Storage(str(path), "session", clock)
    await storage.start()
    node = Node(storage, clock, CoordinatorLink(clock))
    roll = Roll()
    kept = KeptFacts(node, {"printer": roll})
    await kept.load()
    return storage, node, roll, kept


async def test_facts_outlive_the_process(tmp_path: Path, clock: Clock) -> None:
    storage, _, roll, kept = await process(tmp_path / "agent.db", clock)
    assert roll.kept == {}
    roll.keep("mm", 1200)
    roll.keep("mm", 1300)
    roll.keep("roll", "new")
    await kept.flush()
    await storage.stop()
    storage, _, roll, _ = await process(tmp_path / "agent.db", clock)
    assert roll.kept == {"mm": 1300, "roll": "new"}
    await storage.stop()


async def test_changes_are_gathered_and_stored_without_a_stop(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_facts, "GATHER_S", 0.01)
    storage, node, roll, _ = await process(tmp_path / "agent.db", clock)
    stores = 0
    real = storage.keep

    async def keep(key: str, value: bytes) -> None:
        nonlocal stores
        stores += 1
        await real(key, value)

    monkeypatch.setattr(storage, "keep", keep)
    for mm in range(100):
        roll.keep("mm", mm)
    roll.keep("mm", 99)
    async with asyncio.timeout(5):
        while await storage.kept("driver/printer") is None:
            await asyncio.sleep(0.005)
    await node.settle()
    assert await storage.kept("driver/printer") == b'{"mm":99}' and stores == 1
    await storage.stop()


async def test_an_unreadable_row_is_left_behind(tmp_path: Path, clock: Clock) -> None:
    storage, _, _, _ = await process(tmp_path / "agent.db", clock)
    await storage.keep("driver/printer", b"\xff{")
    await storage.stop()
    storage, _, roll, _ = await process(tmp_path / "agent.db", clock)
    assert roll.kept == {}
    await storage.stop()
