"""Several keypads on one RS-485 line: polled in fair turns, pushed with collisions, one of them missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from drivers.errors import DriverError
from drivers.keypad import serial_keypad
from drivers.keypad.fake import FakeSerialKeypad
from drivers.keypad.fake_bus import FakeBus
from drivers.keypad.frames import KeypadFormat
from drivers.keypad.protocol import KeypadDisplay
from drivers.keypad.serial_keypad import SerialKeypad, SerialKeypadConfig, load_format
from drivers.transport.fake import PtyLine
from drivers.transport.serial import SerialConfig

PATIENCE_S = 30.0
POLLED = msgspec.structs.replace(load_format("call-keypad-display"), poll_interval_ms=10)
PUSHED = load_format("call-keypad")


class Hall:
    """`count` keypads with the addresses 1, 2, … on one line."""

    def __init__(self, path: Path, format: KeypadFormat, count: int) -> None:
        self.fakes = [FakeSerialKeypad(format, address=n + 1) for n in range(count)]
        self.bus = FakeBus(self.fakes)
        self.line = PtyLine(self.bus, path)
        self.keypads = [
            SerialKeypad(
                SerialKeypadConfig(
                    transport=SerialConfig(path=str(path), shared=True),
                    inline=format,
                    address=n + 1,
                    lost_after_s=0.5,
                )
            )
            for n in range(count)
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def _supervise(self, keypad: SerialKeypad) -> None:
        while True:
            with suppress(DriverError):
                await keypad.open()
                await keypad.serve()
            await keypad.close()
            await asyncio.sleep(0.05)

    async def start(self) -> None:
        await self.line.plug()
        self._tasks = [asyncio.create_task(self._supervise(keypad)) for keypad in self.keypads]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self.line.unplug()
        await asyncio.sleep(0)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.005)

    async def key(self, number: int) -> str:
        async with asyncio.timeout(PATIENCE_S):
            return (await self.keypads[number].next_key()).key


async def hall_of(path: Path, format: KeypadFormat, count: int) -> AsyncIterator[Hall]:
    hall = Hall(path, format, count)
    await hall.start()
    yield hall
    await hall.stop()


@pytest.fixture
async def polled(tmp_path: Path) -> AsyncIterator[Hall]:
    async for hall in hall_of(tmp_path / "bus", POLLED, 8):
        await hall.until(lambda: all(keypad.health.state == "ok" for keypad in hall.keypads))
        yield hall


@pytest.fixture
async def pushed(tmp_path: Path) -> AsyncIterator[Hall]:
    async for hall in hall_of(tmp_path / "bus", PUSHED, 4):
        await hall.until(lambda: all(keypad.health.state == "ok" for keypad in hall.keypads))
        yield hall


async def test_every_keypad_gives_its_own_keys(polled: Hall) -> None:
    for number, fake in enumerate(polled.fakes):
        fake.press("next" if number % 2 else "recall")
    keys = [await polled.key(number) for number in range(8)]
    assert keys == ["next" if number % 2 else "recall" for number in range(8)]
    assert polled.bus.collisions == 0, "one question, one answer"


async def test_turns_are_fair(polled: Hall) -> None:
    before = [fake.polls for fake in polled.fakes]
    await polled.until(lambda: polled.fakes[0].polls - before[0] >= 30)
    asked = [fake.polls - least for fake, least in zip(polled.fakes, before, strict=True)]
    assert max(asked) - min(asked) <= 6, asked


async def test_every_display_shows_its_own_number(polled: Hall) -> None:
    for number, keypad in enumerate(polled.keypads):
        await keypad.show(KeypadDisplay(f"A{number:03}", number, "called"))
    await polled.until(lambda: [fake.shown[0] for fake in polled.fakes] == [b"A%03d" % n for n in range(8)])


async def test_a_missing_keypad_is_told_and_does_not_slow_the_others(
    polled: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    polled.fakes[3].silence()
    await polled.until(lambda: polled.keypads[3].health.state == "missing")
    assert polled.keypads[3].health.code == "keypad.no_answer"
    before = [fake.polls for fake in polled.fakes]
    await polled.until(lambda: polled.fakes[0].polls - before[0] >= 30)
    asked = [fake.polls - least for fake, least in zip(polled.fakes, before, strict=True)]
    assert asked[3] < asked[0]
    assert all(keypad.health.state == "ok" for n, keypad in enumerate(polled.keypads) if n != 3)
    polled.fakes[3].speak()
    await polled.until(lambda: polled.keypads[3].health.state == "ok")
    polled.fakes[3].press("next")
    assert await polled.key(3) == "next"


async def test_a_slow_keypad_loses_no_key(polled: Hall) -> None:
    late = POLLED.poll_timeout_ms / 1000 * 1.3
    polled.fakes[2].answer_after_s = late
    polled.fakes[2].press("next")
    assert await polled.key(2) == "next"
    polled.fakes[5].press("recall")
    assert await polled.key(5) == "recall"


async def test_all_are_told_when_the_line_goes_and_work_when_it_is_back(polled: Hall) -> None:
    await polled.line.unplug()
    await polled.until(lambda: all(keypad.health.state == "missing" for keypad in polled.keypads))
    await polled.line.plug()
    await polled.until(lambda: all(keypad.health.state == "ok" for keypad in polled.keypads))
    polled.fakes[7].press("finish")
    assert await polled.key(7) == "finish"


async def test_keys_that_collide_are_no_keys_and_the_next_ones_are(pushed: Hall) -> None:
    for fake in pushed.fakes:
        fake.down("next")
    await pushed.until(lambda: pushed.bus.collisions)
    assert all(keypad._presses._queue.empty() for keypad in pushed.keypads)
    for number, fake in enumerate(pushed.fakes):
        fake.press("recall")
        assert await pushed.key(number) == "recall"
    await pushed.until(lambda: all(keypad.health.state == "ok" for keypad in pushed.keypads))


async def test_a_noisy_shared_line_of_pushing_keypads_is_well_again_when_it_is_quiet(
    pushed: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_keypad, "QUIET_S", 0.1)
    pushed.line.send(b"\x55" * 40)
    await pushed.until(lambda: all(keypad.health.state == "degraded" for keypad in pushed.keypads))
    await pushed.until(lambda: all(keypad.health.state == "ok" for keypad in pushed.keypads))


async def test_a_line_as_slow_as_its_baud_rate(tmp_path: Path) -> None:
    async for hall in hall_of(tmp_path / "bus", POLLED, 3):
        hall.bus.byte_s = 10 / 9600
        await hall.until(lambda: all(keypad.health.state == "ok" for keypad in hall.keypads))
        hall.fakes[1].press("next")
        assert await hall.key(1) == "next"
