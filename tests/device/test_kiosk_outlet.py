"""A kiosk whose printer holds the paper until it is taken."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from device.profile import KioskStation
from device.stations.kiosk import KioskStationRunner
from drivers.ticket_printer.protocol import OutletEvent, PrintResult
from wire.messages import (
    Catalogue,
    CatalogueGroup,
    CatalogueService,
    GrantLease,
    PrintTicket,
    TicketIssuedOffline,
    TicketPrinted,
)
from wire.screen_link import ReprintTicket, TakeTicket, TicketProgress

CATALOGUE = Catalogue(
    epoch=1,
    rev=1,
    hall_name={"zh-CN": "市民中心"},
    services=(
        CatalogueService(service="id-card", name={"zh-CN": "身份证"}, group="a", zone="east", counters=()),
    ),
    groups=(CatalogueGroup(group="a", name={"zh-CN": "甲"}, prefix="A"),),
    priorities=(),
    zones=(),
)


@pytest.fixture
async def kiosk(room: Any) -> KioskStationRunner:
    """With a number of the lease printed and lying in the outlet."""
    entry = KioskStation(id="kiosk", printer="printer", online_wait_s=0.05, lease_low=5)
    station = KioskStationRunner(entry, room.node, room.printer, None)
    room.node.catalogue = CATALOGUE
    room.add(station)
    day = date(2026, 11, 20)
    assert await room.command(GrantLease(group="a", business_date=day, first=601, last=610), "lease-1")
    print_ticket = room.printer.print_ticket

    async def present(paper: Any) -> Any:
        result = await print_ticket(paper)
        if result.outcome == "confirmed":
            say(room, "presented", paper.number)
        return result

    room.printer.print_ticket = present
    await station.on_screen(TakeTicket(request="r-1", service="id-card"))
    await room.until(lambda: any(p.stage == "done" for p in shown(room)))
    return station


def say(room: Any, what: str, number: str = "A601") -> None:
    room.printer.on_outlet(OutletEvent(what, number))  # type: ignore[arg-type]


def shown(room: Any) -> list[TicketProgress]:
    found: list[TicketProgress] = room.screen.of(TicketProgress)
    return found


async def test_the_screen_follows_the_paper_until_it_is_taken(room: Any, kiosk: KioskStationRunner) -> None:
    say(room, "left")
    say(room, "taken")
    done = [progress for progress in shown(room) if progress.stage == "done"]
    assert [progress.outlet for progress in done] == ["presented", "left", "taken"]
    assert {progress.number for progress in done} == {"A601"}
    (issued,) = await room.event(TicketIssuedOffline)
    assert issued.paper == "confirmed", "given when it is out, whoever takes it"


async def test_a_retracted_paper_is_told_to_the_hall_and_its_number_stays_valid(
    room: Any, kiosk: KioskStationRunner
) -> None:
    say(room, "left")
    say(room, "retracted")
    (note,) = await room.event(TicketPrinted)
    assert (note.number, note.paper, note.code) == ("A601", "confirmed", "ticket.not_taken")
    assert shown(room)[-1].outlet == "retracted"


async def test_a_retracted_paper_may_be_printed_again_and_a_taken_one_not(
    room: Any, kiosk: KioskStationRunner
) -> None:
    ticket = shown(room)[-1].ticket or ""
    say(room, "taken")
    await kiosk.on_screen(ReprintTicket(ticket=ticket))
    await room.node.storage.ping()
    assert len(room.printer.papers) == 1
    say(room, "retracted")
    for _ in range(2):
        await kiosk.on_screen(ReprintTicket(ticket=ticket))
    await room.until(lambda: shown(room)[-1].outlet == "presented")
    assert [(paper.number, paper.reprint) for paper in room.printer.papers] == [
        ("A601", False),
        ("A601", True),
    ]


async def test_events_of_papers_that_nobody_asked_for_are_let_be(
    room: Any, kiosk: KioskStationRunner
) -> None:
    before = len(shown(room))
    for number in range(20):
        say(room, "retracted", f"B{number:03}")
    assert len(shown(room)) == before
    assert await room.events() and not [e for e in await room.events() if isinstance(e, TicketPrinted)]


async def test_a_screen_that_asks_again_sees_where_the_paper_is(room: Any, kiosk: KioskStationRunner) -> None:
    say(room, "left")
    await kiosk.on_screen(TakeTicket(request="r-1", service="id-card"))
    await room.until(lambda: len(shown(room)) >= 4)
    assert shown(room)[-1].outlet == "left" and len(room.printer.papers) == 1


async def reprinted_for_the_hall(room: Any, ticket: str, number: str, id: str) -> None:
    body = PrintTicket(
        request=None,
        ticket=ticket,
        number=number,
        service="id-card",
        issued_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        waiting_ahead=3,
        reprint=True,
    )
    assert await room.command(body, id)


async def test_a_paper_that_the_hall_had_printed_again_is_not_printed_a_third_time(
    room: Any, kiosk: KioskStationRunner
) -> None:
    ticket = shown(room)[-1].ticket or ""
    say(room, "retracted")
    room.printer.results = [PrintResult("unknown", "printer.jam")]
    await kiosk.on_screen(ReprintTicket(ticket=ticket))
    await room.until(lambda: shown(room)[-1].paper == "unknown")
    await reprinted_for_the_hall(room, ticket, "A601", "c-2")
    say(room, "taken")
    await kiosk.on_screen(ReprintTicket(ticket=ticket))
    await room.until(lambda: not room.node._to_the_end)
    assert len(room.printer.papers) == 3


async def test_a_retracted_paper_that_no_screen_asked_for_is_told_to_the_hall(
    room: Any, kiosk: KioskStationRunner
) -> None:
    """After a start of the agent, too: the desk knows nothing of the request."""
    await reprinted_for_the_hall(room, "t-9", "A609", "c-9")
    say(room, "retracted", "A609")
    await room.until(lambda: not room.node._to_the_end)
    notes = [note for note in await room.events() if isinstance(note, TicketPrinted) and note.code]
    assert [(note.ticket, note.code) for note in notes] == [("t-9", "ticket.not_taken")]
