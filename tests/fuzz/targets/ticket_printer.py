"""What a printer answers, and what is read from its own jobs."""

from __future__ import annotations

from collections.abc import Callable

from drivers.errors import FrameError
from drivers.ticket_printer.escpos_frames import AnswerReader
from drivers.ticket_printer.kiosk_frames import FullStatus, KioskAnswerReader
from drivers.ticket_printer.paper_length import job_mm


def escpos_answers(data: bytes) -> None:
    """The first byte cuts the stream; the cut changes nothing, and nothing piles up."""
    whole, parts = AnswerReader(), AnswerReader()
    stream, cut = data[1:], data[0] if data else 0
    assert whole.feed(stream) == parts.feed(stream[:cut]) + parts.feed(stream[cut:])
    assert len(parts._frame) <= 3
    parts.forget()
    assert len(parts.feed(b"\x37\x25\x00\x12\x00")) == 3


def kiosk_answers(data: bytes) -> None:
    whole, parts = KioskAnswerReader(), KioskAnswerReader()
    stream, cut = data[1:], data[0] if data else 0
    assert whole.feed(stream) == parts.feed(stream[:cut]) + parts.feed(stream[cut:])
    assert len(parts._frame) < 6 and len(parts._text) <= 13
    parts.forget()
    assert len(parts.feed(b"\x10\x0f\x00\x00\x00\x00\x00")) == 2


def kiosk_status(data: bytes) -> None:
    try:
        status = FullStatus.from_bytes(data)
    except FrameError:
        return
    assert status.to_bytes() == data
    assert status.fault is None or status.hindrance == status.fault
    assert status.facts["cover"] in ("open", "shut")


def printer_job_length(data: bytes) -> None:
    """Not from outside, but from templates that people write."""
    assert 0 <= job_mm(data) <= 65535 * (len(data) + 1)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "escpos_answers": escpos_answers,
    "kiosk_answers": kiosk_answers,
    "kiosk_status": kiosk_status,
    "printer_job_length": printer_job_length,
}
SEEDS: dict[str, list[bytes]] = {
    "escpos_answers": [b"\x02\x18\x00\x1a\x0c\x00", b"\x01\x37\x25\x00\x12\x03", b"\x00\x10\x00\x00\x00"],
    "kiosk_answers": [
        b"\x03\x10\x0f\x20\x08\x00\x00\x03",
        b"\x02512ret\x10\x0f\x05\x03\x41\x01",
        b"\x01\x10\x10\x0f\x00\x00\x00\x00",
    ],
    "kiosk_status": [b"\x10\x0f\x00\x00\x00\x00", b"\x10\x0f\x25\x2b\x49\x0d"],
    "printer_job_length": [
        b"\x1b@\x1b3\x1e\x1d!\x77A005\n\x1bJ\x14\x1dV\x00",
        b"\x1dv0\x00\x02\x00\x02\x00\xff\x00\x00\xff\x1de\x03\x0c",
        b"\x1d(k\x03\x001C\x06\x1d(k\x05\x001P0ab\x1d(k\x03\x001Q0",
        b"\x1dh\x50\x1dkI\x04{B12\x1cP\x0a\x01R\x1e",
    ],
}
