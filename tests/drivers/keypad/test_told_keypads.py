"""Displays, voices, lights of a prompt, refusals, gestures and the lock, through drivers and lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keypad_rigs import DISPLAY, REPORTS, Rig, make, running

from drivers.errors import FrameError
from drivers.keypad import told_keypad
from drivers.keypad.display_text import TextField
from drivers.keypad.evdev_keypad import EvdevKeypad, EvdevKeypadConfig
from drivers.keypad.fake import FakeSerialKeypad
from drivers.keypad.gpio_keypad import GpioKeypadConfig
from drivers.keypad.hidraw_keypad import HidrawKeypadConfig
from drivers.keypad.keyed import LOCKED
from drivers.keypad.outputs import output
from drivers.keypad.protocol import KeypadDisplay
from drivers.keypad.reports import ReportFormat, ReportReader
from drivers.keypad.serial_keypad import SerialKeypad, SerialKeypadConfig, load_format
from drivers.transport.fake import PtyLine
from drivers.transport.serial import SerialConfig

# ---------------------------------------------------------------- what stands on a display


@pytest.mark.parametrize(
    "field, number, shown",
    [
        (TextField(width=4), "A05", b" A05"),
        (TextField(width=4, align="left"), "A05", b"A05 "),
        (TextField(width=3), "A0123", b"123"),
        (TextField(width=4, encoding="bcd"), "A0123", bytes.fromhex("ffff0123")),
        (TextField(width=2, encoding="bcd", pad="0"), "A5", bytes.fromhex("0005")),
        (TextField(width=2, encoding="bcd", align="left"), "A5", bytes.fromhex("5fff")),
        (TextField(width=6, encoding="gb2312"), "东12", "  东12".encode("gb2312")),
        (TextField(width=3, encoding="gb2312"), "东12", b" 12"),
        (TextField(width=2, encoding="segments"), "8", bytes((0x00, 0x7F))),
        (TextField(width=2, encoding="segments"), "A1", bytes((0x77, 0x06))),
        (TextField(width=1, encoding="segments", segments_inverted=True), "8", bytes((0x80,))),
        (TextField(width=1, encoding="segments", segment_order="pgfedcba"), "7", bytes((0b11100000,))),
    ],
)
def test_a_number_in_the_encoding_and_the_width_of_the_display(
    field: TextField, number: str, shown: bytes
) -> None:
    assert field.number(KeypadDisplay(number, 3, "called")) == shown


def test_too_many_people_are_never_shown_as_few() -> None:
    display = KeypadDisplay("A1", 123, "called")
    assert TextField(width=2).waiting(display) == b"99"
    assert TextField(width=1, encoding="bcd").waiting(display) == b"\x99"
    assert TextField(width=3).waiting(KeypadDisplay("A1", None, "away")) == b"   "


def test_a_word_stands_where_there_is_no_number() -> None:
    field = TextField(width=4, words={"closed": "----", "refused": "Err"})
    assert field.number(KeypadDisplay(None, 0, "closed")) == b"----"
    assert field.number(KeypadDisplay(None, 0, "open")) == b"    "
    assert field.number(KeypadDisplay("A01", 0, "called"), refused=True) == b" Err"
    assert TextField(width=3).number(KeypadDisplay(), refused=True) == b"---"


@given(
    st.builds(
        TextField,
        width=st.integers(1, 16),
        encoding=st.sampled_from(["ascii", "gb2312", "bcd", "segments"]),
        align=st.sampled_from(["left", "right"]),
        pad=st.sampled_from(" 0-F"),
    ),
    st.text(max_size=20),
    st.none() | st.integers(-5, 10**9),
)
def test_any_text_fills_exactly_its_field(field: TextField, number: str, waiting: int | None) -> None:
    display = KeypadDisplay(number, waiting, "called")
    assert len(field.number(display)) == field.width
    assert len(field.number(display, refused=True)) == field.width
    assert len(field.waiting(display)) == field.width


def test_a_length_and_a_checksum_in_an_output() -> None:
    format = msgspec.structs.replace(DISPLAY, show="AA {length} {number} {checksum} 0D", checksum="sum")
    frame = output(format, format.show, 1, display=KeypadDisplay("A01", 0, "called"))
    assert frame == b"\xaa\x06 A01" + bytes(((0xAA + 6 + sum(b" A01")) & 0xFF, 0x0D))


# ---------------------------------------------------------------- through the line


@pytest.fixture
async def display(tmp_path: Path) -> AsyncIterator[Rig]:
    async for rig in running("display-pty", tmp_path / "keypad"):
        yield rig


async def test_the_display_shows_the_number_and_the_people_waiting(display: Rig) -> None:
    await display.keypad.show(KeypadDisplay("A012", 7, "called"))
    await display.until(lambda: display.pad.shown == (b"A012", b" 7"))
    await display.keypad.show(KeypadDisplay(None, 7, "paused"))
    await display.until(lambda: display.pad.shown == (b"PAUS", b" 7"))


async def test_the_display_comes_back_after_unplugging(display: Rig) -> None:
    await display.keypad.show(KeypadDisplay("A012", 7, "called"))
    await display.until(lambda: display.pad.shown[0])
    await display.line.unplug()
    await display.until(lambda: display.errors)
    await display.keypad.show(KeypadDisplay("A013", 6, "called"))
    await display.line.plug()
    await display.until(lambda: display.pad.shown == (b"A013", b" 6"))


async def test_a_refused_key_beeps_and_stands_on_the_display_for_a_moment(
    display: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told_keypad, "REFUSED_SHOWN_S", 0.05)
    await display.keypad.show(KeypadDisplay("A012", 7, "called"))
    seen: list[bytes] = []
    display.pad.on_change = lambda: seen.append(display.pad.shown[0])
    await display.keypad.refuse()
    await display.until(lambda: seen and seen[-1] == b"A012" and b" Err" in seen)
    assert display.pad.beeps == 1


async def test_what_is_shown_during_a_refusal_stands_there_after_it(
    display: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told_keypad, "REFUSED_SHOWN_S", 0.05)
    await display.keypad.refuse()
    await display.keypad.show(KeypadDisplay("A013", 0, "called"))
    await display.until(lambda: display.pad.shown == (b"A013", b" 0"))


async def voiced(path: Path, **more: Any) -> Rig:
    """A rating keypad that speaks."""
    format = load_format("rating-keypad-voice")
    line = PtyLine(FakeSerialKeypad(format), path)
    await line.plug()
    config = SerialKeypadConfig(transport=SerialConfig(path=str(path)), inline=format, **more)
    rig = Rig(SerialKeypad(config), line)
    await rig.start()
    return rig


async def test_a_rating_keypad_lights_up_and_speaks_when_it_asks_and_thanks(tmp_path: Path) -> None:
    rig = await voiced(tmp_path / "keypad")
    await rig.keypad.prompt(True)
    await rig.until(lambda: rig.pad.lights == set("12345") and rig.pad.said == [1])
    rig.pad.press("4")
    assert await rig.key() == "4"
    await rig.keypad.thank()
    await rig.until(lambda: rig.pad.lights == {"4"} and rig.pad.said == [1, 2])
    await rig.keypad.prompt(True)
    await rig.keypad.prompt(False)
    await rig.until(lambda: rig.pad.lights == set())
    assert rig.pad.said == [1, 2, 1]
    await rig.stop()


async def test_a_prompt_lights_up_again_after_unplugging_without_speaking_twice(tmp_path: Path) -> None:
    rig = await voiced(tmp_path / "keypad")
    await rig.keypad.prompt(True)
    await rig.until(lambda: rig.pad.said == [1])
    await rig.line.unplug()
    await rig.until(lambda: rig.errors)
    await rig.line.plug()
    await rig.until(lambda: rig.pad.lights == set("12345"))
    assert rig.pad.said == [1]
    await rig.stop()


# ---------------------------------------------------------------- gestures

TELLING = ["display-pty", "evdev-pty", "hidraw-pty", "gpio"]
"""Those that tell when a key comes up."""


@pytest.mark.parametrize("which", TELLING)
async def test_a_key_that_is_held_has_another_meaning(tmp_path: Path, which: str) -> None:
    options = {"long": {"next": "open"}, "long_ms": 40}  # not checked when made here
    async for rig in running(which, tmp_path / "keypad", **options):
        rig.pad.down("next")
        assert await rig.key() == "open"
        rig.pad.up("next")
        await rig.nothing_more("finish")


@pytest.mark.parametrize("which", [*TELLING, "push-pty"])
async def test_two_presses_have_another_meaning(tmp_path: Path, which: str) -> None:
    options = {"double": {"next": "open"}, "settle_ms": 0, "double_ms": 1000}
    async for rig in running(which, tmp_path / "keypad", **options):
        rig.pad.press("next")
        rig.pad.press("next")
        assert await rig.key() == "open"


@pytest.mark.parametrize("which", TELLING)
async def test_two_keys_held_together_lock_the_keypad_and_unlock_it(tmp_path: Path, which: str) -> None:
    options = {"lock": ("next", "recall"), "lock_ms": 50, "debounce_ms": 0, "settle_ms": 1}
    async for rig in running(which, tmp_path / "keypad", **options):
        for locked in (True, False):
            rig.pad.down("next")
            rig.pad.down("recall")
            await rig.until(lambda locked=locked: rig.keypad.locked == locked)
            rig.pad.up("next")
            rig.pad.up("recall")
            assert rig.keypad.health.facts.get(LOCKED) == (True if locked else None)
            assert rig.keypad.kept[LOCKED] is locked
        await rig.nothing_more("finish")


@pytest.mark.parametrize("which", [*TELLING, "push-pty", "lit-pty", "polled-pty"])
async def test_a_keypad_that_the_station_locked_gives_no_press(tmp_path: Path, which: str) -> None:
    async for rig in running(which, tmp_path / "keypad", debounce_ms=0):
        await rig.keypad.lock(True)
        if which in ("display-pty", "gpio"):
            rig.pad.press("next")
            await rig.until(lambda: rig.pad.beeps)
        else:
            rig.pad.press("next")
            await rig.until(lambda: _seen(rig, "next"))
        await rig.keypad.lock(False)
        await rig.nothing_more("finish")


def _seen(rig: Rig, key: str) -> bool:
    return key in rig.keypad._gestures._keys


async def test_a_lock_outlives_the_process(tmp_path: Path) -> None:
    async for rig in running("evdev-pty", tmp_path / "keypad"):
        await rig.keypad.lock(True)
        kept = dict(rig.keypad.kept)
    after = await make("evdev-pty", tmp_path / "keypad")
    after.keypad.kept = kept
    await after.start()
    assert after.keypad.locked
    await after.stop()


async def test_what_was_down_when_the_device_was_opened_is_no_press(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = await make("evdev-pty", tmp_path / "keypad")
    assert isinstance(rig.keypad, EvdevKeypad)
    monkeypatch.setattr(rig.keypad._line, "held", lambda: {79})
    await rig.start()
    rig.pad.up("next")
    await rig.nothing_more("recall")
    await rig.stop()


def test_number_pads_with_numlock_off_give_the_same_keys() -> None:
    names = {"KEY_KP1": "next", "KEY_KP2": "recall", "KEY_DOWN": "finish"}
    codes = EvdevKeypadConfig(path="/dev/x", keys=names).codes
    assert codes == {79: "next", 107: "next", 80: "recall", 108: "finish"}


async def test_a_lamp_and_a_beeper_on_pins(tmp_path: Path) -> None:
    async for rig in running("gpio", tmp_path / "keypad"):
        await rig.keypad.light("next")
        assert rig.pad.lights == {"next"}
        await rig.keypad.prompt(True)
        assert rig.pad.prompting
        await rig.keypad.refuse()
        assert rig.pad.beeps == 1
        await rig.until(lambda: not rig.pad.header.level(26))


async def test_an_edge_that_was_lost_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.keypad.gpio_keypad.CHECK_S", 0.02)
    async for rig in running("gpio", tmp_path / "keypad"):
        monkeypatch.setattr(rig.keypad._buttons["next"], "_on_change", None)
        rig.pad.down("next")
        assert await rig.key() == "next"


@pytest.mark.parametrize(
    "options, said",
    [
        ({"keys": {"next": 28}}, "<= 27"),
        ({"keys": {"next": 5, "recall": 5}}, "twice"),
        ({"keys": {"next": 5}, "lights": {"recall": 6}}, "recall"),
        ({"keys": {"next": 5}, "beeper": 5}, "twice"),
        ({"keys": {"next": 5}, "long": {"recall": "x"}}, "recall"),
    ],
)
def test_wrong_pins_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(options, GpioKeypadConfig)


# ---------------------------------------------------------------- raw HID

CODES = ReportFormat(size=8, kind="codes", codes_at=(2, 7), keys={"1E": "1", "1F": "2", "20": "3"})


@given(st.sets(st.sampled_from(sorted(CODES.key_names))))
def test_the_codes_of_a_boot_keyboard(down: set[str]) -> None:
    codes = {key: int(code, 16) for code, key in CODES.keys.items()}
    report = bytes(2) + bytes(codes[key] for key in sorted(down)).ljust(6, b"\0")
    assert ReportReader(CODES).keys(report) == down


@given(st.binary(max_size=20), st.sampled_from([CODES, REPORTS]))
def test_any_bytes_are_a_report_or_refused(data: bytes, format: ReportFormat) -> None:
    reader = ReportReader(format)
    try:
        keys = reader.keys(data)
    except FrameError:
        assert len(data) != format.size
    else:
        assert keys <= format.key_names


@given(st.sets(st.sampled_from(sorted(REPORTS.key_names))), st.integers(0, 31))
def test_a_flipped_bit_changes_at_most_one_key(down: set[str], bit: int) -> None:
    report = bytearray(4)
    for place, key in REPORTS.keys.items():
        if key in down:
            byte, _, of = place.partition(".")
            report[int(byte)] |= 1 << int(of)
    assert ReportReader(REPORTS).keys(bytes(report)) == down
    report[bit // 8] ^= 1 << bit % 8
    assert len(ReportReader(REPORTS).keys(bytes(report)) ^ down) <= 1


@pytest.mark.parametrize(
    "options, said",
    [
        ({"kind": "bits", "keys": {"4.0": "a"}}, "4.0"),
        ({"kind": "bits", "keys": {"0.8": "a"}}, "0.8"),
        ({"kind": "codes", "keys": {"00": "a"}, "codes_at": [0, 3]}, "00"),
        ({"kind": "codes", "keys": {"1E": "a"}}, "codes_at"),
        ({"kind": "codes", "keys": {"1E": "a"}, "codes_at": [2, 4]}, "codes_at"),
        ({"kind": "codes", "keys": {"1e": "a", "1E": "b"}, "codes_at": [0, 3]}, "same code"),
    ],
)
def test_a_wrong_report_format_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"size": 4} | options, ReportFormat)


def test_a_report_format_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pad.toml"
    file.write_text('size = 2\nkind = "bits"\n[keys]\n"0.0" = "next"\n', "utf-8")
    raw = {"transport": {"type": "hidraw", "path": "/dev/paihao/hid"}}
    config = msgspec.convert(raw | {"format": str(file)}, HidrawKeypadConfig)
    assert config.report_format.key_names == {"next"}
    with pytest.raises(msgspec.ValidationError, match="nowhere"):
        msgspec.convert(raw | {"format": "/nowhere.toml"}, HidrawKeypadConfig)
