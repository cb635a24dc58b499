"""A picture of a fake keypad as people see it: its display, and its keys with their lights.

python -m drivers.keypad.fake_picture docs/hardware/pictures     writes those of the documents
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.keypad.display_text import SEGMENTS
from drivers.keypad.fake import FakeSerialKeypad

if TYPE_CHECKING:
    from PIL.Image import Image

KEY: Final = (92, 52)
GAP: Final = 10
COLUMNS: Final = 5
CELL: Final = (26, 44)
"""One seven-segment cell."""
BODY, GLASS, DIGIT, DARK = (52, 56, 64), (16, 12, 12), (255, 70, 40), (84, 90, 102)
LIT, INK, PALE = (255, 196, 60), (20, 20, 20), (214, 218, 226)


def picture(fake: FakeSerialKeypad) -> Image:
    """What stands on the display (a character a cell, as seven segments) and which keys are lit."""
    from PIL import Image, ImageDraw, ImageFont

    format = fake.format
    names = fake.key_names
    rows = -(-len(names) // COLUMNS)
    has_display = format.number is not None or format.waiting is not None
    top = GAP + (CELL[1] + 3 * GAP if has_display else 0)
    width = GAP + min(COLUMNS, len(names)) * (KEY[0] + GAP)
    image = Image.new("RGB", (width, top + rows * (KEY[1] + GAP)), BODY)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(15)
    x = GAP
    for field in fake.shown if has_display else ():
        text = field.decode("ascii", "replace")
        draw.rectangle((x, GAP, x + len(text) * CELL[0] + GAP, GAP + CELL[1] + GAP), fill=GLASS)
        for place, character in enumerate(text):
            _cell(draw, x + GAP + place * CELL[0], GAP + 6, character)
        x += len(text) * CELL[0] + 4 * GAP
    for number, name in enumerate(names):
        left = GAP + number % COLUMNS * (KEY[0] + GAP)
        above = top + number // COLUMNS * (KEY[1] + GAP)
        lit = name in fake.lights
        box = (left, above, left + KEY[0], above + KEY[1])
        draw.rounded_rectangle(box, 8, fill=LIT if lit else DARK)
        middle = (left + KEY[0] / 2, above + KEY[1] / 2)
        draw.text(middle, name.replace("_", " "), fill=INK if lit else PALE, font=font, anchor="mm")
    return image


def _cell(draw: Any, x: int, y: int, character: str) -> None:
    """One character in seven segments."""
    w, h = CELL[0] - 9, CELL[1] - 6
    m = h // 2
    lines = {
        "a": (x, y, x + w, y),
        "b": (x + w, y, x + w, y + m),
        "c": (x + w, y + m, x + w, y + h),
        "d": (x, y + h, x + w, y + h),
        "e": (x, y + m, x, y + h),
        "f": (x, y, x, y + m),
        "g": (x, y + m, x + w, y + m),
    }
    for segment in SEGMENTS.get(character.upper(), "g"):
        draw.line(lines[segment], fill=DIGIT, width=4)


def _document_pictures(folder: Path) -> None:
    call = FakeSerialKeypad("call-keypad-display")
    call.shown = (b"A012", b" 7")
    call.lights = frozenset(("next", "recall", "no_show", "transfer", "park", "finish"))
    rating = FakeSerialKeypad("rating-keypad-voice")
    rating.lights = frozenset("12345")
    for name, fake in (("call-keypad", call), ("rating-keypad", rating)):
        picture(fake).save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    _document_pictures(Path(sys.argv[1]))
