"""How text is made to fit the paper: broken into lines, or made smaller first. No I/O."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import accumulate
from typing import Final

from drivers.ticket_printer.escpos_frames import display_width, text_width

ELLIPSIS: Final = "…"
KEPT: Final = 256
"""Texts whose lines are kept: most of a ticket's are those of the one before."""
LINES_LIMIT: Final = 12
"""Lines of one text at most."""
EVEN_LIMIT: Final = 120
"""Characters of a text whose lines are evened out; longer ones are filled from the top."""
_LIST: Final = re.compile(r"\d[、,，] ?$")
"""Between the numbers of a list, which are better read together."""
_NOT_AT_START: Final = frozenset("，。、；：！？）】》”’·,.;:!?)]%℃…")


@lru_cache(maxsize=KEPT)
def fitted(
    text: str, columns: int, *, size: int, least: int, fit: bool, most: int
) -> tuple[int, tuple[str, ...]]:
    """The size, `size` or smaller, at which `text` fits, and its lines.

    `fit`: the largest size down to `least` at which it is one line. Else, and when there is none: the
    largest, from `least` where it was to fit, at which it is at most `most` lines and no word is broken;
    at `least` it may be `LINES_LIMIT` lines before it gets smaller than that. When even the smallest is not
    enough the rest is cut off and "…" says so.
    """
    if fit:
        for width in range(size, least - 1, -1):
            if "\n" not in text and text_width(text) * width <= columns:
                return width, (text,)
        size = least
    pieces: list[str] = []
    for width in range(size, 0, -1):
        pieces = [piece for part in text.split("\n") for piece in _even(part, columns // width)]
        enough = LINES_LIMIT if width == least > 1 else most
        if len(pieces) <= enough and (width == 1 or _longest_word(text) <= columns // width):
            return width, tuple(pieces)
    last = pieces[most - 1]
    while text_width(last + ELLIPSIS) > columns:
        last = last[:-1]
    return 1, (*pieces[: most - 1], last + ELLIPSIS)


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
    text = text.strip()
    if len(pieces) < 2 or len(text) > EVEN_LIMIT:
        return pieces
    # the best way to break what stands before each place: lines, breaks at punctuation, white at the ends
    best: dict[int, tuple[int, int, int, int]] = {0: (0, 0, 0, 0)}
    used = [0, *accumulate(map(display_width, text))]
    for end in range(1, len(text) + 1):
        if end < len(text) and not _may_break(text, end):
            continue
        for start in range(end - 1, -1, -1):
            wide = used[end] - used[start]
            if wide > columns or " " in (text[start], text[end - 1]):
                wide = text_width(text[start:end].strip())
            if wide > columns:
                break
            if start in best and wide:
                lines, bad, white, _ = best[start]
                bad += end < len(text) and not _good_break(text, end)
                found = (lines + 1, bad, white + (columns - wide) ** 2, -start)  # rather the upper one longer
                best[end] = min(best.get(end, found), found)
    if len(text) not in best or best[len(text)][0] > len(pieces):
        return pieces  # a word is longer than a line
    found_pieces: list[str] = []
    end = len(text)
    while end:
        start = -best[end][3]
        found_pieces.append(text[start:end].strip())
        end = start
    return found_pieces[::-1]


def _good_break(text: str, at: int) -> bool:
    return (text[at - 1] in _NOT_AT_START and not _LIST.search(text, 0, at)) or text[at] in "（《【“‘("


def _may_break(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after in _NOT_AT_START or display_width(after) == 0:
        return False
    if " " in (before, after) or display_width(before) == 2:
        return True
    return display_width(after) == 2 and not before.isalnum()  # 5号, A区 stay together
