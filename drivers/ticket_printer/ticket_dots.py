"""A whole ticket as dots: each line is drawn once and kept, so that a new ticket draws what changed.

Most lines of a ticket are those of the one before: the hall, the rules, the words around the number. They
are kept as ready raster commands; a line with a new value is put together from kept glyphs. White rows are
not sent but fed, and the white to the right of the ink is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from drivers.ticket_printer import escpos_frames as frames
from drivers.ticket_printer.code128 import barcode_bitmap, modules
from drivers.ticket_printer.escpos_frames import CELL_HEIGHT, DOTS_PER_COLUMN, Bitmap
from drivers.ticket_printer.layout import TicketLine
from drivers.ticket_printer.qr_code import modules_of, qr_bitmap
from drivers.ticket_printer.raster_text import text_image

if TYPE_CHECKING:
    from PIL import Image

logger = logging.getLogger(__name__)

STRIP_LIMIT: Final = 256
"""Drawn lines kept, some 3 kB each; the least used is forgotten."""
IMAGE_LIMIT: Final = 8
"""Dithered pictures kept."""
IMAGE_PIXELS: Final = 4_000_000
"""A picture with more is refused: it would take long to draw, and memory."""
IMAGE_ROWS: Final = 1600
"""A picture that is longer on the paper (200 mm) is refused."""


def pitch(line: TicketLine) -> int:
    """Dots from line to line: a quarter of a normal line between, more between larger ones."""
    return CELL_HEIGHT * line.height + 6 * min(line.height, 2)


def raster_commands(lines: Iterable[TicketLine], columns: int) -> Iterator[bytes]:
    """The ticket as GS v 0 in bands and feeds; no command is longer than `LONGEST_COMMAND`."""
    for line in lines:
        yield from _commands(line, columns * DOTS_PER_COLUMN)


def ticket_image(lines: Iterable[TicketLine], columns: int) -> Image.Image:
    """The ticket as one picture, 8 dots to a millimetre, mode "1" (True is paper, as in a file)."""
    from PIL import Image

    dots = columns * DOTS_PER_COLUMN
    strips = [_strip(line, dots) for line in lines]
    height = sum(strip.above + strip.ink.height + strip.below for strip in strips)
    picture = Image.new("1", (dots, max(1, height)), 1)
    y = 0
    for strip in strips:
        y += strip.above
        ink = strip.ink
        picture.paste(0, (0, y), Image.frombytes("1", (ink.width_bytes * 8, ink.height), ink.rows))
        y += ink.height + strip.below
    return picture


def forget_drawn() -> None:
    """Draw every line anew."""
    for kept in (_strip, _commands, image_bitmap):
        kept.cache_clear()


@dataclass(frozen=True, slots=True)
class _Strip:
    """A line's dots from the left edge of the paper to its last ink; white rows above and below."""

    above: int
    ink: Bitmap
    below: int


@lru_cache(maxsize=STRIP_LIMIT)
def _strip(line: TicketLine, dots: int) -> _Strip:
    def left(wide: int) -> int:
        room = max(0, dots - wide)
        return {"left": 0, "center": room // 2, "right": room}[line.align]

    match line.kind:
        case "text":
            return _text_strip(line, left(frames.text_width(line.text) * DOTS_PER_COLUMN * line.width))
        case "qr":
            ink = qr_bitmap(line.text, line.module, left(modules_of(line.text) * line.module))
        case "barcode":
            bars = len(modules(line.text)) * line.module
            ink = barcode_bitmap(line.text, line.module, line.dots, left(bars))
        case "image":
            ink = image_bitmap(line.text, line.dots, left(line.dots))
    return _Strip(line.space, ink, 0)


def _text_strip(line: TicketLine, left: int) -> _Strip:
    image = text_image(line.text, line.width, line.height, line.bold, line.face, left=left)
    box = image.getbbox()
    if box is None:
        return _Strip(line.space + pitch(line), Bitmap(1, b""), 0)
    _, top, right, bottom = box
    right = -(-right // 8) * 8
    ink = Bitmap(right // 8, image.crop((0, top, right, bottom)).tobytes())
    return _Strip(line.space + top, ink, pitch(line) - bottom)


@lru_cache(maxsize=STRIP_LIMIT)
def _commands(line: TicketLine, dots: int) -> tuple[bytes, ...]:
    strip = _strip(line, dots)
    return (*_feeds(strip.above), *frames.raster(strip.ink), *_feeds(strip.below))


def _feeds(dots: int) -> list[bytes]:
    return [frames.feed_dots(min(255, dots - done)) for done in range(0, dots, 255)]


@lru_cache(maxsize=IMAGE_LIMIT)
def image_bitmap(path: str, dots: int, left: int = 0) -> Bitmap:
    """The picture in `path`, made `dots` wide, dithered, `left` white dots before it. One that is gone or
    was changed to one too large since its template was checked is one white row."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            height = max(1, round(image.height * dots / image.width))
            if image.width * image.height > IMAGE_PIXELS or height > IMAGE_ROWS:
                raise ValueError(f"{path} is too large")
            # what is transparent is paper
            whole = Image.new("RGBA", image.size, "white")
            whole.alpha_composite(image.convert("RGBA"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        logger.warning("a ticket's picture was left out: %s", error)
        return Bitmap(1, b"\0")
    grey = whole.convert("L")
    ink = Image.new("1", (left + dots, height))
    black = ImageOps.invert(grey.resize((dots, height), Image.Resampling.LANCZOS)).convert("1")
    ink.paste(black, (left, 0))
    return Bitmap((ink.width + 7) // 8, ink.tobytes())
