"""The 256 bytes of text on a second-generation card: four layouts, UTF-16LE, fields of fixed width. Pure.

Byte 248 holds the card's type: a space on a citizen's card, `J` on a residence permit for people from
Hong Kong, Macau and Taiwan, `I` on a foreigner's permanent residence card of 2017, `Y` on that of 2023.

Only what identifies the person leaves: name, number, birth, end of validity, layout. Whatever does not
fit (a character that cannot be, a date that is none, a check digit that is wrong, a number that denies
the birth date) raises CardTextError, which names the field and never its content: nothing is guessed.

Sources: GB 11643 (number and check digit), GA/T 1011 (text), the machine-reading tables of the
immigration administration for the cards of 2017 and 2023. Of the 15 characters of the 2017 number only
the form is checked: its check digit is not published.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final
from unicodedata import category

from drivers.card_reader.protocol import Card, CardLayout, Secret
from drivers.card_reader.sam_frames import TEXT_SIZE
from drivers.errors import FrameError

TYPE_AT: Final = 248
WITHOUT_END: Final = "长期"
_PADDING: Final = " \0"


class CardTextError(FrameError):
    """A field that does not fit its layout. `field` is its name; the content is not kept."""

    code = "card.unreadable"

    def __init__(self, field: str) -> None:
        super().__init__(f"the {field} of the card does not fit")
        self.field = field


@dataclass(frozen=True, slots=True)
class _Fields:
    """Where a layout has its fields, as (offset, size) in bytes. Names in the order of preference."""

    layout: CardLayout
    names: tuple[tuple[tuple[int, int], ...], ...]
    number: tuple[int, int]
    birth: tuple[int, int]
    valid_from: tuple[int, int]
    valid_until: tuple[int, int]
    first: str
    """The beginnings that a number of this layout may have, as a pattern."""


_RESIDENT: Final = {"number": (122, 36), "birth": (36, 16), "valid_from": (188, 16), "valid_until": (204, 16)}
_LAYOUTS: Final = {
    " ": _Fields("citizen", names=(((0, 30),),), first=r"[1-8]", **_RESIDENT),
    "J": _Fields("hmt_resident", names=(((0, 30),),), first=r"8[123]", **_RESIDENT),
    "I": _Fields(
        "foreigner_2017",
        names=(((158, 30),), ((0, 120),)),
        number=(122, 30),
        birth=(220, 16),
        valid_from=(188, 16),
        valid_until=(204, 16),
        first=r"[A-Z]{3}",
    ),
    "Y": _Fields("foreigner_2023", names=(((0, 30),), ((52, 70), (220, 22))), first=r"9", **_RESIDENT),
}

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS: Final = "10X98765432"


def check_digit(first17: str) -> str:
    """The last character of a number of 18, from its first 17 digits (ISO 7064 MOD 11-2)."""
    return _CHECK_DIGITS[
        sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True)) % 11
    ]


def card_from_text(text: bytes | bytearray) -> Card:
    """The card that the text describes. The Chinese name where there is one, else the English.

    Raises CardTextError.
    """
    if len(text) != TEXT_SIZE:
        raise CardTextError("length")
    mark = _field(text, (TYPE_AT, 2))
    fields = _LAYOUTS.get(mark or " ")
    if fields is None:
        raise CardTextError("type")
    birth = _date(_field(text, fields.birth))
    if birth is None:
        raise CardTextError("birth")
    until_text = _field(text, fields.valid_until)
    since, until = _date(_field(text, fields.valid_from)), _date(until_text)
    if (
        since is None
        or (until is None and until_text != WITHOUT_END)
        or (until is not None and until < since)
    ):
        raise CardTextError("validity")
    number = _field(text, fields.number)
    if not _number_fits(number, fields, birth):
        raise CardTextError("number")
    name = _name(text, fields)
    if name is None:
        raise CardTextError("name")
    return Card(fields.layout, Secret(name, "name"), Secret(number, "number"), birth, until)


def _field(text: bytes | bytearray, place: tuple[int, int]) -> str:
    """One field without its padding. What cannot be decoded becomes U+FFFD: no exception carries it."""
    offset, size = place
    return text[offset : offset + size].decode("utf-16-le", "replace").strip(_PADDING)


def _date(digits: str) -> date | None:
    if not re.fullmatch(r"[0-9]{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _number_fits(number: str, fields: _Fields, birth: date) -> bool:
    if not re.match(fields.first, number):
        return False
    if fields.layout == "foreigner_2017":
        return re.fullmatch(r"[A-Z]{3}[0-9]{12}", number) is not None
    if re.fullmatch(r"[0-9]{17}[0-9X]", number) is None:
        return False
    return number[6:14] == f"{birth:%Y%m%d}" and number[17] == check_digit(number[:17])


def _name(text: bytes | bytearray, fields: _Fields) -> str | None:
    for places in fields.names:
        # an English name runs on into a second field, without a break where the first is full
        joined = b"".join(text[offset : offset + size] for offset, size in places).decode(
            "utf-16-le", "replace"
        )
        name = " ".join(word for word in joined.replace("\0", " ").split(" ") if word)
        if name:
            return (
                name if not any(category(letter) == "Cc" or letter == "\ufffd" for letter in name) else None
            )
    return None
