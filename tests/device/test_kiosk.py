from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from device.database import StorageError
from device.profile import KioskStation
from device.stations.kiosk import KioskStationRunner
from drivers.card_reader.protocol import Card, CardEvent, Secret
from drivers.driver import Health
from drivers.ticket_printer.protocol import PrintResult
from wire.messages import (
    Catalogue,
    CatalogueGroup,
    CatalogueService,
    CommandResult,
    CoordinatorState,
    GrantLease,
    LeaseLow,
    PrintTicket,
    PriorityClass,
    RefuseTicket,
    TicketIssuedOffline,
    TicketPrinted,
    TicketRequested,
    Zone,
)
from wire.screen_link import CardGone, CardShown, KioskState, ReprintTicket, TakeTicket, TicketProgress

DAY = date(2026, 11, 20)
CATALOGUE = Catalogue(
    epoch=1,
    rev=1,
    hall_name={"zh-CN": "市民中心", "en": "Civic Centre"},
    services=(
        CatalogueService(
            service="id-card",
            name={"zh-CN": "身份证", "en": "ID card"},
            group="a",
            zone="east",
            counters=({"zh-CN": "1号窗口"}, {"zh-CN": "2号窗口"}),
        ),
        CatalogueService(
            service="closed", name={"zh-CN": "停办"}, group="a", zone="east", counters=(), open=False
        ),
    ),
    groups=(CatalogueGroup(group="a", name={"zh-CN": "甲"}, prefix="A"),),
    priorities=(
        PriorityClass(priority="elderly", name={"zh-CN": "老年人"}, minimum_age=60),
        PriorityClass(priority="eldest", name={"zh-CN": "高龄"}, minimum_age=80),
        PriorityClass(priority="soldier", name={"zh-CN": "军人"}),
    ),
    zones=(Zone(zone="east", name={"zh-CN": "东区"}, directions={"zh-CN": "左转"}),),
    ticket_url="https://hall.example/t/{ticket}",
    ticket_notes={"zh-CN": "过号重取"},
)


@pytest.fixture
async def kiosk(room: Any) -> KioskStationRunner:
    entry = KioskStation(id="kiosk", printer="printer", card_reader="reader", online_wait_s=0.05, lease_low=5)
    station = KioskStationRunner(entry, room.node, room.printer, room.reader)
    room.node.catalogue = CATALOGUE
    room.add(station)
    return station


def tap(request: str = "r-1", service: str = "id-card", **more: Any) -> TakeTicket:
    return TakeTicket(request=request, service=service, **more)


def ticket(request: str | None = "r-1", number: str = "A005", id: str = "t-5", **more: Any) -> PrintTicket:
    return PrintTicket(
        ticket=id,
        number=number,
        service="id-card",
        request=request,
        issued_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        waiting_ahead=3,
        **more,
    )


def stages(room: Any) -> list[tuple[str, str | None]]:
    return [(p.stage, p.code) for p in room.screen.of(TicketProgress)]


async def ended(room: Any, count: int = 1) -> TicketProgress:
    def progress() -> list[Any]:
        return [p for p in room.screen.of(TicketProgress) if p.stage in ("done", "failed", "refused")]

    await room.until(lambda: len(progress()) >= count)
    last: TicketProgress = progress()[-1]
    return last


async def give_lease(room: Any, first: int = 601, last: int = 610) -> None:
    assert await room.command(GrantLease(group="a", business_date=DAY, first=first, last=last), "lease-1")


async def test_a_tap_asks_the_coordinator_prints_and_reports(room: Any, kiosk: KioskStationRunner) -> None:
    room.coordinator()
    await kiosk.on_screen(tap(language="zh-CN"))
    (asked,) = await room.event(TicketRequested)
    assert (asked.request, asked.service) == ("r-1", "id-card")
    assert await room.command(ticket())
    last = await ended(room)
    assert (last.stage, last.number, last.paper, last.waiting_ahead, last.offline) == (
        "done", "A005", "confirmed", 3, False,
    )  # fmt: skip
    (paper,) = room.printer.papers
    assert paper.number == "A005" and paper.qr == "https://hall.example/t/t-5"
    assert {name: value for name, value in paper.values.items() if "@" not in name} == {
        "language": "zh-CN", "hall": "市民中心", "service": "身份证", "waiting": "3", "zone": "东区",
        "counters": "1号窗口、2号窗口", "directions": "左转", "time": "2026-11-20 09:30", "notes": "过号重取",
    }  # fmt: skip
    english = {name: value for name, value in paper.values.items() if name.endswith("@en")}
    assert {"hall@en", "service@en"} <= english.keys()
    assert english["service@en"] != paper.values["service"]
    assert await room.event(TicketPrinted) == [TicketPrinted(ticket="t-5", number="A005", paper="confirmed")]


async def test_a_repeated_command_prints_nothing_again(room: Any, kiosk: KioskStationRunner) -> None:
    room.coordinator()
    await kiosk.on_screen(tap())
    await room.event(TicketRequested)
    assert await room.command(ticket())
    assert await room.command(ticket())
    assert await room.command(ticket(), id="c-2"), "the same ticket by another command"
    assert len(room.printer.papers) == 1
    assert len(room.again) == 1
    printed = await room.event(TicketPrinted, 2)
    assert [p.paper for p in printed] == ["confirmed", "confirmed"]


async def test_a_command_delivered_twice_at_once_prints_once(room: Any, kiosk: KioskStationRunner) -> None:
    from device.dispatch import Dispatch
    from wire.codec import command

    room.printer.hold = asyncio.Event()
    now = room.clock.now()
    body = ticket(request=None, reprint=True)
    envelope = command(body, id="c-1", epoch=1, at=now, deadline=now + timedelta(seconds=30))
    handlers = {kind: [handler] for kind, handler in kiosk.handlers.items()}
    dispatch = Dispatch(room.storage, room.clock, handlers, room.again.append)
    both = asyncio.gather(dispatch.take(envelope, body), dispatch.take(envelope, body))
    await room.printer.began.wait()
    room.printer.hold.set()
    assert await both == [True, True]
    assert len(room.printer.papers) == 1 and len(room.again) == 1


async def test_a_refusal_reaches_the_citizen(room: Any, kiosk: KioskStationRunner) -> None:
    room.coordinator()
    await kiosk.on_screen(tap())
    await room.event(TicketRequested)
    assert await room.command(RefuseTicket(request="r-1", code="ticket.service_closed"))
    assert (await ended(room)).code == "ticket.service_closed"
    assert room.printer.papers == []
    assert await room.event(CommandResult) == [CommandResult(command="c-1", outcome="done")]


async def test_without_an_answer_in_time_the_lease_is_used_and_the_late_number_is_voided(
    room: Any, kiosk: KioskStationRunner
) -> None:
    room.coordinator()
    await give_lease(room)
    await kiosk.on_screen(tap())
    last = await ended(room)
    assert (last.stage, last.number, last.offline) == ("done", "A601", True)
    assert await room.command(ticket())
    assert len(room.printer.papers) == 1, "two papers for one tap"
    (late,) = await room.event(TicketPrinted)
    assert (late.ticket, late.paper, late.code) == ("t-5", "failed", "ticket.too_late")


async def test_while_the_coordinator_is_away_numbers_come_from_the_lease_until_it_is_used_up(
    room: Any, kiosk: KioskStationRunner
) -> None:
    room.coordinator()
    await give_lease(room, 601, 602)
    room.coordinator(online=False)
    for n in range(3):
        await kiosk.on_screen(tap(f"r-{n}", priority="elderly"))
        await ended(room, n + 1)
    assert stages(room)[-1] == ("refused", "kiosk.no_numbers")
    issued = await room.event(TicketIssuedOffline)
    assert [i.number for i in issued] == ["A601", "A602"]
    assert {(i.paper, i.business_date, i.lease_epoch, i.priority) for i in issued} == {
        ("confirmed", DAY, 1, "elderly")
    }
    assert [p.values.get("waiting") for p in room.printer.papers] == [None, None]
    assert not [e for e in await room.events() if isinstance(e, TicketRequested)]


async def test_losing_the_coordinator_while_waiting_does_not_cost_the_citizen_the_wait(
    room: Any, kiosk: KioskStationRunner
) -> None:
    kiosk.numbers._station = KioskStation(id="kiosk", printer="printer", online_wait_s=30)
    room.coordinator()
    await give_lease(room)
    await kiosk.on_screen(tap())
    await room.event(TicketRequested)
    room.coordinator(online=False)
    assert (await ended(room)).number == "A601"


async def test_a_printer_that_cannot_print_is_refused_before_a_number_is_asked_for(
    room: Any, kiosk: KioskStationRunner
) -> None:
    room.coordinator()
    room.printer.able = False
    room.printer.report(Health("fault", "printer.paper_out"))
    await kiosk.on_screen(tap())
    assert (await ended(room)).code == "printer.paper_out"
    assert not [e for e in await room.events() if isinstance(e, TicketRequested)]


@pytest.mark.parametrize(
    ("service", "code"), [("closed", "ticket.service_closed"), ("none", "ticket.service_unknown")]
)
async def test_offline_only_open_services_of_the_catalogue_are_given(
    room: Any, kiosk: KioskStationRunner, service: str, code: str
) -> None:
    await give_lease(room)
    await kiosk.on_screen(tap(service=service))
    assert (await ended(room)).code == code


async def test_a_retained_state_of_yesterday_does_not_bring_back_yesterdays_numbers(
    room: Any, kiosk: KioskStationRunner
) -> None:
    """The broker is back after a power cut and has kept the last heartbeat; the coordinator is not back."""
    yesterday = DAY - timedelta(days=1)
    assert await room.command(GrantLease(group="a", business_date=yesterday, first=601, last=640), "old")
    room.link.set_connected(True)
    at = room.clock.now() - timedelta(hours=15)
    room.link.hear(
        CoordinatorState(state="online", session="s", epoch=1, at=at, business_date=yesterday), retained=True
    )
    room.link.set_connected(False)
    await kiosk.on_screen(tap())
    assert (await ended(room)).code == "kiosk.no_numbers"
    assert room.printer.papers == []


async def test_cut_off_in_the_night_the_date_ends_when_the_hall_said(
    room: Any, kiosk: KioskStationRunner, hands: Any
) -> None:
    """Its numbers are given until then and none after; the screen is told which date it is."""
    room.link.set_connected(True)
    ends = room.clock.now() + timedelta(hours=3)
    heard = CoordinatorState(
        state="online", session="s", epoch=1, at=room.clock.now(), business_date=DAY, day_ends=ends
    )
    room.link.hear(heard, retained=False)
    await give_lease(room)
    room.link.set_connected(False)
    hands.forward(3 * 3600 - 60)
    await kiosk.on_screen(tap())
    assert (await ended(room)).number == "A601"
    assert room.screen.of(KioskState)[-1].business_date == DAY
    hands.forward(60)
    await kiosk.leases.look()
    told = room.screen.of(KioskState)[-1]
    assert (told.business_date, told.offline_numbers) == (DAY + timedelta(days=1), {})
    await kiosk.on_screen(tap("r-2"))
    assert (await ended(room, 2)).code == "kiosk.no_numbers"


async def test_a_date_that_cannot_be_right_is_not_printed(
    room: Any, kiosk: KioskStationRunner, hands: Any
) -> None:
    await give_lease(room)
    hands.wall = 1000.0
    await kiosk.on_screen(tap())
    assert (await ended(room)).code == "kiosk.no_time"


async def test_the_same_request_said_again_gives_one_paper(room: Any, kiosk: KioskStationRunner) -> None:
    await give_lease(room)
    for _ in range(3):
        await kiosk.on_screen(tap())
    await ended(room)
    await kiosk.on_screen(tap())
    await ended(room, 2)
    assert len(room.printer.papers) == 1
    assert len(await room.event(TicketIssuedOffline)) == 1


async def test_a_paper_that_failed_is_reported_and_shown_as_failed(
    room: Any, kiosk: KioskStationRunner
) -> None:
    room.coordinator()
    room.printer.results = [PrintResult("failed", "printer.paper_out")]
    await kiosk.on_screen(tap())
    await room.event(TicketRequested)
    await room.command(ticket())
    last = await ended(room)
    assert (last.stage, last.code) == ("failed", "printer.paper_out")
    (printed,) = await room.event(TicketPrinted)
    assert (printed.paper, printed.code) == ("failed", "printer.paper_out")


async def test_after_an_unknown_paper_the_same_number_is_printed_again_once(
    room: Any, kiosk: KioskStationRunner
) -> None:
    await give_lease(room)
    room.printer.results = [PrintResult("unknown", "device.unplugged")]
    await kiosk.on_screen(tap())
    first = await ended(room)
    assert (first.paper, first.number) == ("unknown", "A601")
    for _ in range(2):
        await kiosk.on_screen(ReprintTicket(ticket=first.ticket or ""))
    again = await ended(room, 2)
    assert (again.number, again.paper) == ("A601", "confirmed")
    assert [p.reprint for p in room.printer.papers] == [False, True]
    (printed,) = await room.event(TicketPrinted)
    assert (printed.ticket, printed.number, printed.paper) == (first.ticket, "A601", "confirmed")
    await kiosk.on_screen(ReprintTicket(ticket=first.ticket or ""))
    await room.node.storage.ping()
    assert len(room.printer.papers) == 2, "a known paper is not printed again"


async def test_a_number_on_a_full_disk_is_refused_and_nothing_is_printed(
    room: Any, kiosk: KioskStationRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("agent.disk_full")

    await give_lease(room)
    monkeypatch.setattr(room.storage._records, "blocking_burn", full)
    await kiosk.on_screen(tap())
    assert (await ended(room)).code == "agent.disk_full"
    await kiosk.on_screen(tap("r-2"))
    assert (await ended(room, 2)).code == "agent.disk_full"
    assert room.printer.papers == []


async def test_a_paper_that_is_out_is_not_refused_because_the_disk_filled_up_after_it(
    room: Any, kiosk: KioskStationRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full() -> None:
        raise StorageError("agent.disk_full")

    await give_lease(room)
    monkeypatch.setattr(kiosk.leases, "look", full)
    await kiosk.on_screen(tap())
    await room.event(TicketIssuedOffline)
    await room.until(lambda: "r-1" not in kiosk.numbers._wishes)
    assert stages(room) == [("printing", None), ("done", None)]


async def test_a_bug_is_told_to_the_citizen(
    room: Any, kiosk: KioskStationRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("bug")

    monkeypatch.setattr("device.stations.numbers.paper_of", broken)
    await give_lease(room)
    await kiosk.on_screen(tap())
    last = await ended(room)
    assert (last.stage, last.code) == ("refused", "agent.fault")
    room.coordinator()
    await kiosk.on_screen(tap("r-2"))
    await room.event(TicketRequested)
    assert await room.command(ticket("r-2"))
    last = await ended(room, 2)
    assert (last.request, last.stage, last.code) == ("r-2", "refused", "agent.fault")
    assert room.printer.papers == []


async def test_a_reprint_that_cannot_be_noted_is_told_and_can_be_tried_again(
    room: Any, kiosk: KioskStationRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("agent.disk_full")

    await give_lease(room)
    room.printer.results = [PrintResult("unknown", "device.unplugged")]
    await kiosk.on_screen(tap())
    first = await ended(room)
    with monkeypatch.context() as patched:
        patched.setattr(room.storage._records, "blocking_begin_print", full)
        await kiosk.on_screen(ReprintTicket(ticket=first.ticket or ""))
        again = await ended(room, 2)
    assert (again.stage, again.paper, again.code) == ("done", "unknown", "agent.disk_full")
    await room.storage.keep("probe", b"")
    await kiosk.on_screen(ReprintTicket(ticket=first.ticket or ""))
    assert (await ended(room, 3)).paper == "confirmed"


async def test_after_a_reprint_that_failed_the_paper_is_as_doubtful_as_before(
    room: Any, kiosk: KioskStationRunner
) -> None:
    await give_lease(room)
    room.printer.results = [
        PrintResult("unknown", "device.unplugged"), PrintResult("failed", "printer.cover_open")
    ]  # fmt: skip
    await kiosk.on_screen(tap())
    first = await ended(room)
    await kiosk.on_screen(ReprintTicket(ticket=first.ticket or ""))
    again = await ended(room, 2)
    assert (again.stage, again.number, again.paper, again.code) == (
        "done", "A601", "unknown", "printer.cover_open",
    )  # fmt: skip
    await kiosk.on_screen(ReprintTicket(ticket=first.ticket or ""))
    assert (await ended(room, 3)).paper == "confirmed"
    assert [p.reprint for p in room.printer.papers] == [False, True, True]


async def test_a_driver_bug_in_the_middle_of_a_paper_is_unknown(
    room: Any, kiosk: KioskStationRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_paper: object) -> PrintResult:
        raise KeyError("bug")

    await give_lease(room)
    monkeypatch.setattr(room.printer, "print_ticket", broken)
    await kiosk.on_screen(tap())
    assert (await ended(room)).paper == "unknown"
    (issued,) = await room.event(TicketIssuedOffline)
    assert (issued.paper, issued.code) == ("unknown", "device.fault")


async def test_numbers_are_asked_for_when_few_are_left_and_not_twice(
    room: Any, kiosk: KioskStationRunner
) -> None:
    room.coordinator()
    (low,) = await room.event(LeaseLow)
    assert low == LeaseLow(group="a", business_date=DAY, remaining=0)
    await kiosk.leases.look()
    assert len(await room.event(LeaseLow)) == 1
    await give_lease(room, 601, 606)
    assert kiosk.leases.remaining == {"a": 6}
    for n in range(2):
        await kiosk.on_screen(tap(f"r-{n}"))
        await ended(room, n + 1)
    lows = await room.event(LeaseLow, 2)
    assert lows[1].remaining == 4
    states = room.screen.of(KioskState)
    assert states[-1].offline_numbers == {"a": 4}


async def test_an_expired_print_command_prints_nothing(room: Any, kiosk: KioskStationRunner) -> None:
    assert await room.command(ticket(request=None, reprint=True), seconds=-1)
    assert room.printer.papers == []
    assert await room.event(CommandResult) == [
        CommandResult(command="c-1", outcome="expired", code="command.expired")
    ]


async def test_a_print_that_waited_past_its_deadline_is_not_begun(
    room: Any, kiosk: KioskStationRunner, hands: Any
) -> None:
    room.printer.hold = asyncio.Event()
    first = asyncio.create_task(room.command(ticket(request=None, reprint=True), id="c-1"))
    await room.printer.began.wait()
    second = asyncio.create_task(
        room.command(ticket(request=None, id="t-6", number="A006", reprint=True), id="c-2")
    )
    await room.until(lambda: bool(kiosk.numbers.paper._printing._waiters))
    hands.forward(60)
    room.printer.hold.set()
    assert await first and await second
    assert [p.number for p in room.printer.papers] == ["A005"]
    printed = await room.event(TicketPrinted, 2)
    assert [(p.number, p.paper, p.code) for p in printed] == [
        ("A005", "confirmed", None),
        ("A006", "failed", "ticket.too_late"),
    ]


def card(birth: date) -> CardEvent:
    return CardEvent(
        "read",
        Card("citizen", Secret("王小明", "name"), Secret("110101199003070011", "number"), birth, None),
    )


@pytest.mark.parametrize(
    ("birth", "priority"),
    [
        (date(1990, 3, 7), None),
        (date(1966, 11, 20), "elderly"),
        (date(1966, 11, 21), None),
        (date(1940, 1, 1), "eldest"),
    ],
)
async def test_a_card_is_shown_masked_with_the_priority_of_its_age_and_forgotten_when_it_goes(
    room: Any, kiosk: KioskStationRunner, birth: date, priority: str | None
) -> None:
    room.reader.events.put_nowait(card(birth))
    await room.until(lambda: room.screen.of(CardShown))
    (shown,) = room.screen.of(CardShown)
    assert (shown.name, shown.number, shown.priority) == ("王*明", "11**************11", priority)
    assert shown in kiosk.whole()
    room.reader.events.put_nowait(CardEvent("removed"))
    await room.until(lambda: room.screen.of(CardGone))
    assert not any(isinstance(m, CardShown) for m in kiosk.whole())


async def test_a_card_is_forgotten_when_its_reader_goes(room: Any, kiosk: KioskStationRunner) -> None:
    room.reader.events.put_nowait(card(date(1990, 3, 7)))
    await room.until(lambda: room.screen.of(CardShown))
    room.device("reader", "card_reader", "missing", "device.unplugged")
    assert room.screen.of(CardGone)


async def test_a_card_that_was_not_read_is_asked_for_again(room: Any, kiosk: KioskStationRunner) -> None:
    room.reader.events.put_nowait(CardEvent("lay_again"))
    await room.until(lambda: room.screen.of(CardShown))
    assert room.screen.of(CardShown) == [CardShown(lay_again=True)]
