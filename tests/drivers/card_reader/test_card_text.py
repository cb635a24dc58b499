"""The four layouts of the text on a card: what is read is what was written, or nothing is read."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from id_validator import validator  # type: ignore[import-untyped]
from stdnum.cn import ric

from drivers.card_reader.card_text import CardTextError, card_from_text, check_digit
from drivers.card_reader.protocol import Secret
from drivers.card_reader.rare_characters import ETHNIC_GROUPS, real_characters
from drivers.card_reader.sam_frames import SamFrame, SamReply
from drivers.card_reader.synthetic_cards import (
    PHOTO,
    SyntheticCard,
    citizen,
    number_18,
    synthetic_cards,
)
from drivers.errors import FrameError

LAYOUTS = {" ": "citizen", "J": "hmt_resident", "I": "foreigner_2017", "Y": "foreigner_2023"}


HANZI = "样例甲乙丙丁戊己庚辛壬癸王李张欧阳上官𠮷\ue863"


def hanzi(size: int) -> st.SearchStrategy[str]:
    fits = st.text(st.sampled_from(HANZI), min_size=1, max_size=size)
    return fits.filter(lambda name: len(name.encode("utf-16-le")) <= 2 * size)


@st.composite
def cards(draw: st.DrawFn) -> SyntheticCard:
    kind = draw(st.sampled_from(list(LAYOUTS)))
    birth = draw(st.dates(date(1900, 1, 1), date(2026, 1, 1)))
    area = {" ": "100001", "J": draw(st.sampled_from(["810000", "820000", "830000"])), "Y": "915001"}
    number = (
        f"UTO1500{birth:%y%m%d}01" if kind == "I" else number_18(area[kind], birth, draw(st.integers(0, 999)))
    )
    english = draw(st.from_regex(r"[A-Z]{1,12}(, [A-Z]{1,9}){1,3}", fullmatch=True)) if kind in "IY" else ""
    name = draw(hanzi(15)) if kind in " J" or draw(st.booleans()) else ""
    until = draw(st.none() | st.dates(date(2021, 1, 1), date(2060, 1, 1)))
    return SyntheticCard(kind, number, birth, name, english, valid_until=until)


@given(cards())
def test_every_layout_is_read_as_it_was_written(card: SyntheticCard) -> None:
    read = card_from_text(card.text())
    assert read.layout == LAYOUTS[card.kind]
    assert read.number == Secret(card.number, "number")
    assert read.name == Secret(real_characters(card.name) or card.english_name, "name")
    assert (read.birth, read.valid_until) == (card.birth, card.valid_until)


@given(cards(), st.integers(0, 1295 * 8 - 1))
@settings(max_examples=150)
def test_a_flipped_bit_on_the_line_never_gives_another_card(card: SyntheticCard, bit: int) -> None:
    frame = bytearray(SamFrame(b"\0\0\x90\x01\x00\x04\x00" + card.text() + PHOTO).to_bytes())
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FrameError):
        card_from_text(SamReply.from_frame(SamFrame.from_bytes(frame)).take_text())


@given(cards(), st.data())
def test_a_changed_digit_of_a_number_of_18_is_noticed(card: SyntheticCard, data: st.DataObject) -> None:
    if card.kind == "I":
        return
    at = data.draw(st.integers(0, 17))
    other = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != card.number[at]))
    spoiled = replace(card, number=card.number[:at] + other + card.number[at + 1 :])
    with pytest.raises(CardTextError):
        card_from_text(spoiled.text())


@given(st.binary(min_size=256, max_size=256) | st.binary(max_size=300))
def test_any_bytes_are_a_card_or_an_error_that_names_a_field(data: bytes) -> None:
    with pytest.raises(CardTextError) as caught:
        card_from_text(data)
    assert caught.value.field in {"length", "type", "birth", "validity", "number", "name"}


def test_an_english_name_goes_on_in_the_second_field() -> None:
    long = next(card for card in synthetic_cards() if card.kind == "Y")
    assert len(long.english_name) > 35
    assert card_from_text(long.text()).name == Secret(long.english_name, "name")


def test_permits_of_81_and_83_pass_and_their_check_digits_count() -> None:
    for card in synthetic_cards():
        if card.kind == "J":
            assert card_from_text(card.text()).layout == "hmt_resident"
            wrong = card.number[:-1] + ("0" if card.number[-1] != "0" else "1")
            with pytest.raises(CardTextError, match="number"):
                card_from_text(replace(card, number=wrong).text())


@pytest.mark.parametrize(
    ("on_the_chip", "read", "masked"),
    [
        ("样𠮷", "样𠮷", "样*"),
        ("样\ue863", "样䶮", "样*"),  # was in the private use area before Unicode had it
        ("样例\ue863", "样例䶮", "样*䶮"),
        ("\uf123例样", "\uf123例样", "□*样"),  # of a font that nobody here has: kept for matching
    ],
)
def test_rare_characters_of_names(on_the_chip: str, read: str, masked: str) -> None:
    name = card_from_text(citizen(on_the_chip, date(1990, 1, 1), 1).text()).name
    assert name == Secret(read, "name")
    assert str(name) == masked


def test_the_characters_that_became_real_are_those_of_gb_18030() -> None:
    # Six of the 80 are in GB 18030-2022 under codes of four bytes only, since two codes meant them before;
    # what iconv makes of their old codes differs between glibc 2.36 and 2.41.
    moved = {
        0x51: "95329031", 0x52: "95329033", 0x53: "95329730",
        0x6C: "9536b937", 0x76: "9630ba35", 0x91: "9635b630",
    }  # fmt: skip
    gbk = [bytes.fromhex(moved.get(low, f"fe{low:02x}")) for low in (*range(0x50, 0x7F), *range(0x80, 0xA1))]
    real = subprocess.run(
        ["iconv", "-f", "GB18030", "-t", "UTF-8"], input=b"".join(gbk), capture_output=True, check=True
    ).stdout.decode()
    assert real_characters("".join(map(chr, range(0xE815, 0xE865)))) == real


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("type", {248: b"K\0"}),
        ("birth", {36: "20230229".encode("utf-16-le")}),
        ("birth", {36: "１９９０0101".encode("utf-16-le")}),
        ("validity", {204: "短期".encode("utf-16-le")}),
        ("validity", {204: "19990101".encode("utf-16-le")}),
        ("number", {122: b"\x00\xd8"}),
        ("name", {0: b"\x00\xd8"}),
        ("name", {0: b"\x07\x00"}),
        ("name", {0: " ".encode("utf-16-le") * 15}),
    ],
)
def test_what_does_not_fit_is_named_and_not_guessed(field: str, change: dict[int, bytes]) -> None:
    text = bytearray(citizen("样例甲", date(1990, 1, 1), 1).text())
    for at, data in change.items():
        text[at : at + len(data)] = data
    with pytest.raises(CardTextError) as caught:
        card_from_text(text)
    assert caught.value.field == field
    assert caught.value.__context__ is None


def test_a_number_that_denies_the_birth_date_is_refused() -> None:
    card = citizen("样例甲", date(1990, 1, 1), 1)
    with pytest.raises(CardTextError, match="number"):
        card_from_text(replace(card, birth=date(1990, 1, 2)).text())


def test_check_digits() -> None:
    # the worked example of GB 11643's annex, which is nobody's number
    assert check_digit("11010519491231002") == "X"
    assert check_digit("44052418800101001") == "4"


def test_synthetic_cards_cover_all_layouts_young_and_old() -> None:
    read = [card_from_text(card.text()) for card in synthetic_cards()]
    assert {card.layout for card in read} == set(LAYOUTS.values())
    assert min(card.birth.year for card in read) < 1950
    assert max(card.birth.year for card in read) > 2010
    assert any(card.valid_until is None for card in read)


@given(cards(), st.sampled_from([*ETHNIC_GROUPS]), st.sampled_from("1209"))
def test_details_are_what_was_written(card: SyntheticCard, ethnic: str, sex: str) -> None:
    written = replace(card, ethnic=ethnic, female=sex == "2")
    details = card_from_text(written.text(), details=True).details
    assert details is not None
    assert details.sex == ("2" if sex == "2" else "1")
    assert details.valid_from == card.valid_from
    assert details.ethnic == (ethnic if card.kind == " " else None)
    assert details.nation == ("UTO" if card.kind in "IY" else None)
    assert details.permit == (Secret(card.permit, "number") if card.kind == "J" else None)
    assert details.issues == ("01" if card.kind in "JY" else None)
    assert details.issuer == {"I": "1500", "Y": None}.get(card.kind, "样例签发机关")
    assert details.address == (Secret(card.address, "address") if card.kind in " J" else None)


def test_a_detail_that_does_not_fit_is_none_and_costs_nothing_else() -> None:
    card = citizen("样例甲", date(1990, 1, 1), 1)
    for spoiled, field in (
        (replace(card, ethnic="59"), "ethnic"),
        (replace(card, address="\x07"), "address"),
    ):
        read = card_from_text(spoiled.text(), details=True)
        assert read.details is not None and getattr(read.details, field) is None
    with pytest.raises(CardTextError, match="sex"):
        card_from_text(card.text()[:30] + b"7\0" + card.text()[32:], details=True)


def test_the_ethnic_groups_are_those_of_gb_t_3304() -> None:
    assert [ETHNIC_GROUPS[f"{n:02d}"] for n in (1, 5, 15, 44, 56)] == [
        "汉",
        "维吾尔",
        "土家",
        "俄罗斯",
        "基诺",
    ]
    assert len(ETHNIC_GROUPS) == 60


@given(
    st.dates(date(1901, 1, 1), date(2020, 1, 1)),
    st.integers(0, 999),
    st.text("0123456789", min_size=17, max_size=17),
)
def test_an_independent_program_agrees_on_the_check_digit(birth: date, sequence: int, digits: str) -> None:
    number = number_18("100001", birth, sequence)
    assert check_digit(number[:17]) == number[17] == ric.calc_check_digit(number)
    assert check_digit(digits) == ric.calc_check_digit(digits + "0")


def test_an_independent_program_agrees_on_residence_permits() -> None:
    for area in ("810000", "820000", "830000"):
        number = number_18(area, date(1990, 12, 31), 5)
        assert validator.is_valid(number)
        wrong = number[:17] + ("0" if number[17] != "0" else "1")
        assert not validator.is_valid(wrong)


@given(cards(), st.integers(0, 255))
def test_a_text_that_is_cut_off_is_no_card(card: SyntheticCard, size: int) -> None:
    with pytest.raises(CardTextError):
        card_from_text(card.text()[:size])
