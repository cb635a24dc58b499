"""WAV files of a hall, manifests of clip packs, names of counters, what the kernel says of sound cards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from drivers.voice.alsa import CARDS, card_of, playing_cards
from drivers.voice.pack import PackClip, PackError, PackManifest
from drivers.voice.reading import VOICES, reading
from drivers.voice.wav import Clip, WavError, clip_from_wav, recording_from_wav, wav_from_clip


def wav(data: bytes) -> None:
    """What is read is finite; as a clip it survives its file. Strange rates take too long to do here."""
    try:
        recording = recording_from_wav(data)
    except WavError:
        return
    assert all(-9 < sample < 9 for sample in recording.samples)
    assert len(recording.samples) <= len(data)
    if len(recording.samples) < 100 and recording.rate in (16000, 22050, 48000):
        clip = clip_from_wav(data)
        assert len(clip.pcm) % 2 == 0
        assert clip_from_wav(wav_from_clip(clip, "请")) == clip


def manifest(data: bytes) -> None:
    try:
        read = PackManifest.from_bytes(data)
    except PackError:
        return
    assert PackManifest.from_bytes(read.to_bytes()) == read


def counter_name(data: bytes) -> None:
    """Every name can be read, and what is given to the synthesiser is one line."""
    number, _, rest = data.decode("utf-8", "replace").partition("\0")
    name, _, words = rest.partition("\0")
    say = dict.fromkeys(words.split(","), "hang2")
    for language in VOICES:
        for token in reading(number, name, language, "yao", say).tokens:
            assert "\n" not in token.spoken or language == "en"


_PROC = Path(tempfile.mkdtemp(prefix="paihao-fuzz-"))


def sound_cards(data: bytes) -> None:
    (_PROC / "cards").write_bytes(data)
    assert len(playing_cards(_PROC)) <= CARDS
    card = card_of(data.decode("utf-8", "replace"))
    assert card is None or ("/" not in card and "." not in card)


_ENTRY = PackClip(
    language="zh-CN", token="please", file="zh-CN/please.wav", words="请", seconds=0.3, loudness_lufs=-18.0,
    peak_db=-3.0, sha256="0" * 64,
)  # fmt: skip
_WAV = wav_from_clip(Clip(bytes(range(64))), "请")
TARGETS: dict[str, Callable[[bytes], None]] = {
    "voice_wav": wav,
    "voice_pack_manifest": manifest,
    "voice_counter_name": counter_name,
    "voice_sound_cards": sound_cards,
}
SEEDS: dict[str, list[bytes]] = {
    "voice_wav": [
        _WAV,
        _WAV.replace(b"\1\0\1\0", b"\1\0\2\0", 1),
        _WAV.replace(b"\1\0\1\0", b"\3\0\1\0", 1).replace(b"\2\0\x10\0", b"\4\0\x20\0", 1),
        _WAV.replace(b"\2\0\x10\0", b"\3\0\x18\0", 1),
    ],
    "voice_pack_manifest": [
        PackManifest(
            format=1, name="北城", made="x", rate=22050, say={"行": "hang2"}, clip=(_ENTRY,)
        ).to_bytes()
    ],
    "voice_counter_name": ["A005\x003号窗口\x00行,3号".encode(), b"B1\0Counter 12\0Counter"],
    "voice_sound_cards": [b" 1 [Device         ]: USB-Audio - USB\n", b"plughw:CARD=Device,DEV=0", b"hw:1,0"],
}
