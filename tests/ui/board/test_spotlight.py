"""Which call stands large, how long it flashes, and what comes after it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages_board import AT, call

from ui.board.spotlight import LEAST_S, Spotlight, key_of
from ui.news import FLASH_S
from wire.messages import BoardCall


def started(*calls: BoardCall) -> Spotlight:
    spotlight = Spotlight()
    spotlight.follow(calls, 0.0, None)
    return spotlight


def run(spotlight: Spotlight, until: float, now: float = 0.0) -> None:
    """Every step that is due."""
    while (due := spotlight.due(now)) <= until:
        assert due > now
        now = due
        spotlight.step(now)


def large(spotlight: Spotlight, *calls: BoardCall) -> str | None:
    shown = spotlight.large(calls)
    return shown.number if shown is not None else None


def test_a_new_call_flashes_at_one_hertz_for_ten_seconds_and_then_stands() -> None:
    old, new = call(1), call(0, "called")
    spotlight = started(old)
    spotlight.follow((new, old), 100.0, None)
    changes, now = [], 100.0
    while (due := spotlight.due(now)) < 1000:
        now = due
        spotlight.step(now)
        changes.append((round(now - 100, 3), spotlight.alternate(now)))
    assert changes[:4] == [(0.5, True), (1.0, False), (1.5, True), (2.0, False)]
    assert now - 100 == pytest.approx(FLASH_S)
    assert not spotlight.alternate(now) and not spotlight.fresh()
    assert large(spotlight, new, old) == new.number


def test_a_recall_flashes_again() -> None:
    first = call(0, "called")
    spotlight = started(first)
    spotlight.follow((first,), 50.0, None)
    assert not spotlight.fresh()
    again = BoardCall(
        number=first.number,
        counter=first.counter,
        counter_name=first.counter_name,
        call=first.call,
        called_at=first.called_at + timedelta(seconds=40),
        state="called",
    )
    spotlight.follow((again,), 60.0, None)
    assert key_of(again) in spotlight.fresh()
    assert spotlight.alternate(60.6)


def test_several_at_once_stand_one_after_the_other_for_three_seconds_each() -> None:
    calls = tuple(call(n, "called") for n in range(4))
    spotlight = started(calls[3])
    spotlight.follow(calls, 0.0, None)
    seen, now = [(0.0, large(spotlight, *calls))], 0.0
    while (due := spotlight.due(now)) < 60:
        now = due
        spotlight.step(now)
        if large(spotlight, *calls) != seen[-1][1]:
            seen.append((now, large(spotlight, *calls)))
    assert seen == [(0.0, calls[2].number), (LEAST_S, calls[1].number), (2 * LEAST_S, calls[0].number)]


def test_a_call_that_comes_later_waits_until_the_first_has_stood_three_seconds() -> None:
    first, second = call(1, "called"), call(0, "called")
    spotlight = started()
    spotlight.follow((first,), 0.0, None)
    spotlight.follow((second, first), 1.0, None)
    assert large(spotlight, second, first) == first.number
    run(spotlight, 2.9, 1.0)
    assert large(spotlight, second, first) == first.number
    spotlight.step(3.0)
    assert large(spotlight, second, first) == second.number


def test_a_display_that_starts_flashes_only_a_call_of_just_now() -> None:
    new, old = call(0, "called", ago_s=8), call(1, "called")
    spotlight = Spotlight()
    spotlight.follow((new, old), 0.0, AT)
    assert spotlight.fresh() == {key_of(new)}
    late = Spotlight()
    late.follow((new, old), 0.0, AT + timedelta(minutes=5))
    assert not late.fresh()
    unknown = Spotlight()
    unknown.follow((new, old), 0.0, None)
    assert not unknown.fresh()


def test_a_call_that_is_taken_back_gives_way() -> None:
    first, second = call(1, "called"), call(0, "called")
    spotlight = started(call(2))
    spotlight.follow((second, first, call(2)), 0.0, None)
    spotlight.follow((second, call(2)), 0.5, None)
    assert large(spotlight, second, call(2)) == second.number


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 30), max_size=20, unique=True),
            st.sampled_from(["called", "serving", "finished", "no_show"]),
            st.floats(0, 15),
        ),
        max_size=20,
    )
)
def test_any_boards_wake_it_a_bounded_number_of_times(boards: list[tuple[list[int], str, float]]) -> None:
    spotlight, now = Spotlight(), 0.0
    calls: tuple[BoardCall, ...] = ()
    for numbers, state, wait in boards:
        calls = tuple(call(n, state) for n in numbers)
        spotlight.follow(calls, now, None)
        shown = spotlight.large(calls)
        assert (shown in calls) if calls else shown is None
        until = now + wait
        wakes = 0
        while (due := spotlight.due(now)) <= until:
            assert due > now
            now = due
            spotlight.step(now)
            wakes += 1
        assert wakes <= 3 * wait + 40
        now = until
    run(spotlight, now + 1000, now)
    assert spotlight.due(now + 1000) > now + 1000 and not spotlight.fresh()
