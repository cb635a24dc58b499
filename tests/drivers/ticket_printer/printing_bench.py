"""A hall's ticket, a printer joined to its fake, and what a checker reads off the paper."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from drivers.driver import Health
from drivers.errors import DriverError
from drivers.ticket_printer.escpos import EscposConfig, EscposPrinter
from drivers.ticket_printer.escpos_ticket import VOID_SLIP
from drivers.ticket_printer.fake import FakeEscposPrinter, PrintedTicket
from drivers.ticket_printer.protocol import Paper
from drivers.transport.file import FileConfig
from drivers.transport.pair import PairLine

VALUES = {
    "language": "zh-CN",
    "hall": "北城区政务服务中心",
    "service": "居民身份证申领",
    "waiting": "12",
    "zone": "A区",
    "counters": "3、4、5号",
    "time": "2026-11-21 09:32",
}
TICKET = Paper("A005", VALUES, "https://hall.example/t/7f3k9q2m")


def whole_tickets(fake: FakeEscposPrinter, number: str = "A005") -> list[PrintedTicket]:
    """The pieces of paper that a citizen would take for the ticket of `number`."""
    return [
        ticket
        for ticket in fake.tickets
        if ticket.whole and number in ticket.text.split("\n") and VOID_SLIP[0] not in ticket.text
    ]


class Bench:
    """A printer and its fake joined in one process, kept open as the supervisor does it."""

    def __init__(self, fake: FakeEscposPrinter, config: dict[str, Any]) -> None:
        self.fake = fake
        self.line = PairLine(fake)
        options: dict[str, Any] = {"answer_s": 0.05, "write_s": 0.1, "print_s": 0.4, "poll_s": 0.01}
        self.printer = EscposPrinter(
            EscposConfig(transport=FileConfig(path="unused"), **(options | config)), line=self.line.transport
        )
        self.healths: list[Health] = []
        self._news = asyncio.Event()
        self.printer.on_health = self._on_health
        self.opened = 0
        self._supervising: asyncio.Task[None] | None = None

    def _on_health(self, health: Health) -> None:
        self.healths.append(health)
        self._news.set()

    async def start(self) -> None:
        await self.line.plug()
        self._supervising = asyncio.create_task(self._supervise())

    async def _supervise(self) -> None:
        while True:
            with suppress(DriverError):
                await self.printer.open()
                self.opened += 1
                await self.printer.serve()
            await self.printer.close()
            self.printer.report(Health("missing", "device.unplugged"))
            await asyncio.sleep(0.002)

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait until `done()`; looked at in every turn of the loop."""
        async with asyncio.timeout(10):
            while not done():  # what is awaited is the fake's state
                await asyncio.sleep(0.001)

    async def ready(self) -> None:
        """Open, well, and nothing of an earlier ticket in it."""
        await self.until(lambda: self.printer.can_print and self.printer._clean)

    async def stop(self) -> None:
        assert self._supervising is not None
        self._supervising.cancel()
        with suppress(asyncio.CancelledError):
            await self._supervising
        await self.printer.close()
        await self.line.unplug()


@asynccontextmanager
async def bench_of(fake: FakeEscposPrinter | None = None, **config: Any) -> AsyncIterator[Bench]:
    bench = Bench(fake or FakeEscposPrinter(), config)
    await bench.start()
    try:
        yield bench
    finally:
        await bench.stop()
