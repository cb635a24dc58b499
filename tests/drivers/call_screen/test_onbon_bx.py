"""What is special to Onbon cards; what every screen keeps is in `test_call_screen_contract`."""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.call_screen.fake import FakeOnbonCard
from drivers.call_screen.fake_bus import FakeBus
from drivers.call_screen.onbon_bx import PING_ANSWER_S, OnbonBx
from drivers.call_screen.onbon_bx_commands import Command, k_request
from drivers.call_screen.onbon_bx_config import OnbonBxConfig
from drivers.call_screen.onbon_bx_frames import FrameSplitter, KFrame
from drivers.call_screen.paced_screen import PacedScreen
from drivers.call_screen.protocol import ScreenText, ShowResult
from drivers.driver import Health
from drivers.errors import DriverError, LineLostError, NoAnswerError
from drivers.transport.fake import FakeDevice, Line, PtyLine, TcpLine
from drivers.transport.serial import SerialConfig
from drivers.transport.tcp import TcpConfig

PATIENCE_S = 10.0
"""How long a test waits for what must come."""


class Rig:
    """A driver and its card. `events` wakes whenever the card or the health changed."""

    def __init__(self, driver: OnbonBx, line: Line) -> None:
        self.driver = driver
        self.line = line
        self.errors: list[DriverError] = []
        self.health: list[Health] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        line.device.on_change = self._changed.set
        driver.on_health = self._heard
        driver.on_seen = self._changed.set

    @property
    def card(self) -> FakeOnbonCard:
        assert isinstance(self.line.device, FakeOnbonCard)
        return self.line.device

    def _heard(self, health: Health) -> None:
        self.health.append(health)
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def _supervise(self) -> None:
        while True:
            try:
                await self.driver.open()
                await self.driver.serve()
            except DriverError as error:
                self.errors.append(error)
                self._changed.set()
            await self.driver.close()
            await asyncio.sleep(0.01)

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._supervise())
        await self.until(lambda: self.driver.health.state == "ok")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.driver.close()
        await self.line.unplug()
        await asyncio.sleep(0)


MakeRig = Callable[..., Any]


@pytest.fixture
async def make_rig(tmp_path: Path) -> AsyncIterator[MakeRig]:
    """`await make_rig(kind="pty", card=None, **options of the driver)`: plugged in, not started."""
    rigs: list[Rig] = []

    async def make(kind: str = "pty", card: FakeDevice | None = None, **options: Any) -> Rig:
        family = options.get("family", "k")
        card = FakeOnbonCard(family=family) if card is None else card
        line: Line = PtyLine(card, tmp_path / "screen") if kind == "pty" else TcpLine(card)
        await line.plug()
        where = (
            SerialConfig(path=str(line.path), baud=115200)
            if isinstance(line, PtyLine)
            else TcpConfig(host="127.0.0.1", port=line.port)  # type: ignore[attr-defined]
        )
        options = {"min_interval_s": 0.05, "reply_timeout_s": 0.3, "retries": 1} | options
        rig = Rig(OnbonBx(OnbonBxConfig(transport=where, **options)), line)
        rigs.append(rig)
        return rig

    yield make
    for rig in rigs:
        await rig.stop()


DONE = ShowResult("done")
CALL = ScreenText("请A005到3号", "red")
NEXT = ScreenText("请A006到3号", "green")
CARDS = [("k", "pty"), ("k", "tcp"), ("5e", "pty"), ("6e", "tcp"), ("6q", "tcp")]


def colours(rig: Rig) -> set[int]:
    return {value for row in rig.card.dots() for value in row} - {0}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PacedScreen, "PING_S", 0.02)
    monkeypatch.setattr(PacedScreen, "RETRY_S", 0.1)


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
    assert select.select([rig.line._master], [], [], 5)[0]  # type: ignore[attr-defined]
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


# ---------------------------------------------------------------- lines, colours, places


@pytest.mark.parametrize("family", ["k", "5e", "6e", "6q"])
async def test_two_lines(make_rig: MakeRig, family: str) -> None:
    card = FakeOnbonCard(width=96, height=32, family=family)  # type: ignore[arg-type]
    rig: Rig = await make_rig("tcp", card=card, family=family, width_px=96, height_px=32)
    await rig.start()
    assert await rig.driver.show(ScreenText("A005 请到3号窗口")) == DONE
    if family == "k":
        assert card.text == "A005\n请到3号窗口"
    rows = [any(row) for row in card.dots()]
    assert any(rows[:16]) and any(rows[16:])
    upper = [x for row in card.dots()[:16] for x, value in enumerate(row) if value]
    assert min(upper) >= 30 and max(upper) < 66, "the short line stands in the middle"


async def test_one_line_flashes_in_the_middle_of_a_high_strip(make_rig: MakeRig) -> None:
    card = FakeOnbonCard(width=128, height=32)
    rig: Rig = await make_rig("tcp", card=card, height_px=32)
    await rig.start()
    for flash in (True, False):
        assert await rig.driver.show(ScreenText("A005 请到3号窗口", flash=flash)) == DONE
        assert card.motion == ("flash" if flash else "static")
        since = card.areas[0].since
        lit = [y for y, row in enumerate(card.dots(since + 0.1)) if any(row)]
        assert min(lit) >= 8 and max(lit) < 24
        assert any(map(any, card.dots(since + 0.6))) is not flash


@pytest.mark.parametrize("family", ["k", "5e", "6e"])
async def test_leds_of_one_colour(make_rig: MakeRig, family: str) -> None:
    card = FakeOnbonCard(family=family, colours=1)  # type: ignore[arg-type]
    rig: Rig = await make_rig("tcp", card=card, family=family, colours=1)
    await rig.start()
    for colour in ("red", "green", "yellow"):
        assert await rig.driver.show(ScreenText("A005", colour)) == DONE  # type: ignore[arg-type]
        assert colours(rig) == {1}


async def test_places_of_a_5k_card_are_units_of_eight(make_rig: MakeRig) -> None:
    rig: Rig = await make_rig(device_type=0x51, area_x=8)
    await rig.start()
    assert await rig.driver.show(CALL) == DONE
    assert (rig.card.areas[0].x, rig.card.areas[0].width) == (8, 120)
    with pytest.raises(ValueError, match="multiples of 8"):
        OnbonBxConfig(transport=SerialConfig(path="/x"), device_type=0x58, area_x=4)


# ---------------------------------------------------------------- the state of the card


async def test_what_others_left_is_cleared_and_a_programme_locked(make_rig: MakeRig) -> None:
    rig: Rig = await make_rig("tcp", clear=True, lock="P003")
    rig.card.plugged = lambda: None  # its power stays
    rig.card.areas[4] = next(iter(await shown_areas(CALL)))
    await rig.start()
    assert (rig.card.areas, rig.card.locked) == ({}, "P003")


async def shown_areas(content: ScreenText) -> list[Any]:
    from drivers.call_screen.onbon_bx_content import showing

    card = FakeOnbonCard()
    config = OnbonBxConfig(transport=SerialConfig(path="/x"))
    card.received(KFrame(k_request(Command.DYNAMIC_AREA, showing(content, config).payload)).to_bytes())
    return list(card.areas.values())


async def test_a_card_that_is_off_is_switched_on(make_rig: MakeRig, quick: None) -> None:
    rig: Rig = await make_rig()
    rig.card.on = False
    await rig.start()
    assert await rig.driver.show(CALL) == DONE
    await rig.until(lambda: rig.card.on)
    assert [health.code for health in rig.health if health.code] == []


async def test_a_card_that_may_not_be_switched_on_says_so(make_rig: MakeRig, quick: None) -> None:
    rig: Rig = await make_rig(switch_on=False)
    rig.card.on = False
    rig._task = asyncio.get_running_loop().create_task(rig._supervise())
    await rig.until(lambda: rig.driver.health.code == "screen.switched_off")
    assert not rig.card.on
    rig.card.on = True
    await rig.until(lambda: rig.driver.health.state == "ok")


async def test_a_card_that_tells_no_status_is_pinged(make_rig: MakeRig, quick: None) -> None:
    rig: Rig = await make_rig()
    rig.card.knows_status = False
    await rig.start()
    await rig.until(lambda: rig.card.pings >= 5)
    assert rig.driver.health == Health("ok")


async def test_a_card_that_lists_no_areas_is_not_sent_the_same_for_ever(
    make_rig: MakeRig, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeOnbonCard, "_status", lambda card: b"\1\5" + bytes(15) + b"\0" + bytes(28))
    rig: Rig = await make_rig()
    await rig.start()
    assert await rig.driver.show(CALL) == DONE
    pings = rig.card.pings
    await rig.until(lambda: rig.card.pings >= pings + 6)
    assert len(rig.card.refreshes) == 2


@pytest.mark.parametrize("text, again", [("A005", True), ("请A005号到二楼东侧3号综合窗口办理", False)])
async def test_what_stands_still_on_a_matrix_card_is_sent_again(
    make_rig: MakeRig, quick: None, monkeypatch: pytest.MonkeyPatch, text: str, again: bool
) -> None:
    monkeypatch.setattr("drivers.call_screen.onbon_bx.RENEW_S", 0.05)
    rig: Rig = await make_rig("tcp", family="6q")
    await rig.start()
    assert await rig.driver.show(ScreenText(text)) == DONE
    pings = rig.card.pings
    await rig.until(lambda: rig.card.pings >= pings + 6)
    assert (len(rig.card.refreshes) > 1) is again


# ---------------------------------------------------------------- several cards on one line


async def test_a_dead_card_does_not_hold_up_the_calls_of_the_others(tmp_path: Path, quick: None) -> None:
    """The dead one is asked again and again; each question holds the line only as long as a ping may take."""
    cards = [FakeOnbonCard(address=address) for address in (1, 2, 3)]
    cards[0].silent = True
    bus = FakeBus(cards)
    line = PtyLine(bus, tmp_path / "line")
    await line.plug()
    where = SerialConfig(path=str(line.path), baud=57600, shared=True)
    rigs = [
        Rig(OnbonBx(OnbonBxConfig(transport=where, address=card.address, min_interval_s=0)), line)
        for card in cards
    ]
    tasks = [asyncio.get_running_loop().create_task(rig._supervise()) for rig in rigs]
    async with asyncio.timeout(PATIENCE_S):
        while any(rig.driver.health.state != "ok" for rig in rigs[1:]):
            await asyncio.sleep(0.01)
        slowest = 0.0
        for n in range(6):
            began = asyncio.get_running_loop().time()
            results = await asyncio.gather(*[rig.driver.show(ScreenText(f"A00{n}")) for rig in rigs[1:]])
            assert results == [DONE, DONE]
            slowest = max(slowest, asyncio.get_running_loop().time() - began)
    assert [card.text for card in cards] == ["", "A005", "A005"]
    assert rigs[0].driver.health.code == "screen.no_answer"
    assert slowest < 2 * PING_ANSWER_S + 2.0, "two seconds are the machine's"
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for rig in rigs:
        await rig.driver.close()
    await line.unplug()
