"""Taps that wait while a page is drawn: each means the page that stood under the finger, or nothing."""

from __future__ import annotations

import os
import queue
from collections import deque
from collections.abc import Iterator, Sequence

import pytest

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")

import pygame

from ui import runner as module
from ui.elements import Box, Page, column
from ui.program import Program
from ui.runner import Runner
from ui.screen import Screen
from ui.touch import QUIET_S
from ui.wake import Wake
from wire.screen_link import GuideShown, LinkMessage, PadKey

SIZE = (320, 240)
ANYTHING = GuideShown(guide=None)


class Pages(Program):
    """Pages 0, 1, 2 … with one target each in the same place; a touch, or a word of the agent, turns one."""

    role = "rating"

    def __init__(self) -> None:
        self.number = 0
        self.meant: list[str] = []

    def said(self, message: LinkMessage | None, now: float) -> None:
        self.number += 1

    def touched(self, action: str, now: float) -> None:
        self.meant.append(action)
        self.number += 1

    def page(self, screen: Screen, now: float) -> Page:
        fill = ("accent", "warn")[self.number % 2]
        target = Box(touch=f"of page {self.number}", label="on", fill=fill, grow=1.0)
        return Page(str(self.number), column(target))


class Clock:
    """In place of `time`: stands still unless it is moved."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Display:
    """Takes `slow` seconds for a picture, while which the finger taps `taps` times."""

    def __init__(self, clock: Clock) -> None:
        self.surface = pygame.display.set_mode(SIZE)
        self.clock = clock
        self.slow = 0.0
        self.taps = 0

    def update(self, changed: Sequence[pygame.Rect]) -> None:
        self.clock.now += self.slow
        while self.taps:
            self.taps -= 1
            tap()

    def event(self, event: pygame.event.Event) -> pygame.event.Event:
        return event


class Agent:
    """In place of a link: what it says is heard in the next step."""

    def __init__(self) -> None:
        self.waiting: deque[LinkMessage] = deque()

    def next(self) -> LinkMessage:
        if not self.waiting:
            raise queue.Empty
        return self.waiting.popleft()

    def send(self, message: LinkMessage) -> bool:
        return True


def finger(what: int) -> None:
    pygame.event.post(pygame.event.Event(what, x=0.5, y=0.5, finger_id=1, touch_id=7))


def tap() -> None:
    finger(pygame.FINGERDOWN)
    finger(pygame.FINGERUP)


class Desk:
    def __init__(self, runner: Runner, program: Pages, display: Display, agent: Agent, clock: Clock) -> None:
        self.runner, self.program, self.display, self.agent = runner, program, display, agent
        self.clock = clock


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    pygame.display.init()
    clock, program, agent, wake = Clock(), Pages(), Agent(), Wake()
    display = Display(clock)
    monkeypatch.setattr(module, "time", clock)
    runner = Runner(program, display, agent, wake, Screen.of(SIZE))  # type: ignore[arg-type]
    pygame.event.clear()
    runner.draw()
    clock.now += 2 * QUIET_S
    yield Desk(runner, program, display, agent, clock)
    wake.close()


def test_of_two_taps_that_came_at_once_the_second_is_not_for_the_next_page(desk: Desk) -> None:
    tap()
    tap()
    assert desk.runner.step()
    assert desk.program.meant == ["of page 0"]


def test_a_tap_while_the_next_page_is_drawn_slowly_is_not_for_it(desk: Desk) -> None:
    desk.display.slow, desk.display.taps = 4 * QUIET_S, 1
    tap()
    desk.runner.step()
    desk.display.slow = 0.0
    desk.runner.step()
    assert desk.program.meant == ["of page 0"]
    desk.clock.now += QUIET_S
    tap()
    desk.runner.step()
    assert desk.program.meant == ["of page 0", "of page 1"]


def test_a_page_that_the_agent_changes_under_the_finger_takes_the_touch_back(desk: Desk) -> None:
    finger(pygame.FINGERDOWN)
    desk.runner.step()
    desk.agent.waiting.append(ANYTHING)
    finger(pygame.FINGERUP)
    desk.runner.step()
    assert desk.program.number == 1 and desk.program.meant == []


def test_a_key_after_a_new_page_does_not_touch_what_had_the_focus_before(desk: Desk) -> None:
    desk.agent.waiting.extend([PadKey(key="down"), PadKey(key="ok"), PadKey(key="ok")])
    desk.runner.step()
    assert desk.program.meant == ["of page 0"]
    desk.agent.waiting.extend([PadKey(key="down"), ANYTHING, PadKey(key="ok")])
    desk.runner.step()
    assert desk.program.meant == ["of page 0"]
