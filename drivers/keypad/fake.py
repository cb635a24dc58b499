"""Fake keypads: the far end of a `SerialKeypad` and of an `EvdevKeypad`, in bytes only.

The frames are put together here from the format's text, apart from the driver's own code. As a program:
`python -m drivers.keypad.fake --pty /tmp/keypad`, or with `rating` before it.
"""

from __future__ import annotations

import re
import struct
import time
from functools import partial
from typing import Final

from drivers.keypad.frames import KeypadFormat
from drivers.keypad.serial_keypad import load_format
from drivers.transport.fake import FakeDevice

HELD: Final = 256
"""Bytes of output frames that wait for their rest."""
EVENT: Final = struct.Struct("@llHHi")


class FakeSerialKeypad(FakeDevice):
    """A keypad of a format: a shipped name, a path or the format itself."""

    def __init__(self, format: str | KeypadFormat = "call-keypad", *, address: int = 1) -> None:
        super().__init__()
        self.format = load_format(format) if isinstance(format, str) else format
        self.address = address
        self.silent = False
        """Answers no poll and sends no key."""
        self.lights: frozenset[str] = frozenset()
        self.prompting = False
        self.thanks = 0
        self.polls = 0
        self._pressed: list[str] = []
        self._held = b""
        self.actions = ("silence", "speak", *(f"press_{key}" for key in self.key_names))
        """What the fake as a program can be told."""
        for key in self.key_names:
            setattr(self, f"press_{key}", partial(self.press, key))

    @property
    def thanked(self) -> bool:
        return self.thanks > 0

    @property
    def key_names(self) -> tuple[str, ...]:
        return tuple(self.format.keys.values())

    def press(self, key: str) -> None:
        """A person presses a key. Raises KeyError for one that the keypad does not have."""
        payload = {name: code for code, name in self.format.keys.items()}[key]
        if self.silent:
            return
        if self.format.poll:
            self._pressed.append(payload)
            del self._pressed[:-8]
        else:
            self.send(self._frame(payload))

    def bounce(self, key: str, times: int = 5) -> None:
        """A worn contact: one press, many frames."""
        for _ in range(times):
            self.press(key)

    def silence(self) -> None:
        self.silent = True

    def speak(self) -> None:
        self.silent = False

    def plugged(self) -> None:
        self.lights, self.prompting, self._held = frozenset(), False, b""
        self._pressed.clear()
        self.changed()

    def received(self, data: bytes) -> None:
        self._held = (self._held + data)[-HELD:]
        while self._step():
            pass

    def _step(self) -> bool:
        """Obey the output that ends earliest in the bytes held; whether there was one."""
        format = self.format
        found = []
        for name in ("poll", "light", "prompt", "prompt_end", "thank"):
            if template := getattr(format, name):
                hit = re.search(self._pattern(template), self._held, re.DOTALL)
                if hit and self._is_sound(hit):
                    found.append((hit.end(), name, hit))
        if not found:
            return False
        end, name, hit = min(found, key=lambda each: each[0])
        self._held = self._held[end:]
        match name:
            case "poll":
                self.polls += 1
                if not self.silent:
                    self.send(self._frame(self._pressed.pop(0) if self._pressed else format.idle))
                return True
            case "light":
                bits = int.from_bytes(hit["lights"], "little")
                self.lights = frozenset(k for n, k in enumerate(format.light_order) if bits >> n & 1)
            case "prompt":
                self.prompting = True
            case "prompt_end":
                self.prompting = False
            case "thank":
                self.prompting = False
                self.thanks += 1
        self.changed()
        return True

    def _pattern(self, template: str) -> bytes:
        sizes = {"lights": -(-len(self.format.light_order) // 8), "checksum": len(self._sum(b""))}
        pattern = b""
        for part in re.findall(r"[0-9A-Fa-f]{2}|\{\w+\}", template):
            if part == "{address}":
                pattern += re.escape(bytes((self.address,)))
            elif part.startswith("{"):
                name = part[1:-1]
                pattern += b"(?P<%s>.{%d})" % (name.encode(), sizes[name])
            else:
                pattern += re.escape(bytes.fromhex(part))
        return pattern

    def _is_sound(self, hit: re.Match[bytes]) -> bool:
        if "checksum" not in hit.re.groupindex:
            return True
        return self._sum(self._held[hit.start() : hit.start("checksum")]) == hit["checksum"]

    def _frame(self, payload: str) -> bytes:
        address = f"{self.address:02x}" if self.format.addressed else ""
        head = bytes.fromhex(self.format.start + address + payload)
        return head + self._sum(head) + bytes.fromhex(self.format.end)

    def _sum(self, frame: bytes) -> bytes:
        """The checksum of a frame up to there."""
        data = (
            frame[len(bytes.fromhex(self.format.start)) :]
            if self.format.checksum_from == "address"
            else frame
        )
        if self.format.checksum == "none":
            return b""
        if self.format.checksum == "sum":
            return bytes((sum(data) % 256,))
        value = 0xFFFF if self.format.checksum == "crc16" else 0
        for byte in data:
            value ^= byte
            if self.format.checksum == "crc16":
                for _ in range(8):
                    value = (value >> 1) ^ (0xA001 * (value & 1))
        return value.to_bytes(2 if self.format.checksum == "crc16" else 1, "little")


class FakeEvdevKeypad(FakeDevice):
    """What the kernel would give of a number pad: `codes` are key names of ours → kernel codes."""

    def __init__(self, codes: dict[str, int]) -> None:
        super().__init__()
        self.codes = codes

    @property
    def key_names(self) -> tuple[str, ...]:
        return tuple(self.codes)

    def press(self, key: str, *, repeats: int = 0) -> None:
        """Down, `repeats` of the kernel while it is held, up. Raises KeyError."""
        code = self.codes[key]
        events = [(4, 4, 0x70000 + code), (1, code, 1), (0, 0, 0)]
        for _ in range(repeats):
            events += [(1, code, 2), (0, 0, 1)]
        self._send([*events, (1, code, 0), (0, 0, 0)])

    def bounce(self, key: str, times: int = 5) -> None:
        for _ in range(times):
            self.press(key)

    def overflow(self, key: str) -> None:
        """The kernel's buffer ran over while `key` was pressed: SYN_DROPPED, rest of events, SYN_REPORT."""
        self._send([(0, 3, 0), (1, self.codes[key], 1), (0, 0, 0)])

    def _send(self, events: list[tuple[int, int, int]]) -> None:
        now = time.time_ns()
        seconds, microseconds = now // 10**9, now // 1000 % 10**6
        self.send(b"".join(EVENT.pack(seconds, microseconds, *event) for event in events))


if __name__ == "__main__":
    import sys

    from drivers.transport.fake_program import run

    rating = sys.argv[1:2] == ["rating"]
    run(partial(FakeSerialKeypad, "rating-keypad" if rating else "call-keypad"), sys.argv[1 + rating :])
