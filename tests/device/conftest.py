from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from device.clock import Clock
from device.storage import Storage

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


class Hands:
    """The hands of a clock, moved by the test."""

    def __init__(self) -> None:
        self.wall = START.timestamp()
        self.boot = 100.0

    def forward(self, seconds: float) -> None:
        self.wall += seconds
        self.boot += seconds


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def clock(hands: Hands) -> Clock:
    return Clock(UTC, lambda: hands.wall, lambda: hands.boot)


OpenStorage = Callable[..., Awaitable[Storage]]


@pytest.fixture
async def open_storage(tmp_path: Path, clock: Clock) -> AsyncIterator[OpenStorage]:
    opened: list[Storage] = []

    async def open_(machine: str = "this", name: str = "agent.db") -> Storage:
        storage = Storage(tmp_path / name, "session-1", clock, machine)
        await storage.start()
        opened.append(storage)
        return storage

    yield open_
    for storage in opened:
        await storage.stop()


@pytest.fixture
async def storage(open_storage: OpenStorage) -> Storage:
    return await open_storage()
