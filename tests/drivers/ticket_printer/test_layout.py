"""The template: which lines stand on a ticket, and how they are made to fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from printing_bench import VALUES

from drivers.ticket_printer.escpos_frames import text_width
from drivers.ticket_printer.layout import Layout, holds
from drivers.ticket_printer.layout_file import SHIPPED, load_layout, read_layout
from drivers.ticket_printer.line_breaking import break_lines, fitted
from drivers.ticket_printer.protocol import Paper
from drivers.ticket_printer.qr_code import modules_of


def layout(text: str) -> Layout:
    return read_layout(text)


def texts(found: Layout, paper: Paper, columns: int = 48) -> list[str]:
    return [line.text for line in found.lines(paper, columns)]


def test_line_without_its_value_is_left_out() -> None:
    found = texts(load_layout(), Paper("A005", {"hall": "大厅"}))
    assert "A005" in found and "大厅" in found
    assert not any("等候" in text or "{" in text for text in found)


def test_language_of_the_citizen() -> None:
    english = texts(load_layout(), Paper("A005", VALUES | {"language": "en"}))
    assert "12 ahead of you" in english and "Your number" in english
    other = texts(load_layout(), Paper("A005", VALUES | {"language": "bo"}))
    assert "您的号码" in other


def test_reprint_and_qr_are_shown_only_when_they_are_there() -> None:
    plain = texts(load_layout(), Paper("A005", VALUES))
    again = texts(load_layout(), Paper("A005", VALUES, "https://x.example/1", reprint=True))
    assert not any("补打" in text or "扫码" in text for text in plain)
    assert "补打 · 号码不变" in again and "https://x.example/1" in again


@pytest.mark.parametrize("columns", [32, 42, 48])
def test_number_is_as_large_as_the_paper_allows(columns: int) -> None:
    for number in ("A005", "1", "ABC123456"):
        lines = load_layout().lines(Paper(number, VALUES), columns)
        line = next(line for line in lines if line.text == number)
        assert line.width * len(number) <= columns
        assert line.width == 8 or (line.width + 1) * len(number) > columns


def test_condition_that_must_not_hold() -> None:
    found = layout('line = [{text={zh-CN="{number}"}}, {text={zh-CN="普通"}, when=["!priority"]}]')
    assert texts(found, Paper("A1", {})) == ["A1", "普通"]
    assert texts(found, Paper("A1", {"priority": "老人"})) == ["A1"]


@given(st.text(st.sampled_from("中文，。、（）“”AB 12-."), max_size=80), st.integers(2, 48))
def test_broken_lines_fit_and_lose_nothing(text: str, columns: int) -> None:
    pieces = break_lines(text, columns)
    assert all(0 < text_width(piece) <= columns for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


@given(
    st.dictionaries(st.sampled_from([*VALUES, "notes", "priority"]), st.text(max_size=700)),
    st.integers(24, 80),
)
def test_whatever_stands_in_the_values_fits_the_paper(values: dict[str, str], columns: int) -> None:
    for name in SHIPPED:
        for line in load_layout(name).lines(Paper("A005", values), columns):
            assert line.kind == "qr" or text_width(line.text) * line.width <= columns
            assert "\n" not in line.text and "\x1b" not in line.text


def test_words_are_not_broken_and_punctuation_does_not_begin_a_line() -> None:
    assert break_lines("Wait in Zone A please", 10) == ["Wait in", "Zone A", "please"]
    assert break_lines("一二三四，五", 8) == ["一二三", "四，五"]


def test_no_single_character_is_left_on_a_line() -> None:
    found = layout('line = [{text={zh-CN="{number}"}}, {text={zh-CN="{service}"}, width=2, height=2}]')
    paper = Paper("A1", {"service": "居民身份证申领、换领、补领"})
    assert texts(found, paper) == ["A1", "居民身份证申领、", "换领、补领"]


def test_digit_and_its_word_stay_together() -> None:
    assert break_lines("到3、4、5号窗口", 9) == ["到3、4、", "5号窗口"]
    assert fitted("Served at Counters 3, 4, 5", 24, size=1, least=1, fit=False, most=3)[1] == (
        "Served at",
        "Counters 3, 4, 5",
    )
    assert fitted("请到A区等候", 10, size=1, least=1, fit=False, most=3)[1] == ("请到A区", "等候")


def test_rule_of_a_text_that_is_too_long() -> None:
    text = "城乡居民基本养老保险"  # 20 columns
    assert fitted(text, 20, size=2, least=1, fit=True, most=2) == (1, (text,)), "made smaller"
    assert fitted(text, 20, size=2, least=2, fit=True, most=2)[0] == 2, "broken before it is too small"
    assert fitted(text, 20, size=3, least=1, fit=False, most=2)[0] == 2, "smaller before it is cut"
    size, lines = fitted(text * 4, 20, size=3, least=1, fit=False, most=2)
    assert size == 1 and len(lines) == 2 and lines[1].endswith("…"), "what is cut says so"
    size, lines = fitted(text * 4, 20, size=3, least=2, fit=False, most=2)
    assert size == 2 and len(lines) == 8, "more lines before it is too small to read"
    size, lines = fitted(text * 12, 20, size=3, least=2, fit=False, most=2)
    assert size == 1 and len(lines) == 2, "but no more than a paper holds"
    assert all(text_width(line) <= 20 for line in lines)
    assert fitted("Registration", 16, size=2, least=1, fit=False, most=3) == (1, ("Registration",))


@given(
    st.text(st.sampled_from("中文，。（）AB 12-.\n"), max_size=120),
    st.integers(24, 80),
    st.integers(1, 8),
    st.integers(1, 8),
    st.booleans(),
    st.integers(1, 12),
)
def test_everything_fits(text: str, columns: int, size: int, least: int, fit: bool, most: int) -> None:
    width, lines = fitted(text, columns, size=size, least=min(least, size), fit=fit, most=most)
    assert 1 <= width <= size and len(lines) <= (12 if width == min(least, size) else most)
    assert all(text_width(line) * width <= columns for line in lines)
    if not (lines and lines[-1].endswith("…")):
        bare = str.maketrans("", "", " \n")
        assert "".join(lines).translate(bare) == text.translate(bare), "nothing is lost"


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        ("waiting", True),
        ("!waiting", False),
        ("notes", False),
        ("!notes", True),
        ("waiting > 3", True),
        ("waiting <= 3", False),
        ("waiting = 12", True),
        ("waiting != 12", False),
        ("zone = A区", True),
        ("zone > 3", False),
        ("columns>=48", True),
        ("language = en", False),
    ],
)
def test_conditions(condition: str, true: bool) -> None:
    values = {"waiting": "12", "zone": "A区", "columns": "48", "language": "zh-CN"}
    assert holds(condition, values) is true


def test_both_languages_beside_each_other_where_they_fit() -> None:
    found = layout(
        'line = [{text={zh-CN="{number}"}}, '
        '{text={zh-CN="{zone}", en="Zone {zone}"}, both="beside", width=2, height=2, least=2}]'
    )
    paper = Paper("A1", {"zone": "三", "zone@en": "C"})
    assert texts(found, paper, 48)[1:] == ["三" + " " * 16 + "Zone C"]
    english = Paper("A1", {"language": "en", **paper.values})
    assert texts(found, english, 48)[1:] == ["Zone C" + " " * 16 + "三"], "the citizen's language first"
    assert texts(found, Paper("A1", {"zone": "综合受理区", "zone@en": "General"}), 32)[1:] == [
        "综合受理区",
        "Zone General",
    ], "below each other where they do not"


def test_same_text_in_both_languages_stands_once() -> None:
    found = layout('line = [{text={zh-CN="{number}", en="{number}"}, both="below"}]')
    assert texts(found, Paper("A1")) == ["A1"]


@pytest.mark.parametrize("columns", [32, 48])
@pytest.mark.parametrize("length", [12, 30, 60, 150])
def test_qr_of_the_audio_layout_is_first_at_the_left_and_as_large_as_40_mm_allow(
    columns: int, length: int
) -> None:
    payload = "https://hall.example/".ljust(length, "x")[:length]
    first = load_layout("audio").lines(Paper("A005", VALUES, payload), columns)[0]
    assert (first.kind, first.align, first.space) == ("qr", "left", 0)
    side = modules_of(payload)
    assert first.module * side <= 320 < (first.module + 1) * side or first.module == 16


def test_code_that_does_not_fit_is_made_smaller_and_then_left_out() -> None:
    found = layout('line = [{text={zh-CN="{number}"}}, {barcode="{number}", module=6}, {qr=true, module=16}]')
    small = found.lines(Paper("A005", {}, "https://hall.example/t/1"), 32)
    assert [line.kind for line in small] == ["text", "barcode", "qr"]
    assert small[1].module * (11 * 6 + 13 + 20) <= 384 and small[2].module * 25 <= 384
    assert [line.kind for line in found.lines(Paper("A" * 40, {}, "x" * 667), 32)] == ["text", "text"]
    assert [line.kind for line in found.lines(Paper("号", {}, "排号"), 48)] == ["text"]
