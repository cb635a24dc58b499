"""How a text that is no call is read: in pieces, numbers of tickets by character, Latin letters by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.voice.espeak import TEXT_LIMIT as SYNTHESISER_LIMIT
from drivers.voice.free_text import TEXT_LIMIT, pieces


def said(text: str, language: str = "zh-CN") -> list[list[str]]:
    return [[token.spoken for token in piece.tokens] for piece in pieces(text, language)]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("请选择。", [["请选择。"]]),
        ("前面等候 12 人，请稍候。", [["前面等候 十二 人，"], ["请稍候。"]]),
        ("A012", [["A", "ling2", "yao1", "er4"]]),
        ("号码A005，扫QR码", [["号码", "A", "ling2", "ling2", "wu3", "，"][:5], ["扫", "Q", "R", "码"]]),
        ("08:30 开始", [["八:三十 开始"]]),
        ("。，…", []),
        ("", []),
    ],
)
def test_chinese(text: str, spoken: list[list[str]]) -> None:
    assert said(text) == spoken


def test_english_by_sentence_and_clause() -> None:
    text = "Ticket A005. Wait in Zone A, please! It takes 1.5 hours."
    assert said(text, "en") == [["Ticket A005."], ["Wait in Zone A,"], ["please!"], ["It takes 1.5 hours."]]
    assert next(iter(pieces(text, "en"))).text == "Ticket A005."


def test_a_pause_is_longer_after_a_sentence() -> None:
    first, second = pieces("请到东区，谢谢。", "zh-CN")
    assert 0 < first.tokens[-1].pause_s < second.tokens[-1].pause_s


def test_the_halls_own_readings_count() -> None:
    ((token,),) = [piece.tokens for piece in pieces("到行署办理", "zh-CN", "yao", {"行署": "xing2 shu3"})]
    assert "xing2 shu3" in token.spoken


@given(st.text(max_size=3 * TEXT_LIMIT), st.sampled_from(["zh-CN", "en"]))
def test_whatever_it_is_all_of_it_is_short_and_something_can_be_said(text: str, language: str) -> None:
    found = pieces(text, language)
    assert len(found) <= TEXT_LIMIT
    for piece in found:
        assert piece.tokens
        for token in piece.tokens:
            assert any(map(str.isalnum, token.spoken))
            assert language != "en" or len(token.spoken) <= SYNTHESISER_LIMIT
