"""A text that belongs to a person: it can be matched and hashed, and is masked wherever it is shown."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Final, Literal
from unicodedata import category

SecretKind = Literal["name", "number", "code", "address"]

SHORT_CODE: Final = 8
"""A code of so many characters or fewer is masked whole: two at each end would be half of it."""
MASK_LIMIT: Final = 16
"""Asterisks shown for the middle of a code, however long it is."""
NO_GLYPH: Final = "□"


class Secret:
    """A text that must not be logged, shown or stored: `str` and `repr` are masked, pickling is refused.

    >>> f"{Secret('110101199003070011', 'number')}"
    '11**************11'
    """

    __slots__ = ("_kind", "_text")

    def __init__(self, text: str, kind: SecretKind) -> None:
        self._text = text
        self._kind = kind

    @property
    def masked(self) -> str:
        """For the person's own eyes. Characters that no font has become □."""
        text, kind = self._text, self._kind
        if kind == "name":
            if len(text) <= 1:
                return "*" * len(text)
            last = text[-1] if len(text) > 2 else ""
            return _shown(text[0]) + "*" * max(1, len(text) - 2) + _shown(last)
        if kind == "address":
            return "*" * min(len(text), 6)
        if len(text) <= (SHORT_CODE if kind == "code" else 4):
            return "*" * len(text)
        hidden = len(text) - 4
        stars = min(hidden, MASK_LIMIT) if kind == "code" else hidden
        return _shown(text[:2]) + "*" * stars + _shown(text[-2:])

    def keyed_hash(self, key: bytes) -> str:
        """HMAC-SHA-256 of the text in UTF-8, in hex, for matching without keeping."""
        return hmac.digest(key, self._text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def told(self, to: Callable[[str], str]) -> str:
        """What `to` makes of the text: a hash under the hall's key, for matching. `to` may not keep it."""
        return to(self._text)

    def part(self, pattern: re.Pattern[str]) -> str | None:
        """What the first group of `pattern` holds when it fits the whole text, else None.

        For the one piece that is nobody's secret, such as the ticket id in the address on a ticket.
        """
        found = pattern.fullmatch(self._text)
        return found.group(1) if found else None

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"Secret({self.masked!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(
            self._text.encode("utf-8", "surrogatepass"), other._text.encode("utf-8", "surrogatepass")
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


def _shown(text: str) -> str:
    """Without what a screen cannot show or would obey: private use, unassigned, control, surrogates."""
    return "".join(NO_GLYPH if category(letter)[0] == "C" else letter for letter in text)
