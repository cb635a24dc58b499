"""What is said to Onbon cards and what they answer: the data of the frames in `onbon_bx_frames`. Pure.

Sources as there; chapter numbers are those of the K protocol (2021), "6th" is the manual of the sixth
generation of matrix cards.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from drivers.errors import FrameError


class Command(IntEnum):
    """Group and command in one number."""

    ACK = 0xA000
    NACK = 0xA001
    STATUS = 0xA102
    PING = 0xA200
    MATRIX_BRIGHTNESS = 0xA207
    SPEAK = 0xA20E
    ON_OFF = 0xA300
    BRIGHTNESS = 0xA302
    LOCK = 0xA304
    DYNAMIC_AREA = 0xA306
    CLEAR = 0xA310
    MATRIX_DYNAMIC_AREA = 0xA700
    MATRIX_DELETE_AREA = 0xA701
    MATRIX_SPEAK = 0xA707


class CardError(IntEnum):
    """What a card answers, chapter 6 and matrix manuals 5.2.2."""

    NONE = 0
    GROUP = 1
    COMMAND = 2
    BUSY = 3
    MEMORY = 4
    CHECKSUM = 5
    NO_FILE = 6
    FLASH = 7
    NO_FONT = 12
    FIRMWARE_TYPE = 13
    CONTROLLER_TYPE = 17


# ---------------------------------------------------------------- requests


def k_request(command: Command, payload: bytes = b"") -> bytes:
    """The data of a K frame: group, command, "answer me", 00 00, payload."""
    return command.to_bytes(2, "big") + b"\x01\0\0" + payload


def matrix_request(command: Command, payload: bytes = b"", *, length: int = 0) -> bytes:
    """The data of a matrix frame: "answer me", group, command, 2 bytes (reserved, or a length), payload."""
    return b"\x01" + command.to_bytes(2, "big") + length.to_bytes(2, "little") + payload


def k_brightness(level: int) -> bytes:
    """Payload of BRIGHTNESS (8.17): force the level, 0–15."""
    return bytes((1, level))


def matrix_brightness(level: int) -> bytes:
    """Payload of MATRIX_BRIGHTNESS (its length field is 0x31): by hand, one level for every half hour."""
    return bytes((0, *[level] * 48))


def on_off(on: bool) -> bytes:
    """Payload of ON_OFF (8.13): until the card's own schedule says otherwise."""
    return b"\x01" if on else b"\x02"


def lock(programme: str, locked: bool, *, kept: bool = False) -> bytes:
    """Payload of LOCK (8.18): show only the stored `programme` ("P000"). `kept`: beyond a power cut."""
    return bytes((kept, locked)) + programme.encode("ascii")


class Speech(msgspec.Struct, frozen=True):
    """What a card with voice shall speak, in GB2312. `person` 0–5, `volume` and `speed` 0–10."""

    text: bytes
    person: int = 0
    volume: int = 5
    speed: int = 5
    times: int = 1
    pause_s: float = 0.0
    """Between two times."""
    digits_one_by_one: bool = True
    """005 is read as a number of a ticket, not as five."""

    _HEAD = struct.Struct("<BBBBII")

    def _head(self) -> bytes:
        pause = round(self.pause_s * 100)
        return self._HEAD.pack(self.person, self.volume, self.speed, 0, self.times - 1, pause)

    def k_payload(self) -> bytes:
        """Payload of SPEAK (8.25): 6 more reserved bytes, not stored, parameters, text.

        The way of reading digits stands in the text (11.1: `[n1]` one by one, `[n2]` as a value).
        """
        text = (b"[n1]" if self.digits_one_by_one else b"[n2]") + self.text
        return bytes(7) + self._head() + b"\0" + len(text).to_bytes(4, "little") + text

    def matrix_payload(self) -> bytes:
        """Payload of MATRIX_SPEAK (6th 5.4.4): not stored, at the end of the queue."""
        body = (
            self._head()
            + (3).to_bytes(4, "little")
            + bytes((1 if self.digits_one_by_one else 2, 0, 0))
            + len(self.text).to_bytes(4, "little")
            + self.text
        )
        return b"\0\x02" + bytes(3) + len(body).to_bytes(4, "little") + body


# ---------------------------------------------------------------- answers


class Reply(msgspec.Struct, frozen=True):
    """An answer of a card; `error` 0 is good (see `CardError`)."""

    command: int
    error: int
    data: bytes = b""

    @classmethod
    def from_k(cls, data: bytes) -> Reply:
        """From a K frame's data: group, command, error, 00 00, data. Raises FrameError."""
        if len(data) < 5:
            raise FrameError("reply cut short")
        command = int.from_bytes(data[:2], "big")
        return cls(command, _error(command, data[2]), data[5:])

    @classmethod
    def from_matrix(cls, data: bytes) -> Reply:
        """From a matrix frame's data: 00, group, command, status 2 (bit 0: refused), error 2, length 2, data.

        Raises FrameError.
        """
        if len(data) < 9:
            raise FrameError("reply cut short")
        command = int.from_bytes(data[1:3], "big")
        status, error, length = struct.unpack_from("<HHH", data, 3)
        if length != len(data) - 9:
            raise FrameError(f"reply of {len(data)} bytes says {length}")
        return cls(command, _error(Command.NACK if status & 1 else command, error), data[9:])


def _error(command: int, error: int) -> int:
    """A nack without a reason is still a nack."""
    return error or (0xFFFF if command == Command.NACK else 0)


class CardStatus(msgspec.Struct, frozen=True):
    """The answer to STATUS of a font card (8.4). `areas`: ids of the dynamic areas that it holds."""

    on: bool
    brightness: int
    areas: frozenset[int]

    @classmethod
    def from_bytes(cls, data: bytes) -> CardStatus:
        """`data` of the reply: on/off 1 (1 on, 2 off), brightness 1, clock 8, programmes 1, file name 4,
        special area 1 and its pages 1 (not on every card), number of areas 1, their ids, bar code 16 and
        network id 12 (not on every card). The length tells which it is. Raises FrameError.
        """
        for tail in (28, 16, 0):
            for at in (17, 15):
                if len(data) <= at or len(data) != at + 1 + data[at] + tail:
                    continue
                if at == 15 or data[15] == 1 or data[15:17] == b"\0\0":
                    # in the longer form: a special area, or none and no pages of it
                    return cls(data[0] != 2, data[1], frozenset(data[at + 1 : at + 1 + data[at]]))
        raise FrameError(f"a status of {len(data)} bytes")
