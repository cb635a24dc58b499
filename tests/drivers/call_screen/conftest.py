"""A driver of Onbon cards with its fake; and no deadlines: the machine may be busy with something else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from drivers.call_screen.fake import FakeOnbonCard
from drivers.call_screen.onbon_bx import OnbonBx
from drivers.call_screen.onbon_bx_config import OnbonBxConfig
from drivers.call_screen.paced_screen import PacedScreen
from drivers.driver import Health
from drivers.errors import DriverError
from drivers.transport.fake import FakeDevice, Line, PtyLine, TcpLine
from drivers.transport.serial import SerialConfig
from drivers.transport.tcp import TcpConfig

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

PATIENCE_S = 10.0
"""How long a test waits for what must come."""


class OnbonRig:
    """A driver and its card. `events` wakes whenever the card or the health changed."""

    def __init__(self, driver: OnbonBx, line: Line) -> None:
        self.driver = driver
        self.line = line
        self.errors: list[DriverError] = []
        self.health: list[Health] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        line.device.on_change = self._changed.set
        driver.on_health = self._heard
        driver.on_seen = self._changed.set

    @property
    def card(self) -> FakeOnbonCard:
        assert isinstance(self.line.device, FakeOnbonCard)
        return self.line.device

    def _heard(self, health: Health) -> None:
        self.health.append(health)
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def _supervise(self) -> None:
        while True:
            try:
                await self.driver.open()
                await self.driver.serve()
            except DriverError as error:
                self.errors.append(error)
                self._changed.set()
            await self.driver.close()
            await asyncio.sleep(0.01)

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._supervise())
        await self.until(lambda: self.driver.health.state == "ok")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.driver.close()
        await self.line.unplug()
        await asyncio.sleep(0)


MakeRig = Callable[..., Any]


@pytest.fixture
async def make_rig(tmp_path: Path) -> AsyncIterator[MakeRig]:
    """`await make_rig(kind="pty", card=None, **options of the driver)`: plugged in, not started."""
    rigs: list[OnbonRig] = []

    async def make(kind: str = "pty", card: FakeDevice | None = None, **options: Any) -> OnbonRig:
        family = options.get("family", "k")
        card = FakeOnbonCard(family=family) if card is None else card
        line: Line = PtyLine(card, tmp_path / "screen") if kind == "pty" else TcpLine(card)
        await line.plug()
        where = (
            SerialConfig(path=str(line.path), baud=115200)
            if isinstance(line, PtyLine)
            else TcpConfig(host="127.0.0.1", port=line.port)  # type: ignore[attr-defined]
        )
        options = {"min_interval_s": 0.05, "reply_timeout_s": 0.3, "retries": 1} | options
        rig = OnbonRig(OnbonBx(OnbonBxConfig(transport=where, **options)), line)
        rigs.append(rig)
        return rig

    yield make
    for rig in rigs:
        await rig.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PacedScreen, "PING_S", 0.02)
    monkeypatch.setattr(PacedScreen, "RETRY_S", 0.1)
