"""Panels whose dots we drive: what is drawn, how it moves, MAX7219 on its bus, HUB75 with either library."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from itertools import islice
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import msgspec
import pytest

from drivers.call_screen.dot_screen import BLINK_S, DotScreen, DotSize, Picture, motion, still
from drivers.call_screen.fake_max7219 import FakeMax7219
from drivers.call_screen.hub75 import Hub75Config, Hub75Panel
from drivers.call_screen.max7219 import Max7219Config, Max7219Panel
from drivers.call_screen.protocol import ScreenText, ShowResult
from drivers.call_screen.text_layout import lay_out
from drivers.errors import DriverError

SIZE = DotSize(128, 16, 16, 40.0)
DONE = ShowResult("done", "screen.not_watched")


def picture(text: str, size: DotSize = SIZE, **more: Any) -> Picture:
    return still(lay_out(ScreenText(text, **more), size.cells, size.lines), size)


def columns(shown: Picture) -> list[int]:
    """The columns in which a dot is lit."""
    return [x for x in range(shown.width) if any(shown.lit(x, y) for y in range(len(shown.rows)))]


# ---------------------------------------------------------------- drawing


def test_eight_chinese_characters_fill_a_panel_of_16_dots() -> None:
    shown = picture("请到三号窗口办理")
    assert len(shown.rows) == 16 and columns(shown)[0] < 4 and columns(shown)[-1] > 123


def test_a_short_text_stands_in_the_middle() -> None:
    lit = columns(picture("A005"))
    assert abs((lit[0] + lit[-1]) / 2 - 63.5) <= 4


def test_two_lines_on_a_panel_of_32_dots() -> None:
    size = DotSize(64, 32, 16, 40.0)
    shown = picture("A005\n3号窗口", size)
    assert any(shown.rows[:16]) and any(shown.rows[16:])


def test_a_short_text_is_in_the_middle_of_a_higher_panel() -> None:
    shown = picture("A005", DotSize(128, 32, 16, 40.0))
    assert not any(shown.rows[:8]) and any(shown.rows[8:24]) and not any(shown.rows[24:])


def test_a_flashing_text_comes_and_goes() -> None:
    layout = lay_out(ScreenText("A005", flash=True), 16)
    frames = list(islice(motion(layout, SIZE), 4))
    assert [any(shown.rows) for shown, _ in frames] == [True, False, True, False]
    assert {seconds for _, seconds in frames} == {BLINK_S}


def test_a_long_text_goes_by_whole_one_dot_at_a_time() -> None:
    text = "请A005号到3号综合服务窗口办理"
    frames = [shown for shown, _ in islice(motion(lay_out(ScreenText(text), 16), SIZE), 600)]
    assert not any(frames[236].rows) or len(columns(frames[236])) < 128
    moved = frames[11]
    for x in range(SIZE.width - 1):
        for y in range(16):
            assert moved.lit(x, y) == frames[10].lit(x + 1, y)
    assert frames.count(frames[0]) >= 2, "it begins again"


# ---------------------------------------------------------------- any panel


class Recorded(DotScreen):
    """Remembers what is drawn."""

    PING_S: ClassVar[float] = 0.02

    def __init__(self) -> None:
        super().__init__(DotSize(128, 16, 16, 200.0))
        self.drawn: list[Picture] = []
        self.broken = False
        self.opened = 0

    def _blocking_open(self) -> None:
        if self.broken:
            raise OSError("no bus")
        self.opened += 1

    def _blocking_draw(self, shown: Picture) -> None:
        if self.broken:
            raise OSError("no bus")
        self.drawn.append(shown)

    def _blocking_close(self) -> None:
        return


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


async def test_the_picture_is_sent_again_and_again() -> None:
    panel = Recorded()
    await panel.open()
    serving = asyncio.create_task(panel.serve())
    assert await panel.show(ScreenText("A005")) == DONE
    await until(lambda: len(panel.drawn) >= 4)
    assert set(panel.drawn) == {picture("A005")}
    assert panel.health.state == "ok" and panel.health.facts["watched"] is False
    serving.cancel()
    await panel.close()


async def test_a_new_text_ends_the_motion_of_the_old_one() -> None:
    panel = Recorded()
    await panel.open()
    await panel.show(ScreenText("请A005号到3号综合服务窗口办理"))
    await until(lambda: len(set(panel.drawn)) > 5)
    assert await panel.show(ScreenText("B001")) == DONE
    before = len(panel.drawn)
    await asyncio.sleep(0.05)
    assert panel.drawn[before:] == [] and panel.drawn[-1] == picture("B001")
    await panel.close()


@pytest.mark.parametrize("text", ["A005", "请A005号到3号综合服务窗口办理"])
async def test_a_bus_that_goes_ends_the_service_and_comes_back_with_the_text(text: str) -> None:
    panel = Recorded()
    await panel.open()
    serving = asyncio.create_task(panel.serve())
    await panel.show(ScreenText(text))
    panel.broken = True
    with pytest.raises(DriverError) as lost:
        await serving
    assert lost.value.code == "screen.no_panel" and panel.health.state == "missing"
    await panel.close()
    with pytest.raises(DriverError):
        await panel.open()
    panel.broken = False
    panel.drawn.clear()
    await panel.open()
    serving = asyncio.create_task(panel.serve())
    await until(lambda: panel.drawn)
    assert panel.drawn[0] == picture(text)
    serving.cancel()
    await panel.close()


# ---------------------------------------------------------------- MAX7219


@pytest.mark.parametrize(("width", "height", "font"), [(128, 16, 16), (64, 8, 8), (32, 32, 16)])
async def test_max7219_shows_every_dot(width: int, height: int, font: Any) -> None:
    """Bytes made by luma.led_matrix, read by a fake that knows the data sheet."""
    fake = FakeMax7219(width=width, height=height)
    config = Max7219Config(width_px=width, height_px=height, font_px=font)
    panel = Max7219Panel(config, bus=lambda _: fake)
    await panel.open()
    assert await panel.show(ScreenText("A5", "green")) == DONE
    assert fake.shows(picture("A5", DotSize(width, height, font, 40.0)))
    assert any(any(row) for row in fake.dots())
    await panel.close()


async def test_max7219_comes_back_after_a_power_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Max7219Panel, "PING_S", 0.02)
    fake = FakeMax7219()
    panel = Max7219Panel(Max7219Config(brightness=8), bus=lambda _: fake)
    await panel.open()
    serving = asyncio.create_task(panel.serve())
    await panel.show(ScreenText("A005"))
    fake.power_cycle()
    assert not any(any(row) for row in fake.dots())
    await until(lambda: fake.shows(picture("A005")))
    assert {chip[0xA] for chip in fake.chips} == {8}
    serving.cancel()
    await panel.close()


async def test_max7219_without_its_bus_or_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spidev", None)
    panel = Max7219Panel(Max7219Config())
    with pytest.raises(DriverError) as missing:
        await panel.open()
    assert missing.value.code == "screen.library_missing" and "spidev" in str(missing.value)


# ---------------------------------------------------------------- HUB75


class _Canvas:
    def __init__(self) -> None:
        self.dots: dict[tuple[int, int], tuple[int, int, int]] = {}

    def Clear(self) -> None:
        self.dots.clear()

    def SetPixel(self, x: int, y: int, *rgb: int) -> None:
        self.dots[x, y] = rgb  # type: ignore[assignment]


class _Matrix:
    """rpi-rgb-led-matrix as its Python binding documents it."""

    last: ClassVar[_Matrix]

    def __init__(self, options: Any) -> None:
        self.options, self.brightness, self.shown = options, 100, _Canvas()
        _Matrix.last = self

    def CreateFrameCanvas(self) -> _Canvas:
        return _Canvas()

    def SwapOnVSync(self, canvas: _Canvas) -> _Canvas:
        before, self.shown = self.shown, canvas
        return before

    def Clear(self) -> None:
        self.shown.Clear()


@pytest.fixture
def rgbmatrix(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = ModuleType("rgbmatrix")
    module.RGBMatrixOptions = SimpleNamespace  # type: ignore[attr-defined]
    module.RGBMatrix = _Matrix  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rgbmatrix", module)
    monkeypatch.setitem(sys.modules, "adafruit_blinka_raspberry_pi5_piomatter", None)
    yield


@pytest.mark.usefixtures("rgbmatrix")
async def test_hub75_draws_text_in_its_colour() -> None:
    panel = Hub75Panel(Hub75Config(width_px=128, height_px=32, panel_width_px=64, brightness=3))
    await panel.open()
    try:
        assert await panel.show(ScreenText("A005\n3号窗口", "green")) == DONE
        matrix = _Matrix.last
        assert (matrix.options.rows, matrix.options.cols, matrix.options.chain_length) == (32, 64, 2)
        expected = picture("A005\n3号窗口", DotSize(128, 32, 16, 50.0), colour="green")
        lit = {(x, y) for y in range(32) for x in range(128) if expected.lit(x, y)}
        assert matrix.shown.dots == dict.fromkeys(lit, (0, 255, 0)) and lit
        assert matrix.brightness == 20
    finally:
        await panel.close()
    assert matrix.shown.dots == {}


async def test_hub75_without_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rgbmatrix", "adafruit_blinka_raspberry_pi5_piomatter"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DriverError) as missing:
        await Hub75Panel(Hub75Config()).open()
    assert missing.value.code == "screen.library_missing"


@pytest.mark.parametrize("wrong", [{"width_px": 100}, {"width_px": 96}, {"height_px": 16, "font_px": 32}])
def test_a_hub75_chain_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Hub75Config)
