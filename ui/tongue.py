"""The languages of a display that nobody touches: one, or Chinese with English below it."""

from __future__ import annotations

from dataclasses import dataclass

from wire.messages import LocalText
from wire.texts import local, text


@dataclass(frozen=True, slots=True)
class Tongue:
    """`second` None: one language. `under` and `local_under` are "" where nothing stands below."""

    first: str = "zh-CN"
    second: str | None = None

    @classmethod
    def of(cls, languages: str) -> Tongue:
        """From "zh-CN", "en" or "zh-CN+en"."""
        first, _, second = languages.partition("+")
        return cls(first, second or None)

    def text(self, key: str, **values: object) -> str:
        return text(key, self.first, **values)

    def under(self, key: str, **values: object) -> str:
        return text(key, self.second, **values) if self.second is not None else ""

    def local(self, names: LocalText) -> str:
        return local(names, self.first)

    def local_under(self, names: LocalText) -> str:
        below = names.get(self.second, "") if self.second is not None else ""
        return below if below != self.local(names) else ""
