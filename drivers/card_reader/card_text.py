"""The 256 bytes of text on a second-generation card: four layouts, UTF-16LE, fields of fixed width. Pure.

Byte 248 holds the card's type: a space on a citizen's card, `J` on a residence permit for people from
Hong Kong, Macau and Taiwan, `I` on a foreigner's permanent residence card of 2017, `Y` on that of 2023.

Only what identifies the person leaves: name, number, birth, end of validity, layout; more (`CardDetails`)
only when it is asked for. Whatever does not fit (a character that cannot be, a date that is none, a check
digit that is wrong, a number that denies the birth date) raises CardTextError, which names the field and
never its content: nothing is guessed. A detail that does not fit is None.

Rare characters of names: see `rare_characters`.

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

from drivers.card_reader.protocol import Card, CardDetails, CardLayout, Secret
from drivers.card_reader.rare_characters import ETHNIC_GROUPS, real_characters
from drivers.card_reader.sam_frames import TEXT_SIZE
from drivers.errors import FrameError

TYPE_AT: Final = 248
ADDRESS_SIZE: Final = 70
"""Bytes of an address, on the card and in the answer to the newest one."""
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
    sex: tuple[int, int]
    details: dict[str, tuple[int, int]]
    """Fields of `CardDetails` that this layout has besides."""


_RESIDENT: Final = {"number": (122, 36), "birth": (36, 16), "valid_from": (188, 16), "valid_until": (204, 16)}
_HOME: Final = {"address": (52, ADDRESS_SIZE), "issuer": (158, 30)}
_LAYOUTS: Final = {
    " ": _Fields(
        "citizen",
        names=(((0, 30),),),
        first=r"[1-8]",
        sex=(30, 2),
        details={**_HOME, "ethnic": (32, 4)},
        **_RESIDENT,
    ),
    "J": _Fields(
        "hmt_resident",
        names=(((0, 30),),),
        first=r"8[123]",
        sex=(30, 2),
        details={**_HOME, "permit": (220, 18), "issues": (238, 4)},
        **_RESIDENT,
    ),
    "I": _Fields(
        "foreigner_2017",
        names=(((158, 30),), ((0, 120),)),
        number=(122, 30),
        birth=(220, 16),
        valid_from=(188, 16),
        valid_until=(204, 16),
        first=r"[A-Z]{3}",
        sex=(120, 2),
        details={"nation": (152, 6), "issuer": (240, 8)},
    ),
    "Y": _Fields(
        "foreigner_2023",
        names=(((0, 30),), ((52, 70), (220, 22))),
        first=r"9",
        sex=(30, 2),
        details={"nation": (242, 6), "issues": (32, 4)},
        **_RESIDENT,
    ),
}
_DETAIL_FORMS: Final = {
    "ethnic": re.compile("|".join(ETHNIC_GROUPS)),
    "nation": re.compile("[A-Z]{3}"),
    "permit": re.compile("[A-Z0-9]{8,9}"),
    "issues": re.compile("[0-9]{1,2}"),
}

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS: Final = "10X98765432"


def check_digit(first17: str) -> str:
    """The last character of a number of 18, from its first 17 digits (ISO 7064 MOD 11-2)."""
    return _CHECK_DIGITS[
        sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True)) % 11
    ]


def card_from_text(
    text: bytes | bytearray, *, details: bool = False, newest_address: bytes | bytearray | None = None
) -> Card:
    """The card that the text describes. The Chinese name where there is one, else the English.

    `details`: with `Card.details`; `newest_address`: what the chip has in place of the printed one, as
    `ADDRESS_SIZE` bytes. Raises CardTextError.
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
    more = _details(text, fields, since, newest_address) if details else None
    return Card(fields.layout, Secret(name, "name"), Secret(number, "number"), birth, until, more)


def _details(
    text: bytes | bytearray, fields: _Fields, since: date, newest_address: bytes | bytearray | None
) -> CardDetails:
    sex = _field(text, fields.sex)
    if sex not in ("0", "1", "2", "9"):
        raise CardTextError("sex")
    found: dict[str, str] = {}
    for name, place in fields.details.items():
        value = _field(text, place)
        if name == "address" and newest_address:
            value = _field(newest_address, (0, ADDRESS_SIZE)) or value
        form = _DETAIL_FORMS.get(name)
        if form.fullmatch(value) if form is not None else value and _printable(value):
            found[name] = value
    return CardDetails(
        sex,
        since,
        ethnic=found.get("ethnic"),
        nation=found.get("nation"),
        issuer=found.get("issuer"),
        issues=found.get("issues"),
        permit=Secret(found["permit"], "number") if "permit" in found else None,
        address=Secret(real_characters(found["address"]), "address") if "address" in found else None,
    )


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
            return real_characters(name) if _printable(name) else None
    return None


def _printable(text: str) -> bool:
    return not any(category(letter) in ("Cc", "Cs") or letter == "\ufffd" for letter in text)
