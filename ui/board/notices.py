"""The quiet band at the foot: announcements, and between them the missed numbers. Nothing runs.

What is long stands in pieces, one after the other: old eyes need the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ui.elements import Box, Element, Text, row
from ui.ems import LEADING, ems, parts
from ui.tongue import Tongue
from wire.messages import LocalText, Number

SIZE: Final = 4.8
LINES: Final = 2
_PAD: Final = 3.0
_GAP: Final = 2.4
_LABEL: Final = 4.2


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands in the band at one time. `do`: what to do about it."""

    label: str
    words: str
    warn: bool = False
    do: str = ""


def band_pieces(
    announcements: tuple[LocalText, ...], missed: tuple[Number, ...], tongue: Tongue, wide: float
) -> tuple[Piece, ...]:
    """All pieces in the order in which they stand on `wide` units: after each announcement the missed."""
    notices = _notices(announcements, tongue, wide)
    gone = _missed(missed, tongue, wide)
    if not notices or not gone:
        return notices or gone
    made: list[Piece] = []
    for n, notice in enumerate(notices):
        made += [notice, gone[n % len(gone)]]
    return tuple(made)


def band_height(pieces: tuple[Piece, ...], wide: float) -> float:
    """The same for all of them, so that nothing jumps."""
    if not pieces:
        return 0.0
    one = all(ems(piece.words) <= _room(piece.label, piece.do, wide) for piece in pieces)
    return SIZE * LEADING * (1 if one else LINES) + 2.4


def _room(label: str, do: str, wide: float) -> float:
    """Heights of type that one line of words may be wide."""
    beside = _LABEL * ems(label) + 4.0 + (_GAP + 0.8 * SIZE * ems(do) if do else 0.0)
    return (wide - 2 * _PAD - _GAP - beside) / SIZE


def _notices(announcements: tuple[LocalText, ...], tongue: Tongue, wide: float) -> tuple[Piece, ...]:
    made: list[Piece] = []
    for announcement in announcements:
        for label, words in (
            (tongue.text("board.notice"), tongue.local(announcement)),
            (tongue.under("board.notice"), tongue.local_under(announcement)),
        ):
            room = _room(label, "", wide)
            joined = " ".join(words.split())
            fits = room if ems(joined) <= room else LINES * room - 4.0  # a broken line is not quite full
            made += [Piece(label, part) for part in parts(joined, max(4.0, fits))]
    return tuple(made)


def _missed(missed: tuple[Number, ...], tongue: Tongue, wide: float) -> tuple[Piece, ...]:
    """The newest first, as many as fit on a line."""
    label, do = tongue.text("board.missed"), tongue.text("board.missed_do")
    newest = tuple(reversed(missed))
    if not newest:
        return ()
    widest = max(ems(number) for number in newest) + 0.8
    each = max(1, int(_room(label, do, wide) / widest))
    return tuple(
        Piece(label, "  ".join(newest[n : n + each]), warn=True, do=do) for n in range(0, len(newest), each)
    )


def band(pieces: tuple[Piece, ...], beat: int, high: float) -> Box:
    """The piece whose turn it is."""
    piece = pieces[beat % len(pieces)]
    fill, ink = ("warn", "warn_ink") if piece.warn else ("accent", "accent_ink")
    parts_shown: list[Element] = [
        row(Text(piece.label, _LABEL, ink, lines=1), pad=(1.6, 0.4), fill=fill),
        Text(piece.words, SIZE, "ink", lines=LINES, least=3.4, grow=1.0),
    ]
    if piece.do:
        parts_shown.append(Text(piece.do, SIZE * 0.8, "soft", "right", lines=1, least=2.6))
    return row(
        *parts_shown,
        gap=_GAP, pad=(_PAD, 1.2), height=high, fill="surface", radius=0, align="center", name="band",
    )  # fmt: skip
