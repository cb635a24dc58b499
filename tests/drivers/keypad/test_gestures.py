"""Presses, long and double presses, the lock, stuck keys and bouncing contacts: a state machine in time."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.keypad.gestures import CHORD_S, Gesture, GestureConfig, Gestures

PLAIN = GestureConfig()
RICH = GestureConfig(
    long={"B": "B-long", "D": "D-long"}, double={"C": "C-twice", "D": "D-twice"}, lock=("A", "B"), stuck_s=10
)
KEYS = "ABCDE"
MEANINGS = {"A", "B", "C", "D", "E", "B-long", "D-long", "C-twice", "D-twice"}
SETTLE, AGAIN, LONG, DOUBLE = 0.025, 0.25, 0.8, 0.35

steps = st.lists(
    st.tuples(st.sampled_from(KEYS), st.booleans(), st.floats(0, 3, allow_nan=False)), max_size=60
)


def run(config: GestureConfig, moves: list[tuple[str, bool, float]], end: float = 60.0) -> list[Gesture]:
    """`moves`: key, down, absolute time. Ticks only when something is due."""
    gestures, found = Gestures(config), []
    for name, down, at in moves:
        found += gestures.down(name, at) if down else gestures.up(name, at)
    last = moves[-1][2] if moves else 0.0
    while gestures.deadline <= last + end:
        found += gestures.tick(gestures.deadline)
    return found


def pressed(found: list[Gesture]) -> list[str]:
    return [gesture.key for gesture in found if gesture.kind == "press"]


def held(name: str, start: float, seconds: float) -> list[tuple[str, bool, float]]:
    return [(name, True, start), (name, False, start + seconds)]


# ---------------------------------------------------------------- what people do


def test_a_plain_key_is_a_press_when_it_goes_down() -> None:
    gestures = Gestures(PLAIN)
    assert gestures.down("A", 1.0) == [Gesture("press", "A", 1.0)]
    assert gestures.up("A", 1.5) == []


@pytest.mark.parametrize("seconds, meaning", [(0.05, "B"), (0.7, "B"), (0.81, "B-long"), (5, "B-long")])
def test_a_key_that_is_held_has_another_meaning(seconds: float, meaning: str) -> None:
    found = run(GestureConfig(long={"B": "B-long"}), held("B", 1.0, seconds))
    assert found == [Gesture("press", meaning, 1.0)]


def test_a_long_press_is_told_while_it_is_held() -> None:
    gestures = Gestures(GestureConfig(long={"B": "B-long"}))
    assert gestures.down("B", 1.0) == []
    assert gestures.deadline == pytest.approx(1.0 + LONG)
    assert gestures.tick(gestures.deadline) == [Gesture("press", "B-long", 1.0)]
    assert gestures.up("B", 3.0) == []


@pytest.mark.parametrize(
    "second, meanings", [(0.12, ["C-twice"]), (0.34, ["C-twice"]), (0.7, ["C", "C"]), (None, ["C"])]
)
def test_two_presses_have_another_meaning(second: float | None, meanings: list[str]) -> None:
    moves = held("C", 1.0, 0.06) + (held("C", 1.0 + second, 0.06) if second else [])
    assert pressed(run(GestureConfig(double={"C": "C-twice"}), moves)) == meanings


def test_a_third_press_right_after_a_double_one_is_nothing() -> None:
    moves = held("C", 1.0, 0.06) + held("C", 1.15, 0.06) + held("C", 1.3, 0.06)
    assert pressed(run(GestureConfig(double={"C": "C-twice"}), moves)) == ["C-twice"]


def test_two_keys_held_together_lock_and_unlock() -> None:
    config = GestureConfig(lock=("A", "B"))
    together = [("A", True, 1.0), ("B", True, 1.1), ("A", False, 4.0), ("B", False, 4.1)]
    tried = held("E", 5.0, 0.1)
    again = [("B", True, 6.0), ("A", True, 6.05), ("B", False, 9.0), ("A", False, 9.0)]
    found = run(config, together + tried + again + held("E", 10.0, 0.1))
    assert [(gesture.kind, gesture.key) for gesture in found] == [
        ("locked", "B"),
        ("refused", "E"),
        ("unlocked", "A"),
        ("press", "E"),
    ]


def test_two_keys_that_are_let_go_too_early_are_nothing() -> None:
    moves = [("A", True, 1.0), ("B", True, 1.1), ("A", False, 2.0), ("B", False, 2.1)]
    assert run(GestureConfig(lock=("A", "B")), moves) == []


def test_a_key_of_the_lock_alone_is_a_press_soon() -> None:
    found = run(GestureConfig(lock=("A", "B")), held("A", 1.0, 1.0))
    assert found == [Gesture("press", "A", 1.0)]
    gestures = Gestures(GestureConfig(lock=("A", "B")))
    gestures.down("A", 1.0)
    assert gestures.deadline == pytest.approx(1.0 + CHORD_S)


def test_a_key_that_is_stuck_is_told_until_it_is_free_and_pressed_once() -> None:
    gestures = Gestures(GestureConfig(stuck_s=10))
    assert pressed(gestures.down("A", 1.0)) == ["A"]
    assert gestures.tick(20.0) == [Gesture("stuck", "A", 11.0)]
    assert gestures.stuck == ["A"]
    assert pressed(gestures.down("E", 21.0)) == ["E"]
    assert gestures.up("A", 30.0) == [Gesture("freed", "A", 30.0)]
    assert gestures.stuck == []


def test_a_key_that_repeats_without_end_is_stuck_and_free_when_it_falls_silent() -> None:
    gestures, found = Gestures(GestureConfig(stuck_s=10)), []
    for n in range(150):
        found += gestures.tap("A", 1.0 + n / 10)
    assert [gesture.kind for gesture in found] == ["press", "stuck"]
    assert gestures.tick(gestures.deadline)[0].kind == "freed"
    assert gestures.deadline == inf


def test_what_was_down_at_the_beginning_is_no_press() -> None:
    gestures = Gestures(GestureConfig(stuck_s=10))
    gestures.held({"A"}, 1.0)
    assert gestures.up("A", 2.0) == []
    assert pressed(gestures.down("A", 3.0)) == ["A"]


def test_a_release_that_was_lost_costs_no_press() -> None:
    gestures = Gestures(PLAIN)
    assert pressed(gestures.down("A", 1.0)) == ["A"]
    assert pressed(gestures.down("A", 3.0)) == ["A"]


def test_after_the_line_was_lost_nothing_is_half_pressed() -> None:
    gestures = Gestures(RICH)
    gestures.down("B", 1.0)
    gestures.down("E", 1.0)
    gestures.tick(30.0)
    assert [gesture.kind for gesture in gestures.clear()] == ["freed", "freed"]
    assert gestures.deadline == inf
    assert gestures.tick(99.0) == []


@pytest.mark.parametrize(
    "config, releases, said",
    [
        (GestureConfig(long={"X": "a"}), True, "X"),
        (GestureConfig(lock=("A", "A")), True, "two different"),
        (GestureConfig(lock=("A", "C"), double={"C": "x"}), True, "double"),
        (GestureConfig(long={"A": "x"}), False, "comes up"),
        (GestureConfig(lock=("A", "B")), False, "comes up"),
    ],
)
def test_what_does_not_fit_is_said(config: GestureConfig, releases: bool, said: str) -> None:
    assert said in " ".join(config.problems(frozenset(KEYS), releases=releases))


def test_what_fits() -> None:
    assert RICH.problems(frozenset(KEYS)) == []
    assert GestureConfig(double={"C": "x"}).problems(frozenset(KEYS), releases=False) == []


# ---------------------------------------------------------------- what holds always


def absolute(relative: list[tuple[str, bool, float]]) -> list[tuple[str, bool, float]]:
    now, moves = 100.0, []
    for name, down, pause in relative:
        now += pause
        moves.append((name, down, now))
    return moves


@given(steps)
def test_every_press_is_of_a_key_that_went_down_and_has_a_known_meaning(
    relative: list[tuple[str, bool, float]],
) -> None:
    moves = absolute(relative)
    for gesture in run(RICH, moves):
        assert gesture.key in MEANINGS
        if gesture.kind == "press":
            # the contact closed then, or it was found closed when it had settled
            assert any(
                name == gesture.key[0] and down and at <= gesture.at <= at + SETTLE
                for name, down, at in moves
            )


@given(steps)
def test_there_are_no_more_presses_than_contacts_closed(relative: list[tuple[str, bool, float]]) -> None:
    moves = absolute(relative)
    given_for = pressed(run(RICH, moves))
    for name in KEYS:
        closed = sum(down for key, down, _ in moves if key == name)
        assert sum(key[0] == name for key in given_for) <= closed


@given(steps, st.lists(st.floats(0, 0.4, allow_nan=False), max_size=200))
@settings(max_examples=60)
def test_when_somebody_looks_changes_nothing(
    relative: list[tuple[str, bool, float]], looks: list[float]
) -> None:
    moves = absolute(relative)
    gestures, found, now = Gestures(RICH), [], 100.0
    times = iter(looks)
    for name, down, at in moves:
        while (look := next(times, None)) is not None and now + look < at:
            now += look
            found += gestures.tick(now)
        now = at
        found += gestures.down(name, at) if down else gestures.up(name, at)
    while gestures.deadline <= now + 60:
        found += gestures.tick(gestures.deadline)
    assert found == run(RICH, moves)


@given(steps)
def test_time_alone_always_comes_to_rest(relative: list[tuple[str, bool, float]]) -> None:
    gestures = Gestures(RICH)
    for name, down, at in absolute(relative):
        gestures.down(name, at) if down else gestures.up(name, at)
    for _ in range(4 * len(KEYS)):
        if gestures.deadline == inf:
            return
        before = gestures.deadline
        gestures.tick(before)
        assert gestures.deadline >= before
    raise AssertionError("it never ends")


@given(st.lists(st.floats(0, SETTLE / 12), max_size=9), st.floats(0.05, 2))
def test_a_bouncing_contact_is_one_press(bounces: list[float], seconds: float) -> None:
    now, moves = 1.0, [("A", True, 1.0)]
    for n, pause in enumerate(bounces[: len(bounces) // 2 * 2]):
        now += pause
        moves.append(("A", bool(n % 2), now))
    now, down = 1.0 + seconds, False
    moves.append(("A", False, now))
    for pause in bounces[: len(bounces) // 2 * 2]:
        now, down = now + pause, not down
        moves.append(("A", down, now))
    assert run(PLAIN, moves, 5) == [Gesture("press", "A", 1.0)]


@given(steps)
def test_a_locked_keypad_gives_no_press(relative: list[tuple[str, bool, float]]) -> None:
    config = GestureConfig(long={"B": "B-long"}, double={"C": "C-twice"})
    gestures = Gestures(config, locked=True)
    found = []
    for name, down, at in absolute(relative):
        found += gestures.down(name, at) if down else gestures.up(name, at)
    found += gestures.tick(10_000.0)
    assert pressed(found) == []


@given(steps)
def test_keys_without_a_gesture_do_not_change_each_other(relative: list[tuple[str, bool, float]]) -> None:
    moves = absolute(relative)
    alone = [move for move in moves if move[0] == "A"]
    end = moves[-1][2] if moves else 0
    of_a = [gesture for gesture in run(PLAIN, moves, 500) if gesture.key == "A" and gesture.at <= end]
    assert of_a == [gesture for gesture in run(PLAIN, alone, 500) if gesture.at <= end]


# ---------------------------------------------------------------- keypads that tell no releases

sightings = st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 1, allow_nan=False)), max_size=60)


def taps(seen: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """`seen` are keys and the time since the one before."""
    gestures, now, taken = Gestures(PLAIN), 100.0, []
    for key, pause in seen:
        now += pause
        taken += [(got.key, got.at) for got in gestures.tap(key, now) if got.kind == "press"]
    return taken


@given(sightings)
def test_every_key_seen_is_pressed_at_least_once_at_its_first_sighting(seen: list[tuple[str, float]]) -> None:
    assert {key for key, _ in taps(seen)} == {key for key, _ in seen}


@given(sightings)
def test_presses_of_a_key_are_a_window_apart(seen: list[tuple[str, float]]) -> None:
    last: dict[str, float] = {}
    for key, at in taps(seen):
        assert at - last.get(key, -1.0) >= AGAIN
        last[key] = at


@given(sightings)
def test_taps_of_a_key_do_not_change_another(seen: list[tuple[str, float]]) -> None:
    now, alone = 100.0, []
    gestures = Gestures(PLAIN)
    for key, pause in seen:
        now += pause
        if key == "A":
            alone += [(got.key, got.at) for got in gestures.tap(key, now) if got.kind == "press"]
    assert [press for press in taps(seen) if press[0] == "A"] == alone


@given(st.integers(1, 100), st.floats(0, AGAIN * 0.99))
def test_a_burst_however_long_is_one_press(count: int, pause: float) -> None:
    assert len(taps([("A", pause)] * count)) == 1


@given(st.integers(1, 30), st.floats(AGAIN * 1.01, 10))
def test_deliberate_presses_all_count(count: int, pause: float) -> None:
    assert len(taps([("A", pause)] * count)) == count


def test_two_taps_have_another_meaning_where_the_keypad_tells_no_releases() -> None:
    gestures = Gestures(GestureConfig(double={"C": "C-twice"}))
    assert gestures.tap("C", 1.0) == []
    assert pressed(gestures.tap("C", 1.2)) == ["C-twice"]
    assert gestures.tap("C", 3.0) == []
    assert pressed(gestures.tick(4.0)) == ["C"]
