"""Fingers, mouse and keys as one: what counts as a touch, and what must never block the kiosk."""

from __future__ import annotations

import pygame

from ui.items import Layout, Target
from ui.touch import QUIET_S, STUCK_S, Focus, Pointer

SIZE = (100, 100)
PAGE = Layout(
    (0, 0, 0),
    targets=[
        Target((0, 0, 50, 50), "a", "", False),
        Target((50, 0, 50, 50), "b", "", False),
        Target((0, 50, 50, 50), "off", "", True),
    ],
)


def finger(what: int, x: float, y: float, number: int = 1) -> pygame.event.Event:
    return pygame.event.Event(what, {"x": x / 100, "y": y / 100, "finger_id": number, "touch_id": 7})


def mouse(what: int, x: int, y: int, *, touch: bool = False) -> pygame.event.Event:
    return pygame.event.Event(what, {"pos": (x, y), "button": 1, "touch": touch})


def down(pointer: Pointer, x: float, y: float, number: int = 1, now: float = 1.0) -> str | None:
    return pointer.take(finger(pygame.FINGERDOWN, x, y, number), PAGE, now)


def up(pointer: Pointer, x: float, y: float, number: int = 1, now: float = 1.1) -> str | None:
    return pointer.take(finger(pygame.FINGERUP, x, y, number), PAGE, now)


def test_a_touch_counts_when_the_finger_is_lifted() -> None:
    pointer = Pointer(SIZE)
    assert down(pointer, 10, 10) is None and pointer.pressed == "a"
    assert up(pointer, 20, 20) == "a" and pointer.pressed is None


def test_a_touch_that_comes_twice_counts_once() -> None:
    pointer = Pointer(SIZE)
    seen = [
        down(pointer, 10, 10),
        pointer.take(mouse(pygame.MOUSEBUTTONDOWN, 10, 10, touch=True), PAGE, 1.0),
        up(pointer, 10, 10),
        pointer.take(mouse(pygame.MOUSEBUTTONUP, 10, 10, touch=True), PAGE, 1.1),
    ]
    assert [action for action in seen if action] == ["a"]


def test_a_mouse_is_a_finger() -> None:
    pointer = Pointer(SIZE)
    pointer.take(mouse(pygame.MOUSEBUTTONDOWN, 60, 10), PAGE, 1.0)
    assert pointer.take(mouse(pygame.MOUSEBUTTONUP, 60, 10), PAGE, 1.1) == "b"


def test_sliding_off_takes_it_back_and_on_again_gives_it_back() -> None:
    pointer = Pointer(SIZE)
    down(pointer, 10, 10)
    pointer.take(finger(pygame.FINGERMOTION, 60, 10), PAGE, 1.0)
    assert pointer.pressed is None
    pointer.take(finger(pygame.FINGERMOTION, 10, 10), PAGE, 1.0)
    assert pointer.pressed == "a"
    assert up(pointer, 60, 10) is None


def test_a_palm_beside_the_targets_and_a_second_finger_mean_nothing() -> None:
    pointer = Pointer(SIZE)
    down(pointer, 90, 90, number=1)
    down(pointer, 10, 10, number=2)
    down(pointer, 60, 10, number=3)
    assert up(pointer, 60, 10, number=3) is None
    assert up(pointer, 10, 10, number=2) == "a"
    assert up(pointer, 90, 90, number=1) is None


def test_what_is_off_gives_nothing() -> None:
    pointer = Pointer(SIZE)
    down(pointer, 10, 60)
    assert pointer.pressed is None and up(pointer, 10, 60) is None


def test_a_finger_that_is_never_lifted_does_not_block() -> None:
    pointer = Pointer(SIZE)
    down(pointer, 10, 10, number=1, now=0.0)
    down(pointer, 60, 10, number=2, now=STUCK_S - 1)
    assert up(pointer, 60, 10, number=2, now=STUCK_S - 1) is None
    assert pointer.due() == STUCK_S
    pointer.tick(STUCK_S)
    assert pointer.pressed is None
    down(pointer, 60, 10, number=3, now=STUCK_S + 1)
    assert up(pointer, 60, 10, number=3, now=STUCK_S + 1) == "b"


def test_the_second_tap_of_a_trembling_hand_is_not_for_the_next_page() -> None:
    pointer = Pointer(SIZE)
    down(pointer, 10, 10)
    pointer.turned(2.0)
    assert up(pointer, 10, 10) is None, "the page changed under the finger"
    down(pointer, 10, 10, now=2.0 + QUIET_S / 2)
    assert up(pointer, 10, 10) is None
    down(pointer, 10, 10, now=2.0 + QUIET_S)
    assert up(pointer, 10, 10) == "a"


def test_keys_go_round_what_can_be_used() -> None:
    focus = Focus()
    focus.move(PAGE, 1)
    assert focus.action == "a"
    focus.move(PAGE, 1)
    focus.move(PAGE, 1)
    assert focus.action == "a"
    focus.move(PAGE, -1)
    assert focus.action == "b"
    focus.follow(Layout((0, 0, 0)))
    assert focus.action is None
