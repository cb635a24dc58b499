"""Frames of the Acme strip.

    question: 02 address command length text… xor 03        command: T show text, P ping
    answer:   06 address                                    taken
              15 address reason                             refused

`xor` is over address … text. Texts are GB2312.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import xor

from drivers.errors import FrameChecksumError, FrameError


class Command(IntEnum):
    TEXT = ord("T")
    PING = ord("P")


@dataclass(frozen=True, slots=True)
class Question:
    address: int
    command: Command
    text: bytes = b""

    def to_bytes(self) -> bytes:
        body = bytes((self.address, self.command, len(self.text))) + self.text
        return b"\x02" + body + bytes((reduce(xor, body), 3))

    @classmethod
    def from_bytes(cls, data: bytes) -> Question:
        """Raises FrameError."""
        if len(data) < 6 or data[0] != 2 or data[-1] != 3 or len(data) != 6 + data[3]:
            raise FrameError("no question")
        body = data[1:-2]
        if reduce(xor, body) != data[-2]:
            raise FrameChecksumError(reduce(xor, body), data[-2])
        try:
            return cls(body[0], Command(body[1]), body[3:])
        except ValueError as error:
            raise FrameError(f"command {body[1]}") from error


@dataclass(frozen=True, slots=True)
class Answer:
    """`refusal` is None when it was taken."""

    address: int
    refusal: int | None = None


class AnswerReader:
    """Bytes in pieces of any size → answers. Holds at most two bytes."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Answer]:
        found = []
        rest = self._held + data
        while rest:
            size = {6: 2, 0x15: 3}.get(rest[0])
            if size is None:
                rest = rest[1:]  # noise
                continue
            if len(rest) < size:
                break
            found.append(Answer(rest[1], rest[2] if size == 3 else None))
            rest = rest[size:]
        self._held = rest
        return found

    def clear(self) -> None:
        self._held = b""
