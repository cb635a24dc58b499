"""Key frames of any format: what goes in comes out, and damage never becomes a key."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.checksums import SIZES, checksum
from drivers.errors import FrameError
from drivers.keypad.frames import KeyDecoder, KeyFrame, KeypadFormat, Layout, Received
from drivers.keypad.outputs import output
from drivers.keypad.serial_keypad import load_format

CALL = load_format("call-keypad")
RATING = load_format("rating-keypad")

hex_bytes = st.binary(min_size=1, max_size=3).map(lambda data: data.hex(" "))


@st.composite
def formats(draw: st.DrawFn, *, checked: bool = False) -> KeypadFormat:
    size = draw(st.integers(1, 3))
    payloads = draw(st.lists(st.binary(min_size=size, max_size=size), min_size=1, max_size=6, unique=True))
    kind = draw(st.sampled_from([name for name in SIZES if not checked or name != "none"]))
    start = draw(hex_bytes)
    end = draw(st.just("") | hex_bytes)
    middle = draw(
        st.permutations(
            ["{key}", *draw(st.sampled_from([[], ["{address}"], ["{length}"], ["{address}", "{length}"]]))]
        )
    )
    after_end = draw(st.booleans())
    sums = ["{checksum}"] if kind != "none" else []
    skipped = draw(st.integers(0, len(bytes.fromhex(start))))
    return KeypadFormat(
        frame=" ".join([start, *middle, *([end, *sums] if after_end else [*sums, end])]),
        keys={payload.hex(): f"key-{n}" for n, payload in enumerate(payloads)},
        checksum=kind,
        checksum_order=draw(st.sampled_from(["little", "big"])),  # type: ignore[arg-type]
        checksum_from=skipped,
        checksum_to=draw(st.integers(0, len(bytes.fromhex(end)))) if after_end else 0,
    )


def frame_of(format: KeypadFormat, key: str, address: int = 1) -> bytes:
    payload = {name: bytes.fromhex(code) for code, name in format.keys.items()}[key]
    layout = Layout.of(format)
    return KeyFrame(payload, address if layout.address_at >= 0 else None).to_bytes(layout)


def test_the_known_call_keypad() -> None:
    assert frame_of(CALL, "next", 2) == bytes.fromhex("01 02 31 07")
    assert frame_of(CALL, "finish", 2) == bytes.fromhex("01 02 34 07")


def test_the_rating_keypad_and_what_it_is_told() -> None:
    assert set(RATING.keys.values()) == {"1", "2", "3", "4", "5"}
    assert frame_of(RATING, "5") == bytes.fromhex("01 01 35") + bytes((0x01 ^ 0x01 ^ 0x35, 0x07))
    lit = output(RATING, RATING.light, 1, lights=frozenset({"1", "5"}))
    assert lit == bytes((0x01, 0x01, 0x4C, 0b10001, 0x4C ^ 0b10001, 0x07))


def test_checksums_of_known_values() -> None:
    assert checksum("none", b"123456789") == b""
    assert checksum("xor", b"\x01\x02\x04") == b"\x07"
    assert checksum("sum", b"\xff\x02") == b"\x01"
    assert checksum("twos", b"\xff\x02") == b"\xff"
    assert checksum("sum16", b"\xff\x02", "big") == b"\x01\x01"
    # the check values of the catalogue of parametrised CRC algorithms, over "123456789"
    assert checksum("crc16", b"123456789") == bytes.fromhex("374b")  # CRC-16/MODBUS 0x4B37
    assert checksum("crc16", b"123456789", "big") == bytes.fromhex("4b37")
    assert checksum("crc8", b"123456789") == b"\xf4"  # CRC-8/SMBUS
    assert checksum("crc8-maxim", b"123456789") == b"\xa1"  # CRC-8/MAXIM-DOW


@given(formats(), st.integers(0, 255), st.data())
def test_a_frame_comes_back_as_it_went(format: KeypadFormat, address: int, data: st.DataObject) -> None:
    layout = Layout.of(format)
    payload = data.draw(st.sampled_from(sorted(layout.keys)))
    frame = KeyFrame(payload, address if layout.address_at >= 0 else None)
    wire = frame.to_bytes(layout)
    assert len(wire) == layout.size
    assert KeyFrame.from_bytes(wire, layout) == frame
    for end in range(len(wire)):
        with pytest.raises(FrameError):
            KeyFrame.from_bytes(wire[:end], layout)


@given(formats(checked=True), st.integers(0, 255), st.data())
@settings(max_examples=60)
def test_a_flipped_bit_is_never_a_key(format: KeypadFormat, address: int, data: st.DataObject) -> None:
    layout = Layout.of(format)
    payload = data.draw(st.sampled_from(sorted(layout.keys)))
    wire = KeyFrame(payload, address if layout.address_at >= 0 else None).to_bytes(layout)
    for bit in range(8 * len(wire)):
        spoiled = bytearray(wire)
        spoiled[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            KeyFrame.from_bytes(bytes(spoiled), layout)


@given(st.binary(max_size=300), st.sampled_from([CALL, RATING]))
def test_the_decoder_takes_any_bytes_and_holds_less_than_a_frame(noise: bytes, format: KeypadFormat) -> None:
    decoder = KeyDecoder(Layout.of(format), 1)
    for start in range(0, len(noise), 7):
        decoder.feed(noise[start : start + 7], 0.0)
        assert len(decoder._bytes) < Layout.of(format).size


@given(
    st.lists(st.sampled_from(sorted(RATING.keys.values())), min_size=1, max_size=8),
    st.lists(st.binary(max_size=6).filter(lambda noise: 1 not in noise), min_size=8, max_size=8),
    st.integers(1, 9),
)
def test_keys_are_found_between_noise_in_pieces_of_any_size(
    pressed: list[str], noise: list[bytes], size: int
) -> None:
    stream = b"".join(dirt + frame_of(RATING, key) for dirt, key in zip(noise, pressed, strict=False))
    decoder = KeyDecoder(Layout.of(RATING), 1)
    found = []
    for start in range(0, len(stream), size):
        found += [got.key for got in decoder.feed(stream[start : start + size], 0.0)]
    assert found == pressed


@pytest.mark.parametrize("junk", ["01", "01 01", "01 01 31", "07", "01 01 01", "01 01 31 08", "01 01 99 07"])
def test_a_key_after_broken_frames_is_found(junk: str) -> None:
    decoder = KeyDecoder(Layout.of(CALL), 1)
    found = decoder.feed(bytes.fromhex(junk) + frame_of(CALL, "recall"), 5.0)
    assert found == [Received("recall", 5.0, address=1)]


def test_the_time_of_a_key_is_that_of_its_first_byte() -> None:
    decoder = KeyDecoder(Layout.of(CALL), 1)
    wire = b"\x55" + frame_of(CALL, "next")
    found = [got for n, byte in enumerate(wire) for got in decoder.feed(bytes((byte,)), n / 100)]
    assert found == [Received("next", 0.01, address=1)]


def test_half_a_frame_from_long_ago_cannot_become_a_key() -> None:
    decoder = KeyDecoder(Layout.of(CALL), 1)
    assert decoder.feed(bytes.fromhex("01 01"), 0.0) == []
    assert decoder.feed(bytes.fromhex("31 07"), 1.0) == []
    assert decoder.feed(frame_of(CALL, "next"), 2.0) == [Received("next", 2.0, address=1)]
    assert decoder.bad == 1


def test_keys_of_another_address_and_unknown_keys_are_counted_not_taken() -> None:
    decoder = KeyDecoder(Layout.of(CALL), 1)
    assert decoder.feed(frame_of(CALL, "next", 2) + bytes.fromhex("01 01 7F 07"), 0.0) == []
    assert (decoder.foreign, decoder.bad) == (2, 0)
    assert len(KeyDecoder(Layout.of(CALL), None).feed(frame_of(CALL, "next", 2), 0.0)) == 1


@pytest.mark.parametrize(
    "options, said",
    [
        ({"keys": {"31": "a", "3131": "b"}}, "same number of bytes"),
        ({"keys": {"3a": "a", "3A": "b"}}, "same bytes"),
        ({"keys": {"zz": "a"}}, "bytes in hex"),
        ({"keys": {"31": ""}}, "needs a name"),
        ({"frame": "{key}"}, "fixed byte or a checksum"),
        ({"frame": "{address} {key}"}, "fixed byte or a checksum"),
        ({"frame": "0 {key}"}, "frame"),
        ({"frame": "01 07"}, "needs {key}"),
        ({"frame": "01 {key} {key}"}, "needs {key}"),
        ({"frame": "01 {lights} {key}"}, "cannot have lights"),
        ({"frame": "01 {address} {address} {key}"}, "twice"),
        ({"frame": "01 {key} {checksum}"}, "checksum is none"),
        ({"releases": {"32": "recall"}}, "recall"),
        ({"releases": {"31": "next"}}, "same bytes"),
        ({"show": "01 {number}"}, "number"),
        ({"show": "01 {key}"}, "key"),
        ({"light": "01 {index}"}, "index"),
        ({"voice": "01 {index}"}, "voices"),
        ({"prompt_lights": True}, "prompt_lights"),
        ({"number": {"width": 4, "segment_order": "aaaaaaaa"}}, "segment_order"),
        ({"light": "01 {lights}"}, "light_order"),
        ({"light_order": ["x"]}, "x"),
        ({"thank": "01 {name}"}, "thank"),
        ({"poll": "05"}, "poll and idle"),
        ({"frame": "01 " * 31 + "{key}"}, "a frame may have"),
        ({"checksum": "md5"}, "checksum"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_wrong_format_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"frame": "01 {key}", "keys": {"31": "next"}} | options, KeypadFormat)


def test_checksum_sizes() -> None:
    for kind, size in SIZES.items():
        assert len(checksum(kind, b"abc")) == size
