"""What is wrong with a pack, what it lacks, and what it gains: for the technician."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from drivers.voice.loudness import loudness
from drivers.voice.pack import Pack, PackClip
from drivers.voice.reading import DigitOne, reading
from drivers.voice.script import ToRecord, to_record

APART_LU: Final = 3.0
"""Sounds further from the pack's loudness than this jump."""
CALL: Final = ("A005", {"zh-CN": "3号窗口", "en": "Counter 3"})
"""The call whose time is told."""


@dataclass(frozen=True, slots=True)
class Checked:
    """`calls`: language → seconds of a typical call as recorded and as it is now."""

    problems: list[str]
    missing: list[ToRecord]
    quietest_lufs: float
    loudest_lufs: float
    calls: dict[str, tuple[float, float]]


def checked(pack: Pack) -> Checked:
    """Measures every clip again."""
    problems = list(pack.problems)
    levels = []
    for (language, token), clip in pack.clips.items():
        level = loudness(clip)
        levels.append(level)
        if abs(level - pack.manifest.loudness_lufs) > APART_LU:
            problems.append(
                f"{language}/{token}: {level:.1f} LUFS, 其他为 · the others {pack.manifest.loudness_lufs:.0f}"
            )
    missing = [
        row
        for language in pack.manifest.languages
        for row in to_record(language)
        if (language, row.token) not in pack.clips
    ]
    if not pack.manifest.consent and any(entry.source != "espeak-ng" for entry in pack.manifest.clip):
        problems.append("consent: 未注明朗读者同意 · it is not said that the speaker agreed")
    calls = {
        language: call
        for language in pack.manifest.languages
        if (call := seconds_of_a_call(pack, language)) is not None
    }
    return Checked(problems, missing, min(levels, default=0.0), max(levels, default=0.0), calls)


def seconds_of_a_call(pack: Pack, language: str, digit_one: DigitOne = "yao") -> tuple[float, float] | None:
    """Seconds of the call `CALL`, from the recordings and from the pack; None: not all are there."""
    entries: dict[tuple[str, str], PackClip] = {
        (entry.language, entry.token): entry for entry in pack.manifest.clip
    }
    before = after = 0.0
    number, counters = CALL
    for token in reading(number, counters[language], language, digit_one).tokens:
        whole = entries.get((language, token.name))
        pieces: Sequence[str] = [token.name] if whole else [piece.name for piece in token.pieces]
        if not pieces or any((language, piece) not in entries for piece in pieces):
            return None
        before += sum(entries[language, piece].recorded_seconds for piece in pieces) + token.pause_s
        after += sum(entries[language, piece].seconds for piece in pieces) + token.pause_s
    return before, after
