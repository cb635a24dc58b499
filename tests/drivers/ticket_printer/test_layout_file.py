"""Templates from files: every mistake at once, each with its line and its text in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from printing_bench import TICKET

from drivers.errors import ConfigError
from drivers.ticket_printer.layout_file import (
    SHIPPED,
    LayoutError,
    Problem,
    load_layout,
    read_layout,
)
from drivers.ticket_printer.layout_trial import LONG, SAMPLE, tried, with_values
from drivers.ticket_printer.ticket_dots import IMAGE_PIXELS

NUMBER = ("AB1234", "A B 1 2 3 4")
WRONG = """\
title = "x"
face = "none.otf"
[[line]]
text = { en = "{number" }
width = 9
allign = "left"
[[line]]
rule = "─"
qr = true
[[line
[[line]]
space = -1
when = ["servise", "waiting ~ 3", "zone = A"]
[[line]]
text = { zh-CN = "{servce} {number.__class__}" }
[[line]]
image = "none.png"
x = = 3
[[line]]
barcode = "{nummer}"
"""


def problems_of(text: str, folder: Path | None = None) -> list[Problem]:
    with pytest.raises(LayoutError) as error:
        read_layout(text, "own.toml", folder)
    assert len(error.value.problems) == len(error.value.found)
    return error.value.found


def test_every_mistake_at_once_with_its_line(tmp_path: Path) -> None:
    found = [(problem.line, problem.code) for problem in problems_of(WRONG, tmp_path)]
    assert found == [
        (1, "unknown_key"),
        (2, "face_unreadable"),
        (4, "no_language"),
        (4, "braces"),
        (5, "bad_value"),
        (6, "unknown_key"),
        (7, "one_of"),
        (10, "not_toml"),
        (11, "one_of"),
        (12, "bad_value"),
        (13, "unknown_name"),
        (13, "bad_condition"),
        (15, "braces"),
        (17, "image_unreadable"),
        (18, "not_toml"),
        (20, "unknown_name"),
    ]


def test_what_was_meant_is_named() -> None:
    by_line = {problem.line: problem.values for problem in problems_of(WRONG) if problem.line in (6, 20)}
    assert by_line[6]["known"] == "align" and by_line[20]["known"] == "number"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "no_lines"),
        ("line = 3", "no_lines"),
        ("line = [1]", "no_table"),
        ("not toml", "not_toml"),
        ('[[line]]\nrule = "-"', "no_number"),
        ("[" * 3000, "not_toml"),
    ],
)
def test_files_that_are_no_layout(tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "layout.toml"
    path.write_text(content)
    with pytest.raises(LayoutError) as error:
        load_layout(path)
    assert code in [problem.code for problem in error.value.found]


def test_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml"):
        load_layout("/missing.toml")


def test_own_template_with_a_picture_beside_it(tmp_path: Path) -> None:
    Image.new("L", (64, 32), 128).save(tmp_path / "logo.png")
    path = tmp_path / "own.toml"
    path.write_text(
        '[[line]]\ntext = { zh-CN = "号 {number}" }\n[[line]]\nimage = "logo.png"\nmm = 20\n', "utf-8"
    )
    text, image = load_layout(path).lines(TICKET, 48)
    assert text.text == "号 A005"
    assert (image.kind, image.text, image.dots) == ("image", str(tmp_path / "logo.png"), 160)


def test_picture_that_is_too_large_is_refused(tmp_path: Path) -> None:
    Image.new("1", (IMAGE_PIXELS // 1000 + 1, 1000)).save(tmp_path / "huge.png")
    found = problems_of('[[line]]\ntext = {zh-CN="{number}"}\n[[line]]\nimage = "huge.png"\n', tmp_path)
    assert [(problem.line, problem.code) for problem in found] == [(4, "image_large")]


def test_picture_that_would_be_metres_of_paper_is_refused(tmp_path: Path) -> None:
    Image.new("1", (10, 100_000)).save(tmp_path / "tall.png")
    Image.new("1", (10, 30)).save(tmp_path / "narrow.png")
    text = '[[line]]\ntext = {zh-CN="{number}"}\n[[line]]\nimage = "narrow.png"\n'
    found = problems_of(text.replace("narrow", "tall"), tmp_path)
    assert [(problem.line, problem.code) for problem in found] == [(4, "image_tall")]
    assert [problem.code for problem in problems_of(text, tmp_path)] == ["image_tall"], "216 mm"
    assert read_layout(text + "mm = 60\n", "own", tmp_path)


@pytest.mark.parametrize("columns", [32, 42, 48])
@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_of_a_shipped_template_is_cut_off(name: str, columns: int) -> None:
    assert tried(load_layout(name), columns) == []


@pytest.mark.parametrize("columns", [32, 42, 48])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("name", SHIPPED)
def test_long_texts_stay_readable_and_the_number_is_the_largest(
    name: str, language: str, columns: int
) -> None:
    """What a citizen acts on is 6 mm high at least; 3 mm is left to notes and captions."""
    paper = with_values(LONG, {"number": "AB1234", "language": language}, reprint=True)
    layout = load_layout(name)
    values = layout.values(paper, columns)
    acted_on = ("{service", "{counters", "{zone", "{waiting", "{priority", "{directions")
    number = max(line.width * line.height for line in layout.lines(paper, columns) if line.text in NUMBER)
    for line in layout.template:
        for made in layout.made(line, values, columns):
            if made.kind == "text" and any(name in text for text in line.text.values() for name in acted_on):
                assert made.width >= 2, made.text
                assert made.width * made.height < number, made.text


def test_what_does_not_fit_is_told_with_its_line() -> None:
    layout = read_layout(
        '[[line]]\ntext = {zh-CN="{number}"}\n'
        '[[line]]\ntext = {zh-CN="{service}{notes}{directions}", en="{service}"}\nlines = 1\n'
        '[[line]]\nbarcode = "{qr}"\n'
    )
    assert {(problem.line, problem.code) for problem in tried(layout, 32)} == {
        (3, "cut_off"),
        (6, "code_left_out"),
    }


def test_values_of_a_preview() -> None:
    paper = with_values(SAMPLE, {"service": "护照", "number": "B7", "waiting": ""}, reprint=True)
    assert (paper.number, paper.reprint, paper.values["service"]) == ("B7", True, "护照")
    assert "service@en" not in paper.values, "of another service"
    assert "zone@en" in paper.values and not paper.values["waiting"]


@given(st.text(max_size=200))
def test_any_text_is_a_layout_or_its_mistakes(text: str) -> None:
    try:
        read_layout(text)
    except LayoutError as error:
        assert error.found and all(0 <= problem.line <= text.count("\n") + 1 for problem in error.found)
