"""Initials of Chinese names, for the search at a kiosk: 社保登记 is found with "sbdj"."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from wire.messages import LocalText

logger = logging.getLogger(__name__)

MAX_INITIALS: Final = 64
"""Letters and digits of a name that can be searched for, as in `wire.messages.CatalogueService`."""

_OTHER = re.compile(r"[^a-z0-9]")


@lru_cache(maxsize=1024)
def initials(name: str) -> str:
    """The first letters of a name's syllables: 重庆银行 → cqyh; letters and digits stay, in lower case.

    A phrase dictionary tells how characters with several readings are read; where it is wrong the
    configuration names the initials. Without the dictionary only letters and digits are left. All else
    (punctuation, characters that are in no dictionary) is left out; at most MAX_INITIALS characters.

    Loading the dictionary takes about 0.2 s and 55 MB, once.
    """
    first_letters = None if name.isascii() else _dictionary()
    return _plain(first_letters(name) if first_letters is not None else name)


@lru_cache(maxsize=1)
def _dictionary() -> Callable[[str], str] | None:
    """The first letters of a text's syllables, all else as it is; None where the dictionary is not there."""
    try:
        from pypinyin import Style, lazy_pinyin
    except ImportError:
        logger.warning("pypinyin is not installed: services and guides cannot be found by their initials")
        return None
    return lambda text: "".join(lazy_pinyin(text, style=Style.FIRST_LETTER))


def initials_of(names: LocalText) -> str:
    """The initials of a name in several languages: of the Chinese one; "" where there is none."""
    return initials(names.get("zh-CN", ""))


def keywords(words: Iterable[str]) -> tuple[str, ...]:
    """Other words for a thing, each once and without spaces around it, in order."""
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))


def _plain(text: str) -> str:
    return _OTHER.sub("", text.lower())[:MAX_INITIALS]
