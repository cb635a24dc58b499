"""The kiosk's pages beside taking a number: guides, enquiry, help, modes, voice; by messages and touches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from itertools import count

from ui.elements import Page
from ui.kiosk.kiosk import Kiosk
from ui.screen import Screen
from wire.kiosk_messages import TicketFound
from wire.messages import (
    Board,
    BoardService,
    Catalogue,
    CatalogueGroup,
    CatalogueService,
    DeviceState,
    LocalText,
    Zone,
)
from wire.screen_link import (
    AskTicket,
    CodeScanned,
    GuidePrinted,
    GuideShown,
    GuidesShown,
    KioskState,
    LinkMessage,
    PrintGuide,
    TicketTold,
    TimeShown,
)
from wire.shown import Guide, GuideMaterial, GuideTitle

AT = datetime(2026, 11, 23, 9, 41, 20, tzinfo=timezone(timedelta(hours=8)))
START = 1000.0
HALL = {"zh-CN": "清河区政务服务中心", "en": "Qinghe District Government Service Center"}
SMALL = Screen.of((800, 480))
LARGE = Screen.of((1080, 1920))


def both(zh: str, en: str) -> LocalText:
    return {"zh-CN": zh, "en": en}


SERVICES = (
    ("food-permit", "business", "食品经营许可（含小餐饮、小作坊备案登记）变更、延续与注销",
     "Food business permit (with small caterers and workshops): change, renewal and return", "spjyxk"),
    ("business-license", "business", "企业开办", "Business registration", "qykb"),
    ("pension-transfer", "insurance", "机关事业单位工作人员基本养老保险关系转移接续",
     "Transfer of the basic pension insurance of staff of government bodies and institutions", "jgsydwgzry"),
    ("medical", "insurance", "医疗保险参保登记", "Medical insurance enrolment", "ylbxcbdj"),
    ("id-card", "police", "居民身份证办理", "Resident identity card", "jmsfzbl"),
)  # fmt: skip
GROUPS = (
    ("business", "市场主体", "Business", "A"),
    ("insurance", "社会保险", "Social insurance", "B"),
    ("police", "公安户政", "Police", "C"),
)
CATALOGUE = Catalogue(
    epoch=3,
    rev=1,
    hall_name=HALL,
    services=tuple(
        CatalogueService(
            service=service, name=both(zh, en), group=group, zone="east", initials=initials,
            counters=(both("3号窗口", "Counter 3"),),
        )
        for service, group, zh, en, initials in SERVICES
    ),
    groups=tuple(
        CatalogueGroup(group=group, name=both(zh, en), prefix=prefix) for group, zh, en, prefix in GROUPS
    ),
    priorities=(),
    zones=(
        Zone(
            zone="east", name=both("东区综合服务大厅", "East hall"), floor=both("二楼", "2nd floor"),
            directions=both("上电梯后右转", "Take the lift, then turn right"),
        ),
    ),
)  # fmt: skip
BOARD = Board(
    epoch=3,
    rev=1,
    business_date=date(2026, 11, 23),
    calls=(),
    services=tuple(
        BoardService(service=service, name=both(zh, en), waiting=4, zone="east", wait_min=(10, 25))
        for service, _, zh, en, _ in SERVICES
    ),
    hours=("08:30-11:45", "13:30-16:45"),
    hall_name=HALL,
)
MORE = (
    "营业执照遗失补领",
    "个体工商户登记",
    "户口登记与迁移",
    "出入境证件",
    "不动产登记",
    "残疾人证办理",
    "护士执业注册",
)
MORE_EN = ("Lost business licence", "Sole traders", "Household registration", "Travel documents",
           "Property registration", "Disability certificate", "Nurse registration")  # fmt: skip
TITLES = tuple(
    GuideTitle(guide=service, name=both(zh, en), services=(service,), initials=initials)
    for service, _, zh, en, initials in SERVICES
) + tuple(
    GuideTitle(guide=f"more-{n}", name=both(zh, en), initials=f"z{n}")
    for n, (zh, en) in enumerate(zip(MORE, MORE_EN, strict=True))
)
LONG = both(
    "申请人应当先行取得营业执照等合法主体资格。企业法人、合伙企业、个人独资企业、个体工商户等，以营业执照载明的主体作为申请人；"
    "机关、事业单位、社会团体、民办非企业单位、企业等申办单位食堂，以机关或者事业单位法人登记证、社会团体登记证或者营业执照等"
    "载明的主体作为申请人。经营场所应当与有毒、有害场所以及其他污染源保持规定的距离，并具有与经营的食品品种、数量相适应的"
    "设备或者设施。",
    "The applicant must already be a lawful entity with a business licence. Companies, partnerships and sole "
    "traders apply in the name on their licence; canteens of government bodies, institutions and "
    "associations apply in the name on the certificate of the body. The premises must keep the prescribed "
    "distance from polluting places and have equipment that suits the kinds and amounts of food.",
)
GUIDE = Guide(
    guide="food-permit",
    name=both(SERVICES[0][2], SERVICES[0][3]),
    services=("food-permit",),
    conditions=(
        LONG,
        both("有与经营规模相适应的食品安全管理人员。", "There are food safety staff as the size requires."),
        both("法律、法规规定的其他条件。", "Other conditions set by law."),
    ),
    materials=(
        GuideMaterial(
            name=both("法定代表人（负责人）居民身份证", "Identity card of the person in charge"), copies=1
        ),
        GuideMaterial(
            name=both("食品经营许可申请书", "Application form"),
            note=both("窗口可领取，签字并盖章", "Forms at the counter; signed and sealed"),
        ),
        GuideMaterial(name=both("营业执照", "Business licence"), original=False, copies=2),
        GuideMaterial(
            name=both("与食品经营相适应的主要设备设施布局、操作流程等文件", "Plan of equipment and work"),
            original=False,
            copies=1,
        ),
        GuideMaterial(name=both("食品安全规章制度目录清单", "List of food safety rules")),
        GuideMaterial(name=both("从业人员健康证明", "Health certificates of the staff"), copies=1),
    ),
    steps=(
        both("在取号机取号，到综合窗口提交材料。", "Take a number and hand in the papers at the counter."),
        both(
            "窗口当场审核，材料不全的一次告知需补正的内容。",
            "They are checked at once; what is missing is told once.",
        ),
        both("现场核查经营场所。", "The premises are visited."),
        both("作出决定，发给《食品经营许可证》。", "The permit is decided on and issued."),
    ),
    time_limit=both("法定20个工作日，承诺8个工作日", "20 working days by law, 8 as promised"),
    fee=both("不收费", "Free"),
    basis=both(
        "《中华人民共和国食品安全法》第三十五条；《食品经营许可和备案管理办法》（国家市场监督管理总局令第78号）",
        "Food Safety Law of the People's Republic of China, article 35; Measures for food business licensing",
    ),
    phone="0571-88881234",
)  # fmt: skip
FOUND = TicketFound(
    request="q",
    ticket="t-1",
    number="A128",
    state="waiting",
    service_name=both(SERVICES[0][2], SERVICES[0][3]),
    zone="east",
    ahead=6,
    wait_min=(20, 35),
)
COUNTER = both("不动产登记综合受理2号窗口", "Property registration counter 2")


def device(name: str, kind: str, health: str = "ok") -> DeviceState:
    return DeviceState(device=name, kind=kind, health=health)  # type: ignore[arg-type]


def state(**changed: object) -> KioskState:
    """A kiosk with all devices, voice and hall."""
    known: dict[str, object] = {
        "online": True,
        "catalogue": CATALOGUE,
        "board": BOARD,
        "printer": device("printer", "ticket_printer"),
        "card_reader": device("reader", "card_reader"),
        "scanner": device("scanner", "card_reader"),
        "offline_numbers": {"business": 20, "insurance": 20, "police": 20},
        "voice": True,
    }
    return KioskState(**(known | changed))  # type: ignore[arg-type]


class Said(Kiosk):
    """A kiosk whose agent takes everything and keeps it."""

    def __init__(self, language: str = "zh-CN") -> None:
        ids = count(1)
        super().__init__(lambda: f"r{next(ids)}", language)
        self.heard: list[LinkMessage] = []

    def say(self, message: LinkMessage) -> bool:
        self.heard.append(message)
        return True

    def last(self, kind: type[LinkMessage]) -> LinkMessage:
        return next(message for message in reversed(self.heard) if isinstance(message, kind))

    def looked_at(self, screen: Screen = SMALL, now: float = START) -> Page:
        """Its page, as the runner would show it."""
        page = self.page(screen, now)
        self.shown(page, now)
        return page


def kiosk(language: str, *touches: str, **changed: object) -> Said:
    """A kiosk that was touched so, each page looked at."""
    made = Said(language)
    made.said(TimeShown(at=AT, trusted=True), START)
    made.said(GuidesShown(guides=TITLES), START)
    made.said(state(**changed), START)
    made.looked_at()
    return touch(made, "start", *touches)


def touch(made: Said, *touches: str) -> Said:
    for action in touches:
        made.touched(action, START)
        if action.startswith("guide:"):
            made.said(GuideShown(guide=GUIDE), START)
        made.looked_at()
    return made


def guide(language: str, *touches: str, **changed: object) -> Said:
    return kiosk(language, "guides", "guide:food-permit", *touches, **changed)


def later(language: str) -> Said:
    """The next page of what is too long for one; where it is not, the same page."""
    made = guide(language, "section:conditions")
    made.looked_at(LARGE)
    made.touched("later", START)
    return made


def printed(language: str, paper: str | None) -> Said:
    made = guide(language, "section:materials", "have:0", "print")
    if paper is not None:
        request = made.last(PrintGuide).request  # type: ignore[attr-defined]
        made.said(GuidePrinted(request=request, paper=paper), START)  # type: ignore[arg-type]
    return made


def enquiry(language: str, **found: object) -> Said:
    """After a ticket was held before the scanner."""
    made = kiosk(language, "enquiry")
    made.said(CodeScanned(kind="ticket", ticket="t-1"), START)
    if found:
        import msgspec

        request = made.last(AskTicket).request  # type: ignore[attr-defined]
        answer = msgspec.structs.replace(FOUND, **found)
        made.said(TicketTold(request=request, found=answer), START)
    return made


def unknown(language: str) -> Said:
    made = enquiry(language)
    request = made.last(AskTicket).request  # type: ignore[attr-defined]
    made.said(TicketTold(request=request, code="ticket.unknown"), START)
    return made


def enquired_offline(language: str) -> Said:
    made = kiosk(language, online=False)
    made.said(CodeScanned(kind="ticket", ticket="t-1"), START)
    return made


def led(language: str, *keys: str) -> Said:
    """Somebody who uses the key pad."""
    made = kiosk(language)
    for key in ("down", *keys):
        made.key(key, START)
    return made


PAGES: dict[str, Callable[[str], Kiosk]] = {
    "guides": lambda language: kiosk(language, "guides"),
    "guides_later": lambda language: kiosk(language, "guides", "later"),
    "guides_search": lambda language: kiosk(language, "guides", "search"),
    "guides_typed": lambda language: kiosk(language, "guides", "search", "key:j"),
    "guides_found": lambda language: kiosk(language, "guides", "search", "key:j", "see"),
    "guides_not_found": lambda language: kiosk(language, "guides", "search", "key:q", "key:q"),
    "guide": guide,
    "guide_conditions": lambda language: guide(language, "section:conditions"),
    "guide_conditions_later": later,
    "guide_materials": lambda language: guide(language, "section:materials", "have:0", "have:1"),
    "guide_materials_all": lambda language: guide(
        language, "section:materials", *(f"have:{n}" for n in range(6))
    ),
    "guide_steps": lambda language: guide(language, "section:steps"),
    "guide_terms": lambda language: guide(language, "section:terms"),
    "guide_more": lambda language: guide(language, "section:more"),
    "guide_no_printer": lambda language: guide(language, "section:materials", printer=None),
    "guide_printing": lambda language: printed(language, None),
    "guide_printed": lambda language: printed(language, "confirmed"),
    "guide_print_failed": lambda language: printed(language, "failed"),
    "guide_print_unknown": lambda language: printed(language, "unknown"),
    "enquiry": lambda language: kiosk(language, "enquiry"),
    "enquiry_asking": enquiry,
    "enquiry_waiting": lambda language: enquiry(language, state="waiting"),
    "enquiry_next": lambda language: enquiry(language, state="waiting", ahead=0, wait_min=None),
    "enquiry_called": lambda language: enquiry(language, state="called", counter_name=COUNTER),
    "enquiry_serving": lambda language: enquiry(language, state="serving", counter_name=COUNTER),
    "enquiry_parked": lambda language: enquiry(language, state="parked"),
    "enquiry_missed": lambda language: enquiry(language, state="no_show", counter_name=COUNTER),
    "enquiry_finished": lambda language: enquiry(language, state="finished"),
    "enquiry_void": lambda language: enquiry(language, state="void"),
    "enquiry_unknown": unknown,
    "enquiry_offline": enquired_offline,
    "help": lambda language: kiosk(language, "help"),
    "help_sending": lambda language: kiosk(language, "help", "yes"),
    "help_asked": lambda language: kiosk(language, "help", help="asked"),
    "help_coming": lambda language: kiosk(language, "help", help="coming"),
    "help_offline": lambda language: kiosk(language, "help", online=False),
    "help_elsewhere": lambda language: kiosk(language, "guides", help="asked"),
    "modes": lambda language: kiosk(language, "modes"),
    "modes_on": lambda language: kiosk(language, "modes", "mode:elder", "mode:contrast"),
    "modes_contrast": lambda language: kiosk(language, "modes", "mode:contrast", "back", "guides"),
    "modes_elder": lambda language: kiosk(language, "modes", "mode:elder", "back", "guides"),
    "modes_low": lambda language: kiosk(language, "modes", "mode:low_reach", "back", "guides"),
    "modes_led": lambda language: led(language),
}
ABOUT = {
    "guides": "Guides, in pages where they are many; who knows the name can search.",
    "guides_later": "A later page of the list.",
    "guides_search": "The search before the first letter: an example of what to type, and all guides.",
    "guides_typed": "After one letter: what is found stands over the keys, on small screens its count.",
    "guides_found": "What was found, with the ways back to all of them and to another search.",
    "guides_not_found": "No guide begins so: fewer letters, or the desk.",
    "guide": "A guide is opened: its sections are tabs, or keys where tabs would leave too little room.",
    "guide_conditions": "Who can apply: a long text is cut at its sentences into pages.",
    "guide_conditions_later": "The second page of the same text, where it is too long for one.",
    "guide_materials": "What to bring: two papers are ticked, it says how many are missing.",
    "guide_materials_all": "All papers are ticked: nothing is missing.",
    "guide_steps": "The steps of the matter, numbered.",
    "guide_terms": "How long it takes and what it costs.",
    "guide_more": "The telephone number and the law it rests on.",
    "guide_no_printer": "A terminal without a printer offers neither the list on paper nor a number.",
    "guide_printing": "The list of papers is being printed: please wait.",
    "guide_printed": "The list is out: take it; the guide comes back by itself.",
    "guide_print_failed": "The list was not printed: photograph the page, or ask at the desk.",
    "guide_print_unknown": "The printer did not say whether the list came out whole: look at the outlet.",
    "enquiry": "How does my ticket stand? Its code is to be held before the scanner.",
    "enquiry_asking": "The code was read, the hall is being asked.",
    "enquiry_waiting": "Still waiting: people before, expected wait, and where to wait.",
    "enquiry_next": "Nobody is before this number any more.",
    "enquiry_called": "The number is being called: the counter to go to stands out.",
    "enquiry_serving": "The number is being served, and where.",
    "enquiry_parked": "The counter has put the number on hold: please take a seat, it is called again.",
    "enquiry_missed": "The number was called in vain: whom to tell, so that it is called again.",
    "enquiry_finished": "The matter of this number is done: for another one take a new number.",
    "enquiry_void": "The number can no longer be used: take a new one, or ask at the desk.",
    "enquiry_unknown": "A ticket of another day, or of another hall: it is valid on its day only.",
    "enquiry_offline": "The hall cannot be asked now; the number stays valid.",
    "help": "The help key was pressed: it asks once, so that no curious finger calls anybody.",
    "help_sending": "Help is being called; the citizen can go on, or take it back.",
    "help_asked": "The staff have been told: go on here meanwhile, or take it back.",
    "help_coming": "A clerk has answered and is on the way: please wait here.",
    "help_offline": "The hall may not hear the call: it says so, and where else help can be found.",
    "help_elsewhere": "Help was called: the line above says so on every page until it is over.",
    "modes": "Large type, contrast, low controls, voice and languages: each key acts at once.",
    "modes_on": "Large type and contrast are on; with large type comes the voice, and how loud it is.",
    "modes_contrast": "High contrast on the list of guides.",
    "modes_elder": "Large type on the list of guides: fewer on a page.",
    "modes_low": "Low controls on the list of guides: nothing to touch in the upper part.",
    "modes_led": "A key of the pad was pressed on the start page: from now on it is read aloud.",
}
WAYS: dict[str, list[str]] = {
    "guide_to_a_number": [
        "start", "guides", "guide:food-permit", "section:materials", "have:0", "back", "take",
    ],
    "guide_read_whole": [
        "start", "guides", "later", "earlier", "guide:food-permit", "section:conditions", "back",
        "section:materials", "back", "section:steps", "back", "section:terms", "back", "section:more", "home",
    ],
    "search_a_guide": ["start", "guides", "search", "key:y", "key:l", "key:erase", "see", "all"],
    "enquiry": ["start", "enquiry", "back"],
    "help": ["start", "help", "yes", "no"],
    "modes": [
        "start", "modes", "mode:elder", "louder", "softer", "mode:contrast", "mode:low_reach", "all_off",
        "back",
    ],
}  # fmt: skip
"""Touches from the attract page on."""
