from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import FrameError
from drivers.keypad.input_events import EVENT_SIZE, KEY_CODES, EventParser, InputEvent, KeyChange

events = st.builds(
    InputEvent,
    type=st.sampled_from([0, 2, 3, 4, 17, 20]),
    code=st.integers(0, 0x2FF),
    value=st.integers(-(2**31), 2**31 - 1),
    seconds=st.integers(0, 2**31 - 1),
    microseconds=st.integers(0, 999_999),
)
keys = st.builds(InputEvent, type=st.just(1), code=st.integers(1, 0x2FF), value=st.integers(0, 2))
REPORT = InputEvent(0, 0, 0)
DROPPED = InputEvent(0, 3, 0)


def down(code: int) -> InputEvent:
    return InputEvent(1, code, 1)


def stream(*parts: InputEvent) -> bytes:
    return b"".join(part.to_bytes() for part in parts)


@given(events | keys)
def test_an_event_comes_back_as_it_went(event: InputEvent) -> None:
    wire = event.to_bytes()
    assert InputEvent.from_bytes(wire) == event
    for end in range(EVENT_SIZE):
        with pytest.raises(FrameError):
            InputEvent.from_bytes(wire[:end])


@given(st.lists(keys, max_size=20), st.integers(1, 50))
def test_repeats_do_not_count_in_pieces_of_any_size(sent: list[InputEvent], size: int) -> None:
    wire, parser = stream(*sent), EventParser()
    found = [change for at in range(0, len(wire), size) for change in parser.feed(wire[at : at + size])]
    assert found == [KeyChange(event.code, event.value == 1) for event in sent if event.value != 2]


@given(st.binary(max_size=400))
def test_any_bytes_are_taken_and_less_than_an_event_is_held(noise: bytes) -> None:
    parser = EventParser()
    parser.feed(noise)
    assert len(parser._buffer) < EVENT_SIZE


def test_after_dropped_events_everything_up_to_the_report_is_ignored() -> None:
    parser = EventParser()
    found = parser.feed(stream(down(79), REPORT, DROPPED, down(80), REPORT, down(81), REPORT))
    assert found == [KeyChange(79, True), KeyChange(81, True)]
    assert parser.dropped == 1


def test_names_are_those_of_the_kernel() -> None:
    known = {
        "KEY_KP1": 79,
        "KEY_KP0": 82,
        "KEY_KPENTER": 96,
        "KEY_A": 30,
        "KEY_M": 50,
        "KEY_1": 2,
        "KEY_F10": 68,
        "KEY_KPPLUS": 78,
        "KEY_KPDOT": 83,
        "KEY_ESC": 1,
        "KEY_SPACE": 57,
        "KEY_BACKSPACE": 14,
    }
    assert known.items() <= KEY_CODES.items()
    assert len(set(KEY_CODES.values())) == len(KEY_CODES)
