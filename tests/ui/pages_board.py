"""Every page of the hall display, brought about by messages alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path

import msgspec

from ui.board.program import HallDisplay
from wire.messages import Board, BoardCall, BoardService
from wire.screen_link import BoardShown, PlaylistShown, ShownPicture, TimeShown
from wire.shown import PlaylistItem

AT = datetime(2026, 11, 23, 9, 41, 20, tzinfo=timezone(timedelta(hours=8)))
START = 1000.0
HALL = {"zh-CN": "清河区政务服务中心", "en": "Qinghe District Government Service Center"}
HOURS = ("08:30-11:45", "13:30-16:45")
ANNOUNCEMENTS = (
    {"zh-CN": "医保年度缴费十二月二十五日截止。", "en": "Medical insurance can be paid until 25 December."},
    {
        "zh-CN": "因系统升级，本周六（十一月二十八日）上午暂停办理不动产登记与税务事项，请合理安排时间；"
        "急需办理的，请到一楼服务台登记，工作人员会与您联系。",
        "en": "Because of works on the systems, property and tax matters are not handled on the morning of "
        "Saturday 28 November. If yours is urgent, please leave your number at the service desk.",
    },
)
SERVICES: tuple[tuple[str, str, str], ...] = (
    ("business-license", "企业开办", "Business registration"),
    ("self-employed", "个体工商户登记", "Sole trader registration"),
    (
        "food-permit",
        "食品经营许可（含小餐饮、小作坊备案登记）变更、延续与注销",
        "Food business permit (with small caterers and workshops): change, renewal and return",
    ),
    ("id-card", "居民身份证办理", "Resident identity card"),
    ("household", "户口登记与迁移", "Household registration and moving"),
    ("travel", "出入境证件", "Travel documents"),
    (
        "pension-transfer",
        "机关事业单位工作人员基本养老保险关系转移接续",
        "Transfer of the basic pension insurance of staff of government bodies and institutions",
    ),
    ("medical", "医疗保险参保登记", "Medical insurance enrolment"),
    ("property", "不动产登记", "Property registration"),
    ("tax", "税务综合", "Tax matters"),
)
COUNTERS = (
    ("3", "3号窗口", "Counter 3"),
    ("7", "7号窗口", "Counter 7"),
    ("12", "12号窗口", "Counter 12"),
    ("property-2", "不动产登记综合受理2号窗口", "Property registration counter 2"),
    ("1", "1号窗口", "Counter 1"),
)
SHORT = tuple(one for one in COUNTERS if len(one[1]) < 8)


def call(
    n: int,
    state: str = "serving",
    *,
    name: str | None = None,
    ago_s: float | None = None,
    counters: tuple[tuple[str, str, str], ...] = SHORT,
) -> BoardCall:
    """The nth newest."""
    counter, zh, en = counters[n % len(counters)]
    return BoardCall(
        number=f"{'ABCD'[n % 4]}{42 - n:03}",
        counter=counter,
        counter_name={"zh-CN": zh, "en": en},
        call=f"c-{900 - n}",
        called_at=AT - timedelta(seconds=5 + 75 * n if ago_s is None else ago_s),
        state=state,  # type: ignore[arg-type]
        name=name,
        zone="east",
    )


STATES = ("called", "called", "serving", "serving", "no_show", "serving", "finished", "finished", "finished")


def calls(number: int, *, names: bool = False, long: bool = False) -> tuple[BoardCall, ...]:
    masked = ("王*明", "李*", "欧阳**", "张*华", "买买提**")
    return tuple(
        call(
            n,
            STATES[min(n, len(STATES) - 1)],
            name=masked[n % len(masked)] if names else None,
            counters=COUNTERS if long else SHORT,
        )
        for n in range(number)
    )


def service(n: int, **more: object) -> BoardService:
    known = SERVICES[n % len(SERVICES)]
    waiting = (7, 0, 23, 4, 12, 31, 2, 9, 5, 16)[n % 10]
    return BoardService(
        service=f"{known[0]}-{n}",
        name={"zh-CN": known[1], "en": known[2]},
        waiting=waiting,
        zone="east",
        wait_min=(waiting, waiting * 2) if waiting else None,
        **more,  # type: ignore[arg-type]
    )


def services(number: int) -> tuple[BoardService, ...]:
    odd: dict[int, dict[str, object]] = {
        4: {"available": "quota_reached"},
        6: {"available": "closed"},
        8: {"left": 6},
        9: {"available": "out_of_hours"},
    }
    return tuple(service(n, **odd.get(n % 10, {})) for n in range(number))


def board(
    called: tuple[BoardCall, ...],
    waiting: tuple[BoardService, ...],
    *,
    missed: tuple[str, ...] = (),
    announcements: tuple[dict[str, str], ...] = ANNOUNCEMENTS,
    hours: tuple[str, ...] = HOURS,
    rev: int = 1,
) -> Board:
    return Board(
        epoch=1,
        rev=rev,
        business_date=date(2026, 11, 23),
        calls=called,
        services=waiting,
        missed=missed,
        announcements=announcements,
        hours=hours,
        hall_name=HALL,
    )


@cache
def poster() -> str:
    """A picture as a hall would put it into its playlist."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (960, 540), "#0b6b53")
    drawn = ImageDraw.Draw(picture)
    drawn.ellipse((560, -120, 1180, 500), fill="#12876a")
    for n in range(5):
        drawn.rectangle((80 + 90 * n, 430 - 55 * n, 140 + 90 * n, 470), fill="#ffd166")
    file = Path(tempfile.gettempdir()) / "paihao-test-poster.png"
    picture.save(file)
    return str(file)


def picture(*, with_file: bool = True) -> PlaylistShown:
    item = PlaylistItem(
        item="medical-2027",
        text={"zh-CN": "医保缴费，手机就能办", "en": "Pay medical insurance on your phone"},
        picture="0c" * 16 if with_file else None,
    )
    return PlaylistShown(pages=(ShownPicture(item=item, file=poster() if with_file else None),))


def display(
    language: str, shown: Board | None, *, playlist: PlaylistShown | None = None, at: datetime | None = AT
) -> HallDisplay:
    program = HallDisplay(language)
    if at is not None:
        program.said(TimeShown(at=at, trusted=True), START)
    if playlist is not None:
        program.said(playlist, START)
    program.said(BoardShown(board=shown, stale=False), START)
    return program


def _stale(language: str) -> HallDisplay:
    program = display(language, FULL)
    program.said(BoardShown(board=FULL, stale=True), START + 30)
    program.tick(START + 45)
    return program


def _flashing(language: str) -> HallDisplay:
    """A new call, in its other look."""
    program = display(language, board(calls(8)[1:], services(6)))
    program.said(BoardShown(board=board(calls(8), services(6), rev=2), stale=False), START + 20)
    return program


FULL = board(calls(12), services(10), missed=("A018", "B007", "A021"))
NAMES = board(calls(9, names=True, long=True), services(8), missed=("A018",))
MANY = board(
    calls(12, long=True),
    services(60),
    missed=tuple(f"A{n:03}" for n in range(30)),
    announcements=ANNOUNCEMENTS[1:],
)


def _holiday() -> Board:
    rests: dict[str, object] = {"available": "out_of_hours", "today": False, "again": date(2026, 11, 26)}
    shown = board((), tuple(service(n, **rests) for n in range(1, 6)))
    return msgspec.structs.replace(shown, hours=())


def both(language: str) -> str:
    """The language with the other one below it."""
    return "zh-CN+en" if language == "zh-CN" else "en+zh-CN"


PAGES: dict[str, Callable[[str], HallDisplay]] = {
    "board_starting": lambda language: HallDisplay(language),
    "board_no_calls": lambda language: display(language, board((), services(5))),
    "board_one_call": lambda language: display(language, board(calls(1), services(3), announcements=())),
    "board_only_calls": lambda language: display(language, board(calls(7), (), announcements=())),
    "board_full": lambda language: display(language, FULL),
    "board_playlist": lambda language: display(language, FULL, playlist=picture()),
    "board_playlist_text": lambda language: display(language, FULL, playlist=picture(with_file=False)),
    "board_names": lambda language: display(language, NAMES),
    "board_many": lambda language: display(language, MANY),
    "board_flashing": _flashing,
    "board_stale": _stale,
    "board_holiday": lambda language: display(language, _holiday()),
    "board_rest": lambda language: display(
        language, board((), services(4), announcements=()), at=AT.replace(hour=12, minute=5)
    ),
    "board_no_clock": lambda language: display(language, FULL, at=None),
    "board_both_languages": lambda language: display(both(language), FULL, playlist=picture()),
    "board_both_many": lambda language: display(both(language), MANY),
}
CLOCKS = {"board_flashing": START + 20.6, "board_stale": START + 45.0}
ABOUT = {
    "board_holiday": "A day on which the hall is closed: when it opens again.",
    "board_starting": "Before the agent has spoken.",
    "board_no_calls": "The first people wait, nobody has been called.",
    "board_one_call": "One call, three services.",
    "board_only_calls": "A display that shows calls only.",
    "board_full": "Twelve calls, ten services, missed numbers and notices.",
    "board_playlist": "With a picture of the playlist.",
    "board_playlist_text": "With a text of the playlist.",
    "board_names": "A hall that calls by masked names.",
    "board_many": "Sixty services in pages, thirty missed numbers, a long notice.",
    "board_flashing": "A new call in its other look.",
    "board_stale": "The hall's server has fallen silent: what stands there is marked as old.",
    "board_rest": "Between morning and afternoon.",
    "board_no_clock": "A node whose clock cannot be trusted shows none.",
    "board_both_languages": "Both languages on one display.",
    "board_both_many": "Both languages with the longest names.",
}
