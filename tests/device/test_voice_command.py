"""`paihao voice`: a script to read out, a pack from recordings, a check, and a call to try."""

from __future__ import annotations

import math
import wave
from array import array
from pathlib import Path
from typing import Any

import pytest

from device.voice_command import main
from drivers.voice.pack import blocking_load
from drivers.voice.wav import recording_from_wav

FEW = ["--language", "zh-CN", "--letters", "A", "--counters", "3"]


def record(file: Path, seconds: float = 0.3, amplitude: float = 0.3, rate: int = 48000) -> None:
    """A tone between silences, in stereo, as a sound card records."""
    file.parent.mkdir(parents=True, exist_ok=True)
    count = round(seconds * rate)
    tone = [round(32767 * min(1.0, amplitude) * math.sin(math.tau * 300 * n / rate)) for n in range(count)]
    if amplitude > 1:
        tone = [max(-32768, min(32767, round(value * amplitude))) for value in tone]
    samples = [0] * (rate // 3) + tone + [0] * (rate // 2)
    with wave.open(str(file), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(array("h", [value for value in samples for _ in range(2)]).tobytes())


def test_the_script_lists_what_is_to_be_said_and_leaves_out_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["script", *FEW, "--name", "综合窗口"]) == 0
    whole = capsys.readouterr().out
    for row in ("zh-CN/please.wav", "zh-CN/digit_yao.wav", "zh-CN/name_综合窗口.wav", "幺"):
        assert row in whole
    record(tmp_path / "zh-CN" / "请.wav")
    assert main(["script", str(tmp_path), *FEW]) == 0
    assert "zh-CN/please.wav" not in capsys.readouterr().out


def test_a_partial_pack_is_built_checked_filled_and_spoken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = tmp_path / "source", tmp_path / "hall.zip"
    record(source / "zh-CN" / "请.wav", amplitude=0.05)
    record(source / "zh-CN" / "到.wav", amplitude=0.5)
    record(source / "zh-CN" / "号.wav", amplitude=4)
    (source / "recordings.toml").write_text(
        'name = "北城"\nconsent = "签署"\n[say]\n"银行" = "yin2 hang2"\n', "utf-8"
    )
    (source / "zh-CN" / "abc.wav").write_bytes(b"")
    assert main(["build", str(source), "--output", str(output), *FEW]) == 1, "something is missing"
    said = capsys.readouterr().out
    assert "过载失真" in said and "zh-CN/abc.wav" in said and "zh-CN/digit_3.wav" in said
    assert len(blocking_load(output).clips) == 3
    assert main(["check", str(output)]) == 1
    assert "签署" in capsys.readouterr().out
    (source / "zh-CN" / "abc.wav").unlink()
    assert main(["build", str(source), "--output", str(output), "--fill", *FEW]) == 0
    pack = blocking_load(output)
    assert {entry.source for entry in pack.manifest.clip} == {"recorded", "espeak-ng"}
    assert "一次叫号" in capsys.readouterr().out
    folder = tmp_path / "wav"
    assert main(["say", "A005", "3", "--wav", str(folder), "--pack", str(output), "--language", "zh-CN"]) == 0
    [file] = folder.glob("*.wav")
    assert 2 < len(recording_from_wav(file.read_bytes()).samples) / 22050 < 8
    assert "请A005号到3号窗口".encode() in file.read_bytes()


def test_a_picture_shows_before_and_after(tmp_path: Path) -> None:
    image_module: Any = pytest.importorskip("PIL.Image")
    record(tmp_path / "source" / "zh-CN" / "请.wav")
    picture = tmp_path / "p.png"
    main(
        [
            "build",
            str(tmp_path / "source"),
            "--output",
            str(tmp_path / "pack"),
            "--picture",
            str(picture),
            *FEW,
        ]
    )
    with image_module.open(picture) as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20)}
    assert {(150, 150, 150), (20, 90, 170)} <= colours


def test_what_cannot_be_used_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "none")]) == 1
    assert "语音包无法使用" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["build", str(tmp_path / "empty"), "--output", str(tmp_path / "pack"), *FEW]) == 1
    assert not (tmp_path / "pack").exists()
    assert main(["say", "A005", "3", "--device", "hw:31"]) == 1
    assert "找不到声卡" in capsys.readouterr().err


def test_a_loudspeaker_that_is_lost_before_it_speaks_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from drivers.voice.outlets import Outlets
    from drivers.voice.playing import OutputLostError

    async def lost(_: Outlets) -> None:
        raise OutputLostError("gone")

    monkeypatch.setattr(Outlets, "prepare", lost)
    monkeypatch.setattr("device.voice_command.SAY_S", 20.0)
    assert main(["say", "A005", "3", "--wav", str(tmp_path / "said")]) == 1
    assert "gone" in capsys.readouterr().err, "not that it was too busy"


def test_the_loudspeaker_of_a_zone_is_that_of_the_profile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / "node.toml"
    profile.write_text(
        f"""
hall = "h"
node = "n"
storage = "a.db"
broker = {{ host = "x" }}
[[device]]
id = "v"
driver = "speaker"
options = {{ output = {{ type = "wav", directory = "{tmp_path}/east", pace = 0 }} }}
[[station]]
kind = "board"
id = "b"
zone = "east"
voice = "v"
"""
    )
    config = ["--config", str(profile)]
    assert main(["say", "A005", "综合窗口", *config, "--zone", "east", "--language", "zh-CN"]) == 0
    assert len(list((tmp_path / "east").glob("*.wav"))) == 1
    assert main(["say", "A005", "3", *config, "--zone", "west"]) == 2
    assert "没有该区的扬声器" in capsys.readouterr().err
    profile.write_text("hall = 3")
    assert main(["say", "A005", "3", *config]) == 2
