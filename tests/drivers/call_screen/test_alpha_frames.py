"""Packets of Alpha signs: as another program makes them, whole or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.call_screen.alpha_frames import (
    AnswerReader,
    ErrorStatus,
    Mode,
    Packet,
    SerialError,
    ask_errors,
    clear_errors,
    text_packet,
)
from drivers.call_screen.alpha_sign import showing
from drivers.call_screen.protocol import ScreenText
from drivers.errors import FrameError

PACKETS = st.builds(
    Packet,
    command=st.sampled_from(b"ABEFGH"),
    data=st.binary(max_size=60).map(lambda data: data.translate(None, b"\x00\x01\x02\x03\x04")),
    address=st.integers(0, 255),
    type=st.sampled_from("Z0!f12"),
)


def test_as_another_program_makes_them() -> None:
    """Packets made by alphasignpy 0.1.1 (its FF, marks for a pause, are not sent)."""
    made = {
        text_packet(b"A005 3", "red", Mode.FLASH, 1): (
            "00 00 00 00 00 01 5a 30 31 02 41 30 1b 20 63 1c 31 41 30 30 35 20 33 03 30 32 38 41 04"
        ),
        clear_errors(0): "00 00 00 00 00 01 5a 30 30 02 45 34 03 30 30 37 45 04",
        ask_errors(0): "00 00 00 00 00 01 5a 30 30 02 46 2a 03 30 30 37 35 04",
    }
    for ours, theirs in made.items():
        assert ours == bytes.fromhex(theirs)


@given(PACKETS)
def test_a_packet_is_read_as_it_was_written(packet: Packet) -> None:
    assert Packet.from_bytes(packet.to_bytes().lstrip(b"\0")) == packet


@given(PACKETS)
def test_no_part_of_a_packet_is_one(packet: Packet) -> None:
    whole = packet.to_bytes().lstrip(b"\0")
    for end in range(len(whole)):
        with pytest.raises(FrameError):
            Packet.from_bytes(whole[:end])


@given(PACKETS, st.data())
def test_a_flipped_bit_of_the_body_is_noticed(packet: Packet, data: st.DataObject) -> None:
    whole = bytearray(packet.to_bytes().lstrip(b"\0"))
    at = data.draw(st.integers(4, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = Packet.from_bytes(bytes(whole))
    except FrameError:
        return
    assert read == packet  # the case of a hex digit of the checksum


ANSWER = Packet(ord("E"), b"*\x41", 0, "0").to_bytes()


@given(st.binary(max_size=40), st.integers(1, 7))
def test_an_answer_is_found_after_noise_in_any_pieces(noise: bytes, piece: int) -> None:
    reader = AnswerReader()
    stream = noise + ANSWER
    found = [a for at in range(0, len(stream), piece) for a in reader.feed(stream[at : at + piece])]
    assert found[-1:] == [ErrorStatus(SerialError.PARITY)]


def test_only_a_sign_answers() -> None:
    for other in (
        Packet(ord("E"), b"*\x40", 0, "Z"),
        Packet(ord("E"), b"*\x01", 0, "0"),
        Packet(ord("E"), b"4\x40", 0, "0"),
        Packet(ord("B"), b"*\x40", 0, "0"),
    ):
        assert AnswerReader().feed(other.to_bytes()) == []


@pytest.mark.parametrize(
    ("text", "shorter", "shown", "mode", "changed"),
    [
        ("A005 to counter 3", ("A005 to 3", "A005 3"), b"A005 to 3", Mode.HOLD, False),
        ("请A005到3号窗口", ("A005 3",), b"A005 3", Mode.HOLD, False),
        ("请A005到3号窗口", (), b"A005 3", Mode.HOLD, True),
        ("A005 to counter number three", (), b"A005 to counter number three", Mode.ROTATE, False),
    ],
)
def test_what_is_shown(text: str, shorter: tuple[str, ...], shown: bytes, mode: Mode, changed: bool) -> None:
    wire, lost, _ = showing(ScreenText(text, "green", shorter=shorter), 14, 1)
    assert wire == text_packet(shown, "green", mode, 1) and lost is changed


def test_a_long_text_is_cut_at_what_the_sign_holds() -> None:
    wire, lost, _ = showing(ScreenText("A" * 300), 14, 1)
    assert lost and Packet.from_bytes(wire.lstrip(b"\0")).data[4:] == b"\x1c1" + b"A" * 123
