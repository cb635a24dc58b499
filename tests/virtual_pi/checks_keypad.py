"""A HID keyboard as a keypad: grabbed, unplugged, and held by another program."""

from __future__ import annotations

import asyncio

from bench import Bench, check, stopwatch

PATH = "/dev/paihao/keypad"
KEYS = {"KEY_KP1": "1", "KEY_KP5": "5", "KEY_KPENTER": "next"}
CONSOLE = "/tmp/console-keys"


async def plug(bench: Bench) -> None:
    await bench.machine.plug("usb-kbd", "keypad", bus="usb.0", port="1.3", serial="KEYPAD1")
    await bench.inside(f"udevadm wait --timeout=20 {PATH}")


@check("keys of a HID keypad arrive in order and nowhere else: the console gets none while it is grabbed")
async def hid_keypad_grabbed(bench: Bench) -> None:
    await plug(bench)
    reading = (await bench.inside(f"(stty raw -echo; exec cat) </dev/tty1 >{CONSOLE} 2>&1 & echo $!")).strip()
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
        await bench.machine.unplug("keypad")


@check("a HID keypad is unplugged and plugged in again: missing in time, then its keys arrive again")
async def hid_keypad_replugged(bench: Bench) -> None:
    await plug(bench)
    async with bench.driver("keypad", "evdev_keypad", path=PATH, keys=KEYS) as keypad:
        await keypad.until("ok")
        waiting = asyncio.create_task(keypad.call("next_key"))
        gone = asyncio.create_task(keypad.until("missing"))
        await bench.machine.unplug("keypad")
        await bench.in_time("missing after", gone)
        await plug(bench)
        await bench.in_time("back after", keypad.until("ok"), 15)
        await bench.machine.press("kp_5")
        assert (await waiting)["key"] == "5"
    await bench.machine.unplug("keypad")


@check("a keypad that another program has grabbed: the agent says so, and takes it as soon as it is free")
async def hid_keypad_held(bench: Bench) -> None:
    await plug(bench)
    async with bench.driver("first", "evdev_keypad", path=PATH, keys=KEYS) as first:
        await first.until("ok")
        async with bench.driver("second", "evdev_keypad", path=PATH, keys=KEYS) as second:
            await bench.in_time(
                "said after", second.until_state(lambda state: state["code"] == "keypad.grabbed")
            )
            bench.note(second.state["health"])
        await bench.machine.press("kp_1")
        assert (await first.call("next_key"))["key"] == "1"
    await bench.machine.unplug("keypad")
