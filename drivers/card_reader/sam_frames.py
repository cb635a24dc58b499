"""Frames of the SAM module inside every reader of second-generation ID cards. Pure: no I/O.

::

    AA AA AA 96 69 | length, 2, big-endian | payload | checksum
                     counts payload + checksum         XOR of length and payload

A command's payload is two bytes and perhaps data; a reply's is SW1 SW2 SW3 and data. A reply does not say
which command it answers. UART 115200 8N1 by default.

Sources: the SAM_V communication protocol as published by makers of readers (eastcoms.com, "SAM_V 通信协议"),
with the status words of 公安部 居民身份证验证安全控制模块接口技术规范.

Recovery: bytes before a preamble are dropped; a length that cannot be or a wrong checksum drops one byte
and the search goes on, so that a good frame behind a spoiled one is found.

Payloads are mutable and can be wiped: a reply may carry a person's data. `repr` never shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from drivers.errors import FrameChecksumError, FrameError

PREAMBLE: Final = b"\xaa\xaa\xaa\x96\x69"
HEAD_SIZE: Final = len(PREAMBLE) + 2
LENGTH_LIMIT: Final = 2400
"""Greatest length taken for real; the longest reply known (text, photo, fingerprints) has 2314."""
TEXT_SIZE: Final = 256
PHOTO_SIZE: Final = 1024


class Command(IntEnum):
    RESET = 0x10FF
    STATUS = 0x11FF
    SAM_ID = 0x12FF
    FIND = 0x2001
    SELECT = 0x2002
    READ_TEXT_AND_PHOTO = 0x3001
    READ_NEWEST_ADDRESS = 0x3003
    READ_CHIP_NUMBER = 0x3005
    READ_WITH_FINGERPRINTS = 0x3010


class Status(IntEnum):
    """SW3, the reader's own status."""

    CHECKSUM = 0x10
    LENGTH = 0x11
    BAD_COMMAND = 0x21
    NOT_AUTHORISED = 0x23
    CARD_DISTRUSTS_READER = 0x31
    READER_DISTRUSTS_CARD = 0x32
    NOT_VERIFIED = 0x33
    NOT_FOUND_YET = 0x34
    UNKNOWN_CARD = 0x40
    READ_FAILED = 0x41
    SELF_TEST_FAILED = 0x60
    NO_KEY = 0x66
    FIND_FAILED = 0x80
    SELECT_FAILED = 0x81
    OK = 0x90
    NO_SUCH_ITEM = 0x91
    FOUND = 0x9F


def checksum(data: bytes | bytearray | memoryview) -> int:
    """XOR of all bytes: of the length and the payload of a frame."""
    value = 0
    for byte in data:
        value ^= byte
    return value


@dataclass(frozen=True, slots=True)
class SamFrame:
    """One frame, either way."""

    payload: bytes | bytearray = field(repr=False)

    def to_bytes(self) -> bytes:
        body = (len(self.payload) + 1).to_bytes(2, "big") + self.payload
        return PREAMBLE + body + bytes((checksum(body),))

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> SamFrame:
        """Exactly one whole frame. Raises FrameError, FrameChecksumError; neither carries the bytes."""
        if len(data) < HEAD_SIZE + 2 or bytes(data[: len(PREAMBLE)]) != PREAMBLE:
            raise FrameError("no SAM frame")
        if int.from_bytes(data[len(PREAMBLE) : HEAD_SIZE], "big") != len(data) - HEAD_SIZE:
            raise FrameError("the length of a SAM frame does not fit")
        expected = checksum(data[len(PREAMBLE) : -1])
        if data[-1] != expected:
            raise FrameChecksumError(expected, data[-1])
        return cls(bytearray(data[HEAD_SIZE:-1]))

    def wipe(self) -> None:
        """Overwrite the payload where it can be."""
        if isinstance(self.payload, bytearray):
            self.payload[:] = bytes(len(self.payload))


def command(code: int) -> bytes:
    """The bytes of a command without data; `code` is a `Command` or another two bytes, e.g. 0x3011."""
    return SamFrame(code.to_bytes(2, "big")).to_bytes()


@dataclass(frozen=True, slots=True)
class SamReply:
    """A reply. `status` is SW3, a `Status` where it is known; `data` is never shown by `repr`."""

    sw1: int
    sw2: int
    status: int
    data: bytearray = field(repr=False)

    @classmethod
    def from_frame(cls, frame: SamFrame) -> SamReply:
        """Takes the frame's payload over and wipes it there. Raises FrameError."""
        payload = frame.payload
        if len(payload) < 3:
            raise FrameError("a SAM reply without status")
        reply = cls(payload[0], payload[1], payload[2], bytearray(payload[3:]))
        frame.wipe()
        return reply

    def take_text(self) -> bytearray:
        """The 256 bytes of text of a read reply; the photo and the reply's data are overwritten at once.

        Data: text length (2), photo length (2), text, photo; a reader asked for text alone sends no photo.
        Raises FrameError when the reply has another shape. The caller wipes what it got.
        """
        data = self.data
        text_size, photo_size = int.from_bytes(data[0:2], "big"), int.from_bytes(data[2:4], "big")
        fits = text_size == TEXT_SIZE and photo_size in (0, PHOTO_SIZE)
        fits = fits and len(data) == 4 + text_size + photo_size
        text = data[4 : 4 + TEXT_SIZE] if fits else bytearray()
        self.wipe()
        if not fits:
            raise FrameError("a read reply of another shape")
        return text

    def wipe(self) -> None:
        self.data[:] = bytes(len(self.data))


class SamSplitter:
    """Cuts a stream of bytes into frames. Holds at most one frame of `LENGTH_LIMIT`."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.spoiled = 0
        """Frames with a wrong checksum or an impossible length, since the beginning."""

    def feed(self, data: bytes) -> list[SamFrame]:
        """The frames that are complete now. Used bytes are overwritten in the buffer."""
        frames: list[SamFrame] = []
        self._buffer += data
        while (end := self._frame_end()) is not None:
            try:
                frames.append(SamFrame.from_bytes(memoryview(self._buffer)[:end]))
            except FrameError:
                self.spoiled += 1
                end = 1
            self._drop(end)
        return frames

    def reset(self) -> None:
        """Forget what has come so far."""
        self._drop(len(self._buffer))

    def _frame_end(self) -> int | None:
        """Where the frame at the buffer's start ends; None when more bytes are needed."""
        while True:
            start = self._buffer.find(PREAMBLE)
            if start < 0:
                # what may be the beginning of a preamble stays
                self._drop(len(self._buffer) - len(PREAMBLE) + 1)
                return None
            self._drop(start)
            if len(self._buffer) < HEAD_SIZE:
                return None
            length = int.from_bytes(self._buffer[len(PREAMBLE) : HEAD_SIZE], "big")
            if 2 <= length <= LENGTH_LIMIT:
                end = HEAD_SIZE + length
                return end if len(self._buffer) >= end else None
            self.spoiled += 1
            self._drop(1)

    def _drop(self, count: int) -> None:
        if count > 0:
            self._buffer[:count] = bytes(count)
            del self._buffer[:count]
