"""Days without numbers: what the kiosk says of today, and when again; also cut off, after midnight."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec
import pages_kiosk as pages
import pytest
import screen_checks
from pages_kiosk import CATALOGUE, MORNING, OFFLINE, STATE, Visit, at_start

from ui.items import Layout, Words
from ui.layout import lay_out
from ui.screen import STATED, Screen
from ui.theme import load_theme
from wire.messages import Board
from wire.screen_link import KioskState, TimeShown

TODAY = MORNING.date()
"""Monday, 9 March."""
THURSDAY = date(2026, 3, 12)
IDS = [one.service.replace("-", "_") for one in CATALOGUE.services]


def laid(kiosk: Visit, size: tuple[int, int] = (1080, 1920)) -> Layout:
    screen = Screen.of(size)
    page = kiosk.page(screen, kiosk.clock)
    return lay_out(page, screen, load_theme(page.theme or kiosk.theme))


def seen(kiosk: Visit) -> str:
    """All words on the page."""
    return " ".join("".join(item.lines) for item in laid(kiosk).items if isinstance(item, Words))


def at(time: datetime) -> TimeShown:
    return TimeShown(at=time, trusted=True)


def resting(*, today: bool = False, again: date | None = THURSDAY, **others: dict[str, object]) -> Board:
    """No service is given any more."""
    every: dict[str, object] = {"available": "out_of_hours", "today": today, "again": again}
    board = pages.board(**{one: every | others.get(one, {}) for one in IDS})
    return board if today else msgspec.structs.replace(board, hours=())


def with_board(board: Board, state: KioskState = STATE, day: date = TODAY) -> KioskState:
    return msgspec.structs.replace(state, board=board, business_date=day)


def test_a_holiday_says_when_numbers_are_given_again() -> None:
    kiosk = at_start("zh-CN", state=with_board(resting()))
    for action in ("", "start"):
        kiosk.do(*([action] if action else []))
        assert "今天不取号" in seen(kiosk) and "3月12日 星期四 开始取号" in seen(kiosk)
        assert "办公时间" not in seen(kiosk), "today has none"
    english = at_start("en", state=with_board(resting()))
    assert "No numbers are given" in seen(english) and "Numbers from" in seen(english)


def test_a_holiday_without_a_next_day_says_nothing_of_one() -> None:
    kiosk = at_start("zh-CN", state=with_board(resting(again=None)))
    assert "今天不取号" in seen(kiosk) and "开始取号" not in seen(kiosk)


def test_in_the_evening_before_a_holiday_nobody_is_told_to_come_tomorrow() -> None:
    evening = MORNING.replace(hour=18)
    kiosk = at_start("zh-CN", at(evening), state=with_board(resting(today=True)))
    assert "现在不是取号时间" in seen(kiosk) and "3月12日 星期四 开始取号" in seen(kiosk)
    some = resting(today=True, tax={"again": None})
    kiosk = at_start("zh-CN", at(evening), state=with_board(some))
    assert "开始取号" not in seen(kiosk), "one comes later today, or nobody knows"


def test_the_earliest_service_counts() -> None:
    board = resting(tax={"again": date(2026, 3, 10)})
    assert "3月10日 星期二 开始取号" in seen(at_start("zh-CN", state=with_board(board)))


def test_one_service_that_is_not_given_today_says_when() -> None:
    resting_one = {"available": "out_of_hours", "today": False, "again": THURSDAY}
    kiosk = at_start("zh-CN", state=with_board(pages.board(food_permit=resting_one)))
    kiosk.do("start", "group:general")
    assert "3月12日 星期四 开始取号" in seen(kiosk)
    kiosk.do("service:food-permit")
    assert "现在不取号" in seen(kiosk) and "3月12日 星期四 开始取号" in seen(kiosk)
    without = pages.board(food_permit=resting_one | {"again": None})
    kiosk = at_start("zh-CN", state=with_board(without)).do("start", "group:general")
    assert "今天不办理" in seen(kiosk)


def test_cut_off_on_a_holiday_nothing_is_given() -> None:
    kiosk = at_start("zh-CN", state=with_board(resting(), OFFLINE))
    assert "今天不取号" in seen(kiosk) and "3月12日 星期四 开始取号" in seen(kiosk)


@pytest.mark.parametrize(
    ("day", "told", "not_told"),
    [
        (date(2026, 3, 10), "3月12日 星期四 开始取号", "请触摸屏幕取号"),
        (date(2026, 3, 11), "今天不取号", "请触摸屏幕取号"),
        (THURSDAY, "请触摸屏幕取号", "今天不取号"),
        (date(2026, 3, 13), "请触摸屏幕取号", "3月12日"),
    ],
)
def test_cut_off_since_the_evening_before_a_holiday(day: date, told: str, not_told: str) -> None:
    """Until the day that the hall named nothing is given; then the numbers of that date, if it has any."""
    now = datetime.combine(day, MORNING.timetz())
    kiosk = at_start("zh-CN", at(now), state=with_board(resting(today=True), OFFLINE, day))
    assert told in seen(kiosk) and not_told not in seen(kiosk)
    used_up = msgspec.structs.replace(OFFLINE, offline_numbers={})
    kiosk = at_start("zh-CN", at(now), state=with_board(resting(today=True), used_up, day))
    assert "请触摸屏幕取号" not in seen(kiosk)


def test_cut_off_the_hours_and_quotas_of_yesterday_do_not_hold() -> None:
    """Yesterday was closed at this hour, and its quota was used up; today has numbers of its own."""
    tomorrow = TODAY + timedelta(days=1)
    board = pages.board(food_permit={"available": "quota_reached", "left": 0, "hours": ("14:00-15:00",)})
    now = MORNING.replace(hour=12) + timedelta(days=1)
    kiosk = at_start("zh-CN", at(now), state=with_board(board, OFFLINE, tomorrow))
    kiosk.do("start", "group:general", "service:food-permit")
    assert "take" in {target.action for target in laid(kiosk).targets}


def test_after_midnight_the_hours_of_the_day_before_are_not_said() -> None:
    """The business date goes on until four; half past eight was yesterday."""
    night = MORNING.replace(hour=0, minute=30) + timedelta(days=1)
    for state in (STATE, OFFLINE):
        board = resting(today=True, again=None)
        kiosk = at_start("zh-CN", at(night), state=with_board(board, state))
        assert "现在不是取号时间" in seen(kiosk)
        assert "08:30" not in seen(kiosk)
        kiosk = at_start("zh-CN", at(night), state=with_board(resting(today=True), state))
        assert "3月12日 星期四 开始取号" in seen(kiosk)


@pytest.mark.parametrize("size", STATED)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_it_fits(language: str, size: tuple[int, int]) -> None:
    """The longest day."""
    late = date(2026, 9, 30)
    whole = with_board(resting(again=late))
    some = {one: {"available": "out_of_hours", "today": False, "again": late} for one in IDS[1:]}
    for state, ways in ((whole, [[], ["start"]]), (with_board(pages.board(**some)), [["start"]])):
        for way in ways:
            assert screen_checks.complaints(laid(at_start(language, state=state).do(*way), size), size) == []
    one = at_start(language, state=with_board(pages.board(**some))).do("start", "group:social")
    assert screen_checks.complaints(laid(one, size), size) == []
