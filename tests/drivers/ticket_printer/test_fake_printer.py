"""The fake as a printer: its paper, its picture, and itself as a program."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printing_bench import TICKET, bench_of

from drivers.ticket_printer.fake import RECEIVE_BUFFER, FakeEscposPrinter
from drivers.transport.serial import SerialConfig, SerialTransport


def answers_of(fake: FakeEscposPrinter) -> list[bytes]:
    sent: list[bytes] = []
    fake.send = sent.append
    return sent


def test_line_that_is_too_long_is_wrapped() -> None:
    fake = FakeEscposPrinter(columns=32)
    fake.received(b"\x1b@\x1d!\x11" + b"A" * 20 + b"\n\x1dV\x00")
    assert fake.tickets[0].text == "A" * 16 + "\n" + "A" * 4


def test_queued_question_waits_for_the_paper_and_real_time_does_not() -> None:
    fake = FakeEscposPrinter()
    sent = answers_of(fake)
    fake.paper_out()
    fake.received(b"A\n\x1dr\x01\x10\x04\x04")
    assert sent == [b"\x7e"]
    fake.load_paper()
    assert sent == [b"\x7e", b"\x00"]


def test_printing_goes_on_after_the_cover_unless_cleared() -> None:
    for cleared in (False, True):
        fake = FakeEscposPrinter()
        sent = answers_of(fake)
        fake.open_cover()
        fake.received(b"A\n\x1dV\x00")
        if cleared:
            fake.received(b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08")
            assert sent == [b"\x37\x25\x00"]
        fake.close_cover()
        assert len(fake.tickets) == (0 if cleared else 1)


def test_automatic_status_at_every_change() -> None:
    fake = FakeEscposPrinter()
    sent = answers_of(fake)
    fake.received(b"\x1da\x0e")
    fake.open_cover()
    fake.close_cover()
    fake.paper_out()
    assert sent == [b"\x10\0\0\0", b"\x38\0\0\0", b"\x10\0\0\0", b"\x18\0\x0f\0"]
    fake.load_paper()
    fake.received(b"\x1b@")
    fake.open_cover()
    assert len(sent) == 5


def test_ticket_that_was_begun_anew_is_not_whole() -> None:
    fake = FakeEscposPrinter()
    fake.received(b"A\n\x1b@B\n\x1dV\x00C\n\x1dV\x00")
    assert [ticket.whole for ticket in fake.tickets] == [False, True]


def test_blank_pieces_are_no_tickets() -> None:
    fake = FakeEscposPrinter()
    fake.received(b"\x1bd\x06\x1dV\x00")
    assert not fake.tickets and fake.blank_cuts == 1


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 9))
def test_any_bytes_in_any_pieces_print_the_same(data: bytes, piece: int) -> None:
    whole, parts = FakeEscposPrinter(), FakeEscposPrinter()
    whole.received(data)
    for start in range(0, len(data), piece):
        parts.received(data[start : start + piece])
    assert [ticket.items for ticket in whole.tickets] == [ticket.items for ticket in parts.tickets]
    assert whole.worked_bytes == parts.worked_bytes


def test_buffer_is_bounded() -> None:
    fake = FakeEscposPrinter()
    fake.paper_out()
    fake.received(b"A" * (RECEIVE_BUFFER + 5000))
    fake.load_paper()
    assert fake.worked_bytes == RECEIVE_BUFFER


@pytest.mark.parametrize("columns", [32, 48])
async def test_picture_of_a_ticket(columns: int) -> None:
    async with bench_of(FakeEscposPrinter(columns), columns=columns, start_slip=False) as bench:
        await bench.ready()
        await bench.printer.print_ticket(TICKET)
        (ticket,) = bench.fake.tickets
        picture = ticket.render()
        assert picture.width == columns * 12 + 56
        ink = sum(picture.histogram()[:128]) / (picture.width * picture.height)
        assert 0.03 < ink < 0.3
        assert ticket.png().startswith(b"\x89PNG")
        # the ink stays on the paper: bare margins
        left = picture.crop((0, 0, 20, picture.height)).getextrema()
        assert left[0] == left[1]


async def test_as_its_own_program(tmp_path: Path) -> None:
    path = tmp_path / "printer"
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "drivers.ticket_printer.fake", "--pty", str(path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert program.stdin is not None and program.stdout is not None
    assert str(path) in (await program.stdout.readline()).decode()
    assert b"paper_out" in await program.stdout.readline()
    program.stdin.write(b"paper_out\nnonsense\n")
    assert await program.stdout.readline() == b"done: paper_out\n"
    assert b"no action" in await program.stdout.readline()
    line = SerialTransport(SerialConfig(path=str(path)))
    await line.open()
    await line.write(b"\x10\x04\x01")
    assert await line.read(5) == b"\x1a"
    await line.close()
    program.terminate()
    async with asyncio.timeout(5):
        assert await program.wait() == 0
    assert not path.is_symlink()
