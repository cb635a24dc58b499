"""A text on a strip: never wider than it, never cut without need, whatever the words are."""

from __future__ import annotations

from datetime import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.call_screen.brightness import Brightness, level_at, scaled
from drivers.call_screen.protocol import ScreenText
from drivers.call_screen.text_layout import cells, gb2312, lay_out, pages, plain

words = st.text(st.sampled_from("A05 请到号窗口，。3\n\\×é𠮷"), max_size=40)


@pytest.mark.parametrize(
    "text, width", [("A005", 4), ("请到", 4), ("3号窗口", 7), ("", 0), ("A005 请到3号窗口", 16), ("×", 2)]
)
def test_a_cell_is_half_a_chinese_character(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    "width, lines, shown, scrolls",
    [
        (20, 1, ("请A005号到3号窗口办理",), True),
        (21, 1, ("请A005号到3号窗口办理",), False),
        (16, 2, ("请A005号到3号窗", "口办理"), False),
        (12, 2, ("请A005号到", "3号窗口办理"), False),
        (10, 2, ("请A005号到3号窗口办理",), True),
    ],
)
def test_where_a_text_is_broken(width: int, lines: int, shown: tuple[str, ...], scrolls: bool) -> None:
    layout = lay_out(ScreenText("请A005号到3号窗口办理", flash=True), width, lines)
    assert (layout.lines, layout.scrolls, layout.flashes) == (shown, scrolls, not scrolls)


def test_shorter_wordings_before_scrolling_and_then_the_shortest() -> None:
    content = ScreenText("请A005号到3号窗口", shorter=("A005 到3号窗口", "A005 3号窗口"))
    shown = {width: lay_out(content, width) for width in (17, 16, 14, 12, 11)}
    assert [layout.text for layout in shown.values()] == [
        "请A005号到3号窗口", "A005 到3号窗口", "A005 到3号窗口", "A005 3号窗口", "A005 3号窗口",
    ]  # fmt: skip
    assert [layout.scrolls for layout in shown.values()] == [False] * 4 + [True]


def test_a_line_break_is_where_two_lines_are_broken_and_a_space_on_one() -> None:
    content = ScreenText("请A005号\n到3号窗口")
    assert lay_out(content, 10, 2).lines == ("请A005号", "到3号窗口")
    assert lay_out(content, 20).text == "请A005号 到3号窗口"
    assert lay_out(ScreenText("A005\n3"), 16, 2).lines == ("A005 3",), "one line is enough"


def test_punctuation_does_not_begin_a_line_and_numbers_stay_whole() -> None:
    assert pages("请携带身份证，按号等候", 12) == ("请携带身份", "证，按号等候")
    assert pages("到12号窗口", 4) == ("到", "12号", "窗口")
    assert pages("ABCDEFGHIJ", 4) == ("ABCD", "EFGH", "IJ")
    assert pages("", 4) == ("",)


@given(words, st.integers(2, 24))
def test_no_page_is_wider_than_the_screen_and_nothing_is_lost(text: str, width: int) -> None:
    made = pages(text, width)
    assert all(cells(page) <= width for page in made)
    assert "".join("".join(made).split()) == "".join(plain(text).split())


@given(words, st.lists(words, max_size=3), st.integers(2, 24), st.integers(1, 3))
def test_what_does_not_scroll_fits(text: str, shorter: list[str], width: int, lines: int) -> None:
    layout = lay_out(ScreenText(text, flash=True, shorter=tuple(shorter)), width, lines)
    assert 1 <= len(layout.lines) <= lines
    assert all(line.isprintable() for line in layout.lines)
    if layout.scrolls:
        assert len(layout.lines) == 1 and cells(layout.text) > width and not layout.flashes
    else:
        assert all(cells(line) <= width for line in layout.lines) and layout.flashes


@given(st.text(max_size=80), st.integers(0, 100))
def test_any_text_becomes_gb2312_within_the_limit(text: str, limit: int) -> None:
    encoded, changed = gb2312(text, limit)
    assert len(encoded) <= limit
    back = encoded.decode("gb2312")
    assert not any(char < " " for char in back)
    if not changed:
        assert len(back) == len(text)


def test_what_gb2312_lacks_is_replaced_and_told() -> None:
    assert gb2312("请A005号到3号窗口", 100) == ("请A005号到3号窗口".encode("gb2312"), False)
    assert gb2312("王𠮷", 100) == ("王□".encode("gb2312"), True)
    assert gb2312("窗口", 3) == ("窗".encode("gb2312"), True)


class _Options(msgspec.Struct):
    brightness: Brightness | None = None


def test_brightness_by_the_time_of_day() -> None:
    steps = [{"from": "19:00", "level": 5}, {"from": "07:30", "level": 12}]
    schedule = msgspec.convert({"brightness": steps}, _Options).brightness
    levels = [level_at(schedule, time(hour, 30)) for hour in (0, 6, 7, 12, 18, 19, 23)]
    assert levels == [5, 5, 12, 12, 12, 5, 5]
    assert (level_at(8, time(3)), level_at(None, time(3))) == (8, None)
    for wrong in ({"from": "24:00", "level": 5}, {"from": "07:30", "level": 16}, {"level": 3}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"brightness": [wrong]}, _Options)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"brightness": []}, _Options)


def test_a_level_in_other_ranges() -> None:
    assert [scaled(level, 100) for level in (0, 1, 8, 15)] == [0, 7, 53, 100]
    assert [scaled(level, 4) for level in (0, 1, 15)] == [0, 1, 4]
