"""How a text comes onto a strip: measured, fitted, broken, encoded. Pure; shared by all screen drivers.

A strip is a grid of *cells*, half as wide as high: a character of ASCII takes one, every other character two,
as in the fonts of LED cards. The common strip of 128 × 16 dots has 16 cells: 8 Chinese characters.

`lay_out` tries the wordings of a `ScreenText`, the fullest first: one line, then as many as the screen has.
Where none fits, the shortest scrolls (it is read soonest). A scrolling text does not flash: it moves already.
A driver for a screen that cannot scroll shows the `pages` one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from drivers.call_screen.protocol import Colour, ScreenText

SUBSTITUTE: Final = "□"
"""Stands for a character that GB2312 does not have (A1 F5)."""

_WORDS: Final = re.compile(r"[!-~]+[号层楼室栋元年月日]?|\s+|.", re.ASCII)
"""What is not broken: a number with its measure word, a word of ASCII, one character."""
_NOT_FIRST: Final = frozenset("，。、；：！？）》」』】〉”’…,.;:!?)]}%号")
"""Characters that do not begin a line."""


class Layout(msgspec.Struct, frozen=True):
    """What stands on the screen. `lines`: one per line of the screen used, each fits unless it `scrolls`."""

    lines: tuple[str, ...]
    colour: Colour = "red"
    scrolls: bool = False
    flashes: bool = False

    @property
    def text(self) -> str:
        """The lines as one, for screens that are given one text."""
        return " ".join(self.lines)


def cell_width(char: str) -> int:
    """Cells of one character: 1 for ASCII, 2 for all else."""
    return 1 if char < "\x80" else 2


def cells(text: str) -> int:
    """Cells of a line of text; the bytes of its GB2312 form, too, where it has one."""
    return len(text) if text.isascii() else sum(map(cell_width, text))


def plain(text: str) -> str:
    """`text` with line breaks and other controls as spaces: what reaches a screen is only ever printable."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text)


def lay_out(content: ScreenText, width: int, lines: int = 1) -> Layout:
    """The first wording of `content` that fits `width` cells × `lines`, else the shortest one, scrolling.

    A line break in a wording is where it is broken if it needs two lines; on one line it is a space.
    """
    wording = content.text
    for wording in (content.text, *content.shorter):
        if (fitting := _fit(wording, width, lines)) is not None:
            return Layout(fitting, content.colour, flashes=content.flash)
    return Layout((plain(wording),), content.colour, scrolls=True)


def _fit(wording: str, width: int, lines: int) -> tuple[str, ...] | None:
    one = plain(wording)
    if cells(one) <= width:
        return (one,)
    if lines < 2:
        return None
    parts = tuple(plain(part).strip() for part in wording.split("\n"))
    if 1 < len(parts) <= lines and all(cells(part) <= width for part in parts):
        return parts
    at_spaces = _at_spaces(one.split(), width)
    if len(at_spaces) <= lines and all(cells(part) <= width for part in at_spaces):
        return at_spaces
    broken = pages(one, width)
    return broken if len(broken) <= lines else None


def _at_spaces(words: list[str], width: int) -> tuple[str, ...]:
    """The words in lines of at most `width` cells, but for words that are wider."""
    lines: list[str] = []
    for word in words:
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return tuple(lines)


def pages(text: str, width: int) -> tuple[str, ...]:
    """`text` in pieces of at most `width` cells (at least 2), broken between words where it can be.

    Spaces at a break vanish; an empty text is one empty page.
    """
    done: list[str] = []
    line = ""
    for word in _words(plain(text), width):
        if cells(line) + cells(word) > width and line.strip():
            done.append(line.strip())
            line = ""
        line += word if line or not word.isspace() else ""
    if line.strip() or not done:
        done.append(line.strip())
    return tuple(done)


def _words(text: str, width: int) -> Iterator[str]:
    """Pieces that stay together and fit `width`."""
    held = ""
    for found in _WORDS.findall(text):
        if held and found in _NOT_FIRST:
            held += found
            continue
        yield from _cut(held, width)
        held = found
    yield from _cut(held, width)


def _cut(word: str, width: int) -> Iterator[str]:
    while cells(word) > width:
        size = used = 0
        while size == 0 or used + cell_width(word[size]) <= width:
            used += cell_width(word[size])
            size += 1
        yield word[:size]
        word = word[size:]
    if word:
        yield word


def gb2312(text: str, limit: int) -> tuple[bytes, bool]:
    """`text` in GB2312 in at most `limit` bytes, and whether something had to be replaced or cut.

    A character that GB2312 lacks becomes `SUBSTITUTE`, a control a space; no character is cut in half.
    """
    text = plain(text)
    try:
        whole = text.encode("gb2312")
        if len(whole) <= limit:
            return whole, False
    except UnicodeEncodeError:
        pass  # character by character
    encoded = bytearray()
    changed = False
    for char in text:
        try:
            code = char.encode("gb2312")
        except UnicodeEncodeError:
            code = SUBSTITUTE.encode("gb2312")
            changed = True
        if len(encoded) + len(code) > limit:
            return bytes(encoded), True
        encoded += code
    return bytes(encoded), changed
