"""A page of the hall's playlist in its place: a picture with words below, or words alone."""

from __future__ import annotations

from typing import Final

from ui.elements import ABOUT, Art, Box, Element, Text, column
from ui.ems import LEADING, lines
from ui.tongue import Tongue
from wire.screen_link import ShownPicture

SIZES: Final = (7.2, 6.2, 5.4, 4.6, 4.0, 3.6)


def playlist_box(page: ShownPicture, tongue: Tongue, wide: float, high: float) -> Box:
    """On `wide` × `high` units."""
    words, below = tongue.local(page.item.text), tongue.local_under(page.item.text)
    if page.file is None:
        size = _size(words, below, wide - 6.0, high - 4.0)
        texts: list[Element] = [Text(words, size, "ink", "center", least=3.0)]
        if below:
            texts.append(Text(below, size * 0.7, "soft", "center", least=2.6))
        return column(
            *texts, gap=1.0, pad=(3.0, 2.0), fill="surface", justify="center", grow=1.0, name="playlist"
        )
    under: list[Element] = []
    left = high
    if words:
        size = _size(words, "", wide, high * 0.3, sizes=(4.6, 4.0, 3.6, 3.2))
        under = [Text(words, size, "ink", "center", least=2.6)]
        left -= lines(words, wide / size) * size * LEADING + 1.0
    picture = Art("file", wide, max(8.0, left), args=(page.file, ABOUT), grow=1.0)
    return column(picture, *under, gap=1.0, grow=1.0, name="playlist")


def _size(words: str, below: str, wide: float, high: float, sizes: tuple[float, ...] = SIZES) -> float:
    for size in sizes:
        tall = lines(words, wide / size) * size + lines(below, wide / (size * 0.7)) * size * 0.7
        if tall * LEADING <= high:
            return size
    return sizes[-1]
