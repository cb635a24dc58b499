"""From a line of text to the command that shows it on an Onbon card. Pure.

Too long for the area: it scrolls. `flash` on a font card, which has no blinking mode, is a loop of two pages,
text and blank, half a second each: inferred from the documented page loop and not tried on a card. A matrix
card blinks by itself. A scrolling text does not flash: it moves already.
"""

from __future__ import annotations

from typing import Final

from drivers.call_screen import glyphs
from drivers.call_screen.onbon_bx_areas import (
    Dots,
    MatrixArea,
    Mode,
    TextArea,
    dynamic_areas,
    encode_dots,
    gb2312,
    styled,
)
from drivers.call_screen.onbon_bx_config import OnbonBxConfig
from drivers.call_screen.onbon_bx_frames import Command
from drivers.call_screen.protocol import ScreenText

STYLE_BYTES: Final = 16
"""What fonts and colour take of a font card's area buffer."""

_MIDDLE: Final = 0b1010
_MIDDLE_LEFT: Final = 0b1000


def showing(content: ScreenText, config: OnbonBxConfig) -> tuple[Command, bytes, bool]:
    """The command, its payload, and whether the text had to be replaced or cut in part."""
    return _text_area(content, config) if config.family == "k" else _dot_area(content, config)


def _text_area(content: ScreenText, config: OnbonBxConfig) -> tuple[Command, bytes, bool]:
    # 5K cards hold 512 bytes per area, 6K cards 1024 (chapter 8.2.1)
    limit = 1024 if (config.device_type or 0) & 0xF0 == 0x60 else 512
    text, changed = gb2312(content.text, limit - STYLE_BYTES - 2)
    scrolls = len(text) * config.font_px // 2 > config.shown_width  # a byte is half a cell, an ASCII one too
    flashes = content.flash and not scrolls
    area = TextArea(
        styled(text, content.colour, config.font_px) + (b"\\n " if flashes else b""),
        config.shown_width,
        config.shown_height,
        config.area_x,
        config.area_y,
        config.area,
        align=_MIDDLE_LEFT if scrolls else _MIDDLE,
        single_line=scrolls,
        mode=Mode.LEFT if scrolls else Mode.AT_ONCE if flashes else Mode.STATIC,
        speed=config.scroll_speed,
        stay=0 if scrolls else 1 if flashes else 10,
    )
    return Command.DYNAMIC_AREA, dynamic_areas((area,)), changed


def _dot_area(content: ScreenText, config: OnbonBxConfig) -> tuple[Command, bytes, bool]:
    wide, high = config.shown_width, config.shown_height
    text_wide, rows = glyphs.line(content.text, config.font_px)
    top = (high - config.font_px) // 2
    rows = (0,) * top + rows + (0,) * (high - config.font_px - top)
    dots = Dots(text_wide, rows)
    scrolls = text_wide > wide
    # the last page of a scrolling text ends in a gap, so that its end and its beginning do not touch
    starts = range(0, text_wide + config.font_px, wide) if scrolls else (-((wide - text_wide) // 2),)
    pages = tuple(
        encode_dots(dots.cut(start, wide), content.colour, config.family, config.area_x) for start in starts
    )
    area = MatrixArea(
        pages,
        wide,
        high,
        config.area_x,
        config.area_y,
        config.area,
        mode=Mode.LEFT_CONTINUOUS if scrolls else Mode.BLINK if content.flash else Mode.STATIC,
        speed=config.scroll_speed,
        stay=0 if scrolls else 500,
    )
    return Command.MATRIX_DYNAMIC_AREA, area.payload(config.family), False
