from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drivers.keypad.debounce import Debounce

WINDOW = 0.25
sightings = st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 1, allow_nan=False)), max_size=60)


def presses(seen: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """`seen` are keys and the time since the one before."""
    debounce, now, taken = Debounce(WINDOW), 100.0, []
    for key, pause in seen:
        now += pause
        if debounce.is_press(key, now):
            taken.append((key, now))
    return taken


@given(sightings)
def test_every_key_seen_is_pressed_at_least_once_at_its_first_sighting(seen: list[tuple[str, float]]) -> None:
    assert {key for key, _ in presses(seen)} == {key for key, _ in seen}


@given(sightings)
def test_presses_of_a_key_are_a_window_apart(seen: list[tuple[str, float]]) -> None:
    last: dict[str, float] = {}
    for key, at in presses(seen):
        assert at - last.get(key, -1.0) >= WINDOW
        last[key] = at


@given(sightings)
def test_keys_do_not_change_each_other(seen: list[tuple[str, float]]) -> None:
    now, alone = 100.0, []
    debounce = Debounce(WINDOW)
    for key, pause in seen:
        now += pause
        if key == "A" and debounce.is_press(key, now):
            alone.append((key, now))
    assert [press for press in presses(seen) if press[0] == "A"] == alone


@given(st.integers(1, 100), st.floats(0, WINDOW * 0.99))
def test_a_burst_however_long_is_one_press(count: int, pause: float) -> None:
    assert len(presses([("A", pause)] * count)) == 1


@given(st.integers(1, 30), st.floats(WINDOW * 1.01, 10))
def test_deliberate_presses_all_count(count: int, pause: float) -> None:
    assert len(presses([("A", pause)] * count)) == count
