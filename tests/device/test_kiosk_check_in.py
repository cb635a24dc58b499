"""Check-in by card or code, and the name that may be called: what leaves the kiosk, and what never does."""

from __future__ import annotations

import asyncio
import logging
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from device.stations import numbers
from device.stations.card import name_on_board
from device.stations.handles import HANDLE_S, HANDLES, Handles
from drivers.card_reader.protocol import Card, CardEvent, Code, Secret
from wire.codec import encode
from wire.kiosk_messages import CheckIn
from wire.messages import CommandResult, RefuseTicket, TicketPrinted, TicketRequested
from wire.proof import keyed_hash
from wire.screen_link import CardShown, CodeScanned, NumberSeen, TakeAppointment, TakeTicket, encode_line

KEY = bytes(range(32))
NUMBER = "11010119900307001X"
NAME = "王小明"


def card(number: str = NUMBER, name: str = NAME) -> CardEvent:
    return CardEvent(
        "read", Card("citizen", Secret(name, "name"), Secret(number, "number"), date(1990, 3, 7), None)
    )


def code(text: str) -> CardEvent:
    return CardEvent("code", code=Code(Secret(text, "code"), "qr"))


def without_key(kiosk: Any) -> None:
    kiosk.key_file.unlink()
    kiosk.runner.handles._key = None


async def laid(kiosk: Any, count: int = 1) -> str:
    kiosk.room.reader.events.put_nowait(card())
    handle: str = (await kiosk.shown(CardShown, count)).handle
    return handle


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    then = loop.time() + seconds
    monkeypatch.setattr(loop, "time", lambda: then)


async def test_a_card_checks_in_like_a_tap_and_the_service_is_the_halls(kiosk_room: Any) -> None:
    kiosk_room.room.coordinator()
    handle = await laid(kiosk_room)
    await kiosk_room.says(TakeAppointment(request="r-1", handle=handle))
    (event,) = await kiosk_room.room.event(CheckIn)
    assert event == CheckIn(request="r-1", proof=keyed_hash(KEY, NUMBER))
    assert await kiosk_room.room.command(kiosk_room.ticket())
    done = await kiosk_room.ended()
    assert (done.stage, done.number, done.service, done.paper) == ("done", "A005", "id-card", "confirmed")
    assert [p.values["service"] for p in kiosk_room.room.printer.papers] == ["身份证"]


@pytest.mark.parametrize("typed", ["yy-20 48", "YY2048", " yy2048 "])
async def test_a_code_is_the_same_scanned_or_typed(kiosk_room: Any, typed: str) -> None:
    kiosk_room.room.coordinator()
    kiosk_room.room.scanner.events.put_nowait(code("YY2048"))
    handle = (await kiosk_room.shown(CodeScanned)).handle
    await kiosk_room.says(TakeAppointment(request="r-1", handle=handle))
    await kiosk_room.says(TakeAppointment(request="r-2", code=typed))
    events = await kiosk_room.room.event(CheckIn, 2)
    assert {event.proof for event in events} == {keyed_hash(KEY, "YY2048")}


async def test_an_appointment_can_be_taken_from_the_screen(kiosk_room: Any) -> None:
    kiosk_room.room.coordinator()
    kiosk_room.no_paper()
    await kiosk_room.says(TakeAppointment(request="r-1", code="YY2048", paperless=True))
    (event,) = await kiosk_room.room.event(CheckIn)
    assert event.paperless
    command = asyncio.create_task(kiosk_room.room.command(kiosk_room.ticket(paperless=True)))
    shown = await kiosk_room.progress("printing")
    assert (shown.paperless, shown.service) == (True, "id-card")
    await kiosk_room.says(NumberSeen(request="r-1"))
    assert await command
    assert (await kiosk_room.ended()).code == "ticket.on_screen"


async def test_a_refusal_says_what_the_hall_says(kiosk_room: Any) -> None:
    kiosk_room.room.coordinator()
    await kiosk_room.says(TakeAppointment(request="r-1", code="YY2048"))
    await kiosk_room.room.event(CheckIn)
    refusal = RefuseTicket(request="r-1", code="appointment.too_early", facts={"from": "09:30"})
    assert await kiosk_room.room.command(refusal)
    refused = await kiosk_room.ended()
    assert (refused.stage, refused.code, refused.facts) == (
        "refused", "appointment.too_early", {"from": "09:30"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (TakeAppointment(request="r-1", handle="0" * 32), "appointment.lay_again"),
        (TakeAppointment(request="r-1", code=" - "), "appointment.none"),
        (TakeAppointment(request="r-1"), "appointment.none"),
    ],
)
async def test_what_cannot_be_matched_is_not_asked(kiosk_room: Any, wish: TakeAppointment, why: str) -> None:
    kiosk_room.room.coordinator()
    await kiosk_room.says(wish)
    assert (await kiosk_room.ended()).code == why
    assert not [e for e in await kiosk_room.room.events() if isinstance(e, CheckIn)]


async def test_without_the_halls_key_nothing_is_asked(kiosk_room: Any) -> None:
    without_key(kiosk_room)
    kiosk_room.room.coordinator()
    handle = await laid(kiosk_room)
    assert handle is None
    await kiosk_room.says(TakeAppointment(request="r-1", code="YY2048"))
    assert (await kiosk_room.ended()).code == "scanner.no_key"


async def test_no_lease_takes_the_place_of_an_appointment(
    kiosk_room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kiosk_room.lease()
    await kiosk_room.says(TakeAppointment(request="r-1", code="YY2048"))
    assert (await kiosk_room.ended()).code == "appointment.offline"
    monkeypatch.setattr(numbers, "CHECK_IN_S", 0.01)
    kiosk_room.room.coordinator()
    await kiosk_room.says(TakeAppointment(request="r-2", code="YY2048"))
    assert (await kiosk_room.ended(2)).code == "appointment.offline"
    assert await kiosk_room.room.command(kiosk_room.ticket("r-2"))
    (late,) = await kiosk_room.room.event(TicketPrinted)
    assert (late.paper, late.code) == ("failed", "ticket.too_late")
    assert kiosk_room.room.printer.papers == []
    assert await kiosk_room.room.command(RefuseTicket(request="r-2", code="appointment.none"), id="c-9")
    assert (await kiosk_room.room.event(CommandResult, 2))[-1].code == "ticket.too_late"


async def test_losing_the_coordinator_ends_the_wait(kiosk_room: Any) -> None:
    kiosk_room.room.coordinator()
    await kiosk_room.says(TakeAppointment(request="r-1", code="YY2048"))
    await kiosk_room.room.event(CheckIn)
    await kiosk_room.progress("requested")
    kiosk_room.room.coordinator(online=False)
    assert (await kiosk_room.ended()).code == "appointment.offline"


async def test_a_request_said_again_checks_in_once(kiosk_room: Any) -> None:
    kiosk_room.room.coordinator()
    for _ in range(3):
        await kiosk_room.says(TakeAppointment(request="r-1", code="YY2048"))
    await kiosk_room.room.event(CheckIn)
    assert await kiosk_room.room.command(kiosk_room.ticket())
    await kiosk_room.ended()
    await kiosk_room.says(TakeAppointment(request="r-1", code="YY2048"))
    await kiosk_room.ended(2)
    assert len(await kiosk_room.room.event(CheckIn)) == 1
    assert len(kiosk_room.room.printer.papers) == 1


async def test_a_card_is_known_while_it_lies_there_and_for_two_minutes_after(
    kiosk_room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = await laid(kiosk_room)
    handles = kiosk_room.runner.handles
    with monkeypatch.context() as patched:
        later(patched, 10 * HANDLE_S)
        assert handles.known(handle), "it lies there"
    kiosk_room.room.reader.events.put_nowait(CardEvent("removed"))
    await kiosk_room.room.until(lambda: kiosk_room.runner._card.shown is None)
    with monkeypatch.context() as patched:
        later(patched, HANDLE_S - 1)
        assert handles.proof(handle) == keyed_hash(KEY, NUMBER)
    later(monkeypatch, HANDLE_S + 1)
    assert handles.proof(handle) is None and handles.name(handle) is None


async def test_the_card_that_lies_there_is_not_pushed_out_by_codes(kiosk_room: Any) -> None:
    handle = await laid(kiosk_room)
    for n in range(2 * HANDLES):
        kiosk_room.room.scanner.events.put_nowait(code(f"YY{n}"))
    await kiosk_room.shown(CodeScanned, 2 * HANDLES)
    assert kiosk_room.runner.handles.known(handle)
    assert len(kiosk_room.runner.handles._held) == HANDLES


@pytest.mark.parametrize("by_name", [True, False])
async def test_the_masked_name_goes_along_only_where_the_hall_calls_by_name(
    kiosk_room: Any, by_name: bool
) -> None:
    kiosk_room.catalogue(call_by_name=by_name)
    kiosk_room.room.coordinator()
    handle = await laid(kiosk_room)
    await kiosk_room.says(TakeTicket(request="r-1", service="id-card", card=handle))
    await kiosk_room.says(TakeAppointment(request="r-2", handle=handle))
    (tap,), (check_in,) = await kiosk_room.room.event(TicketRequested), await kiosk_room.room.event(CheckIn)
    assert tap.name == check_in.name == ("王*明" if by_name else None)


async def test_a_name_is_called_without_the_halls_key_too(kiosk_room: Any) -> None:
    without_key(kiosk_room)
    kiosk_room.catalogue(call_by_name=True)
    kiosk_room.room.coordinator()
    handle = await laid(kiosk_room)
    await kiosk_room.says(TakeTicket(request="r-1", service="id-card", card=handle))
    (tap,) = await kiosk_room.room.event(TicketRequested)
    assert tap.name == "王*明"
    await kiosk_room.ended()
    await kiosk_room.says(TakeAppointment(request="r-2", handle=handle))
    refused = await kiosk_room.ended(2)
    assert (refused.request, refused.code) == ("r-2", "scanner.no_key")


@pytest.mark.parametrize(
    "name", ["王", "王明", "王小明", "欧阳小明", "JOHN FITZGERALD ALEXANDER MACDONALD-SMITH"]
)
async def test_every_name_on_a_card_may_travel_masked(kiosk_room: Any, name: str) -> None:
    masked = name_on_board(Secret(name, "name").masked)
    assert masked is not None and len(masked) <= 12 and sum(c != "*" for c in masked) <= 2
    encode(TicketRequested(request="r", service="s", name=masked))
    kiosk_room.catalogue(call_by_name=True)
    kiosk_room.room.coordinator()
    kiosk_room.room.reader.events.put_nowait(card(name=name))
    shown = await kiosk_room.shown(CardShown)
    await kiosk_room.says(TakeTicket(request="r-1", service="id-card", card=shown.handle))
    (tap,) = await kiosk_room.room.event(TicketRequested)
    assert tap.name == masked


async def test_number_name_and_code_are_in_no_message_file_or_log(
    kiosk_room: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kiosk_room.catalogue(call_by_name=True)
    kiosk_room.room.coordinator()
    handle = await laid(kiosk_room)
    await kiosk_room.says(TakeAppointment(request="r-1", handle=handle))
    await kiosk_room.says(TakeAppointment(request="r-2", code="SAMPLE-CODE-1390"))
    await kiosk_room.room.event(CheckIn, 2)
    said = b"".join(encode_line(message) for _, message in kiosk_room.room.screen.messages)
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("agent.db*"))
    events = b"".join(encode(event) for event in await kiosk_room.room.events())
    for piece in (NUMBER, NAME, "小", "SAMPLE-CODE", "SAMPLECODE"):
        for where in (said, stored, events, caplog.text.encode()):
            assert piece.encode() not in where, piece
    assert NUMBER not in repr(kiosk_room.runner.handles._held) and NAME not in repr(
        kiosk_room.runner.handles._held
    )


async def test_a_key_that_comes_later_is_found(tmp_path: Path) -> None:
    path = tmp_path / "key"
    handles = Handles(str(path))
    assert handles.typed("YY2048") is None
    path.write_bytes(KEY)
    path.chmod(0o600)
    assert handles.typed("YY2048") == keyed_hash(KEY, "YY2048")
