"""Status bytes: what they mean, and that none of them hurts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from printing_bench import TICKET, Bench, bench_of, whole_tickets

from drivers.ticket_printer.escpos_frames import (
    AnswerReader,
    AutomaticStatus,
    Cleared,
    PrinterStatus,
    QueuedAnswer,
    StatusAnswer,
)
from drivers.ticket_printer.fake import FakeEscposPrinter


def test_answer_in_the_middle_of_an_automatic_status() -> None:
    assert AnswerReader().feed(b"\x18\x00\x1a\x0c\x00") == [
        StatusAnswer(0x1A),
        AutomaticStatus(PrinterStatus(offline=True, paper_out=True)),
    ]


def test_automatic_status_that_lost_a_byte_does_not_spoil_the_next() -> None:
    found = AnswerReader().feed(b"\x10\x00\x00" + b"\x30\x00\x00\x00")
    assert found == [AutomaticStatus(PrinterStatus(cover_open=True))]


@given(st.binary(max_size=200), st.integers(1, 7))
def test_any_bytes_in_any_pieces_give_the_same_answers(data: bytes, piece: int) -> None:
    whole = AnswerReader().feed(data)
    reader = AnswerReader()
    pieces = [data[start : start + piece] for start in range(0, len(data), piece)]
    assert [answer for part in pieces for answer in reader.feed(part)] == whole
    assert len(whole) <= len(data)


@given(st.binary(max_size=60))
def test_after_noise_an_answer_is_read_again(noise: bytes) -> None:
    reader = AnswerReader()
    reader.feed(noise)
    reader.feed(b"\x11")  # whatever was begun ends
    assert reader.feed(b"\x37\x25\x00\x12\x00") == [Cleared(), StatusAnswer(0x12), QueuedAnswer(0)]


@pytest.mark.parametrize(
    ("answers", "fault", "hindrance"),
    [
        ((0x12, 0x12, 0x12, 0x12), None, None),
        ((0x12, 0x12, 0x12, 0x1E), None, None),
        ((0x1A, 0x16, 0x12, 0x12), "printer.cover_open", "printer.cover_open"),
        ((0x1A, 0x32, 0x12, 0x7E), "printer.paper_out", "printer.paper_out"),
        ((0x1A, 0x52, 0x1A, 0x12), "printer.cutter", "printer.cutter"),
        ((0x1A, 0x52, 0x32, 0x12), "printer.error", "printer.error"),
        ((0x1A, 0x52, 0x52, 0x12), None, "printer.recovering"),
        ((0x1A, 0x1A, 0x12, 0x12), None, "printer.offline"),
    ],
)
def test_meaning_of_the_four_answers(
    answers: tuple[int, int, int, int], fault: str | None, hindrance: str | None
) -> None:
    status = PrinterStatus.from_answers(*answers)
    assert (status.fault, status.hindrance) == (fault, hindrance)


@pytest.mark.parametrize("status", ["dle_eot", "automatic"])
async def test_faults_are_reported_and_clear_by_themselves(status: str) -> None:
    async with bench_of(status=status, start_slip=False) as bench:
        await bench.ready()
        fake = bench.fake
        steps = [
            (fake.paper_low, "degraded", "printer.paper_low", "low"),
            (fake.paper_out, "fault", "printer.paper_out", "out"),
            (fake.load_paper, "ok", None, "ok"),
            (fake.open_cover, "fault", "printer.cover_open", "ok"),
            (fake.close_cover, "ok", None, "ok"),
        ]
        for act, state, code, paper in steps:
            act()
            await bench.until(
                lambda s=state, c=code: (bench.printer.health.state, bench.printer.health.code) == (s, c)
            )  # type: ignore[misc]
            assert bench.printer.health.facts["paper"] == paper
            assert bench.printer.can_print == (state != "fault")


async def test_silence_is_reported_as_missing_and_heals(bench: Bench) -> None:
    bench.fake.be_silent()
    await bench.until(lambda: bench.printer.health.state == "missing")
    bench.fake.speak()
    await bench.until(lambda: bench.printer.health.state == "ok")
    assert (await bench.printer.print_ticket(TICKET)).outcome == "confirmed"


@pytest.mark.parametrize("seed", range(12))
async def test_noise_never_stops_the_driver(seed: int) -> None:
    async with bench_of(start_slip=False, print_s=0.2, answer_s=0.04) as bench:
        await bench.ready()
        bench.line.send(random.Random(seed).randbytes(300))
        bench.line.faults.noise = 0.02
        await bench.printer.print_ticket(TICKET)
        bench.line.faults.noise = 0.0
        for _ in range(5):  # noise may have left the printer in the middle of a command
            await bench.ready()
            if (await bench.printer.print_ticket(TICKET)).outcome == "confirmed":
                break
        else:
            raise AssertionError("it never came to itself")


@pytest.mark.parametrize("seed", range(40))
async def test_spoiled_answers_never_make_a_wrong_outcome(seed: int) -> None:
    noise = random.Random(seed)
    async with bench_of(start_slip=False, print_s=0.1, answer_s=0.02) as bench:
        await bench.ready()

        def spoiled(data: bytes) -> None:
            bench.line.send(bytes(noise.randrange(256) if noise.random() < 0.2 else byte for byte in data))

        bench.fake.send = spoiled
        if seed % 2:
            bench.fake.at_byte(noise.randrange(1, 600), bench.fake.paper_out)
        result = await bench.printer.print_ticket(TICKET)
        whole = len(whole_tickets(bench.fake))
        assert result.outcome != "confirmed" or whole == 1
        assert result.outcome != "failed" or whole == 0


async def test_answers_owed_from_before_are_not_taken_for_new_ones() -> None:
    """A printer without clearing that hung with a question in its queue answers it while the next waits."""
    fake = FakeEscposPrinter(clears=False)
    async with bench_of(fake, start_slip=False, print_s=5) as bench:
        await bench.ready()
        fake.stop_at(600)  # in the last chunk, behind which the question stands
        assert (await bench.printer.print_ticket(TICKET)).outcome == "unknown"
        fake.tickets.clear()
        fake.mm_per_s = 12.0  # the old answer comes after the new questions
        fake.go_on()
        await bench.until(lambda: bench.printer._line is not None and bench.printer._line.owed >= 2)
        fake.mm_per_s = 100.0
        await bench.ready()
        fake.mm_per_s = 1500.0
        for number in range(1, 4):
            assert (await bench.printer.print_ticket(TICKET)).outcome == "confirmed"
            assert len(whole_tickets(fake)) == number, "confirmed before it was out"


def test_what_noise_began_does_not_swallow_the_next_answer() -> None:
    reader = AnswerReader()
    assert reader.feed(b"\x10") == []
    reader.forget()
    assert reader.feed(b"\x00") == [QueuedAnswer(0)]
