from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from drivers.card_reader.fake import FakeSamReader
from drivers.card_reader.protocol import CardEvent
from drivers.card_reader.sam_reader import SamReader, SamReaderConfig
from drivers.errors import DriverError
from drivers.transport.fake import Line, PtyLine, TcpLine
from drivers.transport.serial import SerialConfig
from drivers.transport.tcp import TcpConfig

sys.path.insert(0, str(Path(__file__).parent))  # card_places, card_lines

PATIENCE = 20.0

settings.register_profile(
    "drivers", deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("drivers")


@dataclass
class Bench:
    """A driver at one end of a line, a fake at the other, and the least of a supervisor between."""

    line: Line
    fake: FakeSamReader
    reader: SamReader
    errors: list[DriverError] = field(default_factory=list)
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def supervise(self) -> None:
        while True:
            try:
                await self.reader.open()
                self.opened.set()
                await self.reader.serve()
            except DriverError as error:
                self.errors.append(error)
                self.failed.set()
            await self.reader.close()
            await asyncio.sleep(0.01)

    async def event(self) -> CardEvent:
        return await asyncio.wait_for(self.reader.next_event(), PATIENCE)

    async def polls(self, count: int = 3) -> None:
        """Until the fake has been asked so many times more."""
        seen = asyncio.Event()
        left = count

        def one() -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                seen.set()

        self.reader.on_seen = one
        await asyncio.wait_for(seen.wait(), PATIENCE)


@pytest.fixture(params=["pty", "tcp"])
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    """`async with bench(wire, **config) as b`: opened, polling, closed at the end."""

    @asynccontextmanager
    async def make(wire: str = "pty", *, start: bool = True, **config: Any) -> AsyncIterator[Bench]:
        fake = FakeSamReader()
        line: PtyLine | TcpLine
        line = PtyLine(fake, tmp_path / "reader") if wire == "pty" else TcpLine(fake)
        await line.plug()
        where = (
            SerialConfig(path=str(line.path), baud=115200)
            if isinstance(line, PtyLine)
            else TcpConfig(host="127.0.0.1", port=line.port)
        )
        settings: dict[str, Any] = {"poll_ms": 5, "answer_s": 0.3} | config
        made = Bench(line, fake, SamReader(SamReaderConfig(transport=where, **settings)))
        task = asyncio.create_task(made.supervise()) if start else None
        try:
            if task is not None:
                await asyncio.wait_for(made.opened.wait(), PATIENCE)
            yield made
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await made.reader.close()
            await line.unplug()

    return make
