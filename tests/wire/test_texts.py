"""The text catalogue: the same keys and places to fill in every language, and never an exception."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.texts import LANGUAGES, text, texts


def places(template: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_every_language_has_every_key() -> None:
    first = texts(LANGUAGES[0])
    assert first
    for language in LANGUAGES[1:]:
        assert texts(language).keys() == first.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_and_each_fills_the_same_places(language: str) -> None:
    for key, template in texts(LANGUAGES[0]).items():
        translated = texts(language)[key]
        assert translated.strip(), key
        assert places(translated) == places(template), key
        assert all(place and place.isidentifier() for place in places(translated)), key


@given(st.text(max_size=20), st.text(max_size=8))
def test_an_unknown_key_or_language_still_gives_a_text(key: str, language: str) -> None:
    assert isinstance(text(key, language), str)


@pytest.mark.parametrize("language", ["../../pyproject", "x" * 5000, "a\0b", "", "."])
def test_what_is_no_language_opens_no_file(language: str) -> None:
    """A screen says it: a path must not be read, nor every new one be remembered."""
    assert text("device.fault", language) == text("device.fault", "zh-CN")
    assert texts(language) is texts(LANGUAGES[0])


def test_a_missing_language_falls_back_to_chinese() -> None:
    assert text("device.fault", "fr") == text("device.fault", "zh-CN")
    assert text("no.such_key") == "no.such_key"


def test_a_value_may_have_any_name() -> None:
    """Facts of devices and of the hall have names of their own."""
    assert "(PCL)" in text("doctor.skip_office", "en", language="PCL", key="x")


def test_the_five_official_grades_have_one_list_of_words() -> None:
    words = [text(f"grade.{grade}") for grade in (5, 4, 3, 2, 1)]
    assert words == ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]
    for language in LANGUAGES:
        assert not [key for key in texts(language) if "grade_" in key], language
