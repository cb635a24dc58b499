"""A scanner that types: input events of a HID keyboard → the text of codes. Pure: no I/O, no clock.

Such scanners type as on a US keyboard unless they are set to another; Enter ends a code. Chinese characters
come, where the scanner can, as ALT and a decimal number on the number pad, as in Windows: two bytes of GBK,
or one of Latin-1.

Shift, Caps Lock, Num Lock and Alt are followed; a key held down does not repeat: the next press counts, the
kernel's autorepeat does not. When the kernel's buffer overflowed (SYN_DROPPED) letters are missing: the code
that is being typed is not read. After a pause no key is held: no scanner waits in the middle of a character.

Source: kernel documentation, input/event-codes; <linux/input-event-codes.h>; HID usage tables 1.5, page 7.
"""

from __future__ import annotations

from typing import Final

import msgspec

from drivers.card_reader.scanned_text import ScannedText, TextFormat, read_code
from drivers.keypad.input_events import EVENT_SIZE, EventParser

_ROWS: Final = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (55, "*", "*"),
    (57, " ", " "),
    (71, "789-456+1230.", "789-456+1230."),
    (98, "/", "/"),
    (86, "<", ">"),
    (15, "\t", "\t"),
)
US_LAYOUT: Final[dict[int, tuple[str, str]]] = {
    first + n: (plain, shifted)
    for first, row, shifted_row in _ROWS
    for n, (plain, shifted) in enumerate(zip(row, shifted_row, strict=True))
}
"""Key code of the kernel → what it types, without and with Shift."""

_ENTER: Final = (28, 96)
_SHIFT: Final = (42, 54)
_ALT: Final = (56, 100)
_CAPS_LOCK: Final = 58
_PAD_DIGITS: Final = {71: 7, 72: 8, 73: 9, 75: 4, 76: 5, 77: 6, 79: 1, 80: 2, 81: 3, 82: 0}
_ALT_LIMIT: Final = 0xFFFF


class KeyText:
    """Bytes of input events in pieces of any size → codes. Holds less than one event and one code.

    `layout`: keys that type something else than on a US keyboard, code → (plain, shifted).
    """

    def __init__(self, format: TextFormat, layout: dict[int, tuple[str, str]] | None = None) -> None:
        # typed text is text already: UTF-8 here, whatever the scanner would send on a line
        self._format = msgspec.structs.replace(format, encoding="utf-8")
        self._layout = US_LAYOUT | (layout or {})
        self._ends = frozenset(format.terminators)
        self._events = EventParser()
        self._text = bytearray()
        self._held: set[int] = set()
        self._caps = False
        self._alt_code: int | None = None
        self._broken = False

    @property
    def waiting(self) -> bool:
        """Part of a code or of an event has come, or a key is held."""
        typed = bool(self._text) or self._broken or self._alt_code is not None
        return typed or bool(self._events.partial) or bool(self._held)

    def feed(self, data: bytes) -> list[ScannedText]:
        codes: list[ScannedText] = []
        for at in range(0, len(data), EVENT_SIZE):  # one by one: what was lost belongs to one code
            lost = self._events.bad, self._events.dropped
            changes = self._events.feed(data[at : at + EVENT_SIZE])
            if lost != (self._events.bad, self._events.dropped):
                self._broken = True
                self._held.clear()
            for key in changes:
                if key.down:
                    codes += self._pressed(key.code)
                else:
                    self._released(key.code)
        return codes

    def pause(self) -> list[ScannedText]:
        """Nothing was typed for a while: the end of a code without terminator, else of a broken one."""
        self._broken = self._broken or bool(self._events.partial)
        self._events.clear()
        self._held.clear()
        if not self._text and not self._broken:
            self._forget()
            return []
        if not self._ends:
            return self._end()
        self._forget()
        return [ScannedText(None)]

    def reset(self) -> None:
        """Forget everything, with the keys that are held."""
        self._forget()
        self._events.clear()
        self._held.clear()
        self._caps = False

    def _pressed(self, code: int) -> list[ScannedText]:
        if code in _SHIFT or code in _ALT:
            self._held.add(code)
        elif code == _CAPS_LOCK:
            self._caps = not self._caps
        elif self._held.intersection(_ALT):
            if code in _PAD_DIGITS:
                number = 10 * (self._alt_code or 0) + _PAD_DIGITS[code]
                self._alt_code = number if number <= _ALT_LIMIT else None
                self._broken = self._broken or number > _ALT_LIMIT
        elif code in _ENTER and self._ends:
            return self._end()
        else:
            plain, shifted = self._layout.get(code, ("", ""))
            letter = shifted if bool(self._held.intersection(_SHIFT)) != self._capital(plain) else plain
            if letter and letter in self._ends:
                return self._end()
            self._add(letter.encode())
        return []

    def _released(self, code: int) -> None:
        self._held.discard(code)
        if code in _ALT and self._alt_code is not None:
            number, self._alt_code = self._alt_code, None
            try:
                data = number.to_bytes(1 if number < 0x100 else 2, "big")
                self._add(data.decode("gb18030" if number > 0xFF else "latin-1").encode())
            except UnicodeDecodeError:
                self._broken = True

    def _capital(self, plain: str) -> bool:
        return self._caps and plain.isalpha()

    def _add(self, data: bytes) -> None:
        if self._broken:
            return
        if len(self._text) + len(data) > self._format.longest + 64:
            self._broken = True
        else:
            self._text += data

    def _end(self) -> list[ScannedText]:
        if not self._text and not self._broken:
            return []
        code = ScannedText(None) if self._broken else read_code(self._text, self._format)
        self._forget()
        return [code]

    def _forget(self) -> None:
        self._text[:] = bytes(len(self._text))
        del self._text[:]
        self._alt_code, self._broken = None, False
