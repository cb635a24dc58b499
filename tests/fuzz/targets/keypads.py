"""Key frames of every shipped format, kernel events, HID reports, and what people do with keys."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from drivers.errors import FrameError
from drivers.keypad import frames, serial_keypad
from drivers.keypad.gestures import GestureConfig, Gestures
from drivers.keypad.input_events import EVENT_SIZE, EventParser, InputEvent
from drivers.keypad.reports import ReportFormat, ReportReader

_FOLDER = Path(serial_keypad.__file__).with_name("formats")
_FORMATS = [serial_keypad.load_format(file.stem) for file in sorted(_FOLDER.glob("*.toml"))] + [
    frames.KeypadFormat(
        frame="AA {length} {address} {key} {checksum} 0D",
        keys={"01": "a", "02": "b"},
        releases={"81": "a", "82": "b"},
        checksum="twos",
        checksum_from=1,
    ),
    frames.KeypadFormat(
        frame="02 {key} 03 {checksum}", keys={"3131": "a", "3232": "b"}, checksum="sum16", checksum_to=1
    ),
]
_LAYOUTS = [frames.Layout.of(format) for format in _FORMATS]
_REPORTS = [
    ReportFormat(size=4, kind="bits", keys={"0.0": "a", "1.7": "b", "3.3": "c"}),
    ReportFormat(size=8, kind="codes", codes_at=(2, 7), keys={"1E": "1", "1F": "2"}),
]


def keypad_frame(data: bytes) -> None:
    """Every frame that is read is written as the same bytes."""
    layout = _LAYOUTS[data[0] % len(_LAYOUTS)] if data else _LAYOUTS[0]
    try:
        frame = frames.KeyFrame.from_bytes(data[1:], layout)
    except FrameError:
        return
    assert frame.to_bytes(layout) == data[1:]


def keypad_frames(data: bytes) -> None:
    """The second byte cuts the stream; the cut changes nothing, and less than a frame is held."""
    layout = _LAYOUTS[data[0] % len(_LAYOUTS)] if data else _LAYOUTS[0]
    stream, cut = data[2:130], data[1] if len(data) > 1 else 0
    whole, parts = frames.KeyDecoder(layout, None), frames.KeyDecoder(layout, None)
    found = whole.feed(stream, 0.0)
    assert found == parts.feed(stream[:cut], 0.0) + parts.feed(stream[cut:], 0.0)
    assert (whole.bad, whole.foreign) == (parts.bad, parts.foreign)
    assert len(whole._bytes) == len(whole._times) < layout.size


def keypad_events(data: bytes) -> None:
    """The first byte cuts the stream; the cut changes nothing."""
    stream, cut = data[1:241], data[0] if data else 0
    whole, parts = EventParser(), EventParser()
    assert whole.feed(stream) == parts.feed(stream[:cut]) + parts.feed(stream[cut:])
    assert len(whole._buffer) < EVENT_SIZE


def keypad_report(data: bytes) -> None:
    format = _REPORTS[data[0] % len(_REPORTS)] if data else _REPORTS[0]
    reader = ReportReader(format)
    try:
        reports = reader.split(data[1:])
    except FrameError:
        assert not data[1:] or len(data[1:]) % format.size
        return
    assert b"".join(reports) == data[1:]
    assert all(reader.keys(report) <= format.key_names for report in reports)


_GESTURES = GestureConfig(long={"B": "B2"}, double={"C": "C2"}, lock=("A", "B"), stuck_s=5)


def keypad_gestures(data: bytes) -> None:
    """Two bytes a move: key and direction, pause in units of 12 ms. It comes to rest, and gives no more
    presses than keys went down."""
    gestures, now, down, found = Gestures(_GESTURES), 0.0, 0, []
    for move, pause in zip(data[:128:2], data[1:128:2], strict=False):
        now += pause * 0.012
        key = "ABCD"[move & 3]
        if move & 8:
            found += gestures.tap(key, now)
            down += 1
        elif move & 4:
            found += gestures.down(key, now)
            down += 1
        else:
            found += gestures.up(key, now)
    for _ in range(20):
        found += gestures.tick(gestures.deadline)
    assert gestures.deadline == float("inf")
    assert sum(gesture.kind == "press" for gesture in found) <= down
    assert {gesture.key for gesture in found} <= {"A", "B", "B2", "C", "C2", "D"}


_CALL = bytes.fromhex("01 01 31 07")
_DISPLAY = bytes.fromhex("AA 55 01 03 00 7C E4")
_DOWN = InputEvent(1, 79, 1).to_bytes() + InputEvent(0, 0, 0).to_bytes()

TARGETS: dict[str, Callable[[bytes], None]] = {
    "keypad_frame": keypad_frame,
    "keypad_frames": keypad_frames,
    "keypad_events": keypad_events,
    "keypad_report": keypad_report,
    "keypad_gestures": keypad_gestures,
}

SEEDS: dict[str, list[bytes]] = {
    "keypad_frame": [bytes((n,)) + frame for n in range(len(_LAYOUTS)) for frame in (_CALL, _DISPLAY)],
    "keypad_frames": [bytes((n, 3)) + _CALL + _DISPLAY + _CALL for n in range(len(_LAYOUTS))],
    "keypad_events": [b"\x07" + _DOWN + _DOWN, b"\x18" + InputEvent(0, 3, 0).to_bytes() + _DOWN],
    "keypad_report": [b"\x00\x01\x80\x00\x00", b"\x01" + struct.pack("8B", 0, 0, 0x1E, 0x1F, 0, 0, 0, 0)],
    "keypad_gestures": [
        bytes((4, 0, 0, 10, 6, 5, 2, 5, 6, 5)),
        bytes((4, 0, 5, 5, 0, 255, 1, 3)),
        b"\x0a\x02" * 9,
    ],
}
