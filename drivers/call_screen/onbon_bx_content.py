"""From a text to the command that shows it on an Onbon card. Pure; the fitting is `text_layout`'s.

A matrix card blinks by itself. A font card has no blinking mode: `flash` is a loop of two pages, text and
blank, half a second each: inferred from the documented page loop and not tried on a card. Its area is then
just as high as the text, so that a page holds no more.
"""

from __future__ import annotations

from typing import Final

import msgspec

from drivers.call_screen import glyphs
from drivers.call_screen.onbon_bx_areas import (
    NEW_LINE,
    Dots,
    MatrixArea,
    Mode,
    TextArea,
    dynamic_areas,
    encode_dots,
    styled,
)
from drivers.call_screen.onbon_bx_commands import Command
from drivers.call_screen.onbon_bx_config import OnbonBxConfig
from drivers.call_screen.protocol import ScreenText
from drivers.call_screen.text_layout import Layout, gb2312, lay_out

STYLE_BYTES: Final = 32
"""What fonts, colour and line breaks take of a font card's area buffer."""

_MIDDLE: Final = 0b1010
_MIDDLE_LEFT: Final = 0b1000


class Showing(msgspec.Struct, frozen=True):
    """`changed`: characters had to be replaced or cut. `moves`: it scrolls or blinks."""

    command: Command
    payload: bytes
    changed: bool
    moves: bool


def showing(content: ScreenText, config: OnbonBxConfig) -> Showing:
    """The command and its payload that show `content` on the card of `config`."""
    layout = lay_out(content, config.cells, config.lines)
    return _text_area(layout, config) if config.family == "k" else _dot_area(layout, config)


def _text_area(layout: Layout, config: OnbonBxConfig) -> Showing:
    # 5K cards hold 512 bytes per area, 6K cards 1024 (chapter 8.2.1)
    limit = 1024 if (config.device_type or 0) & 0xF0 == 0x60 else 512
    # a backslash would begin a command of the card
    lines = [gb2312(line.replace("\\", "＼"), limit - STYLE_BYTES) for line in layout.lines]
    page = [text for text, _ in lines]
    text = styled(NEW_LINE.join(page), "red" if config.colours == 1 else layout.colour, config.font_px)
    height, y = config.shown_height, config.area_y
    if layout.flashes:
        height = len(page) * config.font_px
        y += (config.shown_height - height) // 2
        text += (NEW_LINE + b" ") * len(page)
    area = TextArea(
        text,
        config.shown_width,
        height,
        config.area_x,
        y,
        config.area,
        align=_MIDDLE_LEFT if layout.scrolls else _MIDDLE,
        single_line=layout.scrolls,
        mode=Mode.LEFT if layout.scrolls else Mode.AT_ONCE if layout.flashes else Mode.STATIC,
        speed=config.scroll_speed,
        stay=0 if layout.scrolls else 1 if layout.flashes else 10,
        eights=config.fifth,
    )
    # an area may change its height only when it is deleted first
    payload = dynamic_areas((area,), delete=(config.area,) if config.lines > len(page) else ())
    changed = any(changed for _, changed in lines)
    return Showing(Command.DYNAMIC_AREA, payload, changed, layout.scrolls or layout.flashes)


def _dot_area(layout: Layout, config: OnbonBxConfig) -> Showing:
    wide, high, size = config.shown_width, config.shown_height, config.font_px
    drawn = [Dots(*glyphs.line(line, size)) for line in layout.lines]
    text_wide = max(line.width for line in drawn)
    rows = tuple(row for line in drawn for row in line.cut((line.width - text_wide) // 2, text_wide).rows)
    top = (high - len(rows)) // 2
    dots = Dots(text_wide, (0,) * top + rows + (0,) * (high - len(rows) - top))
    # the last page of a scrolling text ends in a gap, so that its end and its beginning do not touch
    starts = range(0, text_wide + size, wide) if layout.scrolls else ((text_wide - wide) // 2,)
    pages = tuple(
        encode_dots(
            dots.cut(start, wide), layout.colour, config.family, config.area_x, colours=config.colours
        )
        for start in starts
    )
    area = MatrixArea(
        pages,
        wide,
        high,
        config.area_x,
        config.area_y,
        config.area,
        alone=config.alone,
        mode=Mode.LEFT_CONTINUOUS if layout.scrolls else Mode.BLINK if layout.flashes else Mode.STATIC,
        speed=config.scroll_speed,
        stay=0 if layout.scrolls else 500,
    )
    payload = area.payload(config.family)
    return Showing(Command.MATRIX_DYNAMIC_AREA, payload, False, layout.scrolls or layout.flashes)
