"""SAM frames in HID reports, as makers pack them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.card_reader.hid_reports import ReportFraming
from drivers.card_reader.sam_frames import SamFrame, SamSplitter
from drivers.card_reader.sam_reader import SamReaderConfig

framings = st.builds(
    ReportFraming,
    header=st.sampled_from(["", "00", "5A01", "aabbcc"]),
    count_bytes=st.sampled_from([0, 1, 2]),
    count_order=st.sampled_from(["big", "little"]),
)


@given(st.binary(min_size=1, max_size=1500), framings, st.sampled_from([8, 64, 192, 512]))
def test_a_frame_survives_its_reports(payload: bytes, framing: ReportFraming, size: int) -> None:
    frame = SamFrame(payload).to_bytes()
    reports = [report.ljust(size, b"\0") for report in framing.pack(frame, size)]
    assert all(len(report) == size for report in reports)
    splitter = SamSplitter()
    got = [found for report in reports for found in splitter.feed(framing.unpack(report))]
    assert [bytes(found.payload) for found in got] == [payload]


@given(st.binary(max_size=70), framings)
def test_any_report_is_a_piece_or_nothing(report: bytes, framing: ReportFraming) -> None:
    piece = framing.unpack(report)
    assert len(piece) <= len(report) and piece in report


def test_a_report_without_the_header_is_not_for_us() -> None:
    framing = ReportFraming(header="5A01", count_bytes=1)
    assert framing.unpack(b"\x5a\x01\x03abcdef") == b"abc"
    assert framing.unpack(b"\x5a\x02\x03abcdef") == b""
    assert framing.unpack(b"\x5a\x01\x09abcdef") == b""


def test_a_report_with_no_room_is_a_wrong_config() -> None:
    wrong = {
        "transport": {"type": "hidraw", "path": "/dev/paihao/card", "report_size": 3},
        "reports": {"header": "5A01", "count_bytes": 1},
    }
    with pytest.raises(msgspec.ValidationError, match="no room"):
        msgspec.convert(wrong, SamReaderConfig)
