"""What a USB number is: `known_usb.toml`, a table that technicians extend."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec

Number16 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
What = Literal[
    "ticket_printer", "call_screen", "keypad", "card_reader", "scanner", "adapter", "touch", "loudspeaker",
    "storage", "network", "hub", "light", "nfc_reader",
]  # fmt: skip


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row. `product` None stands for every product of the vendor; `ask` False: never send it a byte;
    `guess`: the number is in no public list."""

    vendor: Number16
    product: Number16 | None = None
    what: What
    name: str
    ask: bool = True
    guess: bool = False
    zh: str = ""
    en: str = ""

    @property
    def shown(self) -> str:
        """The name for people."""
        return f"{self.name} ?" if self.guess else self.name

    @property
    def hint(self) -> dict[str, str] | None:
        """What to know of it, per language."""
        return {"zh-CN": self.zh, "en": self.en} if self.zh and self.en else None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    known: tuple[Known, ...]


@cache
def table() -> dict[tuple[int, int | None], Known]:
    """All rows by vendor and product."""
    text = Path(__file__).with_name("known_usb.toml").read_text("utf-8")
    rows = msgspec.convert(tomllib.loads(text), _File).known
    return {(row.vendor, row.product): row for row in rows}


def known(vendor: int, product: int) -> Known | None:
    """The row of a device, None for one that nobody has described."""
    rows = table()
    return rows.get((vendor, product)) or rows.get((vendor, None))
