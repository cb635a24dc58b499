"""Whatever happens at whatever byte: what the driver says of a ticket agrees with the fake's paper.

    a whole ticket came out      ⇒  not "failed"
    "confirmed"                  ⇒  exactly one whole ticket
and a ticket that was not confirmed never comes out later, and never heads the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from printing_bench import KINDS, TICKET, VALUES, Bench, bench_of, whole_tickets

from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.ticket_printer.fake_kiosk import FakeKioskPrinter
from drivers.ticket_printer.protocol import Paper, PrintResult

NEXT = Paper("B006", VALUES)


PRESENTING = ["escpos", "vkp80ii"]
"""The two ways out: dropped, and presented."""
ABREAST = 8
"""Printers that go through their faults at once: most of a case is waiting."""
PATIENT: dict[str, Any] = {"start_slip": False, "answer_s": 0.1, "print_s": 0.8}
"""`ABREAST` of them in one loop answer later than one."""


async def at_each(places: Iterable[int], case: Callable[[int], Awaitable[None]]) -> None:
    """`case` at every one of `places`, `ABREAST` at a time."""
    left = iter(places)

    async def next_ones() -> None:
        for at in left:
            await case(at)

    async with asyncio.TaskGroup() as group:
        for _ in range(ABREAST):
            group.create_task(next_ones())


async def length_of_ticket(model: str = "escpos") -> tuple[int, int]:
    """Bytes that the driver sends for the test ticket, queries included, and bytes worked through."""
    async with bench_of(KINDS[model].fake(), tidy=True, start_slip=False) as bench:
        await bench.ready()
        before = bench.fake.received_bytes, bench.fake.worked_bytes, bench.line.bytes_in
        assert (await bench.printer.print_ticket(TICKET)).outcome == "confirmed"
        return bench.line.bytes_in - before[2], bench.fake.worked_bytes - before[1]


def check(result: PrintResult, fake: FakeEscposPrinter, at: int) -> None:
    whole = whole_tickets(fake)
    if result.outcome == "confirmed":
        assert len(whole) == 1, f"byte {at}: confirmed, {len(whole)} on paper"
    if whole:
        assert result.outcome != "failed", f"byte {at}: {result} and it is on paper"
    if result.outcome != "confirmed":
        assert result.code is not None


async def check_next(bench: Bench, result: PrintResult, at: int) -> None:
    """After the fault is mended the next ticket comes out clean, and the broken one never."""
    before = len(whole_tickets(bench.fake))
    await bench.ready()
    assert (await bench.printer.print_ticket(NEXT)).outcome == "confirmed", f"byte {at}"
    assert len(whole_tickets(bench.fake, "B006")) == 1
    assert "A005" not in bench.fake.tickets[-1].text, f"byte {at}: two numbers on one paper"
    assert len(whole_tickets(bench.fake)) == before, f"byte {at}: {result}, and it came out later"
    if result.outcome == "failed":
        assert not before, f"byte {at}: {result}, and it came out as soon as the printer was mended"
    for piece in bench.fake.tickets:
        if "A005" in piece.text and not piece.whole and piece is not bench.fake.tickets[0]:
            assert "此纸条无效" in piece.text or "B006" not in piece.text


@pytest.mark.parametrize("model", PRESENTING)
async def test_unplugged_at_every_byte(model: str) -> None:
    total, _ = await length_of_ticket(model)
    outcomes = set()

    async def case(at: int) -> None:
        async with bench_of(KINDS[model].fake(), tidy=True, **PATIENT) as bench:
            await bench.ready()
            bench.line.unplug_after = at
            result = await bench.printer.print_ticket(TICKET)
            check(result, bench.fake, at)
            outcomes.add(result.outcome)
            if at % (16 if model == "escpos" else 48) == 0:
                await bench.line.plug()
                await check_next(bench, result, at)

    await at_each(range(1, total + 1), case)
    assert {"failed", "unknown"} <= outcomes


FAULTS: dict[str, tuple[Callable[[Any], None], Callable[[Any], None], str]] = {
    "paper": (FakeEscposPrinter.paper_out, FakeEscposPrinter.load_paper, "printer.paper_out"),
    "cover": (FakeEscposPrinter.open_cover, FakeEscposPrinter.close_cover, "printer.cover_open"),
    "memory": (FakeKioskPrinter.break_memory, FakeKioskPrinter.mend_memory, "printer.error"),
}


@pytest.mark.parametrize("status", ["dle_eot", "automatic"])
@pytest.mark.parametrize("fault", ["paper", "cover"])
@pytest.mark.parametrize("clears", [True, False], ids=["clears", "knows no clearing"])
async def test_fault_at_many_bytes(fault: str, status: str, clears: bool) -> None:
    begin, mend, code = FAULTS[fault]
    _, worked = await length_of_ticket()
    codes = set()

    async def case(at: int) -> None:
        fake = FakeEscposPrinter(clears=clears)
        async with bench_of(fake, status=status, **PATIENT) as bench:
            await bench.ready()
            fake.at_byte(at, lambda: begin(fake))
            result = await bench.printer.print_ticket(TICKET)
            check(result, fake, at)
            codes.add((result.outcome, result.code))
            mend(fake)
            await check_next(bench, result, at)

    await at_each(range(0, worked + 1, 23 if clears else 97), case)
    assert ("failed", code) in codes


@pytest.mark.parametrize("fault", FAULTS)
async def test_fault_of_a_presenter_at_many_bytes(fault: str) -> None:
    begin, mend, code = FAULTS[fault]
    _, worked = await length_of_ticket("vkp80ii")
    codes = set()

    async def case(at: int) -> None:
        fake = FakeKioskPrinter()
        async with bench_of(fake, tidy=True, **PATIENT) as bench:
            await bench.ready()
            fake.at_byte(at, lambda: begin(fake))
            result = await bench.printer.print_ticket(TICKET)
            check(result, fake, at)
            assert (fake.outlet is not None) <= (result.outcome != "failed")
            codes.add((result.outcome, result.code))
            mend(fake)
            await check_next(bench, result, at)
            voids = [piece for piece in (fake.outlet, *fake.taken) if piece is not None and not piece.whole]
            assert not voids, "a void slip was presented"

    await at_each(range(0, worked + 1, 61), case)
    assert ("failed", code) in codes


async def test_frozen_at_many_bytes_then_going_on() -> None:
    total, _ = await length_of_ticket()

    async def case(at: int) -> None:
        async with bench_of(**PATIENT) as bench:
            await bench.ready()
            bench.fake.stop_at(at)
            result = await bench.printer.print_ticket(TICKET)
            check(result, bench.fake, at)
            assert result.outcome != "confirmed" or not bench.fake.frozen
            bench.fake.go_on()
            if result.outcome == "failed":
                assert not whole_tickets(bench.fake)
            await bench.ready()
            assert (await bench.printer.print_ticket(NEXT)).outcome == "confirmed"
            assert len(whole_tickets(bench.fake)) <= 1
            assert "A005" not in bench.fake.tickets[-1].text

    await at_each(range(1, total + 40, 61), case)


@pytest.mark.parametrize("back_s", [0.0, 0.005, 0.1], ids=["at once", "before we notice", "later"])
async def test_power_cut_at_many_bytes(back_s: float) -> None:
    """A line that outlives its printer: serial, or a print server."""
    _, worked = await length_of_ticket()

    async def case(at: int) -> None:
        async with bench_of(**PATIENT) as bench:
            await bench.ready()
            fake = bench.fake

            def cut() -> None:
                fake.power_off()
                asyncio.get_running_loop().call_later(back_s, fake.power_on)

            fake.at_byte(at, cut)
            result = await bench.printer.print_ticket(TICKET)
            check(result, fake, at)
            await check_next(bench, result, at)

    await at_each(range(1, worked, 53), case)


async def test_cutter_jam_is_never_failed_because_the_ticket_hangs_there(bench: Bench) -> None:
    bench.fake.jam()
    assert await bench.printer.print_ticket(TICKET) == PrintResult("unknown", "printer.cutter")
    assert not bench.printer.can_print
    assert (await bench.printer.print_ticket(NEXT)) == PrintResult("failed", "printer.cutter")
    bench.fake.unjam()
    await bench.ready()
    assert (await bench.printer.print_ticket(NEXT)).outcome == "confirmed"
    assert len(whole_tickets(bench.fake)) == 0
    assert "此纸条无效" in bench.fake.tickets[-2].text


@pytest.mark.parametrize("at", [100, 600])
async def test_silence_is_unknown_and_printing_goes_on(bench: Bench, at: int) -> None:
    bench.fake.at_byte(at, bench.fake.be_silent)
    result = await bench.printer.print_ticket(TICKET)
    assert result == PrintResult("unknown", "device.no_answer")


async def test_silent_before_the_first_byte_is_failed_and_nothing_printed() -> None:
    async with bench_of(start_slip=False, poll_s=100) as bench:
        await bench.ready()
        bench.fake.be_silent()
        assert await bench.printer.print_ticket(TICKET) == PrintResult("failed", "device.no_answer")
        assert not bench.fake.tickets and bench.fake.hanging is None


@pytest.mark.parametrize("after", [0, 1, 3, 10, 40])
async def test_cancelled_ticket_leaves_no_trace_on_the_next(bench: Bench, after: int) -> None:
    task = asyncio.create_task(bench.printer.print_ticket(TICKET))
    for _ in range(after):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await bench.ready()
    assert (await bench.printer.print_ticket(NEXT)).outcome == "confirmed"
    assert bench.fake.tickets[-1].whole and "A005" not in bench.fake.tickets[-1].text


async def test_stalled_line_is_unknown_and_the_printer_is_found_again(bench: Bench) -> None:
    bench.line.faults.stop_after = 120
    result = await bench.printer.print_ticket(TICKET)
    assert result == PrintResult("unknown", "device.write_stalled")
    bench.line.resume()
    await check_next(bench, result, 120)


async def test_tickets_one_after_another_come_out_in_order_and_once(bench: Bench) -> None:
    papers = [Paper(f"A{n:03}", VALUES) for n in range(20)]
    results = await asyncio.gather(*map(bench.printer.print_ticket, papers))
    assert {result.outcome for result in results} == {"confirmed"}
    assert [piece.text.split("\n")[3] for piece in bench.fake.tickets] == [paper.number for paper in papers]


async def test_unwatched_printer_never_confirms() -> None:
    async with bench_of(status="none") as bench:
        await bench.until(lambda: bench.printer.can_print)
        assert await bench.printer.print_ticket(TICKET) == PrintResult("unknown", "printer.not_watched")
        assert len(whole_tickets(bench.fake)) == 1
