"""The counter panel as the agent speaks to it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages_counter import AT, CLERK, HOURS, LONG_NAME, LONG_SERVICE, START, counter, panel, photo
from screen_checks import complaints

from ui.counter_panel import CounterPanel
from ui.items import Drawing, Layout, Words
from ui.layout import lay_out
from ui.news import AWAY_S, FLASH_S
from ui.screen import STATED, Screen
from ui.theme import load_theme
from wire.messages import CounterState
from wire.screen_link import CounterShown, LinkMessage, TimeShown

LARGE = Screen.of((1920, 1080))


def laid(program: CounterPanel, now: float, screen: Screen = LARGE) -> Layout:
    return lay_out(program.page(screen, now), screen, load_theme("board"))


def shown(program: CounterPanel, now: float) -> str:
    return " ".join("".join(item.lines) for item in laid(program, now).items if isinstance(item, Words))


def said(state: CounterState | None, *, stale: bool = False) -> CounterShown:
    return CounterShown(counter=state, prompt=None, stale=stale)


@pytest.mark.parametrize(
    ("state", "hour", "told"),
    [
        ("called", 9, "请到本窗口办理 A005 社保登记"),
        ("serving", 9, "正在办理 A005 社保登记"),
        ("open", 9, "请等候叫号 窗口空闲"),
        ("paused", 9, "暂停服务 请稍候"),
        ("paused", 12, "暂停服务 下午 13:30 开始服务"),
        ("closed", 7, "未开放 上午 08:30 开始服务"),
        ("closed", 9, "未开放 请到其他窗口办理"),
        ("closed", 17, "今日服务结束"),
    ],
)
def test_what_a_counter_says(state: str, hour: int, told: str) -> None:
    number = "A005" if state in ("called", "serving") else None
    program = panel("zh-CN", counter(state, number), at=AT.replace(hour=hour))
    assert told in shown(program, START)
    assert "3号窗口" in shown(program, START)


def test_a_closed_counter_without_a_clock_tells_its_hours() -> None:
    assert "08:30–11:45  13:30–16:45" in shown(panel("zh-CN", counter("closed"), at=None), START)


def test_the_clerk_stands_with_number_name_and_photo() -> None:
    program = panel("zh-CN", counter("serving", "A005"))
    assert "王芳 工号 012" in shown(program, START)
    drawings = [item for item in laid(program, START).items if isinstance(item, Drawing)]
    assert [item.args[0] for item in drawings if item.name == "file"] == [photo()]


def test_how_many_wait_is_not_told_by_a_closed_counter() -> None:
    assert "等候 12 人" in shown(panel("zh-CN", counter("open")), START)
    assert "等候 12 人" not in shown(panel("zh-CN", counter("closed")), START)


def test_a_new_call_flashes_for_ten_seconds_twice_a_second_at_most() -> None:
    program = panel("zh-CN", counter("open"))
    program.said(said(counter("called", "A006")), START + 5)
    looks, now = [laid(program, START + 5).items], START + 5
    changes = []
    while (due := program.due(now)) < START + 15.2:
        assert due > now
        now = due
        looks.append(laid(program, now).items)
        changes.append(now)
    assert looks[0] != looks[1] and looks[0] == looks[2]
    assert all(b - a >= 0.49 for a, b in pairwise(changes))
    assert laid(program, START + 5 + FLASH_S).items == looks[0]
    assert program.due(START + 15.1) > START + 16


def test_a_recall_flashes_again_and_a_repeated_state_does_not() -> None:
    program = panel("zh-CN", counter("open"))
    state = counter("called", "A006")
    program.said(said(state), START + 5)
    program.said(said(msgspec.structs.replace(state, waiting=3)), START + 9)
    assert laid(program, START + 15.6).items == laid(program, START + 16.1).items
    recalled = msgspec.structs.replace(state, called_at=AT)
    program.said(said(recalled), START + 30)
    assert laid(program, START + 30.1).items != laid(program, START + 30.6).items


def test_a_panel_that_starts_flashes_only_a_call_of_just_now() -> None:
    fresh = panel("zh-CN", counter("called", "A005", called_at=AT - timedelta(seconds=4)))
    assert laid(fresh, START + 0.1).items != laid(fresh, START + 0.6).items
    old = panel("zh-CN", counter("called", "A005", called_at=AT - timedelta(minutes=4)))
    assert laid(old, START + 0.1).items == laid(old, START + 0.6).items


def test_a_panel_that_starts_before_the_hall_has_spoken_does_not_flash_an_old_call() -> None:
    program = panel("zh-CN", None)
    program.said(said(counter("called", "A005", called_at=AT - timedelta(minutes=4))), START + 3)
    assert laid(program, START + 3.1).items == laid(program, START + 3.6).items
    program.said(said(counter("called", "A006", called_at=AT - timedelta(minutes=5), call="c-2")), START + 9)
    assert laid(program, START + 9.1).items != laid(program, START + 9.6).items


def test_old_news_are_marked_and_stay_readable() -> None:
    program = panel("zh-CN", counter("called", "A005"))
    program.said(said(counter("called", "A005"), stale=True), START + 20)
    assert "暂停更新" in shown(program, START + 20) and "A005" in shown(program, START + 20)
    program.said(said(counter("called", "A005")), START + 30)
    assert "暂停更新" not in shown(program, START + 30)


def test_an_agent_that_is_gone_is_marked_within_ten_seconds() -> None:
    program = panel("zh-CN", counter("serving", "A005"))
    program.said(None, START + 20)
    assert program.due(START + 20) <= START + 20 + AWAY_S <= START + 30
    assert "暂停更新" in shown(program, START + 20 + AWAY_S)
    assert "A005" in shown(program, START + 20 + AWAY_S)


@pytest.mark.parametrize(
    "size", [(1920, 360), (1920, 540), (1280, 400), (480, 800), (1280, 1024), (3840, 2160)]
)
@pytest.mark.parametrize("language", ["zh-CN", "en", "zh-CN+en"])
def test_panels_of_other_shapes_show_everything(size: tuple[int, int], language: str) -> None:
    states = [
        counter("called", "ABC123456", name=LONG_NAME, service_name=LONG_SERVICE),
        counter("serving", "A005"),
        counter("paused"),
        counter("closed", clerk=None),
    ]
    for state in states:
        for stale in (False, True):
            layout = laid(panel(language, state, stale=stale), START, Screen.of(size))
            assert not complaints(layout, size)


states = st.builds(
    counter,
    st.sampled_from(["closed", "open", "paused", "called", "serving"]),
    st.sampled_from([None, "A005", "ABC123456"]),
    name=st.sampled_from([{"zh-CN": "3号窗口"}, LONG_NAME]),
    service_name=st.sampled_from([None, LONG_SERVICE]),
    clerk=st.sampled_from([None, CLERK]),
    hours=st.sampled_from([(), HOURS, ("soon",)]),
    waiting=st.integers(0, 999),
    called_at=st.sampled_from([None, AT]),
)
messages = st.one_of(
    st.none(),
    st.builds(
        CounterShown,
        counter=st.one_of(st.none(), states),
        prompt=st.none(),
        stale=st.booleans(),
        photo=st.sampled_from([None, "/nowhere/photo.png"]),
    ),
    st.builds(
        TimeShown, at=st.integers(0, 10**5).map(lambda s: AT + timedelta(seconds=s)), trusted=st.booleans()
    ),
)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(messages, st.floats(0, 30)), max_size=8),
    st.sampled_from([*sorted(STATED), (1920, 360)]),
    st.sampled_from(["zh-CN", "en", "zh-CN+en"]),
)
def test_whatever_the_agent_says_something_whole_stands_there(
    said_all: list[tuple[LinkMessage | None, float]], size: tuple[int, int], languages: str
) -> None:
    program, now, screen = CounterPanel(languages), START, Screen.of(size)
    for message, wait in said_all:
        program.said(message, now)
        now += wait
        layout = laid(program, now, screen)
        assert any(isinstance(item, Words) for item in layout.items)
        assert not complaints(layout, size)
        assert program.due(now) > now


def test_an_agent_that_starts_without_the_hall_leaves_the_number_and_flashes_nothing_anew() -> None:
    program = panel("zh-CN", counter("called", "A005"))
    program.said(None, START + 60)
    program.said(said(None, stale=True), START + 61)
    assert "A005" in shown(program, START + 62)
    later = START + 60 + AWAY_S
    assert program.due(START + 62) <= later
    assert "A005" in shown(program, later) and "暂停更新" in shown(program, later)
    program.said(said(counter("called", "A005")), later + 1)
    assert "暂停更新" not in shown(program, later + 1)
    assert laid(program, later + 1.1).items == laid(program, later + 1.6).items
