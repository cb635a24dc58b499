"""The table of widths is that of the font."""

from __future__ import annotations

import pytest

from ui import fonts
from ui.ems import ems


@pytest.mark.parametrize(
    "words", ["A005", "3号窗口", "Please go to the counter", "08:30–11:45", "约 10 分钟"]
)
def test_words_are_as_wide_as_the_font_draws_them(words: str) -> None:
    drawn = fonts.line_size(words, 200)[0] / 200
    assert drawn <= ems(words) <= drawn * 1.08
