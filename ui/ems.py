"""How wide words are, without a font: for choosing one size of type for many rows.

The widths are those of Noto Sans CJK SC; what still does not fit is shrunk by the layout.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import fsum
from typing import Final

LEADING: Final = 1.28
"""Height of a line in heights of the type."""
_ASCII: Final = (
    22, 32, 47, 56, 56, 92, 68, 28, 34, 34, 47, 56, 28, 35, 28, 39, 56, 56, 56, 56, 56, 56, 56, 56, 56,
    56, 28, 28, 56, 56, 56, 47, 95, 61, 66, 64, 69, 59, 55, 69, 73, 29, 54, 65, 54, 81, 72, 74, 63, 74,
    64, 60, 60, 72, 58, 88, 57, 53, 60, 34, 39, 34, 56, 56, 61, 56, 62, 51, 62, 55, 32, 56, 61, 28, 28,
    55, 28, 93, 61, 61, 62, 62, 39, 47, 38, 61, 52, 80, 50, 52, 48, 34, 27, 34, 56,
)  # fmt: skip
"""Advance widths from the space to "~" in hundredths of the type's height, as the font gives them."""
_NARROW: Final = frozenset("·–")
_MARKS: Final = frozenset("，。；！？、,;!?.")
_SPARE: Final = 1.03
"""Strong type is a little wider."""


@lru_cache(maxsize=1024)
def ems(words: str) -> float:
    """Width of one line in heights of its type."""
    return fsum(_em(letter) for letter in words)


def _em(letter: str) -> float:
    code = ord(letter) - 32
    if 0 <= code < len(_ASCII):
        return _ASCII[code] / 100 * _SPARE
    return 0.6 if letter in _NARROW or 0xA0 <= ord(letter) < 0x250 else 1.0


def lines(words: str, width: float) -> int:
    """How many lines of `width` heights of type they take at most, with what breaking wastes."""
    if not words:
        return 0
    wide = ems(words)
    if wide <= width:
        return 1
    # A Chinese line may end a character early; one of Latin words on average half a word.
    lost = 1.0 if any(ord(letter) >= 0x2E80 for letter in words) else 3.0
    return max(2, -int(-wide // max(1.0, width - lost)))


def size_for(all_words: Iterable[str], width: float, most: float, least: float) -> float:
    """The greatest size, in units, at which each of the words fits in one line of `width` units."""
    widest = max((ems(words) for words in all_words), default=0.0)
    return max(least, min(most, width / widest)) if widest else most


def parts(words: str, width: float) -> tuple[str, ...]:
    """Long words in pieces of at most `width` heights of type, broken at a mark if that wastes little.

    The pieces are about equally long: the last of them is not a word alone.
    """
    fewest = _cut(words.strip(), width)
    if len(fewest) < 2:
        return fewest
    even = ems(words) / len(fewest)
    widths = [even * share for share in (1.05, 1.15, 1.3, 1.5) if even * share < width]
    tried = [made for each in widths if len(made := _cut(words.strip(), each)) == len(fewest)]
    return max([*tried, fewest], key=lambda made: sum(part[-1] in _MARKS for part in made[:-1]))


def _cut(left: str, width: float) -> tuple[str, ...]:
    made = []
    while left:
        end = _end(left, width)
        made.append(left[:end].strip())
        left = left[end:].strip()
    return tuple(made)


def _end(words: str, width: float) -> int:
    """How many characters the next piece takes."""
    sofar, end, mark = 0.0, 0, 0
    for n, letter in enumerate(words):
        sofar += _em(letter)
        if sofar > width and n:
            break
        end = n + 1
        if letter in _MARKS or letter == " ":
            mark = end
    if end == len(words) or mark < max(1, end // 2):
        return end
    return mark
