"""What stands on a keypad's display, as the bytes that it wants. Pure.

| encoding | `width` is | |
|---|---|---|
| `ascii` | characters | others become "?" |
| `gb2312` | bytes | a Chinese character is two; never half a one |
| `bcd` | bytes | two digits each, letters are left out, a blank is F |
| `segments` | cells | seven segments, bit n lights segment n of `segment_order` |

A number that is too long keeps its end ("A0123" in three places: 123). A count that is too long becomes all
nines: it is never shown as a smaller one.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from drivers.keypad.protocol import KeypadDisplay

Word = Literal["closed", "paused", "open", "called", "serving", "away", "refused"]


class TextField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of a display. `words`: what stands in the place of a number when there is none, by the
    counter's state; "refused" stands there for a moment after a key that was not taken."""

    width: Annotated[int, msgspec.Meta(ge=1, le=16)]
    encoding: Literal["ascii", "gb2312", "bcd", "segments"] = "ascii"
    align: Literal["left", "right"] = "right"
    pad: Annotated[str, msgspec.Meta(min_length=1, max_length=1, pattern=r"^[ -~]$")] = " "
    words: dict[Word, str] = {}
    segment_order: Annotated[str, msgspec.Meta(min_length=8, max_length=8)] = "abcdefgp"
    segments_inverted: bool = False

    def __post_init__(self) -> None:
        if sorted(self.segment_order) != sorted("abcdefgp"):
            raise ValueError("segment_order: 需要 abcdefgp 各一次 · needs each of abcdefgp once")

    def number(self, display: KeypadDisplay, *, refused: bool = False) -> bytes:
        """The ticket's number, or the word of the state."""
        if refused:
            return self._bytes(self.words.get("refused", "-" * self._places))
        return self._bytes(display.number or self.words.get(display.state, ""))

    def waiting(self, display: KeypadDisplay) -> bytes:
        """How many people wait; blank when that is not known."""
        if display.waiting is None:
            return self._bytes("")
        text = str(max(0, display.waiting))
        return self._bytes(text if len(text) <= self._places else "9" * self._places)

    @property
    def _places(self) -> int:
        """Digits that fit."""
        return 2 * self.width if self.encoding == "bcd" else self.width

    def _bytes(self, text: str) -> bytes:
        """Exactly `width` bytes."""
        match self.encoding:
            case "ascii":
                return self._fit(text.encode("ascii", "replace"), self.pad.encode())
            case "gb2312":
                characters = [character.encode("gb2312", "replace") for character in text]
                while sum(map(len, characters)) > self.width:
                    del characters[0]
                return self._fit(b"".join(characters), self.pad.encode())
            case "bcd":
                pad = self.pad if self.pad in "0123456789" else "F"
                digits = "".join(character for character in text if character in "0123456789")
                digits = digits[-self._places :]
                filled = digits.rjust(self._places, pad)
                return bytes.fromhex(filled if self.align == "right" else digits.ljust(self._places, pad))
            case "segments":
                cells = bytes(self._cell(character) for character in text[-self.width :].upper())
                return self._fit(cells, bytes((self._cell(self.pad),)))

    def _fit(self, data: bytes, pad: bytes) -> bytes:
        data = data[-self.width :]
        return data.rjust(self.width, pad) if self.align == "right" else data.ljust(self.width, pad)

    def _cell(self, character: str) -> int:
        lit = SEGMENTS.get(character.upper(), "g")
        value = sum(1 << bit for bit, segment in enumerate(self.segment_order) if segment in lit)
        return value ^ 0xFF if self.segments_inverted else value


SEGMENTS: Final[dict[str, str]] = {
    " ": "",
    "-": "g",
    "_": "d",
    "0": "abcdef",
    "1": "bc",
    "2": "abdeg",
    "3": "abcdg",
    "4": "bcfg",
    "5": "acdfg",
    "6": "acdefg",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
    "A": "abcefg",
    "B": "cdefg",
    "C": "adef",
    "D": "bcdeg",
    "E": "adefg",
    "F": "aefg",
    "G": "acdef",
    "H": "bcefg",
    "I": "ef",
    "J": "bcde",
    "L": "def",
    "N": "ceg",
    "O": "cdeg",
    "P": "abefg",
    "Q": "abcfg",
    "R": "eg",
    "S": "acdfg",
    "T": "defg",
    "U": "bcdef",
    "Y": "bcdfg",
}
"""Which of the segments a (top), b, c (right), d (bottom), e, f (left), g (middle) a character lights; what
seven segments cannot show is a bar."""
