"""ATRs and APDUs: encode, decode, every truncation, every flipped bit; against pyscard where it is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from card_lines import make_pyscard_importable
from hypothesis import given
from hypothesis import strategies as st

from drivers.card_reader.fake_chip import CONTACT, MIFARE_1K
from drivers.card_reader.pcsc_frames import Atr, Response, get_response, get_uid, uid_of
from drivers.errors import FrameError


@st.composite
def atrs(draw: st.DrawFn) -> Atr:
    groups, protocols = [], []
    mask = draw(st.integers(0, 15))
    for n in range(4):
        if not mask:
            break
        following = draw(st.integers(0, (15, 15, 7, 0)[n]))
        protocol = draw(st.sampled_from([0, 1, 15]))
        body = draw(st.binary(min_size=mask.bit_count(), max_size=mask.bit_count()))
        if mask & 8:
            body = body[:-1] + bytes((following << 4 | protocol,))
            protocols.append(protocol)
        groups.append(bytes((mask,)) + body)
        mask = following if mask & 8 else 0
    historical = draw(st.binary(max_size=15))
    return Atr(historical, tuple(protocols) or (0,), tuple(groups), draw(st.booleans()))


@given(atrs())
def test_an_atr_survives_encoding(atr: Atr) -> None:
    assert Atr.from_bytes(atr.to_bytes()) == atr


@given(atrs(), st.data())
def test_a_cut_off_atr_is_none_and_a_flipped_bit_is_noticed_where_there_is_a_check(
    atr: Atr, data: st.DataObject
) -> None:
    whole = atr.to_bytes()
    with pytest.raises(FrameError):
        Atr.from_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    flipped = bytearray(whole)
    flipped[bit // 8] ^= 1 << bit % 8
    try:
        read = Atr.from_bytes(bytes(flipped))
    except FrameError:
        return
    # harmless: another ATR, of which nothing but the model is used; never the same one
    assert read != atr


@given(st.binary(max_size=40))
def test_any_bytes_are_an_atr_or_an_error(data: bytes) -> None:
    try:
        assert Atr.from_bytes(data).to_bytes() == data
    except FrameError:
        pass


def test_the_model_is_read_from_the_published_atr_of_a_storage_card() -> None:
    assert Atr.from_bytes(MIFARE_1K).model == "MIFARE Classic 1K"
    assert Atr.from_bytes(CONTACT).model is None
    assert "4F0C" not in repr(Atr.from_bytes(MIFARE_1K)).upper()


@given(st.binary(max_size=256), st.integers(0, 0xFFFF))
def test_a_response_survives_encoding(data: bytes, status: int) -> None:
    response = Response(data, status)
    assert Response.from_bytes(response.to_bytes()) == response
    assert data.hex() not in repr(response) or len(data) < 2


@pytest.mark.parametrize("answer", [b"", b"\x90", bytes(259)])
def test_what_is_no_response_is_refused(answer: bytes) -> None:
    with pytest.raises(FrameError):
        Response.from_bytes(answer)


def test_the_commands_are_those_of_the_specification() -> None:
    assert get_uid() == bytes.fromhex("FFCA000000")
    assert Response(b"", 0x6C07).more == get_uid(7)
    assert Response(b"", 0x6104).more == get_response(4) == bytes.fromhex("00C0000004")
    assert Response(b"", 0x6A81).more is None


@pytest.mark.parametrize(
    ("data", "uid"),
    [
        ("04A1B2C3D4E5F6", "04A1B2C3D4E5F6"),
        ("A1B2C3D4", "A1B2C3D4"),
        ("08A1B2C3", None),  # made up anew each time
        ("00000000", None),
    ],
)
def test_a_uid_that_identifies_nothing_is_none(data: str, uid: str | None) -> None:
    assert uid_of(bytes.fromhex(data)) == uid


@pytest.mark.parametrize("size", [0, 1, 3, 5, 16])
def test_a_uid_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(FrameError):
        uid_of(b"\x01" * size)


def test_pyscard_reads_the_same_atr(tmp_path: Path) -> None:
    make_pyscard_importable(tmp_path)
    from smartcard.ATR import ATR

    for data in (MIFARE_1K, CONTACT, bytes.fromhex("3B7F9600008031B865B084BC1312129000")[:17]):
        try:
            ours = Atr.from_bytes(data)
        except FrameError:
            continue
        theirs = ATR(list(data))
        assert bytes(theirs.getHistoricalBytes()) == ours.historical
        assert theirs.isT0Supported() == (0 in ours.protocols)
        assert theirs.isT1Supported() == (1 in ours.protocols)
