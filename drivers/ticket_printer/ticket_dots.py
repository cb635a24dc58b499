"""A whole ticket as dots: each line is drawn once and kept, so that a new ticket draws what changed.

Most lines of a ticket are those of the one before: the hall, the rules, the words around the number. They
are kept as ready raster commands; a line with a new value is put together from kept glyphs. White rows are
not sent but fed, and the white to the right of the ink is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from drivers.ticket_printer import escpos_frames as frames
from drivers.ticket_printer.code128 import barcode_bitmap, modules
from drivers.ticket_printer.escpos_frames import CELL_HEIGHT, DOTS_PER_COLUMN, Bitmap
from drivers.ticket_printer.layout import TicketLine
from drivers.ticket_printer.qr_code import qr_bitmap
from drivers.ticket_printer.raster_text import text_bitmap

if TYPE_CHECKING:
    from PIL import Image

logger = logging.getLogger(__name__)

STRIP_LIMIT: Final = 256
"""Drawn lines kept, some 3 kB each; the least used is forgotten."""
IMAGE_LIMIT: Final = 8
"""Dithered pictures kept."""


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
    made = [(line.space, *_strip(line, dots)) for line in lines]
    height = sum(space + bitmap.height + below for space, bitmap, below in made)
    picture = Image.new("1", (dots, max(1, height)), 1)
    y = 0
    for space, bitmap, below in made:
        y += space
        ink = Image.frombytes("1", (bitmap.width_bytes * 8, bitmap.height), bitmap.rows)
        picture.paste(0, (0, y), ink)
        y += bitmap.height + below
    return picture


def forget_drawn() -> None:
    """Draw every line anew."""
    for kept in (_strip, _commands, image_bitmap):
        kept.cache_clear()


@lru_cache(maxsize=STRIP_LIMIT)
def _strip(line: TicketLine, dots: int) -> tuple[Bitmap, int]:
    """The line where it stands on paper of `dots` dots, and the white rows below it."""
    below = 0
    match line.kind:
        case "text":
            bitmap = text_bitmap(line.text, line.width, line.height, line.bold, line.face)
            wide = frames.text_width(line.text) * DOTS_PER_COLUMN * line.width
            below = pitch(line) - CELL_HEIGHT * line.height
        case "qr":
            bitmap = qr_bitmap(line.text, line.module)
            wide = bitmap.height
        case "barcode":
            bitmap = barcode_bitmap(line.text, line.module, line.dots)
            wide = len(modules(line.text)) * line.module
        case "image":
            bitmap = image_bitmap(line.text, line.dots)
            wide = line.dots
    room = max(0, dots - wide)
    return moved(bitmap, {"left": 0, "center": room // 2, "right": room}[line.align]), below


@lru_cache(maxsize=STRIP_LIMIT)
def _commands(line: TicketLine, dots: int) -> tuple[bytes, ...]:
    bitmap, below = _strip(line, dots)
    width, rows = bitmap.width_bytes, bitmap.rows
    top = (len(rows) - len(rows.lstrip(b"\0"))) // width
    end = -(-len(rows.rstrip(b"\0")) // width)
    if end <= top:
        return tuple(_feeds(line.space + bitmap.height + below))
    ink = trimmed(Bitmap(width, rows[top * width : end * width]))
    return (
        *_feeds(line.space + top),
        *frames.raster(ink),
        *_feeds(bitmap.height - end + below),
    )


def _feeds(dots: int) -> list[bytes]:
    return [frames.feed_dots(min(255, dots - done)) for done in range(0, dots, 255)]


def moved(bitmap: Bitmap, left: int) -> Bitmap:
    """With `left` white dots before each row."""
    if not left:
        return bitmap
    width, rows, white = bitmap.width_bytes, bitmap.rows, bytes(left // 8)
    wider = b"".join(white + rows[at : at + width] + b"\0" for at in range(0, len(rows), width))
    # one shift for all rows: what leaves a row goes into its own last byte
    shifted = int.from_bytes(wider, "big") >> left % 8
    return Bitmap(len(white) + width + 1, shifted.to_bytes(len(wider), "big"))


def trimmed(bitmap: Bitmap) -> Bitmap:
    """Without the white bytes to the right of all ink."""
    width, rows = bitmap.width_bytes, bitmap.rows
    last = width
    while last > 1 and not any(rows[last - 1 :: width]):
        last -= 1
    if last == width:
        return bitmap
    return Bitmap(last, b"".join(rows[at : at + last] for at in range(0, len(rows), width)))


@lru_cache(maxsize=IMAGE_LIMIT)
def image_bitmap(path: str, dots: int) -> Bitmap:
    """The picture in `path`, made `dots` wide, dithered. One that is gone since its template was checked is
    one white row."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            # what is transparent is paper
            whole = Image.new("RGBA", image.size, "white")
            whole.alpha_composite(image.convert("RGBA"))
    except (OSError, ValueError, SyntaxError) as error:
        logger.warning("a ticket's picture was left out: %s", error)
        return Bitmap(1, b"\0")
    grey = whole.convert("L")
    height = max(1, round(grey.height * dots / grey.width))
    ink = ImageOps.invert(grey.resize((dots, height), Image.Resampling.LANCZOS)).convert("1")
    return Bitmap((dots + 7) // 8, ink.tobytes())
