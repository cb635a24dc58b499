"""The text catalogue: every text and fault code that people see, per language.

One TOML file per language beside this module; a table per room, so `[printer] paper_out = "…"` is the
key `printer.paper_out`. A third language is one more file; what it lacks is said in Chinese. `{name}` in a
text is filled by keyword.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("zh-CN", "en")
"""The languages that every key must have; the first is the fallback."""
_FOLDER: Final = Path(__file__).parent


@cache
def available() -> dict[str, str]:
    """Every language that has a file, by its code, with its own name for itself; the two of ours first."""
    codes = sorted(
        _files(),
        key=lambda code: (LANGUAGES.index(code) if code in LANGUAGES else len(LANGUAGES), code),
    )
    return {code: texts(code).get("language.own_name", code) for code in codes}


def texts(language: str) -> dict[str, str]:
    """All texts of a language by key; of the first language where there is no such file."""
    # Looked up, never opened by its name: a screen may say anything for a language.
    return _texts(language if language in _files() else LANGUAGES[0])


@cache
def _files() -> frozenset[str]:
    return frozenset(file.stem for file in _FOLDER.glob("*.toml"))


@cache
def _texts(language: str) -> dict[str, str]:
    tables = tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))
    return {f"{room}.{name}": text for room, table in tables.items() for name, text in table.items()}


def local(named: dict[str, str], language: str) -> str:
    """A `LocalText` in `language`, else in Chinese, else in any language that there is."""
    return named.get(language) or named.get(LANGUAGES[0]) or next(iter(named.values()), "")


def text(key: str, language: str = "zh-CN", /, **values: object) -> str:
    """The text of `key` in `language`, filled with `values`.

    Falls back to zh-CN, then to the key itself: a citizen never sees an exception.
    """
    found = texts(language).get(key) or texts(LANGUAGES[0]).get(key)
    if found is None:
        return key
    try:
        return found.format(**values)
    except (KeyError, IndexError, ValueError):
        return found
