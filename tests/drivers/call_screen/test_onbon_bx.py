"""What is special to Onbon cards; what every screen keeps is in `test_call_screen_contract`."""

from __future__ import annotations

import asyncio
import select
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from drivers.call_screen.fake import FakeOnbonCard
from drivers.call_screen.onbon_bx import OnbonBx
from drivers.call_screen.onbon_bx_commands import Command
from drivers.call_screen.onbon_bx_config import OnbonBxConfig
from drivers.call_screen.onbon_bx_frames import FrameSplitter, KFrame
from drivers.call_screen.protocol import ScreenText, ShowResult
from drivers.errors import DriverError, LineLostError, NoAnswerError
from drivers.transport.fake import FakeDevice
from drivers.transport.serial import SerialConfig

PATIENCE_S = 10.0
"""How long a test waits for what must come."""
Rig = Any
MakeRig = Any
"""`OnbonRig` and what makes one: see `conftest`."""

DONE = ShowResult("done")
CALL = ScreenText("请A005到3号", "red")
NEXT = ScreenText("请A006到3号", "green")
CARDS = [("k", "pty"), ("k", "tcp"), ("5e", "pty"), ("6e", "tcp"), ("6q", "tcp")]


def colours(rig: Rig) -> set[int]:
    return {value for row in rig.card.dots() for value in row} - {0}


@pytest.fixture(params=CARDS, ids="-".join)
async def rig(request: pytest.FixtureRequest, make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr("drivers.call_screen.paced_screen.PacedScreen.RETRY_S", 0.1)
    family, kind = request.param
    rig: Rig = await make_rig(kind, family=family)
    await rig.start()
    return rig


# ---------------------------------------------------------------- every family


async def test_every_colour_and_an_empty_text(rig: Rig) -> None:
    for colour, value in (("red", 1), ("green", 2), ("yellow", 3)):
        assert await rig.driver.show(ScreenText("A005", colour)) == DONE  # type: ignore[arg-type]
        assert colours(rig) == {value}
    assert await rig.driver.show(ScreenText("")) == DONE
    assert colours(rig) == set()


async def test_flash_and_scroll(rig: Rig) -> None:
    assert await rig.driver.show(ScreenText("A005", flash=True)) == DONE
    assert rig.card.motion == "flash"
    since = next(iter(rig.card.areas.values())).since
    lit = [any(any(row) for row in rig.card.dots(since + half / 2 + 0.1)) for half in range(4)]
    assert lit == [True, False, True, False]
    assert await rig.driver.show(ScreenText("请A005号到二楼东侧3号综合窗口办理", flash=True)) == DONE
    assert rig.card.motion == "scroll"
    since = next(iter(rig.card.areas.values())).since
    assert rig.card.dots(since + 3) != rig.card.dots(since + 4)


async def test_a_spoiled_answer_is_asked_for_again(rig: Rig) -> None:
    rig.card.bad_crc = 1
    assert await rig.driver.show(CALL) == DONE
    assert len(rig.card.refreshes) == 2


# ---------------------------------------------------------------- some


async def test_the_first_change_after_a_quiet_second_is_written_before_the_caller_waits(
    make_rig: MakeRig,
) -> None:
    rig: Rig = await make_rig("pty")
    await rig.start()
    call = rig.driver.show(CALL)
    call.send(None)  # one step, without the loop
    assert select.select([rig.line._master], [], [], 5)[0]
    call.close()


async def test_text_colour_brightness_of_a_font_card(make_rig: MakeRig) -> None:
    rig: Rig = await make_rig(brightness=6)
    await rig.start()
    assert rig.card.brightness == 6
    assert await rig.driver.show(ScreenText("王𠮷", "yellow")) == ShowResult("done", "screen.text_changed")
    assert (rig.card.text, rig.card.colour) == ("王□", "yellow")
    long = await rig.driver.show(ScreenText("窗" * 2000))
    assert long == ShowResult("done", "screen.text_changed")
    assert 200 < len(rig.card.text) < 256


async def test_brightness_of_a_matrix_card(make_rig: MakeRig) -> None:
    rig: Rig = await make_rig(family="6e", brightness=3)
    await rig.start()
    assert rig.card.brightness == 3


async def test_part_of_a_screen(make_rig: MakeRig) -> None:
    card = FakeOnbonCard(width=192, height=32)
    rig: Rig = await make_rig(
        card=card, width_px=192, height_px=32, area=2, area_x=64, area_y=16, area_height=16
    )
    await rig.start()
    assert await rig.driver.show(CALL) == DONE
    assert list(card.areas) == [2]
    lit = [(x, y) for y, row in enumerate(card.dots()) for x, value in enumerate(row) if value]
    assert min(x for x, _ in lit) >= 64
    assert min(y for _, y in lit) >= 16


async def test_an_older_card_that_always_answers_to_the_default_source(make_rig: MakeRig) -> None:
    card = FakeOnbonCard()
    card.fixed_source = True
    rig: Rig = await make_rig(card=card)
    await rig.start()
    assert await rig.driver.show(CALL) == DONE
    assert rig.errors == []


class ScriptedCard(FakeDevice):
    """Answers nothing by itself; the test does."""

    def __init__(self) -> None:
        super().__init__()
        self.splitter = FrameSplitter(KFrame.from_bytes)
        self.requests: asyncio.Queue[KFrame] = asyncio.Queue()

    def received(self, data: bytes) -> None:
        for frame in self.splitter.feed(data):
            self.requests.put_nowait(frame)

    def acknowledge(self, source: int) -> None:
        self.send(KFrame(b"\xa0\0\0\0\0", dst=source, src=0xFFFE).to_bytes())

    async def until_opened(self, starting: asyncio.Future[None], *, only: int | None = None) -> KFrame:
        """Acknowledge everything (or only what comes from the source `only`); the last request."""
        request = None
        while not starting.done():
            asking = asyncio.ensure_future(self.requests.get())
            both: set[asyncio.Future[Any]] = {asking, starting}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                asking.cancel()
                break
            request = asking.result()
            if only in (None, request.src):
                self.acknowledge(request.src)
        await starting
        assert request is not None
        return request


async def test_a_late_answer_is_not_taken_for_that_of_a_newer_text(make_rig: MakeRig) -> None:
    card = ScriptedCard()
    rig: Rig = await make_rig(card=card, reply_timeout_s=5.0)
    ping = await card.until_opened(asyncio.ensure_future(rig.start()))
    shown = asyncio.ensure_future(rig.driver.show(CALL))
    request = await card.requests.get()
    assert int.from_bytes(request.data[:2], "big") == Command.DYNAMIC_AREA
    card.send(KFrame(b"\xa0\x01\x0c\0\0", dst=ping.src, src=0xFFFE).to_bytes())  # "no font", too late
    card.acknowledge(request.src)
    assert await shown == DONE


async def test_a_card_that_wants_the_default_source_is_found(make_rig: MakeRig) -> None:
    card = ScriptedCard()
    rig: Rig = await make_rig(card=card, reply_timeout_s=0.05)
    await card.until_opened(asyncio.ensure_future(rig.start()), only=0x8000)
    shown = asyncio.ensure_future(rig.driver.show(CALL))
    request = await card.requests.get()
    assert request.src == 0x8000
    card.acknowledge(request.src)
    assert await shown == DONE


async def test_a_quiet_card_is_pinged(make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.call_screen.paced_screen.PacedScreen.PING_S", 0.02)
    rig: Rig = await make_rig()
    await rig.start()
    await rig.until(lambda: rig.card.pings >= 4)
    rig.card.silent = True
    await rig.until(lambda: rig.driver.health.code == "screen.no_answer")


@pytest.mark.parametrize("steps", range(0, 12, 2))
async def test_it_can_be_stopped_at_any_step(make_rig: MakeRig, steps: int) -> None:
    rig: Rig = await make_rig()

    async def life() -> None:
        while True:
            with suppress(DriverError):
                await rig.driver.open()
                await rig.driver.serve()
            await rig.driver.close()

    rig.card.silent = steps > 4
    task = asyncio.get_running_loop().create_task(life())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE_S)


async def test_no_card_at_all(make_rig: MakeRig) -> None:
    rig: Rig = await make_rig()
    rig.card.silent = True
    with pytest.raises(NoAnswerError) as caught:
        await rig.driver.open()
    assert caught.value.code == "screen.no_answer"
    await rig.line.unplug()
    with pytest.raises(LineLostError):
        await rig.driver.open()
    with pytest.raises(LineLostError):
        await rig.driver.serve()


@pytest.mark.parametrize(
    "options, said",
    [
        ({"width_px": 64, "area_x": 60}, "smaller than one character"),
        ({"area_width": 200}, "inside the screen"),
        ({"height_px": 8}, "smaller than one character"),
        ({"device_type": 0x0174}, "one byte"),
        ({"brightness": 16}, "brightness"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_config_is_refused(options: dict[str, object], said: str) -> None:
    raw = {"transport": {"type": "serial", "path": "/dev/paihao/screen"}} | options
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(raw, OnbonBxConfig)


def test_the_driver_names_its_config() -> None:
    assert OnbonBx.Config is OnbonBxConfig
    assert OnbonBx(OnbonBxConfig(transport=SerialConfig(path="/nowhere"))).kind == "call_screen"
