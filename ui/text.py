"""Words into lines, by the rules of Chinese print: no closing mark begins a line, no opening one ends it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from ui import fonts

NOT_FIRST: Final = frozenset("，。、；：！？）】》」』”’·%℃…,.;:!?)]}~～—々")
NOT_LAST: Final = frozenset("（【《「『“‘([{￥$")
_MARKS: Final = "".join(NOT_FIRST)
_PIECES: Final = re.compile(r"\n|[ \t]+|[!-~À-ɏ*–]+|.", re.DOTALL)
"""A newline, a space, a word of Latin letters and digits, or one Chinese character."""


@lru_cache(maxsize=1024)
def broken(words: str, width: int, size: int, strong: bool = False) -> tuple[str, ...]:
    """`words` in lines of at most `width` pixels at a type of `size` pixels.

    A newline always breaks. A Latin word that is wider than a line is broken where it must be. At least one
    line, which may be empty.
    """
    lines: list[str] = []
    for part in words.split("\n"):
        lines += _part(part, width, size, strong)
    return tuple(lines)


def _part(part: str, width: int, size: int, strong: bool) -> list[str]:
    def fits(pieces: list[str]) -> bool:
        return fonts.line_size("".join(pieces).strip(), size, strong)[0] <= width

    if fits([part]):
        return [part.strip()]
    lines: list[list[str]] = [[]]
    for piece in _glued(part):
        if fits([*lines[-1], piece]):
            lines[-1].append(piece)
            continue
        if lines[-1]:
            lines.append([])
        left = piece.lstrip()
        while len(left) > 1 and not fits([left]):
            end = _as_much_as_fits(left.rstrip(), width, size, strong)
            lines[-1].append(left[:end])
            lines.append([])
            left = left[end:].lstrip()
        if left:
            lines[-1].append(left)
    _no_widow(lines, fits)
    made = [line for pieces in lines if (line := "".join(pieces).strip())]
    return made or [""]


def _no_widow(lines: list[list[str]], fits: Callable[[list[str]], bool]) -> None:
    """A last line of one character, or one with its mark, looks like a mistake: it gets a character, or a
    word, more from the line before."""
    if len(lines) < 2 or len(lines[-2]) < 4 or len("".join(lines[-1]).strip().rstrip(_MARKS)) > 1:
        return
    from_end = 1 if lines[-2][-1].strip() else 2  # a word with the space after it
    moved = [*lines[-2][-from_end:], *lines[-1]]
    if (from_end == 2 or len(moved[0]) <= 2) and fits(moved):
        del lines[-2][-from_end:]
        lines[-1] = moved


def _as_much_as_fits(text: str, width: int, size: int, strong: bool) -> int:
    """At least 1; fewer than fit where a mark would stand wrongly at the end or at the beginning."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if fonts.line_size(text[:middle].strip(), size, strong)[0] <= width:
            low = middle
        else:
            high = middle - 1
    for end in range(low, 0, -1):
        if end == len(text) or (text[end] not in NOT_FIRST and text[end - 1] not in NOT_LAST):
            return end
    return low


def _glued(part: str) -> list[str]:
    """Pieces between which a line may break."""
    glued: list[str] = []
    for piece in _PIECES.findall(part):
        if glued and (piece[0] in NOT_FIRST or glued[-1][-1] in NOT_LAST):
            glued[-1] += piece
        else:
            glued.append(piece)
    return glued
