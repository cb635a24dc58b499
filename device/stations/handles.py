"""What a kiosk knows of the cards and codes of the last minutes: their keyed hashes, under handles.

In memory only. A screen gets the handle and gives it back with what the citizen chose; the text itself, an ID
number or a code, is hashed under the hall's key at once and goes nowhere.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from math import inf
from pathlib import Path
from typing import Final

import msgspec

from drivers.card_reader.protocol import Secret
from wire.proof import keyed_hash, read_key

logger = logging.getLogger(__name__)

HANDLES: Final = 16
"""Cards and codes that are held; older ones are forgotten."""
HANDLE_S: Final = 120.0
"""A code is forgotten so long after it was shown, a card so long after it was taken away."""


class _Held(msgspec.Struct):
    """`proof` None: there was no key. `name` is masked. `until` in loop time."""

    proof: str | None
    name: str | None
    until: float


class Handles:
    """`key_file`: the hall's key, see `wire.proof`; without it nothing can be matched. It is looked for again
    whenever it is wanted until it is there."""

    def __init__(self, key_file: str | None) -> None:
        self._key_file = key_file
        self._key: bytes | None = None
        self._no_key_because: str | None = None
        self._held: dict[str, _Held] = {}

    def find_key(self) -> bool:
        """Whether there is a key."""
        if self._key is None and self._key_file is not None:
            try:
                self._key = read_key(Path(self._key_file))
            except (OSError, ValueError) as error:
                if str(error) != self._no_key_because:
                    self._no_key_because = str(error)
                    logger.error("codes cannot be matched: %s: %s", self._key_file, error)
        return self._key is not None

    def hold(self, secret: Secret, name: str | None = None, *, lies_there: bool = False) -> str:
        """A new handle. `name`: the masked one on the card. `lies_there`: held until `taken_away`, too."""
        self._forget_old()
        handle = secrets.token_hex(16)
        proof = secret.told(self._hash) if self.find_key() else None
        until = inf if lies_there else asyncio.get_running_loop().time() + HANDLE_S
        self._held[handle] = _Held(proof, name, until)
        if len(self._held) > HANDLES:
            # One card lies there at most; it is not the first to go.
            del self._held[next(h for h, held in self._held.items() if held.until < inf)]
        return handle

    def taken_away(self, handle: str) -> None:
        """The card does not lie there any more."""
        if (held := self._held.get(handle)) is not None:
            held.until = asyncio.get_running_loop().time() + HANDLE_S

    def known(self, handle: str) -> bool:
        """False: forgotten."""
        self._forget_old()
        return handle in self._held

    def proof(self, handle: str) -> str | None:
        """The keyed hash of what `handle` stands for; None: forgotten, or there was no key."""
        return self._held[handle].proof if self.known(handle) else None

    def name(self, handle: str | None) -> str | None:
        """The masked name on the card of `handle`."""
        return self._held[handle].name if handle is not None and self.known(handle) else None

    def typed(self, code: str) -> str | None:
        """The keyed hash of a code that was typed in; None: there is no key."""
        return self._hash(code) if self.find_key() else None

    def _hash(self, text: str) -> str:
        assert self._key is not None
        return keyed_hash(self._key, text)

    def _forget_old(self) -> None:
        now = asyncio.get_running_loop().time()
        for handle in [handle for handle, held in self._held.items() if held.until <= now]:
            del self._held[handle]
