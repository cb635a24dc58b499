from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from device.clock import Clock, hall_zone

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_a_machine_that_boots_in_1970_is_not_trusted_until_it_hears_the_time(
    hands: Any, clock: Clock
) -> None:
    hands.wall = 3600.0
    assert not clock.trusted
    assert not clock.expired(datetime(1960, 1, 1, tzinfo=UTC)), "nothing expires by a clock that is wrong"
    assert clock.learn(NOW)
    assert clock.trusted and clock.now() == NOW
    hands.forward(90)
    assert clock.now() == NOW + timedelta(seconds=90)


def test_a_wall_clock_that_jumps_moves_nothing_once_the_time_was_heard(hands: Any, clock: Clock) -> None:
    clock.learn(NOW)
    before = clock.now()
    hands.wall += 86_400
    assert clock.now() == before
    assert clock.expired(before) and not clock.expired(before + timedelta(seconds=1))


def test_the_wall_clock_counts_until_the_time_was_heard(hands: Any, clock: Clock) -> None:
    hands.wall = 3600.0
    assert not clock.trusted
    hands.wall = NOW.timestamp()
    assert clock.trusted and clock.now() == NOW


def test_heartbeats_that_agree_do_not_move_the_clock(hands: Any, clock: Clock) -> None:
    assert clock.learn(NOW)
    hands.forward(3)
    assert not clock.learn(NOW + timedelta(seconds=1.5))
    assert clock.now() == NOW + timedelta(seconds=3)
    assert clock.learn(NOW + timedelta(seconds=60))
    assert clock.now() == NOW + timedelta(seconds=60)


def test_a_coordinator_with_a_wrong_clock_is_not_learned_from(clock: Clock) -> None:
    assert not clock.learn(datetime(1970, 1, 1, tzinfo=UTC))


def test_what_was_learned_is_kept_for_the_same_boot_only(hands: Any) -> None:
    clock = Clock(UTC, lambda: hands.wall, lambda: hands.boot)
    hands.wall = 3600.0
    clock.learn(NOW)
    kept = clock.kept()
    again = Clock(UTC, lambda: hands.wall, lambda: hands.boot)
    again.restore(kept)
    assert again.trusted and again.now() == NOW
    for other in (b"another-boot 12.5", b"", b"\xff", kept.split(b" ")[0] + b" x"):
        fresh = Clock(UTC, lambda: hands.wall, lambda: hands.boot)
        fresh.restore(other)
        assert not fresh.trusted


def test_the_business_date_is_the_halls_until_its_calendar_day_ends(hands: Any) -> None:
    clock = Clock(timezone(timedelta(hours=8)), lambda: hands.wall, lambda: hands.boot)
    hands.wall = datetime(2026, 11, 20, 23, 0, tzinfo=clock.now().tzinfo).timestamp()
    assert clock.business_date() == date(2026, 11, 20)
    clock.hear_business_date(date(2026, 11, 19))
    assert clock.business_date() == date(2026, 11, 19)
    hands.forward(2 * 3600)
    assert clock.business_date() == date(2026, 11, 21)


def test_the_business_date_ends_when_the_hall_said(hands: Any) -> None:
    """Cut off at one in the morning: yesterday's numbers are not given at nine, nor the calendar's at two."""
    clock = Clock(timezone(timedelta(hours=8)), lambda: hands.wall, lambda: hands.boot)
    hands.wall = datetime(2026, 11, 21, 1, 0, tzinfo=clock.now().tzinfo).timestamp()
    clock.hear_business_date(date(2026, 11, 20), datetime(2026, 11, 21, 4, 0, tzinfo=clock.now().tzinfo))
    told = []
    for hours in (1, 1.99, 0.02, 5, 16, 3, 24):
        hands.forward(hours * 3600)
        told.append((clock.now().strftime("%d %H:%M"), clock.business_date().day))
    assert told == [
        ("21 02:00", 20), ("21 03:59", 20), ("21 04:00", 21), ("21 09:00", 21),
        ("22 01:00", 21), ("22 04:00", 22), ("23 04:00", 23),
    ]  # fmt: skip


def test_a_zone_that_is_not_known_is_the_machines_own() -> None:
    assert hall_zone("Asia/Shanghai").utcoffset(NOW) == timedelta(hours=8)
    assert hall_zone("Nowhere/At-All") is not None


def test_the_time_of_a_hall_elsewhere() -> None:
    clock = Clock(wall=lambda: datetime(2026, 11, 22, 0, 30, tzinfo=UTC).timestamp())
    assert clock.in_zone("Asia/Shanghai")().strftime("%H:%M") == "08:30"
