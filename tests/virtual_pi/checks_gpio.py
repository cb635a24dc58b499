"""Buttons and lamps on pins: gpio-sim stands where a Pi's header is, used through lgpio and gpio-keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench import Bench, check, stopwatch
from session import Device

NEXT, RECALL, LAMP, CALL_LAMP = 17, 22, 27, 23
BOUNCES = 8
QUIET_S = 0.6
"""Longer than every gesture that a second press could belong to."""


@asynccontextmanager
async def released(bench: Bench, *lines: int) -> AsyncIterator[None]:
    """The buttons on these lines are up, before and after."""
    for line in lines:
        await bench.machine.hardware.do("level", line=line, high=True)
    try:
        yield
    finally:
        for line in lines:
            await bench.machine.hardware.do("level", line=line, high=True)


async def one_press(bench: Bench, keypad: Device, line: int) -> str:
    """A worn button goes down and up; the key that came of it, which has to be one."""
    took = stopwatch()
    await bench.machine.hardware.do("bounce", line=line, times=BOUNCES)
    key = (await keypad.call("next_key"))["key"]
    bench.note(f"{key} in {took() * 1000:.0f} ms")
    await bench.machine.hardware.do("level", line=line, high=True)
    try:
        another = await keypad.call("next_key", timeout=QUIET_S)
    except TimeoutError:
        return str(key)
    raise AssertionError(f"one press of {key}, and {another}")


@check("buttons on pins through lgpio: a press that bounces is one press; a pin in use is named")
async def gpio_buttons(bench: Bench) -> None:
    keys = {"next": NEXT, "recall": RECALL}
    async with (
        released(bench, *keys.values()),
        bench.driver("buttons", "gpio_keypad", keys=keys, lights={"next": LAMP}) as keypad,
    ):
        await keypad.until("ok")
        assert await one_press(bench, keypad, NEXT) == "next"
        assert await one_press(bench, keypad, RECALL) == "recall"
        await keypad.call("light", "next")
        assert await bench.machine.hardware.do("read_level", line=LAMP) == 1
        await keypad.call("light")
        assert await bench.machine.hardware.do("read_level", line=LAMP) == 0
        async with bench.driver("other", "gpio_light", lamps={"white": LAMP}) as other:
            await bench.in_time("pin in use said after", other.until("fault", "gpio.pin_busy"))


@check("a lamp on a pin through lgpio flashes at a call and is dark afterwards")
async def gpio_lamp(bench: Bench) -> None:
    async with bench.driver("lamp", "gpio_light", lamps={"white": CALL_LAMP}) as lamp:
        await lamp.until("ok")
        assert (await lamp.call("signal", "call", 3.0))["outcome"] == "done"
        seen = set()
        took = stopwatch()
        while took() < 2.0:
            seen.add(await bench.machine.hardware.do("read_level", line=CALL_LAMP))
        assert seen == {0, 1}, seen
        async with asyncio.timeout(10):
            while await bench.machine.hardware.do("read_level", line=CALL_LAMP):
                await asyncio.sleep(0.5)
        await asyncio.sleep(0.5)
        assert await bench.machine.hardware.do("read_level", line=CALL_LAMP) == 0


@check("buttons as keys of the kernel (gpio-keys, as dtoverlay=gpio-key): a press that bounces is one press")
async def kernel_gpio_keys(bench: Bench) -> None:
    async with released(bench, NEXT, RECALL):
        await bench.machine.hardware.do("kernel_keys", lines=[NEXT, RECALL])
        try:
            path = "/dev/input/by-path/platform-gpio-keys*-event"
            await bench.inside(f"udevadm settle; test -e {path}")
            found = (await bench.inside(f"ls {path}")).strip()
            async with bench.driver(
                "keys", "evdev_keypad", path=found, keys={"KEY_1": "next", "KEY_2": "recall"}
            ) as keys:
                await keys.until("ok")
                assert await one_press(bench, keys, NEXT) == "next"
                assert await one_press(bench, keys, RECALL) == "recall"
        finally:
            await bench.machine.hardware.do("no_kernel_keys")
