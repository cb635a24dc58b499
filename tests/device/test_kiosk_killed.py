"""An agent that is killed in the middle of a paper: the wish that is said again gives no second number."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from drivers.ticket_printer.protocol import PrintResult
from wire.messages import TicketIssuedOffline, TicketPrinted, TicketRequested
from wire.screen_link import NumberSeen, ReprintTicket, TakeTicket

TAP = TakeTicket(request="r-1", service="id-card")


async def restarted(kiosk: Any, open_storage: Any) -> Any:
    """The kiosk of another process, on the file of one that was killed."""
    room = kiosk.room
    await room.close()
    await room.storage.stop()
    room.storage = room.node.storage = await open_storage()
    room.stations.remove(kiosk.runner)
    room.screen.messages.clear()
    room.printer.hold = None
    again = type(kiosk)(room, kiosk.key_file)
    await again.runner.start()
    return again


async def test_a_number_of_the_lease_stays_the_only_one(kiosk_room: Any, open_storage: Any) -> None:
    room = kiosk_room.room
    await kiosk_room.lease()
    room.printer.hold = asyncio.Event()
    await kiosk_room.says(TAP)
    await room.printer.began.wait()

    again = await restarted(kiosk_room, open_storage)
    await again.says(TAP)
    told = await again.ended()
    assert (told.stage, told.number, told.paper, told.code, told.offline) == (
        "done", "A601", "unknown", "ticket.interrupted", True,
    )  # fmt: skip
    await again.says(ReprintTicket(ticket=told.ticket))
    printed = await again.ended(2)
    assert (printed.number, printed.paper) == ("A601", "confirmed")
    assert [(paper.number, paper.reprint) for paper in room.printer.papers] == [
        ("A601", False), ("A601", True)
    ]  # fmt: skip
    assert room.printer.papers[0].values == room.printer.papers[1].values
    assert [event.number for event in await room.event(TicketIssuedOffline)] == ["A601"]


async def test_a_number_of_the_coordinator_stays_the_only_one(kiosk_room: Any, open_storage: Any) -> None:
    room = kiosk_room.room
    room.printer.hold = asyncio.Event()
    room.coordinator()
    await kiosk_room.says(TAP)
    await room.event(TicketRequested)
    command = asyncio.create_task(room.command(kiosk_room.ticket()))
    await room.printer.began.wait()
    command.cancel()
    await asyncio.gather(command, return_exceptions=True)

    again = await restarted(kiosk_room, open_storage)
    await again.says(TAP)
    told = await again.ended()
    assert (told.stage, told.number, told.paper, told.waiting_ahead) == ("done", "A005", "unknown", 3)
    assert len(await room.event(TicketRequested)) == 1 and len(room.printer.papers) == 1
    assert [event.paper for event in await room.event(TicketPrinted)] == ["unknown"]


async def test_a_number_on_the_screen_stays_there(kiosk_room: Any, open_storage: Any) -> None:
    await kiosk_room.lease()
    kiosk_room.no_paper()
    wish = TakeTicket(request="r-1", service="id-card", paperless=True)
    await kiosk_room.says(wish)
    shown = await kiosk_room.progress("printing")

    again = await restarted(kiosk_room, open_storage)
    await again.says(wish)
    told = await again.ended()
    assert (told.stage, told.number, told.paper, told.paperless) == ("done", shown.number, "unknown", True)
    await again.says(ReprintTicket(ticket=told.ticket))
    await again.says(NumberSeen(request="r-1"))
    await again.says(TakeTicket(request="r-2", service="id-card", paperless=True))
    assert (await again.progress("printing")).number == "A602"
    assert kiosk_room.room.printer.papers == []


async def test_a_paper_that_is_out_is_told_as_it_is(kiosk_room: Any, open_storage: Any) -> None:
    await kiosk_room.lease()
    await kiosk_room.says(TAP)
    first = await kiosk_room.ended()
    again = await restarted(kiosk_room, open_storage)
    await again.says(TAP)
    assert await again.ended() == first
    await again.says(ReprintTicket(ticket=first.ticket))
    await again.says(TakeTicket(request="r-2", service="id-card"))
    assert (await again.ended(2)).number == "A602"
    assert [paper.number for paper in kiosk_room.room.printer.papers] == ["A601", "A602"]


async def test_a_reprint_that_failed_leaves_the_paper_as_doubtful_as_it_was(
    kiosk_room: Any, open_storage: Any
) -> None:
    await kiosk_room.lease()
    kiosk_room.room.printer.results = [
        PrintResult("unknown", "device.unplugged"), PrintResult("failed", "printer.cover_open")
    ]  # fmt: skip
    await kiosk_room.says(TAP)
    unknown = await kiosk_room.ended()
    await kiosk_room.says(ReprintTicket(ticket=unknown.ticket))
    await kiosk_room.ended(2)
    again = await restarted(kiosk_room, open_storage)
    await again.says(TAP)
    told = await again.ended()
    assert (told.stage, told.paper, told.code) == ("done", "unknown", "printer.cover_open")


@pytest.mark.parametrize("kept", [b"{", b"\xff", b'{"ticket":"t"}'])
async def test_a_note_that_is_not_readable_is_none(kiosk_room: Any, open_storage: Any, kept: bytes) -> None:
    await kiosk_room.lease()
    await kiosk_room.says(TAP)
    await kiosk_room.ended()
    await kiosk_room.room.storage.keep("paper", kept)
    again = await restarted(kiosk_room, open_storage)
    await again.says(TakeTicket(request="r-2", service="id-card"))
    assert (await again.ended()).number == "A602"
