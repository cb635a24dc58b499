"""Pages of the kiosk: each a kiosk brought there by messages and touches only.

`PAGES` makes a kiosk per page and language, `ABOUT` says what it is, and `WAYS` are touches from the attract
page on, with an agent that gives every number at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from itertools import count
from typing import Final

import msgspec

from ui.kiosk.kiosk import Kiosk
from wire.messages import (
    Board,
    BoardService,
    Catalogue,
    CatalogueGroup,
    CatalogueService,
    DeviceState,
    LocalText,
    PriorityClass,
    Zone,
)
from wire.screen_link import (
    CardGone,
    CardShown,
    CodeScanned,
    GuidesShown,
    KioskState,
    LinkMessage,
    PlaylistShown,
    ShownPicture,
    TicketProgress,
    TimeShown,
)
from wire.shown import GuideTitle, PlaylistItem

MORNING: Final = datetime(2026, 3, 9, 9, 30, 5, tzinfo=timezone(timedelta(hours=8)))
T0: Final = 1000.0
"""Monotonic time of the first message."""
TICKET: Final = "7f3c9a1e5b2d4f60"
HOURS: Final = ("08:30-11:45", "13:30-16:45")


def _both(zh: str, en: str) -> LocalText:
    return {"zh-CN": zh, "en": en}


GROUPS: Final = (
    CatalogueGroup(group="general", name=_both("综合服务", "General services"), prefix="A"),
    CatalogueGroup(group="household", name=_both("户政出入境", "Household and travel documents"), prefix="B"),
    CatalogueGroup(group="social", name=_both("社保医保", "Social and medical insurance"), prefix="C"),
    CatalogueGroup(group="property", name=_both("不动产与税务", "Property and tax"), prefix="D"),
    CatalogueGroup(group="marriage", name=_both("婚姻登记", "Marriage registration"), prefix="E"),
)

_SERVICES: Final = (
    ("business-license", "general", "east", "qykb", "企业开办", "Business registration"),
    ("self-employed", "general", "east", "gtgshdj", "个体工商户登记", "Sole trader registration"),
    (
        "food-permit",
        "general",
        "east",
        "spjyxkhxcyxzfbadjbgyxyzx",
        "食品经营许可（含小餐饮、小作坊备案登记）变更、延续与注销",
        "Food business permit (with small restaurants and workshops): change, extension and cancellation",
    ),
    ("special-permit", "general", "east", "tzsbsydj", "特种设备使用登记", "Use of special equipment"),
    ("id-card", "household", "east", "jmsfzbl", "居民身份证办理", "Resident identity card"),
    ("household-register", "household", "east", "hkdjyqy", "户口登记与迁移", "Household registration"),
    ("passport", "household", "east", "crjzj", "出入境证件", "Passports and travel permits"),
    ("residence-permit", "household", "east", "jzzsl", "居住证申领", "Residence permit"),
    ("pension", "social", "west", "ylbx", "养老保险", "Pension insurance"),
    (
        "pension-transfer",
        "social",
        "west",
        "jgsydwgzryjbylbxgxzyjx",
        "机关事业单位工作人员基本养老保险关系转移接续",
        "Transfer and continuation of basic pension insurance for staff of public bodies",
    ),
    ("medical-insurance", "social", "west", "ylbx", "医疗保险", "Medical insurance"),
    ("social-card", "social", "west", "shbzk", "社会保障卡", "Social security card"),
    ("unemployment", "social", "west", "sybxsl", "失业保险金申领", "Unemployment benefit"),
    ("property-transfer", "property", "west", "bdczydj", "不动产转移登记", "Transfer of real estate"),
    ("property-mortgage", "property", "west", "bdcdydj", "不动产抵押登记", "Mortgage registration"),
    ("tax", "property", "west", "sfjn", "税费缴纳", "Tax payment"),
    ("marriage", "marriage", "west", "hydj", "婚姻登记", "Marriage registration"),
)

CATALOGUE: Final = Catalogue(
    epoch=1,
    rev=1,
    hall_name=_both("清河区政务服务中心", "Qinghe District Government Service Hall"),
    services=tuple(
        CatalogueService(
            service=service,
            name=_both(zh, en),
            group=group,
            zone=zone,
            counters=(_both("1号窗口", "Counter 1"),),
            initials=initials,
        )
        for service, group, zone, initials, zh, en in _SERVICES
    ),
    groups=GROUPS,
    priorities=(
        PriorityClass(
            priority="elderly", name=_both("老年人优先", "Aged 65 and over"), minimum_age=65, needs_card=True
        ),
        PriorityClass(priority="disabled", name=_both("残疾人优先", "People with disabilities")),
        PriorityClass(priority="soldier", name=_both("军人优先", "Members of the armed forces")),
        PriorityClass(priority="pregnant", name=_both("孕妇及带婴幼儿者", "Pregnant, or with an infant")),
        PriorityClass(priority="booked", name=_both("预约", "Appointment"), offered=False),
    ),
    zones=(
        Zone(
            zone="east",
            name=_both("东区", "East wing"),
            directions=_both("进门右转，1、2号窗口", "Turn right at the entrance, counters 1 and 2"),
            floor=_both("一楼", "Ground floor"),
        ),
        Zone(
            zone="west",
            name=_both("西区", "West wing"),
            directions=_both(
                "乘电梯上二楼左转，3至6号窗口", "Lift to the first floor, then left, counters 3 to 6"
            ),
            floor=_both("二楼", "First floor"),
        ),
    ),
    ticket_url="https://hall.example/t/{ticket}",
    appointments=True,
)

_WAITING: Final = (3, 0, 12, 1, 7, 0, 28, 2, 5, 4, 9, 0, 1, 6, 3, 2, 4)


def board(**changes: Mapping[str, object]) -> Board:
    """`changes` of services, by their ids with `_` for `-`."""
    services = []
    for one, waiting in zip(CATALOGUE.services, _WAITING, strict=True):
        line = BoardService(
            service=one.service,
            name=one.name,
            waiting=waiting,
            zone=one.zone,
            wait_min=(waiting * 3, waiting * 5 + 5),
        )
        services.append(msgspec.structs.replace(line, **changes.get(one.service.replace("-", "_"), {})))
    return Board(
        epoch=1, rev=2, business_date=date(2026, 3, 9), calls=(), services=tuple(services), hours=HOURS
    )


def all_are(available: str, **more: object) -> Board:
    change = {"available": available, **more}
    return board(**{one.service.replace("-", "_"): change for one in CATALOGUE.services})


BOARD: Final = board(
    special_permit={"available": "quota_reached", "left": 0},
    social_card={"available": "out_of_hours", "hours": ("13:30-16:45",)},
    unemployment={"available": "closed"},
)

PRINTER: Final = DeviceState(device="printer", kind="ticket_printer", health="ok")
PRINTER_OUT: Final = DeviceState(
    device="printer", kind="ticket_printer", health="fault", code="printer.paper_out"
)
READER: Final = DeviceState(device="reader", kind="card_reader", health="ok")
SCANNER: Final = DeviceState(device="scanner", kind="card_reader", health="ok")

STATE: Final = KioskState(
    online=True,
    catalogue=CATALOGUE,
    board=BOARD,
    printer=PRINTER,
    card_reader=READER,
    scanner=SCANNER,
    voice=True,
    offline_numbers={group.group: 40 for group in GROUPS},
)
OFFLINE: Final = msgspec.structs.replace(STATE, online=False)
NO_PAPER: Final = msgspec.structs.replace(STATE, printer=PRINTER_OUT)
GUIDES: Final = GuidesShown(
    guides=(
        GuideTitle(
            guide="pension", name=_both("养老保险待遇申领", "Claiming a pension"), services=("pension",)
        ),
        GuideTitle(guide="food", name=_both("食品经营许可", "Food permit"), services=("food-permit",)),
    )
)
TIME: Final = TimeShown(at=MORNING, trusted=True)
CARD: Final = CardShown(name="王*明", handle="0a1b2c3d4e5f", number="1101**********1234", priority="elderly")
YOUNG: Final = CardShown(name="李*", handle="9f8e7d6c5b4a", number="3205**********0019")
TEXTS: Final = PlaylistShown(
    pages=(
        ShownPicture(
            item=PlaylistItem(
                item="notice",
                text=_both(
                    "三月十五日（周日）系统升级，全天暂停办理业务，请提前安排",
                    "On Sunday 15 March the hall is closed all day for work on its systems",
                ),
            )
        ),
    )
)


class Visit(Kiosk):
    """A kiosk with an agent that hears everything and a clock that each thing moves on by half a second."""

    def __init__(self, language: str = "zh-CN", *, gone: bool = False) -> None:
        numbers = count(1)
        super().__init__(lambda: f"request{next(numbers):04}", language=language)
        self.heard: list[LinkMessage] = []
        self.gone = gone
        self.clock = T0

    def say(self, message: LinkMessage) -> bool:
        if not self.gone:
            self.heard.append(message)
        return not self.gone

    def do(self, *things: LinkMessage | str | float | None) -> Visit:
        """Messages of the agent (None: it goes), touches, and seconds that pass."""
        for thing in things:
            if isinstance(thing, float):
                self.wait(thing)
                continue
            self.clock += 0.5
            if isinstance(thing, str):
                self.touched(thing, self.clock)
            else:
                self.gone = thing is None
                self.said(thing, self.clock)
        return self

    def wait(self, seconds: float) -> None:
        """Let time pass; everything that is due happens."""
        until = self.clock + seconds
        most = 50 + 10 * seconds
        while (due := self.due(self.clock)) <= until:
            self.clock = max(due, self.clock)
            self.tick(self.clock)
            most -= 1
            assert most > 0, "woken for nothing"
        self.clock = self.now = until

    def progress(self, stage: str, **facts: object) -> Visit:
        """What the agent says of the newest request."""
        return self.do(told(self.own[-1], stage, **facts))


def told(request: str, stage: str, **facts: object) -> TicketProgress:
    if stage in ("printing", "done"):
        facts = {"ticket": TICKET, "number": "A023", "waiting_ahead": 12} | facts
    if stage == "done":
        facts = {"paper": "confirmed"} | facts
    return TicketProgress(request=request, stage=stage, **facts)  # type: ignore[arg-type]


def at_start(language: str, *more: LinkMessage, state: KioskState = STATE) -> Visit:
    """Brought to life, nobody there."""
    return Visit(language).do(state, GUIDES, TIME, *more)


def _confirm(language: str, service: str = "food-permit", state: KioskState = STATE) -> Visit:
    group = next(one.group for one in CATALOGUE.services if one.service == service)
    return at_start(language, state=state).do("start", f"group:{group}", f"service:{service}")


def _ticket(language: str, stage: str, **facts: object) -> Visit:
    return _confirm(language).do("take").progress(stage, **facts)


def _few(language: str) -> Visit:
    """A hall with few services: no groups are asked for."""
    few = msgspec.structs.replace(CATALOGUE, services=CATALOGUE.services[:4], appointments=False)
    state = msgspec.structs.replace(STATE, catalogue=few)
    return at_start(language, state=state).do("start")


def _with_board(shown: Board) -> KioskState:
    return msgspec.structs.replace(STATE, board=shown)


def _typed(language: str, *keys: str) -> Visit:
    return at_start(language).do("start", "search", *(f"key:{key}" for key in keys))


def _paperless(language: str, url: str = CATALOGUE.ticket_url) -> Visit:
    catalogue = msgspec.structs.replace(CATALOGUE, ticket_url=url)
    state = msgspec.structs.replace(NO_PAPER, catalogue=catalogue)
    return _confirm(language, state=state).do("take", "agree")


def _refused(code: str, **facts: str) -> Callable[[str], Visit]:
    return lambda language: _ticket(language, "refused", code=code, facts=facts)


def _checkin(language: str) -> Visit:
    return at_start(language).do("start", "checkin")


PAGES: Final[dict[str, Callable[[str], Visit]]] = {
    "kiosk-away": lambda language: Visit(language),
    "kiosk-attract": at_start,
    "kiosk-attract-notice": lambda language: at_start(language, TEXTS),
    "kiosk-attract-no-catalogue": lambda language: at_start(
        language, state=msgspec.structs.replace(STATE, catalogue=None, board=None)
    ),
    "kiosk-attract-holiday": lambda language: at_start(
        language,
        state=msgspec.structs.replace(
            _with_board(all_are("out_of_hours", today=False, hours=(), again=date(2026, 3, 12))),
            business_date=MORNING.date(),
        ),
    ),
    "kiosk-attract-out-of-hours": lambda language: at_start(
        language,
        TimeShown(at=MORNING.replace(hour=12), trusted=True),
        state=_with_board(all_are("out_of_hours")),
    ),
    "kiosk-start": lambda language: at_start(language).do("start"),
    "kiosk-start-few": _few,
    "kiosk-start-card": lambda language: at_start(
        language, state=msgspec.structs.replace(STATE, catalogue=_no_appointments())
    ).do(CARD),
    "kiosk-start-lay-again": lambda language: at_start(language).do("start", CardShown(lay_again=True)),
    "kiosk-start-full": lambda language: at_start(language, state=_with_board(all_are("quota_reached"))).do(
        "start"
    ),
    "kiosk-start-offline": lambda language: at_start(language, state=OFFLINE).do("start"),
    "kiosk-services": lambda language: at_start(language).do("start", "group:general"),
    "kiosk-services-more": lambda language: at_start(language).do("start", "group:social"),
    "kiosk-search": lambda language: _typed(language),
    "kiosk-search-typed": lambda language: _typed(language, *("dj" if language == "zh-CN" else "pen")),
    "kiosk-search-found": lambda language: _typed(language, *("dj" if language == "zh-CN" else "pen")).do(
        "show"
    ),
    "kiosk-search-nothing": lambda language: _typed(language, "q", "x", "z").do("show"),
    "kiosk-confirm": _confirm,
    "kiosk-confirm-priority": lambda language: _confirm(language).do(CARD),
    "kiosk-confirm-offline": lambda language: _confirm(language, state=OFFLINE),
    "kiosk-confirm-full": lambda language: _confirm(language, "special-permit"),
    "kiosk-confirm-out-of-hours": lambda language: _confirm(language, "social-card"),
    "kiosk-confirm-closed": lambda language: _confirm(language, "unemployment"),
    "kiosk-confirm-no-numbers": lambda language: _confirm(
        language, state=msgspec.structs.replace(OFFLINE, offline_numbers={})
    ),
    "kiosk-priority": lambda language: _confirm(language).do("priority"),
    "kiosk-priority-card": lambda language: _confirm(language).do("priority", "class:elderly"),
    "kiosk-card": lambda language: at_start(language).do(CARD),
    "kiosk-card-taken-away": lambda language: at_start(language).do(CARD, CardGone()),
    "kiosk-checkin": _checkin,
    "kiosk-checkin-unreadable": lambda language: _checkin(language).do(CodeScanned(kind="unreadable")),
    "kiosk-checkin-code": lambda language: _checkin(language).do("type", "key:2", "key:8", "key:0"),
    "kiosk-checkin-letters": lambda language: _checkin(language).do("type", "key:2", "other"),
    "kiosk-ticket-asking": lambda language: _ticket(language, "requested"),
    "kiosk-ticket-agent-away": lambda language: _ticket(language, "requested").do(None),
    "kiosk-ticket-printing": lambda language: _ticket(language, "printing"),
    "kiosk-ticket-done": lambda language: _ticket(language, "done"),
    "kiosk-ticket-taken": lambda language: _ticket(language, "done", outlet="taken"),
    "kiosk-ticket-retracted": lambda language: _ticket(language, "done", outlet="retracted"),
    "kiosk-ticket-unknown": lambda language: _ticket(language, "done", paper="unknown"),
    "kiosk-ticket-offline": lambda language: (
        _confirm(language, state=OFFLINE)
        .do("take")
        .progress("done", number="A600", waiting_ahead=None, offline=True)
    ),
    "kiosk-ticket-ends": lambda language: _ticket(language, "done").do(24.0),
    "kiosk-ticket-failed": lambda language: _ticket(language, "failed", code="printer.jam"),
    "kiosk-ticket-stuck": lambda language: _ticket(language, "requested").do(31.0),
    "kiosk-ticket-printing-away": lambda language: _ticket(language, "printing").do(None, 31.0),
    "kiosk-paperless-ask": lambda language: _confirm(language, state=NO_PAPER).do("take"),
    "kiosk-paperless": lambda language: _paperless(language).progress("done", paperless=True),
    "kiosk-paperless-no-code": lambda language: _paperless(language, "").progress("done", paperless=True),
    "kiosk-refused-quota": _refused("ticket.quota_reached"),
    "kiosk-refused-paper-out": _refused("printer.paper_out"),
    "kiosk-refused-busy": _refused("kiosk.busy"),
    "kiosk-refused-storage": _refused("agent.disk_full"),
    "kiosk-checkin-none": lambda language: (
        _checkin(language).do(CARD).progress("refused", code="appointment.none")
    ),
    "kiosk-checkin-early": lambda language: (
        _checkin(language).do(CARD).progress("refused", code="appointment.too_early", facts={"from": "10:15"})
    ),
    "kiosk-checkin-done": lambda language: (
        _checkin(language)
        .do(CARD)
        .progress("done", service="pension-transfer", number="C107", waiting_ahead=0)
    ),
    "kiosk-still-there": lambda language: _confirm(language).do(43.0),
    "kiosk-elder-start": lambda language: _with_mode(language, "elder").do("home"),
    "kiosk-elder-services": lambda language: _with_mode(language, "elder").do("home", "group:general"),
    "kiosk-elder-confirm": lambda language: _with_mode(language, "elder").do(
        "home", "group:general", "service:food-permit"
    ),
    "kiosk-elder-search": lambda language: _with_mode(language, "elder").do("home", "search", "key:d"),
    "kiosk-elder-code": lambda language: _with_mode(language, "elder").do("home", "checkin", "type", "other"),
    "kiosk-elder-checkin": lambda language: _with_mode(language, "elder").do("home", "checkin"),
    "kiosk-elder-done": lambda language: (
        _with_mode(language, "elder")
        .do("home", "group:social", "service:pension-transfer", "take")
        .progress("done", number="C107")
    ),
    "kiosk-low-start": lambda language: _with_mode(language, "low_reach").do("home"),
    "kiosk-low-confirm": lambda language: _with_mode(language, "low_reach").do(
        "home", "group:general", "service:food-permit"
    ),
    "kiosk-low-done": lambda language: (
        _with_mode(language, "low_reach")
        .do("home", "group:general", "service:food-permit", "take")
        .progress("done")
    ),
    "kiosk-contrast-start": lambda language: _with_mode(language, "contrast").do("home"),
}


ABOUT: Final = {
    "kiosk-away": "The agent does not answer, or has not said anything yet: please wait, or go to the desk.",
    "kiosk-attract": "Nobody is there; a touch anywhere begins, or a card on the reader.",
    "kiosk-attract-notice": "The same with a page of the playlist above the instruction.",
    "kiosk-attract-no-catalogue": "The list of services has not come yet: please wait, or go to the desk.",
    "kiosk-attract-holiday": "A day without numbers: when there are some again.",
    "kiosk-attract-out-of-hours": "Nothing can be had now: why, and when again.",
    "kiosk-start": "Groups of services; what else can be done stands below.",
    "kiosk-start-few": "A hall with few services asks for no group.",
    "kiosk-start-card": "A card lies on the reader: masked name and the priority that its age gives.",
    "kiosk-start-lay-again": "The card could not be read: how to lay it down again.",
    "kiosk-start-full": "Today's numbers are used up; check-in, guides and enquiries go on.",
    "kiosk-start-offline": "Without the coordinator numbers come from the kiosk's lease; no queue is shown.",
    "kiosk-services": "Services of a group, with the reason where a number cannot be had.",
    "kiosk-services-more": "Another group: one service opens in the afternoon, one is not open.",
    "kiosk-search": "The search before the first letter: an example of what to type, and all services.",
    "kiosk-search-typed": "Search by pinyin initials, or by English words.",
    "kiosk-search-found": "What was found, on a page of its own as small screens show it.",
    "kiosk-search-nothing": "No service begins so: try other letters.",
    "kiosk-confirm": "Before the number is taken: people waiting, expected wait, place.",
    "kiosk-confirm-priority": "The card gave a priority: it is named, and can be changed or declined.",
    "kiosk-confirm-offline": "Without the coordinator nobody knows the queue; a number can still be taken.",
    "kiosk-confirm-full": "The day's numbers of a service are used up.",
    "kiosk-confirm-out-of-hours": "The service gives numbers in the afternoon only: its hours, and when.",
    "kiosk-confirm-closed": "This service is not open now: the hours of the hall, and the way to another.",
    "kiosk-confirm-no-numbers": "Offline, and the lease is used up: numbers are had at the desk.",
    "kiosk-priority": "Priority classes; some need a card that shows the age.",
    "kiosk-priority-card": "A class was chosen that the age decides: the card is waited for.",
    "kiosk-card": "A card was laid down first: a number now, or the appointment that it may have?",
    "kiosk-card-taken-away": "The same after the card was taken away: its name is gone, its priority stays.",
    "kiosk-checkin": "Check-in for an appointment by card, code before the scanner, or typed code.",
    "kiosk-checkin-unreadable": "The code before the scanner could not be read: hold it there once more.",
    "kiosk-checkin-code": "An appointment's code is typed; where there is room, letters and digits at once.",
    "kiosk-checkin-letters": "After the key for letters, which small screens have in place of the digits.",
    "kiosk-ticket-asking": "The number is being asked for: please stay here.",
    "kiosk-ticket-agent-away": "The agent went away meanwhile; when it is back the same is asked again.",
    "kiosk-ticket-printing": "While the ticket is printed the number is there already.",
    "kiosk-ticket-done": "The ticket is out: take it; people before, expected wait and the way there.",
    "kiosk-ticket-taken": "The paper has left the outlet: please take a seat.",
    "kiosk-ticket-retracted": "It was not taken and went back: the same number can be printed again.",
    "kiosk-ticket-unknown": "The printer did not say whether it came out: look, or print it again.",
    "kiosk-ticket-offline": "A number of the lease: it is valid, but how many wait is not known.",
    "kiosk-ticket-ends": "The page ends by itself, with a warning in place of the footer.",
    "kiosk-ticket-failed": "The ticket was not printed: its number is void, another can be taken.",
    "kiosk-ticket-stuck": "Nothing was heard for half a minute: the desk can help, and the citizen may go.",
    "kiosk-ticket-printing-away": "The agent died while printing: the number stays; look at the outlet.",
    "kiosk-paperless-ask": "The printer cannot print: is a number on the screen enough?",
    "kiosk-paperless": "The number to photograph, with the code that follows it.",
    "kiosk-paperless-no-code": "The same in a hall that has no page on which a ticket can be followed.",
    "kiosk-refused-quota": "The last number went to somebody else meanwhile: another service, or the start.",
    "kiosk-refused-paper-out": "The paper ran out at this number: it can be shown on the screen.",
    "kiosk-refused-busy": "Too many ask at once: the same can be tried again.",
    "kiosk-refused-storage": "The node cannot keep a number safely, so it gives none: the desk helps.",
    "kiosk-checkin-none": "This card has no appointment today: check in again, or take a number now.",
    "kiosk-checkin-early": "It is too early for the appointment: from when it can be checked in.",
    "kiosk-checkin-done": "Checked in: the number of the appointment, which is the next one.",
    "kiosk-still-there": "Untouched for a while: the seconds until all of it is forgotten.",
    "kiosk-elder-start": "Elder mode: type half as large again, fewer choices.",
    "kiosk-elder-services": "Elder mode: fewer services on a page, with large keys for the next.",
    "kiosk-elder-confirm": "Elder mode: the service, its queue and the key that takes the number.",
    "kiosk-elder-search": "Elder mode: what is found stands over the keyboard, where there is height for it.",
    "kiosk-elder-code": "Elder mode: an appointment's code is to be typed; nothing can be confirmed yet.",
    "kiosk-elder-checkin": "Elder mode: the ways to check in, each in large type.",
    "kiosk-elder-done": "Elder mode: the ticket is out, what matters most is said first.",
    "kiosk-low-start": "Low reach: everything that is touched lies in the lower part.",
    "kiosk-low-confirm": "Low reach: the service, its queue and all keys below the middle.",
    "kiosk-low-done": "Low reach: number and what to do beside each other, low enough to read sitting.",
    "kiosk-contrast-start": "High contrast: the start page in yellow and white on black.",
}

WAYS: Final[dict[str, list[str]]] = {
    "number": ["start", "group:general", "service:food-permit", "take", "finish"],
    "number_without_group": ["start", "group:marriage", "take", "finish"],
    "number_with_priority": [
        "start", "group:household", "service:id-card", "priority", "class:disabled", "take", "finish",
    ],
    "priority_declined": ["start", "group:household", "service:id-card", "priority", "none", "back", "home"],
    "priority_without_card": [
        "start", "group:household", "service:id-card", "priority", "class:elderly", "back", "back", "home",
    ],
    "what_to_bring": ["start", "group:general", "service:food-permit", "guides", "back", "take", "finish"],
    "full": ["start", "group:general", "service:special-permit", "other", "home"],
    "search": ["start", "search", "key:y", "key:l", "key:erase", "home"],
    "appointment_by_code": ["start", "checkin", "type", "key:2", "key:8", "key:erase", "take", "finish"],
    "language": ["language", "start", "language", "group:social", "home"],
}  # fmt: skip


def _no_appointments() -> Catalogue:
    return msgspec.structs.replace(CATALOGUE, appointments=False)


def _with_mode(language: str, mode: str) -> Visit:
    return at_start(language).do("start", "modes", f"mode:{mode}")
