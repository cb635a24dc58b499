"""The mains go off in the middle of tickets. These come last: the machine starts anew in them."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from bench import Bench, check, stopwatch
from checks_serial import adapter
from checks_service import BACK_S, CITIZEN
from host_hall import NODE, PRINTER, HostHall
from image import ROOT
from lines import UsbSerialLine

from drivers.card_reader.fake import FakeSamReader
from drivers.ticket_printer.fake import FakeEscposPrinter
from simulator.hall_site import number_on

sys.path.insert(0, str(ROOT / "tests" / "faults"))
from checker import PaperSeen, RatingSeen
from checker import check as verdict_of
from evidence import journal_rows

CUTS = (150, 400)
"""At each cut, after two whole tickets: so many bytes of the next are worked through."""
MM_PER_S = 200.0
OUTBOX = """
import sqlite3
database = sqlite3.connect("file:/var/lib/paihao/agent.db?mode=ro", uri=True)
print(database.execute("PRAGMA integrity_check").fetchone()[0])
print(database.execute("SELECT count(*) FROM prints WHERE NOT done").fetchone()[0])
"""


def papers(printer: FakeEscposPrinter) -> list[PaperSeen]:
    """The tickets that came out whole, with a number on them."""
    return [
        PaperSeen(number, ticket.qr[0].rpartition("/")[2], any("补打" in line.text for line in ticket.lines))
        for ticket in printer.tickets
        if (number := number_on(ticket)) is not None and ticket.qr
    ]


def recorded(hall: HostHall, paper: str) -> list[dict[str, Any]]:
    """What the coordinator was told of papers, by how they ended."""
    rows = journal_rows(hall.journal)
    return [row for row in rows if row["type"] == "paper_recorded" and row["paper"] == paper]


async def until(condition: Any, timeout: float, what: str) -> None:
    try:
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise TimeoutError(f"no {what} within {timeout:.0f} s") from None


@check(
    "the mains go off in tickets, twice: no number twice, the record whole, the cut one unknown, reprinted",
    short=False,
    power=True,
)
async def power_cut_in_tickets(bench: Bench) -> None:
    hall = await bench.hall()
    printer = FakeEscposPrinter(mm_per_s=MM_PER_S)
    lines = [adapter(bench, "printer", printer), adapter(bench, "card", FakeSamReader())]
    async with bench.plugged(lines[0]), bench.plugged(lines[1]):
        await _cut_and_compare(bench, hall, printer, lines)


async def _cut_and_compare(
    bench: Bench, hall: HostHall, printer: FakeEscposPrinter, lines: list[UsbSerialLine]
) -> None:
    machine = bench.machine
    await bench.inside("systemctl enable --quiet --now paihao-agent; sync")
    await hall.until_node("online")
    await hall.until_device(PRINTER, "ok")
    for after in CUTS:
        whole, unknown = len(papers(printer)), len(recorded(hall, "unknown"))
        cut = asyncio.Event()
        await machine.agent.begin(f"{CITIZEN} 100")
        await until(lambda: len(papers(printer)) >= whole + 2, 60, "tickets")
        printer.at_byte(after, cut.set)
        await asyncio.wait_for(cut.wait(), 30)
        session = hall.observer.nodes[NODE].session
        await machine.power_cut()
        hall.observer.devices.clear()  # what was kept from before says nothing
        printer.power_off()
        for line in lines:
            line.gone()
        await asyncio.sleep(1)
        printer.power_on()
        took = stopwatch()
        await machine.start()
        for line in lines:
            await line.plug()
        await machine.until_up()
        await hall.observer.until(
            lambda: (now := hall.observer.nodes[NODE]).session != session and now.state == "online",
            BACK_S,
        )
        await hall.until_device(PRINTER, "ok", BACK_S)
        bench.note(f"online {took():.0f} s after the power was back")
        await until(lambda: len(recorded(hall, "unknown")) > unknown, 30, "word of the cut ticket")
        event = recorded(hall, "unknown")[-1]
        bench.note(f"{event['number']} {event['paper']}")
        count = len(papers(printer))
        await hall.ask(f"tickets/{event['ticket']}/reprint", {"node": NODE})
        await until(lambda: len(papers(printer)) > count, 30, "reprint")
        assert papers(printer)[-1] == PaperSeen(event["number"], event["ticket"], True), papers(printer)[-1]
    said = await bench.inside(f"{CITIZEN} 2")
    assert said.count('"paper": "confirmed"') == 2, said
    await machine.agent.put("/tmp/outbox.py", OUTBOX)
    integrity, unfinished = (await bench.inside("python3 /tmp/outbox.py")).split()
    assert (integrity, unfinished) == ("ok", "0"), (integrity, unfinished)
    ratings = [RatingSeen(*grade, thanked=True) for grade in hall.grades]
    verdict = verdict_of(papers(printer), ratings, journal_rows(hall.journal))
    bench.note(f"{verdict.counts['papers']} papers, {verdict.counts['numbers']} numbers")
    assert not verdict.problems, verdict.problems
