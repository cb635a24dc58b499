"""How text is made to fit the paper: broken into lines, or made smaller first. No I/O."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from drivers.ticket_printer.escpos_frames import display_width, text_width

ELLIPSIS: Final = "…"
_NOT_AT_START: Final = frozenset("，。、；：！？）】》”’·,.;:!?)]%℃…")


def fitted(text: str, columns: int, *, size: int, least: int, fit: bool, most: int) -> tuple[int, list[str]]:
    """The size from `size` down to `least` at which `text` fits, and its lines.

    `fit`: the largest size at which it is one line. Else, and when none is: the largest at which it is at
    most `most` lines and no word is broken. When even the smallest is not enough the rest is cut off and
    "…" says so.
    """
    if fit:
        for width in range(size, least - 1, -1):
            if "\n" not in text and text_width(text) * width <= columns:
                return width, [text]
        size = least
    for width in range(size, least - 1, -1):
        pieces = [piece for part in text.split("\n") for piece in _even(part, columns // width)]
        if len(pieces) <= most and (width == least or _longest_word(text) <= columns // width):
            return width, pieces
    pieces = pieces[:most]
    last = pieces[-1]
    while text_width(last + ELLIPSIS) > columns // least:
        last = last[:-1]
    return least, [*pieces[:-1], last + ELLIPSIS]


def _longest_word(text: str) -> int:
    return max(map(len, re.findall(r"[!-~]+", text)), default=0)


def break_lines(text: str, columns: int) -> list[str]:
    """`text` in pieces of at most `columns` half-width columns (at least 2).

    Breaks between Chinese characters and at spaces; a word that is longer than a line is broken. A closing
    punctuation mark does not begin a line where that can be had.
    """
    pieces: list[str] = []
    rest = text.strip()
    while text_width(rest) > columns:
        end, used = 0, 0
        while used + display_width(rest[end]) <= columns:
            used += display_width(rest[end])
            end += 1
        end = max(end, 1)
        cut = end
        while 0 < cut < len(rest) and not _may_break(rest, cut):
            cut -= 1
        cut = cut or end
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if rest:
        pieces.append(rest)
    return pieces


def _even(text: str, columns: int) -> list[str]:
    """Broken into as few lines as can be: at punctuation rather than inside a word, of about equal length."""
    pieces = break_lines(text, columns)
    best, best_score = pieces, -1
    while len(pieces) > 1:
        score = sum(
            before[-1] in _NOT_AT_START or after[0] in "（《【“‘(" for before, after in pairwise(pieces)
        )
        if score >= best_score:
            best, best_score = pieces, score
        columns -= 1
        if columns < 2 or len(narrower := break_lines(text, columns)) > len(pieces):
            break
        pieces = narrower
    return best


def _may_break(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after in _NOT_AT_START or display_width(after) == 0:
        return False
    return " " in (before, after) or display_width(before) == 2 or display_width(after) == 2
