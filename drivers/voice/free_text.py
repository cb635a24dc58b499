"""How a text that is no call is read aloud: in pieces, each as the synthesiser is to be given it. Pure.

A piece is about a clause, so that a newer text does not wait long. In Chinese, numbers of tickets are read
character by character as in a call, other numbers as numerals, and Latin letters by their names: inside
Chinese espeak-ng takes them for syllables of pinyin (see `reading`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from drivers.voice.reading import NOTHING, DigitOne, Token, characters, zh_spoken

TEXT_LIMIT: Final = 400
"""Characters that are read; the rest is not said."""
PIECE: Final = 60
"""Characters of a sound; the synthesiser takes 200, and pinyin is longer than its characters."""
PAUSE_S: Final = 0.25
"""After a sentence."""
COMMA_S: Final = 0.12
"""After a clause."""
_SENTENCES: Final = re.compile(r"(?<=[。！？；!?;\n])|(?<=\.)(?=\s|$)")
_CLAUSES: Final = re.compile(r"(?<=[，、：,·])|(?<=:)(?![0-9])")
_LATIN: Final = re.compile(r"([A-Za-z]{1,3}[0-9]{1,6}(?![0-9])|[A-Za-z]+)")


@dataclass(frozen=True, slots=True)
class Piece:
    """What is said in one go: its sounds, and the words for people to read."""

    tokens: tuple[Token, ...]
    text: str


def pieces(
    text: str, language: str, digit_one: DigitOne = "yao", say: Mapping[str, str] = NOTHING
) -> list[Piece]:
    """What is said, one after the other; empty when nothing of `text` can be said."""
    found: list[Piece] = []
    for sentence in _SENTENCES.split(text[:TEXT_LIMIT]):
        clauses = [clause for clause in _CLAUSES.split(sentence) if any(map(str.isalnum, clause))]
        for number, clause in enumerate(clauses, 1):
            tokens = _said(clause, language, digit_one, say)
            pause_s = PAUSE_S if number == len(clauses) else COMMA_S
            last = Token(tokens[-1].name, tokens[-1].spoken, pause_s=pause_s)
            found.append(Piece((*tokens[:-1], last), clause.strip()))
    return found


def _said(clause: str, language: str, digit_one: DigitOne, say: Mapping[str, str]) -> list[Token]:
    """The sounds of a clause, which has a letter or digit."""
    if language != "zh-CN":
        return [_token(part, part) for part in _cut(" ".join(clause.split()))]
    tokens: list[Token] = []
    for part in _LATIN.split(clause):
        if _LATIN.fullmatch(part):
            tokens += characters(part, language, digit_one)
        else:
            tokens += [_token(piece, zh_spoken(piece, say)) for piece in _cut(part.strip())]
    return tokens


def _cut(text: str) -> list[str]:
    """In parts that the synthesiser takes whole, without those that say nothing."""
    parts = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
    return [part for part in parts if any(map(str.isalnum, part))]


def _token(name: str, spoken: str) -> Token:
    return Token(f"text_{name}", spoken)
