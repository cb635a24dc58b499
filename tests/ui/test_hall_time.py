"""The hall's clock and hours on screens; beats; widths of words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from ui.beats import beat, lit, next_beat
from ui.ems import ems, lines, parts, size_for
from ui.hall_time import (
    HallTime,
    day_in_words,
    hours_in_words,
    is_open,
    next_start,
    part_and_time,
    spans,
)
from wire.screen_link import TimeShown

AT = datetime(2026, 11, 23, 9, 41, 20, tzinfo=timezone(timedelta(hours=8)))
HOURS = ("13:30-16:45", "08:30-11:45")
times = st.floats(min_value=0, max_value=1e7, allow_nan=False)


def test_the_clock_runs_on_from_what_was_said() -> None:
    clock = HallTime()
    assert clock.at(5.0) is None and clock.next_minute(5.0) == inf
    clock.heard(TimeShown(at=AT, trusted=True), 100.0)
    assert clock.at(145.0) == AT + timedelta(seconds=45)
    assert clock.next_minute(100.0) == 140.0


def test_a_clock_that_cannot_be_trusted_is_not_shown() -> None:
    clock = HallTime()
    clock.heard(TimeShown(at=AT, trusted=True), 100.0)
    clock.heard(TimeShown(at=AT, trusted=False), 110.0)
    assert clock.at(120.0) is None


@given(st.floats(min_value=0, max_value=86400), times)
def test_the_next_minute_is_the_next_one(seconds: float, now: float) -> None:
    clock = HallTime()
    clock.heard(TimeShown(at=AT + timedelta(seconds=seconds), trusted=True), now)
    due = clock.next_minute(now)
    assert now < due <= now + 60.1
    before, after = clock.at(now), clock.at(due + 0.01)
    assert before is not None and after is not None and before.minute != after.minute


def test_hours_are_read_in_order_and_what_is_none_is_left_out() -> None:
    assert spans((*HOURS, "soon", "12:00-09:00")) == ((510, 705), (810, 1005))
    assert hours_in_words(HOURS) == "08:30–11:45  13:30–16:45"


def test_open_and_when_it_opens() -> None:
    assert is_open(HOURS, AT)
    assert next_start(HOURS, AT) == 810
    noon = AT.replace(hour=11, minute=45)
    assert not is_open(HOURS, noon)
    assert next_start(HOURS, AT.replace(hour=17)) is None
    assert is_open((), AT)


def test_times_are_said_as_people_say_them() -> None:
    assert part_and_time(810, "zh-CN") == "下午 13:30"
    assert part_and_time(510, "zh-CN") == "上午 08:30"
    assert part_and_time(810, "en") == "13:30"
    assert day_in_words(AT.date(), "zh-CN") == "11月23日 星期一"
    assert day_in_words(AT.date(), "en") == "Monday 23 November"


@given(times, st.floats(min_value=0.1, max_value=60), times)
def test_the_next_beat_is_later_and_counts_one_more(began: float, period: float, now: float) -> None:
    due = next_beat(began, period, now)
    assert due > now
    assert beat(began, period, due) >= beat(began, period, now)
    assert beat(began, period, due) - beat(began, period, now) <= 2


def test_what_flashes_changes_twice_a_second() -> None:
    looks = [lit(100.0, 100.0 + n / 20) for n in range(40)]
    assert looks == ([True] * 10 + [False] * 10) * 2


@given(st.text(max_size=200), st.floats(min_value=2, max_value=60))
def test_pieces_of_a_long_text_are_the_whole_text_and_fit(words: str, width: float) -> None:
    made = parts(words, width)
    assert "".join("".join(made).split()) == "".join(words.split())
    assert all(ems(part) <= width for part in made)


def test_a_text_breaks_after_a_mark() -> None:
    assert parts("本周六上午停办税务事项，请合理安排时间。", 14) == (
        "本周六上午停办税务事项，",
        "请合理安排时间。",
    )


@given(st.text(max_size=80), st.floats(min_value=4, max_value=60))
def test_lines_are_enough(words: str, width: float) -> None:
    count = lines(words, width)
    assert count >= ems(words) / width - 1e-6
    assert (count == 0) == (words == "")


def test_the_widest_words_give_the_size() -> None:
    assert size_for(["四个汉字", "二字"], 40.0, 20.0, 4.0) == 10.0
    assert size_for(["四个汉字"], 400.0, 20.0, 4.0) == 20.0
    assert size_for(["四个汉字"], 4.0, 20.0, 4.0) == 4.0
