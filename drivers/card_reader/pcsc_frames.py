"""What an IC card says at power-on (ATR) and how its number is asked for (APDU). Pure: bytes in, values out.

::

    ATR      TS | T0 | TA1 TB1 TC1 TD1 … | historical bytes | TCK where a protocol other than T=0 is offered
    command  FF CA 00 00 00                "give the UID"
    answer   data | SW1 SW2                90 00: done, 6C xx: ask for xx bytes, 61 xx: xx more to fetch

Sources: ISO/IEC 7816-3 (ATR) and 7816-4 (APDU); PC/SC specification part 3, 3.1.3.2.3 (ATR of contactless
storage cards) and 3.2.2.1.3 (get data), with its supplement of names; ISO/IEC 14443-3 (a UID of four bytes
beginning with 08 is made up anew each time).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from drivers.errors import FrameChecksumError, FrameError

ATR_LIMIT: Final = 33
RESPONSE_LIMIT: Final = 258
UID_SIZES: Final = (4, 7, 8, 10)
"""ISO 14443 A single, double and triple size; 8 of ISO 15693 and FeliCa."""
DONE: Final = 0x9000
_STORAGE: Final = bytes.fromhex("804F0CA000000306")
"""How the historical bytes of a contactless storage card begin; the standard (1) and the name (2) follow."""
_MODELS: Final = {
    0x0001: "MIFARE Classic 1K",
    0x0002: "MIFARE Classic 4K",
    0x0003: "MIFARE Ultralight",
    0x0026: "MIFARE Mini",
    0x0030: "Topaz",
    0x0036: "MIFARE Plus 2K",
    0x0037: "MIFARE Plus 4K",
    0x003A: "MIFARE Ultralight C",
    0x003B: "FeliCa",
}


def get_uid(size: int = 0) -> bytes:
    """The command for the UID; `size`: bytes wanted, 0 for all."""
    return bytes((0xFF, 0xCA, 0, 0, size))


def get_response(size: int) -> bytes:
    """The command that fetches what the card still has."""
    return bytes((0, 0xC0, 0, 0, size))


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `data` is not in `repr`."""

    data: bytes = field(repr=False)
    status: int
    """SW1 and SW2."""

    @classmethod
    def from_bytes(cls, answer: bytes) -> Response:
        """Raises FrameError."""
        if not 2 <= len(answer) <= RESPONSE_LIMIT:
            raise FrameError("no answer of a card")
        return cls(answer[:-2], int.from_bytes(answer[-2:], "big"))

    def to_bytes(self) -> bytes:
        return self.data + self.status.to_bytes(2, "big")

    @property
    def more(self) -> bytes | None:
        """The command that is to be sent next, for 61 xx and 6C xx."""
        high, low = divmod(self.status, 0x100)
        return get_response(low) if high == 0x61 else get_uid(low) if high == 0x6C else None


def uid_of(data: bytes) -> str | None:
    """The UID in hex, None when it identifies nothing (made up anew each time, or zeros).

    Raises FrameError when it has no size that a UID has.
    """
    if len(data) not in UID_SIZES:
        raise FrameError("no UID")
    made_up = len(data) == 4 and data[0] == 0x08
    return None if made_up or not any(data) else data.hex().upper()


@dataclass(frozen=True, slots=True)
class Atr:
    """What the card said at power-on. `historical` may tell one card from another: not in `repr`."""

    historical: bytes = field(repr=False)
    protocols: tuple[int, ...] = (0,)
    interface: tuple[bytes, ...] = ()
    """TA, TB, TC of each group, as they came with their TD."""
    inverse: bool = False

    @property
    def model(self) -> str | None:
        """What kind of contactless storage card the reader takes it for."""
        start = len(_STORAGE)
        if not self.historical.startswith(_STORAGE) or len(self.historical) < start + 3:
            return None
        return _MODELS.get(int.from_bytes(self.historical[start + 1 : start + 3], "big"))

    @classmethod
    def from_bytes(cls, data: bytes) -> Atr:
        """Raises FrameError, FrameChecksumError."""
        if not 2 <= len(data) <= ATR_LIMIT or data[0] not in (0x3B, 0x3F):
            raise FrameError("no ATR")
        at, follows, protocols, groups = 2, data[1] >> 4, [], []
        while follows:
            size = follows.bit_count()
            group = data[at : at + size]
            if len(group) < size:
                raise FrameError("an ATR that ends too early")
            at += size
            groups.append(bytes((follows,)) + group)
            follows = group[-1] >> 4 if follows & 8 else 0
            if groups[-1][0] & 8:
                protocols.append(group[-1] & 0x0F)
        historical = data[at : at + (data[1] & 0x0F)]
        checked = any(protocol != 0 for protocol in protocols)
        if len(data) != at + (data[1] & 0x0F) + checked:
            raise FrameError("the length of an ATR does not fit")
        if checked:
            expected = _xor(data[1:-1])
            if data[-1] != expected:
                raise FrameChecksumError(expected, data[-1])
        return cls(historical, tuple(protocols) or (0,), tuple(groups), data[0] == 0x3F)

    def to_bytes(self) -> bytes:
        first = self.interface[0][0] if self.interface else 0
        body = bytes((first << 4 | len(self.historical),))
        body += b"".join(group[1:] for group in self.interface) + self.historical
        if any(self.protocols):
            body += bytes((_xor(body),))
        return (b"\x3f" if self.inverse else b"\x3b") + body


def _xor(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value
