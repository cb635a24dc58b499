"""What a counter's screen says when it calls, and when it has nothing to call."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from device.profile import CounterStation
from device.stations.counter_text import calling, idle, wrong_fields
from drivers.call_screen.protocol import ScreenText
from drivers.call_screen.text_layout import lay_out
from wire.checked_toml import TomlProblems, convert
from wire.messages import CounterClerk, CounterState

NAME = {"zh-CN": "3号窗口", "en": "Counter 3"}
CLERK = CounterClerk(number="012", name={"zh-CN": "王芳", "en": "Wang Fang"})
HOURS = ("08:30-11:45", "13:30-16:45")


def counter(state: Any = "open", **more: Any) -> CounterState:
    return CounterState(epoch=1, rev=1, counter="3", name=NAME, zone="east", state=state, **more)


@pytest.mark.parametrize(
    "width, lines, shown, scrolls",
    [
        (16, 1, ("A005 请到3号窗口",), False),  # 128 × 16, the common strip
        (12, 1, ("A005 3号窗口",), False),  # 96 × 16
        (12, 2, ("A005", "请到3号窗口"), False),  # 96 × 32
        (8, 1, ("A005 3号窗口",), True),  # 64 × 16
        (8, 2, ("A005", "3号窗口"), False),
    ],
)
def test_a_call_fits_every_common_strip(
    width: int, lines: int, shown: tuple[str, ...], scrolls: bool
) -> None:
    layout = lay_out(calling("A005", NAME, "zh-CN", flash=True), width, lines)
    assert (layout.lines, layout.scrolls, layout.flashes) == (shown, scrolls, not scrolls)


def test_a_call_that_may_not_be_true_any_more_is_marked() -> None:
    assert calling("A005", NAME, "zh-CN", flash=False, stale=True).text == "A005 请到3号窗口 ※"
    assert calling("A005", NAME, "en", flash=False) == ScreenText("A005 Counter 3", "red")


@pytest.mark.parametrize(
    "template, now, said",
    [
        ("{counter}", counter(), "3号窗口"),
        ("{counter} {clerk}", counter(clerk=CLERK), "3号窗口 工号012 王芳"),
        ("{counter} {clerk}", counter(clerk=CounterClerk(number="012")), "3号窗口 工号012"),
        ("{counter} {clerk} {hours}", counter(), "3号窗口"),
        ("{name} · {number}", counter(clerk=CLERK), "王芳 · 012"),
        ("{counter}\n{clerk}\n{hours}", counter(hours=HOURS), "3号窗口\n08:30-11:45 13:30-16:45"),
        ("{counter} {state}", counter("serving"), "3号窗口"),
    ],
)
def test_an_open_counter_says_what_the_template_asks_for(template: str, now: CounterState, said: str) -> None:
    assert idle(now, NAME, "zh-CN", template) == ScreenText(said, "green")


@pytest.mark.parametrize(
    "now, stale, said",
    [
        (counter("paused"), False, "暂停服务"),
        (counter("closed"), False, "未开放"),
        (None, False, "未开放"),
        (counter("open"), True, "系统离线"),
    ],
)
def test_a_counter_that_serves_nobody_says_why(now: CounterState | None, stale: bool, said: str) -> None:
    expected = ScreenText(f"3号窗口 {said}", "green", shorter=(said,))
    assert idle(now, NAME, "zh-CN", stale=stale) == expected
    hours = idle(counter("closed", hours=HOURS[:1]), NAME, "en", closed_templates="{counter} {hours}")
    assert hours == ScreenText("Counter 3 08:30-11:45", "green")


def test_the_fullest_template_that_fits_is_shown() -> None:
    now = counter(clerk=CLERK, hours=HOURS)
    content = idle(now, NAME, "zh-CN", ("{counter} {clerk} {hours}", "{counter} {clerk}", "{counter}"))
    assert lay_out(content, 48).text == "3号窗口 工号012 王芳 08:30-11:45 13:30-16:45"
    assert lay_out(content, 20).text == "3号窗口 工号012 王芳"
    assert lay_out(content, 16).text == "3号窗口"
    assert lay_out(content, 24, 2).lines == ("3号窗口 工号012 王芳", "08:30-11:45 13:30-16:45")


@pytest.mark.parametrize(
    "template, wrong",
    [
        ("{counter} {clerk}", []),
        ("{window} {clerk}", ["window"]),
        ("{counter.__class__}", ["counter.__class__"]),
        ("{counter!r} {name:>9}", ["counter", "name"]),
        ("{counter", ["{counter"]),
        ("{}", [""]),
    ],
)
def test_only_the_fields_that_there_are(template: str, wrong: list[str]) -> None:
    assert wrong_fields(template) == wrong


def test_a_profile_with_a_wrong_template_is_refused() -> None:
    raw = {"kind": "counter", "id": "c", "counter": "3"}
    with pytest.raises((TomlProblems, msgspec.ValidationError), match="window"):
        convert(raw | {"idle": "{window}"}, CounterStation, "station[0]")
    assert convert(raw | {"idle": ["{counter} {name}"]}, CounterStation, "station[0]").idle
