"""Frames of the SAM module: encode, decode, cut from a stream, and survive what a line does to them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.card_reader.sam_frames import (
    LENGTH_LIMIT,
    PREAMBLE,
    Command,
    SamFrame,
    SamReply,
    SamSplitter,
    Status,
    command,
)
from drivers.errors import FrameChecksumError, FrameError

payloads = st.binary(min_size=1, max_size=60)


def test_the_published_samples_come_out() -> None:
    assert command(Command.FIND) == bytes.fromhex("AAAAAA9669 0003 2001 22")
    assert command(Command.SELECT) == bytes.fromhex("AAAAAA9669 0003 2002 21")
    assert command(Command.READ_TEXT_AND_PHOTO) == bytes.fromhex("AAAAAA9669 0003 3001 32")
    assert command(Command.READ_WITH_FINGERPRINTS) == bytes.fromhex("AAAAAA9669 0003 3010 23")
    found = SamFrame.from_bytes(bytes.fromhex("AAAAAA9669 0008 00009F 00000000 97"))
    reply = SamReply.from_frame(found)
    assert (reply.sw1, reply.sw2, reply.status, bytes(reply.data)) == (0, 0, Status.FOUND, bytes(4))


@given(payloads)
def test_a_frame_survives_encoding(payload: bytes) -> None:
    assert SamFrame.from_bytes(SamFrame(payload).to_bytes()).payload == payload


@given(payloads, st.data())
def test_a_flipped_bit_or_a_missing_end_is_no_frame(payload: bytes, data: st.DataObject) -> None:
    whole = SamFrame(payload).to_bytes()
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    flipped = bytearray(whole)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FrameError):
        SamFrame.from_bytes(flipped)
    with pytest.raises(FrameError):
        SamFrame.from_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.lists(payloads, max_size=5), st.integers(1, 9), st.binary(max_size=20))
def test_frames_are_found_in_any_pieces_behind_noise(sent: list[bytes], step: int, noise: bytes) -> None:
    noise = noise.replace(b"\xaa", b"\x00")
    stream = b"".join(noise + SamFrame(payload).to_bytes() for payload in sent)
    splitter = SamSplitter()
    got = [frame for at in range(0, len(stream), step) for frame in splitter.feed(stream[at : at + step])]
    assert [bytes(frame.payload) for frame in got] == sent


@given(st.binary(max_size=3000), st.integers(1, 700))
@settings(max_examples=50)
def test_any_bytes_leave_the_buffer_bounded(garbage: bytes, step: int) -> None:
    splitter = SamSplitter()
    for at in range(0, len(garbage), step):
        splitter.feed(garbage[at : at + step])
        assert len(splitter._buffer) <= LENGTH_LIMIT + 7 + step


def test_a_good_frame_is_found_behind_a_spoiled_one_and_behind_half_a_one() -> None:
    good = SamFrame(b"\x00\x00\x9f").to_bytes()
    spoiled = good[:-1] + b"\x00"
    splitter = SamSplitter()
    assert [bytes(f.payload) for f in splitter.feed(spoiled + good)] == [b"\x00\x00\x9f"]
    assert splitter.spoiled == 1
    # half a frame swallows the beginning of the next, fails, and gives it back
    half = SamFrame(bytes(20)).to_bytes()[:12]
    frames = splitter.feed(half + good + good)
    assert [bytes(f.payload) for f in frames][-1:] == [b"\x00\x00\x9f"]


def test_an_impossible_length_does_not_make_it_wait() -> None:
    splitter = SamSplitter()
    good = SamFrame(b"\x00\x00\x9f").to_bytes()
    assert len(splitter.feed(PREAMBLE + b"\xff\xff" + good)) == 1
    assert len(splitter.feed(PREAMBLE + b"\x00\x01" + good)) == 1


def test_a_checksum_error_carries_two_numbers_and_no_bytes() -> None:
    with pytest.raises(FrameChecksumError) as caught:
        SamFrame.from_bytes(SamFrame(b"secret").to_bytes()[:-1] + b"\x00")
    assert "secret" not in str(caught.value)
    assert caught.value.got == 0


def test_the_photo_and_the_frame_are_overwritten_when_the_text_is_taken() -> None:
    text, photo = bytes(range(256)), b"P" * 1024
    frame = SamFrame(bytearray(b"\0\0\x90\x01\x00\x04\x00" + text + photo))
    assert len(frame.to_bytes()) == 1295
    reply = SamReply.from_frame(frame)
    assert not any(frame.payload)
    assert reply.take_text() == text
    assert not any(reply.data)


@pytest.mark.parametrize("data", [b"", b"\x01\x00\x04\x00", b"\x01\x00\x00\x00" + bytes(255), bytes(1284)])
def test_a_read_reply_of_another_shape_is_refused(data: bytes) -> None:
    reply = SamReply(0, 0, 0x90, bytearray(data))
    with pytest.raises(FrameError):
        reply.take_text()
    assert not any(reply.data)


def test_repr_shows_no_payload() -> None:
    frame = SamFrame(b"\0\0\x90MARKER")
    assert "MARKER" not in repr(frame)
    assert "MARKER" not in repr(SamReply.from_frame(frame))
