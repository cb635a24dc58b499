"""The template: which lines stand on a ticket, how they are broken, and what is wrong with a file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from printing_bench import TICKET, VALUES

from drivers.errors import ConfigError
from drivers.ticket_printer.escpos_frames import text_width
from drivers.ticket_printer.layout import Layout, break_lines, check_layout, load_layout
from drivers.ticket_printer.protocol import Paper


def layout(text: str) -> Layout:
    return check_layout(tomllib.loads(text))


def texts(found: Layout, paper: Paper, columns: int = 48) -> list[str]:
    return [line.text for line in found.lines(paper, columns)]


def test_line_without_its_value_is_left_out() -> None:
    found = texts(load_layout(), Paper("A005", {"hall": "大厅"}))
    assert "A005" in found and "大厅" in found
    assert not any("等候" in text or "{" in text for text in found)


def test_language_of_the_citizen() -> None:
    english = texts(load_layout(), Paper("A005", VALUES | {"language": "en"}))
    assert "12 people ahead" in english and "Your number" in english
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
    for line in load_layout().lines(Paper("A005", values), columns):
        assert line.kind == "qr" or text_width(line.text) * line.width <= columns
        assert "\n" not in line.text and "\x1b" not in line.text


def test_words_are_not_broken_and_punctuation_does_not_begin_a_line() -> None:
    assert break_lines("Wait in Zone A please", 10) == ["Wait in", "Zone A", "please"]
    assert break_lines("一二三四，五", 8) == ["一二三", "四，五"]


def test_no_single_character_is_left_on_a_line() -> None:
    found = layout('line = [{text={zh-CN="{number}"}}, {text={zh-CN="{service}"}, width=2, height=2}]')
    paper = Paper("A1", {"service": "居民身份证申领、换领、补领"})
    assert texts(found, paper) == ["A1", "居民身份证申领、", "换领、补领"]


def test_values_cannot_name_attributes() -> None:
    with pytest.raises(ConfigError):
        layout('line = [{text={zh-CN="{number.__class__}"}}]')


def test_every_problem_is_listed() -> None:
    wrong = """
    title = "x"
    [[line]]
    text = { en = "{number" }
    width = 9
    allign = "left"
    [[line]]
    rule = "--"
    qr = true
    [[line]]
    space = -1
    """
    with pytest.raises(ConfigError) as error:
        layout(wrong)
    problems = "\n".join(error.value.problems)
    for part in (
        "'title'",
        "line 1: unknown key 'allign'",
        "line 1: width",
        "no zh-CN",
        "line 1: text '{number'",
    ):
        assert part in problems
    for part in ("line 2: rule", "line 2: needs exactly one", "line 3: space", "line 3: needs exactly one"):
        assert part in problems


@pytest.mark.parametrize("content", ["", "line = 3", "line = [1]", "not toml", '[[line]]\nrule = "-"'])
def test_files_that_are_no_layout(tmp_path: Path, content: str) -> None:
    path = tmp_path / "layout.toml"
    path.write_text(content)
    with pytest.raises(ConfigError):
        load_layout(path)


def test_own_template_is_used(tmp_path: Path) -> None:
    path = tmp_path / "layout.toml"
    path.write_text('[[line]]\ntext = { zh-CN = "号 {number}" }\n', "utf-8")
    assert texts(load_layout(path), TICKET) == ["号 A005"]
