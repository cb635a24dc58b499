"""A fake Alpha sign: knows only the bytes of the wire and what the manual says of them.

As a program: `python -m drivers.call_screen.fake_alpha --pty /tmp/sign`.
"""

from __future__ import annotations

import re
import sys
from typing import Final

from drivers.transport.fake import FakeDevice
from drivers.transport.fake_program import run

_PACKET: Final = re.compile(
    rb"\x01([\x20-\x7e])([0-9A-Fa-f?]{2})\x02([^\x03\x04]*)(?:\x03([0-9A-Fa-f]{4}))?\x04", re.S
)
_LONGEST: Final = 4096
_COLOURS: Final = {"1": "red", "2": "green", "3": "yellow"}
_MODES: Final = {"a": "rotate", "b": "hold", "c": "flash"}


class FakeAlphaSign(FakeDevice):
    """`text`, `colour` and `mode` are what people see. `errors`: its serial error status."""

    actions = ("print_text", "silence", "speak", "refuse_labels", "take_labels")

    def __init__(self, *, address: int = 1, columns: int = 14) -> None:
        super().__init__()
        self.address, self.columns = address, columns
        self.text = ""
        self.colour = ""
        self.mode = ""
        self.silent = False
        self.refuses = False
        """Every text is an illegal label to it."""
        self.errors = 0
        self.packets = 0
        self._held = b""

    def print_text(self) -> None:
        sys.stdout.write(f"{self.text!r} {self.colour} {self.mode}\n")

    def silence(self) -> None:
        self.silent = True

    def speak(self) -> None:
        self.silent = False

    def refuse_labels(self) -> None:
        self.refuses = True

    def take_labels(self) -> None:
        self.refuses = False

    def plugged(self) -> None:
        self._held = b""  # the text stays: its memory has a battery

    def received(self, data: bytes) -> None:
        self._held = (self._held + data)[-_LONGEST:]
        while (found := _PACKET.search(self._held)) is not None:
            self._held = self._held[found.end() :]
            self._packet(*found.groups())
        if b"\x04" in self._held:  # a packet that is none: a framing error to the sign
            self.errors |= 0x02
            self._held = self._held[self._held.rindex(b"\x04") + 1 :]

    def _packet(self, kind: bytes, address: bytes, body: bytes, checksum: bytes | None) -> None:
        mine = f"{self.address:02X}".encode()
        if address.upper() not in (b"00", mine, b"??") or kind == b"0":
            return
        if checksum is not None and int(checksum, 16) != (sum(body) + 2 + 3) % 65536:
            self.errors |= 0x10
            return
        self.packets += 1
        match body[:1], body[1:]:
            case b"A", rest:
                self._text(rest)
            case b"E", b"4":
                self.errors = 0
            case b"F", b"*":
                self._answer(b"E*" + bytes((0x40 | self.errors,)))
            case _:
                self.errors |= 0x20

    def _text(self, data: bytes) -> None:
        layout = re.fullmatch(rb"0\x1b([ \x22&01<>])([a-u])(?:\x1c([1-9A-C]))?([ -~]*)", data, re.S)
        if layout is None or len(data) > 4 + 125 or self.refuses:
            self.errors |= 0x20
            return
        _, mode, colour, text = (part.decode() if part else "" for part in layout.groups())
        self.text, self.colour, self.mode = text, _COLOURS.get(colour, ""), _MODES.get(mode, mode)
        self.changed()

    def _answer(self, body: bytes) -> None:
        if not self.silent:
            whole = b"\x02" + body + b"\x03"
            self.send(bytes(5) + b"\x01000" + whole + f"{sum(whole) % 65536:04X}".encode() + b"\x04")


if __name__ == "__main__":
    run(FakeAlphaSign)
