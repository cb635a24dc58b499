"""Real programs in real windows: `paihao screen` under Xvfb, an agent's end of the socket, fingers by X."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pages_board
import pages_counter
import pages_kiosk
import pages_rating
import pygame
import pytest
from pictures import different, small
from x_server import XServer

from ui.items import Layout
from ui.layout import lay_out
from ui.paint import Painter
from ui.program import Program
from ui.screen import Screen
from ui.theme import load_theme
from wire.screen_link import (
    BoardShown,
    CounterShown,
    LinkMessage,
    PanelShow,
    RateService,
    RatingShown,
    TimeShown,
    ToAgent,
    decode_to_agent,
    encode_line,
)

ROOT = Path(__file__).parents[2]
SIZE = (1024, 600)
pytestmark = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no Xvfb")


class Agent:
    """The agent's end: tells a new screen `messages`, and hears."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._server.settimeout(30)

    def accept(self, *messages: LinkMessage) -> None:
        self._line, _ = self._server.accept()
        self._line.settimeout(30)
        self._lines = self._line.makefile("rb")
        self.hear()
        self.say(*messages)

    def say(self, *messages: LinkMessage) -> None:
        self._line.sendall(b"".join(encode_line(message) for message in messages))

    def hear(self) -> ToAgent:
        return decode_to_agent(self._lines.readline())

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def x(tmp_path: Path) -> Iterator[XServer]:
    server = XServer(tmp_path, SIZE)
    yield server
    server.close()


@pytest.fixture
def run(x: XServer, tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Start a program; it is ended, and must end well, with the test."""
    begun: list[tuple[subprocess.Popen[bytes], Agent]] = []

    def start(role: str, *messages: LinkMessage) -> Agent:
        agent = Agent(tmp_path / "screens.sock")
        process = subprocess.Popen(
            [sys.executable, "-m", "paihao", "screen", role, "--station", "s", "--socket", str(agent.path),
             "--size", f"{SIZE[0]}x{SIZE[1]}", "--pictures", str(tmp_path / "pictures")],
            cwd=ROOT, env=os.environ | {"DISPLAY": x.name, "SDL_VIDEODRIVER": "x11"},
        )  # fmt: skip
        begun.append((process, agent))
        agent.process = process  # type: ignore[attr-defined]
        agent.accept(*messages)
        return agent

    yield start
    for process, agent in begun:
        process.terminate()
        agent.close()
        assert process.wait(30) == 0


def until(what: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def laid_out(program: Program, now: float) -> Layout:
    page = program.page(Screen.of(SIZE), now)
    return lay_out(page, Screen.of(SIZE), load_theme(page.theme or program.theme))


def drawn(layout: Layout) -> pygame.Surface:
    surface = pygame.Surface(SIZE)
    Painter(surface).paint(layout)
    return surface


def shows(x: XServer, layout: Layout) -> bool:
    return not different(small(drawn(layout)), small(x.picture()))


def middle(layout: Layout, action: str) -> tuple[int, int]:
    (rect,) = [target.rect for target in layout.targets if target.action == action]
    return rect[0] + rect[2] // 2, rect[1] + rect[3] // 2


CLOCK = TimeShown(at=pages_board.AT, trusted=False)
"""Without a clock the picture does not depend on when it is taken."""


def test_a_finger_goes_the_whole_way_to_a_number(x: XServer, run: Callable[..., Agent]) -> None:
    """Every page on the way is on the screen, pixel by pixel, before its target is touched."""
    agent = run("kiosk", CLOCK, pages_kiosk.GUIDES, pages_kiosk.STATE)
    twin = pages_kiosk.Visit("zh-CN").do(CLOCK, pages_kiosk.GUIDES, pages_kiosk.STATE)
    for action in ("start", "group:general", "service:food-permit", "take"):
        layout = laid_out(twin, twin.clock)
        until(lambda layout=layout: shows(x, layout))
        time.sleep(1)  # right after a new page a touch means nothing
        x.touch(*middle(layout, action))
        twin.do(action)
    asked: Any = agent.hear()
    while type(asked).__name__ != "TakeTicket":
        asked = agent.hear()
    assert asked.service == "food-permit"
    twin.progress("done")
    agent.say(pages_kiosk.told(asked.request, "done"))
    layout = laid_out(twin, twin.clock)
    until(lambda: shows(x, layout))


def test_a_grade_is_touched(x: XServer, run: Callable[..., Agent]) -> None:
    from ui.rating.program import RatingPanel

    shown = RatingShown(prompt=pages_rating.prompt(), left_s=600)
    agent = run("rating", CLOCK, shown)
    twin = RatingPanel("zh-CN")
    for message in (CLOCK, shown):
        twin.said(message, 1000.0)
    layout = laid_out(twin, 1000.0)
    (face,) = [target.rect for target in layout.targets if target.action == "grade:5"]

    def asks() -> bool:
        """The face is there; beside it a clock may run."""
        there, wanted = x.picture().subsurface(face), drawn(layout).subsurface(face)
        return not different(small(there), small(wanted))

    until(asks)
    time.sleep(1)
    x.touch(*middle(layout, "grade:5"))
    assert agent.hear() == RateService(prompt="p-1", grade=5)


@pytest.mark.parametrize("role", ["board", "counter", "panel"])
def test_a_program_shows_what_the_agent_says(
    role: str, x: XServer, run: Callable[..., Agent], tmp_path: Path
) -> None:
    from ui.command import SCREENS

    said: LinkMessage = {
        "board": BoardShown(board=pages_board.FULL, stale=False),
        "counter": CounterShown(counter=pages_counter.counter("serving", "A005"), prompt=None, stale=False),
        "panel": PanelShow(show=1, wordings=("请A005号到\n3号综合服务窗口",)),
    }[role]
    agent = run(role, CLOCK, said)
    twin = SCREENS[role][1]("zh-CN", None)
    for message in (CLOCK, said):
        twin.said(message, time.monotonic())
    # Pages that take turns do so by the machine's clock: here as there.
    until(lambda: shows(x, laid_out(twin, time.monotonic())))
    before = small(x.picture())
    agent.process.send_signal(signal.SIGUSR1)  # type: ignore[attr-defined]
    until(lambda: list((tmp_path / "pictures").glob("*.png")))
    (file,) = (tmp_path / "pictures").glob("*.png")
    taken = small(pygame.image.load(str(file)))
    # The page may have turned in between.
    assert not different(taken, before) or not different(taken, small(x.picture()))
