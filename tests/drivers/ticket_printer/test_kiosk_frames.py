"""Bytes of kiosk printers: documented examples, every truncation, every bit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import FrameError
from drivers.ticket_printer.escpos_frames import QueuedAnswer
from drivers.ticket_printer.kiosk_frames import (
    Ejector,
    FullStatus,
    KioskAnswerReader,
    Retractions,
    ejector,
    present,
    present_for,
)

BYTES = st.integers(0, 255)
STATUSES = st.builds(FullStatus, BYTES, BYTES, BYTES, BYTES)


def test_commands_of_the_reliance_documentation() -> None:
    """Pyramid's examples: eject, retract, present 84 mm, continuous mode on and off."""
    assert ejector(Ejector.EJECT) == b"\x1d\x65\x05"
    assert ejector(Ejector.RETRACT) == b"\x1d\x65\x02"
    assert present(12) == b"\x1d\x65\x03\x0c"
    assert ejector(Ejector.CONTINUOUS) == b"\x1d\x65\x14"
    assert ejector(Ejector.HOLD) == b"\x1d\x65\x12"


def test_presenting_command_of_the_vkp80iii() -> None:
    assert present_for(2, 30, blink=True, retract=True) == b"\x1c\x50\x02\x01R\x1e"
    assert present_for(2, 0, blink=False, retract=False) == b"\x1c\x50\x02\x00E\x00"


@given(STATUSES)
def test_status_is_the_same_after_another_round(status: FullStatus) -> None:
    assert FullStatus.from_bytes(status.to_bytes()) == status
    assert KioskAnswerReader().feed(status.to_bytes()) == [status]


@given(STATUSES, st.integers(0, 5))
def test_truncated_status_is_none(status: FullStatus, size: int) -> None:
    with pytest.raises(FrameError):
        FullStatus.from_bytes(status.to_bytes()[:size])
    assert not [a for a in KioskAnswerReader().feed(status.to_bytes()[:size]) if isinstance(a, FullStatus)]


@pytest.mark.parametrize("bit", range(48))
def test_every_flipped_bit_is_seen_or_refused(bit: int) -> None:
    frame = bytearray(FullStatus().to_bytes())
    frame[bit // 8] ^= 1 << bit % 8
    answers = KioskAnswerReader().feed(bytes(frame))
    assert FullStatus() not in answers


@pytest.mark.parametrize(
    ("status", "fault", "hindrance"),
    [
        (FullStatus(), None, None),
        (FullStatus(paper=0x24), None, None),
        (FullStatus(paper=0x40), None, None),
        (FullStatus(user=0x2C), None, None),
        (FullStatus(paper=0x05), "printer.paper_out", "printer.paper_out"),
        (FullStatus(paper=0x05, user=0x03), "printer.cover_open", "printer.cover_open"),
        (FullStatus(user=0x01), "printer.cover_open", "printer.cover_open"),
        (FullStatus(recoverable=0x41, user=0x02), "printer.jam", "printer.jam"),
        (FullStatus(fatal=0x01, recoverable=0x40), "printer.cutter", "printer.cutter"),
        (FullStatus(fatal=0x05), "printer.error", "printer.error"),
        (FullStatus(fatal=0x40), "printer.error", "printer.error"),
        (FullStatus(recoverable=0x09), None, "printer.head_temperature"),
        (FullStatus(recoverable=0x08), None, "printer.voltage"),
        (FullStatus(recoverable=0x22), None, None),
    ],
)
def test_meaning_of_the_status(status: FullStatus, fault: str | None, hindrance: str | None) -> None:
    assert (status.fault, status.hindrance) == (fault, hindrance)
    assert status.spoiled == bool(status.recoverable & 0x22)


def test_answers_one_after_another() -> None:
    found = KioskAnswerReader().feed(b"\x00\x10\x0f\x20\x08\x00\x00\x03512ret\x0f\x10\x0f\x00\x00\x00\x00")
    assert found == [
        QueuedAnswer(0),
        FullStatus(paper=0x20, user=0x08),
        QueuedAnswer(3),
        Retractions(512),
        QueuedAnswer(0x0F),
        FullStatus(),
    ]


@given(st.binary(max_size=200), st.integers(1, 7))
def test_any_bytes_in_any_pieces_give_the_same_answers(data: bytes, piece: int) -> None:
    whole = KioskAnswerReader().feed(data)
    reader = KioskAnswerReader()
    parts = [data[start : start + piece] for start in range(0, len(data), piece)]
    assert [answer for part in parts for answer in reader.feed(part)] == whole
    assert len(reader._frame) < 6 and len(reader._text) <= 13


@given(st.binary(max_size=60))
def test_after_noise_an_answer_is_read_again(noise: bytes) -> None:
    reader = KioskAnswerReader()
    reader.feed(noise)
    reader.forget()
    assert reader.feed(b"\x10\x0f\x01\x02\x03\x04") == [FullStatus(1, 2, 3, 4)]
