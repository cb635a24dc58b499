"""The outlet of a presenter: what is presented, left, taken and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from printing_bench import KINDS, TICKET, VALUES, Bench, bench_of, pieces_of

from drivers.ticket_printer.fake_kiosk import FakeKioskPrinter
from drivers.ticket_printer.protocol import OutletEvent, Paper, PrintResult
from drivers.transport.serial import SerialConfig, SerialTransport

NEXT = Paper("A006", VALUES)
MODELS = ["vkp80ii", "vkp80iii", "reliance"]


class Outlet:
    """A bench and what its printer said of the outlet."""

    def __init__(self, bench: Bench) -> None:
        assert isinstance(bench.fake, FakeKioskPrinter)
        self.bench = bench
        self.fake = bench.fake
        self.printer = bench.printer
        self.events: list[tuple[str, str]] = []
        bench.printer.on_outlet = self._heard

    def _heard(self, event: OutletEvent) -> None:
        self.events.append((event.what, event.number))

    async def said(self, what: str, number: str = "A005") -> None:
        await self.bench.until(lambda: (what, number) in self.events)

    async def print(self, paper: Paper = TICKET) -> None:
        assert (await self.printer.print_ticket(paper)).outcome == "confirmed"


@asynccontextmanager
async def outlet_of(model: str, **options: Any) -> AsyncIterator[Outlet]:
    fake = KINDS[model].fake()
    assert isinstance(fake, FakeKioskPrinter)
    fake.second = 0.05
    options = {"left_s": 10.0} | options
    async with bench_of(fake, tidy=True, start_slip=False, **options) as bench:
        outlet = Outlet(bench)
        await bench.ready()
        yield outlet


@pytest.mark.parametrize("model", MODELS)
async def test_presented_and_taken(model: str) -> None:
    async with outlet_of(model) as outlet:
        await outlet.print()
        assert outlet.fake.outlet is not None and outlet.fake.outlet.whole
        assert outlet.events == [("presented", "A005")], "told before the ticket is said to be confirmed"
        assert outlet.printer.health.facts["outlet"] == "presented"
        outlet.fake.take()
        await outlet.said("taken")
        await outlet.bench.until(lambda: outlet.printer.health.facts["outlet"] == "taken")
        assert outlet.events == [("presented", "A005"), ("taken", "A005")]


@pytest.mark.parametrize("model", ["vkp80ii", "reliance"])
async def test_left_behind_and_retracted(model: str) -> None:
    async with outlet_of(model, left_s=0.1, retract_s=0.3) as outlet:
        await outlet.print()
        await outlet.said("retracted")
        assert [what for what, _ in outlet.events] == ["presented", "left", "retracted"]
        assert len(outlet.fake.bin) == 1 and outlet.fake.outlet is None
        await outlet.bench.until(lambda: outlet.printer.health.facts["retracted"] == 1)
        assert outlet.printer.kept["retracted"] == 1
        await outlet.print(NEXT)


@pytest.mark.parametrize("taken", [True, False], ids=["by a hand", "by the printer"])
async def test_the_count_of_retractions_tells_who_emptied_the_outlet(taken: bool) -> None:
    """VKP80III: the printer retracts by its own clock."""
    async with outlet_of("vkp80iii", left_s=0.1, retract_s=10) as outlet:
        await outlet.print()
        assert outlet.fake.blinking and outlet.fake.steps == 16, "80 mm in steps of 5"
        if taken:
            outlet.fake.take()
        await outlet.said("taken" if taken else "retracted")
        assert outlet.events[-1] == ("taken" if taken else "retracted", "A005")
        assert (len(outlet.fake.taken), len(outlet.fake.bin)) == (taken, not taken)


async def test_ejected_where_it_is_configured_so() -> None:
    async with outlet_of("vkp80ii", left_s=0.05, retract_s=0.2, not_taken="eject") as outlet:
        await outlet.print()
        await outlet.bench.until(lambda: len(outlet.fake.dropped) == 1)
        await outlet.bench.until(lambda: outlet.printer.health.facts["outlet"] == "empty")
        assert [what for what, _ in outlet.events] == ["presented", "left"], "who has it nobody knows"


async def test_the_outlet_is_cleared_before_the_next_ticket() -> None:
    async with outlet_of("vkp80ii", left_s=0.05) as outlet:
        await outlet.print()
        await outlet.said("left")
        await outlet.print(NEXT)
        assert len(outlet.fake.bin) == 1 and not outlet.fake.dropped
        whats = [("presented", "A005"), ("left", "A005"), ("retracted", "A005"), ("presented", "A006")]
        assert outlet.events[:4] == whats


async def test_a_ticket_just_presented_is_not_snatched_away_for_the_next_citizen() -> None:
    async with outlet_of("vkp80ii", left_s=60) as outlet:
        await outlet.print()
        second = asyncio.create_task(outlet.printer.print_ticket(NEXT))
        asked = outlet.bench.line.bytes_in
        await outlet.bench.until(lambda: outlet.bench.line.bytes_in > asked + 60)  # looked at many times
        assert outlet.fake.outlet is not None and not outlet.fake.bin
        outlet.fake.take()
        assert (await second).outcome == "confirmed"
        assert outlet.events == [("presented", "A005"), ("taken", "A005"), ("presented", "A006")]


async def test_a_hand_that_is_quicker_than_the_retraction_has_taken_the_paper() -> None:
    """Else the number would be printed again with its first paper among people."""
    async with outlet_of("vkp80ii", left_s=0.05, retract_s=0.2) as outlet:
        retract = outlet.fake._retract

        def grabbed() -> None:
            outlet.fake.take()
            retract()

        outlet.fake._retract = grabbed  # type: ignore[method-assign]
        await outlet.print()
        await outlet.bench.until(lambda: len(outlet.events) == 3)
        assert outlet.events[-1] == ("taken", "A005") and not outlet.fake.bin


async def test_an_older_retraction_is_not_told_of_the_next_paper() -> None:
    """VKP80III: its clock takes the older paper back while the next is being printed."""
    async with outlet_of("vkp80iii", left_s=60, retract_s=60) as outlet:
        await outlet.print()
        outlet.fake.at_byte(200, outlet.fake._retract)
        await outlet.print(NEXT)
        assert len(outlet.fake.bin) == 1
        outlet.fake.take()
        await outlet.said("taken", "A006")
        assert ("retracted", "A006") not in outlet.events


async def test_the_retraction_of_a_void_slip_is_not_told_of_the_paper_before_it() -> None:
    async with outlet_of("vkp80iii") as outlet:
        await outlet.print()
        outlet.fake.at_byte(300, outlet.fake.paper_out)
        assert (await outlet.printer.print_ticket(NEXT)).outcome == "failed"
        outlet.fake.take()
        outlet.fake.load_paper()
        async with outlet.printer._turn:
            assert await outlet.printer._tidy(outlet.printer._line) is None  # type: ignore[arg-type]
        assert outlet.fake.bin and ("retracted", "A005") not in outlet.events
        await outlet.print(NEXT)
        assert ("retracted", "A005") not in outlet.events


async def test_paper_gone_while_nobody_watched_is_not_called_taken() -> None:
    async with outlet_of("vkp80ii") as outlet:
        await outlet.print()
        await outlet.bench.line.unplug()
        outlet.fake._retract()  # as some do at power-on
        await outlet.bench.line.plug()
        await outlet.bench.until(lambda: outlet.printer.health.facts.get("outlet") == "empty")
        assert outlet.events == [("presented", "A005")]


async def test_ejected_by_its_own_clock_is_not_called_taken() -> None:
    async with outlet_of("vkp80iii", left_s=0.1, retract_s=1, not_taken="eject") as outlet:
        outlet.fake.second = 1.0
        await outlet.print()
        await outlet.bench.until(lambda: len(outlet.fake.dropped) == 1)
        await outlet.bench.until(lambda: outlet.printer.health.facts["outlet"] == "empty")
        assert outlet.events[-1] == ("left", "A005")


async def test_left_until_the_next_ticket_is_not_ejected_by_the_printers_clock() -> None:
    async with outlet_of("vkp80iii", not_taken="leave", retract_s=30) as outlet:
        await outlet.print()
        assert outlet.fake.outlet is not None and outlet.fake._timer is None


async def test_own_clock_that_does_not_retract_is_told() -> None:
    async with outlet_of("vkp80iii", left_s=0.05, retract_s=1) as outlet:
        await outlet.print()
        outlet.fake._timer.cancel()  # type: ignore[union-attr]
        await outlet.said("left")
        outlet.printer._outlet._since -= 60  # type: ignore[attr-defined]  # a minute later
        await outlet.bench.until(lambda: outlet.printer._outlet.state == "retracting")  # type: ignore[attr-defined]
        outlet.printer._outlet._since -= 60  # type: ignore[attr-defined]
        await outlet.bench.until(lambda: outlet.printer.health.code == "printer.outlet_left")
        assert outlet.printer.can_print, "the next ticket pushes it out"


async def test_cover_opened_while_the_outlet_is_cleared_is_told_at_once() -> None:
    async with outlet_of("vkp80ii", left_s=60) as outlet:
        await outlet.print()
        second = asyncio.create_task(outlet.printer.print_ticket(NEXT))
        asked = outlet.bench.line.bytes_in
        await outlet.bench.until(lambda: outlet.bench.line.bytes_in > asked + 30)
        outlet.fake.open_cover()
        assert await second == PrintResult("failed", "printer.cover_open")
        assert outlet.printer.health.code == "printer.cover_open"


async def test_a_void_slip_does_not_come_with_the_next_ticket_where_it_is_presented() -> None:
    async with outlet_of("vkp80iii") as outlet:
        outlet.fake.second = 0.3
        outlet.fake.at_byte(300, outlet.fake.paper_out)
        assert (await outlet.printer.print_ticket(TICKET)).outcome == "failed"
        outlet.fake.load_paper()
        await outlet.bench.until(lambda: outlet.printer.can_print)
        await outlet.print(NEXT)
        assert not outlet.fake.dropped and len(outlet.fake.bin) == 1


async def test_a_paper_that_cannot_be_moved_away_is_told_and_no_number_is_printed() -> None:
    async with outlet_of("vkp80ii", retract_s=0.1) as outlet:
        outlet.fake.forbid_retract()
        await outlet.print()
        outlet.printer._outlet._away_s = 0.0  # type: ignore[attr-defined]
        await outlet.bench.until(lambda: outlet.printer._outlet.state == "retracting")  # type: ignore[attr-defined]
        outlet.printer._outlet._since -= 60  # type: ignore[attr-defined]  # a minute later
        await outlet.bench.until(lambda: outlet.printer.health.code == "printer.outlet_left")
        assert outlet.printer.health.state == "degraded"
        assert not outlet.printer.can_print, "no number is given for it"
        assert await outlet.printer.print_ticket(NEXT) == PrintResult("failed", "printer.outlet_left")
        assert len(outlet.fake.tickets) == 1
        outlet.fake.take()
        await outlet.bench.until(lambda: outlet.printer.health.code is None)
        await outlet.print(NEXT)


async def test_a_paper_from_before_the_start_is_waited_for_and_then_moved_away() -> None:
    fake = FakeKioskPrinter()
    fake.received(b"\x1b@A004\n\x1de\x03\x0c")
    async with bench_of(fake, start_slip=True, retract_s=0.3, left_s=0.1) as bench:
        events: list[OutletEvent] = []
        bench.printer.on_outlet = events.append
        await bench.until(lambda: bench.printer.health.facts.get("outlet") == "presented")
        assert fake.outlet is not None, "somebody's ticket is not swept away by the start"
        await bench.until(lambda: len(fake.bin) >= 1)
        assert not events, "its number is not known"
        await bench.ready()
        assert (await bench.printer.print_ticket(TICKET)).outcome == "confirmed"


async def test_a_hand_at_the_paper_is_not_taking_it() -> None:
    """The sensor flickers."""
    async with outlet_of("vkp80ii", poll_s=0.05) as outlet:
        await outlet.print()
        for _ in range(6):
            paper, outlet.fake.outlet = outlet.fake.outlet, None
            await outlet.printer._poll(outlet.printer._line)  # type: ignore[arg-type]
            outlet.fake.outlet = paper
            await outlet.printer._poll(outlet.printer._line)  # type: ignore[arg-type]
        assert outlet.events == [("presented", "A005")]


async def test_jam_in_the_presenter_is_unknown_and_never_reported_as_presented() -> None:
    async with outlet_of("vkp80ii") as outlet:
        outlet.fake.jam_presenter()
        assert await outlet.printer.print_ticket(TICKET) == PrintResult("unknown", "printer.jam")
        assert not outlet.events
        outlet.fake.clear_jam()
        await outlet.bench.ready()
        await outlet.print(NEXT)


async def test_noise_that_looks_like_the_answer_proves_nothing_while_the_printer_is_jammed() -> None:
    async with outlet_of("vkp80ii") as outlet:
        outlet.fake.jam_presenter()
        condition = outlet.fake._condition

        def spoiled() -> None:
            condition()
            outlet.bench.line.send(bytes(8))  # each could be the answer to GS r

        outlet.fake._condition = spoiled  # type: ignore[method-assign]
        assert await outlet.printer.print_ticket(TICKET) == PrintResult("unknown", "printer.jam")
        assert not outlet.events


@pytest.mark.parametrize("model", MODELS)
async def test_a_ticket_in_dots_uses_only_what_the_model_knows(model: str) -> None:
    """The Reliance has no Chinese, no ESC J, no GS V, no QR codes of its own."""
    async with outlet_of(model, mode="raster") as outlet:
        await outlet.print()
        assert not outlet.fake.not_understood
        (ticket,) = outlet.fake.tickets
        assert not ticket.lines and not ticket.qr and ticket.rasters
        assert len(await pieces_of(outlet.printer, outlet.fake, TICKET)) == 1


async def test_reliance_is_silent_while_paper_moves_and_is_waited_for() -> None:
    fake = FakeKioskPrinter(model="reliance", mm_per_s=400.0)
    async with bench_of(fake, tidy=True, start_slip=False, print_s=20, answer_s=0.03) as bench:
        await bench.ready()
        assert (await bench.printer.print_ticket(TICKET)).outcome == "confirmed"
        assert fake.outlet is not None and fake.outlet.whole


@pytest.mark.parametrize("seed", range(20))
async def test_spoiled_answers_never_make_a_wrong_outcome(seed: int) -> None:
    import random

    noise = random.Random(seed)
    fake = FakeKioskPrinter()
    async with bench_of(fake, tidy=True, start_slip=False, print_s=0.1, answer_s=0.02) as bench:
        await bench.ready()

        def spoiled(data: bytes) -> None:
            bench.line.send(bytes(noise.randrange(256) if noise.random() < 0.1 else byte for byte in data))

        fake.send = spoiled
        if seed % 2:
            fake.at_byte(noise.randrange(1, 600), fake.paper_out)
        result = await bench.printer.print_ticket(TICKET)
        whole = len(await pieces_of(bench.printer, fake, TICKET))
        assert result.outcome != "confirmed" or whole == 1
        assert result.outcome != "failed" or whole == 0


async def test_the_fake_as_its_own_program(tmp_path: Path) -> None:
    import sys

    path = tmp_path / "printer"
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "drivers.ticket_printer.fake_kiosk", "--pty", str(path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert program.stdin is not None and program.stdout is not None
    assert str(path) in (await program.stdout.readline()).decode()
    assert b"jam_presenter" in await program.stdout.readline()
    line = SerialTransport(SerialConfig(path=str(path)))
    await line.open()
    await line.write(b"A\n\x1de\x03\x0c\x1dr\x01")
    assert await line.read(5) == b"\x00"
    await line.write(b"\x10\x04\x14")
    assert await line.read(5) == b"\x10\x0f\x20\x00\x00\x00"
    await line.close()
    program.terminate()
    async with asyncio.timeout(10):
        assert await program.wait() == 0
