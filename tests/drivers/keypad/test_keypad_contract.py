"""The interface of every keypad, kept by each driver over each kind of line.

A driver for another keypad runs the same suite: give `keypad_rigs.make` and EVERY one more.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from keypad_rigs import BYTES, EVERY, PATIENCE_S, Rig, make, running

from drivers.errors import LineLostError, NoAnswerError
from drivers.keypad.evdev_keypad import EvdevKeypad, EvdevKeypadConfig
from drivers.keypad.fake import FakeEvdevKeypad, FakeSerialKeypad
from drivers.keypad.presses import MAX_PRESSES
from drivers.keypad.serial_keypad import SerialKeypad, SerialKeypadConfig
from drivers.transport.serial import SerialConfig


@pytest.fixture(params=EVERY)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async for made in running(request.param, tmp_path / "keypad"):
        yield made


@pytest.fixture(params=BYTES)
async def bytewise(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async for made in running(request.param, tmp_path / "keypad"):
        yield made


@pytest.fixture(params=["push-pty", "lit-tcp", "evdev-pty"])
async def pushing(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async for made in running(request.param, tmp_path / "keypad"):
        yield made


@pytest.fixture(params=["lit-pty", "polled-pty", "polled-tcp", "display-pty", "hidraw-pty", "gpio"])
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


async def test_one_byte_at_a_time(bytewise: Rig) -> None:
    bytewise.line.faults.piece = 1
    bytewise.pad.press("finish")
    assert await bytewise.key() == "finish"


async def test_a_slow_line(bytewise: Rig) -> None:
    bytewise.line.faults.piece = 3
    bytewise.line.faults.delay_s = 0.002
    bytewise.pad.press("recall")
    assert await bytewise.key() == "recall"


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


async def test_noise_gives_no_key_that_nobody_pressed_and_the_next_key_comes(bytewise: Rig) -> None:
    dirt = random.Random(5)
    for size in (1, 3, 40, 500):
        bytewise.line.send(bytes(dirt.randrange(8, 256) for _ in range(size)))
    if isinstance(bytewise.pad, FakeEvdevKeypad):
        bytewise.line.send(bytes(range(1, 24)) * 3)
        # the kernel never loses its place; what is left of the noise takes one event with it
        bytewise.pad.press("recall")
        bytewise.pad.press("recall")
    await bytewise.until(lambda: bytewise.keypad.health.state == "ok")
    bytewise.pad.press("recall")
    assert await bytewise.key() == "recall"


@pytest.mark.parametrize("seed", range(2))
async def test_a_lossy_line_gives_only_keys_that_were_pressed(bytewise: Rig, seed: int) -> None:
    bytewise.line._random = random.Random(seed)
    bytewise.line.faults.loss = 0.05
    for _ in range(20):
        bytewise.pad.press("next")
    bytewise.line.faults.loss = 0
    for _ in range(3):  # the first may be needed to find the place again
        bytewise.pad.press("finish")
    keys = {await bytewise.key()}
    while "finish" not in keys:
        keys.add(await bytewise.key())
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
    await lit.until(lambda: lit.pad.lights == {"next", "finish"} and lit.pad.prompting)
    await lit.keypad.light()
    await lit.keypad.prompt(False)
    await lit.until(lambda: lit.pad.lights == set() and not lit.pad.prompting)


async def test_thanks_end_the_prompt(lit: Rig) -> None:
    await lit.keypad.prompt(True)
    await lit.until(lambda: lit.pad.prompting)
    await lit.keypad.thank()
    await lit.until(lambda: not lit.pad.prompting)
    if isinstance(lit.pad, FakeSerialKeypad):
        assert lit.pad.thanked == bool(lit.pad.format.thank)


async def test_lights_and_prompt_come_back_after_unplugging(lit: Rig) -> None:
    await lit.keypad.light("recall")
    await lit.until(lambda: lit.pad.lights)
    await lit.line.unplug()
    await lit.until(lambda: lit.errors)
    await lit.keypad.prompt(True)
    await lit.line.plug()
    await lit.until(lambda: lit.pad.lights == {"recall"} and lit.pad.prompting)


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
        rig.pad.silent = True
        await rig.until(lambda: rig.keypad.health.state == "missing")
        await rig.until(lambda: rig.errors)
        assert isinstance(rig.errors[0], NoAnswerError)
        assert rig.keypad.health.code == "keypad.no_answer"
        rig.pad.silent = False
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
