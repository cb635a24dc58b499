"""A keyboard on the screen for initials and codes, and what its keys do to the words typed so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ui.elements import Art, Box, Element, Grid, Text, column, grid
from ui.kiosk.step import Room

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""In the order of the alphabet: who has never written at a keyboard finds them too."""
DIGITS: Final = "1234567890"
IN_ROW: Final = 10
"""Keys in a row, where there is height for so many rows: longer rows are hard to search through."""
_LEAST: Final = 5.0
"""Height of a key, in units at usual type, in which its letter is not cut."""
_GAP: Final = 1.0
_COMFORTABLE: Final = 1.35
"""Height of a key where there is room, in targets; more would make the way of the finger long."""


def keyboard(
    kiosk: Kiosk, room: Room, keys: str = LETTERS, high: float | None = None, most_high: float = _COMFORTABLE
) -> Grid:
    """The keys and, last, one that takes back a character. `high`: units that it may have, the whole room
    when None. `most_high`: of a key, in targets. Rows are of about equal length."""
    high = room.high if high is None else high
    count = len(keys) + 1
    most = room.fit(room.target, _GAP, room.wide)
    fewest, rows = -(-count // most), -(-count // min(most, IN_ROW))
    if rows > room.fit(max(room.target + 0.2, _LEAST * room.scale), _GAP, high):
        rows = fewest
    columns = -(-count // rows)
    each = min(room.target * most_high, (high - (rows - 1) * _GAP) / rows - 0.2)
    cells = [_key(Text(key, "large", align="center", strong=True), key.lower(), key, each) for key in keys]
    erase = Art("arrow", 5.0, 5.0, args=(180,))
    cells.append(_key(erase, "erase", kiosk.text("kiosk_typing.erase"), each))
    return grid(cells, columns, gap=_GAP)


def _key(face: Element, key: str, label: str, high: float) -> Box:
    return column(
        face, fill="surface", line="line", justify="center", align="stretch", height=high,
        touch=f"key:{key}", label=label,
    )  # fmt: skip


def typed(words: str, action: str, most: int) -> str | None:
    """`words` after a touch (`key:a`) or a key of a real keyboard (`a`, `erase`); None: it was no key.

    Kept in upper case, at most `most` characters; what is not a letter or digit is no key.
    """
    key = action.removeprefix("key:")
    if key == "erase":
        return words[:-1]
    if len(key) == 1 and key.isascii() and key.isalnum():
        return (words + key.upper())[:most]
    return None


def field(kiosk: Kiosk, words: str, hint: str, room: Room) -> Box:
    """Where the typed words stand, `hint` while there are none."""
    hinted = Text(hint, "body", "soft", lines=2, least=2.6)
    shown = Text(words, "title", strong=True, lines=1) if words else hinted
    return column(
        shown, fill="surface", line="accent", line_width=0.5, pad=(2.0, 0.4), height=room.target,
        justify="center", grow=1.0, name="field",
    )  # fmt: skip
