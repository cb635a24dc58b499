"""What every ticket printer promises (`protocol.py`), on every model and every kind of line.

A driver for another printer runs the same suite: give `printing_bench.KINDS` one more `Kind`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from printing_bench import KINDS, NOTE, TICKET, VALUES, Kind, pieces_of
from usb_stand_in import UsbLine

from drivers.driver import Health
from drivers.errors import ConfigError, DriverError, LineLostError, NoAnswerError
from drivers.ticket_printer.escpos_ticket import VOID_SLIP
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.ticket_printer.protocol import Paper
from drivers.ticket_printer.proved_printer import MISSES, ProvedConfig, ProvedPrinter
from drivers.transport.fake import PtyLine, TcpLine
from drivers.transport.pair import PairLine
from drivers.transport.transport import Transport

QUICK = {"answer_s": 0.1, "print_s": 3.0, "poll_s": 0.02, "start_slip": False}
NEXT = Paper("A006", VALUES)
LINES = ("serial", "tcp", "pair", "usb")
PLACES = [
    *((model, line) for model in ("escpos", "vkp80ii") for line in LINES),
    ("vkp80iii", "serial"),
    ("reliance", "serial"),
]


@dataclass
class Place:
    """A printer where it stands: its model, the fake, its line, and the profile's transport."""

    kind: Kind
    fake: FakeEscposPrinter
    line: PtyLine | TcpLine | PairLine | UsbLine
    options: dict[str, Any]
    end: Transport | None

    def printer(self, **more: Any) -> ProvedPrinter:
        return self.kind.printer(self.end, **(self.options | QUICK | more))

    async def on_paper(self, printer: ProvedPrinter, paper: Paper = TICKET) -> int:
        """How many whole tickets of `paper` came out."""
        return len(await pieces_of(printer, self.fake, paper))


@pytest.fixture(params=PLACES, ids="-".join)
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    model, kind_of_line = request.param
    kind = KINDS[model]
    fake = kind.fake()
    fake.cut_s = 0.02
    line: PtyLine | TcpLine | PairLine | UsbLine
    options: dict[str, Any] = {}
    end: Transport | None = None
    match kind_of_line:
        case "serial":
            line = PtyLine(fake, tmp_path / "printer")
            options = {"type": "serial", "path": str(line.path), "baud": 115200}
        case "tcp":
            line = TcpLine(fake)
        case "pair":
            line = PairLine(fake)
            end = line.transport
        case _:
            monkeypatch.setattr("drivers.transport.usb._IDLE_S", 0.002)
            line = UsbLine(fake)
            end = line.transport
    await line.plug()
    if isinstance(line, TcpLine):
        options = {"type": "tcp", "host": "127.0.0.1", "port": line.port}
    yield Place(kind, fake, line, {"transport": options}, end)
    await line.unplug()


@pytest.fixture
async def printer(place: Place) -> AsyncIterator[ProvedPrinter]:
    """Open and served, with nothing of ours in it; what clears it has cases of its own."""
    printer = place.printer()
    printer._clean, printer._owed = True, 0
    await printer.open()
    serving = asyncio.create_task(printer.serve())
    yield printer
    serving.cancel()
    with suppress(asyncio.CancelledError, DriverError):
        await serving
    await printer.close()


async def test_ticket_comes_out_as_it_should(place: Place, printer: ProvedPrinter) -> None:
    assert printer.can_print and printer.health.state == "ok"
    result = await printer.print_ticket(TICKET)
    assert (result.outcome, result.code) == ("confirmed", None)
    assert await place.on_paper(printer) == 1
    ticket = place.fake.tickets[-1]
    if not ticket.lines:
        assert ticket.rasters, "all in dots"
        return
    number = next(line for line in ticket.lines if line.text == "A005")
    assert number.align == "center" and number.bold
    assert number.height == max(line.height for line in ticket.lines)
    for text in ("北城区政务服务中心", "居民身份证申领", "12", "A区", "2026-11-21 09:32"):
        assert text in ticket.text
    assert ticket.qr == [TICKET.qr] or ticket.rasters


async def test_a_note_is_proved_like_a_ticket_and_is_none(place: Place, printer: ProvedPrinter) -> None:
    heard: list[str] = []
    printer.on_outlet = lambda event: heard.append(event.number)
    assert (await printer.print_note(NOTE)).outcome == "confirmed"
    assert await place.on_paper(printer, Paper("", note=NOTE)) == 1
    note = place.fake.tickets[-1]
    if note.lines:
        for text in ("北城区政务服务中心", "居民身份证换领", "√ 居民户口簿（原件）", "□ 照片", "2026-11-21"):
            assert text in note.text
        assert not note.qr and "号" not in note.text
    assert not [number for number in heard if number], "nobody's ticket lies in the outlet"
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    assert await place.on_paper(printer) == 1


async def test_a_note_without_paper_is_failed(place: Place, printer: ProvedPrinter) -> None:
    place.fake.paper_out()
    result = await printer.print_note(NOTE)
    assert (result.outcome, result.code) == ("failed", "printer.paper_out")
    assert await place.on_paper(printer, Paper("", note=NOTE)) == 0


@pytest.mark.parametrize("at", [1, 300])
async def test_a_note_that_is_broken_off(place: Place, printer: ProvedPrinter, at: int) -> None:
    place.fake.at_byte(at, lambda: asyncio.ensure_future(place.line.unplug()) and None)
    result = await printer.print_note(NOTE)
    whole = await place.on_paper(printer, Paper("", note=NOTE))
    assert result.outcome != "confirmed" or whole == 1
    assert result.outcome != "failed" or whole == 0


async def test_one_byte_at_a_time(place: Place, printer: ProvedPrinter) -> None:
    place.line.faults.piece = 1
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    assert await place.on_paper(printer) == 1


async def test_answers_that_come_late(place: Place, printer: ProvedPrinter) -> None:
    place.line.faults.delay_s = 0.02
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    assert await place.on_paper(printer) == 1


async def test_slow_paper_is_waited_for(place: Place, printer: ProvedPrinter) -> None:
    place.fake.mm_per_s = 1500.0
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    assert await place.on_paper(printer) == 1, "confirmed before it was out"


async def begun(place: Place, printer: ProvedPrinter, mm_per_s: float) -> asyncio.Task[Any]:
    """A ticket that is being printed, its first line on the paper."""
    place.fake.mm_per_s = mm_per_s
    printing = asyncio.create_task(printer.print_ticket(TICKET))
    async with asyncio.timeout(10):
        while place.fake.hanging is None:  # a state of the fake
            await asyncio.sleep(0.001)
    return printing


async def able(printer: ProvedPrinter) -> None:
    async with asyncio.timeout(10):
        while not printer.can_print:
            await asyncio.sleep(0.001)


async def test_paper_out_in_slow_paper_is_failed(place: Place, printer: ProvedPrinter) -> None:
    printing = await begun(place, printer, 1500.0)
    place.fake.paper_out()
    result = await printing
    assert (result.outcome, result.code) == ("failed", "printer.paper_out")
    assert not printer.can_print
    place.fake.mm_per_s = 0.0
    place.fake.load_paper()
    await able(printer)
    assert (await printer.print_ticket(NEXT)).outcome == "confirmed"
    assert not await place.on_paper(printer), "the void ticket came out later"
    assert await place.on_paper(printer, NEXT) == 1


@pytest.mark.parametrize("at", [1, 300, 620])
async def test_unplugged_while_printing(place: Place, printer: ProvedPrinter, at: int) -> None:
    place.fake.at_byte(at, lambda: asyncio.ensure_future(place.line.unplug()) and None)
    result = await printer.print_ticket(TICKET)
    whole = await place.on_paper(printer)
    assert result.outcome != "confirmed" or whole == 1
    assert result.outcome != "failed" or whole == 0


async def test_printer_that_stops_reading_is_unknown_and_found_again(place: Place) -> None:
    """Back-pressure: the line takes no more bytes in the middle of a ticket, and goes on later."""
    printer = place.printer(write_s=0.2, print_s=0.5)
    await printer.open()
    assert (await printer.print_ticket(Paper("A001", VALUES))).outcome == "confirmed"
    place.line.faults.stop_after = 150
    result = await printer.print_ticket(TICKET)
    assert result.outcome == "unknown" and result.code in ("device.write_stalled", "device.no_answer")
    assert not await place.on_paper(printer)
    await printer.close()
    place.line.resume()
    await asyncio.wait_for(printer.open(), 10)
    assert (await printer.print_ticket(NEXT)).outcome == "confirmed"
    assert await place.on_paper(printer, NEXT) == 1
    assert await place.on_paper(printer) == 0, "the void ticket came out later"
    await printer.close()


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


async def test_answers_that_are_lost_are_asked_for_again(place: Place) -> None:
    """A line that loses and spoils bytes never makes a wrong outcome, and a clean one heals it."""
    printer = place.printer(answer_s=0.05, print_s=0.5)
    await printer.open()
    serving = asyncio.create_task(printer.serve())
    place.line.faults.loss, place.line.faults.noise = 0.01, 0.01
    send, place.fake.send = place.fake.send, lambda data: None
    result = await printer.print_ticket(TICKET)
    assert result.outcome != "confirmed"
    assert result.outcome != "failed" or not await place.on_paper(printer)
    place.fake.send = send
    place.line.faults.loss = place.line.faults.noise = 0.0
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    for _ in range(6):  # spoiled bytes may have left the printer in the middle of a long command
        await printer.close()
        with suppress(NoAnswerError):
            await printer.open()
            if (await printer.print_ticket(NEXT)).outcome == "confirmed":
                break
    else:
        raise AssertionError("it never came to itself")
    assert await place.on_paper(printer, NEXT)
    await printer.close()


async def test_refused_before_the_first_byte(place: Place, printer: ProvedPrinter) -> None:
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
    async with asyncio.timeout(10):
        while printer.health.code is None:
            await asyncio.sleep(0.001)
    states = [health.state for health in told]
    assert [state for state, _ in groupby(states)] == ["ok", "degraded"]
    assert all(before != after for before, after in pairwise(told))
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


async def test_closed_while_printing_is_unknown(place: Place, printer: ProvedPrinter) -> None:
    printing = await begun(place, printer, 300.0)
    await printer.close()
    assert (await printing).outcome == "unknown"


async def test_start_slip_marks_what_an_earlier_program_left(place: Place) -> None:
    place.fake.received(b"\x1b@A004\n")  # half a ticket of a program that was killed
    printer = place.printer(start_slip=True)
    await printer.open()
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    left, ticket = place.fake.tickets
    assert not left.whole and "A004" in left.text
    assert VOID_SLIP[0] in left.text or left.rasters
    assert "A004" not in ticket.text and await place.on_paper(printer) == 1
    await printer.close()


async def test_paper_is_counted_by_length_and_the_roll_warns_before_its_end(place: Place) -> None:
    printer = place.printer(roll_m=6.0)
    kept: dict[str, Any] = {}
    printer.on_keep = kept.update
    await printer.open()
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    (ticket,) = place.fake.tickets
    length = ticket.render().height / 8
    # 6 m are enough for fewer than 50 tickets: it warns at once
    assert printer.health.code == "printer.paper_low" and printer.health.state == "degraded"
    left = printer.health.facts["tickets_left"]
    assert isinstance(left, int) and 6000 / (length + 25) - 4 < left < 6000 / (length - 25)
    again = place.printer(roll_m=6.0)
    again.kept = dict(kept)
    await printer.close()
    await again.open()
    assert again.health.facts["tickets_left"] == left, "counted across a restart"
    await again.roll_changed()
    assert again.kept["roll_used_mm"] == 0
    place.fake.paper_out()
    await again._look(again._line)  # type: ignore[arg-type]
    await again.close()
    again.kept["roll_used_mm"] = 5500
    place.fake.load_paper()
    await again.open()
    assert again.kept["roll_used_mm"] == 0, "loaded while nobody asked"
    await again.close()


async def test_wrong_options_are_refused(place: Place) -> None:
    with pytest.raises(ConfigError, match="no-such-model"):
        await place.printer(profile="no-such-model").open()
    with pytest.raises(ConfigError, match="missing"):
        await place.printer(layout="/missing/layout.toml").open()
    for wrong in ({"colums": 48}, {"columns": "48"}, {"columns": 4}, {"poll_s": 0}, {"roll_m": 0}):
        with pytest.raises(msgspec.ValidationError):
            place.printer(**wrong)


async def test_narrow_paper(place: Place) -> None:
    """58 mm: nothing is wider than 32 columns, and a profile without QR or cutter still prints the code."""
    place.fake = place.kind.fake(32)
    place.line.device = place.fake
    place.fake.send = place.line.send
    printer = place.printer(profile="NT-5890K", columns=32)
    await printer.open()
    assert (await printer.print_ticket(TICKET)).outcome == "confirmed"
    piece = place.fake.hanging or place.fake.tickets[-1]
    assert not piece.qr and piece.rasters
    assert max(raster.width_bytes for raster in piece.rasters) * 8 <= 32 * 12
    await printer.close()


def test_silence_is_told_within_five_seconds() -> None:
    """The longest way: just asked, then MISSES questions, each after the one before it was given up."""
    default = {field.name: field.default for field in msgspec.structs.fields(ProvedConfig)}
    worst = default["poll_s"] + default["answer_s"] + (MISSES - 1) * 2 * default["answer_s"]
    assert worst <= 5 and default["write_s"] < 5
