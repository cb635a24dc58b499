"""How wide words are, roughly and without a font: for choosing one size of type for many rows.

The widths are those of Noto Sans CJK, rounded up; what still does not fit is shrunk by the layout.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

LEADING: Final = 1.28
"""Height of a line in heights of the type, as `ui.fonts` draws it."""
_NARROW: Final = frozenset(" .,:;!'|ijl()[]·-–")
_WIDE: Final = frozenset("MWmw@%&—")


def ems(words: str) -> float:
    """Width of one line in heights of its type."""
    return sum(_em(letter) for letter in words)


def _em(letter: str) -> float:
    if ord(letter) >= 0x2E80:
        return 1.0
    if letter in _NARROW:
        return 0.36
    if letter in _WIDE:
        return 0.94
    return 0.7 if letter.isupper() else 0.6


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
    """Long words in pieces of at most `width` heights of type, broken at a mark if that wastes little."""
    left = words.strip()
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
        if letter in "，。；！？、,;!? ":
            mark = end
    if end == len(words) or mark < end // 2:
        return end
    return mark
