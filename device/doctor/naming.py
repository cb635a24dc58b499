"""What cannot be asked and is known by what the kernel calls it: keyboards, scanners, sound cards, PC/SC."""

from __future__ import annotations

from typing import Any, Final

from device.doctor.report import Answer, Found

CALL_KEYS: Final = ("next", "recall", "no_show", "finish")
"""What the first keys of a number pad do until a technician says otherwise."""


def as_named(found: Found) -> Answer | None:
    """The driver that fits, never more than likely; None for what no driver is for."""
    path = found.stable or found.path or ""
    match found.kind, found.what:
        case "input", "scanner":
            return _likely("card_reader", "scanner", {"transport": {"type": "hid", "path": path}}, "HID")
        case "input", "keypad":
            keys = {f"KEY_{n}": key for n, key in enumerate(CALL_KEYS, 1)}
            keys |= {f"KEY_KP{n}": key for n, key in enumerate(CALL_KEYS, 1)}
            return _likely("keypad", "evdev_keypad", {"path": path, "keys": keys}, "HID")
        case "sound", _:
            output = {"type": "alsa", "device": found.path or "default"}
            return _likely("voice", "speaker", {"output": output}, "ALSA")
        case _, "nfc_reader":
            return _likely("card_reader", "pcsc_reader", {}, "PC/SC")
    return None


def _likely(device: str, driver: str, options: dict[str, Any], settings: str) -> Answer:
    return Answer(confidence="likely", device=device, driver=driver, options=options, settings=settings)
