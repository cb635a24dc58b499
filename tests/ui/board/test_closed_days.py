"""Days on which a hall is closed, on its display and over its counters."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from pages_board import AT, START, board, call, calls, display, services
from pages_counter import counter, panel
from screen_checks import complaints

from ui.items import Layout, Words
from ui.layout import lay_out
from ui.screen import STATED, Screen
from ui.theme import load_theme
from wire.messages import Board
from wire.screen_link import BoardShown

AGAIN = date(2026, 11, 26)
NIGHT = AT.replace(hour=0, minute=30) + timedelta(days=1)


def closed(*, today: bool, again: date | None = AGAIN, called: int = 0) -> Board:
    """`today` True: in the evening of a day that had hours."""
    rests = [
        msgspec.structs.replace(one, available="out_of_hours", today=today, again=again)
        for one in services(4)
    ]
    shown = board(calls(called), tuple(rests), announcements=())
    return shown if today else msgspec.structs.replace(shown, hours=())


def laid(program: object, size: tuple[int, int] = (1920, 1080)) -> Layout:
    screen = Screen.of(size)
    return lay_out(program.page(screen, START), screen, load_theme("board"))  # type: ignore[attr-defined]


def words(program: object) -> str:
    return " ".join("".join(item.lines) for item in laid(program).items if isinstance(item, Words))


def test_a_holiday_is_said_with_the_next_day() -> None:
    assert "今天不办公，11月26日开始办公" in words(display("zh-CN", closed(today=False)))
    assert "Closed today, opens on 26 November" in words(display("en", closed(today=False)))
    alone = words(display("zh-CN", closed(today=False, again=None)))
    assert "今天不办公" in alone and "开始办公" not in alone and "今日办公" not in alone
    assert "今日办公" in words(display("zh-CN", closed(today=True)))
    at_noon = display("zh-CN", closed(today=True, again=None), at=AT.replace(hour=12))
    assert "现在休息，下午 13:30 开始办公" in words(at_noon)


def test_in_the_evening_the_next_day_is_said() -> None:
    evening = AT.replace(hour=18)
    assert "今日已结束，11月26日开始办公" in words(display("zh-CN", closed(today=True), at=evening))
    alone = words(display("zh-CN", closed(today=True, again=None), at=evening))
    assert "今日办公已结束" in alone and "开始办公" not in alone
    shown = closed(today=True)
    later = msgspec.structs.replace(shown.services[0], again=None)
    some = msgspec.structs.replace(shown, services=(later, *shown.services[1:]))
    assert "11月26日" not in words(display("zh-CN", some, at=evening)), "one is given later today"


def test_one_open_service_leaves_the_hall_open() -> None:
    shown = closed(today=False)
    one = msgspec.structs.replace(shown.services[0], available="open", today=True, again=None)
    told = words(display("zh-CN", msgspec.structs.replace(shown, services=(one, *shown.services[1:]))))
    assert "今天不办公" not in told and "11月26日" not in told


def test_a_call_that_goes_on_stays_large() -> None:
    shown = msgspec.structs.replace(closed(today=False), calls=(call(0, "called", ago_s=5),))
    assert "请到" in words(display("zh-CN", shown))


def test_after_midnight_the_hours_of_the_day_before_are_not_said() -> None:
    told = words(display("zh-CN", closed(today=True), at=NIGHT))
    assert "现在休息，11月26日开始办公" in told and "08:30" not in told
    told = words(display("zh-CN", closed(today=True, again=None), at=NIGHT))
    assert "08:30" not in told and "今日办公" not in told


@pytest.mark.parametrize(("days", "told"), [(1, True), (3, False), (4, False)])
def test_cut_off_since_the_day_before(days: int, told: bool) -> None:
    """Up to the day that was named; on it, and after it, nothing is said of hours that nobody knows."""
    program = display("zh-CN", closed(today=True), at=AT + timedelta(days=days))
    program.said(BoardShown(board=closed(today=True), stale=True), START)
    assert ("11月26日开始办公" in words(program)) is told
    assert "今日办公" not in words(program)


def test_a_counter_does_not_say_the_hours_of_the_day_before() -> None:
    today = AT.date()
    closed_now = counter("closed", business_date=today)
    assert "上午 08:30 开始服务" in words(panel("zh-CN", closed_now, at=AT.replace(hour=7)))
    for at in (NIGHT, AT.replace(hour=7) + timedelta(days=1)):
        told = words(panel("zh-CN", closed_now, at=at))
        assert "未开放" in told and "开始服务" not in told


@pytest.mark.parametrize("size", STATED)
@pytest.mark.parametrize("language", ["zh-CN", "en", "zh-CN+en"])
def test_it_fits(language: str, size: tuple[int, int]) -> None:
    for shown, hour in (
        (closed(today=False), 9),
        (closed(today=True), 18),
        (closed(today=True, called=3), 18),
    ):
        late = msgspec.structs.replace(
            shown,
            services=tuple(msgspec.structs.replace(one, again=date(2026, 12, 30)) for one in shown.services),
        )
        assert complaints(laid(display(language, late, at=AT.replace(hour=hour)), size), size) == []
