"""How a call is read: the words, in order, and what the synthesiser makes of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.voice.polyphones import POLYPHONES
from drivers.voice.reading import (
    VOICES,
    _parted,
    common_tokens,
    reading,
    zh_numeral,
    zh_spoken,
)

numbers = st.from_regex(r"[A-Z]{0,3}[0-9]{1,6}", fullmatch=True)


def names(number: str, counter: str, language: str = "zh-CN", **more: str) -> list[str]:
    return [token.name for token in reading(number, counter, language, **more).tokens]  # type: ignore[arg-type]


def test_a_chinese_call() -> None:
    call = reading("A105", "3号窗口", "zh-CN")
    assert call.text == "请A105号到3号窗口"
    assert [token.spoken for token in call.tokens] == [
        *("qing3", "A", "yao1", "ling2", "wu3", "hao4", "dao4", "三号窗口")
    ]
    assert [token.name for token in call.tokens[-1].pieces] == ["digit_3", "counter"]


def test_an_english_call() -> None:
    call = reading("A105", "Counter 3", "en")
    assert call.text == "Ticket A105, please go to Counter 3"
    assert [token.spoken for token in call.tokens] == [
        *("Ticket", "A", "one", "zero", "five", "please go to", "Counter 3")
    ]


def test_one_is_read_as_the_hall_wants_it_in_tickets_and_as_a_number_at_counters() -> None:
    assert "digit_yao" in names("A001", "1号窗口")
    assert "digit_yao" not in names("A001", "1号窗口", digit_one="yi")
    assert reading("A001", "1号窗口", "zh-CN").tokens[-1].spoken == "一号窗口"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "一"),
        (9, "九"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (35, "三十五"),
        (99, "九十九"),
        (105, "幺零五"),
    ],
)
def test_numbers_of_counters(value: int, text: str) -> None:
    assert zh_numeral(value) == text


def test_names_of_counters_without_the_common_form_are_one_sound() -> None:
    token = reading("5", "综合窗口12", "zh-CN").tokens[-1]
    assert (token.spoken, token.pieces) == ("综合窗口十二", ())


def test_words_that_would_be_misread_go_as_pinyin() -> None:
    assert zh_spoken("重庆银行2号窗口") == "chong2 qing4 yin2 hang2 二号窗口"


def test_the_hall_says_how_its_names_are_read_without_code() -> None:
    say = {"3号窗口": "san1 hao4 chuang1 kou3", "行": "xing2", "Aoyuan": "Ow you ann"}
    assert reading("A1", "3号窗口", "zh-CN", say=say).tokens[-1].spoken == "san1 hao4 chuang1 kou3"
    assert reading("A1", "13号窗口", "zh-CN", say=say).tokens[-1].spoken == "十三号窗口"
    assert zh_spoken("银行3号窗口一行", say) == "yin2 hang2 san1 hao4 chuang1 kou3 一 xing2"
    assert zh_spoken("银行", {"银行": "yin2 xing2"}) == "yin2 xing2", "before the table"
    assert reading("A1", "Aoyuan 5", "en", say=say).tokens[-1].spoken == "Ow you ann 5"


@given(
    st.text("3号窗口银行务12", max_size=12),
    st.dictionaries(st.text("3号窗银1", max_size=4), st.text("ab1", max_size=4)),
)
def test_no_character_is_lost_whatever_the_hall_says(name: str, say: dict[str, str]) -> None:
    whole = "".join(part for part, _ in _parted(name, {**POLYPHONES, **say}))
    assert whole == name
    zh_spoken(name, say)


@given(numbers, st.sampled_from(["3号窗口", "综合服务", "12号窗口", ""]), st.sampled_from(list(VOICES)))
def test_every_character_is_read_once_and_in_order(number: str, counter: str, language: str) -> None:
    tokens = reading(number, counter, language).tokens
    read = "".join(
        {"digit_yao": "1"}.get(token.name, token.name.rpartition("_")[2])
        for token in tokens
        if token.name.startswith(("digit_", "letter_"))
    )
    assert read == number


@given(numbers, st.sampled_from(list(VOICES)), st.sampled_from(["yao", "yi"]))
def test_the_common_sounds_are_all_that_a_ticket_needs(number: str, language: str, one: str) -> None:
    common = {token.name for _, token in common_tokens([language], one)}  # type: ignore[arg-type]
    assert {token.name for token in reading(number, "", language, one).tokens[:-1]} <= common  # type: ignore[arg-type]


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(list(VOICES)))
def test_no_text_breaks_it(number: str, counter: str, language: str) -> None:
    for token in reading(number, counter, language).tokens:
        assert token.spoken or token.name.startswith("name_") or not counter


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="the espeak-ng program shows its phonemes")
def test_what_espeak_says_is_mandarin() -> None:
    def phonemes(text: str) -> str:
        argv = ["espeak-ng", "-q", "-x", "-v", VOICES["zh-CN"], text]
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    expected = {
        "请": "tS;h'i214N", "号": "X'Au51", "到": "t'Au51", "零": "l'i35N", "幺": "j'Au55", "一": "j'i55",
        "二": "'@r51", "三": "s'a55n", "四": "s'i[51", "五": "w'u214", "六": "l'iou51", "七": "tS;h'i55",
        "八": "p'A55", "九": "tS;'iou214", "十": "s.'i.35",
    }  # fmt: skip
    spoken = {
        "请": "qing3", "号": "hao4", "到": "dao4", "零": "ling2", "幺": "yao1", "一": "yi1", "二": "er4",
        "三": "san1", "四": "si4", "五": "wu3", "六": "liu4", "七": "qi1", "八": "ba1", "九": "jiu3",
        "十": "shi2",
    }  # fmt: skip
    used = {token.spoken for _, token in common_tokens(["zh-CN"], "yao") + common_tokens(["zh-CN"], "yi")}
    assert set(spoken.values()) - {"shi2"} <= used
    with ThreadPoolExecutor(8) as side_by_side:
        said = list(side_by_side.map(phonemes, spoken.values()))
    for word, sounds in zip(spoken, said, strict=True):
        assert sounds.startswith(expected[word]), word
    assert "en" not in phonemes(zh_spoken("3号窗口"))
    for name in ("三号窗口", "号码"):
        # which syllable of a word is stressed (') is not the same in espeak-ng 1.51 and 1.52
        assert "XAu51" in phonemes(name).replace("'", ""), "号 is hao4"
    # the vowel of hang is written a in 1.51, A in 1.52
    for name, sound in (
        ("银行窗口", "X'[aA]35N"),
        ("重庆", r"ts\.h'ong35"),
        ("税务", "w'u51"),
        ("土地", "t'i51"),
    ):
        assert re.search(sound, phonemes(zh_spoken(name))), name
    # each pinyin of the table is Mandarin, with the stated number of syllables
    with ThreadPoolExecutor(8) as side_by_side:
        said = list(side_by_side.map(phonemes, POLYPHONES.values()))
    for word, sounds in zip(POLYPHONES, said, strict=True):
        assert "(en)" not in sounds and len(sounds.split()) == len(word), (word, sounds)
