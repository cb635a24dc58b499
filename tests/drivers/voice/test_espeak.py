"""The synthesiser, as program and as library: it speaks, and its faults stay in its own process."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from drivers.voice import espeak
from drivers.voice.espeak import Espeak, SynthesiserError
from drivers.voice.reading import VOICES, common_tokens

ENGINES = [
    pytest.param("program", marks=pytest.mark.skipif(not shutil.which("espeak-ng"), reason="not installed")),
    "library",
]


@pytest.mark.parametrize("engine", ENGINES)
async def test_every_common_sound_is_audible_and_short(engine: Any) -> None:
    for language, voice in VOICES.items():
        tokens = [token for _, token in common_tokens([language])]
        clips = await Espeak(engine).clips([token.spoken for token in tokens], voice)
        for token, clip in zip(tokens, clips, strict=True):
            assert 0.08 < clip.seconds < 1.4, (language, token, clip.seconds)


@pytest.mark.parametrize("engine", ENGINES)
async def test_speed_and_hostile_texts(engine: Any) -> None:
    voice = VOICES["zh-CN"]
    [slow] = await Espeak(engine, 100).clips(["请到三号窗口"], voice)
    [fast] = await Espeak(engine, 300).clips(["请到三号窗口"], voice)
    assert slow.seconds > 1.5 * fast.seconds
    clips = await Espeak(engine).clips(["-v en", "--help", "a\nb", "", "<speak>", "长" * 5000], voice)
    assert [bool(clip.seconds) for clip in clips] == [True, True, True, False, True, True]
    assert clips[5].seconds < 200 * 0.6


async def test_both_engines_say_the_same_words() -> None:
    if not shutil.which("espeak-ng"):
        pytest.skip("the program is not installed")
    texts = ["yao1", "hao4", "三号窗口"]
    program = await Espeak("program").clips(texts, VOICES["zh-CN"])
    library = await Espeak("library").clips(texts, VOICES["zh-CN"])
    for one, other in zip(program, library, strict=True):
        assert 0.6 < one.seconds / other.seconds < 1.6


async def test_without_a_synthesiser_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(espeak.importlib.util, "find_spec", lambda name: None)  # type: ignore[attr-defined]
    assert Espeak().found() is None
    with pytest.raises(SynthesiserError) as caught:
        await Espeak().clips(["a"], "en-us")
    assert caught.value.code == "voice.synthesiser_missing"


@pytest.mark.parametrize(
    ("script", "limit"),
    [
        ("exit 3", 5.0),
        ("kill -SEGV $$", 5.0),
        ("exec sleep 60", 0.2),
        ("printf nonsense", 5.0),
        ("cat >/dev/null", 5.0),
    ],
)
async def test_a_program_that_fails_hangs_or_babbles_is_an_error(
    script: str, limit: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(espeak, "TIME_LIMIT_S", limit)
    with pytest.raises(SynthesiserError):
        await Espeak("program").clips(["a"], "en-us")


async def test_an_unknown_voice_is_an_error() -> None:
    with pytest.raises(SynthesiserError):
        await Espeak("library").clips(["a"], "no-such-voice")
