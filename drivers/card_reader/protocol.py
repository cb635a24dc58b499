"""The interface of every card reader. The number and the name leave it only in a `Card`, masked."""

from __future__ import annotations

import hmac
from abc import abstractmethod
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from drivers.driver import Driver


class Secret:
    """A text that must not be logged, shown or stored: `str` and `repr` are masked.

    >>> f"{Secret('110101199003070011', 'number')}"
    '11**************11'
    """

    __slots__ = ("_kind", "_text")

    def __init__(self, text: str, kind: Literal["name", "number"]) -> None:
        self._text = text
        self._kind = kind

    @property
    def masked(self) -> str:
        text = self._text
        if self._kind == "name":
            if len(text) <= 1:
                return "*" * len(text)
            return text[0] + "*" * max(1, len(text) - 2) + (text[-1] if len(text) > 2 else "")
        if len(text) <= 4:
            return "*" * len(text)
        return text[:2] + "*" * (len(text) - 4) + text[-2:]

    def keyed_hash(self, key: bytes) -> str:
        """HMAC-SHA-256 in hex, for matching without keeping."""
        return hmac.digest(key, self._text.encode(), "sha256").hex()

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"Secret({self.masked!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


CardLayout = Literal["citizen", "hmt_resident", "foreigner_2017", "foreigner_2023"]


@dataclass(frozen=True, slots=True)
class Card:
    """What was read. The photo is not."""

    layout: CardLayout
    name: Secret
    number: Secret
    birth: date
    valid_until: date | None
    """None: 长期, without end."""


@dataclass(frozen=True, slots=True)
class CardEvent:
    """`read`: a card with its content; `lay_again`: ask to lay it down again; `removed`: taken away."""

    what: Literal["read", "lay_again", "removed"]
    card: Card | None = None


class CardReader(Driver):
    """Reads whatever is laid on it, once."""

    kind: ClassVar[str] = "card_reader"

    @abstractmethod
    async def next_event(self) -> CardEvent:
        """The next event. Waits for ever, across unplugging. At most 8 are kept, oldest dropped."""
