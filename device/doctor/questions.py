"""The questions that any device may be asked before anybody knows what it is. Bytes only, no I/O.

A question is safe when no device of another class prints, shows, speaks, opens or changes anything at it.
What each question does to each class, and why these and no others: docs/decisions/0034-safe-questions.md. In
short:

- no question has a byte that ends a line or a page or makes a noise (07 and 0A to 0D), none has 10 14 or
  1B 70 (which open drawers), 1D 56 (cut) or 12 54 (test page) in it, at any baud rate at which it is heard;
- a printer takes foreign bytes as text and prints it with its next ticket. So every question that is text to
  a printer is shorter than a line and stands between two `ERASE`, which empties the line;
- the printer's own question comes first, because it is none to anybody else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from drivers.call_screen.onbon_bx_commands import Command as ScreenCommand
from drivers.call_screen.onbon_bx_commands import Reply, k_request, matrix_request
from drivers.call_screen.onbon_bx_frames import SOURCE, FrameSplitter, KFrame, MatrixFrame
from drivers.card_reader.sam_frames import Command as CardCommand
from drivers.card_reader.sam_frames import SamReply, SamSplitter, Status, command
from drivers.checksums import checksum
from drivers.driver import Fact
from drivers.errors import FrameError
from drivers.ticket_printer.escpos_frames import (
    AnswerReader,
    AutomaticStatus,
    PrinterStatus,
    Query,
    StatusAnswer,
    status_query,
)

ERASE: Final = b"\x00\x00\x1b@"
"""ESC @ empties a printer's line and resets its modes. The zeros end a two-byte Chinese character that the
question before may have begun, which would swallow the ESC."""
LONGEST_TEXT: Final = 30
"""Bytes of a question that a printer would print: less than the narrowest line, 32 columns."""
NEVER: Final = (
    *(b"\x07", b"\x0a", b"\x0b", b"\x0c", b"\x0d"),
    *(b"\x10\x05", b"\x10\x14\x01", b"\x10\x14\x02", b"\x10\x14\x08", b"\x12\x54"),
    *(b"\x1b\x70", b"\x1d\x28", b"\x1d\x56", b"\x1d\x65"),
)
"""What no question may contain, nor what is heard of it at another baud rate."""
NEVER_AT_9600: Final = bytes.fromhex("11 12 14 18 21 22 24 28 41 42 44 48 50 51")
"""Orders of one byte, at 9600 baud: lamps and buzzer of USB light towers on, off and blinking; 50 and 51 put
some relay boards into a mode in which every byte switches."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says. `device`: the class; `code`: what is wrong with it; `options`: for the profile."""

    device: str
    driver: str
    options: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    code: str | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """`parts` go out one after another, each when the one before was answered; `read` gets the answers so
    far, one for each part that was sent, and returns None until it is certain. `text`: a printer would take
    it for text, so `ERASE` goes before and after it. `wait_s`: how long the device may take for one part.
    """

    name: str
    parts: tuple[bytes, ...]
    read: Callable[[list[bytes]], Reading | None]
    text: bool
    wait_s: float = 0.4


# ---------------------------------------------------------------- ticket printers

_QUERIES: Final = (Query.PRINTER, Query.OFFLINE, Query.ERROR, Query.PAPER)
PRESENTER_QUERY: Final = b"\x10\x04\x14"
"""Full status of kiosk printers (Custom VKP80, Pyramid Reliance): 10 0F and four bytes. Only asked of what
has answered as a printer, or is one by its USB class."""


def _read_printer(answers: list[bytes]) -> Reading | None:
    """Four questions, and to each exactly one byte of the right shape: noise does not do that."""
    values = [_status_byte(answer) for answer in answers]
    known = [value for value in values if value is not None]
    if len(known) != len(_QUERIES) or len(values) != len(_QUERIES):
        return None
    status = PrinterStatus.from_answers(*known)
    paper = "out" if status.paper_out else "low" if status.paper_low else "ok"
    facts: dict[str, Fact] = {
        "paper": paper,
        "cover": "open" if status.cover_open else "shut",
        "online": not status.offline,
        "cutter": "fault" if status.cutter else "ok",
    }
    code = status.hindrance or ("printer.paper_low" if status.paper_low else None)
    return Reading("ticket_printer", "escpos", {}, facts, code)


def _status_byte(answer: bytes) -> int | None:
    """The one real-time answer among what came; a change that the printer told by itself may be around it."""
    found = AnswerReader().feed(answer)
    values = [each.value for each in found if isinstance(each, StatusAnswer)]
    told = sum(isinstance(each, AutomaticStatus) for each in found)
    return values[0] if len(values) == 1 and len(answer) == 1 + 4 * told else None


def has_presenter(answer: bytes) -> bool:
    """Whether the answer to `PRESENTER_QUERY` is one."""
    return len(answer) == 6 and answer[:2] == b"\x10\x0f"


def _read_kiosk(answers: list[bytes]) -> Reading | None:
    """A Reliance answers nothing else that can be told from noise."""
    if not has_presenter(b"".join(answers)):
        return None
    return Reading("ticket_printer", "kiosk_printer", {"model": "reliance"}, {"presenter": True})


KIOSK_PRINTER: Final = Question("kiosk printer", (PRESENTER_QUERY,), _read_kiosk, text=False)
"""Not for serial lines: 14 is "green on" to a light tower."""
PRINTER: Final = Question("printer", tuple(map(status_query, _QUERIES)), _read_printer, text=False)

# ---------------------------------------------------------------- call screens

_K_SOURCE: Final = 0x8EA6
_MATRIX_SOURCE: Final = 0x8001
"""Who asks. Cards answer to it, or to 0x8000 whoever asked. Of the addresses for programs (0x8000–0xDFFF)
these give a checksum and edges that nobody at another rate takes for an order (the tests try it): with 0x8000
a light tower at 9600 hears "red off" in the question at 57600."""
_FAMILY: Final = {0x54: "5e", 0x74: "6e", 0x66: "6q"}
"""Low byte of a dot-matrix card's controller type, from the vendor's SDK (BX-5E1 0x0154, BX-6E1 0x0174,
BX-6Q1 0x0166)."""


def _read_k(answers: list[bytes]) -> Reading | None:
    for frame in FrameSplitter(KFrame.from_bytes).feed(b"".join(answers)):
        if frame.dst not in (_K_SOURCE, SOURCE):
            continue  # the question itself, on a line that echoes
        try:
            reply = Reply.from_k(frame.data)
        except FrameError:
            continue
        return _screen({"family": "k"}, frame.src, frame.device_type, reply)
    return None


def _read_matrix(answers: list[bytes]) -> Reading | None:
    for frame in FrameSplitter(MatrixFrame.from_bytes).feed(b"".join(answers)):
        if frame.dst not in (_MATRIX_SOURCE, SOURCE):
            continue  # the question itself, on a line that echoes
        try:
            reply = Reply.from_matrix(frame.data)
        except FrameError:
            continue
        family = _FAMILY.get(frame.device_type & 0xFF)
        reading = _screen({"family": family or "6e"}, frame.src, frame.device_type, reply)
        return reading if family else _with(reading, "doctor.family_unsure")
    return None


def _screen(options: dict[str, Any], address: int, device_type: int, reply: Reply) -> Reading:
    facts: dict[str, Fact] = {}
    if 1 <= address < 0x8000:
        facts["address"] = address
    if device_type & 0xFF != 0xFE:
        facts["type"] = f"{device_type:04X}" if device_type > 0xFF else f"{device_type:02X}"
    if reply.error:
        facts["error"] = reply.error
    return Reading("call_screen", "onbon_bx", options, facts)


def _with(reading: Reading, code: str) -> Reading:
    return Reading(reading.device, reading.driver, reading.options, reading.facts, code, reading.sure)


ONBON_K: Final = Question(
    "onbon_k", (KFrame(k_request(ScreenCommand.PING), src=_K_SOURCE).to_bytes(),), _read_k, text=True
)
ONBON_MATRIX: Final = Question(
    "onbon_matrix",
    (MatrixFrame(matrix_request(ScreenCommand.PING), src=_MATRIX_SOURCE).to_bytes(),),
    _read_matrix,
    text=True,
)

_READ_REGISTER: Final = bytes((1, 3, 0, 1, 0, 1))
"""Read one holding register, number 1, of unit 1. Number 0 would end in 84 0A, and 0A prints a line."""
_READ_COILS: Final = bytes((1, 1, 0, 0, 0, 8))
"""Read eight coils of unit 1: what has them is a relay board."""


def _read_modbus(answers: list[bytes]) -> Reading | None:
    """An answer or a refusal, either with a good checksum. Coils mean relays."""
    if not (registers := _modbus_answer(answers[0], 3)):
        return None
    if len(answers) < 2:
        return _modbus_reading("call_screen", "modbus_display", "doctor.modbus_unsure") if registers else None
    if _modbus_answer(answers[1], 1) == 1:
        return _modbus_reading("light", "serial_light", "doctor.modbus_relay")
    return _modbus_reading("call_screen", "modbus_display", "doctor.modbus_unsure")


def _modbus_reading(device: str, driver: str, code: str) -> Reading:
    return Reading(device, driver, {}, {"unit": 1}, code, sure=False)


def _modbus_answer(answer: bytes, function: int) -> int:
    """The function of the answer frame in there: `function`, or with 0x80 a refusal; 0: there is none."""
    for at in range(len(answer) - 4):
        if answer[at] != 1 or answer[at + 1] not in (function, function | 0x80):
            continue
        size = 5 if answer[at + 1] & 0x80 else 5 + answer[at + 2]
        frame = answer[at : at + size]
        if len(frame) == size and checksum("crc16", frame[:-2]) == frame[-2:]:
            return answer[at + 1]
    return 0


MODBUS: Final = Question(
    "modbus",
    tuple(ask + checksum("crc16", ask) for ask in (_READ_REGISTER, _READ_COILS)),
    _read_modbus,
    text=True,
    wait_s=0.3,
)

# ---------------------------------------------------------------- card readers


def _read_sam(answers: list[bytes]) -> Reading | None:
    """The reader's state and the number of its module; neither switches the field on."""
    splitter = SamSplitter()
    replies: list[SamReply] = []
    for frame in splitter.feed(b"".join(answers)):
        try:
            replies.append(SamReply.from_frame(frame))
        except FrameError:
            continue
    if not replies or (len(replies) < 2 and len(answers) < 2):
        return None
    code = None
    for reply in replies:
        if reply.status == Status.SELF_TEST_FAILED:
            code = "card.self_test_failed"
        elif reply.status in (Status.NO_KEY, Status.NOT_AUTHORISED):
            code = "card.not_authorised"
    return Reading("card_reader", "sam_reader", {}, {}, code)


SAM: Final = Question(
    "sam", (command(CardCommand.STATUS), command(CardCommand.SAM_ID)), _read_sam, text=True, wait_s=0.5
)

# ---------------------------------------------------------------- safety


def is_safe(data: bytes, baud: int) -> bool:
    """Whether a question has nothing in it that another device at that baud rate may obey."""
    if baud == 9600 and any(byte in NEVER_AT_9600 for byte in data):
        return False
    return len(data.replace(b"\0", b"")) <= LONGEST_TEXT and not any(part in data for part in NEVER)
