"""A number on the screen in place of a paper: as durable, as single and as honest as a paper."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from device.screen_link import ScreenLink
from device.stations import numbers, paperless
from drivers.ticket_printer.protocol import PrintResult
from wire.messages import TicketIssuedOffline, TicketPrinted, TicketRequested
from wire.screen_link import (
    MAX_LINE,
    NumberSeen,
    ReprintTicket,
    ScreenHello,
    TakeTicket,
    TicketProgress,
    decode_to_screen,
    encode_line,
)

TAP = TakeTicket(request="r-1", service="id-card", paperless=True)


async def asked(kiosk: Any) -> asyncio.Task[bool]:
    """A tap without paper, and the coordinator's number on its way."""
    kiosk.no_paper()
    kiosk.room.coordinator()
    await kiosk.says(TAP)
    (event,) = await kiosk.room.event(TicketRequested)
    assert event.paperless
    return asyncio.create_task(kiosk.room.command(kiosk.ticket(paperless=True)))


async def test_a_number_counts_when_it_stands_on_the_display(kiosk_room: Any) -> None:
    command = await asked(kiosk_room)
    shown = await kiosk_room.progress("printing")
    assert (shown.number, shown.ticket, shown.paperless, shown.waiting_ahead) == ("A005", "t-5", True, 3)
    assert not [e for e in await kiosk_room.room.events() if isinstance(e, TicketPrinted)]
    await kiosk_room.says(NumberSeen(request="r-1"))
    assert await command
    done = await kiosk_room.ended()
    assert (done.stage, done.paper, done.code, done.paperless) == (
        "done",
        "confirmed",
        "ticket.on_screen",
        True,
    )
    assert await kiosk_room.room.event(TicketPrinted) == [
        TicketPrinted(ticket="t-5", number="A005", paper="confirmed", code="ticket.on_screen")
    ]
    assert kiosk_room.room.printer.papers == []


async def test_a_number_that_nobody_saw_is_failed_and_taken_away(
    kiosk_room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paperless, "SEEN_S", 0.01)
    command = await asked(kiosk_room)
    assert await command
    failed = await kiosk_room.ended()
    assert (failed.stage, failed.paper, failed.code) == ("failed", "failed", "ticket.not_shown")
    await kiosk_room.says(NumberSeen(request="r-1"))
    (printed,) = await kiosk_room.room.event(TicketPrinted)
    assert (printed.paper, printed.code) == ("failed", "ticket.not_shown")
    assert not [m for m in kiosk_room.runner.whole() if isinstance(m, TicketProgress)]


async def test_without_the_coordinator_the_number_is_of_the_lease(kiosk_room: Any) -> None:
    await kiosk_room.lease()
    kiosk_room.no_paper()
    await kiosk_room.says(TAP)
    shown = await kiosk_room.progress("printing")
    assert (shown.number, shown.offline, shown.paperless) == ("A601", True, True)
    assert (await kiosk_room.room.storage.remaining(kiosk_room.room.clock.now().date())) == {"a": 9}
    await kiosk_room.says(NumberSeen(request="r-1"))
    assert (await kiosk_room.ended()).stage == "done"
    (issued,) = await kiosk_room.room.event(TicketIssuedOffline)
    assert (issued.number, issued.paper, issued.code) == ("A601", "confirmed", "ticket.on_screen")


async def test_a_number_of_the_lease_that_nobody_saw_is_failed(
    kiosk_room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paperless, "SEEN_S", 0.01)
    await kiosk_room.lease()
    kiosk_room.no_paper()
    await kiosk_room.says(TAP)
    assert (await kiosk_room.ended()).stage == "failed"
    (issued,) = await kiosk_room.room.event(TicketIssuedOffline)
    assert (issued.paper, issued.code) == ("failed", "ticket.not_shown")


async def test_what_the_printer_can_print_is_printed(kiosk_room: Any) -> None:
    kiosk_room.room.coordinator()
    await kiosk_room.says(TAP)
    (event,) = await kiosk_room.room.event(TicketRequested)
    assert not event.paperless
    assert await kiosk_room.room.command(kiosk_room.ticket())
    assert (await kiosk_room.ended()).code is None
    assert [paper.number for paper in kiosk_room.room.printer.papers] == ["A005"]


async def test_nothing_is_shown_that_could_not_be_noted(
    kiosk_room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk_room.no_paper()
    kiosk_room.room.storage.fault = "agent.disk_full"
    await kiosk_room.says(TAP)
    refused = await kiosk_room.ended()
    assert (refused.stage, refused.code, refused.number) == ("refused", "agent.disk_full", None)


async def test_a_repeated_command_shows_nothing_again(kiosk_room: Any) -> None:
    command = await asked(kiosk_room)
    await kiosk_room.progress("printing")
    same = asyncio.create_task(kiosk_room.room.command(kiosk_room.ticket(paperless=True), id="c-2"))
    await kiosk_room.says(NumberSeen(request="r-1"))
    assert await command and await same
    assert await kiosk_room.room.command(kiosk_room.ticket(paperless=True))
    assert await kiosk_room.room.command(kiosk_room.ticket(paperless=True), id="c-3")
    printed = await kiosk_room.room.event(TicketPrinted, 3)
    assert {(p.paper, p.code) for p in printed} == {("confirmed", "ticket.on_screen")}
    assert [p.stage for p in kiosk_room.room.screen.of(TicketProgress)] == ["requested", "printing", "done"]


async def test_a_command_that_comes_after_the_lease_was_used_is_void(
    kiosk_room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kiosk_room.lease()
    kiosk_room.no_paper()
    kiosk_room.room.coordinator()
    await kiosk_room.says(TAP)
    shown = await kiosk_room.progress("printing")
    assert shown.number == "A601"
    assert await kiosk_room.room.command(kiosk_room.ticket(paperless=True))
    (late,) = await kiosk_room.room.event(TicketPrinted)
    assert (late.ticket, late.paper, late.code) == ("t-5", "failed", "ticket.too_late")
    await kiosk_room.says(NumberSeen(request="r-1"))
    await kiosk_room.ended()
    assert {p.number for p in kiosk_room.room.screen.of(TicketProgress)} == {None, "A601"}


async def test_killed_with_the_number_on_the_screen_it_is_unknown_and_never_another(
    kiosk_room: Any, open_storage: Any
) -> None:
    """The file of a process that was killed while the screen had the number and had not said so."""
    room = kiosk_room.room
    command = await asked(kiosk_room)
    await kiosk_room.progress("printing")
    command.cancel()
    await asyncio.gather(command, return_exceptions=True)
    await room.close()
    await room.storage.stop()
    room.storage = room.node.storage = await open_storage()
    (unknown,) = await room.event(TicketPrinted)
    assert (unknown.ticket, unknown.paper, unknown.code) == ("t-5", "unknown", "ticket.interrupted")
    shown = len(room.screen.of(TicketProgress))
    again = type(kiosk_room)(room, kiosk_room.key_file)
    room.stations.remove(kiosk_room.runner)
    assert await room.command(again.ticket(paperless=True)), "the same command, delivered again"
    assert await room.command(again.ticket(paperless=True), id="c-2"), "the same ticket"
    assert [p.paper for p in await room.event(TicketPrinted, 2)] == ["unknown", "unknown"]
    assert len(room.again) == 1 and len(room.screen.of(TicketProgress)) == shown


async def test_killed_after_the_request_a_late_number_is_void(kiosk_room: Any, open_storage: Any) -> None:
    room = kiosk_room.room
    kiosk_room.no_paper()
    room.coordinator()
    await kiosk_room.says(TAP)
    await room.event(TicketRequested)
    await room.close()
    await room.storage.stop()
    room.storage = room.node.storage = await open_storage()
    room.stations.remove(kiosk_room.runner)
    again = type(kiosk_room)(room, kiosk_room.key_file)
    assert await room.command(again.ticket(paperless=True))
    (late,) = await room.event(TicketPrinted)
    assert (late.paper, late.code) == ("failed", "ticket.too_late")


async def test_a_screen_that_starts_again_has_the_number_until_the_next_citizen(kiosk_room: Any) -> None:
    def stands() -> list[Any]:
        return [m.number for m in kiosk_room.runner.whole() if isinstance(m, TicketProgress)]

    command = await asked(kiosk_room)
    await kiosk_room.progress("printing")
    assert stands() == ["A005"]
    await kiosk_room.says(NumberSeen(request="r-1"))
    await command
    assert stands() == ["A005"], "its citizen was about to photograph it"
    kiosk_room.room.printer.able = True
    await kiosk_room.says(TakeTicket(request="r-2", service="id-card"))
    await kiosk_room.room.event(TicketRequested, 2)
    assert stands() == []


async def test_a_screen_that_starts_again_knows_of_a_paper_that_nobody_may_have(kiosk_room: Any) -> None:
    def told() -> list[Any]:
        return [(m.stage, m.paper) for m in kiosk_room.runner.whole() if isinstance(m, TicketProgress)]

    printer = kiosk_room.room.printer
    await kiosk_room.lease()
    printer.hold = asyncio.Event()
    printer.results = [PrintResult("unknown", "device.unplugged")]
    await kiosk_room.says(TakeTicket(request="r-1", service="id-card"))
    await printer.began.wait()
    assert told() == [("printing", None)]
    printer.hold.set()
    unknown = await kiosk_room.ended()
    assert told() == [("done", "unknown")], "it may be printed again"
    await kiosk_room.says(ReprintTicket(ticket=unknown.ticket))
    await kiosk_room.ended(2)
    assert told() == [], "it is in the citizen's hand"


async def test_after_a_minute_a_number_is_not_shown_again(
    kiosk_room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = await asked(kiosk_room)
    await kiosk_room.progress("printing")
    await kiosk_room.says(NumberSeen(request="r-1"))
    await command
    monkeypatch.setattr(numbers, "SHOWN_S", 0.0)
    assert not [m for m in kiosk_room.runner.whole() if isinstance(m, TicketProgress)]


class Program:
    """A screen program at the agent's socket."""

    async def start(self, path: str) -> None:
        self.reader, self.writer = await asyncio.open_unix_connection(path, limit=MAX_LINE)
        self.say(ScreenHello(station="kiosk", role="kiosk"))

    def say(self, message: Any) -> None:
        self.writer.write(encode_line(message))

    async def progress(self, stage: str) -> TicketProgress:
        async with asyncio.timeout(5):
            while True:
                message = decode_to_screen(await self.reader.readuntil(b"\n"))
                if isinstance(message, TicketProgress) and message.stage == stage:
                    return message

    def kill(self) -> None:
        self.writer.transport.abort()


async def test_a_screen_that_is_killed_with_the_number_on_it_shows_it_when_it_is_back(
    kiosk_room: Any, tmp_path: Any
) -> None:
    path = str(tmp_path / "screens.sock")
    link = kiosk_room.room.node.screens = ScreenLink(path, {"kiosk": kiosk_room.runner})
    await link.start()
    try:
        await kiosk_room.lease()
        kiosk_room.no_paper()
        for stage in ("printing", "done"):
            killed, again = Program(), Program()
            request = f"r-{stage}"
            await killed.start(path)
            killed.say(TakeTicket(request=request, service="id-card", paperless=True))
            shown = await killed.progress("printing")
            if stage == "done":
                killed.say(NumberSeen(request=request))
                await killed.progress("done")
            killed.kill()
            await again.start(path)
            assert (await again.progress(stage)).number == shown.number
            if stage == "printing":
                again.say(NumberSeen(request=request))
                await again.progress("done")
            again.kill()
    finally:
        await link.stop()
    issued = await kiosk_room.room.event(TicketIssuedOffline, 2)
    assert [(i.number, i.paper) for i in issued] == [("A601", "confirmed"), ("A602", "confirmed")]
