"""One line, many screens: calls go before pings, dead screens hold up nobody, nothing old stands anywhere."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from drivers.call_screen.alpha_sign import AlphaSign, AlphaSignConfig
from drivers.call_screen.dot_screen import DotScreen, DotSize, Picture
from drivers.call_screen.fake import FakeOnbonCard
from drivers.call_screen.fake_alpha import FakeAlphaSign
from drivers.call_screen.fake_bus import FakeBus
from drivers.call_screen.fake_modbus import FakeModbusDisplay
from drivers.call_screen.modbus_display import ModbusDisplay, ModbusDisplayConfig
from drivers.call_screen.onbon_bx import OnbonBx
from drivers.call_screen.onbon_bx_config import OnbonBxConfig
from drivers.call_screen.paced_screen import PacedScreen
from drivers.call_screen.protocol import CallScreen, ScreenText, ShowResult
from drivers.errors import DriverError
from drivers.transport.fake import FakeDevice, PtyLine
from drivers.transport.serial import SerialConfig

PATIENCE_S = 20.0
DONE = ShowResult("done")


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


async def plugged(device: FakeDevice, folder: Path) -> tuple[PtyLine, SerialConfig]:
    line = PtyLine(device, folder / "line")
    await line.plug()
    return line, SerialConfig(path=str(line.path), baud=115200, shared=True)


class Served:
    """A screen as under a supervisor, once."""

    def __init__(self, screen: CallScreen) -> None:
        self.screen = screen

    async def __aenter__(self) -> None:
        await self.screen.open()
        self.task = asyncio.create_task(self.screen.serve())

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})
        await self.screen.close()


async def test_a_call_goes_before_the_pings_that_wait_also_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is held; all screens wait to ping. The call is the next that is said on it."""
    cards = [FakeOnbonCard(address=address) for address in range(1, 5)]
    line, where = await plugged(FakeBus(cards), tmp_path)
    screens = [OnbonBx(OnbonBxConfig(transport=where, address=n)) for n in range(1, 5)]
    monkeypatch.setattr(PacedScreen, "PING_S", 0.05)
    async with Served(screens[0]), Served(screens[1]), Served(screens[2]), Served(screens[3]):
        async with screens[0]._line.turn(urgent=True):
            await asyncio.sleep(0.2)  # all pings are due
            heard = [card.frames for card in cards]
            calling = asyncio.create_task(screens[3].show(ScreenText("A005")))
            await asyncio.sleep(0.05)
        while not cards[3].text:
            await asyncio.sleep(0)
        asked = sum(card.frames for card in cards) - sum(heard)
        assert asked <= 2, "itself, and one ping that had its turn"
        assert await calling == DONE
    await line.unplug()


async def test_a_refused_brightness_or_a_ping_put_off_is_no_level(tmp_path: Path) -> None:
    cards = [FakeOnbonCard(address=1)]
    line, where = await plugged(FakeBus(cards), tmp_path)
    screen = OnbonBx(OnbonBxConfig(transport=where, address=1, brightness=3))
    async with Served(screen):
        async with screen._line.turn(urgent=True):
            screen._level = None
            dimming = asyncio.create_task(screen._dim_if_due())
            await asyncio.sleep(0.01)
            screen._give_way()
            await dimming
            assert screen._level is None
        await screen._dim_if_due()
        assert screen._level == 3
    await line.unplug()


async def test_a_card_that_is_switched_off_has_not_shown_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PacedScreen, "PING_S", 0.02)
    monkeypatch.setattr(PacedScreen, "RETRY_S", 0.05)
    card = FakeOnbonCard(address=1)
    line, where = await plugged(card, tmp_path)
    screen = OnbonBx(OnbonBxConfig(transport=where, address=1, min_interval_s=0))
    async with Served(screen):
        card.switch_off()
        await until(lambda: screen.health.code == "screen.switched_off")
        assert await screen.show(ScreenText("A005")) == ShowResult("failed", "screen.switched_off")
        card.switch_on()
        await until(lambda: screen.health.state == "ok")
        assert await screen.show(ScreenText("A006")) == DONE
    await line.unplug()


async def test_a_font_card_that_tells_nothing_is_sent_its_text_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PacedScreen, "PING_S", 0.02)
    monkeypatch.setattr(PacedScreen, "RENEW_S", 0.1)
    card = FakeOnbonCard(address=1)
    card.knows_status = False
    line, where = await plugged(card, tmp_path)
    screen = OnbonBx(OnbonBxConfig(transport=where, address=1, min_interval_s=0))
    async with Served(screen):
        assert await screen.show(ScreenText("A005")) == DONE
        card.power_cycle()
        await until(lambda: card.text == "A005")
    await line.unplug()


async def test_an_alpha_sign_is_sent_again_what_vanished_on_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PacedScreen, "PING_S", 0.02)
    monkeypatch.setattr(PacedScreen, "RENEW_S", 0.1)
    sign = FakeAlphaSign(address=1)
    line, where = await plugged(sign, tmp_path)
    screen = AlphaSign(AlphaSignConfig(transport=where, address=1))
    async with Served(screen):
        assert await screen.show(ScreenText("A005 3")) == DONE
        sign.text = ""
        await until(lambda: sign.text == "A005 3")
    await line.unplug()


@pytest.mark.parametrize("one_by_one", [False, True])
async def test_a_display_that_shows_an_older_text_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_by_one: bool
) -> None:
    """A005 and A006 begin alike: looking at the first register would not tell."""
    monkeypatch.setattr(PacedScreen, "PING_S", 0.02)
    display = FakeModbusDisplay(address=1)
    line, where = await plugged(display, tmp_path)
    screen = ModbusDisplay(
        ModbusDisplayConfig(transport=where, one_by_one=one_by_one, registers=16, min_interval_s=0)
    )
    async with Served(screen):
        assert await screen.show(ScreenText("A005 3")) == DONE
        old = dict(display.holding)
        assert await screen.show(ScreenText("A006 3")) == DONE
        display.holding.update(old)
        await until(lambda: display.text == "A006 3")
    await line.unplug()


async def test_a_register_whose_answer_was_lost_is_written_again(tmp_path: Path) -> None:
    display = FakeModbusDisplay(address=1)
    line, where = await plugged(display, tmp_path)
    screen = ModbusDisplay(ModbusDisplayConfig(transport=where, one_by_one=True, registers=16, answer_s=0.2))
    await screen.open()
    try:
        await screen._put(ScreenText("A005 3"))
        display.silent = True  # it takes the text, and its answers are lost
        with pytest.raises(DriverError):
            await screen._put(ScreenText("B005 3"))
        display.silent = False
        await screen._put(ScreenText("A005 3"))
        assert display.text == "A005 3"
    finally:
        await screen.close()
        await line.unplug()


# ---------------------------------------------------------------- panels that this machine draws


class Dots(DotScreen):
    """`gate` holds up the next picture."""

    def __init__(self) -> None:
        super().__init__(DotSize(64, 16, 16, 100.0))
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()
        self.pictures: list[Picture] = []
        self.is_open = False

    def _blocking_open(self) -> None:
        self.is_open = True

    def _blocking_draw(self, picture: Picture) -> None:
        self.begun.set()
        self.gate.wait()
        self.pictures.append(picture)

    def _blocking_close(self) -> None:
        self.is_open = False


def dot_threads() -> int:
    return sum(thread.name.startswith("dots") for thread in threading.enumerate())


async def test_a_panel_closed_while_it_draws_moves_no_more() -> None:
    before = dot_threads()
    for content in (ScreenText("A005", flash=True), ScreenText("请到二楼东侧3号综合窗口办理")):
        panel = Dots()
        await panel.open()
        panel.gate.clear()
        showing = asyncio.create_task(panel.show(content))
        await until(panel.begun.is_set)
        closing = asyncio.create_task(panel.close())
        await asyncio.sleep(0.02)
        panel.gate.set()
        await closing
        await showing
        assert not panel.is_open and panel._moving is None
        assert [t for t in asyncio.all_tasks() if t.get_name() == "dots in motion"] == []
    await until(lambda: dot_threads() == before)


async def test_a_panel_that_is_back_does_not_begin_with_an_old_call() -> None:
    panel = Dots()
    await panel.open()
    assert (await panel.show(ScreenText("A005"))).outcome == "done"
    await panel.close()
    assert (await panel.show(ScreenText("A006"))).outcome == "failed"
    old, panel.pictures = panel.pictures[-1], []
    async with Served(panel):
        await until(lambda: panel.pictures)
        assert old not in panel.pictures


async def test_a_library_that_hangs_is_told_and_leaves_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.call_screen.dot_screen.DRAW_S", 0.1)
    before = dot_threads()
    panel = Dots()
    await panel.open()
    panel.gate.clear()
    assert await panel.show(ScreenText("A005")) == ShowResult("failed", "screen.no_panel")
    await panel.close()
    for _ in range(3):
        with pytest.raises(DriverError):
            await panel.open()
    assert panel.health.code == "screen.no_panel" and dot_threads() == before + 1
    panel.gate.set()
    await until(lambda: dot_threads() == before)
    await panel.open()
    assert await panel.show(ScreenText("A006")) == ShowResult("done", "screen.not_watched")
    await panel.close()
