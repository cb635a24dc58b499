"""Frames of serial and RS-485 keypads, described by a format: bytes only, no I/O.

No public protocol exists, so the frame is a template of hex bytes and fields::

    frame = "01 {address} {key} 07"                              an RS-485 call keypad, as its seller
                                                                 documents it; keys 31–34
    frame = "AA 55 {address} {length} {key} {checksum} 0D"       what others are like

`{key}` is one of the payloads of `keys`, `releases` or `idle`, all of one size; `{address}`, `{length}` and
`{checksum}` as in `outputs`. The frame has one size, so the decoder slides over the bytes: whatever is no
frame at one place is tried again where the next could begin. Bytes that wait longer than `gap_ms` for the
rest of a frame are dropped, so that noise of a minute ago cannot become half of a key.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

from drivers.checksums import SIZES, checksum
from drivers.errors import FrameChecksumError, FrameError
from drivers.keypad.outputs import OutputFormat, Template, fill, parts

Hex = Annotated[str, msgspec.Meta(pattern=r"^\s*([0-9A-Fa-f]{2}\s*)*\Z", max_length=64)]
"""Bytes as "01 A5"."""

MAX_FRAME: Final = 32
"""Bytes of a key frame."""

KeyNames = Annotated[dict[str, str], msgspec.Meta(min_length=1, max_length=64)]
Releases = Annotated[dict[str, str], msgspec.Meta(max_length=64)]


class KeypadFormat(OutputFormat, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A keypad's protocol. `keys`: payload in hex → name of a key that goes down (or was pressed);
    `releases`: payload → name of a key that comes up, where the keypad tells.

    With `poll` the keypad is asked every `poll_interval_ms` and answers with a key frame or with the payload
    `idle`; without, it sends keys by itself.
    """

    frame: Template
    keys: KeyNames
    releases: Releases = msgspec.field(default_factory=dict)
    gap_ms: Annotated[int, msgspec.Meta(ge=5, le=5000)] = 100
    poll: Template = ""
    poll_interval_ms: Annotated[int, msgspec.Meta(ge=10, le=5000)] = 50
    poll_timeout_ms: Annotated[int, msgspec.Meta(ge=5, le=5000)] = 100
    idle: Hex = ""

    def __post_init__(self) -> None:
        names = frozenset(self.keys.values())
        payloads = [*self.keys, *self.releases, *([self.idle] if self.idle else [])]
        problems = []
        if not all(re.fullmatch(r"\s*([0-9A-Fa-f]{2}\s*)+", payload) for payload in payloads):
            problems.append("every key, release and idle must be bytes in hex")
        else:
            sizes = {len(bytes.fromhex(payload)) for payload in payloads}
            if len(sizes) != 1:
                problems.append("all keys, releases and idle must have the same number of bytes")
            if len({bytes.fromhex(payload) for payload in payloads}) != len(payloads):
                problems.append("two keys have the same bytes")
            if len(parts(self.frame)) + max(sizes) + 1 > MAX_FRAME:
                problems.append(f"a frame may have {MAX_FRAME} bytes")
        fields = [part[1:-1] for part in parts(self.frame) if part.startswith("{")]
        if fields.count("key") != 1:
            problems.append("frame needs {key}")
        if wrong := sorted(set(fields) - {"address", "length", "key", "checksum"}):
            problems.append(f"frame cannot have {', '.join(wrong)}")
        if len(fields) == len(parts(self.frame)) and "checksum" not in fields:
            problems.append("frame needs a fixed byte or a checksum: noise must not become a key")
        if fields.count("address") > 1:
            problems.append("frame has {address} twice")
        if not all(self.keys.values()):
            problems.append("every key needs a name")
        if unknown := set(self.releases.values()) - names:
            problems.append(f"releases of keys that do not exist: {', '.join(sorted(unknown))}")
        if bool(self.poll) != bool(self.idle):
            problems.append("poll and idle belong together")
        problems += self.frame_problems("frame", fields)
        problems += self.output_problems(names)
        if problems:
            raise ValueError("; ".join(dict.fromkeys(problems)))

    @property
    def key_names(self) -> frozenset[str]:
        return frozenset(self.keys.values())


class KeyFrame(msgspec.Struct, frozen=True):
    """One frame from a keypad. `address` is None where the format has none."""

    payload: bytes
    address: int | None

    def to_bytes(self, layout: Layout) -> bytes:
        values = {"address": bytes((self.address or 0,)), "key": self.payload}
        return fill(layout.format, layout.format.frame, values)

    @classmethod
    def from_bytes(cls, data: bytes, layout: Layout) -> KeyFrame:
        """Raises FrameError, FrameChecksumError."""
        if len(data) != layout.size:
            raise FrameError(f"{len(data)} bytes, not {layout.size}")
        for at, fixed in layout.fixed:
            if data[at : at + len(fixed)] != fixed:
                raise FrameError(f"byte {at} is wrong")
        if layout.checksum_at >= 0:
            format = layout.format
            end = max(0, layout.checksum_at - format.checksum_to)
            expected = checksum(format.checksum, data[format.checksum_from : end], format.checksum_order)
            got = data[layout.checksum_at : layout.checksum_at + len(expected)]
            if got != expected:
                raise FrameChecksumError(int.from_bytes(expected, "big"), int.from_bytes(got, "big"))
        address = data[layout.address_at] if layout.address_at >= 0 else None
        return cls(data[layout.key_at : layout.key_at + layout.key_size], address)


class Layout(msgspec.Struct, frozen=True):
    """Where what is in a key frame of a format; -1: it is not there. The length, too, is a fixed byte."""

    format: KeypadFormat
    size: int
    fixed: tuple[tuple[int, bytes], ...]
    key_at: int
    key_size: int
    address_at: int
    checksum_at: int
    keys: dict[bytes, tuple[str, bool]]
    """Payload → key and whether it goes down."""
    idle: bytes

    @classmethod
    def of(cls, format: KeypadFormat) -> Layout:
        """Raises ValueError when the length does not fit a byte."""
        keys = {bytes.fromhex(payload): (name, True) for payload, name in format.keys.items()}
        keys |= {bytes.fromhex(payload): (name, False) for payload, name in format.releases.items()}
        key_size = len(next(iter(keys)))
        sample = fill(format, format.frame, {"address": b"\0", "key": bytes(key_size)})
        where = {"key": -1, "address": -1, "checksum": -1}
        sizes = {"key": key_size, "checksum": SIZES[format.checksum]}
        fixed: list[tuple[int, bytes]] = []
        at = 0
        for part in parts(format.frame):
            name = part[1:-1] if part.startswith("{") else ""
            size = sizes.get(name, 1)
            if name in where:
                where[name] = at
            elif fixed and fixed[-1][0] + len(fixed[-1][1]) == at:
                fixed[-1] = (fixed[-1][0], fixed[-1][1] + sample[at : at + size])
            else:
                fixed.append((at, sample[at : at + size]))
            at += size
        return cls(
            format,
            at,
            tuple(fixed),
            where["key"],
            key_size,
            where["address"],
            where["checksum"],
            keys,
            bytes.fromhex(format.idle),
        )

    @property
    def first(self) -> bytes:
        """The fixed bytes that every frame begins with; may be none."""
        return self.fixed[0][1] if self.fixed and self.fixed[0][0] == 0 else b""

    def mark(self, address: int | None) -> bytes:
        """Bytes that every frame of the keypad with this address has in it; may be none."""
        first = self.first
        if address is not None and self.address_at == len(first):
            return first + bytes((address,))
        return first


class Received(msgspec.Struct, frozen=True):
    """What a frame means: `key` is None for "no key pressed"; `at` is when its first byte came; `down` is
    False for a key that came up."""

    key: str | None
    at: float
    down: bool = True
    address: int | None = None


class KeyDecoder:
    """Bytes in pieces of any size → keys of one keypad. Holds less than one frame between calls.

    `bad`: runs of bytes that were no frame; `foreign`: frames of another address or with an unknown payload.
    """

    def __init__(self, layout: Layout, address: int | None) -> None:
        self.bad = 0
        self.foreign = 0
        self._layout = layout
        self._address = address if layout.address_at >= 0 else None
        self._first = layout.first[:1]
        self._bytes = bytearray()
        self._times: list[float] = []
        self._in_noise = False

    def feed(self, data: bytes, now: float) -> list[Received]:
        """`now`: seconds of a monotonic clock."""
        held, times, size = self._bytes, self._times, self._layout.size
        if held and now - times[-1] > self._layout.format.gap_ms / 1000:
            self._drop(len(held))
            self._noise()
        held += data
        times += [now] * len(data)
        found = []
        at = 0
        while len(held) - at >= size:
            try:
                frame = KeyFrame.from_bytes(bytes(held[at : at + size]), self._layout)
            except FrameError:
                self._noise()
                # where the next frame can begin
                next_at = held.find(self._first, at + 1)
                at = next_at if next_at >= 0 else len(held)
                continue
            if (received := self._meaning(frame, times[at])) is not None:
                found.append(received)
            self._in_noise = False
            at += size
        self._drop(at)
        return found

    def clear(self) -> None:
        self._drop(len(self._bytes))
        self._in_noise = False

    def _meaning(self, frame: KeyFrame, at: float) -> Received | None:
        if self._address is None or frame.address == self._address:
            if frame.payload == self._layout.idle:
                return Received(None, at, address=frame.address)
            if (key := self._layout.keys.get(frame.payload)) is not None:
                return Received(key[0], at, key[1], frame.address)
            self.foreign += 1
            # it lives: two keys of one byte, a key without a name
            return Received(None, at, address=frame.address) if self._layout.format.poll else None
        self.foreign += 1
        return None

    def _drop(self, count: int) -> None:
        del self._bytes[:count]
        del self._times[:count]

    def _noise(self) -> None:
        if not self._in_noise:
            self._in_noise = True
            self.bad += 1
