"""What the pages of the keypads show works as it stands there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.keypad.fake import FakeSerialKeypad
from drivers.keypad.frames import KeyDecoder, KeypadFormat, Layout
from drivers.keypad.outputs import output
from drivers.keypad.protocol import KeypadDisplay
from drivers.keypad.reports import ReportFormat
from drivers.table import config_type, driver_class

HARDWARE = Path(__file__).parents[3] / "docs" / "hardware"
PAGES = ("call-keypad.md", "rating-keypad.md", "hid-keypad.md", "gpio-keys.md")
EXAMPLES = [
    pytest.param(block, id=f"{page}-{n}")
    for page in PAGES
    for n, block in enumerate(
        re.findall(r"```toml\n(.*?)```", (HARDWARE / page).read_text("utf-8"), re.DOTALL)
    )
]


def read(block: str) -> dict[str, Any]:
    return tomllib.loads(block)


@pytest.mark.parametrize("block", EXAMPLES)
def test_every_example_is_right(block: str) -> None:
    parsed = read(block)
    if "device" in parsed:
        for entry in parsed["device"]:
            msgspec.convert(entry["options"], config_type(driver_class(entry["driver"])))
    else:
        msgspec.convert(parsed, ReportFormat if "size" in parsed else KeypadFormat)


def worked() -> KeypadFormat:
    page = (HARDWARE / "call-keypad.md").read_text("utf-8")
    (block,) = [b for b in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "our-pad" in b]
    return msgspec.convert(read(block), KeypadFormat)


def bcc(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value


def test_the_worked_example_is_what_its_sheet_says() -> None:
    format = worked()
    asked = output(format, format.poll, 5)
    assert asked == bytes((0x02, 5, 0x51, bcc(b"\x05\x51"), 0x03))
    body = bytes((5, 2, 0x4B, 3))
    answer = b"\x02" + body + bytes((bcc(body), 0x03))
    (received,) = KeyDecoder(Layout.of(format), 5).feed(answer, 0.0)
    assert (received.key, received.address) == ("no_show", 5)
    shown = output(format, format.show, 5, display=KeypadDisplay("A12", 7, "called"))
    body = bytes((5, 0x44)) + bytes.fromhex("ff ff 12 f7")
    assert shown == b"\x02" + body + bytes((bcc(body), 0x03))


def test_the_fake_of_the_worked_example_answers_as_its_sheet_says() -> None:
    fake = FakeSerialKeypad(worked(), address=5)
    sent: list[bytes] = []
    fake.send = sent.append
    fake.press("finish")
    fake.received(bytes((0x02, 5, 0x51, bcc(b"\x05\x51"), 0x03)))
    body = bytes((5, 2, 0x4B, 4))
    assert sent == [b"\x02" + body + bytes((bcc(body), 0x03))]


def test_the_pictures_are_those_of_the_fake(tmp_path: Path) -> None:
    from PIL import Image, ImageChops

    from drivers.keypad import fake_picture

    fake_picture._document_pictures(tmp_path)
    for name in ("call-keypad.png", "rating-keypad.png"):
        with Image.open(tmp_path / name) as made, Image.open(HARDWARE / "pictures" / name) as kept:
            assert made.size == kept.size
            # another version of the font library may set a letter a little differently
            off = ImageChops.difference(made, kept).convert("L").point(lambda value: 255 * (value > 64))
            assert sum(off.histogram()[128:]) < 0.02 * made.width * made.height
