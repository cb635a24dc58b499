"""A keypad of each driver with its fake at the far end, opened and served as in the agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from drivers.driver import Health
from drivers.errors import DriverError
from drivers.keypad.evdev_keypad import EvdevKeypad, EvdevKeypadConfig
from drivers.keypad.fake import FakeEvdevKeypad, FakeSerialKeypad
from drivers.keypad.fake_buttons import FakeButtons
from drivers.keypad.fake_reports import FakeReportKeypad
from drivers.keypad.frames import KeypadFormat
from drivers.keypad.gpio_keypad import GpioKeypad, GpioKeypadConfig
from drivers.keypad.hidraw_keypad import HidrawKeypad, HidrawKeypadConfig
from drivers.keypad.keyed import KeyedKeypad
from drivers.keypad.reports import ReportFormat
from drivers.keypad.serial_keypad import SerialKeypad, SerialKeypadConfig, load_format
from drivers.transport.fake import Line, PtyLine, TcpLine
from drivers.transport.hidraw import HidrawConfig
from drivers.transport.serial import SerialConfig
from drivers.transport.tcp import TcpConfig

PATIENCE_S = 20.0
KEYS = {"next": 79, "recall": 80, "finish": 96}
PINS = {"next": 17, "recall": 27, "finish": 22}
LAMPS = {"next": 5, "recall": 6, "finish": 13}
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
DISPLAY = msgspec.structs.replace(
    load_format("call-keypad-display"),
    keys={"01": "next", "02": "recall", "04": "finish"},
    releases={"81": "next", "82": "recall", "84": "finish"},
    light_order=("next", "recall", "finish"),
    poll_interval_ms=10,
    prompt="AA 55 {address} 14 01 {checksum}",
    prompt_end="AA 55 {address} 14 00 {checksum}",
)
REPORTS = ReportFormat(
    size=4,
    kind="bits",
    keys={"0.0": "next", "0.1": "recall", "1.7": "finish"},
    light_order=("next", "recall", "finish"),
    light="01 {lights}",
    prompt="02 01",
    prompt_end="02 00",
)
SERIAL = {"push": load_format("call-keypad"), "lit": LIT, "polled": POLLED, "display": DISPLAY}
EVERY = [
    "push-pty",
    "push-tcp",
    "lit-pty",
    "polled-pty",
    "polled-tcp",
    "display-pty",
    "display-tcp",
    "evdev-pty",
    "hidraw-pty",
    "gpio",
]
BYTES = [which for which in EVERY if which not in ("hidraw-pty", "gpio")]
"""Those whose line may hand on one byte at a time; the kernel gives reports and levels whole."""


class Buttons:
    """A header with buttons in the place of a line."""

    def __init__(self, device: FakeButtons) -> None:
        self.device = device

    async def plug(self) -> None:
        self.device.plug()

    async def unplug(self) -> None:
        self.device.unplug()


class Rig:
    """A keypad and its far end, supervised as in the agent."""

    def __init__(self, keypad: KeyedKeypad, line: Line | Buttons) -> None:
        self.keypad = keypad
        self.line: Any = line
        self.pad: Any = line.device
        self.errors: list[DriverError] = []
        self.healths: list[Health] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.pad.on_change = self._changed.set
        keypad.on_health = self._heard
        keypad.on_seen = self._changed.set

    def _heard(self, health: Health) -> None:
        self.healths.append(health)
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                with suppress(TimeoutError):  # a condition may come true without a word of fake or driver
                    await asyncio.wait_for(self._changed.wait(), 0.1)

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
        await self.connected()

    async def connected(self) -> None:
        """The far end has taken the connection, where there is one."""
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
        if isinstance(self.pad, FakeButtons):
            self.pad.header.remove()
        await asyncio.sleep(0)


async def make(which: str, path: Path, **options: Any) -> Rig:
    model, _, kind = which.partition("-")
    line: Any
    if model == "gpio":
        label = f"contract-{path.parent.name}-{path.name}"
        line = Buttons(FakeButtons(label, PINS, LAMPS, prompt=19, beeper=26))
        await line.plug()
        gpio: dict[str, Any] = {"keys": PINS, "lights": LAMPS, "prompt": 19, "beeper": 26, "chip": label}
        return Rig(GpioKeypad(GpioKeypadConfig(**(gpio | {"settle_ms": 1} | options))), line)
    if model == "evdev":
        line = PtyLine(FakeEvdevKeypad(KEYS), path)
        await line.plug()
        names = {"KEY_KP1": "next", "KEY_KP2": "recall", "KEY_KPENTER": "finish"}
        return Rig(EvdevKeypad(EvdevKeypadConfig(path=str(path), keys=names, **options)), line)
    if model == "hidraw":
        line = PtyLine(FakeReportKeypad(REPORTS, output_size=8), path)
        await line.plug()
        where = HidrawConfig(path=str(path), report_size=8)
        return Rig(HidrawKeypad(HidrawKeypadConfig(transport=where, inline=REPORTS, **options)), line)
    format = SERIAL[model]
    fake = FakeSerialKeypad(format)
    if kind == "tcp":
        line = TcpLine(fake)
        await line.plug()
        transport: SerialConfig | TcpConfig = TcpConfig(host="127.0.0.1", port=line.port)
    else:
        line = PtyLine(fake, path)
        await line.plug()
        transport = SerialConfig(path=str(path))
    options = {"lost_after_s": 0.3} | options
    return Rig(SerialKeypad(SerialKeypadConfig(transport=transport, inline=format, **options)), line)


async def running(which: str, path: Path, **options: Any) -> AsyncIterator[Rig]:
    rig = await make(which, path, **options)
    await rig.start()
    yield rig
    await rig.stop()
