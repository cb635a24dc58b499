"""HID keypads: a keyboard that is grabbed, unplugged and held by another program; and a raw HID device."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bench import Bench, check, stopwatch
from session import Device

PATH = "/dev/paihao/keypad"
KEYBOARD = "keypad"
KEYS = {"KEY_KP1": "1", "KEY_KP5": "5", "KEY_KPENTER": "next"}
CONSOLE = "/tmp/console-keys"
REPORT = 64
"""Bytes of a report of the raw keypad, either way."""


async def plug(bench: Bench) -> None:
    await bench.machine.plug("usb-kbd", KEYBOARD, bus="usb.0", port="1.3", serial="KEYPAD1")
    await bench.inside(f"udevadm wait --timeout=20 {PATH}")


@asynccontextmanager
async def keyboard(bench: Bench) -> AsyncIterator[None]:
    """Plugged into the keypad's socket during the block."""
    await plug(bench)
    try:
        yield
    finally:
        if KEYBOARD in bench.machine.plugged:
            await bench.machine.unplug(KEYBOARD)


@check("keys of a HID keypad arrive in order and nowhere else: the console gets none while it is grabbed")
async def hid_keypad_grabbed(bench: Bench) -> None:
    async with keyboard(bench):
        console = f"(stty raw -echo; exec cat) </dev/tty1 >{CONSOLE} 2>&1 & echo $!"
        reading = (await bench.inside(console)).strip()
        try:
            async with bench.driver("keypad", "evdev_keypad", path=PATH, keys=KEYS) as keypad:
                await keypad.until("ok")
                for qcode, key in (("kp_1", "1"), ("kp_5", "5"), ("kp_enter", "next")):
                    took = stopwatch()
                    await bench.machine.press(qcode)
                    press = await keypad.call("next_key")
                    bench.note(f"{key} in {took() * 1000:.0f} ms")
                    assert press["key"] == key, press
                await bench.machine.press("a")  # no key of ours
                assert not await bench.inside(f"cat {CONSOLE}")
            # let go of, the same keyboard types on the console: the check would have seen it
            await bench.machine.press("b")
            async with asyncio.timeout(15):
                while "b" not in await bench.inside(f"cat {CONSOLE}"):
                    await asyncio.sleep(0.2)
            assert (await bench.inside(f"cat {CONSOLE}")).strip() == "b"
        finally:
            await bench.inside(f"kill {reading}")


@check("a HID keypad is unplugged and plugged in again: missing in time, then its keys arrive again")
async def hid_keypad_replugged(bench: Bench) -> None:
    async with keyboard(bench), bench.driver("keypad", "evdev_keypad", path=PATH, keys=KEYS) as keypad:
        await keypad.until("ok")
        waiting = asyncio.create_task(keypad.call("next_key"))
        gone = asyncio.create_task(keypad.until("missing"))
        await bench.machine.unplug(KEYBOARD)
        await bench.in_time("missing after", gone)
        await plug(bench)
        await bench.in_time("back after", keypad.until("ok"), 15)
        await bench.machine.press("kp_5")
        assert (await waiting)["key"] == "5"


@check("a keypad that another program has grabbed: a fault with a code, and taken as soon as it is free")
async def hid_keypad_held(bench: Bench) -> None:
    options = {"path": PATH, "keys": KEYS}
    async with keyboard(bench), AsyncExitStack() as stack:
        holding = await stack.enter_async_context(AsyncExitStack())
        first = await holding.enter_async_context(bench.driver("first", "evdev_keypad", **options))
        await first.until("ok")
        second = await stack.enter_async_context(bench.driver("second", "evdev_keypad", **options))
        await bench.in_time("said after", second.until("fault", "keypad.grabbed"))
        await bench.machine.press("kp_1")
        assert (await first.call("next_key"))["key"] == "1"
        await holding.aclose()
        await bench.in_time("taken after", second.until("ok"), 10)
        await bench.machine.press("kp_5")
        assert (await second.call("next_key"))["key"] == "5"


@check(
    "a raw HID keypad on the kernel's hidraw: keys arrive, its lights are told, unplugged, plugged in again"
)
async def raw_hid_keypad(bench: Bench) -> None:
    hardware = bench.machine.hardware
    await hardware.do("gadgets")
    await hardware.do("plug", name="keypad")
    try:
        (path,) = (await bench.inside("until ls /dev/paihao/hid-*; do sleep 0.2; done", 20)).split()
        options = {
            "transport": {"type": "hidraw", "path": path, "report_size": REPORT},
            "inline": {
                "size": REPORT,
                "kind": "bits",
                "keys": {"0.0": "next", "0.1": "recall"},
                "light_order": ["next", "recall"],
                "light": "4C {lights}",
            },
        }
        async with bench.driver("pad", "hidraw_keypad", **options) as keypad:
            await keypad.until("ok")
            assert await report(bench, keypad, 0b10) == "recall"
            assert await report(bench, keypad, 0b01) == "next"
            await keypad.call("light", "recall")
            async with asyncio.timeout(10):
                while not (told := base64.b64decode(await hardware.do("reported"))):
                    await asyncio.sleep(0.2)
            assert told[-REPORT:] == b"\x4c\x02".ljust(REPORT, b"\0"), told.hex(" ")
            gone = asyncio.create_task(keypad.until("missing"))
            await hardware.do("unplug", name="keypad")
            await bench.in_time("missing after", gone)
            await hardware.do("plug", name="keypad")
            await keypad.until("ok")
            assert await report(bench, keypad, 0b01) == "next"
    finally:
        await hardware.do("unplug", name="keypad")


async def report(bench: Bench, keypad: Device, bits: int) -> str:
    """A key goes down and up; what came of it."""
    waiting = asyncio.create_task(keypad.call("next_key"))
    for byte in (bits, 0):
        data = base64.b64encode(bytes((byte,)).ljust(REPORT, b"\0")).decode()
        await bench.machine.hardware.do("report", data=data)
    return str((await waiting)["key"])
