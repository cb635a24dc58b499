"""What stands on a note, on every width of paper; the template that makes it is for notes alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from printing_bench import NOTE

from drivers.ticket_printer.escpos_frames import encode_text, text_width
from drivers.ticket_printer.layout import NOTE_LINES, NOTE_NAMES
from drivers.ticket_printer.layout_file import LayoutError, load_layout, note_layout, read_layout
from drivers.ticket_printer.protocol import Note, NoteLine, Paper

COLUMNS = (32, 48)


def printed(note: Note, columns: int, layout: str | None = None) -> list[str]:
    lines = load_layout(layout).lines(Paper("", note=note), columns)
    assert all(line.kind == "text" and text_width(line.text) * line.width <= columns for line in lines)
    return [line.text for line in lines]


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("layout", [None, "large", "audio", "bilingual"])
def test_a_note_is_the_same_whatever_the_halls_tickets_look_like(columns: int, layout: str | None) -> None:
    lines = printed(NOTE, columns, layout)
    whole = "".join(lines)
    assert lines[:2] == ["北城区政务服务中心", "居民身份证换领"]
    for text in ("√ 居民户口簿", "（原件）", "□ 照片", "近半年内拍摄", "办理时限：", "2026-11-21"):
        assert text in whole
    assert whole.count("□") == whole.count("√") == 1


@pytest.mark.parametrize("columns", COLUMNS)
def test_every_printers_own_font_has_the_boxes(columns: int) -> None:
    assert all(encode_text(text) is not None for text in printed(NOTE, columns))


def test_english_and_what_is_not_known_is_left_out() -> None:
    lines = printed(Note("ID card", (NoteLine("Old card (original)", False),), language="en"), 48)
    assert lines[0] == "ID card" and "□ Old card (original)" in " ".join(lines)
    assert not any("Printed" in line for line in lines), "no date is known"


def test_a_note_has_an_end() -> None:
    """A hall's text in the wrong field must not print the roll."""
    note = replace(NOTE, lines=tuple(NoteLine(f"材料 {n}", False) for n in range(3 * NOTE_LINES)))
    lines = printed(note, 48)
    assert sum(line.startswith("□") for line in lines) == NOTE_LINES
    assert len(printed(replace(NOTE, lines=(NoteLine("长" * 100_000, False),)), 32)) < 100


def test_the_templates_of_notes_and_tickets_are_not_mixed_up() -> None:
    assert any(line.each for line in note_layout().template)
    with pytest.raises(LayoutError) as caught:
        read_layout('[[line]]\ntext = { zh-CN = "{number}" }\neach = true\n')
    assert [problem.code for problem in caught.value.found] == ["unknown_key"]
    with pytest.raises(LayoutError) as caught:
        read_layout('[[line]]\ntext = { zh-CN = "{number}" }\n', names=NOTE_NAMES)
    assert [problem.code for problem in caught.value.found] == ["unknown_name"]
