"""The hall's key and what is matched under it: ID numbers and codes of appointments, kept by nobody.

A kiosk hashes what it reads, the coordinator what is imported; both have the same key file and both hash by
`keyed_hash`, so that a number that is typed, scanned, read from a card or imported from a table is the same.
"""

from __future__ import annotations

import hmac
import os
import stat
import unicodedata
from pathlib import Path
from typing import Final

from wire.kiosk_messages import Proof

KEY_SIZE: Final = 32
"""The fewest bytes of the hall's key."""


def read_key(path: Path) -> bytes:
    """The hall's key. Raises OSError, ValueError when others may read it or it is too short."""
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise ValueError("others may read it: chmod 600")
        key = file.read(4096)
    if len(key) < KEY_SIZE:
        raise ValueError(f"shorter than {KEY_SIZE} bytes")
    return key


def normalised(text: str) -> str:
    """`text` as it is matched: narrow letters and digits, capitals, no spaces, dashes or controls.

    So "11010119900307001x" is the number on the card, and "yy-20 48" the code YY2048.
    """
    kept = (letter for letter in unicodedata.normalize("NFKC", text) if _counts(letter))
    return "".join(kept).upper()


def keyed_hash(key: bytes, text: str) -> Proof:
    """HMAC-SHA-256 in hex of the `normalised` text in UTF-8."""
    return hmac.digest(key, normalised(text).encode("utf-8", "surrogatepass"), "sha256").hex()


def _counts(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category[0] != "Z" and category not in ("Pd", "Cc", "Cf")
