"""Fake keypads: the far end of a `SerialKeypad` and of an `EvdevKeypad`, in bytes only.

The frames are put together here from the format's text, apart from the driver's own code. As a program:
`python -m drivers.keypad.fake --pty /tmp/keypad`; before that a format: `rating`, `display`, or a path.
"""

from __future__ import annotations

import asyncio
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
PRESSED: Final = 8
"""Keys that wait for a poll."""
EVENT: Final = struct.Struct("@llHHi")
_OUTPUTS: Final = ("poll", "light", "prompt", "prompt_end", "thank", "show", "refuse", "voice")


class FakeSerialKeypad(FakeDevice):
    """A keypad of a format: a shipped name, a path or the format itself."""

    def __init__(self, format: str | KeypadFormat = "call-keypad", *, address: int = 1) -> None:
        super().__init__()
        self.format = load_format(format) if isinstance(format, str) else format
        self.address = address
        self.silent = False
        """Answers no poll and sends no key."""
        self.wrong_sums = False
        """Every checksum that it sends is off by one."""
        self.half = False
        """Sends the first half of every frame."""
        self.answers = 1
        """So many answers to one poll: 2 is what two keypads with one address look like."""
        self.answer_after_s = 0.0
        """How slowly it answers."""
        self.lights: frozenset[str] = frozenset()
        self.prompting = False
        self.thanks = 0
        self.beeps = 0
        self.said: list[int] = []
        """The voices that were played."""
        self.shown: tuple[bytes, bytes] = (b"", b"")
        """The display's two fields, as they were sent: number and waiting."""
        self.polls = 0
        self._pressed: list[str] = []
        self._held = b""
        self._stuck: asyncio.TimerHandle | None = None
        self._stuck_key = ""
        self.actions = (
            "silence",
            "speak",
            "spoil",
            "mend",
            "halve",
            "double",
            "stick",
            *(f"press_{key}" for key in self.key_names),
        )
        """What the fake as a program can be told."""
        for key in self.key_names:
            setattr(self, f"press_{key}", partial(self.press, key))

    @property
    def thanked(self) -> bool:
        return self.thanks > 0

    @property
    def key_names(self) -> tuple[str, ...]:
        return tuple(self.format.keys.values())

    # ------------------------------------------------------------ what people do

    def press(self, key: str) -> None:
        """A person presses a key and lets go. Raises KeyError for one that the keypad does not have."""
        self.down(key)
        self.up(key)

    def down(self, key: str) -> None:
        """A key goes down."""
        self._say({name: code for code, name in self.format.keys.items()}[key])

    def up(self, key: str) -> None:
        """A key comes up, where the keypad tells."""
        if code := {name: code for code, name in self.format.releases.items()}.get(key):
            self._say(code)

    def bounce(self, key: str, times: int = 5) -> None:
        """A worn contact: one press, many frames."""
        for _ in range(times):
            self.press(key)

    # ------------------------------------------------------------ how it misbehaves

    def silence(self) -> None:
        self.silent = True

    def speak(self) -> None:
        self.silent = False

    def spoil(self) -> None:
        """Wrong checksums; where the format has none, a wrong last byte."""
        self.wrong_sums = True

    def halve(self) -> None:
        self.half = True

    def double(self) -> None:
        """A second keypad with the same address."""
        self.answers = 2

    def mend(self) -> None:
        """All is well again."""
        self.silent = self.wrong_sums = self.half = False
        self.answers, self.answer_after_s = 1, 0.0
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        if self._stuck_key:
            self.up(self._stuck_key)
            self._stuck_key = ""

    def stick(self, key: str = "", every_s: float = 0.1) -> None:
        """A key that is stuck: it repeats until `mend`, or stays down where the keypad tells releases."""
        key = self._stuck_key = key or self.key_names[0]
        self.down(key)
        if not self.format.releases:
            loop = asyncio.get_running_loop()
            self._stuck = loop.call_later(every_s, partial(self.stick, key, every_s))

    # ------------------------------------------------------------ bytes

    def plugged(self) -> None:
        self.lights, self.prompting, self._held = frozenset(), False, b""
        self.shown = (b"", b"")
        self._pressed.clear()
        self.changed()

    def received(self, data: bytes) -> None:
        self._held = (self._held + data)[-HELD:]
        while self._step():
            pass

    def _say(self, code: str) -> None:
        if self.silent:
            return
        if self.format.poll:
            self._pressed.append(code)
            del self._pressed[:-PRESSED]
        else:
            self._send(code)

    def _send(self, code: str) -> None:
        frame = self._frame(code)
        if self.wrong_sums:
            at = self._checksum_at() if self.format.checksum != "none" else len(frame) - 1
            frame = frame[:at] + bytes((frame[at] ^ 1,)) + frame[at + 1 :]
        if self.half:
            frame = frame[: len(frame) // 2]
        self.send(frame)

    def _step(self) -> bool:
        """Obey the output that ends earliest in the bytes held; whether there was one."""
        format = self.format
        found = []
        for name in _OUTPUTS:
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
                    self._answer()
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
            case "show":
                fields = hit.groupdict()
                self.shown = (fields.get("number") or b"", fields.get("waiting") or b"")
            case "refuse":
                self.beeps += 1
            case "voice":
                self.said.append(hit["index"][0])
        self.changed()
        return True

    def _answer(self) -> None:
        code = self._pressed.pop(0) if self._pressed else self.format.idle
        for _ in range(self.answers):
            if self.answer_after_s:
                asyncio.get_running_loop().call_later(self.answer_after_s, self._send, code)
            else:
                self._send(code)

    def _pattern(self, template: str) -> bytes:
        format = self.format
        sizes = {
            "lights": -(-len(format.light_order) // 8),
            "checksum": len(self._sum(b"")),
            "number": format.number.width if format.number is not None else 0,
            "waiting": format.waiting.width if format.waiting is not None else 0,
        }
        pattern = b""
        for part in re.findall(r"[0-9A-Fa-f]{2}|\{\w+\}", template):
            if part == "{address}":
                pattern += re.escape(bytes((self.address,)))
            elif part.startswith("{"):
                name = part[1:-1]
                pattern += b"(?P<%s>.{%d})" % (name.encode(), sizes.get(name, 1))
            else:
                pattern += re.escape(bytes.fromhex(part))
        return pattern

    def _is_sound(self, hit: re.Match[bytes]) -> bool:
        fields = hit.re.groupindex
        if "length" in fields and hit["length"][0] != hit.end() - hit.end("length") + self.format.length_plus:
            return False
        if "checksum" not in fields:
            return True
        return self._sum(hit.string[hit.start() : hit.start("checksum")]) == hit["checksum"]

    def _checksum_at(self) -> int:
        """Where the checksum begins in a key frame."""
        before = self.format.frame.partition("{checksum}")[0]
        size = len(bytes.fromhex(next(iter(self.format.keys))))
        return len(self._expand(before, bytes(size)))

    def _expand(self, template: str, key: bytes) -> bytes:
        text = template.replace("{address}", f"{self.address:02x}").replace("{key}", key.hex())
        return bytes.fromhex(text.replace("{length}", "00"))

    def _frame(self, code: str) -> bytes:
        key = bytes.fromhex(code)
        before, mark, after = self.format.frame.partition("{checksum}")
        head = bytearray(self._expand(before, key))
        tail = self._expand(after, key)
        size = len(self._sum(b"")) if mark else 0
        if "{length}" in before:
            at = len(self._expand(before.partition("{length}")[0], key))
            head[at] = len(head) - at - 1 + size + len(tail) + self.format.length_plus
        return bytes(head) + (self._sum(bytes(head)) if mark else b"") + tail

    def _sum(self, frame: bytes) -> bytes:
        """The checksum of a frame up to there."""
        format = self.format
        data = frame[format.checksum_from : max(0, len(frame) - format.checksum_to)]
        total = sum(data)
        one = total % 256
        match format.checksum:
            case "none":
                return b""
            case "sum":
                return bytes((one,))
            case "twos":
                return bytes(((256 - one) % 256,))
            case "sum16":
                return (total % 65536).to_bytes(2, format.checksum_order)
            case "xor":
                return bytes((_crc(data, 0, 0, 0),))
            case "crc8":
                return bytes((_mirror(_crc(bytes(map(_mirror, data)), 0, _mirror(0x07), 8)),))
            case "crc8-maxim":
                return bytes((_crc(data, 0, _mirror(0x31), 8),))
            case "crc16":
                return _crc(data, 0xFFFF, 0xA001, 8).to_bytes(2, format.checksum_order)


def _crc(data: bytes, value: int, polynomial: int, steps: int) -> int:
    for byte in data:
        value ^= byte
        for _ in range(steps):
            value = (value >> 1) ^ (polynomial * (value & 1))
    return value


def _mirror(byte: int) -> int:
    """The bits the other way round."""
    return int(f"{byte:08b}"[::-1], 2)


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
        self.down(key)
        for _ in range(repeats):
            self._send([(1, self.codes[key], 2), (0, 0, 1)])
        self.up(key)

    def down(self, key: str) -> None:
        code = self.codes[key]
        self._send([(4, 4, 0x70000 + code), (1, code, 1), (0, 0, 0)])

    def up(self, key: str) -> None:
        self._send([(1, self.codes[key], 0), (0, 0, 0)])

    def bounce(self, key: str, times: int = 5) -> None:
        for _ in range(times):
            self.press(key)

    def stick(self, key: str = "") -> None:
        """A key that is stuck; `press` lets it go."""
        self.down(key or self.key_names[0])

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

    names = {"rating": "rating-keypad", "display": "call-keypad-display"}
    given = sys.argv[1] if sys.argv[1:] and not sys.argv[1].startswith("-") else ""
    run(
        partial(FakeSerialKeypad, names.get(given, given or "call-keypad")),
        sys.argv[1 + bool(given) :],
    )
