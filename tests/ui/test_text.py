"""Words into lines: nothing is lost, nothing too wide, no mark where print never sets it."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ui import faces, fonts
from ui.text import NOT_FIRST, NOT_LAST, broken

CHINESE = "食品经营许可含小餐饮作坊备案登记变更延续与注销机关事业单位工作人员养老保险关系转移接续"
words = st.text(
    st.sampled_from(CHINESE + "，。、；：！？（）《》“”%" + "abcXYZ019-./ \n"), min_size=1, max_size=60
)
widths = st.integers(min_value=12, max_value=900)
sizes = st.sampled_from((12, 17, 29, 46))


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@settings(max_examples=300, deadline=None)
@given(words, widths, sizes, st.booleans())
@example("请选择要办理的业务", 8 * 29, 29, False)
def test_nothing_is_lost_and_no_line_is_too_wide(text: str, width: int, size: int, strong: bool) -> None:
    lines = broken(text, width, size, strong)
    assert squeezed("".join(lines)) == squeezed(text)
    for line in lines:
        assert line == line.strip()
        assert len(line) <= 1 or fonts.line_size(line, size, strong)[0] <= width


@settings(max_examples=300, deadline=None)
@given(words, widths, sizes)
def test_marks_stand_where_print_sets_them(text: str, width: int, size: int) -> None:
    """Where a line has room for what belongs together: four wide characters and more."""
    assume(width >= 8 * size and "\n" not in text and " " not in text)
    # Runs of marks longer than a line have to be broken somewhere.
    assume(not re.search(f"[^{CHINESE}]{{7,}}", text))
    lines = broken(text, width, size)
    for before, after in pairwise(lines):
        assert after[0] not in NOT_FIRST, lines
        assert before[-1] not in NOT_LAST, lines


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text(st.sampled_from("abcdefXYZ0189"), min_size=1, max_size=9), min_size=1, max_size=12),
    sizes,
)
def test_latin_words_stay_whole(parts: list[str], size: int) -> None:
    lines = broken(" ".join(parts), 9 * size, size)
    assert [word for line in lines for word in line.split()] == parts


def test_a_last_line_of_one_character_gets_company() -> None:
    assert broken("请选择要办理的业务", 8 * 29, 29) == ("请选择要办理的", "业务")
    assert broken("请选择要办理的业务。", 8 * 29, 29) == ("请选择要办理的", "业务。")
    size, words = 29, "Turn right, counters 1 and 2"
    wide = fonts.line_size(words[:-1].strip(), size, False)[0]
    assert broken(words, wide, size) == ("Turn right, counters 1", "and 2")


def test_digits_are_equally_wide() -> None:
    for size in (23, 60, 280):
        assert len({fonts.line_size(digit * 4, size)[0] for digit in "0123456789"}) == 1


def test_the_main_font_is_the_one_of_mainland_china() -> None:
    assert faces.main().name == faces.FACE


def test_a_line_of_any_length_is_measured() -> None:
    assert fonts.line_size("王" * 5000, 60)[0] >= 5000 * 55
