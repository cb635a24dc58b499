"""Texts of the demo page in one language, safe to stand in HTML."""

from __future__ import annotations

from html import escape

from wire.messages import LocalText
from wire.texts import local, text


def esc(words: object) -> str:
    """For HTML, also inside quoted attributes."""
    return escape(str(words), quote=True)


class Words:
    """`words("key")` is the text `demo.key`; not escaped."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, **values: object) -> str:
        return text(f"demo.{key}", self.language, **values)

    def html(self, key: str, **values: object) -> str:
        """The same, escaped."""
        return esc(self(key, **values))

    def grade(self, grade: int) -> str:
        """Its official words, escaped."""
        return esc(text(f"grade.{grade}", self.language))

    def code(self, code: str | None) -> str:
        """The text of a fault code, "" without one."""
        return text(code, self.language) if code else ""

    def local(self, texts: LocalText) -> str:
        """The entry of this language, else one that there is."""
        return local(texts, self.language)
