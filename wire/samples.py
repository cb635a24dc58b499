"""One example of every message, event body and command body, for documentation and tests.

They tell one story: at 09:00 a citizen takes A005 at kiosk-1, is called to counter 3 and rates the service.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

from wire import codec
from wire.kiosk_messages import CheckIn, HelpAnswered, HelpWanted, TicketEnquired, TicketFound
from wire.messages import (
    Board,
    BoardCall,
    BoardService,
    Call,
    CallReported,
    Catalogue,
    CatalogueGroup,
    CatalogueService,
    CommandResult,
    CoordinatorAck,
    CoordinatorNumbers,
    CoordinatorState,
    CounterClerk,
    CounterState,
    DeviceDescription,
    DeviceState,
    GrantLease,
    KeyPressed,
    LeaseLow,
    Message,
    NodeConfig,
    NodeDescription,
    NodeState,
    PrintTicket,
    PriorityClass,
    PromptRating,
    Rated,
    RatingReasonsGiven,
    RatingUnanswered,
    RefuseTicket,
    TicketIssuedOffline,
    TicketPrinted,
    TicketRequested,
    Zone,
)
from wire.shown import (
    Guide,
    GuideList,
    GuideMaterial,
    GuideTitle,
    Picture,
    Playlist,
    PlaylistItem,
    RatingReason,
    RatingReasons,
)

_DAY: Final = date(2026, 11, 23)
_COUNTER: Final = {"zh-CN": "3号窗口", "en": "Counter 3"}
_PROOF: Final = "5f" * 32
_SERVICE: Final = {"zh-CN": "社保登记", "en": "Social insurance"}
_HALL: Final = {"zh-CN": "新安区政务服务中心", "en": "Xin'an District Service Hall"}
_GROUP: Final = {"zh-CN": "综合服务", "en": "General services"}


def _at(minute: int, second: int = 0) -> datetime:
    return datetime(2026, 11, 23, 9, minute, second, tzinfo=timezone(timedelta(hours=8)))


EVENT_BODIES: Final[dict[str, Message]] = {
    "ticket_requested": TicketRequested(request="req-7f3a", service="social-insurance", priority="elderly"),
    "ticket_printed": TicketPrinted(ticket="t-0193", number="A005", paper="confirmed"),
    "ticket_issued_offline": TicketIssuedOffline(
        ticket="t-0194",
        number="A901",
        service="social-insurance",
        business_date=_DAY,
        lease_epoch=4,
        issued_at=_at(2),
        paper="unknown",
        code="device.no_answer",
    ),
    "check_in": CheckIn(request="req-7f3b", proof=_PROOF, name="王*明"),
    "ticket_enquired": TicketEnquired(request="req-7f3c", ticket="t-0193"),
    "help_wanted": HelpWanted(station="kiosk-1"),
    "key_pressed": KeyPressed(counter="3", key="transfer", shown_ticket="t-0193", target="tax"),
    "rated": Rated(prompt="p-0042", ticket="t-0193", counter="3", grade=5),
    "rating_reasons_given": RatingReasonsGiven(
        prompt="p-0042", ticket="t-0193", counter="3", grade=2, version=7, reasons=("slow", "attitude")
    ),
    "rating_unanswered": RatingUnanswered(prompt="p-0042", ticket="t-0193", counter="3", reason="timeout"),
    "call_reported": CallReported(
        call="c-0101", device="strip", how="shown", outcome="failed", code="device.no_answer"
    ),
    "lease_low": LeaseLow(group="general", business_date=_DAY, remaining=12),
    "command_result": CommandResult(command="cmd-0077", outcome="done"),
}

COMMAND_BODIES: Final[dict[str, Message]] = {
    "print_ticket": PrintTicket(
        ticket="t-0193",
        number="A005",
        service="social-insurance",
        request="req-7f3a",
        issued_at=_at(0),
        waiting_ahead=4,
        priority="elderly",
    ),
    "refuse_ticket": RefuseTicket(request="req-7f3a", code="ticket.service_closed"),
    "ticket_found": TicketFound(
        request="req-7f3c",
        ticket="t-0193",
        number="A005",
        state="waiting",
        service_name=_SERVICE,
        zone="hall-1",
        ahead=2,
        wait_min=(5, 15),
    ),
    "help_answered": HelpAnswered(station="kiosk-1"),
    "grant_lease": GrantLease(group="general", business_date=_DAY, first=901, last=950),
    "prompt_rating": PromptRating(
        prompt="p-0042",
        ticket="t-0193",
        number="A005",
        counter="3",
        service_name=_SERVICE,
        url="https://hall.example/r/p-0042",
    ),
}

_EVENTS: Final[dict[str, Message]] = {
    f"event/{kind}": codec.event(
        body, id=f"e-{seq:04}", stream="kiosk-1-a1", seq=seq, session="s-9c41", at=_at(0, seq)
    )
    for seq, (kind, body) in enumerate(EVENT_BODIES.items(), 1)
}
_COMMANDS: Final[dict[str, Message]] = {
    f"command/{kind}": codec.command(
        body, id=f"cmd-{number:04}", epoch=4, at=_at(0, number), deadline=_at(0, number + 30)
    )
    for number, (kind, body) in enumerate(COMMAND_BODIES.items(), 1)
}

TOPIC_IDS: Final = {
    "node": "kiosk-1",
    "device": "printer",
    "counter": "3",
    "guide": "social-insurance",
    "picture": "0c" * 16,
}
"""The ids that stand in the topics of the examples."""

SAMPLES: Final[dict[str, Message]] = {
    "coordinator_state": CoordinatorState(
        state="online",
        session="s-11aa",
        epoch=4,
        business_date=_DAY,
        at=_at(0),
        day_ends=_at(0) + timedelta(hours=19),
    ),
    "coordinator_numbers": CoordinatorNumbers(
        business_date=_DAY, issued={"general": 5}, leased={"general": 950}
    ),
    "coordinator_ack": CoordinatorAck(stream="kiosk-1-a1", through=9, epoch=4),
    "node_state": NodeState(state="online", session="s-9c41", at=_at(0)),
    "node_description": NodeDescription(
        model="Raspberry Pi 5 Model B",
        software="0.1.0",
        stations=("kiosk",),
        devices=(
            DeviceDescription(device="printer", kind="ticket_printer", driver="escpos", zone="hall-1"),
            DeviceDescription(device="reader", kind="card_reader", driver="sam_reader"),
        ),
        zones=("hall-1",),
        config_revision=12,
    ),
    "device_state": DeviceState(
        device="printer",
        kind="ticket_printer",
        health="degraded",
        code="printer.paper_low",
        facts={"paper": "low", "cover": "shut", "online": True, "cutter": "ok"},
        since=_at(0),
        seen_at=_at(1),
    ),
    **_EVENTS,
    **_COMMANDS,
    "counter": CounterState(
        epoch=4,
        rev=118,
        counter="3",
        name=_COUNTER,
        zone="hall-1",
        state="called",
        number="A005",
        ticket="t-0193",
        call="c-0101",
        service_name=_SERVICE,
        called_at=_at(12),
        waiting=4,
        parked=1,
        clerk=CounterClerk(number="012", name={"zh-CN": "王芳", "en": "Wang Fang"}, photo="0c" * 16),
        hours=("08:30-11:45", "13:30-16:45"),
        business_date=_DAY,
    ),
    "board": Board(
        epoch=4,
        rev=231,
        business_date=_DAY,
        calls=(
            BoardCall(
                number="A005",
                counter="3",
                counter_name=_COUNTER,
                call="c-0101",
                called_at=_at(12),
                state="called",
                name="王*明",
                zone="hall-1",
            ),
        ),
        services=(
            BoardService(
                service="social-insurance",
                name=_SERVICE,
                waiting=4,
                zone="hall-1",
                wait_min=(10, 25),
                left=120,
                hours=("08:30-11:45",),
            ),
        ),
        missed=("A002",),
        announcements=({"zh-CN": "中午不休息", "en": "Open at noon"},),
        hours=("08:30-11:45", "13:30-16:45"),
        hall_name=_HALL,
        zone_names={"east": {"zh-CN": "一楼东区", "en": "Ground floor, east"}},
    ),
    "catalogue": Catalogue(
        epoch=4,
        rev=3,
        hall_name=_HALL,
        services=(
            CatalogueService(
                service="social-insurance",
                name=_SERVICE,
                group="general",
                zone="hall-1",
                counters=(_COUNTER,),
                initials="sbdj",
                keywords=("五险",),
            ),
        ),
        groups=(CatalogueGroup(group="general", name=_GROUP, prefix="A"),),
        priorities=(
            PriorityClass(
                priority="elderly", name={"zh-CN": "老年人", "en": "Elderly"}, minimum_age=65, needs_card=True
            ),
        ),
        zones=(
            Zone(
                zone="hall-1",
                name={"zh-CN": "一楼大厅", "en": "Ground floor"},
                directions={"zh-CN": "进门左转", "en": "Turn left at the entrance"},
                floor={"zh-CN": "一楼", "en": "Ground floor"},
            ),
        ),
        ticket_url="https://hall.example/t/{ticket}",
        ticket_notes={"zh-CN": "过号请重新取号", "en": "Missed numbers: please take a new one"},
        call_by_name=True,
        appointments=True,
    ),
    "guides": GuideList(
        epoch=4,
        rev=2,
        guides=(
            GuideTitle(
                guide="social-insurance", name=_SERVICE, services=("social-insurance",), initials="sbdj"
            ),
        ),
    ),
    "guide": Guide(
        guide="social-insurance",
        name=_SERVICE,
        services=("social-insurance",),
        conditions=({"zh-CN": "在本市就业", "en": "Employed in this city"},),
        materials=(
            GuideMaterial(
                name={"zh-CN": "居民身份证", "en": "Identity card"},
                note={"zh-CN": "在有效期内", "en": "Still valid"},
                copies=1,
            ),
        ),
        steps=({"zh-CN": "取号", "en": "Take a number"}, {"zh-CN": "到窗口办理", "en": "Go to the counter"}),
        time_limit={"zh-CN": "当场办结", "en": "While you wait"},
        fee={"zh-CN": "不收费", "en": "Free"},
        basis={"zh-CN": "《社会保险法》", "en": "Social Insurance Law"},
        phone="12333",
    ),
    "playlist": Playlist(
        epoch=4,
        rev=5,
        items=(
            PlaylistItem(
                item="flood",
                text={"zh-CN": "汛期安全提示", "en": "Flood season safety"},
                picture="0c" * 16,
                seconds=15.0,
                first=_DAY,
                weekdays=(1, 2, 3, 4, 5),
                times=("08:30-17:00",),
                zones=("hall-1",),
            ),
        ),
    ),
    "picture": Picture(picture="0c" * 16, format="png", data=b"\x89PNG\r\n\x1a\n"),
    "rating_reasons": RatingReasons(
        version=7,
        reasons=(
            RatingReason(reason="slow", text={"zh-CN": "等候时间长", "en": "Long wait"}, grades=(1, 2)),
        ),
    ),
    "call": Call(
        call="c-0101",
        epoch=4,
        number="A005",
        counter="3",
        counter_name=_COUNTER,
        zone="hall-1",
        deadline=_at(12, 20),
    ),
    "config": NodeConfig(revision=12, profile='node = "kiosk-1"\n', signature="c2lnbmF0dXJl"),
}
"""By row of `wire.topics.KINDS`; envelopes by `event/{kind}` and `command/{kind}`."""
