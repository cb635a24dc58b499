"""The interface of every call screen, kept by every driver over every kind of line, whatever goes wrong.

A new model joins with one entry in MODELS. On "rs485" three screens share one line; the second is tried, and
the others must show their own texts at the end.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device.clock import Clock
from device.supervision import Supervisor
from drivers.call_screen.fake import FakeOnbonCard
from drivers.call_screen.fake_alpha import FakeAlphaSign
from drivers.call_screen.fake_bus import FakeBus
from drivers.call_screen.fake_modbus import FakeModbusDisplay
from drivers.call_screen.paced_screen import PacedScreen
from drivers.call_screen.protocol import CallScreen, ScreenText, ShowResult
from drivers.driver import Health
from drivers.errors import LineLostError
from drivers.table import config_type, driver_class
from drivers.transport.fake import FakeDevice, Line, PtyLine, TcpLine
from drivers.transport.fake_udp import UdpLine
from wire.messages import DeviceState
from wire.texts import LANGUAGES, texts

PATIENCE_S = 20.0
"""How long a test waits for what must come."""

Act = Callable[[Any], object]


def _set(**values: object) -> Act:
    def act(fake: object) -> None:
        for name, value in values.items():
            setattr(fake, name, value)

    return act


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How the fake is broken and mended, and the code that people then read."""

    code: str
    spoil: Act
    mend: Act
    when: str = "shown"
    """"shown": it is noticed when a text is sent; "quiet": without one."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """One driver with its fake, which is made with `address`. `shows(fake)`: what people see of a text."""

    driver: str
    fake: Callable[[int], FakeDevice]
    lines: tuple[str, ...]
    shows: Callable[[Any], tuple[str, str]]
    """The text (or "" where the fake cannot read it back) and the colour ("" where it has one only)."""
    options: Mapping[str, object] = field(default_factory=dict)
    faults: Mapping[str, Fault] = field(default_factory=dict)
    forget: Act | None = None
    """The device loses its power for a moment, and the line does not."""
    dims: Callable[[Any], int] | None = None
    """The fake's brightness as a level 0–15, where it can."""


SILENT = Fault(code="screen.no_answer", spoil=_set(silent=True), mend=_set(silent=False), when="quiet")
FAST = {"min_interval_s": 0.05, "retries": 1}


def onbon(family: str, *lines: str) -> Model:
    def shows(card: FakeOnbonCard) -> tuple[str, str]:
        if family == "k":
            return card.text, card.colour
        values = {value for row in card.dots() for value in row} - {0}
        return "", {1: "red", 2: "green", 3: "yellow"}[values.pop()] if values else ""

    faults = {
        "silent": SILENT,
        "busy": Fault(code="screen.refused_busy", spoil=_set(busy=True), mend=_set(busy=False)),
    }
    if family == "k":
        faults["no font"] = Fault(
            code="screen.refused_font", spoil=_set(no_font=True), mend=_set(no_font=False)
        )
        faults["off"] = Fault(
            code="screen.switched_off",
            spoil=FakeOnbonCard.switch_off,
            mend=FakeOnbonCard.switch_on,
            when="quiet",
        )
    return Model(
        driver="onbon_bx",
        fake=lambda address: FakeOnbonCard(family=family, address=address),  # type: ignore[arg-type]
        lines=lines,
        shows=shows,
        options=FAST | {"family": family, "reply_timeout_s": 0.3},
        faults=faults,
        forget=FakeOnbonCard.power_cycle if family == "k" else None,
        dims=lambda card: card.brightness,
    )


def alpha() -> Model:
    return Model(
        driver="alpha_sign",
        fake=lambda address: FakeAlphaSign(address=address),
        lines=("pty", "tcp", "rs485"),
        shows=lambda sign: (sign.text, sign.colour),
        options=FAST | {"answer_s": 0.3, "address": 1},
        faults={
            "silent": SILENT,
            "no such label": Fault(
                code="screen.refused", spoil=FakeAlphaSign.refuse_labels, mend=FakeAlphaSign.take_labels
            ),
        },
    )


def modbus() -> Model:
    colours = {1: "red", 2: "green", 3: "yellow"}
    return Model(
        driver="modbus_display",
        fake=lambda address: FakeModbusDisplay(address=address),
        lines=("pty", "tcp", "rs485"),
        shows=lambda display: (display.text, colours.get(display.holding.get(90, 0), "")),
        options=FAST
        | {
            "answer_s": 0.3,
            "address": 1,
            "colour": {"register": 90},
            "brightness_register": {"register": 91},
        },
        faults={
            "silent": SILENT,
            "busy": Fault(code="screen.refused_busy", spoil=_set(busy=True), mend=_set(busy=False)),
            "no such register": Fault(
                code="screen.refused_model", spoil=_set(broken_at={3}), mend=_set(broken_at=set())
            ),
        },
        forget=FakeModbusDisplay.lose_power,
        dims=lambda display: display.holding.get(91, 15),
    )


MODELS: dict[str, Model] = {
    "alpha": alpha(),
    "modbus": modbus(),
    "onbon-k": onbon("k", "pty", "tcp", "udp", "rs485"),
    "onbon-5e": onbon("5e", "pty", "rs485"),
    "onbon-6e": onbon("6e", "tcp", "udp"),
    "onbon-6q": onbon("6q", "tcp"),
}
"""Every model of call screens that there is a driver for."""

PLACES = [(name, line) for name, model in MODELS.items() for line in model.lines]
CALL = ScreenText("A005 3", "red")
NEXT = ScreenText("A006 3", "green")
THIRD = ScreenText("A007 3", "yellow")
DONE = "done"


# ---------------------------------------------------------------- the rig


class Screen:
    """One driver under a supervisor, and its fake."""

    def __init__(self, rig: Rig, driver: CallScreen, fake: Any) -> None:
        self.driver, self.fake = driver, fake
        self.states: list[DeviceState] = []
        self._rig = rig
        supervisor = Supervisor("screen", driver, Clock(), self._published)
        self.task = asyncio.get_running_loop().create_task(supervisor.run())

    def _published(self, state: DeviceState) -> None:
        self.states.append(state)
        self._rig.changed.set()


class Rig:
    """`screen` is the one that is tried; `others` share its line."""

    def __init__(self, model: Model, line: Line | None) -> None:
        self.model, self.line = model, line
        self.changed = asyncio.Event()
        self.screen: Screen = None  # type: ignore[assignment]  # set by `place`
        self.others: list[Screen] = []

    @property
    def driver(self) -> CallScreen:
        return self.screen.driver

    @property
    def fake(self) -> Any:
        return self.screen.fake

    @property
    def health(self) -> Health:
        return self.driver.health

    def shows(self, content: ScreenText) -> bool:
        """Whether people see `content`."""
        text, colour = self.model.shows(self.fake)
        return text in ("", content.text) and colour in ("", content.colour) and bool(text or colour)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.changed.clear()
                with suppress(TimeoutError):  # some fakes cannot tell of every change
                    async with asyncio.timeout(0.05):
                        await self.changed.wait()

    async def show(self, content: ScreenText) -> ShowResult:
        async with asyncio.timeout(PATIENCE_S):
            return await self.driver.show(content)

    async def show_until_done(self, content: ScreenText) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while (await self.driver.show(content)).outcome != DONE:
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        screens = [self.screen, *self.others]
        for screen in screens:
            screen.task.cancel()
        await asyncio.wait({screen.task for screen in screens})
        if self.line is not None:
            await self.line.unplug()
        await asyncio.sleep(0)


async def make(model: Model, kind: str, folder: Path, **options: Any) -> Rig:
    """The model on a line of this kind, plugged in and open."""
    count = 3 if kind == "rs485" else 1
    fakes = [model.fake(address) for address in range(1, count + 1)]
    device = FakeBus(fakes) if kind == "rs485" else fakes[0]
    line: Line
    where: dict[str, object]
    match kind:
        case "pty" | "rs485":
            line = PtyLine(device, folder / "screen")
            where = {"type": "serial", "path": str(line.path), "baud": 115200, "shared": kind == "rs485"}
        case "tcp":
            line = TcpLine(device)
        case "udp":
            line = UdpLine(device)
        case _:
            raise ValueError(kind)
    await line.plug()
    if isinstance(line, TcpLine | UdpLine):
        where = {"type": kind, "host": "127.0.0.1", "port": line.port}
    rig = Rig(model, line)
    device.on_change = rig.changed.set
    driver = driver_class(model.driver)
    screens = []
    for address, fake in enumerate(fakes, 1):
        own = {"address": address} if kind == "rs485" else {}
        config = msgspec.convert({"transport": where, **model.options, **own, **options}, config_type(driver))
        made: Any = driver
        screens.append(Screen(rig, made(config), fake))
    rig.screen = screens.pop(len(screens) // 2)
    rig.others = screens
    await rig.until(lambda: all(s.driver.health.state == "ok" for s in [rig.screen, *rig.others]))
    return rig


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds in a hall takes a twentieth here."""
    monkeypatch.setattr(PacedScreen, "PING_S", 0.1)
    monkeypatch.setattr(PacedScreen, "RETRY_S", 0.1)
    monkeypatch.setattr(PacedScreen, "RENEW_S", 0.5)
    monkeypatch.setattr("drivers.call_screen.alpha_sign.SETTLE_S", 0.01)
    monkeypatch.setattr("device.supervision.BACK_OFF_MIN_S", 0.01)
    monkeypatch.setattr("device.supervision.BACK_OFF_MAX_S", 0.05)


@pytest.fixture(params=PLACES, ids="-".join)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    name, kind = request.param
    rig = await make(MODELS[name], kind, tmp_path)
    own = {id(other): ScreenText(f"B00{n} 3", "green") for n, other in enumerate(rig.others)}
    for other in rig.others:
        assert (await other.driver.show(own[id(other)])).outcome == DONE
    yield rig
    for other in rig.others:
        text, colour = rig.model.shows(other.fake)
        assert text in ("", own[id(other)].text) and colour in ("", "green"), "a text of another screen"
    await rig.stop()


# ---------------------------------------------------------------- what it shows


async def test_shows_a_text_and_says_done_when_it_is_there(rig: Rig) -> None:
    for content in (CALL, NEXT, THIRD):
        assert (await rig.show(content)).outcome == DONE
        assert rig.shows(content)
    assert rig.health.state == "ok"


async def test_an_empty_text_is_a_dark_screen(rig: Rig) -> None:
    assert (await rig.show(CALL)).outcome == DONE
    assert (await rig.show(ScreenText(""))).outcome == DONE
    assert rig.model.shows(rig.fake)[0].strip() == ""


async def test_flash_and_scroll_are_taken(rig: Rig) -> None:
    long = "A005 please go to counter 3 on the second floor, east wing"
    for content in (ScreenText("A005 3", flash=True), ScreenText(long, flash=True), CALL):
        assert (await rig.show(content)).outcome == DONE
    assert rig.shows(CALL)


async def test_the_latest_of_quick_changes_wins(rig: Rig) -> None:
    texts = [ScreenText(f"A00{n} 3") for n in range(5)]
    results = await asyncio.gather(*[rig.show(text) for text in [*texts, NEXT]])
    assert results[-1].outcome == DONE
    assert {result.outcome for result in results[1:-1]} == {"superseded"}
    assert rig.shows(NEXT)


async def test_a_caller_who_goes_away_leaves_the_text_wanted(rig: Rig) -> None:
    caller = asyncio.ensure_future(rig.show(NEXT))
    await asyncio.sleep(0)
    caller.cancel()
    await rig.until(lambda: rig.shows(NEXT))


async def test_it_closes_at_any_time_and_more_than_once(rig: Rig) -> None:
    sent = asyncio.ensure_future(rig.show(CALL))
    await asyncio.sleep(0)
    await rig.driver.close()
    await rig.driver.close()
    assert (await sent).outcome in ("failed", DONE)
    await rig.until(lambda: rig.health.state == "ok")
    await rig.show_until_done(NEXT)


# ---------------------------------------------------------------- what the line does


async def test_one_byte_at_a_time(rig: Rig) -> None:
    assert rig.line is not None
    rig.line.faults.piece = 1
    await rig.show_until_done(NEXT)
    assert rig.shows(NEXT)


async def test_random_delays(rig: Rig) -> None:
    assert rig.line is not None
    dice = random.Random(3)
    for content in (CALL, NEXT, THIRD):
        rig.line.faults.piece, rig.line.faults.delay_s = dice.randint(2, 9), dice.random() / 200
        await rig.show_until_done(content)
        assert rig.shows(content)


@pytest.mark.parametrize("fault", ["noise", "loss"])
async def test_done_is_never_said_of_a_text_that_is_not_there(rig: Rig, fault: str) -> None:
    """Noise and loss both ways: whatever happens, `done` is true, and it works again afterwards."""
    assert rig.line is not None
    rig.line._random = random.Random(fault)
    setattr(rig.line.faults, fault, 0.003)
    for content in (CALL, NEXT, THIRD):
        if (await rig.show(content)).outcome == DONE:
            assert rig.shows(content)
    setattr(rig.line.faults, fault, 0)
    await rig.show_until_done(NEXT)
    assert rig.shows(NEXT)
    for n, other in enumerate(rig.others):  # a reopening shows the latest again
        await rig.until(lambda seen=other: seen.driver.health.state == "ok")  # type: ignore[misc]
        while (await other.driver.show(ScreenText(f"B00{n} 3", "green"))).outcome != DONE:
            await asyncio.sleep(0.02)


async def test_garbage_does_no_harm(rig: Rig) -> None:
    assert rig.line is not None
    dirt = random.Random(7)
    for size in (1, 50, 3000):
        rig.line.send(dirt.randbytes(size))
        await rig.show_until_done(CALL)
        await rig.show_until_done(NEXT)
    assert rig.shows(NEXT)


async def test_unplugged_and_plugged_in_again_it_shows_the_latest_by_itself(rig: Rig) -> None:
    assert rig.line is not None
    assert (await rig.show(CALL)).outcome == DONE
    await rig.line.unplug()
    await rig.until(lambda: rig.health.state == "missing")
    result = await rig.show(NEXT)
    assert result.outcome == "failed" and result.code is not None
    await rig.line.plug()
    await rig.until(lambda: rig.shows(NEXT))
    await rig.until(lambda: rig.health.state == "ok")


async def test_a_text_on_its_way_fails_when_the_line_is_lost(rig: Rig) -> None:
    assert rig.line is not None
    assert (await rig.show(CALL)).outcome == DONE
    rig.line.faults.loss = 1.0
    sent = asyncio.ensure_future(rig.show(NEXT))
    await asyncio.sleep(0)
    waiting = asyncio.ensure_future(rig.show(CALL))
    await asyncio.sleep(0)
    await rig.line.unplug()
    assert (await waiting).outcome == "failed"
    assert (await sent).outcome in ("superseded", "failed")
    rig.line.faults.loss = 0.0
    await rig.line.plug()
    await rig.until(lambda: rig.health.state == "ok")


# ---------------------------------------------------------------- what the screen does

FAULTS = [(name, model.lines[-1], fault) for name, model in MODELS.items() for fault in model.faults]


def readable(code: str | None) -> bool:
    return code is not None and all(" · " in texts(language).get(code, "") for language in LANGUAGES)


async def spoiled_and_mended(rig: Rig, fault: Fault) -> tuple[float, float]:
    """Seconds until it was told, and until it was told that it is over."""
    assert (await rig.show(CALL)).outcome == DONE
    began = time.monotonic()
    fault.spoil(rig.fake)
    if fault.when == "shown":
        assert (await rig.show(NEXT)).code == fault.code
    await rig.until(lambda: rig.health.code == fault.code)
    assert rig.screen.states[-1].health in ("fault", "missing", "degraded")
    assert readable(rig.screen.states[-1].code)
    told = time.monotonic()
    fault.mend(rig.fake)
    await rig.until(lambda: rig.health.state == "ok")
    await rig.until(lambda: rig.shows(CALL if fault.when == "quiet" else NEXT))
    return told - began, time.monotonic() - told


@pytest.mark.parametrize("name, kind, fault", FAULTS, ids=str)
async def test_every_fault_is_told_and_clears_by_itself(
    name: str, kind: str, fault: str, tmp_path: Path
) -> None:
    rig = await make(MODELS[name], kind, tmp_path)
    await spoiled_and_mended(rig, MODELS[name].faults[fault])
    assert all(other.driver.health.state == "ok" for other in rig.others)
    await rig.stop()


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.forget is not None])
async def test_a_screen_that_lost_its_power_for_a_moment_gets_its_text_again(
    name: str, tmp_path: Path
) -> None:
    model = MODELS[name]
    assert model.forget is not None
    rig = await make(model, model.lines[-1], tmp_path)
    assert (await rig.show(CALL)).outcome == DONE
    model.forget(rig.fake)
    assert not rig.shows(CALL)
    await rig.until(lambda: rig.shows(CALL))
    await rig.stop()


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.dims is not None])
async def test_brightness_follows_the_time_of_day(name: str, tmp_path: Path) -> None:
    model = MODELS[name]
    assert model.dims is not None
    schedule = [{"from": "07:30", "level": 12}, {"from": "19:00", "level": 5}]
    rig = await make(model, model.lines[0], tmp_path, brightness=schedule)
    hour = 12

    def now() -> datetime:
        return datetime(2026, 11, 22, hour, 0)

    rig.driver.local_time = now
    await rig.until(lambda: model.dims and model.dims(rig.fake) == 12)
    hour = 20
    await rig.until(lambda: model.dims and model.dims(rig.fake) == 5)
    await rig.until(lambda: rig.health.facts["brightness"] == 5)
    await rig.stop()


async def test_every_fault_is_told_within_five_seconds_of_a_hall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the driver's own times, all faults of all models side by side."""
    monkeypatch.undo()
    rigs: list[tuple[Rig, Fault]] = []
    for number, (name, kind, fault) in enumerate(FAULTS):
        model = MODELS[name]
        folder = tmp_path / str(number)
        folder.mkdir()
        own = {
            key: value
            for key, value in model.options.items()
            if key not in ("reply_timeout_s", "answer_s", "retries")
        }
        slow = Model(
            **{f: getattr(model, f) for f in model.__dataclass_fields__ if f != "options"}, options=own
        )
        rigs.append((await make(slow, kind, folder), model.faults[fault]))
    times = await asyncio.gather(*[spoiled_and_mended(rig, fault) for rig, fault in rigs])
    for rig, _ in rigs:
        await rig.stop()
    assert max(told for told, _ in times) < 5.0


async def test_a_screen_that_is_not_there_is_missing(tmp_path: Path) -> None:
    for model in MODELS.values():
        driver = driver_class(model.driver)
        where = {"type": "serial", "path": str(tmp_path / "nowhere")}
        config = msgspec.convert({"transport": where, **model.options}, config_type(driver))
        made: Any = driver
        screen: CallScreen = made(config)
        with pytest.raises(LineLostError):
            await screen.open()
        with pytest.raises(LineLostError):
            await screen.serve()
        assert screen.health.state == "missing"
        assert (await screen.show(CALL)).outcome == "failed"
        await screen.close()
