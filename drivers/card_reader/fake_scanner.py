"""Scanners that do not exist, in bytes: one on a serial line, one that types like a keyboard.

Written from the makers' manuals and <linux/input.h>, not from the driver. `scan` is what a citizen does.
"""

from __future__ import annotations

import struct
from typing import ClassVar, Final, Literal

from drivers.transport.fake import FakeDevice

TICKET: Final = "https://hall.example/t/t-0193"
"""What `scan_ticket` holds before the scanner."""
APPOINTMENT: Final = "样例预约 SAMPLE-000000"
_AIM: Final = {"qr": "]Q1", "code128": "]C0", "ean": "]E0", "pdf417": "]L0"}


class _ReadsCodes(FakeDevice):
    """What both scanners are told to do."""

    silent = False
    """Has no power: says nothing and takes nothing in."""
    cut_off: int | None = None
    """The next code ends after so many bytes or keys, without terminator."""

    def scan(self, text: str) -> None:
        """Hold a code before it."""
        raise NotImplementedError

    def scan_ticket(self) -> None:
        self.scan(TICKET)

    def scan_appointment(self) -> None:
        self.scan(APPOINTMENT)

    def scan_half(self) -> None:
        self.cut_off = 6
        self.scan(TICKET)

    def be_silent(self) -> None:
        self.silent = True

    def speak(self) -> None:
        self.silent = False


class FakeScanner(_ReadsCodes):
    """Says what it scanned as its maker's configuration codes set it: the attributes of the first block."""

    actions: ClassVar[tuple[str, ...]] = (
        "scan_ticket",
        "scan_appointment",
        "scan_half",
        "babble",
        "be_silent",
        "speak",
    )

    def __init__(self) -> None:
        super().__init__()
        self.prefix = b""
        self.suffix = b""
        self.terminator = b"\r\n"
        self.encoding = "utf-8"
        self.aim = False
        self.question = b""
        """The command that it answers …"""
        self.answer = b""
        """… with this."""
        self.needs_trigger = False
        """Reads only while the trigger is on."""
        self.light_on = b"\x16T\r"
        self.light_off = b"\x16U\r"

        self.lit = False
        self.commands: list[bytes] = []
        self._asked = b""

    def scan(self, text: str | bytes, symbology: str = "qr") -> None:
        """Hold a code before it. Bytes are sent as they are."""
        if self.silent or (self.needs_trigger and not self.lit):
            return
        body = text if isinstance(text, bytes) else text.encode(self.encoding)
        mark = _AIM[symbology].encode() if self.aim else b""
        said = self.prefix + mark + body + self.suffix + self.terminator
        if self.cut_off is not None:
            said, self.cut_off = said[: self.cut_off], None
        self.send(said)

    def babble(self, size: int = 100_000) -> None:
        """A scanner set to another baud rate, or out of order: bytes without end."""
        if not self.silent:
            self.send(bytes(32 + n % 90 for n in range(size)))

    def plugged(self) -> None:
        self.lit = False
        self._asked = b""
        self.changed()

    def received(self, data: bytes) -> None:
        if self.silent:
            return
        self._asked = (self._asked + data)[-256:]
        for known in (self.light_on, self.light_off, self.question):
            while known and known in self._asked:
                before, _, behind = self._asked.partition(known)
                self._asked = before + behind
                self.commands.append(known)
                del self.commands[:-64]
                if known == self.question:
                    self.send(self.answer)
                else:
                    self.lit = known == self.light_on
                    self.changed()


_PLAIN: Final = {
    **{letter: 16 + n for n, letter in enumerate("qwertyuiop[]")},
    **{letter: 30 + n for n, letter in enumerate("asdfghjkl;'`")},
    **{letter: 43 + n for n, letter in enumerate("\\zxcvbnm,./")},
    **{letter: 2 + n for n, letter in enumerate("1234567890-=")},
    " ": 57,
    "\t": 15,
}
_SHIFTED: Final = dict(
    zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./", strict=True)  # what stands above on a US keyboard
)
_PAD: Final = {"7": 71, "8": 72, "9": 73, "4": 75, "5": 76, "6": 77, "1": 79, "2": 80, "3": 81, "0": 82}
_LEFT_SHIFT: Final = 42
_LEFT_ALT: Final = 56
_ENTER: Final = 28


class FakeTypingScanner(_ReadsCodes):
    """Types each code on a US keyboard; characters that it has no key for by ALT and their GBK code."""

    actions: ClassVar[tuple[str, ...]] = (
        "scan_ticket",
        "scan_appointment",
        "scan_half",
        "babble",
        "be_silent",
        "speak",
        "overflow",
    )

    def __init__(self) -> None:
        super().__init__()
        self.ends_with: Literal["enter", "tab", "nothing"] = "enter"
        self.caps_lock = False
        """The scanner was started while the citizen's keyboard had Caps Lock: letters change case."""
        self.overflows = 0
        """The next n codes lose events in the kernel's buffer, which says so."""

    def scan(self, text: str, symbology: str = "qr") -> None:
        """Hold a code before it."""
        if self.silent:
            return
        keys = [self._keys(letter) for letter in text]
        if self.cut_off is not None:
            keys, self.cut_off = keys[: self.cut_off], None
        elif self.ends_with != "nothing":
            keys.append(self._stroke(_ENTER if self.ends_with == "enter" else 15))
        if self.overflows:
            self.overflows -= 1
            keys[len(keys) // 2] = self._event(0, 3, 0) + self._event(0, 0, 0)
        self.send(b"".join(keys))

    def overflow(self) -> None:
        self.overflows = 1
        self.scan(TICKET)

    def babble(self, size: int = 2000) -> None:
        """A key that is stuck."""
        if not self.silent:
            self.send(b"".join(self._stroke(30) for _ in range(size)))

    def _keys(self, letter: str) -> bytes:
        shift = letter in _SHIFTED or (letter.isascii() and letter.isupper())
        base = _SHIFTED.get(letter, letter.lower() if letter.isascii() else letter)
        if self.caps_lock and base.isascii() and base.isalpha():
            shift = not shift
        if base in _PLAIN:
            stroke = self._stroke(_PLAIN[base])
            return self._held(_LEFT_SHIFT, stroke) if shift else stroke
        code = str(int.from_bytes(letter.encode("gbk"), "big"))
        return self._held(_LEFT_ALT, b"".join(self._stroke(_PAD[digit]) for digit in code))

    def _held(self, modifier: int, strokes: bytes) -> bytes:
        return self._key(modifier, 1) + strokes + self._key(modifier, 0)

    def _stroke(self, code: int) -> bytes:
        return self._key(code, 1) + self._key(code, 0)

    def _key(self, code: int, value: int) -> bytes:
        return self._event(4, 4, 0x70000 + code) + self._event(1, code, value) + self._event(0, 0, 0)

    def _event(self, kind: int, code: int, value: int) -> bytes:
        return struct.pack("@llHHi", 1_790_000_000, 0, kind, code, value)


if __name__ == "__main__":
    import sys

    from drivers.transport.fake_program import run

    typing = sys.argv[1:2] == ["typing"]
    run(FakeTypingScanner if typing else FakeScanner, sys.argv[1 + typing :])
