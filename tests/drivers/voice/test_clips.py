"""Sounds come from the hall's recordings, else from the synthesiser, and are made once."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path

import pytest

from drivers.voice import clips as clips_module
from drivers.voice.clips import ClipStore
from drivers.voice.espeak import Espeak, SynthesiserError
from drivers.voice.reading import common_tokens, reading
from drivers.voice.wav import Clip, wav_from_clip

RECORDED = Clip(array("h", [9000, -9000] * 800).tobytes())
MADE = Clip(array("h", [5000, -5000] * 400).tobytes())


class Counting(Espeak):
    """Makes the same sound of everything and keeps what it was asked."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.fails = fails

    async def clips(self, texts: Sequence[str], voice: str) -> list[Clip]:
        if self.fails:
            raise SynthesiserError("none")
        self.asked += texts
        return [MADE for _ in texts]


def record(pack: Path, *names: str) -> None:
    for name in names:
        file = pack / f"{name}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(wav_from_clip(RECORDED))


async def test_after_warming_a_call_asks_only_for_the_counter_and_then_for_nothing() -> None:
    synthesiser = Counting()
    store = ClipStore(synthesiser)
    await store.prepare(common_tokens(["zh-CN", "en"]))
    synthesiser.asked.clear()
    first = await store.spoken(reading("B120", "3号窗口", "zh-CN"))
    assert synthesiser.asked == ["三号窗口"]
    assert await store.spoken(reading("B120", "3号窗口", "zh-CN")) == first
    await store.spoken(reading("A999", "3号窗口", "zh-CN"))
    assert synthesiser.asked == ["三号窗口"]


async def test_missing_recordings_are_synthesised(tmp_path: Path) -> None:
    record(tmp_path, "zh-CN/please", "zh-CN/digit_yao", "zh-CN/to")
    synthesiser = Counting()
    spoken = await ClipStore(synthesiser, tmp_path).spoken(reading("A1", "3号窗口", "zh-CN"))
    assert synthesiser.asked == ["A", "hao4", "三号窗口"]
    assert spoken.pcm.count(RECORDED.pcm) == 3
    assert spoken.pcm.count(MADE.pcm) == 3


async def test_a_counter_is_taken_whole_else_from_its_pieces(tmp_path: Path) -> None:
    record(tmp_path, "zh-CN/digit_2", "zh-CN/ten", "zh-CN/counter", "zh-CN/name_咨询台")
    store = ClipStore(Counting(fails=True), tmp_path)
    twelve = reading("", "12号窗口", "zh-CN").tokens[-1:]
    await store.prepare([("zh-CN", *twelve)])
    await store.prepare([("zh-CN", *reading("", "咨询台", "zh-CN").tokens[-1:])])
    with pytest.raises(SynthesiserError):
        await store.prepare([("zh-CN", *reading("", "3号窗口", "zh-CN").tokens[-1:])])


async def test_a_bad_recording_is_replaced_and_names_cannot_leave_the_pack(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    (pack / "zh-CN").mkdir(parents=True)
    (pack / "zh-CN" / "please.wav").write_bytes(b"no wav")
    record(tmp_path, "outside")
    synthesiser = Counting()
    spoken = await ClipStore(synthesiser, pack).spoken(reading("", "../../outside", "zh-CN"))
    assert RECORDED.pcm not in spoken.pcm
    assert "qing3" in synthesiser.asked


async def test_volume(tmp_path: Path) -> None:
    record(tmp_path, "zh-CN/please")
    spoken = await ClipStore(Counting(), tmp_path, volume=50).spoken(reading("", "", "zh-CN"))
    assert max(array("h", spoken.pcm)) == 4500
    silent = await ClipStore(Counting(), tmp_path, volume=0).spoken(reading("", "", "zh-CN"))
    assert not any(silent.pcm)


async def test_the_sounds_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips_module, "CLIP_LIMIT", 10)
    store = ClipStore(Counting())
    for counter in range(1, 40):
        spoken = await store.spoken(reading("A5", f"{counter}号窗口", "zh-CN"))
        assert spoken.pcm.count(MADE.pcm) == 6
        assert len(store._clips) <= 10
