"""ESC/POS bytes of a ticket printer: text, raster, status. No I/O.

    to the printer                                  from the printer
    10 04 n      ask now, n = 1…4 (real time)  →    one byte, b & 0x93 == 0x12
    1D 72 01     ask behind all data           →    one byte, b & 0x90 == 0; none while offline
    1D 61 n      automatic status on/off       →    four bytes at every change: b & 0x93 == 0x10, then
                                                    three with b & 0x90 == 0
    10 14 08 …   clear all buffers (real time) →    37 25 00
    1B 40        reset modes and line; automatic status goes off
    1C 26 … 1C 2E   two-byte Chinese (GB2312) between them
    1D 76 30 00 xL xH yL yH data   raster, xL xH in bytes of 8 dots

Answers carry no number, and a real-time answer may come between the four bytes of an automatic status.
A lost or foreign byte is skipped; the next first byte of an answer is taken again.

Sources: Seiko Epson, ESC/POS command reference (DLE EOT, DLE DC4 fn=8, GS a, GS r, GS v 0, GS !, FS &);
manuals of Citizen CT-S300 and HPRT TP80K for the same commands on other makes; trials in
`shared/hardware.md`. GB 2312-80, GB 18030-2022 for the text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final, Literal, TypeAlias

INITIALISE: Final = b"\x1b@"
CLEAR_BUFFERS: Final = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
ASK_QUEUED: Final = b"\x1dr\x01"
AUTOMATIC_ON: Final = b"\x1da\x0e"
"""Automatic status for online/offline, errors and paper."""
CHINESE_ON: Final = b"\x1c&"
CHINESE_OFF: Final = b"\x1c."
LINE_FEED: Final = b"\n"

DOTS_PER_COLUMN: Final = 12
"""Font A is 12 × 24 dots, a Chinese character 24 × 24."""
CELL_HEIGHT: Final = 24
BAND_ROWS: Final = 24
"""Rows of one raster command: small buffers and short commands."""
LONGEST_COMMAND: Final = 2048
"""No command that we send is longer; so many zero bytes end any command that was cut off."""

Align: TypeAlias = Literal["left", "center", "right"]
_ALIGN: Final[dict[Align, int]] = {"left": 0, "center": 1, "right": 2}


class Query(IntEnum):
    """What DLE EOT asks for."""

    PRINTER = 1
    OFFLINE = 2
    ERROR = 3
    PAPER = 4


def status_query(query: Query) -> bytes:
    """DLE EOT n."""
    return bytes((0x10, 0x04, query))


def size(width: int, height: int) -> bytes:
    """Character size, 1–8 times each way."""
    if not (1 <= width <= 8 and 1 <= height <= 8):
        raise ValueError(f"size {width}×{height}, 1 to 8 each")
    return bytes((0x1D, 0x21, (width - 1) << 4 | (height - 1)))


def align(where: Align) -> bytes:
    return bytes((0x1B, 0x61, _ALIGN[where]))


def bold(on: bool) -> bytes:
    return bytes((0x1B, 0x45, on))


def feed_dots(dots: int) -> bytes:
    """Print the line and feed, 0–255 dots."""
    return bytes((0x1B, 0x4A, dots))


def line_spacing(dots: int) -> bytes:
    """From line to line, 0–255 dots; a taller line takes its own height."""
    return bytes((0x1B, 0x33, dots))


# ---------------------------------------------------------------- text


def printable(text: str) -> str:
    """The text without anything that is a command or invisible; line breaks stay."""
    kept = []
    for char in text:
        if char in "\n\t\u00a0\u3000" or unicodedata.category(char) == "Zs":
            kept.append("\n" if char == "\n" else "　" if char == "\u3000" else " ")
        elif unicodedata.category(char)[0] != "C":
            kept.append(char)
    return "".join(kept)


@lru_cache(maxsize=4096)
def gb2312(char: str) -> bytes | None:
    """The two bytes of a character of GB2312 (A1–F7, A1–FE), None when it has none.

    Encoded as GB18030, whose 0xA1A4 and 0xA1AA are the `·` and `—` that people type.
    """
    try:
        code = char.encode("gb18030")
        if len(code) != 2 or code[0] < 0xA1 or code[1] < 0xA1:
            return None
        code.decode("gb2312")  # GB18030 fills places in that range that are empty in GB2312
    except UnicodeError:
        return None
    return code


def encode_text(text: str) -> bytes | None:
    """ASCII raw, GB2312 between 1C 26 and 1C 2E; None when a character is in neither: print it as raster.

    `text` has to be `printable` and one line.
    """
    out = bytearray()
    chinese = False
    for char in text:
        ascii = " " <= char <= "~"
        code = char.encode("ascii") if ascii else gb2312(char)
        if code is None:
            return None
        if chinese == ascii:
            out += CHINESE_OFF if chinese else CHINESE_ON
            chinese = not chinese
        out += code
    if chinese:
        out += CHINESE_OFF
    return bytes(out)


def display_width(char: str) -> int:
    """Half-width columns of a character: 0 (combining), 1 or 2."""
    if " " <= char <= "~":
        return 1
    if unicodedata.combining(char):
        return 0
    if gb2312(char) is not None:
        return 2
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def text_width(text: str) -> int:
    return sum(map(display_width, text))


# ---------------------------------------------------------------- raster


@dataclass(frozen=True, slots=True)
class Bitmap:
    """Dots, row by row, `width_bytes` bytes each, most significant bit left, 1 = black."""

    width_bytes: int
    rows: bytes

    @property
    def height(self) -> int:
        return len(self.rows) // self.width_bytes


def raster(bitmap: Bitmap) -> Iterator[bytes]:
    """GS v 0 commands, one for each band of at most `BAND_ROWS` rows and `LONGEST_COMMAND` bytes."""
    step = bitmap.width_bytes * min(BAND_ROWS, (LONGEST_COMMAND - 8) // bitmap.width_bytes)
    for start in range(0, len(bitmap.rows), step):
        data = bitmap.rows[start : start + step]
        height = len(data) // bitmap.width_bytes
        header = b"\x1dv0\x00" + bitmap.width_bytes.to_bytes(2, "little") + height.to_bytes(2, "little")
        yield header + without_real_time(data)


def without_real_time(data: bytes) -> bytes:
    """Image data in which no printer sees a real-time command: one more dot instead of 10 04/05/14."""
    if b"\x10" not in data:
        return data
    for second in (b"\x04", b"\x05", b"\x14"):
        data = data.replace(b"\x10" + second, b"\x18" + second)
    # the byte after a band is never 04, 05 or 14, so a band that ends in 10 is harmless
    return data


# ---------------------------------------------------------------- status


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What a printer says of itself."""

    offline: bool = False
    cover_open: bool = False
    feeding: bool = False
    paper_out: bool = False
    paper_low: bool = False
    cutter: bool = False
    unrecoverable: bool = False
    recovers: bool = False
    """An error that ends by itself, such as a hot print head."""
    error: bool = False

    @property
    def fault(self) -> str | None:
        """The text key of what a person has to mend before it prints, most serious first."""
        if self.unrecoverable:
            return "printer.error"
        if self.cutter:
            return "printer.cutter"
        if self.cover_open:
            return "printer.cover_open"
        if self.paper_out:
            return "printer.paper_out"
        if self.error and not self.recovers:
            return "printer.error"
        return None

    @property
    def hindrance(self) -> str | None:
        """The text key of why it does not print now: a fault, or a state that ends by itself."""
        if code := self.fault:
            return code
        if self.recovers:
            return "printer.recovering"
        return "printer.offline" if self.offline else None

    @property
    def facts(self) -> dict[str, str | int | float | bool | None]:
        """For `Health.facts`, without the paper."""
        return {
            "cover": "open" if self.cover_open else "shut",
            "online": not self.offline,
            "cutter": "fault" if self.cutter else "ok",
        }

    @classmethod
    def from_answers(cls, printer: int, offline: int, error: int, paper: int) -> PrinterStatus:
        """From the answers to DLE EOT 1, 2, 3 and 4."""
        return cls(
            offline=bool(printer & 0x08),
            cover_open=bool(offline & 0x04),
            feeding=bool(offline & 0x08),
            paper_out=bool(offline & 0x20) or paper & 0x60 == 0x60,
            paper_low=paper & 0x0C == 0x0C,
            cutter=bool(error & 0x08),
            unrecoverable=bool(error & 0x20),
            recovers=bool(error & 0x40),
            error=bool(offline & 0x40) or bool(error & 0x04),
        )

    @classmethod
    def from_bytes(cls, frame: bytes) -> PrinterStatus:
        """From the four bytes of an automatic status."""
        first, second, third, _ = frame
        return cls(
            offline=bool(first & 0x08),
            cover_open=bool(first & 0x20),
            feeding=bool(first & 0x40),
            paper_low=third & 0x03 == 0x03,
            paper_out=third & 0x0C == 0x0C,
            error=bool(second & 0x04),
            cutter=bool(second & 0x08),
            unrecoverable=bool(second & 0x20),
            recovers=bool(second & 0x40),
        )


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """To DLE EOT; which one was asked has to be remembered."""

    value: int


@dataclass(frozen=True, slots=True)
class QueuedAnswer:
    """To GS r 1: everything before it was done."""

    value: int


@dataclass(frozen=True, slots=True)
class AutomaticStatus:
    status: PrinterStatus


@dataclass(frozen=True, slots=True)
class Cleared:
    """To DLE DC4 8: all buffers are empty."""


Answer: TypeAlias = StatusAnswer | QueuedAnswer | AutomaticStatus | Cleared

_CLEARED: Final = b"\x37\x25\x00"


class AnswerReader:
    """Bytes of the printer, in pieces of any size, to answers. Keeps at most three bytes."""

    def __init__(self) -> None:
        self._frame = bytearray()

    def feed(self, data: bytes) -> list[Answer]:
        return [answer for byte in data if (answer := self._byte(byte)) is not None]

    def forget(self) -> None:
        """The line was quiet: what is left of a frame was noise, and must not swallow the next answer."""
        self._frame.clear()

    def _byte(self, byte: int) -> Answer | None:
        if byte & 0x93 == 0x12:
            return StatusAnswer(byte)  # in real time, even inside a frame
        frame = self._frame
        if frame and frame[0] == _CLEARED[0]:
            if byte == _CLEARED[len(frame)]:
                frame.append(byte)
                if len(frame) == len(_CLEARED):
                    frame.clear()
                    return Cleared()
                return None
            frame.clear()
        if byte & 0x93 == 0x10 or byte == _CLEARED[0]:
            frame[:] = bytes((byte,))
            return None
        if byte & 0x90:
            frame.clear()  # XON, XOFF or noise
            return None
        if frame:
            frame.append(byte)
            if len(frame) == 4:
                status = PrinterStatus.from_bytes(bytes(frame))
                frame.clear()
                return AutomaticStatus(status)
            return None
        low, end = byte & 0x03, byte & 0x0C
        return QueuedAnswer(byte) if low in (0, 0x03) and end in (0, 0x0C) else None
