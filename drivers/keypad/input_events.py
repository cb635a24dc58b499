"""Linux input events, as a HID keypad's /dev/input/event… gives them: bytes only, no I/O.

One event is `struct input_event` of <linux/input.h>: time (two longs), type (u16), code (u16), value (s32);
24 bytes on 64-bit machines. EV_KEY values: 0 released, 1 pressed, 2 repeated by the kernel. After SYN_DROPPED
the kernel's buffer had overflowed: everything up to the next SYN_REPORT is to be ignored
(kernel documentation, input/event-codes).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from drivers.errors import FrameError


class EventType(IntEnum):
    SYN = 0
    KEY = 1
    MSC = 4


class Syn(IntEnum):
    REPORT = 0
    DROPPED = 3


class KeyValue(IntEnum):
    RELEASED = 0
    PRESSED = 1
    REPEATED = 2


_EVENT: Final = struct.Struct("@llHHi")
EVENT_SIZE: Final = _EVENT.size
_LAST_TYPE: Final = 0x1F
_LAST_CODE: Final = 0x2FF


@dataclass(frozen=True, slots=True)
class InputEvent:
    """One event; `seconds` and `microseconds` are of the wall clock and are not used."""

    type: int
    code: int
    value: int
    seconds: int = 0
    microseconds: int = 0

    def to_bytes(self) -> bytes:
        return _EVENT.pack(self.seconds, self.microseconds, self.type, self.code, self.value)

    @classmethod
    def from_bytes(cls, data: bytes) -> InputEvent:
        """Raises FrameError for what no kernel sends."""
        if len(data) != EVENT_SIZE:
            raise FrameError(f"{len(data)} bytes, not {EVENT_SIZE}")
        seconds, microseconds, type_, code, value = _EVENT.unpack(data)
        if type_ > _LAST_TYPE or code > _LAST_CODE or not 0 <= microseconds < 1_000_000 or seconds < 0:
            raise FrameError("no input event")
        if type_ == EventType.KEY and value not in (0, 1, 2):
            raise FrameError(f"key value {value}")
        return cls(type_, code, value, seconds, microseconds)


class KeyChange(NamedTuple):
    """A key of the kernel that went down or came up."""

    code: int
    down: bool


class EventParser:
    """Bytes in pieces of any size → keys that went down or came up; the kernel's autorepeat is left out.

    Holds less than one event. `bad`: places where no event was (the kernel never does that; a fake's line
    may); `dropped`: overflows that the kernel told of.
    """

    def __init__(self) -> None:
        self.bad = 0
        self.dropped = 0
        self._buffer = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[KeyChange]:
        changes = []
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= EVENT_SIZE:
            try:
                event = InputEvent.from_bytes(bytes(self._buffer[at : at + EVENT_SIZE]))
            except FrameError:
                self.bad += 1
                at += 1
                continue
            at += EVENT_SIZE
            if event.type == EventType.SYN:
                self._skipping = event.code == Syn.DROPPED or (self._skipping and event.code != Syn.REPORT)
                self.dropped += event.code == Syn.DROPPED
            elif event.type == EventType.KEY and event.value != KeyValue.REPEATED and not self._skipping:
                changes.append(KeyChange(event.code, event.value == KeyValue.PRESSED))
        del self._buffer[:at]
        return changes

    @property
    def partial(self) -> int:
        """Bytes of an event whose rest has not come."""
        return len(self._buffer)

    def clear(self) -> None:
        self._buffer.clear()
        self._skipping = False


KEY_CODES: Final[dict[str, int]] = {
    "KEY_ESC": 1,
    **{f"KEY_{digit}": 1 + digit for digit in range(1, 10)},
    "KEY_0": 11,
    "KEY_MINUS": 12,
    "KEY_EQUAL": 13,
    "KEY_BACKSPACE": 14,
    "KEY_TAB": 15,
    **{f"KEY_{letter}": 16 + n for n, letter in enumerate("QWERTYUIOP")},
    "KEY_ENTER": 28,
    **{f"KEY_{letter}": 30 + n for n, letter in enumerate("ASDFGHJKL")},
    **{f"KEY_{letter}": 44 + n for n, letter in enumerate("ZXCVBNM")},
    "KEY_KPASTERISK": 55,
    "KEY_SPACE": 57,
    **{f"KEY_F{n}": 58 + n for n in range(1, 11)},
    "KEY_NUMLOCK": 69,
    **{f"KEY_KP{digit}": code for digit, code in zip("789", range(71, 74), strict=True)},
    "KEY_KPMINUS": 74,
    **{f"KEY_KP{digit}": code for digit, code in zip("456", range(75, 78), strict=True)},
    "KEY_KPPLUS": 78,
    **{f"KEY_KP{digit}": code for digit, code in zip("1230", range(79, 83), strict=True)},
    "KEY_KPDOT": 83,
    "KEY_F11": 87,
    "KEY_F12": 88,
    "KEY_KPENTER": 96,
    "KEY_KPSLASH": 98,
    "KEY_HOME": 102,
    "KEY_UP": 103,
    "KEY_PAGEUP": 104,
    "KEY_LEFT": 105,
    "KEY_RIGHT": 106,
    "KEY_END": 107,
    "KEY_DOWN": 108,
    "KEY_PAGEDOWN": 109,
    "KEY_INSERT": 110,
    "KEY_DELETE": 111,
}
"""Names of <linux/input-event-codes.h> for keyboards and number pads."""

NUMLOCK_TWINS: Final[dict[str, str]] = {
    "KEY_KP0": "KEY_INSERT",
    "KEY_KP1": "KEY_END",
    "KEY_KP2": "KEY_DOWN",
    "KEY_KP3": "KEY_PAGEDOWN",
    "KEY_KP4": "KEY_LEFT",
    "KEY_KP6": "KEY_RIGHT",
    "KEY_KP7": "KEY_HOME",
    "KEY_KP8": "KEY_UP",
    "KEY_KP9": "KEY_PAGEUP",
    "KEY_KPDOT": "KEY_DELETE",
}
"""What number pads send that keep NumLock by themselves, while it is off. The kernel itself never changes a
code with NumLock."""
