"""The plain panel over a counter: what fits, and the whole way from the driver to the program's window."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import pygame
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.clock import Clock
from device.coordinator_link import CoordinatorLink
from device.screen_link import ScreenLink
from device.stations.panel import StationPanel
from device.stations.station import Node
from device.storage import Storage
from device.supervision import Supervisor
from drivers.call_screen.panel import Panel as PanelDriver
from drivers.call_screen.panel import PanelConfig
from drivers.call_screen.protocol import ScreenText, ShowResult
from ui import fonts
from ui.layout import lay_out
from ui.paint import Painter
from ui.panel import COLOURS, Panel, fit
from ui.screen import STATED, Screen
from ui.theme import load_theme
from wire.messages import DeviceState
from wire.screen_link import LinkMessage, PanelDrawn, PanelShow, RateService, ToAgent, encode_line

ROOT = Path(__file__).parents[2]
CALL = ("请A005号到\n3号综合服务窗口", "A005 3号窗口")


@pytest.mark.parametrize("size", [*STATED, (1920, 360)])
@settings(max_examples=20, deadline=None)
@given(
    wordings=st.lists(st.text("请到A0123 号窗口综合服务\n", min_size=1, max_size=30), min_size=1, max_size=3)
)
def test_nothing_stands_beyond_the_edge(size: tuple[int, int], wordings: list[str]) -> None:
    words = tuple(wording for wording in wordings if wording.strip())
    if not words:
        return
    fitted = fit(words, *size)
    widths = [fonts.line_size(line, fitted.size)[0] for line in fitted.lines]
    assert max(widths) <= size[0]
    assert fonts.line_height(fitted.size) * len(fitted.lines) <= size[1]


def test_the_fullest_wording_that_can_be_read_is_chosen() -> None:
    assert fit(CALL, 1920, 1080).lines == ("请A005号到", "3号综合服务窗口")
    assert fit(CALL, 1920, 360).lines == ("请A005号到 3号综合服务窗口",)
    assert fit(CALL, 480, 480).lines == ("A005 3号窗口",)
    assert fit(("请A005号到3号综合服务窗口办理业务", "A005"), 800, 480).lines == ("A005",)


class Shown:
    """A panel that is drawn after everything that it is told, as its runner does."""

    def __init__(self) -> None:
        self.panel = Panel()
        self.answers: list[LinkMessage] = []
        self.panel.say = self.say  # type: ignore[method-assign]
        self.surface = pygame.Surface((800, 480))

    def say(self, message: LinkMessage) -> bool:
        self.answers.append(message)
        return True

    def told(self, message: LinkMessage | None, now: float = 0.0) -> set[tuple[int, ...]]:
        """The colours of the picture after that."""
        self.panel.said(message, now)
        return self.at(now)

    def at(self, now: float) -> set[tuple[int, ...]]:
        screen = Screen.of((800, 480))
        page = self.panel.page(screen, now)
        layout = lay_out(page, screen, load_theme("panel"))
        assert not layout.problems
        Painter(self.surface).paint(layout)
        self.panel.shown(page, now)
        return {tuple(self.surface.get_at((x, y)))[:3] for x in range(0, 800, 3) for y in range(0, 480, 3)}


def colour(name: str) -> tuple[int, ...]:
    return load_theme("panel").colour(COLOURS.get(name, name))


def test_a_text_is_acknowledged_each_time_that_it_is_said() -> None:
    shown = Shown()
    said = PanelShow(show=7, wordings=CALL, colour="green")
    shown.told(said)
    assert colour("green") in shown.told(said)
    assert shown.answers == [PanelDrawn(show=7), PanelDrawn(show=7)]
    assert tuple(shown.surface.get_at((1, 1)))[:3] == colour("ground")


def test_an_old_call_does_not_stand_there_without_the_agent() -> None:
    shown = Shown()
    assert colour("red") in shown.told(PanelShow(show=1, wordings=CALL))
    assert colour("red") not in shown.told(None)
    assert shown.panel.text_shown is None


def test_a_text_that_gave_way_before_it_was_drawn_is_not_acknowledged() -> None:
    shown = Shown()
    shown.panel.said(PanelShow(show=3, wordings=CALL), 0.0)
    shown.told(None)
    assert shown.answers == []


def test_an_empty_text_is_an_empty_panel() -> None:
    shown = Shown()
    assert shown.told(PanelShow(show=2, wordings=("",))) == {colour("ground")}
    assert shown.answers == [PanelDrawn(show=2)]


def test_a_flashing_text_changes_ground_and_ink_twice_a_second() -> None:
    shown = Shown()
    shown.told(PanelShow(show=3, wordings=CALL, flash=True), now=10.0)
    corners = []
    for _ in range(4):
        corners.append(tuple(shown.surface.get_at((1, 1)))[:3])
        shown.at(shown.panel.due(10.0 + 0.5 * (len(corners) - 1)))
    assert corners == [colour("ground"), colour("red")] * 2


# ---------------------------------------------------------------- the whole way


class Counter:
    """A counter's node: socket of screens, station's panel, driver under its supervisor."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.socket = folder / "screens.sock"
        self.driver = PanelDriver(PanelConfig(answer_s=5.0))
        self.states: list[DeviceState] = []
        storage = Storage(folder / "agent.db", "session-1", clock)
        self.node = Node(storage, clock, CoordinatorLink(clock))
        self.panel = StationPanel(self.node, "counter-1", self.driver)
        self.link = ScreenLink(str(self.socket), {"counter-1": self})
        self.node.screens = self.link
        self.supervisor = Supervisor("panel", self.driver, clock, self.states.append)

    def whole(self) -> list[LinkMessage]:
        return []

    async def on_screen(self, message: ToAgent) -> None:
        self.panel.on_screen(message)

    async def until(self, health: str, code: str | None) -> None:
        async with asyncio.timeout(30):
            while not self.states or (self.states[-1].health, self.states[-1].code) != (health, code):
                await asyncio.sleep(0.01)


@pytest.fixture
async def counter(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Counter]:
    from datetime import UTC

    made = Counter(tmp_path_factory.mktemp("c"), Clock(UTC))
    await made.link.start()
    running = asyncio.create_task(made.supervisor.run())
    yield made
    running.cancel()
    await asyncio.wait({running})
    await made.link.stop()


def start(counter: Counter, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "paihao", "screen", "panel", "--station", "counter-1",
         "--socket", str(counter.socket), "--size", "800x480", *more],
        cwd=ROOT, env=os.environ | {"SDL_VIDEODRIVER": "dummy"},
    )  # fmt: skip


async def test_a_killed_program_is_missing_and_its_successor_shows_the_text(counter: Counter) -> None:
    await counter.until("missing", "screen.no_program")
    first = start(counter)
    try:
        await counter.until("ok", None)
        assert await counter.driver.show(ScreenText(CALL[0], shorter=CALL[1:])) == ShowResult("done")
        first.kill()
        await counter.until("missing", "screen.no_program")
        assert (await counter.driver.show(ScreenText("A006"))).code == "screen.no_program"
        second = start(counter)
        try:
            await counter.until("ok", None)
            assert await counter.driver.show(ScreenText("A006")) == ShowResult("done")
        finally:
            second.terminate()
            assert second.wait(20) == 0
    finally:
        first.kill()
        first.wait()


async def test_a_theme_that_broke_on_the_disk_leaves_the_screen_its_own_look(
    counter: Counter, tmp_path: Path
) -> None:
    theme = tmp_path / "hall.toml"
    theme.write_text('base = "panel"\nlogo = "/nowhere/logo.png"\n', "utf-8")
    program = start(counter, "--theme", str(theme))
    try:
        await counter.until("ok", None)
        assert await counter.driver.show(ScreenText(CALL[0])) == ShowResult("done")
        program.terminate()
        assert program.wait(20) == 0
    finally:
        program.kill()
        program.wait()


async def test_a_panel_may_not_grade(counter: Counter) -> None:
    from wire.screen_link import ScreenHello

    reader, writer = await asyncio.open_unix_connection(str(counter.socket))
    writer.write(encode_line(ScreenHello(station="counter-1", role="panel")))
    writer.write(encode_line(RateService(prompt="p", grade=1)))
    async with asyncio.timeout(10):
        assert b"rate" not in await reader.read()
    assert counter.link.bad_lines == 1
    writer.close()
