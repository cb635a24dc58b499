"""The hall display as the agent speaks to it: what stands, what is old, what wakes it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages_board import AT, FULL, MANY, START, board, call, calls, display, picture, service, services
from screen_checks import complaints

from ui.board.notices import band_pieces
from ui.board.program import PAGE_S, HallDisplay
from ui.board.waiting import pages as waiting_pages
from ui.board.waiting import wait_words
from ui.items import Layout, Words
from ui.layout import lay_out
from ui.news import AWAY_S
from ui.screen import STATED, Screen
from ui.theme import load_theme
from ui.tongue import Tongue
from wire.messages import Board, BoardService
from wire.screen_link import BoardShown, LinkMessage, PlaylistShown, TimeShown

LARGE = Screen.of((1920, 1080))
SMALL = Screen.of((800, 480))
ZH = Tongue("zh-CN")


def laid(program: HallDisplay, now: float, screen: Screen = LARGE) -> Layout:
    return lay_out(program.page(screen, now), screen, load_theme("board"))


def words(layout: Layout) -> list[str]:
    return ["".join(item.lines) for item in layout.items if isinstance(item, Words)]


def shown(program: HallDisplay, now: float, screen: Screen = LARGE) -> str:
    return " ".join(words(laid(program, now, screen)))


# ---------------------------------------------------------------- old news


def test_what_the_agent_calls_stale_is_marked_with_the_time_of_the_last_news() -> None:
    program = display("zh-CN", FULL)
    assert "暂停更新" not in shown(program, START + 1)
    program.said(BoardShown(board=FULL, stale=True), START + 130)  # heard of last at START + 120
    assert "以下是 09:43 的信息" in shown(program, START + 300)
    assert "A042" in shown(program, START + 300)


def test_an_agent_that_is_gone_is_marked_within_ten_seconds() -> None:
    program = display("zh-CN", FULL)
    program.said(None, START + 60)
    assert "暂停更新" not in shown(program, START + 61)
    due = program.due(START + 61)
    assert due <= START + 60 + AWAY_S < START + 70
    later = START + 60 + AWAY_S
    program.tick(later)
    assert "以下是 09:42 的信息" in shown(program, later)
    assert program.due(later) > later


def test_an_agent_that_comes_back_takes_the_mark_away() -> None:
    program = display("zh-CN", FULL)
    program.said(None, START + 60)
    program.said(BoardShown(board=FULL, stale=False), START + 62)
    assert "暂停更新" not in shown(program, START + 90)


def test_a_display_that_starts_while_the_hall_is_silent_knows_no_time() -> None:
    program = HallDisplay()
    program.said(TimeShown(at=AT, trusted=True), START)
    program.said(BoardShown(board=FULL, stale=True), START)
    told = shown(program, START + 5)
    assert "暂停更新" in told and "以下是" not in told


def test_an_old_call_does_not_ask_anybody_to_come() -> None:
    program = display("zh-CN", FULL)
    program.said(BoardShown(board=FULL, stale=True), START + 30)
    assert "请到窗口办理" not in shown(program, START + 60)


def test_before_the_agent_has_spoken_a_calm_page_stands() -> None:
    assert "显示屏正在准备" in shown(HallDisplay(), START)


# ---------------------------------------------------------------- calls


@pytest.mark.parametrize("number", [0, 1, 2, 5, 12])
def test_every_call_of_twelve_stands_on_a_large_display(number: int) -> None:
    program = display("zh-CN", board(calls(number), services(3), announcements=()))
    told = shown(program, START)
    assert all(one.number in told for one in calls(number))


def test_a_call_that_does_not_fit_is_one_that_is_over() -> None:
    program = display("zh-CN", board(calls(12), ()))
    told = shown(program, START, SMALL)
    assert all(one.number in told for one in calls(12)[:4] if one.state in ("called", "serving"))


def test_a_new_call_is_large_and_the_one_before_it_in_the_list() -> None:
    program = display("zh-CN", board(calls(8)[1:], services(6)))
    program.said(BoardShown(board=board(calls(8), services(6)), stale=False), START + 20)
    first, second = laid(program, START + 20.1), laid(program, START + 20.6)
    large = [item for item in first.items if isinstance(item, Words) and "A042" in item.lines]
    others = [item for item in first.items if isinstance(item, Words) and "B041" in item.lines]
    assert large[0].size > 2 * others[0].size
    assert first.items != second.items
    assert first.items == laid(program, START + 21.1).items


def test_a_flash_changes_the_large_call_and_nothing_else() -> None:
    program = display("zh-CN", board(calls(8)[1:], services(6)))
    program.said(BoardShown(board=board(calls(8), services(6)), stale=False), START + 21)
    first, second = laid(program, START + 21.1), laid(program, START + 21.6)
    left, top, wide, high = first.boxes["large"]
    for item in set(first.items) ^ set(second.items):
        assert left <= item.rect[0] and item.rect[0] + item.rect[2] <= left + wide
        assert top <= item.rect[1] and item.rect[1] + item.rect[3] <= top + high


def test_names_stand_beside_the_numbers_where_the_hall_calls_by_name() -> None:
    named = board(calls(4, names=True), ())
    assert "王*明" in shown(display("zh-CN", named), START)


@pytest.mark.parametrize("size", sorted(STATED))
@pytest.mark.parametrize("number", ["7", "A042"])
def test_the_longest_name_leaves_the_counter_its_room(number: str, size: tuple[int, int]) -> None:
    longest = "买" + "*" * 30 + "提"
    named = msgspec.structs.replace(call(0, "called"), number=number, name=longest)
    layout = laid(display("zh-CN", board((named,), services(3))), START, Screen.of(size))
    assert not complaints(layout, size)
    assert {number, longest, "3号窗口"} <= set(words(layout))


def test_a_display_of_one_zone_shows_its_calls_and_services_only() -> None:
    west = msgspec.structs.replace(call(0, "called"), zone="west", number="W001")
    unknown = msgspec.structs.replace(call(1, "called"), zone=None, number="N001")
    elsewhere = msgspec.structs.replace(service(0), zone="west", name={"zh-CN": "西区事项"})
    whole = board((west, unknown, *calls(3)), (elsewhere, service(1)))
    program = HallDisplay()
    program.said(BoardShown(board=whole, stale=False, zone="east"), START)
    told = shown(program, START)
    assert "W001" not in told and "西区事项" not in told
    assert "N001" in told and "A042" in told and "个体工商户登记" in told


# ---------------------------------------------------------------- services, notices, clock


def test_every_one_of_sixty_services_has_its_turn() -> None:
    program = display("zh-CN", MANY)
    seen: set[str] = set()
    for turn in range(40):
        seen |= set(words(laid(program, START + turn * PAGE_S)))
    assert {one.name["zh-CN"] for one in MANY.services} <= seen


@given(
    st.integers(0, 80), st.floats(40, 180), st.floats(20, 90), st.sampled_from(["zh-CN", "en", "zh-CN+en"])
)
def test_pages_of_services_hold_each_service_once(
    number: int, wide: float, high: float, languages: str
) -> None:
    shown_services = services(number)
    _, made = waiting_pages(shown_services, Tongue.of(languages), wide, high)
    assert tuple(one for page in made for one in page) == shown_services


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({}, ("7 人", "7–14 分钟", False)),
        ({"wait_min": (0, 5)}, ("7 人", "5 分钟内", False)),
        ({"wait_min": (9, 9)}, ("7 人", "约 9 分钟", False)),
        ({"wait_min": None}, ("7 人", "", False)),
        ({"waiting": 0}, ("", "无人等候", False)),
        ({"left": 6}, ("7 人", "今日还剩 6 个号", False)),
        ({"available": "quota_reached"}, ("7 人", "今日号已取完", True)),
        ({"available": "closed", "waiting": 0}, ("", "暂停取号", True)),
        ({"available": "out_of_hours"}, ("7 人", "不在取号时间", True)),
    ],
)
def test_what_is_told_of_a_service(facts: dict[str, object], told: tuple[str, str, bool]) -> None:
    plain = BoardService(service="a", name={"zh-CN": "企业开办"}, waiting=7, zone="east", wait_min=(7, 14))
    assert wait_words(msgspec.structs.replace(plain, **facts), ZH) == told


def test_missed_numbers_stand_between_the_announcements_newest_first() -> None:
    pieces = band_pieces(FULL.announcements, FULL.missed, ZH, 177.0)
    assert [piece.label for piece in pieces[:4]] == ["通知", "过号", "通知", "过号"]
    assert pieces[1].words == "A021  B007  A018"
    whole = "".join(piece.words for piece in pieces if piece.label == "通知")
    assert whole == "".join(one["zh-CN"] for one in FULL.announcements)


def test_a_notice_bears_its_mark_in_its_own_language() -> None:
    pieces = band_pieces(FULL.announcements, (), Tongue.of("zh-CN+en"), 177.0)
    assert {(piece.label, piece.words.isascii()) for piece in pieces} == {("通知", False), ("Notice", True)}


def test_the_clock_stands_only_where_it_can_be_trusted() -> None:
    program = display("zh-CN", FULL)
    assert {"09:41", "11月23日 星期一"} <= set(words(laid(program, START)))
    assert "09:42" in words(laid(program, START + 40))
    program.said(TimeShown(at=AT, trusted=False), START + 50)
    assert not any(":" in word and len(word) == 5 for word in words(laid(program, START + 60)))


def test_outside_the_hours_the_next_ones_are_told() -> None:
    noon = display("zh-CN", FULL, at=AT.replace(hour=12))
    assert "现在休息，下午 13:30 开始办公" in shown(noon, START)
    evening = display("en", FULL, at=AT.replace(hour=18))
    assert "Closed for today" in shown(evening, START)


def test_a_playlist_stands_and_turns() -> None:
    program = display("zh-CN", board(calls(3), services(2)), playlist=picture(with_file=False))
    assert "医保缴费，手机就能办" in shown(program, START)


def test_a_display_sleeps_between_what_changes() -> None:
    program = display("zh-CN", FULL)
    now, wakes = START + 30, 0
    program.tick(now)
    while (due := program.due(now)) < START + 630:
        assert due > now
        now = due
        program.tick(now)
        wakes += 1
    assert wakes <= 60 + 11  # pages every ten seconds, and the minutes


def test_both_languages_stand_on_one_display() -> None:
    told = shown(display("zh-CN+en", FULL), START)
    assert "3号窗口" in told and "Counter 3" in told and "Please go to the counter" in told


# ---------------------------------------------------------------- whatever comes


boards = st.sampled_from(
    [
        None,
        FULL,
        MANY,
        board((), ()),
        board(calls(1), services(1), announcements=({},), hours=("soon",)),
        board(calls(3, names=True, long=True), services(2), missed=("A001",)),
        msgspec.structs.replace(FULL, hall_name={}),
    ]
)
messages = st.one_of(
    st.none(),
    st.builds(BoardShown, board=boards, stale=st.booleans(), zone=st.sampled_from([None, "east", "north"])),
    st.builds(
        TimeShown,
        at=st.integers(0, 10**6).map(lambda s: AT + timedelta(seconds=s)),
        trusted=st.booleans(),
    ),
    st.sampled_from([picture(with_file=False), PlaylistShown(pages=())]),
)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(messages, st.floats(0, 40)), max_size=8),
    st.sampled_from(sorted(STATED)),
    st.sampled_from(["zh-CN", "en", "zh-CN+en"]),
)
def test_whatever_the_agent_says_something_whole_stands_there(
    said: list[tuple[LinkMessage | None, float]], size: tuple[int, int], languages: str
) -> None:
    program, now, screen = HallDisplay(languages), START, Screen.of(size)
    for message, wait in said:
        program.said(message, now)
        now += wait
        if program.due(now) <= now:
            program.tick(now)
        assert program.due(now) > now  # else it would never sleep
        layout = laid(program, now, screen)
        assert words(layout) and not complaints(layout, size)


def test_a_board_of_an_older_hall_without_zones_or_hours_is_shown() -> None:
    old = Board(epoch=1, rev=1, business_date=AT.date(), calls=(call(0, "called"),), services=())
    assert "A042" in shown(display("zh-CN", old), START)


# ---------------------------------------------------------------- found in a running hall


def test_a_call_that_is_over_neither_flashes_nor_stands_before_one_that_is_not() -> None:
    program = display("zh-CN", board((call(1, "called"),), services(2)))
    new = call(0, "called")
    program.said(BoardShown(board=board((new, call(1, "called")), services(2)), stale=False), START + 20)
    assert program.seen(START + 20).large == new
    over = msgspec.structs.replace(new, state="finished")
    program.said(BoardShown(board=board((over, call(1, "called")), services(2)), stale=False), START + 22)
    seen = program.seen(START + 22.6)
    assert seen.large is not None and seen.large.number == "B041"
    assert not seen.alternate and not seen.fresh


def test_an_agent_that_starts_without_the_hall_leaves_what_stood_there() -> None:
    program = display("zh-CN", FULL)
    program.said(None, START + 60)
    program.said(BoardShown(board=None, stale=True), START + 61)
    assert "A042" in shown(program, START + 62) and "暂停更新" not in shown(program, START + 62)
    later = START + 60 + AWAY_S
    assert program.due(START + 62) <= later
    program.tick(later)
    assert "A042" in shown(program, later) and "暂停更新" in shown(program, later)
    program.said(BoardShown(board=FULL, stale=False), later + 1)
    assert "暂停更新" not in shown(program, later + 1) and not program.seen(later + 1).fresh


def test_news_of_another_day_are_told_with_their_day() -> None:
    program = display("zh-CN", FULL)
    program.said(BoardShown(board=FULL, stale=True), START + 130)
    assert "以下是 11月23日 星期一 09:43 的信息" in shown(program, START + 86400)


@pytest.mark.parametrize("size", sorted(STATED))
@pytest.mark.parametrize("languages", ["zh-CN", "en", "zh-CN+en"])
def test_a_display_of_one_zone_bears_its_name(size: tuple[int, int], languages: str) -> None:
    named = msgspec.structs.replace(
        FULL, zone_names={"east": {"zh-CN": "一楼东区", "en": "Ground floor, east"}}
    )
    program = HallDisplay(languages)
    program.said(TimeShown(at=AT, trusted=True), START)
    program.said(BoardShown(board=named, stale=False, zone="east"), START)
    layout = laid(program, START, Screen.of(size))
    assert not layout.problems
    assert ("Ground floor, east" if languages == "en" else "一楼东区") in " ".join(words(layout))
    program.said(BoardShown(board=named, stale=False), START)
    assert "东区" not in shown(program, START)


def test_nobody_is_asked_to_take_a_number_when_the_hall_is_closed() -> None:
    evening = shown(display("zh-CN", board((), services(2)), at=AT.replace(hour=18)), START)
    assert "请取号" not in evening and evening.count("今日办公已结束") == 2
    noon = shown(display("zh-CN+en", board((), services(2)), at=AT.replace(hour=12)), START)
    assert "请取号" not in noon and "Closed now, opens at 13:30" in noon


def test_the_last_finished_call_does_not_stand_there_all_evening() -> None:
    over = tuple(msgspec.structs.replace(one, state="finished") for one in calls(3))
    program = display("zh-CN", board(over, services(2)), at=AT.replace(hour=18))
    assert "A042" not in shown(program, START) and shown(program, START).count("今日办公已结束") == 2
    assert "A042" in shown(display("zh-CN", board(over, services(2))), START)
    still = display("zh-CN", board(calls(3), services(2)), at=AT.replace(hour=18))
    assert "A042" in shown(still, START)


def test_a_flat_display_shows_calls_and_services_side_by_side() -> None:
    layout = laid(display("zh-CN", FULL), START, Screen.of((1920, 360)))
    assert layout.boxes["waiting"][0] > layout.boxes["large"][0] + layout.boxes["large"][2]
    assert not layout.problems
