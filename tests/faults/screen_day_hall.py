"""What the agents of one hall tell their screens in the course of a day, and what they answer at the kiosk.

Drawn from a seed; the only clock is `at`. Sixty services, the longest real names among them; numbers are
called, recalled and missed; counts, announcements, playlist and catalogue change.
"""

from __future__ import annotations

import itertools
import random
from collections import deque
from datetime import datetime, timedelta, timezone
from typing import Final

from wire.kiosk_messages import TicketFound
from wire.messages import (
    Board,
    BoardCall,
    BoardService,
    Catalogue,
    CatalogueGroup,
    CatalogueService,
    CounterClerk,
    CounterState,
    DeviceState,
    LocalText,
    PriorityClass,
    PromptRating,
    Zone,
)
from wire.screen_link import (
    AskGuide,
    AskHelp,
    AskTicket,
    BoardShown,
    CounterShown,
    GuidePrinted,
    GuideShown,
    GuidesShown,
    KioskState,
    LinkMessage,
    NumberSeen,
    PlaylistShown,
    PrintGuide,
    RatingShown,
    ReprintTicket,
    ShownPicture,
    TakeAppointment,
    TakeTicket,
    TicketProgress,
    TicketTold,
    TimeShown,
    ToAgent,
)
from wire.shown import Guide, GuideMaterial, GuideTitle, PlaylistItem, RatingReason, RatingReasons

START: Final = datetime(2026, 11, 23, 6, 0, tzinfo=timezone(timedelta(hours=8)))
DAY_S: Final = 24 * 3600
HOURS: Final = ("08:30-11:45", "13:30-16:45")
NAMES: Final = (
    ("企业开办", "Business registration"),
    ("居民身份证办理", "Resident identity card"),
    (
        "食品经营许可（含小餐饮、小作坊备案登记）变更、延续与注销",
        "Food business permit (with small caterers and workshops): change, renewal and return",
    ),
    ("户口登记与迁移", "Household registration and moving"),
    (
        "机关事业单位工作人员基本养老保险关系转移接续",
        "Transfer of the basic pension insurance of staff of government bodies and institutions",
    ),
    ("不动产转移登记", "Transfer of real estate"),
    ("医疗保险参保登记", "Medical insurance enrolment"),
    ("出入境证件", "Travel documents"),
    ("税费缴纳", "Tax payment"),
    ("社会保障卡", "Social security card"),
)
SERVICES: Final = 60
GROUPS: Final = (
    ("A", ("综合服务", "General services")),
    ("B", ("户政出入境", "Household and travel documents")),
    ("C", ("社保医保", "Social and medical insurance")),
    ("D", ("不动产与税务", "Property and tax")),
    ("E", ("婚姻登记", "Marriage registration")),
)
MASKED: Final = ("王*明", "李*", "欧阳**", "买**", None, None)
MISSED: Final = 30
CALLS: Final = 12
OUTCOMES: Final = (
    "taken", "plain", "left", "taken", "retracted", "unknown", "plain", "printer.jam", "offline",
    "ticket.quota_reached", "taken", "kiosk.busy", "plain", "ticket.service_closed", "appointment.none",
    "unknown again", "agent.disk_full",
)  # fmt: skip
"""How the next numbers at the kiosk end, in turn; a code: refused, or failed where the printer says so."""
REASONS: Final = RatingReasons(
    version=3,
    reasons=tuple(
        RatingReason(reason=f"reason-{n}", text={"zh-CN": zh, "en": en}, grades=grades)
        for n, (zh, en, grades) in enumerate(
            (
                ("服务热情", "Friendly", (4, 5)),
                ("办事效率高", "Quick", (4, 5)),
                ("一次告知清楚", "All explained at once", (4, 5)),
                ("服务态度差", "Unfriendly", (1, 2, 3)),
                ("等候或办理时间长", "Took too long", (1, 2, 3)),
                ("材料要求反复变更", "Papers asked for again and again", (1, 2, 3)),
            )
        )
    ),
)


def _both(name: tuple[str, str], more: str = "") -> LocalText:
    return {"zh-CN": name[0] + more, "en": name[1] + more}


class HallDay:
    """`at` is moved on by whoever plays the day. Nothing else changes by itself."""

    def __init__(self, seed: int, pictures: tuple[str, ...] = ()) -> None:
        """`pictures`: files that the playlist may show."""
        self.at = START
        self.paper_out = False
        self.online = True
        self.help_state = "none"
        self.outcomes = itertools.cycle(OUTCOMES)
        self._random = random.Random(seed)
        self._pictures = pictures
        self._rev = 0
        self._called = 0
        self._tickets = 0
        self._names = 0
        self._calls: deque[BoardCall] = deque(maxlen=CALLS)
        self._missed: deque[str] = deque(maxlen=MISSED)
        self._waiting = [self._random.randrange(40) for _ in range(SERVICES)]
        self._announcements: tuple[LocalText, ...] = ()
        self._counter = CounterState(
            epoch=1, rev=0, counter="3", name={"zh-CN": "3号窗口"}, zone="z0", state="open"
        )
        self.new_day()
        self.announce()

    # ---------------------------------------------------------------- what happens

    def new_day(self) -> None:
        """Numbers begin again, nobody waits."""
        self._called = 0
        self._calls.clear()
        self._missed.clear()

    def call(self) -> BoardCall:
        """The next number; some of those before are served, over or missed now."""
        self._called += 1
        n = self._called
        where = self._random.randrange(1, 15)
        calls = [self._older(call) for call in self._calls]
        fresh = BoardCall(
            number=f"{GROUPS[n % 5][0]}{n % 1000:03}",
            counter=str(where),
            counter_name={"zh-CN": f"{where}号窗口", "en": f"Counter {where}"},
            call=f"c-{self.at:%d%H%M%S}-{n}",
            called_at=self.at,
            state="called",
            name=self._random.choice(MASKED),
            zone=f"z{where % 3}",
        )
        self._calls = deque([fresh, *calls][:CALLS], maxlen=CALLS)
        self.counts()
        return fresh

    def _older(self, call: BoardCall) -> BoardCall:
        roll = self._random.random()
        state = call.state
        if state == "called" and roll < 0.6:
            state = "no_show" if roll < 0.08 else "serving"
            if state == "no_show":
                self._missed.appendleft(call.number)
        elif state == "serving" and roll < 0.3:
            state = "finished"
        return BoardCall(
            number=call.number, counter=call.counter, counter_name=call.counter_name, call=call.call,
            called_at=call.called_at, state=state, name=call.name, zone=call.zone,
        )  # fmt: skip

    def recall(self) -> None:
        """One of the newest is called once more: it goes to the top."""
        if not self._calls:
            return
        calls = list(self._calls)
        old = calls.pop(min(len(calls) - 1, self._random.randrange(3)))
        again = BoardCall(
            number=old.number, counter=old.counter, counter_name=old.counter_name, call=old.call,
            called_at=self.at, state="called", name=old.name, zone=old.zone,
        )  # fmt: skip
        self._calls = deque([again, *calls], maxlen=CALLS)

    def counts(self) -> None:
        for n in range(SERVICES):
            if self._random.random() < 0.15:
                self._waiting[n] = max(0, self._waiting[n] + self._random.randint(-2, 2))

    def announce(self) -> None:
        every = (
            {"zh-CN": "请携带身份证原件，按号等候", "en": "Please have your identity card ready"},
            {
                "zh-CN": "因系统升级，本周六上午暂停办理不动产登记与税务事项，请合理安排时间",
                "en": "On Saturday morning property and tax matters are not handled",
            },
            {
                "zh-CN": f"现在是{self.at:%H}时，{self._random.randrange(99)}人正在等候",
                "en": "Thank you for waiting",
            },
        )
        self._announcements = tuple(each for each in every if self._random.random() < 0.6)

    def rename(self) -> None:
        """The catalogue changes: other names, one service fewer or more."""
        self._names += 1

    # ---------------------------------------------------------------- what is told

    def services(self) -> list[tuple[str, LocalText]]:
        count = SERVICES - self._names % 3
        return [
            (f"s{n}", _both(NAMES[(n + self._names) % len(NAMES)], f"（{n + 1}）" if n >= len(NAMES) else ""))
            for n in range(count)
        ]

    def time(self) -> TimeShown:
        return TimeShown(at=self.at, trusted=True)

    def board(self) -> Board:
        self._rev += 1
        shut = not 8 <= self.at.hour < 17
        services = tuple(
            BoardService(
                service=service,
                name=name,
                waiting=self._waiting[n],
                zone=f"z{n % 3}",
                available="out_of_hours" if shut and n % 2 else ("quota_reached" if n % 17 == 3 else "open"),
                wait_min=(self._waiting[n], self._waiting[n] * 2 + 5) if self._waiting[n] else None,
                hours=HOURS,
            )
            for n, (service, name) in enumerate(self.services())
        )
        return Board(
            epoch=1,
            rev=self._rev,
            business_date=(self.at - timedelta(hours=4)).date(),
            calls=tuple(self._calls),
            services=services,
            missed=tuple(self._missed),
            announcements=self._announcements,
            hours=HOURS,
            hall_name={"zh-CN": "清河区政务服务中心", "en": "Qinghe District Government Service Center"},
        )

    def board_shown(self) -> BoardShown:
        return BoardShown(board=self.board(), stale=not self.online)

    def catalogue(self) -> Catalogue:
        services = tuple(
            CatalogueService(
                service=service,
                name=name,
                group=f"g{n % len(GROUPS)}",
                zone=f"z{n % 3}",
                counters=({"zh-CN": f"{n % 14 + 1}号窗口", "en": f"Counter {n % 14 + 1}"},),
                initials="qykb"[: 1 + n % 4],
            )
            for n, (service, name) in enumerate(self.services())
        )
        return Catalogue(
            epoch=1,
            rev=self._names,
            hall_name={"zh-CN": "清河区政务服务中心", "en": "Qinghe District Government Service Center"},
            services=services,
            groups=tuple(
                CatalogueGroup(group=f"g{n}", name=_both(name), prefix=prefix)
                for n, (prefix, name) in enumerate(GROUPS)
            ),
            priorities=(
                PriorityClass(priority="elderly", name=_both(("老年人优先", "Elderly")), needs_card=True),
                PriorityClass(priority="soldier", name=_both(("军人优先", "Members of the armed forces"))),
            ),
            zones=tuple(
                Zone(
                    zone=f"z{n}", name={"zh-CN": f"{n + 1}区", "en": f"Zone {n + 1}"},
                    directions={"zh-CN": "进门右转", "en": "Turn right at the entrance"},
                    floor={"zh-CN": "一楼", "en": "Ground floor"},
                )
                for n in range(3)
            ),
            ticket_url="https://hall.example/t/{ticket}",
            appointments=True,
        )  # fmt: skip

    def kiosk_state(self) -> KioskState:
        health, code = ("fault", "printer.paper_out") if self.paper_out else ("ok", None)
        return KioskState(
            online=self.online,
            catalogue=self.catalogue(),
            board=self.board(),
            printer=DeviceState(device="printer", kind="ticket_printer", health=health, code=code),  # type: ignore[arg-type]
            card_reader=DeviceState(device="reader", kind="card_reader", health="ok"),
            scanner=DeviceState(device="scanner", kind="card_reader", health="ok"),
            voice=True,
            offline_numbers={f"g{n}": 40 for n in range(len(GROUPS))},
            help=self.help_state,  # type: ignore[arg-type]
        )

    def guides(self) -> GuidesShown:
        return GuidesShown(
            guides=tuple(
                GuideTitle(guide=f"guide-{n}", name=_both(NAMES[n % 10]), services=(f"s{n}",), initials="sp")
                for n in range(24)
            )
        )

    def playlist(self) -> PlaylistShown:
        """A few pages, another choice each time."""
        pages = []
        for n in range(self._random.randrange(5)):
            file = self._random.choice(self._pictures) if self._pictures and n % 2 else None
            item = PlaylistItem(
                item=f"item-{n}",
                text={
                    "zh-CN": f"医保缴费，手机就能办（{n + 1}）",
                    "en": f"Pay medical insurance by phone ({n + 1})",
                },
                picture="0c" * 16 if file else None,
                seconds=self._random.choice((6.0, 12.0, 30.0)),
                times=("08:00-20:00",) if n == 2 else (),
            )
            pages.append(ShownPicture(item=item, file=file))
        return PlaylistShown(pages=tuple(pages))

    def counter_shown(self, state: str, call: BoardCall | None = None) -> CounterShown:
        self._rev += 1
        busy = call is not None and state in ("called", "serving")
        made = CounterState(
            epoch=1,
            rev=self._rev,
            counter="3",
            name={"zh-CN": "不动产登记综合受理2号窗口", "en": "Property registration counter 2"},
            zone="z0",
            state=state,  # type: ignore[arg-type]
            number=call.number if busy and call else None,
            ticket="t" if busy else None,
            call=call.call if busy and call else None,
            service_name=_both(NAMES[self._called % 10]) if busy else None,
            called_at=call.called_at if busy and call else None,
            waiting=self._waiting[0],
            clerk=CounterClerk(number="012", name={"zh-CN": "王芳", "en": "Wang Fang"}),
            hours=HOURS,
        )
        return CounterShown(counter=made, prompt=None, stale=not self.online)

    def prompt(self, call: BoardCall) -> PromptRating:
        return PromptRating(
            prompt=f"p-{call.call}", ticket="t", number=call.number, counter="3",
            service_name=_both(NAMES[self._called % 10]), url="https://hall.example/r/p",
        )  # fmt: skip

    # ---------------------------------------------------------------- answers to the kiosk

    def answers(self, message: ToAgent) -> list[LinkMessage]:
        """What the agent says to something that was touched, in order."""
        match message:
            case TakeTicket() | TakeAppointment():
                return self._number(message)
            case ReprintTicket() | NumberSeen():
                return []
            case AskHelp():
                steps = ("asked", "coming", "none") if message.wanted else ("none",)
                return [self._helped(step) for step in steps]
            case AskGuide():
                return [GuideShown(guide=_guide(message.guide))]
            case PrintGuide():
                return [GuidePrinted(request=message.request, paper="confirmed")]
            case AskTicket():
                found = TicketFound(
                    request=message.request, ticket=message.ticket, number="A012", state="waiting", ahead=4,
                    service_name=_both(NAMES[2]), zone="z1", wait_min=(5, 20),
                )  # fmt: skip
                return [TicketTold(request=message.request, found=found)]
            case _:
                return []

    def _helped(self, state: str) -> KioskState:
        self.help_state = state
        return self.kiosk_state()

    def _number(self, wish: TakeTicket | TakeAppointment) -> list[LinkMessage]:
        """All stages of one number."""
        self._tickets += 1
        facts = {
            "ticket": f"t{self._tickets:015x}",
            "number": f"B{self._tickets % 1000:03}",
            "waiting_ahead": 7,
        }
        if isinstance(wish, TakeAppointment):
            facts["service"] = "s4"

        def told(stage: str, **more: object) -> TicketProgress:
            known = facts if stage in ("printing", "done") else {}
            return TicketProgress(request=wish.request, stage=stage, **known, **more)  # type: ignore[arg-type]

        if wish.paperless:
            return [
                told("requested"), told("printing", paperless=True),
                told("done", paper="confirmed", code="ticket.on_screen", paperless=True),
            ]  # fmt: skip
        outcome = next(self.outcomes)
        begun = [told("requested"), told("printing")]
        done = {"paper": "confirmed"}
        if outcome in ("taken", "left", "retracted"):
            last = "retracted" if outcome == "left" else outcome
            return [*begun, *(told("done", outlet=each, **done) for each in ("presented", outcome, last))]
        if outcome == "plain":
            return [*begun, told("done", **done)]
        if outcome == "offline":
            return [*begun, told("done", offline=True, **done)]
        if outcome.startswith("unknown"):
            return [*begun, told("done", paper="unknown", code="printer.jam")]
        if outcome.startswith("printer."):
            return [*begun, told("failed", code=outcome)]
        return [told("requested"), told("refused", code=outcome)]


def _guide(guide: str) -> Guide:
    return Guide(
        guide=guide,
        name=_both(NAMES[2]),
        conditions=tuple(
            {"zh-CN": f"条件{n}：在本区有固定经营场所", "en": f"Condition {n}"} for n in range(6)
        ),
        materials=tuple(
            GuideMaterial(name={"zh-CN": f"材料{n}：营业执照副本", "en": f"Paper {n}"}, copies=n % 3)
            for n in range(9)
        ),
        steps=tuple({"zh-CN": f"第{n + 1}步：到窗口提交材料", "en": f"Step {n + 1}"} for n in range(5)),
        time_limit={"zh-CN": "五个工作日", "en": "Five working days"},
        fee={"zh-CN": "不收费", "en": "Free"},
        phone="0570-1234567",
    )


def rating(
    prompt: PromptRating | None, left_s: float = 0.0, grade: int | None = None, *, given: bool = False
) -> RatingShown:
    """What a rating panel asks: a grade, then reasons, then thanks (`given`); no prompt: nothing."""
    reasons = None
    if grade is not None and not given:
        fitting = tuple(each for each in REASONS.reasons if grade in each.grades)
        reasons = RatingReasons(version=REASONS.version, reasons=fitting)
    return RatingShown(prompt=prompt, left_s=left_s, grade=grade, reasons=reasons, reasons_given=given)
