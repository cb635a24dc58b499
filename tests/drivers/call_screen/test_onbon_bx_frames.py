"""Frames, and what damage of every kind does to them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.call_screen.onbon_bx_commands import CardStatus, Command, Reply, k_request, matrix_request
from drivers.call_screen.onbon_bx_frames import (
    MAX_WIRE,
    FrameSplitter,
    KFrame,
    MatrixFrame,
    crc16,
    unwrap,
    wrap,
)
from drivers.errors import FrameChecksumError, FrameError

PING = bytes.fromhex("A5A5A5A5A5A5A5A5 01 00 00 80 000000000000 FE 02 05 00 A2 00 01 00 00 68 F8 5A")
MATRIX_PING = bytes.fromhex("A5A5A5A5A5A5A5A5 FEFF 0080 F0 00 FEFF 00000000 05000000 01 A2 00 00 00 C686 5A")

data = st.binary(min_size=1, max_size=120) | st.lists(
    st.sampled_from([0xA5, 0xA6, 0x5A, 0x5B, 1, 2]), min_size=1, max_size=60
).map(bytes)
k_frames = st.builds(
    KFrame,
    data,
    dst=st.integers(0, 0xFFFF),
    src=st.integers(0, 0xFFFF),
    device_type=st.integers(0, 255),
    display_mode=st.integers(0, 1),
)
matrix_frames = st.builds(
    MatrixFrame,
    data,
    dst=st.integers(0, 0xFFFF),
    src=st.integers(0, 0xFFFF),
    device_type=st.integers(0, 0xFFFF),
)
frames = k_frames | matrix_frames


def test_our_pings_are_the_vendors() -> None:
    assert KFrame(k_request(Command.PING), dst=1).to_bytes() == PING
    assert MatrixFrame(matrix_request(Command.PING)).to_bytes() == MATRIX_PING


@pytest.mark.parametrize("status, error, expected", [(0, 0, 0), (1, 3, 3), (1, 0, 0xFFFF)])
def test_matrix_answers(status: int, error: int, expected: int) -> None:
    reply = Reply.from_matrix(bytes((0, 0xA0, status, status, 0, error, 0, 0, 0)))
    assert reply.error == expected


def status(areas: bytes, *, special: bool = True, tail: int = 28, on: int = 1) -> bytes:
    head = bytes((on, 9)) + bytes(8) + b"\x01P000" + (b"\0\0" if special else b"")
    return head + bytes((len(areas),)) + areas + bytes(range(48, 48 + tail))


@given(
    st.sets(st.integers(0, 31), max_size=8),
    st.booleans(),
    st.sampled_from([28, 16, 0]),
    st.sampled_from([1, 2]),
)
def test_a_status_is_read_from_every_kind_of_card(areas: set[int], special: bool, tail: int, on: int) -> None:
    read = CardStatus.from_bytes(status(bytes(sorted(areas)), special=special, tail=tail, on=on))
    assert read == CardStatus(on == 1, 9, frozenset(areas))


@given(st.binary(max_size=60))
def test_what_is_no_status_is_refused(data: bytes) -> None:
    try:
        assert len(CardStatus.from_bytes(data).areas) <= len(data)
    except FrameError:
        pass


@given(st.binary(max_size=12))
def test_an_answer_is_understood_or_refused(body: bytes) -> None:
    for parse in (Reply.from_k, Reply.from_matrix):
        try:
            parse(body)
        except FrameError:
            pass


@given(st.binary(max_size=200))
def test_wrap_and_unwrap(packet: bytes) -> None:
    wire = wrap(packet)
    assert unwrap(wire) == packet
    assert 0xA5 not in wire.lstrip(b"\xa5")
    assert 0x5A not in wire[:-1]


def test_crc_is_that_of_the_ping() -> None:
    assert crc16(PING[8:-3]).to_bytes(2, "little") == PING[-3:-1]


@given(frames)
def test_a_frame_comes_back_as_it_went(frame: KFrame | MatrixFrame) -> None:
    assert type(frame).from_bytes(frame.to_bytes()) == frame


@given(frames)
@settings(max_examples=30)
def test_no_part_of_a_frame_is_a_frame(frame: KFrame | MatrixFrame) -> None:
    wire = frame.to_bytes()
    for end in range(len(wire)):
        with pytest.raises(FrameError):
            type(frame).from_bytes(wire[:end])
        splitter: FrameSplitter[KFrame | MatrixFrame] = FrameSplitter(type(frame).from_bytes)
        assert splitter.feed(wire[:end]) == []


@given(frames)
@settings(max_examples=30)
def test_a_flipped_bit_never_makes_another_frame(frame: KFrame | MatrixFrame) -> None:
    wire = frame.to_bytes()
    for bit in range(8 * len(wire)):
        spoiled = bytearray(wire)
        spoiled[bit // 8] ^= 1 << bit % 8
        splitter: FrameSplitter[KFrame | MatrixFrame] = FrameSplitter(type(frame).from_bytes)
        assert splitter.feed(bytes(spoiled)) in ([], [frame])


def test_a_wrong_checksum_is_told_as_such() -> None:
    with pytest.raises(FrameChecksumError) as caught:
        KFrame.from_bytes(PING[:-3] + b"\x00\x00\x5a")
    assert (caught.value.expected, caught.value.got) == (0xF868, 0)


@given(
    st.lists(k_frames, min_size=1, max_size=4),
    st.lists(st.binary(max_size=40), min_size=4, max_size=4),
    st.lists(st.integers(1, 30), min_size=1, max_size=20),
)
def test_frames_are_found_between_noise_in_pieces_of_any_size(
    sent: list[KFrame], noise: list[bytes], sizes: list[int]
) -> None:
    stream = b"".join(dirt + frame.to_bytes() for dirt, frame in zip(noise, sent, strict=False))
    splitter = FrameSplitter(KFrame.from_bytes)
    found, at, turn = [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += splitter.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert found == sent


def test_a_frame_without_end_is_given_up_and_the_next_is_read() -> None:
    splitter = FrameSplitter(KFrame.from_bytes)
    for _ in range(4 * MAX_WIRE // 1000):
        assert splitter.feed(b"\xa5" + b"\x11" * 999) == []
        assert len(splitter._buffer) <= MAX_WIRE
    assert splitter.feed(b"\xa5" + b"\x11" * (MAX_WIRE + 1)) == []
    assert splitter.bad == 1
    assert splitter.feed(PING[:20] + PING) == [KFrame.from_bytes(PING)]
    assert splitter.bad == 2
