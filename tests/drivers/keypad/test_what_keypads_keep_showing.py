"""What stands on a keypad after thanks, refusals, a lost line and noise: nothing of the last person."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from keypad_rigs import DISPLAY, Rig, make, running

from drivers.keypad import gpio_keypad, told_keypad
from drivers.keypad.fake import FakeSerialKeypad
from drivers.keypad.protocol import KeypadDisplay
from drivers.keypad.serial_keypad import SerialKeypad, SerialKeypadConfig, load_format
from drivers.transport.fake import PtyLine
from drivers.transport.serial import SerialConfig


async def rating(path: Path, name: str = "rating-keypad-voice") -> Rig:
    format = load_format(name)
    line = PtyLine(FakeSerialKeypad(format), path)
    await line.plug()
    rig = Rig(SerialKeypad(SerialKeypadConfig(transport=SerialConfig(path=str(path)), inline=format)), line)
    await rig.start()
    return rig


async def test_the_chosen_grade_is_dark_after_the_thanks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next citizen and the clerk must not see it."""
    monkeypatch.setattr(told_keypad, "THANKS_S", 0.05)
    rig = await rating(tmp_path / "keypad")
    await rig.keypad.prompt(True)
    rig.pad.press("2")
    assert await rig.key() == "2"
    await rig.keypad.thank()
    await rig.until(lambda: rig.pad.lights == {"2"})
    await rig.until(lambda: rig.pad.lights == set())
    await rig.stop()


async def test_a_line_lost_during_the_thanks_leaves_no_grade_lit(tmp_path: Path) -> None:
    rig = await rating(tmp_path / "keypad")
    await rig.keypad.prompt(True)
    rig.pad.press("2")
    assert await rig.key() == "2"
    await rig.keypad.thank()
    await rig.until(lambda: rig.pad.lights == {"2"})
    seen: list[frozenset[str]] = []
    rig.pad.plugged = lambda: None  # it has power of its own
    await rig.line.unplug()
    await rig.until(lambda: rig.errors)
    rig.pad.on_change = lambda: seen.append(rig.pad.lights)
    await rig.line.plug()
    await rig.until(lambda: seen and rig.pad.lights == set())
    await rig.stop()


async def test_the_key_that_was_taken_is_thanked_for_not_a_later_one(tmp_path: Path) -> None:
    rig = await rating(tmp_path / "keypad")
    await rig.keypad.prompt(True)
    rig.pad.press("5")
    assert await rig.key() == "5"
    rig.pad.press("1")  # while the 5 is being stored
    await rig.until(lambda: not rig.keypad._presses._queue.empty())
    await rig.keypad.thank()
    await rig.until(lambda: rig.pad.said == [1, 2])
    assert rig.pad.lights == {"5"}
    await rig.stop()


async def test_no_key_is_lit_for_a_grade_that_was_given_elsewhere(tmp_path: Path) -> None:
    rig = await rating(tmp_path / "keypad")
    await rig.keypad.prompt(True)
    rig.pad.press("5")
    assert await rig.key() == "5"
    await rig.keypad.thank()
    await rig.keypad.prompt(True)
    await rig.keypad.thank()  # on the panel, by the next citizen
    await rig.until(lambda: rig.pad.said == [1, 2, 1, 2])
    assert rig.pad.lights == set()
    await rig.stop()


@pytest.mark.parametrize("name", ["rating-keypad", "rating-keypad-voice"])
async def test_a_prompt_that_ended_while_the_line_was_away_ends_on_the_keypad(
    tmp_path: Path, name: str
) -> None:
    rig = await rating(tmp_path / "keypad", name)
    await rig.keypad.prompt(True)
    await rig.until(lambda: rig.pad.prompting or rig.pad.lights)
    rig.pad.plugged = lambda: None  # it has power of its own
    await rig.line.unplug()
    await rig.until(lambda: rig.errors)
    await rig.keypad.prompt(False)
    await rig.line.plug()
    await rig.until(lambda: not rig.pad.prompting and not rig.pad.lights)
    await rig.stop()


@pytest.mark.parametrize("name", ["rating-keypad", "rating-keypad-voice"])
async def test_a_keypad_that_an_earlier_process_left_asking_is_told_to_stop(
    tmp_path: Path, name: str
) -> None:
    pad = FakeSerialKeypad(name)
    line = PtyLine(pad, tmp_path / "keypad")
    await line.plug()
    pad.prompting, pad.lights = bool(pad.format.prompt), frozenset("12345" * pad.format.prompt_lights)
    config = SerialKeypadConfig(transport=SerialConfig(path=str(line.path)), format=name)
    rig = Rig(SerialKeypad(config), line)
    await rig.start()
    await rig.until(lambda: not pad.prompting and not pad.lights)
    await rig.stop()


async def test_a_refusal_ends_though_the_line_was_busy_for_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told_keypad, "REFUSED_SHOWN_S", 0.02)
    async for rig in running("display-pty", tmp_path / "keypad"):
        await rig.keypad.show(KeypadDisplay("A012", 7, "called"))
        await rig.until(lambda: rig.pad.shown[0] == b"A012")
        assert isinstance(rig.keypad, SerialKeypad)
        refused = asyncio.Event()
        rig.pad.on_change = lambda: refused.set() if rig.pad.shown[0] == b" Err" else None
        async with rig.keypad._writing:  # others speak
            refusing = asyncio.create_task(rig.keypad.refuse())
            await asyncio.sleep(0.1)
        await refusing
        await asyncio.wait_for(refused.wait(), 20)
        rig.pad.on_change = rig._changed.set
        await rig.until(lambda: rig.pad.shown[0] == b"A012")


async def test_noise_on_the_wire_of_a_button_is_no_key(tmp_path: Path) -> None:
    async for rig in running("gpio", tmp_path / "keypad"):
        for _ in range(20):
            rig.pad.spike("finish")
            await asyncio.sleep(gpio_keypad.PROOF_S / 10)
        await rig.nothing_more("next")


async def test_a_keypad_that_was_without_power_for_a_moment_shows_all_again(tmp_path: Path) -> None:
    rig: Any = await make("display-pty", tmp_path / "keypad", lost_after_s=60)
    await rig.start()
    await rig.keypad.show(KeypadDisplay("A012", 7, "called"))
    await rig.keypad.light("next")
    await rig.until(lambda: rig.pad.shown[0] == b"A012" and rig.pad.lights)
    rig.pad.silence()
    polls = rig.pad.polls
    await rig.until(lambda: rig.pad.polls >= polls + 3)
    rig.pad.plugged()  # dark, and it starts anew
    rig.pad.speak()
    await rig.until(lambda: rig.pad.shown == (b"A012", b" 7") and rig.pad.lights == {"next"})
    assert rig.errors == []
    await rig.stop()


@pytest.mark.parametrize("releases", [True, False])
async def test_a_key_that_waited_in_the_keypad_while_the_line_was_away_is_no_press(
    tmp_path: Path, releases: bool
) -> None:
    """It may be of minutes ago; who pressed it sees that nothing happened."""
    format = DISPLAY if releases else msgspec.structs.replace(DISPLAY, releases={})
    pad = FakeSerialKeypad(format)
    line = PtyLine(pad, tmp_path / "keypad")
    await line.plug()
    pad.press("recall")
    config = SerialKeypadConfig(transport=SerialConfig(path=str(line.path)), inline=format, debounce_ms=10)
    rig = Rig(SerialKeypad(config), line)
    await rig.start()
    await rig.until(lambda: not pad._pressed)
    polls = pad.polls
    await rig.until(lambda: pad.polls > polls + 1)
    await rig.nothing_more("next")
    await rig.stop()


async def test_two_buttons_of_one_byte_are_no_key_and_no_silence(tmp_path: Path) -> None:
    async for rig in running("polled-pty", tmp_path / "keypad"):
        polls = rig.pad.polls
        rig.pad.format = msgspec.structs.replace(rig.pad.format, idle="03 00")  # next and recall, held
        await rig.until(lambda: rig.pad.polls > polls + 60)
        rig.pad.format = msgspec.structs.replace(rig.pad.format, idle="00 00")
        await rig.nothing_more("finish")
        assert rig.errors == []


async def test_a_press_that_was_over_before_the_busy_loop_heard_of_it_is_a_key(tmp_path: Path) -> None:
    async for rig in running("gpio", tmp_path / "keypad"):
        rig.pad.down("finish")
        time.sleep(gpio_keypad.PROOF_S * 3)  # the loop is busy; the edges have their own times
        rig.pad.up("finish")
        assert await rig.key() == "finish"
