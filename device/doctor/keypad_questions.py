"""The questions to keypads that are polled, and what a key of the others looks like.

The formats are those that ship with the driver, `drivers/keypad/formats/`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import drivers.keypad.serial_keypad as keypads
from device.doctor.questions import Question, Reading, is_safe
from drivers.keypad.frames import KeyDecoder, KeyFrame, KeypadFormat, Layout
from drivers.keypad.outputs import output
from drivers.keypad.serial_keypad import load_format


@cache
def keypad_formats() -> dict[str, KeypadFormat]:
    """By their name in a profile, in alphabetical order."""
    folder = Path(keypads.__file__).with_name("formats")
    return {file.stem: load_format(file.stem) for file in sorted(folder.glob("*.toml"))}


def keypad_poll(name: str, format: KeypadFormat, address: int) -> Question | None:
    """The question of a keypad that is polled, where its format has one that is safe; else None.

    Safe: nothing in it that another device may obey, and a checksum, so that no other keypad obeys it.
    """
    if not format.poll or format.checksum == "none" or "{checksum}" not in format.poll:
        return None
    asked = output(format, format.poll, address)
    if not is_safe(asked, 9600):
        return None

    def read(answers: list[bytes]) -> Reading | None:
        decoder = KeyDecoder(Layout.of(format), address)
        if not decoder.feed(b"".join(answers), 0.0):
            return None
        return Reading("keypad", "serial_keypad", {"format": name, "address": address})

    return Question(f"keypad {name} {address}", (asked,), read, text=True, wait_s=0.2)


def heard_key(data: bytes) -> Reading | None:
    """Which keypad sent these bytes by itself, when somebody pressed a key; None while they may be a part.

    Frames of several formats may look alike: the first in alphabetical order is taken, and it is not sure.
    """
    found: list[Reading] = []
    for name, format in keypad_formats().items():
        if format.poll:
            continue
        layout = Layout.of(format)
        decoder = KeyDecoder(layout, None)
        received = decoder.feed(data, 0.0)
        if not received or decoder.bad or decoder.foreign:
            continue
        options: dict[str, Any] = {"format": name}
        address = KeyFrame.from_bytes(data[: layout.size], layout).address
        if address is not None:
            options["address"] = address
        found.append(Reading("keypad", "serial_keypad", options, {"key": received[0].key}))
    if len(found) > 1:
        first = found[0]
        return Reading(first.device, first.driver, first.options, first.facts, "doctor.format_unsure", False)
    return found[0] if found else None
