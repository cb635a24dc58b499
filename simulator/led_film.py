"""The moving picture of an LED card as one bitmap, so that a browser can move it by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.call_screen import glyphs
from drivers.call_screen.fake import FakeOnbonCard, ShownArea

WIDEST: Final = 4096
"""Dots; a longer text is cut in the picture."""


@dataclass(frozen=True, slots=True)
class Film:
    """`dots`: `height` rows of `width` palette values. Moves left by `speed` dots a second, endlessly."""

    view: int
    width: int
    height: int
    dots: bytes
    speed: float = 0.0
    blink_s: float = 0.0


def film(card: FakeOnbonCard) -> Film:
    """What `card` shows, as it was decoded from its frames."""
    areas = [area for _, area in sorted(card.areas.items())]
    if card.motion == "scroll" and areas[0].lines:
        return _scrolling(card, areas[0])
    begin = areas[0].since if areas else None
    rows = card.dots(begin)
    blink_s = max(areas[0].stay_s, 0.25) if areas and card.motion == "flash" else 0.0
    return Film(card.width, card.width, card.height, b"".join(rows), blink_s=blink_s)


def _scrolling(card: FakeOnbonCard, area: ShownArea) -> Film:
    """Windows of the strip side by side, taken when each has just come into view."""
    speed = 100 / (1 + area.speed)
    text = area.text.replace("\n", "")
    length = min(area.width + glyphs.text_width(text, area.font_px), WIDEST)
    windows = [
        card.dots(area.since + (offset + 0.5) / speed) for offset in range(0, length, max(card.width, 1))
    ]
    rows = [b"".join(window[y] for window in windows)[:length] for y in range(card.height)]
    return Film(card.width, length, card.height, b"".join(rows), speed=speed)
