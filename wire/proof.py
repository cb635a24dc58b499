"""The hall's key and what is matched under it: ID numbers and codes of appointments, kept by nobody.

A kiosk hashes what it reads, the coordinator what is imported; both have the same key file. The text is
hashed as it stands, in UTF-8 (`drivers.card_reader.secret.Secret.keyed_hash` does the same).
"""

from __future__ import annotations

import hmac
import os
import stat
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


def keyed_hash(key: bytes, text: str) -> Proof:
    """HMAC-SHA-256 in hex of `text` as it stands."""
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()
