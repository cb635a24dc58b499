"""Words into lines, by the rules of Chinese print: no closing mark begins a line, no opening one ends it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from ui import fonts

NOT_FIRST: Final = frozenset("，。、；：！？）】》」』”’·%℃…,.;:!?)]}~～—々")
NOT_LAST: Final = frozenset("（【《「『“‘([{￥$")
_PIECES: Final = re.compile(r"\n|[ \t]+|[!-~À-ɏ*]+|.", re.DOTALL)
"""A newline, a space, a word of Latin letters and digits, or one Chinese character."""


@lru_cache(maxsize=4096)
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
    if fonts.line_size(part, size, strong)[0] <= width:
        return [part.strip()]
    lines: list[str] = []
    now = ""
    for piece in _glued(part):
        if not now or fonts.line_size((now + piece).rstrip(), size, strong)[0] <= width:
            now = now + piece if now else piece.lstrip()
        else:
            lines.append(now.rstrip())
            now = piece.lstrip()
        while len(now) > 1 and fonts.line_size(now.rstrip(), size, strong)[0] > width:
            end = _as_much_as_fits(now, width, size, strong)
            lines.append(now[:end])
            now = now[end:].lstrip()
    if now.strip() or not lines:
        lines.append(now.strip())
    return lines


def _as_much_as_fits(text: str, width: int, size: int, strong: bool) -> int:
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if fonts.line_size(text[:middle], size, strong)[0] <= width:
            low = middle
        else:
            high = middle - 1
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
