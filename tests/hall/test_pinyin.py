"""Initials of names: what people type to find a service."""

from __future__ import annotations

import sys

import pytest

from hall import pinyin
from hall.pinyin import MAX_INITIALS, initials, initials_of, keywords


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("社保登记", "sbdj"),
        ("重庆银行", "cqyh"),
        ("长期照护", "cqzh"),
        ("行政许可", "xzxk"),
        ("行驶证", "xsz"),
        ("参保登记", "cbdj"),
        ("人民调解", "rmtj"),
        ("调查取证", "dcqz"),
        ("会计从业", "kjcy"),
        ("车辆登记", "cldj"),
        ("居民身份证办理", "jmsfzbl"),
        ("户口登记与迁移", "hkdjyqy"),
        ("12345热线（A窗口）", "12345rxack"),
        ("老年人（60岁以上）", "lnr60sys"),
        ("ETC 办理", "etcbl"),
        ("General", "general"),
        ("", ""),
        ("🙂—", ""),
    ],
)
def test_initials(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_a_long_name_is_cut_and_a_name_without_chinese_has_none() -> None:
    assert len(initials("登记" * 60)) == MAX_INITIALS
    assert initials_of({"en": "Registration"}) == ""


def test_without_the_dictionary_letters_and_digits_are_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pypinyin", None)
    pinyin._dictionary.cache_clear()
    try:
        assert [initials.__wrapped__(name) for name in ("社保卡12A", "税务B")] == ["12a", "b"]
    finally:
        pinyin._dictionary.cache_clear()
    assert caplog.text.count("pypinyin") == 1


def test_keywords_stand_once() -> None:
    assert keywords([" 社保 ", "社保", "", "养老"]) == ("社保", "养老")
