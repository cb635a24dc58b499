"""What a speaker has to record for a hall, in the order in which it is read out. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_ZH_WORDS: Final = {
    "please": "请",
    "number": "号",
    "to": "到",
    "counter": "号窗口",
    "ten": "十",
    "digit_yao": "幺",
}
_EN_WORDS: Final = {"ticket": "Ticket", "please_go_to": "please go to", "counter": "counter"}
_ZH_NUMERALS: Final = "零一二三四五六七八九"
_EN_NUMERALS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_HINTS: Final = {
    "please": "句首，稍后停顿 · begins the sentence",
    "number": "“A005号”的号 · as after a number",
    "digit_yao": "读 yāo · 1 in a ticket number",
    "digit_1": "读 yī · 1 in a counter's number",
    "counter": "“3号窗口”的后半 · second half of 3号窗口",
}


@dataclass(frozen=True, slots=True)
class ToRecord:
    """One recording: its token (the file is `LANGUAGE/TOKEN.wav`), the words, and how to say them."""

    language: str
    token: str
    words: str
    hint: str = ""


def to_record(
    language: str, *, counters: int = 20, names: Sequence[str] = (), letters: str = LETTERS
) -> list[ToRecord]:
    """Everything that calls in `language` need. `counters`: the greatest number of a counter; `names`: of
    counters that are no numbers."""
    words = _ZH_WORDS if language == "zh-CN" else _EN_WORDS
    numerals = _ZH_NUMERALS if language == "zh-CN" else _EN_NUMERALS
    rows = list(words.items())
    rows += [(f"digit_{digit}", numerals[digit]) for digit in range(10)]
    if language != "zh-CN":
        rows += [(f"number_{number}", str(number)) for number in range(10, counters + 1)]
    rows += [(f"letter_{letter}", letter) for letter in letters]
    rows += [(f"name_{name}", name) for name in names]
    hints = _HINTS if language == "zh-CN" else {}
    return [ToRecord(language, token, said, hints.get(token, "")) for token, said in rows]


def token_of(language: str, stem: str) -> str | None:
    """The token of a file's name: a token, or its words ("请", "3", "A", "综合窗口"); None: neither."""
    known = {row.token: row.token for row in to_record(language, counters=99)}
    known |= {row.words: row.token for row in to_record(language, counters=99)}
    known |= {str(digit): f"digit_{digit}" for digit in range(10)}
    if stem in known or stem.startswith("name_"):
        return known.get(stem, stem)
    is_name = re.search(r"[一-鿿]", stem) if language == "zh-CN" else re.search(r"[ A-Z]", stem)
    return f"name_{stem}" if is_name else None
