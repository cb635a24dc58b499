"""How a call is read aloud: which words, in which order, as clip names and as text for espeak-ng. Pure.

Ticket numbers are read character by character, in Chinese with 幺 for 1 where the hall wants it (一 and
七 are mixed up in a noisy hall); numbers in the names of counters are read as numbers (12号窗口: 十二).

What espeak-ng makes of Mandarin, tried with `-x` on 1.51 (Debian 12) and 1.52 (espeakng-loader):

- voice `cmn` of 1.51 reads Latin letters as English and knows no characters at all: 号 comes out as
  "heI@fo@", 请 as an English word. 1.52 is right.
- voice `cmn-latn-pinyin` is right on both: qing3 `tS;h'i214N`, 号 or hao4 `X'Au51`, 窗口 `ts.hw'A55N
  kh'ou214`, 0 or ling2 `l'i35N`, 幺 or yao1 `j'Au55`, er4 `'@r51`. So this voice always, words as pinyin.
- characters in names are looked up one by one by 1.51: 银行 yin2 xing2, 重庆 zhong4 qing4, 会计 hui4 ji4,
  服务 fu2 wu5, 土地 tu3 de5: the table `polyphones` gives their pinyin. 1.52 knows these words. A hall
  corrects what is left, and its own names, without code: `say` of a speaker or a clip pack.
- 号 by itself and after a number is hao4 (`X'Au51`), also in 三号窗口 and 号码; hao2 does not occur.
- a Latin letter by itself is its name (A `'ei51` or `'eI`); inside pinyin 1.52 reads A as the English
  article `a#`: letters are said on their own.
- syllables of pinyin need spaces between them (`yin2hang2` loses its stress on 1.51).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from drivers.voice.polyphones import POLYPHONES

DigitOne = Literal["yao", "yi"]
"""How 1 is read in ticket numbers: 幺 or 一."""


@dataclass(frozen=True, slots=True)
class Token:
    """One sound. `name` is its file in a clip pack, `spoken` what the synthesiser is given.

    `pieces` say the same in smaller sounds that a pack may have; `pause_s` is the silence after it.
    """

    name: str
    spoken: str
    pieces: tuple[Token, ...] = ()
    pause_s: float = 0.02


@dataclass(frozen=True, slots=True)
class Reading:
    """A call in one language: its sounds, and the words for people to read."""

    language: str
    tokens: tuple[Token, ...]
    text: str


VOICES: Final = {"zh-CN": "cmn-latn-pinyin", "en": "en-us"}
"""The espeak-ng voice of each language that can be read."""

NOTHING: Final[Mapping[str, str]] = {}

_ZH_DIGITS: Final = ("ling2", "yi1", "er4", "san1", "si4", "wu3", "liu4", "qi1", "ba1", "jiu3")
_EN_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PHRASE_PAUSE_S: Final = 0.15


def reading(
    number: str, counter: str, language: str, digit_one: DigitOne = "yao", say: Mapping[str, str] = NOTHING
) -> Reading:
    """A call of ticket `number` to `counter` (its name in that language). `language`: a key of `VOICES`.

    `say`: names of counters, or words in them, → how the synthesiser is to say them (Chinese: pinyin with
    tones, "san1 hao4 chuang1 kou3"); the hall's own, before all rules here.
    """
    if language == "zh-CN":
        return Reading(
            language,
            (
                Token("please", "qing3", pause_s=0.06),
                *characters(number, language, digit_one),
                Token("number", "hao4", pause_s=_PHRASE_PAUSE_S),
                Token("to", "dao4"),
                _zh_counter(counter, say),
            ),
            f"请{number}号到{counter}",
        )
    return Reading(
        language,
        (
            Token("ticket", "Ticket", pause_s=0.06),
            *characters(number, language, digit_one),
            Token("please_go_to", "please go to", pause_s=0.04),
            _en_counter(counter, say),
        ),
        f"Ticket {number}, please go to {counter}",
    )


def common_tokens(languages: Sequence[str], digit_one: DigitOne = "yao") -> list[tuple[str, Token]]:
    """Every sound but the counters' names, with its language: what is worth having before the first call."""
    everything = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [
        (language, token)
        for language in languages
        for token in reading(everything, "", language, digit_one).tokens
        if token.spoken
    ]


def zh_numeral(value: int) -> str:
    """How a counter's number is read: 1–99 as a number (十二, 二十), others digit by digit (幺零五)."""
    if 1 <= value <= 99:
        tens, ones = divmod(value, 10)
        text = "" if not tens else "十" if tens == 1 else f"{'零一二三四五六七八九'[tens]}十"
        return text + ("一二三四五六七八九"[ones - 1] if ones else "")
    return "".join("零幺二三四五六七八九"[int(digit)] for digit in str(value))


def zh_spoken(text: str, say: Mapping[str, str] = NOTHING) -> str:
    """Chinese for espeak-ng: the hall's and doubtful words as pinyin, numbers as numerals."""
    parts = [
        how if how is not None else re.sub(r"[0-9]{1,9}", lambda found: zh_numeral(int(found.group())), part)
        for part, how in _parted(text, {**POLYPHONES, **say})
    ]
    return " ".join(" ".join(parts).split())


def _parted(text: str, say: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """`text` in pieces, each with how it is said where `say` tells; the longest word first.

    A word that begins or ends with a digit is not found inside a longer number (2号窗口 in 12号窗口).
    """
    words = sorted(filter(None, say), key=len, reverse=True)
    if not words:
        return [(text, None)]
    pattern = "|".join(
        ("(?<![0-9])" if word[0].isdigit() else "")
        + re.escape(word)
        + ("(?![0-9])" if word[-1].isdigit() else "")
        for word in words
    )
    parts = re.split(f"({pattern})", text)
    return [(part, say[part] if at % 2 else None) for at, part in enumerate(parts) if part]


def characters(number: str, language: str, digit_one: DigitOne) -> list[Token]:
    """A number of a ticket, character by character."""
    characters = [character for character in number.upper() if character.isalnum()]
    tokens = [_character(character, language, digit_one) for character in characters]
    if tokens:
        last = tokens[-1]
        pause = last.pause_s if language == "zh-CN" else _PHRASE_PAUSE_S
        tokens[-1] = Token(last.name, last.spoken, pause_s=pause)
    return tokens


def _character(character: str, language: str, digit_one: DigitOne) -> Token:
    if not character.isascii():
        return Token(f"name_{character}", zh_spoken(character) if language == "zh-CN" else character)
    if not character.isdigit():
        return Token(f"letter_{character}", character, pause_s=0.05)
    if language != "zh-CN":
        return Token(f"digit_{character}", _EN_DIGITS[int(character)])
    if character == "1" and digit_one == "yao":
        return Token("digit_yao", "yao1")
    return Token(f"digit_{character}", _ZH_DIGITS[int(character)])


_ZH_PIECES: Final = dict(
    zip("零一二三四五六七八九", (f"digit_{digit}" for digit in range(10)), strict=True)
) | {"幺": "digit_yao", "十": "ten"}
_ZH_SOUNDS: Final = dict(zip("零一二三四五六七八九幺十", (*_ZH_DIGITS, "yao1", "shi2"), strict=True))


def _zh_counter(name: str, say: Mapping[str, str]) -> Token:
    pieces: tuple[Token, ...] = ()
    if found := re.fullmatch(r"([0-9]{1,4})号窗口", name):
        numeral = zh_numeral(int(found.group(1)))
        pieces = (
            *(Token(_ZH_PIECES[character], _ZH_SOUNDS[character]) for character in numeral),
            Token("counter", "hao4 chuang1 kou3"),
        )
    return Token(f"name_{name}", zh_spoken(name, say), pieces)


def _en_counter(name: str, say: Mapping[str, str]) -> Token:
    pieces: tuple[Token, ...] = ()
    if found := re.fullmatch(r"(?i:counter|window) ([0-9]{1,4})", name):
        digits = found.group(1)
        pieces = (
            Token("counter", "counter"),
            *(
                [Token(f"digit_{digits}", _EN_DIGITS[int(digits)])]
                if len(digits) == 1
                else [Token(f"number_{int(digits)}", str(int(digits)))]
            ),
        )
    spoken = " ".join(part if how is None else how for part, how in _parted(name, say))
    return Token(f"name_{name}", " ".join(spoken.split()), pieces)
