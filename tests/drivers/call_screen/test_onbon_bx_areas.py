"""What an area says, read back by the fake's own decoder."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.call_screen.fake import FakeOnbonCard
from drivers.call_screen.onbon_bx_areas import (
    NEW_LINE,
    Dots,
    Family,
    MatrixArea,
    Sound,
    TextArea,
    dynamic_areas,
    encode_dots,
    read_dynamic_areas,
    styled,
)
from drivers.call_screen.onbon_bx_commands import Command, k_request, matrix_request
from drivers.call_screen.onbon_bx_frames import KFrame, MatrixFrame
from drivers.errors import FrameError

COLOURS = {"red": 1, "green": 2, "yellow": 3}


def shown_by_font_card(*areas: TextArea, **options: Any) -> FakeOnbonCard:
    card = FakeOnbonCard(width=256, height=64)
    card.received(KFrame(k_request(Command.DYNAMIC_AREA, dynamic_areas(areas, **options))).to_bytes())
    assert card.bad_frames == 0
    return card


def test_every_field_of_an_area_is_where_the_card_looks_for_it() -> None:
    area = TextArea(
        styled("请A005号".encode("gb2312"), "yellow", 24),
        width=200,
        height=24,
        x=13,
        y=5,
        id=3,
        line_gap=1,
        run_mode=2,
        timeout_s=300,
        sound=Sound("您好".encode("gb2312"), person=2, repeats=1),
        extra=b"\0\1\0",
        align=0b1010,
        single_line=True,
        mode=3,
        speed=7,
        stay=4,
    )
    shown = shown_by_font_card(area).areas[3]
    assert (shown.x, shown.y, shown.width, shown.height) == (13, 5, 200, 24)
    assert (shown.text, shown.font_px, shown.mode, shown.speed, shown.stay_s) == ("请A005号", 24, 3, 7, 2.0)
    assert (shown.align, shown.single_line, shown.run_mode, shown.timeout_s) == (0b1010, True, 2, 300)


places = st.integers(0, 0x7FFF)
byte = st.integers(0, 255)
nibble = st.integers(0, 15)
areas = st.builds(
    TextArea, st.binary(max_size=40), places, places, places, places, byte, byte, byte, byte,
    st.integers(0, 0xFFFF),
    st.none() | st.builds(Sound, st.none() | st.binary(max_size=9), nibble, nibble, byte, byte),
    st.binary(max_size=5), byte, st.booleans(), st.booleans(), byte, byte, byte, byte,
)  # fmt: skip


@given(st.lists(areas, max_size=4), st.lists(byte, max_size=3) | st.just("all"))
def test_areas_come_back_as_they_went(shown: list[TextArea], delete: Any) -> None:
    gone = "all" if delete == "all" else tuple(delete)
    assert read_dynamic_areas(dynamic_areas(shown, delete=gone)) == (gone, tuple(shown))


@given(areas.map(lambda area: dynamic_areas((area,))))
@settings(max_examples=40)
def test_no_part_of_an_area_and_no_flipped_bit_is_taken_for_more_than_it_is(payload: bytes) -> None:
    for end in range(len(payload)):
        with pytest.raises(FrameError):
            read_dynamic_areas(payload[:end])
    for bit in range(8 * len(payload)):
        spoiled = bytearray(payload)
        spoiled[bit // 8] ^= 1 << bit % 8
        try:
            delete, read = read_dynamic_areas(bytes(spoiled))
        except FrameError:
            continue
        assert dynamic_areas(read, delete=delete) == spoiled


def test_places_in_units_of_eight_dots() -> None:
    area = TextArea(b"A", 128, 16, x=8, eights=True)
    assert area.to_bytes()[1:3] == b"\1\0"
    assert TextArea.from_bytes(area.to_bytes()) == area
    assert shown_by_font_card(area).areas[0].x == 8


def test_several_areas_and_those_to_delete() -> None:
    first, second = TextArea(b"\\C1A", 64, 16), TextArea(b"\\C2B", 64, 16, x=64, id=1)
    card = shown_by_font_card(first, second)
    assert [area.text for area in card.areas.values()] == ["A", "B"]
    payload = dynamic_areas((), delete=(0,))
    card.received(KFrame(k_request(Command.DYNAMIC_AREA, payload)).to_bytes())
    assert list(card.areas) == [1]
    card.received(KFrame(k_request(Command.DYNAMIC_AREA, dynamic_areas((), delete="all"))).to_bytes())
    assert card.areas == {}


def test_fonts_and_colour_are_set_before_the_text() -> None:
    assert styled(b"A5", "red", 16) == b"\\FE000\\C1A5"
    assert styled("到".encode("gb2312"), "green", 32) == b"\\FO002\\C2" + "到".encode("gb2312")
    lines = styled("到".encode("gb2312") + NEW_LINE + "号".encode("gb2312"), "red", 16)
    assert lines.startswith(b"\\FO000\\C1"), "a line break is no text in Latin letters"
    assert styled("到3".encode("gb2312"), "yellow", 24).startswith(b"\\FO001\\FE001\\C3")


@pytest.mark.parametrize("family", ["5e", "6e", "6q"])
@given(drawing=st.data())
@settings(max_examples=25)
def test_dots_arrive_where_they_were_meant(family: Family, drawing: st.DataObject) -> None:
    width, height = drawing.draw(st.integers(1, 70)), drawing.draw(st.integers(1, 4))
    x, y = drawing.draw(st.integers(0, 40)), drawing.draw(st.integers(0, 2))
    colour = drawing.draw(st.sampled_from(sorted(COLOURS)))
    rows = drawing.draw(st.lists(st.integers(0, (1 << width) - 1), min_size=height, max_size=height))
    dots = Dots(width, tuple(rows))
    area = MatrixArea((encode_dots(dots, colour, family, x),), width, height, x, y)
    request = matrix_request(Command.MATRIX_DYNAMIC_AREA, area.payload(family))
    card = FakeOnbonCard(width=x + width, height=y + height, family=family)
    card.received(MatrixFrame(request).to_bytes())
    assert card.bad_frames == 0
    expected = [bytes(x + width)] * y + [
        bytes(x) + bytes(COLOURS[colour] * (row >> (width - 1 - column) & 1) for column in range(width))
        for row in rows
    ]
    assert card.dots() == expected


@given(st.integers(1, 40), st.integers(-20, 60), st.integers(1, 30))
def test_a_cut_is_what_a_window_shows(width: int, start: int, size: int) -> None:
    row = int("10" * 20, 2) >> (40 - width)
    text = f"{row:0{width}b}"
    expected = "".join(text[i] if 0 <= i < width else "0" for i in range(start, start + size))
    assert f"{Dots(width, (row,)).cut(start, size).rows[0]:0{size}b}" == expected
