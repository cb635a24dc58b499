"""Frames of serial and RS-485 keypads, described by a format: bytes only, no I/O.

No public protocol exists, so the frame is configured::

    start │ address │ payload │ checksum │ end        start, end: any fixed bytes, end may be empty
      n   │ 0 or 1  │    m    │ 0, 1, 2  │  k         payload: one of the format's keys

A known keypad: `01 address payload 07`, keys 31–34 (an RS-485 call keypad, as its seller documents it).
The frame has one length, so the decoder slides over the bytes: whatever is no frame at one place is tried
again one byte further. Bytes that wait longer than `gap_ms` for the rest of a frame are dropped, so that
noise of a minute ago cannot become half of a key.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec

from drivers.errors import FrameChecksumError, FrameError

Hex = Annotated[str, msgspec.Meta(pattern=r"^\s*([0-9A-Fa-f]{2}\s*)*\Z", max_length=64)]
"""Bytes as "01 A5"."""

Template = Annotated[
    str, msgspec.Meta(pattern=r"^\s*(([0-9A-Fa-f]{2}|\{(address|lights|checksum)\})\s*)*\Z", max_length=128)
]
"""Bytes as "01 {address} 4C {lights} 07"; empty where the keypad has no such thing.

`{lights}`: bit n of the lowest byte first is key n of `light_order`. `{checksum}`: as in key frames.
"""

MAX_FRAME: Final = 32
"""Bytes of a key frame."""

Checksum = Literal["none", "xor", "sum", "crc16"]
"""`sum`: low byte of the sum; `crc16`: as Modbus, low byte first."""
CHECKSUM_SIZE: Final[dict[str, int]] = {"none": 0, "xor": 1, "sum": 1, "crc16": 2}


class KeypadFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A keypad's protocol. `keys`: payload in hex → name; all payloads have one length.

    With `poll` the keypad is asked every `poll_interval_ms` and answers with a key frame or with the payload
    `idle`; without, it sends keys by itself. `checksum_from`: the first byte that the checksum covers.
    """

    start: Hex
    keys: Annotated[dict[str, str], msgspec.Meta(min_length=1, max_length=64)]
    addressed: bool = True
    checksum: Checksum = "none"
    checksum_from: Literal["start", "address"] = "start"
    end: Hex = ""
    gap_ms: Annotated[int, msgspec.Meta(ge=5, le=5000)] = 100
    poll: Template = ""
    poll_interval_ms: Annotated[int, msgspec.Meta(ge=10, le=5000)] = 50
    poll_timeout_ms: Annotated[int, msgspec.Meta(ge=5, le=5000)] = 100
    idle: Hex = ""
    light_order: tuple[str, ...] = ()
    light: Template = ""
    prompt: Template = ""
    prompt_end: Template = ""
    thank: Template = ""

    def __post_init__(self) -> None:
        problems = []
        payloads = [*self.keys, *([self.idle] if self.idle else [])]
        if not all(re.fullmatch(r"\s*([0-9A-Fa-f]{2}\s*)+", payload) for payload in payloads):
            problems.append("every key and idle must be bytes in hex")
        else:
            sizes = {len(bytes.fromhex(payload)) for payload in payloads}
            if len(sizes) != 1:
                problems.append("all keys and idle must have the same number of bytes")
            if len({bytes.fromhex(payload) for payload in payloads}) != len(payloads):
                problems.append("two keys have the same bytes")
            if len(bytes.fromhex(self.start + self.end)) + max(sizes) + 3 > MAX_FRAME:
                problems.append(f"a frame may have {MAX_FRAME} bytes")
        if not self.start.strip():
            problems.append("start must have at least one byte")
        if not all(self.keys.values()):
            problems.append("every key needs a name")
        if bool(self.poll) != bool(self.idle):
            problems.append("poll and idle belong together")
        if self.light and not self.light_order:
            problems.append("light needs light_order")
        if unknown := set(self.light_order) - set(self.keys.values()):
            problems.append(f"light_order has keys that do not exist: {', '.join(sorted(unknown))}")
        if problems:
            raise ValueError("; ".join(problems))


def checksum(kind: Checksum, data: bytes) -> bytes:
    """The checksum bytes over `data`."""
    match kind:
        case "none":
            return b""
        case "xor":
            value = 0
            for byte in data:
                value ^= byte
            return bytes((value,))
        case "sum":
            return bytes((sum(data) & 0xFF,))
        case "crc16":
            crc = 0xFFFF
            for byte in data:
                crc ^= byte
                for _ in range(8):
                    crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
            return crc.to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """One frame from a keypad. `address` is None where the format has none."""

    payload: bytes
    address: int | None

    def to_bytes(self, layout: Layout) -> bytes:
        head = layout.start + (bytes((self.address or 0,)) if layout.addressed else b"") + self.payload
        return head + checksum(layout.checksum, head[layout.checksum_from :]) + layout.end

    @classmethod
    def from_bytes(cls, data: bytes, layout: Layout) -> KeyFrame:
        """Raises FrameError, FrameChecksumError."""
        if len(data) != layout.size:
            raise FrameError(f"{len(data)} bytes, not {layout.size}")
        if not data.startswith(layout.start) or not data.endswith(layout.end):
            raise FrameError("start or end is wrong")
        body_end = layout.size - len(layout.end) - CHECKSUM_SIZE[layout.checksum]
        expected = checksum(layout.checksum, data[layout.checksum_from : body_end])
        got = data[body_end : body_end + len(expected)]
        if got != expected:
            raise FrameChecksumError(int.from_bytes(expected, "big"), int.from_bytes(got, "big"))
        at = len(layout.start)
        address = data[at] if layout.addressed else None
        return cls(data[at + layout.addressed : body_end], address)


@dataclass(frozen=True, slots=True)
class Layout:
    """A `KeypadFormat` made ready for bytes."""

    start: bytes
    addressed: bool
    payload_size: int
    checksum: Checksum
    checksum_from: int
    end: bytes
    gap_s: float
    keys: dict[bytes, str]
    idle: bytes

    @classmethod
    def of(cls, format: KeypadFormat) -> Layout:
        start = bytes.fromhex(format.start)
        keys = {bytes.fromhex(payload): name for payload, name in format.keys.items()}
        return cls(
            start,
            format.addressed,
            len(next(iter(keys))),
            format.checksum,
            0 if format.checksum_from == "start" else len(start),
            bytes.fromhex(format.end),
            format.gap_ms / 1000,
            keys,
            bytes.fromhex(format.idle),
        )

    @property
    def size(self) -> int:
        return (
            len(self.start)
            + self.addressed
            + self.payload_size
            + CHECKSUM_SIZE[self.checksum]
            + len(self.end)
        )


@dataclass(frozen=True, slots=True)
class Received:
    """What a frame means: `key` is None for "no key pressed"; `at` is when its first byte came."""

    key: str | None
    at: float


class KeyDecoder:
    """Bytes in pieces of any size → keys of one keypad. Holds less than one frame between calls.

    `bad`: runs of bytes that were no frame; `foreign`: frames of another address or with an unknown payload.
    """

    def __init__(self, layout: Layout, address: int | None) -> None:
        self.bad = 0
        self.foreign = 0
        self._layout = layout
        self._address = address if layout.addressed else None
        self._bytes: deque[tuple[int, float]] = deque()
        self._in_noise = False

    def feed(self, data: bytes, now: float) -> list[Received]:
        """`now`: seconds of a monotonic clock."""
        held = self._bytes
        if held and now - held[-1][1] > self._layout.gap_s:
            held.clear()
            self._noise()
        found = []
        size = self._layout.size
        for byte in data:
            held.append((byte, now))
            if len(held) < size:
                continue
            try:
                frame = KeyFrame.from_bytes(bytes(value for value, _ in held), self._layout)
            except FrameError:
                held.popleft()
                self._noise()
                continue
            at = held[0][1]
            held.clear()
            self._in_noise = False
            if self._address not in (None, frame.address):
                self.foreign += 1
            elif frame.payload in self._layout.keys:
                found.append(Received(self._layout.keys[frame.payload], at))
            elif frame.payload == self._layout.idle:
                found.append(Received(None, at))
            else:
                self.foreign += 1
        return found

    def clear(self) -> None:
        self._bytes.clear()
        self._in_noise = False

    def _noise(self) -> None:
        if not self._in_noise:
            self._in_noise = True
            self.bad += 1


def output(format: KeypadFormat, template: str, address: int, lights: frozenset[str] = frozenset()) -> bytes:
    """The bytes of an output template."""
    frame = bytearray()
    start = 0 if format.checksum_from == "start" else len(bytes.fromhex(format.start))
    for part in re.findall(r"[0-9A-Fa-f]{2}|\{\w+\}", template):
        match part:
            case "{address}":
                frame.append(address)
            case "{lights}":
                bits = sum(1 << n for n, key in enumerate(format.light_order) if key in lights)
                frame += bits.to_bytes(-(-len(format.light_order) // 8), "little")
            case "{checksum}":
                frame += checksum(format.checksum, bytes(frame[start:]))
            case _:
                frame += bytes.fromhex(part)
    return bytes(frame)
