"""The help key, with and without a screen, a lamp and the hall; and how a ticket stands."""

from __future__ import annotations

from typing import Any

import pytest

from device.database import StorageError
from device.stations import enquiries, help
from device.stations.station import FRESH_PRESS_S
from wire.kiosk_messages import HelpAnswered, HelpWanted, TicketEnquired, TicketFound
from wire.messages import CommandResult
from wire.screen_link import AskHelp, AskTicket, KioskState, PadKey, TicketTold

ANSWER = HelpAnswered(station="kiosk")
FOUND = TicketFound(request="e-1", ticket="t-1", number="A001", state="waiting", ahead=4, wait_min=(5, 10))


def state(kiosk: Any) -> str:
    (found,) = [m for m in kiosk.runner.whole() if isinstance(m, KioskState)]
    return str(found.help)


async def until(kiosk: Any, wanted: str) -> None:
    await kiosk.room.until(lambda: state(kiosk) == wanted)


async def test_help_is_asked_once_seen_and_over(kiosk_room: Any) -> None:
    kiosk_room.room.coordinator()
    for _ in range(3):
        await kiosk_room.says(AskHelp())
    await until(kiosk_room, "asked")
    assert await kiosk_room.room.event(HelpWanted) == [HelpWanted(station="kiosk")]
    await kiosk_room.room.until(lambda: kiosk_room.room.lamp.on == {"help"})
    assert kiosk_room.room.screen.of(KioskState)[-1].help == "asked"
    assert await kiosk_room.room.command(ANSWER)
    assert state(kiosk_room) == "coming" and kiosk_room.room.lamp.on == set()
    assert await kiosk_room.room.command(HelpAnswered(station="kiosk", over=True), id="c-2")
    assert state(kiosk_room) == "none"
    assert [r.outcome for r in await kiosk_room.room.event(CommandResult, 2)] == ["done", "done"]
    await kiosk_room.says(AskHelp())
    await until(kiosk_room, "asked")


async def test_help_is_taken_back_and_an_answer_that_crosses_it_changes_nothing(kiosk_room: Any) -> None:
    await kiosk_room.says(AskHelp())
    await kiosk_room.says(AskHelp(wanted=False))
    await kiosk_room.room.event(HelpWanted, 2)
    await until(kiosk_room, "none")
    assert [e.wanted for e in await kiosk_room.room.event(HelpWanted)] == [True, False]
    assert kiosk_room.room.lamp.on == set()
    assert await kiosk_room.room.command(ANSWER)
    assert state(kiosk_room) == "none"


async def test_while_the_hall_is_away_the_call_waits_on_disk_and_the_lamp_is_lit(
    kiosk_room: Any, open_storage: Any
) -> None:
    await kiosk_room.says(AskHelp())
    await until(kiosk_room, "asked")
    await kiosk_room.room.until(lambda: kiosk_room.room.lamp.on == {"help"})
    assert (await kiosk_room.room.event(HelpWanted))[0].wanted
    assert state(kiosk_room) == "asked"


async def test_a_disk_that_is_full_leaves_the_lamp(kiosk_room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StorageError("agent.disk_full")

    monkeypatch.setattr(kiosk_room.room.storage._records, "blocking_add", full)
    await kiosk_room.says(AskHelp())
    await until(kiosk_room, "asked")
    await kiosk_room.room.until(lambda: kiosk_room.room.lamp.on == {"help"})
    monkeypatch.setattr(kiosk_room.runner._light, "_light", None)
    await kiosk_room.says(AskHelp(wanted=False))
    await until(kiosk_room, "none")
    await kiosk_room.says(AskHelp())
    await kiosk_room.room.storage.ping()
    await kiosk_room.says(AskHelp(wanted=False))
    assert state(kiosk_room) == "none", "nobody was told, and nothing is lit"


async def test_nobody_waits_for_help_for_ever(kiosk_room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(help, "OVER_S", 0.01)
    await kiosk_room.says(AskHelp())
    await kiosk_room.room.event(HelpWanted)
    await until(kiosk_room, "none")
    assert kiosk_room.room.lamp.on == set()
    assert len(await kiosk_room.room.event(HelpWanted)) == 1, "nobody took it back"


async def test_an_answer_for_another_station_is_not_ours(kiosk_room: Any) -> None:
    await kiosk_room.says(AskHelp())
    await until(kiosk_room, "asked")
    assert await kiosk_room.room.command(HelpAnswered(station="counter-1"))
    (result,) = await kiosk_room.room.event(CommandResult)
    assert (result.outcome, result.code) == ("failed", "command.not_here")
    assert state(kiosk_room) == "asked"


async def test_keys_for_people_who_do_not_see_go_to_the_screen(kiosk_room: Any) -> None:
    for key in ("down", "ok", "help", "next", "next"):
        kiosk_room.room.pad.press(key)
    await kiosk_room.shown(PadKey, 3)
    assert [m.key for m in kiosk_room.room.screen.of(PadKey)] == ["down", "ok", "help"]
    assert state(kiosk_room) == "none", "the screen asks first"


async def test_the_help_key_works_without_a_screen(kiosk_room: Any) -> None:
    kiosk_room.room.screen.there = False
    kiosk_room.room.pad.press("help", ago=FRESH_PRESS_S + 1)
    kiosk_room.room.pad.press("help")
    await until(kiosk_room, "asked")
    assert len(await kiosk_room.room.event(HelpWanted)) == 1
    assert not kiosk_room.room.screen.of(PadKey)


async def test_how_a_ticket_stands_is_asked_and_told(kiosk_room: Any) -> None:
    kiosk_room.room.coordinator()
    await kiosk_room.says(AskTicket(request="e-1", ticket="t-1"))
    assert await kiosk_room.room.event(TicketEnquired) == [TicketEnquired(request="e-1", ticket="t-1")]
    assert await kiosk_room.room.command(FOUND)
    assert await kiosk_room.shown(TicketTold) == TicketTold(request="e-1", found=FOUND)
    assert await kiosk_room.room.event(CommandResult) == [CommandResult(command="c-1", outcome="done")]


async def test_a_ticket_that_the_hall_does_not_know_is_told_with_its_code(kiosk_room: Any) -> None:
    kiosk_room.room.coordinator()
    await kiosk_room.says(AskTicket(request="e-1", ticket="t-1"))
    await kiosk_room.room.event(TicketEnquired)
    assert await kiosk_room.room.command(TicketFound(request="e-1", ticket="t-1", code="ticket.unknown"))
    assert await kiosk_room.shown(TicketTold) == TicketTold(request="e-1", code="ticket.unknown")


@pytest.mark.parametrize("why", ["offline", "silent", "gone", "disk"])
async def test_without_an_answer_the_citizen_is_told_so(
    kiosk_room: Any, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def full(*_: object) -> None:
        raise StorageError("agent.disk_full")

    if why != "offline":
        kiosk_room.room.coordinator()
    if why == "silent":
        monkeypatch.setattr(enquiries, "ANSWER_S", 0.01)
    if why == "disk":
        monkeypatch.setattr(kiosk_room.room.storage._records, "blocking_add", full)
    await kiosk_room.says(AskTicket(request="e-1", ticket="t-1"))
    if why == "gone":
        await kiosk_room.room.event(TicketEnquired)
        kiosk_room.room.coordinator(online=False)
    assert await kiosk_room.shown(TicketTold) == TicketTold(request="e-1", code="ticket.cannot_ask")
    if why == "silent":
        assert await kiosk_room.room.command(FOUND), "too late"
        assert len(kiosk_room.room.screen.of(TicketTold)) == 1


async def test_more_enquiries_than_there_is_room_for_are_refused(kiosk_room: Any) -> None:
    kiosk_room.room.coordinator()
    for n in range(enquiries.OPEN + 1):
        await kiosk_room.says(AskTicket(request=f"e-{n}", ticket="t-1"))
    told = await kiosk_room.shown(TicketTold)
    assert (told.request, told.code) == (f"e-{enquiries.OPEN}", "ticket.cannot_ask")
    assert len(await kiosk_room.room.event(TicketEnquired, enquiries.OPEN)) == enquiries.OPEN
