"""Texts in every language that the hall speaks: no citizen sees an empty sign."""

from __future__ import annotations

from collections.abc import Iterable

from wire.messages import LocalText
from wire.texts import LANGUAGES


def missing_languages(named: Iterable[tuple[str, LocalText]]) -> list[str]:
    """A problem for every text, named by its place, and every language in which it says nothing."""
    return [
        f"{path}: 缺少语言 · no text in {language}"
        for path, text in named
        for language in LANGUAGES
        if not text.get(language, "").strip()
    ]
