"""What every ticket printer promises (`protocol.py`), over real serial lines and sockets.

A driver for another printer runs the same suite: give `printers` one more maker of a `Place`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from printing_bench import TICKET, VALUES, whole_tickets

from drivers.driver import Health
from drivers.errors import ConfigError, DriverError, LineLostError, NoAnswerError
from drivers.table import build, config_type, driver_class
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.ticket_printer.protocol import Paper, TicketPrinter
from drivers.transport.fake import Line, PtyLine, TcpLine

QUICK = {"answer_s": 0.2, "print_s": 3.0, "poll_s": 0.02, "start_slip": False}


@dataclass
class Place:
    """A printer where it stands: the fake, its line, and the profile's options for the driver."""

    fake: FakeEscposPrinter
    line: Line
    options: dict[str, Any]

    def printer(self, **more: Any) -> TicketPrinter:
        driver = driver_class("escpos")
        config = msgspec.convert(self.options | QUICK | more, config_type(driver))
        printer = build(driver, config)
        assert isinstance(printer, TicketPrinter)
        return printer


@pytest.fixture(params=["serial", "tcp"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    fake = FakeEscposPrinter()
    line: PtyLine | TcpLine
    if request.param == "serial":
        line = PtyLine(fake, tmp_path / "printer")
        await line.plug()
        options: dict[str, Any] = {"type": "serial", "path": str(line.path), "baud": 115200}
    else:
        line = TcpLine(fake)
        await line.plug()
        options = {"type": "tcp", "host": "127.0.0.1", "port": line.port}
    yield Place(fake, line, {"transport": options})
    await line.unplug()


@pytest.fixture
async def printer(place: Place) -> AsyncIterator[TicketPrinter]:
    """Open and served."""
    printer = place.printer()
    await printer.open()
    serving = asyncio.create_task(printer.serve())
    yield printer
    serving.cancel()
    with suppress(asyncio.CancelledError, DriverError):
        await serving
    await printer.close()


async def test_ticket_comes_out_as_it_should(place: Place, printer: TicketPrinter) -> None:
    assert printer.can_print and printer.health.state == "ok"
    result = await printer.print_ticket(TICKET)
    assert (result.outcome, result.code) == ("confirmed", None)
    (ticket,) = place.fake.tickets
    assert ticket.whole and ticket.qr == [TICKET.qr]
    number = next(line for line in ticket.lines if line.text == "A005")
    assert (number.width, number.height, number.align, number.bold) == (8, 8, "center", True)
    assert number.height == max(line.height for line in ticket.lines)
    for text in (
        "北城区政务服务中心",
        "居民身份证申领",
        "前面等候 12 人",
        "请到A区等候",
        "取号时间 2026-11-21 09:32",
    ):
        assert text in ticket.text


async def test_one_byte_at_a_time(place: Place, printer: TicketPrinter) -> None:
    place.line.faults.piece = 1
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    assert len(whole_tickets(place.fake)) == 1


async def test_slow_paper_is_waited_for(place: Place, printer: TicketPrinter) -> None:
    place.fake.mm_per_s = 600.0
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    assert len(whole_tickets(place.fake)) == 1, "confirmed before it was out"


async def test_paper_out_in_slow_paper_is_failed(place: Place, printer: TicketPrinter) -> None:
    place.fake.mm_per_s = 600.0
    printing = asyncio.create_task(printer.print_ticket(TICKET))
    async with asyncio.timeout(5):
        while place.fake.hanging is None:  # a state of the fake
            await asyncio.sleep(0.001)
    place.fake.paper_out()
    result = await printing
    assert (result.outcome, result.code) == ("failed", "printer.paper_out")
    assert not printer.can_print
    place.fake.load_paper()
    async with asyncio.timeout(5):
        while not printer.can_print:
            await asyncio.sleep(0.001)
    assert (await printer.print_ticket(Paper("A006", VALUES))).outcome == "confirmed"
    assert not whole_tickets(place.fake), "the void ticket came out later"
    assert whole_tickets(place.fake, "A006")


@pytest.mark.parametrize("at", [1, 60, 300, 500, 620])
async def test_unplugged_while_printing(place: Place, printer: TicketPrinter, at: int) -> None:
    place.fake.at_byte(at, lambda: asyncio.ensure_future(place.line.unplug()) and None)
    result = await printer.print_ticket(TICKET)
    whole = len(whole_tickets(place.fake))
    assert result.outcome != "confirmed" or whole == 1
    assert result.outcome != "failed" or whole == 0


async def test_serve_ends_when_unplugged_and_open_fails_until_plugged_in(place: Place) -> None:
    printer = place.printer()
    await printer.open()
    serving = asyncio.create_task(printer.serve())
    await place.line.unplug()
    with pytest.raises(LineLostError):
        await serving
    assert not printer.can_print
    assert (await printer.print_ticket(TICKET)).outcome == "failed"
    await printer.close()
    with pytest.raises(LineLostError):
        await printer.open()
    await place.line.plug()
    await printer.open()
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    await printer.close()


async def test_silent_printer_is_not_opened(place: Place) -> None:
    place.fake.be_silent()
    printer = place.printer(answer_s=0.03)
    with pytest.raises(NoAnswerError):
        await printer.open()
    await printer.close()


async def test_refused_before_the_first_byte(place: Place, printer: TicketPrinter) -> None:
    place.fake.open_cover()
    result = await printer.print_ticket(TICKET)
    assert (result.outcome, result.code) == ("failed", "printer.cover_open")
    place.fake.close_cover()
    assert not place.fake.tickets and place.fake.hanging is None


async def test_health_is_told_once_for_each_change(place: Place) -> None:
    printer = place.printer()
    told: list[Health] = []
    printer.on_health = told.append
    await printer.open()
    await printer.print_ticket(TICKET)
    place.fake.paper_low()
    serving = asyncio.create_task(printer.serve())
    async with asyncio.timeout(5):
        while printer.health.code is None:
            await asyncio.sleep(0.001)
    assert [health.state for health in told] == ["ok", "degraded"]
    assert told[-1].facts["paper"] == "low" and printer.can_print
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await printer.close()


async def test_close_at_any_time_and_more_than_once(place: Place) -> None:
    printer = place.printer()
    await printer.close()
    await printer.open()
    await printer.close()
    await printer.close()
    assert not printer.can_print
    assert (await printer.print_ticket(TICKET)).outcome == "failed"


async def test_closed_while_printing_is_unknown(place: Place, printer: TicketPrinter) -> None:
    place.fake.mm_per_s = 300.0
    printing = asyncio.create_task(printer.print_ticket(TICKET))
    async with asyncio.timeout(5):
        while place.fake.hanging is None:
            await asyncio.sleep(0.001)
    await printer.close()
    assert (await printing).outcome == "unknown"


async def test_start_slip_marks_what_an_earlier_program_left(place: Place) -> None:
    place.fake.received(b"\x1b@A004\n")  # half a ticket of a program that was killed
    printer = place.printer(start_slip=True)
    await printer.open()
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    left, ticket = place.fake.tickets
    assert not left.whole and "A004" in left.text and "此纸条无效" in left.text
    assert "A004" not in ticket.text
    await printer.close()


async def test_wrong_options_are_refused(place: Place) -> None:
    with pytest.raises(ConfigError, match="no-such-model"):
        await place.printer(profile="no-such-model").open()
    with pytest.raises(ConfigError, match="missing"):
        await place.printer(layout="/missing/layout.toml").open()
    for wrong in ({"colums": 48}, {"columns": "48"}, {"columns": 4}, {"status": "maybe"}, {"poll_s": 0}):
        with pytest.raises(msgspec.ValidationError):
            place.printer(**wrong)


async def test_profile_without_qr_or_cutter_prints_the_code_as_dots(place: Place) -> None:
    printer = place.printer(profile="NT-5890K", columns=32)
    await printer.open()
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    hanging = place.fake.hanging
    assert hanging is not None and not hanging.qr and hanging.rasters
    await printer.close()
