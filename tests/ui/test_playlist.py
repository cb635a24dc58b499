"""Which page of the playlist stands when."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from ui.playlist import Playing, fits
from wire.screen_link import ShownPicture
from wire.shown import PlaylistItem

ZONE = timezone(timedelta(hours=8))
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=ZONE)


def page(name: str, *, seconds: float = 10.0, **when: object) -> ShownPicture:
    return ShownPicture(
        item=PlaylistItem(item=name, text={"zh-CN": name}, seconds=seconds, **when)  # type: ignore[arg-type]
    )


def names(playing: Playing, moments: list[float]) -> list[str | None]:
    found: list[str | None] = []
    for now in moments:
        if now >= playing.due():
            playing.step(now, MONDAY)
        found.append(playing.page.item.item if playing.page is not None else None)
    return found


def test_pages_follow_each_other_for_their_seconds_and_begin_again() -> None:
    playing = Playing()
    playing.follow((page("a", seconds=5), page("b"), page("c")), 0.0, MONDAY)
    assert names(playing, [0, 4.9, 5, 14.9, 15, 25, 30]) == ["a", "a", "b", "b", "c", "a", "b"]


def test_a_page_alone_stands_and_wakes_nobody() -> None:
    playing = Playing()
    playing.follow((page("a"),), 0.0, MONDAY)
    assert playing.due() == inf
    playing.step(500.0, MONDAY)
    assert playing.page is not None


def test_another_page_that_begins_its_time_has_its_turn() -> None:
    playing = Playing()
    playing.follow((page("a", seconds=5), page("b", times=("09:30-10:00",))), 0.0, MONDAY)
    later = MONDAY.replace(minute=30)
    playing.step(1800.0, later)
    assert playing.page is not None and playing.page.item.item == "b"


def test_dates_weekdays_and_times() -> None:
    item = page(
        "a", first=date(2026, 11, 23), last=date(2026, 11, 24), weekdays=(1, 3), times=("08:30-12:00",)
    ).item
    assert fits(item, MONDAY)
    assert not fits(item, MONDAY.replace(hour=12))
    assert not fits(item, MONDAY + timedelta(days=1))  # a Tuesday
    assert not fits(item, MONDAY + timedelta(days=7))
    assert not fits(item, MONDAY - timedelta(days=7))


def test_without_a_clock_only_what_is_for_always_is_shown() -> None:
    playing = Playing()
    playing.follow((page("a", weekdays=(1,)), page("b")), 0.0, None)
    assert playing.page is not None and playing.page.item.item == "b"


def test_a_picture_that_has_not_come_is_passed_over_and_one_that_comes_stays() -> None:
    missing = ShownPicture(item=PlaylistItem(item="a", picture="0c" * 16))
    playing = Playing()
    playing.follow((missing,), 0.0, MONDAY)
    assert playing.page is None
    there = ShownPicture(item=missing.item, file="/pictures/a.png")
    playing.follow((there,), 1.0, MONDAY)
    assert playing.page == there


def test_a_new_list_lets_a_page_that_is_in_it_go_on() -> None:
    playing = Playing()
    playing.follow((page("a"), page("b")), 0.0, MONDAY)
    playing.follow((page("z"), page("a"), page("b")), 5.0, MONDAY)
    assert names(playing, [6, 10]) == ["a", "b"]


whens = st.fixed_dictionaries(
    {},
    optional={
        "first": st.dates(date(2026, 11, 1), date(2026, 12, 1)),
        "last": st.dates(date(2026, 11, 1), date(2026, 12, 1)),
        "weekdays": st.lists(st.integers(1, 7), max_size=3).map(tuple),
        "times": st.sampled_from([(), ("08:30-12:00",), ("00:00-24:00",), ("13:30-17:00", "08:00-09:00")]),
        "seconds": st.floats(2, 60),
    },
)


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), whens), max_size=8),
    st.lists(st.floats(0.5, 20_000), min_size=1, max_size=30),
)
def test_only_pages_of_their_time_stand_and_each_of_them_has_its_turn(
    entries: list[tuple[str, dict[str, object]]], steps: list[float]
) -> None:
    pages = tuple(page(name, **when) for name, when in entries)  # type: ignore[arg-type]
    playing, now = Playing(), 0.0
    playing.follow(pages, now, MONDAY)
    for step in steps:
        now += step
        at = MONDAY + timedelta(seconds=now)
        playing.step(now, at)
        fitting = [each for each in pages if fits(each.item, at)]
        assert (playing.page in fitting) if fitting else playing.page is None
    at = (MONDAY + timedelta(seconds=now)).replace(second=0)  # it stands, so that the same pages fit
    fitting = [each for each in pages if fits(each.item, at)]
    playing.step(now, at)
    seen, end = [playing.page], now + 60.0 * len(pages)
    while (now := playing.due()) <= end:
        playing.step(now, at)
        seen.append(playing.page)
    assert all(each in seen for each in fitting)
