"""What a page changes by itself is drawn when its time has come."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")

import pygame

from ui.beats import beat, next_beat
from ui.elements import Page, Text, column
from ui.link import Link
from ui.program import Program
from ui.runner import Runner
from ui.screen import Screen
from ui.turned import Turned
from ui.wake import Wake
from wire.screen_link import LinkMessage

PERIOD = 0.02
MOST_TURNS = 2000


class Beats(Program):
    """Shows the number of its beat, so often; its `due` is always after the moment that it is asked at."""

    role = "board"

    def __init__(self) -> None:
        self.times = 1
        self.pages: list[str] = []

    def said(self, message: LinkMessage | None, now: float) -> None:
        raise AssertionError("there is no agent here")

    def due(self, now: float) -> float:
        return next_beat(0.0, PERIOD, now)

    def page(self, screen: Screen, now: float) -> Page:
        return Page("beats", column(Text(str(beat(0.0, PERIOD, now)) * self.times, lines=1)))

    def shown(self, page: Page, now: float) -> None:
        self.pages.append(str(page.body))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    pygame.display.init()
    size = (320, 240)
    wake = Wake()
    program = Beats()
    link = Link(tmp_path / "nobody.sock", "board-1", program.role, wake.ring)
    return Runner(program, Turned(pygame.display.set_mode(size), 0), link, wake, Screen.of(size))


def run(runner: Runner, pages: int, times: int = 1) -> None:
    """Until so many different pages were drawn."""
    program = runner.program
    assert isinstance(program, Beats)
    program.times = times
    runner.draw()
    for _ in range(MOST_TURNS):
        if len(set(program.pages)) >= pages:
            return
        assert runner.step()
    raise AssertionError(f"{len(set(program.pages))} pages")


def test_each_beat_is_drawn_though_nobody_speaks(runner: Runner) -> None:
    run(runner, pages=6)


def test_a_page_that_does_not_fit_is_told_once(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    run(runner, pages=3, times=40)
    assert [record.getMessage() for record in caplog.records] == ["page beats: cut"]
