"""Paper is counted by its length, as the fake's paper shows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from printing_bench import KINDS, TICKET, VALUES, bench_of

from drivers.ticket_printer.fake import DOTS_PER_MM, FakeEscposPrinter
from drivers.ticket_printer.paper_length import job_mm, qr_modules
from drivers.ticket_printer.paper_roll import LOW_TICKETS, PaperRoll
from drivers.ticket_printer.printed_paper import TOP
from drivers.ticket_printer.protocol import Paper


@pytest.mark.parametrize("mode", ["text", "raster"])
@pytest.mark.parametrize("columns", [32, 48])
@pytest.mark.parametrize("layout", ["standard", "large", "bilingual"])
async def test_length_of_a_ticket_is_that_of_the_paper(mode: str, columns: int, layout: str) -> None:
    fake = FakeEscposPrinter(columns)
    async with bench_of(
        fake, tidy=True, start_slip=False, mode=mode, columns=columns, layout=layout
    ) as bench:
        await bench.ready()
        assert (await bench.printer.print_ticket(TICKET)).outcome == "confirmed"
        (ticket,) = fake.tickets
        paper_mm = (ticket.render().height - 2 * TOP) / DOTS_PER_MM
        assert bench.printer._paper.roll.ticket_mm == pytest.approx(paper_mm, abs=2)


@given(st.binary(max_size=300))
def test_any_bytes_have_a_length(data: bytes) -> None:
    assert job_mm(data) >= 0


@pytest.mark.parametrize(("size", "modules"), [(1, 21), (14, 21), (15, 25), (62, 33), (213, 57), (2000, 85)])
def test_modules_of_a_qr_code(size: int, modules: int) -> None:
    assert qr_modules(size) == modules


def test_feeds_and_lines_by_hand() -> None:
    assert job_mm(b"\x1b@\x1b3\x28A\nB\n\n") == 3 * 40 / 8
    assert job_mm(b"\x1b@\x1d!\x77A\n") == 192 / 8
    assert job_mm(b"\x1bJ\x50" + b"\x1dv0\x00\x02\x00\x10\x00" + b"\n" * 32) == (80 + 16) / 8
    assert job_mm(b"\x1de\x03\x0c\x1cP\x0a\x01R\x0a\x1dP\xcb\xcb") == 0


def test_roll_warns_while_enough_tickets_are_left_to_fetch_another() -> None:
    roll = PaperRoll(roll_m=80)
    assert roll.left is None and not roll.low and not roll.facts
    printed = 0
    while not roll.low:
        roll.printed(115.0)
        printed += 1
    assert printed == int(80_000 / 115) - LOW_TICKETS
    assert roll.facts == {"paper_used_m": 74, "tickets_left": LOW_TICKETS}
    roll.changed()
    assert roll.left == int(80_000 / 115), "the length of a ticket is still known"


def test_slips_use_paper_and_say_nothing_of_tickets() -> None:
    roll = PaperRoll(roll_m=10)
    roll.printed(100.0)
    roll.printed(30.0, ticket=False)
    assert (roll.used_mm, roll.ticket_mm) == (130.0, 100.0)


@pytest.mark.parametrize("model", list(KINDS))
async def test_a_new_roll_is_noticed_without_being_told(model: str) -> None:
    fake = KINDS[model].fake()
    async with bench_of(fake, tidy=True, start_slip=False, roll_m=100) as bench:
        await bench.ready()
        printer = bench.printer
        for number in range(3):
            await printer.print_ticket(Paper(f"A{number:03}", VALUES))
            getattr(fake, "take", bool)()
            await bench.ready()
        assert printer.kept["roll_used_mm"] > 200
        fake.paper_low()
        await bench.until(lambda: printer.health.code == "printer.paper_low")
        fake.near_end = False  # the sensor flickers: the cover was not open
        await bench.until(lambda: printer.health.code is None)
        assert printer.kept["roll_used_mm"] > 200
        fake.paper_low()
        await bench.until(lambda: printer.health.code == "printer.paper_low")
        fake.open_cover()
        await bench.until(lambda: printer.health.code == "printer.cover_open")
        fake.load_paper()
        fake.close_cover()
        await bench.until(lambda: printer.health.code is None)
        assert printer.kept["roll_used_mm"] == 0


async def test_paper_off_its_sensor_under_an_open_cover_is_no_new_roll() -> None:
    """Somebody clears a jam: most printers say "out" while the cover is open."""
    fake = FakeEscposPrinter()
    async with bench_of(fake, tidy=True, start_slip=False, roll_m=100) as bench:
        await bench.ready()
        await bench.printer.print_ticket(TICKET)
        used = bench.printer.kept["roll_used_mm"]
        fake.open_cover()
        fake.paper_out()
        await bench.until(lambda: bench.printer.health.facts.get("paper") == "out")
        fake.load_paper()
        fake.close_cover()
        await bench.until(lambda: bench.printer.health.code is None)
        assert bench.printer.kept["roll_used_mm"] == used
