"""IPP messages: as RFC 8011 shows them, there and back, cut short, with bits turned over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import FrameError
from drivers.ticket_printer.ipp_frames import (
    Attribute,
    Group,
    IppMessage,
    Operation,
    Tag,
    Value,
    attribute,
    request,
)
from drivers.ticket_printer.print_queue import QueueState, server_of

PRINT_JOB = bytes.fromhex(
    "0200 0002 00000001 01"
    "47 0012 617474726962757465732d63686172736574 0005 7574662d38"
    "48 001b 617474726962757465732d6e61747572616c2d6c616e6775616765 0002 656e"
    "45 000b 7072696e7465722d757269 0015 6970703a2f2f666f726573742f70696e65747265 65"
    "42 0014 72657175657374696e672d757365722d6e616d65 0001 61"
    "03"
    "1b40"
)
"""After RFC 8010, appendix A.1, with our user and a document of two bytes."""

values = st.lists(
    st.builds(Value, st.integers(0x10, 0xFF), st.binary(max_size=40)), min_size=1, max_size=4
).map(tuple)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
groups = st.builds(
    Group,
    st.sampled_from([1, 2, 4, 5, 6, 7, 15]),
    st.lists(st.builds(Attribute, names, values), max_size=4).map(tuple),
)
messages = st.builds(
    IppMessage,
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.lists(groups, max_size=3).map(tuple),
    st.binary(max_size=40),
)


def test_as_the_standard_shows_it() -> None:
    made = request(Operation.PRINT_JOB, 1, "ipp://forest/pinetree", "a", document=b"\x1b@")
    assert made.to_bytes() == PRINT_JOB
    assert IppMessage.from_bytes(PRINT_JOB) == made


@given(messages)
def test_there_and_back(message: IppMessage) -> None:
    assert IppMessage.from_bytes(message.to_bytes()) == message


@given(messages)
def test_every_truncation_is_refused(message: IppMessage) -> None:
    whole = IppMessage(message.code, message.request, message.groups).to_bytes()
    for end in range(len(whole)):
        with pytest.raises(FrameError):
            IppMessage.from_bytes(whole[:end])


@given(messages, st.data())
def test_every_bit_turned_over_is_another_message_or_none(message: IppMessage, data: st.DataObject) -> None:
    whole = bytearray(message.to_bytes())
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    try:
        found = IppMessage.from_bytes(bytes(whole))
    except FrameError:
        return
    assert found != message or bit < 16, "the version is not kept"


@pytest.mark.parametrize(
    "data", [b"", b"HTTP/1.1 200 OK", b"\x02\x00\x00\x00\x00\x00\x00\x01\x21\x00\x00\x00\x00\x03"]
)
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(FrameError):
        IppMessage.from_bytes(data)


def test_message_without_end_of_values_is_bounded() -> None:
    endless = PRINT_JOB[:9] + b"\x21\x00\x01a\x00\x00" + b"\x21\x00\x00\x00\x00" * 5000 + b"\x03"
    with pytest.raises(FrameError):
        IppMessage.from_bytes(endless)


def state_of(**more: tuple[Value, ...]) -> QueueState:
    attributes = tuple(Attribute(name.replace("_", "-"), found) for name, found in more.items())
    return QueueState.from_group(Group(Tag.PRINTER, attributes))


def words(*texts: str) -> tuple[Value, ...]:
    return tuple(Value.text(Tag.KEYWORD, text) for text in texts)


@pytest.mark.parametrize(
    ("reasons", "code", "low"),
    [
        (("none",), None, False),
        (("media-empty-error", "marker-supply-low-report"), "printer.paper_out", False),
        (("media-needed",), "printer.paper_out", False),
        (("media-low-warning",), None, True),
        (("cover-open",), "printer.cover_open", False),
        (("door-open-report",), "printer.cover_open", False),
        (("media-jam-error",), "printer.jam", False),
        (("offline-report",), "printer.offline", False),
        (("cups-missing-filter-warning",), "cups.filter_missing", False),
        (("fuser-over-temp-error",), "printer.error", False),
        (("fuser-over-temp-warning", "connecting-to-device"), None, False),
    ],
)
def test_reasons_become_codes(reasons: tuple[str, ...], code: str | None, low: bool) -> None:
    state = state_of(printer_state_reasons=words(*reasons))
    assert (state.fault, state.low) == (code, low)


def test_what_the_queue_itself_refuses() -> None:
    assert state_of(printer_state=(Value(Tag.ENUM, b"\0\0\0\5"),)).refusal == "cups.queue_stopped"
    assert state_of(printer_is_accepting_jobs=(Value(Tag.BOOLEAN, b"\0"),)).refusal == "cups.not_accepting"
    for policy, refused in (("retry-job", True), ("retry-current-job", True), ("abort-job", False)):
        state = state_of(printer_error_policy=words(policy))
        assert (state.refusal == "cups.repeats") is refused


def test_where_a_printer_can_be_asked_itself() -> None:
    assert server_of("ipp://10.0.0.9/ipp/print") == (("10.0.0.9", 631), "/ipp/print")
    assert server_of("ipp://10.0.0.9:8631") == (("10.0.0.9", 8631), "/")
    for uri in (
        "socket://10.0.0.9:9100",
        "ipps://10.0.0.9/ipp/print",
        "usb://Epson/TM",
        "",
        "ipp://a:b",
        "ipp://[-/x",
    ):
        assert server_of(uri) is None
    assert attribute("a", Tag.NAME, "b").values == (Value(Tag.NAME, b"b"),)
