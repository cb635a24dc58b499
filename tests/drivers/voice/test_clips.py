"""Sounds come from the hall's recordings, else from the synthesiser, and are made once."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import pytest

from drivers.voice import clips as clips_module
from drivers.voice.clips import ClipStore
from drivers.voice.espeak import Espeak, SynthesiserError
from drivers.voice.loudness import TARGET_LUFS, levelled, loudness
from drivers.voice.pack import Pack, PackManifest
from drivers.voice.reading import common_tokens, reading
from drivers.voice.wav import RATE, Clip

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


def recorded(*names: str, clip: Clip = RECORDED) -> Pack:
    """A pack, as it is in memory, with these sounds."""
    keys = [(name.partition("/")[0], name.partition("/")[2]) for name in names]
    manifest = PackManifest(format=1, name="test", made="2026-11-22", rate=RATE)
    return Pack(manifest, dict.fromkeys(keys, clip))


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


async def test_missing_recordings_are_synthesised_and_as_loud_as_the_others() -> None:
    synthesiser = Counting()
    store = ClipStore(synthesiser, recorded("zh-CN/please", "zh-CN/digit_yao", "zh-CN/to"))
    spoken = await store.spoken(reading("A1", "3号窗口", "zh-CN"))
    assert synthesiser.asked == ["A", "hao4", "三号窗口"]
    assert spoken.pcm.count(RECORDED.pcm) == 3
    assert spoken.pcm.count(levelled(MADE).pcm) == 3
    assert loudness(levelled(MADE)) == pytest.approx(TARGET_LUFS, abs=0.1)


async def test_a_counter_is_taken_whole_else_from_its_pieces() -> None:
    pack = recorded("zh-CN/digit_2", "zh-CN/ten", "zh-CN/counter", "zh-CN/name_咨询台")
    store = ClipStore(Counting(fails=True), pack)
    twelve = reading("", "12号窗口", "zh-CN").tokens[-1:]
    await store.prepare([("zh-CN", *twelve)])
    await store.prepare([("zh-CN", *reading("", "咨询台", "zh-CN").tokens[-1:])])
    with pytest.raises(SynthesiserError):
        await store.prepare([("zh-CN", *reading("", "3号窗口", "zh-CN").tokens[-1:])])


async def test_a_call_is_kept_at_each_volume() -> None:
    store = ClipStore(Counting(), recorded("zh-CN/please"))
    peaks = [max(array("h", (await store.spoken(reading("", "", "zh-CN"), v)).pcm)) for v in (100, 50, 10)]
    assert peaks == [max(9000, peaks[0]), peaks[0] // 2, peaks[0] // 10]


async def test_the_chime_is_the_packs_own_else_ours() -> None:
    assert ClipStore(Counting(), recorded("/chime")).chime() == RECORDED
    ours = ClipStore(Counting())
    assert 0.8 < ours.chime().seconds < 1
    assert max(array("h", ours.chime(50).pcm)) == max(array("h", ours.chime().pcm)) // 2


async def test_the_sounds_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips_module, "CLIP_LIMIT", 10)
    store = ClipStore(Counting())
    for counter in range(1, 40):
        spoken = await store.spoken(reading("A5", f"{counter}号窗口", "zh-CN"))
        assert spoken.pcm.count(levelled(MADE).pcm) == 6
        assert len(store._clips) <= 10
