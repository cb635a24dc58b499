"""Cards of people who do not exist, for the fake reader, the demo and the tests.

The names say that they are samples; the area codes of citizens' numbers (1000xx) are assigned to no county.
The numbers of the permits begin as real ones do (81, 82, 83, 9), as the layout wants it; all that follows is
invented. Check digits are right. Never a dump of a real card.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

PHOTO: Final = b"WLf\0" + bytes((17 + 31 * index) % 251 for index in range(1020))
"""Stands for a photo: no picture in it."""

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class SyntheticCard:
    """What lies on the tray. `kind` is the letter at offset 248, a space for a citizen's card."""

    kind: Literal[" ", "J", "I", "Y"]
    number: str
    birth: date
    name: str = ""
    english_name: str = ""
    valid_from: date = date(2020, 1, 2)
    valid_until: date | None = date(2040, 1, 2)
    female: bool = False
    ethnic: str = "01"
    address: str = "样例路一号"
    permit: str = "H00000000"
    issues: str = "01"

    def text(self) -> bytes:
        """The 256 bytes as they stand on the chip."""
        sex = "2" if self.female else "1"
        until = "长期" if self.valid_until is None else _day(self.valid_until)
        dates = _pad(_day(self.valid_from), 16) + _pad(until, 16)
        birth = _pad(_day(self.birth), 16)
        if self.kind == "I":
            text = _pad(self.english_name, 120) + _pad(sex, 2) + _pad(self.number, 30) + _pad("UTO", 6)
            text += _pad(self.name, 30) + dates + birth + _pad("01", 4) + _pad("1500", 8)
        elif self.kind == "Y":
            text = _pad(self.name, 30) + _pad(sex, 2) + _pad(self.issues, 4) + birth
            text += _pad(self.english_name[:35], 70)
            text += _pad(self.number, 36) + _pad("样例签发机关", 30) + dates
            text += _pad(self.english_name[35:], 22) + _pad("UTO", 6)
        else:
            ethnic = self.ethnic if self.kind == " " else ""
            text = _pad(self.name, 30) + _pad(sex, 2) + _pad(ethnic, 4) + birth + _pad(self.address, 70)
            text += _pad(self.number, 36) + _pad("样例签发机关", 30) + dates
            permit = _pad(self.permit, 18) + _pad(self.issues, 4) + _pad("", 6)
            text += permit if self.kind == "J" else _pad("", 28)
        return text + _pad(self.kind, 2) + _pad("", 6)


def number_18(area: str, birth: date, sequence: int) -> str:
    """A number of 18 with its check digit. `area`: 6 digits; `sequence`: 0–999, odd for men."""
    first = f"{area}{birth:%Y%m%d}{sequence:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(first, _WEIGHTS, strict=True))
    return first + "10X98765432"[total % 11]


def citizen(name: str, birth: date, sequence: int, *, without_end: bool = False) -> SyntheticCard:
    """A citizen's card; `sequence` 0–999."""
    return SyntheticCard(
        " ",
        number_18("100001", birth, sequence),
        birth,
        name,
        valid_until=None if without_end else date(2040, 1, 2),
        female=sequence % 2 == 0,
    )


def synthetic_cards() -> tuple[SyntheticCard, ...]:
    """One of each layout, young and old, in the order of a tray."""
    old, adult, child = date(1946, 3, 9), date(1990, 12, 31), date(2016, 2, 29)
    return (
        citizen("样例甲", adult, 1),
        citizen("样例老人乙", old, 2, without_end=True),
        citizen("样例儿童丙", child, 3),
        SyntheticCard("J", number_18("810000", adult, 5), adult, "样例港人丁"),
        SyntheticCard("J", number_18("830000", old, 4), old, "样例台胞戊", female=True),
        SyntheticCard("I", f"UTO1500{adult:%y%m%d}01", adult, "样例外宾己", "SAMPLE, FOREIGNER"),
        SyntheticCard(
            "Y", number_18("915001", adult, 7), adult, "", "SAMPLE, PERSON WITH A VERY LONG NAME TO GO ON"
        ),
    )


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _pad(text: str, size: int) -> bytes:
    data = text.encode("utf-16-le")
    if len(data) > size:
        raise ValueError("too long for its field")
    return data + b" \0" * ((size - len(data)) // 2)
