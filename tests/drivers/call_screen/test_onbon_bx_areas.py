"""What an area says, read back by the fake's own decoder."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.call_screen.fake import FakeOnbonCard
from drivers.call_screen.onbon_bx_areas import (
    Dots,
    Family,
    MatrixArea,
    Sound,
    TextArea,
    dynamic_areas,
    encode_dots,
    styled,
)
from drivers.call_screen.onbon_bx_commands import Command, k_request, matrix_request
from drivers.call_screen.onbon_bx_frames import KFrame, MatrixFrame
from drivers.call_screen.text_layout import gb2312

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


def test_several_areas_and_those_to_delete() -> None:
    first, second = TextArea(b"\\C1A", 64, 16), TextArea(b"\\C2B", 64, 16, x=64, id=1)
    card = shown_by_font_card(first, second)
    assert [area.text for area in card.areas.values()] == ["A", "B"]
    payload = dynamic_areas((), delete=(0,))
    card.received(KFrame(k_request(Command.DYNAMIC_AREA, payload)).to_bytes())
    assert list(card.areas) == [1]
    card.received(KFrame(k_request(Command.DYNAMIC_AREA, dynamic_areas((), delete="all"))).to_bytes())
    assert card.areas == {}


@given(st.text(max_size=80), st.integers(0, 100))
def test_any_text_becomes_gb2312_within_the_limit(text: str, limit: int) -> None:
    encoded, changed = gb2312(text, limit)
    assert len(encoded) <= limit
    back = encoded.decode("gb2312")
    assert "\\" not in back
    assert not any(char < " " for char in back)
    if not changed:
        assert len(back) == len(text)


def test_what_gb2312_lacks_is_replaced_and_told() -> None:
    assert gb2312("请A005号到3号窗口", 100) == ("请A005号到3号窗口".encode("gb2312"), False)
    assert gb2312("王𠮷", 100) == ("王□".encode("gb2312"), True)
    assert gb2312("\\C2", 100) == ("＼C2".encode("gb2312"), False)
    assert gb2312("窗口", 3) == ("窗".encode("gb2312"), True)


def test_fonts_and_colour_are_set_before_the_text() -> None:
    assert styled(b"A5", "red", 16) == b"\\FE000\\C1A5"
    assert styled("到".encode("gb2312"), "green", 32) == b"\\FO002\\C2" + "到".encode("gb2312")
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
