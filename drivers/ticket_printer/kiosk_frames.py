"""Bytes of kiosk printers with a presenter: Custom VKP80II and VKP80III, Pyramid Reliance. No I/O.

    to the printer                              from the printer
    10 04 14       ask now (real time)     →    10 0F paper user recoverable fatal
    1D 72 01       ask behind all data     →    one byte, b & 0x90 == 0 (as ESC/POS)
    1D E4          retractions (Custom)    →    "512ret", ASCII
    1D 65 02       cut if needed, retract into the bin, if the printer's set-up allows it
    1D 65 03 m     cut if needed, present so that m steps stand out
    1D 65 05       cut if needed, eject
    1D 65 12       hold the paper inside while it prints (14: push it out while it prints)
    1C 50 m b a t  VKP80III: cut, present m steps, b = 1 blinks at the mouth, after t seconds (0: never)
                   a = 'R' retracts, 'E' ejects
    1D 50 x y      motion units 1/x and 1/y inch
    1B 69          cut

What each model knows, and what is not known, stands with `MODELS` in `kiosk_printer`. The Reliance's answers
to 10 04 01 … 04 lack the fixed bits by which they are told from other bytes: only 10 04 14 is used.

Sources: Pyramid Technologies, ESC/POS documentation for Reliance (escpos.readthedocs.io: paper_movement,
reliance_status, info); Custom, VKP80II command reference and VKP80III commands manual 915DX010100 as far as
public extracts and programs quote them; the same maker's KPM210/216 and KPM150 manuals for 10 04 14 and
1D E4.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, TypeAlias

from drivers.errors import FrameError
from drivers.ticket_printer.escpos_frames import QueuedAnswer

FULL_STATUS: Final = b"\x10\x04\x14"
ASK_RETRACTIONS: Final = b"\x1d\xe4"
DOT_UNITS: Final = b"\x1dP\xcb\xcb"
"""Motion units of 1/203 inch: one dot, as `escpos_frames` counts them (Custom starts with half dots)."""
CUT: Final = b"\x1bi"
_STATUS_START: Final = b"\x10\x0f"
_STATUS_SIZE: Final = 6
_COUNT_DIGITS: Final = 10
_COUNT_UNIT: Final = b"ret"


class Ejector(IntEnum):
    """n of `1D 65 n`."""

    RETRACT = 0x02
    PRESENT = 0x03
    EJECT = 0x05
    HOLD = 0x12
    CONTINUOUS = 0x14


class PaperBit(IntFlag):
    OUT = 0x01
    LOW = 0x04
    IN_OUTLET = 0x20
    VIRTUAL_END = 0x40
    """The length that the printer counts by itself has run out."""
    NOTCH = 0x80


class UserBit(IntFlag):
    HEAD_UP = 0x01
    COVER = 0x02
    SPOOLING = 0x04
    MOTOR = 0x08
    LINE_KEY = 0x20
    FORM_KEY = 0x40


class RecoverableBit(IntFlag):
    HEAD_TEMPERATURE = 0x01
    SERIAL = 0x02
    VOLTAGE = 0x08
    BAD_COMMAND = 0x20
    JAM = 0x40
    NOTCH_SEARCH = 0x80


class FatalBit(IntFlag):
    CUTTER = 0x01
    CUTTER_COVER = 0x02
    RAM = 0x04
    EEPROM = 0x08
    FLASH = 0x40
    EMITTER = 0x80


_BROKEN: Final = FatalBit.RAM | FatalBit.EEPROM | FatalBit.FLASH | FatalBit.EMITTER


def ejector(what: Ejector) -> bytes:
    """A command of the ejector that takes no more than itself."""
    return bytes((0x1D, 0x65, what))


def present(steps: int) -> bytes:
    """Cut if needed and present, 0–255 steps."""
    return ejector(Ejector.PRESENT) + bytes((steps,))


def present_for(steps: int, seconds: int, *, blink: bool, retract: bool) -> bytes:
    """VKP80III: cut and present 0–255 steps; retract or eject after 0–255 seconds, 0: never."""
    return bytes((0x1C, 0x50, steps, blink, ord("R" if retract else "E"), seconds))


@dataclass(frozen=True, slots=True)
class FullStatus:
    """The four bytes behind 10 0F, 0–255 each; bits that no manual names are kept and mean nothing."""

    paper: int = 0
    user: int = 0
    recoverable: int = 0
    fatal: int = 0

    @classmethod
    def from_bytes(cls, frame: bytes) -> FullStatus:
        """Raises FrameError unless it is 10 0F and four bytes."""
        if len(frame) != _STATUS_SIZE or frame[:2] != _STATUS_START:
            raise FrameError(f"no full status: {frame.hex(' ')}")
        return cls(*frame[2:])

    def to_bytes(self) -> bytes:
        return _STATUS_START + bytes((self.paper, self.user, self.recoverable, self.fatal))

    @property
    def paper_out(self) -> bool:
        return bool(self.paper & PaperBit.OUT)

    @property
    def paper_low(self) -> bool:
        return bool(self.paper & (PaperBit.LOW | PaperBit.VIRTUAL_END))

    @property
    def in_outlet(self) -> bool:
        """A ticket lies in the outlet."""
        return bool(self.paper & PaperBit.IN_OUTLET)

    @property
    def cover_open(self) -> bool:
        return bool(self.user & (UserBit.COVER | UserBit.HEAD_UP))

    @property
    def moving(self) -> bool:
        """The paper motor runs."""
        return bool(self.user & UserBit.MOTOR)

    @property
    def spoiled(self) -> bool:
        """The printer saw characters that it could not read, or a command that it does not know."""
        return bool(self.recoverable & (RecoverableBit.SERIAL | RecoverableBit.BAD_COMMAND))

    @property
    def fault(self) -> str | None:
        """The text key of what a person has to mend before it prints, most serious first."""
        if self.fatal & _BROKEN:
            return "printer.error"
        if self.fatal & (FatalBit.CUTTER | FatalBit.CUTTER_COVER):
            return "printer.cutter"
        if self.recoverable & RecoverableBit.JAM:
            return "printer.jam"
        if self.cover_open:
            return "printer.cover_open"
        return "printer.paper_out" if self.paper_out else None

    @property
    def hindrance(self) -> str | None:
        """The text key of why it does not print now: a fault, or a state that ends by itself."""
        if code := self.fault:
            return code
        if self.recoverable & RecoverableBit.HEAD_TEMPERATURE:
            return "printer.head_temperature"
        return "printer.voltage" if self.recoverable & RecoverableBit.VOLTAGE else None

    @property
    def facts(self) -> dict[str, str | int | float | bool | None]:
        """For `Health.facts`, without the paper."""

        def fault(bits: int) -> str:
            return "fault" if bits else "ok"

        return {
            "cover": "open" if self.cover_open else "shut",
            "cutter": fault(self.fatal & (FatalBit.CUTTER | FatalBit.CUTTER_COVER)),
            "head": "hot" if self.recoverable & RecoverableBit.HEAD_TEMPERATURE else "ok",
            "voltage": fault(self.recoverable & RecoverableBit.VOLTAGE),
            "paper_path": "jam" if self.recoverable & RecoverableBit.JAM else "free",
        }


@dataclass(frozen=True, slots=True)
class Retractions:
    """How many papers the printer has ever retracted."""

    count: int


KioskAnswer: TypeAlias = FullStatus | QueuedAnswer | Retractions


class KioskAnswerReader:
    """Bytes of the printer, in pieces of any size, to answers. Keeps at most `_COUNT_DIGITS` + 3 bytes."""

    def __init__(self) -> None:
        self._frame = bytearray()
        self._text = bytearray()

    def feed(self, data: bytes) -> list[KioskAnswer]:
        return [answer for byte in data if (answer := self._byte(byte)) is not None]

    def forget(self) -> None:
        """What is left of a frame was noise, and must not swallow the next answer."""
        self._frame.clear()
        self._text.clear()

    def _byte(self, byte: int) -> KioskAnswer | None:
        frame = self._frame
        if len(frame) >= 2:
            frame.append(byte)
            if len(frame) < _STATUS_SIZE:
                return None
            status = FullStatus.from_bytes(bytes(frame))
            frame.clear()
            return status
        if frame and byte == _STATUS_START[1]:
            frame.append(byte)
            return None
        frame.clear()
        if byte == _STATUS_START[0]:
            frame.append(byte)
            self._text.clear()
            return None
        if byte & 0x90 == 0 and byte & 0x03 in (0, 0x03) and byte & 0x0C in (0, 0x0C):
            self._text.clear()
            return QueuedAnswer(byte)
        return self._letter(byte)

    def _letter(self, byte: int) -> Retractions | None:
        """A byte of "512ret"."""
        text = self._text
        digits = len(text.rstrip(_COUNT_UNIT))
        if 0x30 <= byte <= 0x39:
            if digits != len(text) or digits >= _COUNT_DIGITS:
                text.clear()
            text.append(byte)
        elif digits and byte == _COUNT_UNIT[len(text) - digits]:
            text.append(byte)
            if len(text) == digits + len(_COUNT_UNIT):
                count = int(text[:digits])
                text.clear()
                return Retractions(count)
        else:
            text.clear()
        return None
