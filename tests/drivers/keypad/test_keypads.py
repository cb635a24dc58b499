"""The interface of every keypad, kept by each driver over each kind of line."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from drivers.driver import Health
from drivers.errors import DriverError, LineLostError, NoAnswerError
from drivers.keypad.evdev_keypad import EvdevKeypad, EvdevKeypadConfig
from drivers.keypad.fake import FakeEvdevKeypad, FakeSerialKeypad
from drivers.keypad.frames import KeypadFormat
from drivers.keypad.presses import MAX_PRESSES
from drivers.keypad.serial_keypad import SerialKeypad, SerialKeypadConfig, load_format
from drivers.transport.fake import Line, PtyLine, TcpLine
from drivers.transport.serial import SerialConfig
from drivers.transport.tcp import TcpConfig

PATIENCE_S = 10.0
KEYS = {"next": 79, "recall": 80, "finish": 96}
POLLED = KeypadFormat(
    frame="AA 55 {address} {key} {checksum}",
    keys={"01 00": "next", "02 00": "recall", "04 00": "finish"},
    checksum="crc16",
    checksum_from=2,
    poll="AA 55 {address} 10 {checksum}",
    idle="00 00",
    poll_interval_ms=10,
    poll_timeout_ms=50,
    light_order=("next", "recall", "finish"),
    light="AA 55 {address} 11 {lights} {checksum}",
    prompt="AA 55 {address} 12 01 {checksum}",
    prompt_end="AA 55 {address} 12 00 {checksum}",
)
RATING = load_format("rating-keypad")
LIT = msgspec.structs.replace(
    RATING,
    keys={"31": "next", "32": "recall", "33": "finish"},
    light_order=("next", "recall", "finish"),
)


class Rig:
    """A keypad and its far end, supervised as in the agent."""

    def __init__(self, keypad: SerialKeypad | EvdevKeypad, line: Line) -> None:
        self.keypad = keypad
        self.line = line
        self.errors: list[DriverError] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        line.device.on_change = self._changed.set
        keypad.on_health = self._heard
        keypad.on_seen = self._changed.set

    @property
    def serial(self) -> FakeSerialKeypad:
        assert isinstance(self.line.device, FakeSerialKeypad)
        return self.line.device

    @property
    def pad(self) -> FakeSerialKeypad | FakeEvdevKeypad:
        assert isinstance(self.line.device, FakeSerialKeypad | FakeEvdevKeypad)
        return self.line.device

    def _heard(self, health: Health) -> None:
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def key(self) -> str:
        async with asyncio.timeout(PATIENCE_S):
            return (await self.keypad.next_key()).key

    async def nothing_more(self, last: str) -> None:
        """Whatever was sent before `last` must have given no key."""
        self.pad.press(last)
        assert await self.key() == last

    async def _supervise(self) -> None:
        while True:
            try:
                await self.keypad.open()
                await self.keypad.serve()
            except DriverError as error:
                self.errors.append(error)
                self._changed.set()
            await self.keypad.close()
            await asyncio.sleep(0.01)

    async def ready(self) -> None:
        """Both ends are there."""
        await self.until(lambda: self.keypad.health.state == "ok")
        if isinstance(line := self.line, TcpLine):
            await self.until(lambda: line._writer is not None)

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._supervise())
        await self.ready()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.keypad.close()
        await self.line.unplug()
        await asyncio.sleep(0)


async def make(which: str, path: Path, **options: object) -> Rig:
    model, _, kind = which.partition("-")
    if model == "evdev":
        line: Line = PtyLine(FakeEvdevKeypad(KEYS), path)
        await line.plug()
        names = {"KEY_KP1": "next", "KEY_KP2": "recall", "KEY_KPENTER": "finish"}
        return Rig(EvdevKeypad(EvdevKeypadConfig(path=str(path), keys=names, **options)), line)  # type: ignore[arg-type]
    format = {"push": load_format("call-keypad"), "lit": LIT, "polled": POLLED}[model]
    fake = FakeSerialKeypad(format)
    if kind == "tcp":
        tcp = TcpLine(fake)
        await tcp.plug()
        where: SerialConfig | TcpConfig = TcpConfig(host="127.0.0.1", port=tcp.port)
        line = tcp
    else:
        line = PtyLine(fake, path)
        await line.plug()
        where = SerialConfig(path=str(path))
    options = {"lost_after_s": 0.3} | options
    return Rig(SerialKeypad(SerialKeypadConfig(transport=where, inline=format, **options)), line)  # type: ignore[arg-type]


async def running(which: str, path: Path) -> AsyncIterator[Rig]:
    rig = await make(which, path)
    await rig.start()
    yield rig
    await rig.stop()


@pytest.fixture(params=["push-pty", "push-tcp", "lit-pty", "polled-pty", "polled-tcp", "evdev-pty"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async for made in running(request.param, tmp_path / "keypad"):
        yield made


@pytest.fixture(params=["push-pty", "lit-tcp", "evdev-pty"])
async def pushing(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async for made in running(request.param, tmp_path / "keypad"):
        yield made


@pytest.fixture(params=["lit-pty", "polled-pty", "polled-tcp"])
async def lit(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async for made in running(request.param, tmp_path / "keypad"):
        yield made


# ---------------------------------------------------------------- the contract


async def test_keys_come_in_order(rig: Rig) -> None:
    for key in ("next", "recall", "finish"):
        rig.pad.press(key)
    assert [await rig.key() for _ in range(3)] == ["next", "recall", "finish"]


async def test_a_press_has_the_time_of_the_loop(rig: Rig) -> None:
    before = asyncio.get_running_loop().time()
    rig.pad.press("next")
    press = await rig.keypad.next_key()
    assert before <= press.monotonic <= asyncio.get_running_loop().time()


async def test_a_bouncing_key_is_one_press(rig: Rig) -> None:
    rig.pad.bounce("next", 5)
    assert await rig.key() == "next"
    await rig.nothing_more("recall")


async def test_one_byte_at_a_time(rig: Rig) -> None:
    rig.line.faults.piece = 1
    rig.pad.press("finish")
    assert await rig.key() == "finish"


async def test_unplugged_and_plugged_in_again(rig: Rig) -> None:
    waiting = asyncio.ensure_future(rig.keypad.next_key())
    await rig.line.unplug()
    await rig.until(lambda: rig.keypad.health.state == "missing")
    await rig.until(lambda: rig.errors)
    assert isinstance(rig.errors[0], LineLostError)
    await rig.line.plug()
    await rig.ready()
    rig.pad.press("recall")
    async with asyncio.timeout(PATIENCE_S):
        assert (await waiting).key == "recall"


async def test_noise_gives_no_key_that_nobody_pressed_and_the_next_key_comes(rig: Rig) -> None:
    dirt = random.Random(5)
    for size in (1, 3, 40, 500):
        rig.line.send(bytes(dirt.randrange(8, 256) for _ in range(size)))
    if isinstance(rig.pad, FakeEvdevKeypad):
        rig.line.send(bytes(range(1, 24)) * 3)
        # the kernel never loses its place; what is left of the noise takes one event with it
        rig.pad.press("recall")
        rig.pad.press("recall")
    await rig.until(lambda: rig.keypad.health.state == "ok")
    rig.pad.press("recall")
    assert await rig.key() == "recall"


@pytest.mark.parametrize("seed", range(2))
async def test_a_lossy_line_gives_only_keys_that_were_pressed(rig: Rig, seed: int) -> None:
    rig.line._random = random.Random(seed)
    rig.line.faults.loss = 0.05
    for _ in range(20):
        rig.pad.press("next")
    rig.line.faults.loss = 0
    for _ in range(3):  # the first may be needed to find the place again
        rig.pad.press("finish")
    keys = {await rig.key()}
    while "finish" not in keys:
        keys.add(await rig.key())
    assert keys <= {"next", "finish"}


async def test_presses_that_nobody_takes_are_bounded(pushing: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing.keypad._gestures, "_again", 0.0)
    monkeypatch.setattr(pushing.keypad._gestures, "_settle", 0.0)
    for _ in range(MAX_PRESSES + 10):
        pushing.pad.press("next")
    for _ in range(MAX_PRESSES):
        pushing.pad.press("recall")
    pushing.pad.press("finish")
    queue = pushing.keypad._presses._queue
    await pushing.until(lambda: queue.full() and "finish" in str(queue))
    keys = [await pushing.key() for _ in range(MAX_PRESSES)]
    assert keys == ["recall"] * (MAX_PRESSES - 1) + ["finish"]


async def test_it_can_be_closed_at_any_time_and_more_than_once(rig: Rig) -> None:
    await rig.keypad.close()
    await rig.keypad.close()
    await rig.keypad.light("next")
    await rig.keypad.prompt(True)
    await rig.keypad.thank()


@pytest.mark.parametrize("which", ["push-pty", "polled-pty", "evdev-pty"])
@pytest.mark.parametrize("steps", range(0, 10, 3))
async def test_it_can_be_stopped_at_any_step(tmp_path: Path, which: str, steps: int) -> None:
    rig = await make(which, tmp_path / "keypad")
    task = asyncio.get_running_loop().create_task(rig._supervise())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE_S)
    await rig.stop()


async def test_lights_prompt_and_thanks_do_nothing_where_there_are_none(pushing: Rig) -> None:
    await pushing.keypad.light("next")
    await pushing.keypad.prompt(True)
    await pushing.keypad.thank()
    await pushing.nothing_more("next")
    assert pushing.errors == []


async def test_lights_and_prompt(lit: Rig) -> None:
    await lit.keypad.light("next", "finish")
    await lit.keypad.prompt(True)
    await lit.until(lambda: lit.serial.lights == {"next", "finish"} and lit.serial.prompting)
    await lit.keypad.light()
    await lit.keypad.prompt(False)
    await lit.until(lambda: lit.serial.lights == set() and not lit.serial.prompting)


async def test_thanks_end_the_prompt(lit: Rig) -> None:
    await lit.keypad.prompt(True)
    await lit.until(lambda: lit.serial.prompting)
    await lit.keypad.thank()
    await lit.until(lambda: not lit.serial.prompting)
    assert lit.serial.thanked == bool(lit.serial.format.thank)


async def test_lights_and_prompt_come_back_after_unplugging(lit: Rig) -> None:
    await lit.keypad.light("recall")
    await lit.until(lambda: lit.serial.lights)
    await lit.line.unplug()
    await lit.until(lambda: lit.errors)
    await lit.keypad.prompt(True)
    lit.serial.lights = frozenset()
    await lit.line.plug()
    await lit.until(lambda: lit.serial.lights == {"recall"} and lit.serial.prompting)


# ---------------------------------------------------------------- serial


async def test_unreadable_bytes_are_told_until_a_key_is_good(tmp_path: Path) -> None:
    async for rig in running("push-pty", tmp_path / "keypad"):
        rig.line.send(b"\x55" * 30)
        await rig.until(lambda: rig.keypad.health.state == "degraded")
        assert rig.keypad.health.code == "device.bad_frame"
        rig.pad.press("next")
        await rig.until(lambda: rig.keypad.health.state == "ok")


async def test_a_noisy_line_that_falls_silent_is_well_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.keypad.serial_keypad.QUIET_S", 0.05)
    async for rig in running("push-pty", tmp_path / "keypad"):
        rig.line.send(b"\x55" * 30)
        await rig.until(lambda: rig.keypad.health.state == "degraded")
        await rig.until(lambda: rig.keypad.health.state == "ok")


async def test_a_polled_keypad_that_stops_answering_is_missing(tmp_path: Path) -> None:
    async for rig in running("polled-pty", tmp_path / "keypad"):
        rig.serial.silent = True
        await rig.until(lambda: rig.keypad.health.state == "missing")
        await rig.until(lambda: rig.errors)
        assert isinstance(rig.errors[0], NoAnswerError)
        assert rig.keypad.health.code == "keypad.no_answer"
        rig.serial.silent = False
        await rig.until(lambda: rig.keypad.health.state == "ok")
        rig.pad.press("next")
        assert await rig.key() == "next"


async def test_keys_of_a_neighbour_on_the_bus_are_not_ours(tmp_path: Path) -> None:
    async for rig in running("push-pty", tmp_path / "keypad"):
        rig.line.send(bytes.fromhex("01 02 31 07"))
        await rig.nothing_more("recall")


async def test_no_line_at_all(tmp_path: Path) -> None:
    for which in ("push-pty", "evdev-pty"):
        rig = await make(which, tmp_path / which)
        await rig.line.unplug()
        with pytest.raises(LineLostError):
            await rig.keypad.open()
        assert rig.keypad.health.state == "missing"


@pytest.mark.parametrize(
    "options, said",
    [
        ({"format": "no-such"}, "no-such"),
        ({"format": "/nowhere/pad.toml"}, "nowhere"),
        ({"address": 256}, "address"),
        ({"debounce_ms": -1}, "debounce_ms"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_wrong_serial_config_is_refused(options: dict[str, object], said: str) -> None:
    raw = {"transport": {"type": "serial", "path": "/dev/paihao/keypad"}} | options
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(raw, SerialKeypadConfig)


def test_a_format_of_the_stations_own(tmp_path: Path) -> None:
    file = tmp_path / "pad.toml"
    file.write_text('frame = "02 {key} 03"\n[keys]\n41 = "next"\n', "utf-8")
    config = SerialKeypadConfig(transport=SerialConfig(path="/nowhere"), format=str(file))
    assert SerialKeypad(config).kind == "keypad"
    assert config.keypad_format.keys == {"41": "next"}


def test_drivers_name_their_configs() -> None:
    assert (SerialKeypad.Config, EvdevKeypad.Config) == (SerialKeypadConfig, EvdevKeypadConfig)


# ---------------------------------------------------------------- HID


async def test_the_kernels_repeats_are_no_presses(tmp_path: Path) -> None:
    async for rig in running("evdev-pty", tmp_path / "keypad"):
        assert isinstance(rig.pad, FakeEvdevKeypad)
        rig.pad.press("next", repeats=50)
        assert await rig.key() == "next"
        await rig.nothing_more("recall")


async def test_keys_that_the_kernel_dropped_are_not_guessed(tmp_path: Path) -> None:
    async for rig in running("evdev-pty", tmp_path / "keypad"):
        assert isinstance(rig.pad, FakeEvdevKeypad)
        rig.pad.overflow("next")
        await rig.nothing_more("recall")


@pytest.mark.parametrize("name", ["KEY_NOPE", "0", "0x300", ""])
def test_a_key_that_the_kernel_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="kernel"):
        msgspec.convert({"path": "/dev/input/event0", "keys": {name: "next"}}, EvdevKeypadConfig)


def test_a_key_without_a_name_here_can_be_given_by_number() -> None:
    EvdevKeypadConfig(path="/dev/input/event0", keys={"0x1b5": "next"})
