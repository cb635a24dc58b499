"""The interface of every card reader and scanner. What belongs to a person leaves it only as a `Secret`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Literal

from drivers.card_reader.secret import Secret
from drivers.driver import Driver

__all__ = ["Card", "CardDetails", "CardEvent", "CardLayout", "CardReader", "Chip", "Code", "Secret"]

CardLayout = Literal["citizen", "hmt_resident", "foreigner_2017", "foreigner_2023"]


@dataclass(frozen=True, slots=True)
class CardDetails:
    """What a form needs besides; read only where the profile asks for it. None of it is in `repr`.

    `sex`: GB/T 2261.1, "1" male, "2" female, "0" and "9" unknown and not said. `ethnic`: code of GB/T 3304
    (`rare_characters.ETHNIC_GROUPS`), citizens only. `nation`: ISO 3166 with three letters, foreigners
    only. `permit`: the number of the travel permit, residents from Hong Kong, Macau and Taiwan only.
    `issues`: how often the permit or card was issued or renewed. `address`: the newest one.
    """

    sex: str = field(repr=False)
    valid_from: date = field(repr=False)
    ethnic: str | None = field(default=None, repr=False)
    nation: str | None = field(default=None, repr=False)
    issuer: str | None = field(default=None, repr=False)
    issues: str | None = field(default=None, repr=False)
    permit: Secret | None = None
    address: Secret | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """What was read. The photo is not."""

    layout: CardLayout
    name: Secret
    number: Secret
    birth: date = field(repr=False)
    valid_until: date | None = field(repr=False)
    """None: 长期, without end."""
    details: CardDetails | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """A bar code or QR code. `symbology`: its kind ("qr", "code128" …) where the scanner says it."""

    text: Secret
    symbology: str | None = None


@dataclass(frozen=True, slots=True)
class Chip:
    """An IC or NFC card. `uid`: its number in hex; None when the chip has none or makes up a new one each
    time, as phones and passports do. `model`: what the reader says of it, e.g. "MIFARE Classic 1K"."""

    uid: Secret | None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class CardEvent:
    """`read`: an ID card with its content; `code`: a code; `chip`: an IC card; `lay_again`: it could not be
    read, ask for it again; `removed`: the card was taken away (never after a code)."""

    what: Literal["read", "lay_again", "removed", "code", "chip"]
    card: Card | None = None
    code: Code | None = None
    chip: Chip | None = None


class CardReader(Driver):
    """Reads whatever is laid on it or held before it, once."""

    kind: ClassVar[str] = "card_reader"

    @abstractmethod
    async def next_event(self) -> CardEvent:
        """The next event. Waits for ever, across unplugging. At most 8 are kept, oldest dropped."""

    async def watch(self, on: bool) -> None:
        """Somebody is about to show a code, or no longer: light and trigger, where they can be switched.

        Readers without them read always. Returns when the reader was told; a reader that is away is told
        when it is back.
        """
