"""A hall's ticket, the printers that there are, each joined to its fake, and what is read off the paper."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import dropwhile
from typing import Any, cast

import msgspec

from drivers.driver import Health
from drivers.errors import DriverError
from drivers.table import config_type, driver_class
from drivers.ticket_printer.escpos_ticket import VOID_SLIP
from drivers.ticket_printer.fake import FakeEscposPrinter, PrintedTicket
from drivers.ticket_printer.fake_kiosk import FakeKioskPrinter
from drivers.ticket_printer.printed_paper import Printed, PrintedFeed
from drivers.ticket_printer.protocol import Note, NoteLine, Paper
from drivers.ticket_printer.proved_printer import ProvedPrinter
from drivers.transport.pair import PairLine
from drivers.transport.transport import Transport

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

NOTE = Note(
    "居民身份证换领",
    (
        NoteLine("居民户口簿（原件）", True),
        NoteLine("照片（复印件 2 份） 白底彩色，不戴帽，近半年内拍摄", False),
        NoteLine("办理时限：20 个工作日"),
    ),
    "北城区政务服务中心",
    "2026-11-21",
)


@dataclass(frozen=True)
class Kind:
    """A model of printer: the driver's name and options for it, and the fake at the other end."""

    driver: str
    options: dict[str, Any]
    fake: Callable[..., FakeEscposPrinter]

    def printer(self, line: Transport | None = None, **options: Any) -> ProvedPrinter:
        """As the table builds it; `line` replaces the transport of the profile."""
        driver = driver_class(self.driver)
        if line is not None:
            options["transport"] = {"type": "file", "path": "unused"}
        config = msgspec.convert(self.options | options, config_type(driver))
        return cast("ProvedPrinter", cast(Any, driver)(config, line=line))


def _kiosk(model: str, **options: Any) -> Kind:
    return Kind(
        "kiosk_printer",
        {"model": model, "retract_s": 0, "left_s": 0.01, **options},
        partial(FakeKioskPrinter, model=model),  # type: ignore[arg-type]
    )


KINDS = {
    "escpos": Kind("escpos", {}, FakeEscposPrinter),
    "vkp80ii": _kiosk("vkp80ii", mode="text"),
    "vkp80iii": _kiosk("vkp80iii", mode="text"),
    "reliance": _kiosk("reliance"),
}


def kind_of(fake: FakeEscposPrinter) -> Kind:
    return KINDS[fake.model if isinstance(fake, FakeKioskPrinter) else "escpos"]


def whole_tickets(fake: FakeEscposPrinter, number: str = "A005") -> list[PrintedTicket]:
    """The pieces of paper that a citizen would take for the ticket of `number`, printed as text."""
    return [
        ticket
        for ticket in fake.tickets
        if ticket.whole and number in ticket.text.split("\n") and VOID_SLIP[0] not in ticket.text
    ]


async def pieces_of(printer: ProvedPrinter, fake: FakeEscposPrinter, paper: Paper) -> list[PrintedTicket]:
    """The whole pieces that look as the ticket of `paper` should, text or dots."""
    job = await printer._compose(paper)
    other = kind_of(fake).fake(fake.columns)
    other.received(b"".join(job.chunks) + job.cut)
    (sought,) = other.tickets
    return [ticket for ticket in fake.tickets if ticket.whole and _from_ink(ticket) == _from_ink(sought)]


def _from_ink(ticket: PrintedTicket) -> list[Printed]:
    """What is printed, without the blank paper above it."""
    return list(dropwhile(lambda item: isinstance(item, PrintedFeed), ticket.items))


class Bench:
    """A printer and its fake joined in one process, kept open as the supervisor does it."""

    def __init__(self, fake: FakeEscposPrinter, config: dict[str, Any], tidy: bool) -> None:
        self.fake = fake
        self.line = PairLine(fake)
        options: dict[str, Any] = {"answer_s": 0.05, "write_s": 0.1, "print_s": 0.4, "poll_s": 0.01}
        self.printer = kind_of(fake).printer(self.line.transport, **(options | config))
        if tidy:
            self.printer._clean, self.printer._owed = True, 0
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
async def bench_of(
    fake: FakeEscposPrinter | None = None, *, tidy: bool = False, **config: Any
) -> AsyncIterator[Bench]:
    """`tidy`: the printer is known to have nothing of ours in it."""
    bench = Bench(fake or FakeEscposPrinter(), config, tidy)
    await bench.start()
    try:
        yield bench
    finally:
        await bench.stop()
