"""Grabbing an input device, as far as it goes without one (the kernel's side needs a real keypad)."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from drivers.errors import DriverError, LineLostError
from drivers.keypad.evdev_keypad import EvdevKeypad, EvdevKeypadConfig
from drivers.transport import hid
from drivers.transport.hid import HidConfig, HidTransport

NULL_MAJOR = 1
EVIOCGRAB = 0x40044590


async def test_an_input_device_is_grabbed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(hid, "_INPUT_MAJOR", NULL_MAJOR)
    monkeypatch.setattr(hid.fcntl, "ioctl", lambda fd, request, value: calls.append((request, value)))
    line = HidTransport(HidConfig(path="/dev/null"))
    await line.open()
    await line.close()
    assert calls == [(EVIOCGRAB, 1)]
    line = HidTransport(HidConfig(path="/dev/null", grab=False))
    await line.open()
    await line.close()
    assert len(calls) == 1


@pytest.mark.parametrize(
    "number, error, code",
    [(errno.EBUSY, DriverError, "keypad.grabbed"), (errno.ENODEV, LineLostError, "device.unplugged")],
)
async def test_a_grab_that_fails_is_told(
    monkeypatch: pytest.MonkeyPatch, number: int, error: type[DriverError], code: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(hid, "_INPUT_MAJOR", NULL_MAJOR)
    monkeypatch.setattr(hid.fcntl, "ioctl", refuse)
    with pytest.raises(error) as caught:
        await HidTransport(HidConfig(path="/dev/null")).open()
    assert caught.value.code == code


@pytest.mark.parametrize("number, health", [(errno.EBUSY, "fault"), (errno.ENODEV, "missing")])
async def test_a_keypad_that_is_held_is_not_missing(
    monkeypatch: pytest.MonkeyPatch, number: int, health: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(hid, "_INPUT_MAJOR", NULL_MAJOR)
    monkeypatch.setattr(hid.fcntl, "ioctl", refuse)
    keypad = EvdevKeypad(EvdevKeypadConfig(path="/dev/null", keys={"KEY_1": "next"}))
    with pytest.raises(DriverError):
        await keypad.open()
    assert keypad.health.state == health


async def test_a_file_is_no_keypad(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DriverError) as caught:
        await HidTransport(HidConfig(path=str(tmp_path / "file"))).open()
    assert caught.value.code == "keypad.not_a_keypad"
