"""Frames of relays and light towers on a serial line, described by a format: bytes only, no I/O.

A format is a TOML file of templates, bytes in hex with places to fill in::

    on = "A0 {channel} 01 {checksum}"          # LC Technology LCUS: A0 01 01 A2 switches relay 1 on
    on = "{address} 05 00 {index} FF 00 {checksum}"    # Modbus-RTU, write single coil

| place | |
|---|---|
| `{address}` | of the device on its line |
| `{channel}` | of the lamp, from 1; `{index}`: from 0 |
| `{state}` | 00 off, 01 on |
| `{states}` | all channels, bit 0 of the first byte is channel 1; as many bytes as that takes |
| `{count}` | number of channels |
| `{code}` | any byte: the reason of a refusal |
| `{checksum}` | over all bytes before it: `sum` (low byte), `xor`, `crc16` (Modbus, low byte first) |

Sources: "LC USB switch communication protocol" as LC Technology's boards are sold with it (A0, channel,
operation, sum; operations 0 off, 1 on, 2 off and answer, 3 on and answer, 5 ask; answers A0 channel state
sum); Modbus Application Protocol 1.1b3, functions 01, 05, 0F, and the sample frames of Waveshare's "Protocol
Manual of Modbus RTU Relay"; Adafruit's example for the "Tri-Color USB Controlled Tower Light" (one byte).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import msgspec

from drivers.checksums import SIZES as CHECKSUM_SIZE
from drivers.checksums import Checksum, checksum
from drivers.errors import FrameChecksumError, FrameError
from drivers.format_file import read_format

HELD: Final = 256
"""Bytes of an answer that wait for their rest; the oldest go."""
CHANNELS: Final = 64

_PLACES: Final = ("address", "channel", "index", "state", "states", "count", "code", "checksum")
_OPEN: Final = ("state", "states", "code")
"""Places of an answer that tell something; the others must be as in the question."""

Template = Annotated[
    str, msgspec.Meta(pattern=rf"^\s*(([0-9A-Fa-f]{{2}}|\{{({'|'.join(_PLACES)})\}})\s*)*\Z", max_length=160)
]
"""Bytes as "01 {address} FF"; empty where the model has no such frame."""


class ChannelFrames(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Frames of one channel, where they follow no rule."""

    on: Template
    off: Template
    blink: Template = ""


class LightFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model's protocol. `…_answer`: what it answers to that frame; without one it is not waited for.

    `set` sets all channels at once and takes the place of `on` and `off`. `blink`: the model blinks by
    itself. `query` with `{channel}` or `{index}` is asked for each lamp, else once. `mechanical`: the relay
    wears out with each switching, so a call is a steady light unless the station wants otherwise.
    `gap_ms`: silence after each frame.
    """

    channels: Annotated[int, msgspec.Meta(ge=1, le=CHANNELS)]
    checksum: Checksum = "none"
    on: Template = ""
    off: Template = ""
    on_answer: Template = ""
    off_answer: Template = ""
    blink: Template = ""
    set: Template = ""
    set_answer: Template = ""
    query: Template = ""
    query_answer: Template = ""
    refusal: Template = ""
    own: dict[str, ChannelFrames] = {}
    mechanical: bool = False
    gap_ms: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0

    def __post_init__(self) -> None:
        problems = []
        if not (self.set or (self.on and self.off) or self.own):
            problems.append("one of set, on and off, own is needed")
        if bool(self.query) != bool(self.query_answer):
            problems.append("query and query_answer belong together")
        if self.query_answer and not re.search(r"\{states?\}", self.query_answer):
            problems.append("query_answer needs {state} or {states}")
        if not all(key.isdecimal() and 1 <= int(key) <= self.channels for key in self.own):
            problems.append("own: the keys are numbers of channels")
        for name in ("on", "off", "blink", "set", "query"):
            if "{code}" in getattr(self, name):
                problems.append(f"{name}: {{code}} is for refusals only")
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def blinks_itself(self) -> bool:
        return bool(self.blink) or any(frames.blink for frames in self.own.values())


@cache
def load_format(name: str) -> LightFormat:
    """A shipped format by its name ("lcus", "modbus-relay", …) or any by its path (ends in .toml).

    Raises ValueError for one that does not exist or is wrong.
    """
    return read_format(LightFormat, name, "light format", Path(__file__).parent / "formats")


@dataclass(frozen=True, slots=True)
class Values:
    """What stands in the places of a template. `on`: numbers of the channels that are on; `count`: of all."""

    address: int = 0
    channel: int = 1
    count: int = 1
    on: frozenset[int] = frozenset()
    code: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """A template made ready for bytes. `count`: channels of the model, which gives `{states}` its size."""

    template: str
    checksum: Checksum
    count: int

    @property
    def size(self) -> int:
        return sum(self._size(part) for part in _parts(self.template))

    def first(self, values: Values) -> int | None:
        """The byte with which its frames begin; None: any."""
        parts = _parts(self.template)
        if not parts or parts[0].strip("{}") in _OPEN:
            return None
        begin = self._bytes(parts[0], values, b"")
        return begin[0] if begin else None

    def to_bytes(self, values: Values) -> bytes:
        frame = bytearray()
        for part in _parts(self.template):
            frame += self._bytes(part, values, bytes(frame))
        return bytes(frame)

    def from_bytes(self, data: bytes, asked: Values) -> Values:
        """What a frame tells; all that is not open has to be as in `asked`.

        Raises FrameError, FrameChecksumError.
        """
        if len(data) != self.size:
            raise FrameError(f"{len(data)} bytes, not {self.size}")
        at, on, code = 0, asked.on, asked.code
        for part in _parts(self.template):
            got = data[at : at + self._size(part)]
            if part == "{state}":
                if got[0] > 1:
                    raise FrameError(f"state {got[0]:#04x}")
                on = (asked.on - {asked.channel}) | ({asked.channel} if got[0] else frozenset())
            elif part == "{states}":
                bits = int.from_bytes(got, "little")
                on = frozenset(n + 1 for n in range(self.count) if bits >> n & 1)
            elif part == "{code}":
                code = got[0]
            else:
                expected = self._bytes(part, asked, data[:at])
                if got != expected and part == "{checksum}":
                    raise FrameChecksumError(int.from_bytes(expected, "big"), int.from_bytes(got, "big"))
                if got != expected:
                    raise FrameError(f"{got.hex()} at {at}, not {expected.hex()}")
            at += len(got)
        return Values(asked.address, asked.channel, asked.count, on, code)

    def _size(self, part: str) -> int:
        if part == "{states}":
            return -(-self.count // 8)
        return CHECKSUM_SIZE[self.checksum] if part == "{checksum}" else 1

    def _bytes(self, part: str, values: Values, before: bytes) -> bytes:
        match part:
            case "{address}":
                return bytes((values.address,))
            case "{channel}":
                return bytes((values.channel,))
            case "{index}":
                return bytes((values.channel - 1,))
            case "{state}":
                return bytes((values.channel in values.on,))
            case "{states}":
                bits = sum(1 << channel - 1 for channel in values.on)
                return bits.to_bytes(self._size(part), "little")
            case "{count}":
                return bytes((self.count,))
            case "{code}":
                return bytes((values.code,))
            case "{checksum}":
                return checksum(self.checksum, before)
            case _:
                return bytes.fromhex(part)


@cache
def _parts(template: str) -> list[str]:
    return re.findall(r"[0-9A-Fa-f]{2}|\{\w+\}", template)


class AnswerReader:
    """Bytes in pieces of any size → the first of the wanted frames. Holds at most `HELD` bytes.

    `skipped`: bytes that belonged to no wanted frame: noise, or talk of others on a shared line.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._held = b""

    def feed(self, data: bytes, wanted: list[Layout], asked: Values) -> tuple[int, Values] | None:
        """The number of the wanted layout that came and what it tells; None: not yet."""
        held = (self._held + data)[-HELD:]
        shapes = [(layout, layout.size, layout.first(asked)) for layout in wanted]
        for at, byte in enumerate(held):
            for number, (layout, size, first) in enumerate(shapes):
                if first in (None, byte) and 0 < size <= len(held) - at:
                    try:
                        told = layout.from_bytes(held[at : at + size], asked)
                    except FrameError:
                        continue
                    self.skipped += at
                    self._held = held[at + size :]
                    return number, told
        self._held = held
        return None

    def clear(self) -> None:
        self.skipped += len(self._held)
        self._held = b""
