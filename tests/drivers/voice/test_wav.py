"""Sound in and out: nothing is lost between WAV and samples, and no file breaks the parser."""

from __future__ import annotations

import io
import math
import struct
import wave
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import FrameError
from drivers.voice.fake import _look_into
from drivers.voice.wav import (
    MARGIN,
    RATE,
    Clip,
    WavError,
    chime,
    clip_from_wav,
    joined,
    recording_from_wav,
    silence,
    wav_from_clip,
)

pcm = st.lists(st.integers(-32768, 32767), max_size=200).map(lambda samples: array("h", samples).tobytes())
words = st.text(max_size=60).filter(lambda text: "\0" not in text)


@given(pcm, words)
def test_a_clip_survives_its_file_and_the_loudspeaker_reads_the_words(data: bytes, text: str) -> None:
    file = wav_from_clip(Clip(data), text)
    assert clip_from_wav(file) == Clip(data)
    assert _look_into(file) == (text, len(data) // 2, RATE)
    with wave.open(io.BytesIO(file)) as other:
        assert (other.getnchannels(), other.getframerate(), other.readframes(1000)) == (1, RATE, data)


@given(pcm, st.data())
def test_a_cut_off_file_is_an_error_or_its_beginning(data: bytes, draw: st.DataObject) -> None:
    file = wav_from_clip(Clip(data), "请")
    cut = file[: draw.draw(st.integers(0, len(file) - 1))]
    assert _look_into(cut) is None or len(cut) == len(file)
    try:
        assert data.startswith(clip_from_wav(cut).pcm)
    except FrameError:
        pass


@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda body: b"RIFF\0\0\0\0WAVE" + body))
def test_any_bytes_are_a_clip_or_a_wav_error(data: bytes) -> None:
    try:
        clip_from_wav(data)
    except WavError:
        pass
    _look_into(data)


def test_a_file_written_to_a_pipe_ends_with_its_bytes() -> None:
    body = array("h", range(100)).tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 0x7FFFF024, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16
    )
    assert clip_from_wav(head + struct.pack("<4sI", b"data", 0x7FFFF000) + body) == Clip(body)


def sine(rate: int, hertz: float, seconds: float = 0.5) -> list[float]:
    return [0.5 * math.sin(math.tau * hertz * n / rate) for n in range(round(seconds * rate))]


def written(samples: list[float], rate: int, channels: int, bits: int, *, floats: bool = False) -> bytes:
    """A WAV by the standard library where that can; the same sound in every channel."""
    full = 2.0 ** (bits - 1)
    if floats:
        kind = "f" if bits == 32 else "d"
        body = array(kind, [value for value in samples for _ in range(channels)]).tobytes()
        frame = channels * bits // 8
        head = struct.pack("<HHIIHH", 3, channels, rate, rate * frame, frame, bits)
        chunks = b"fmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", len(body)) + body
        return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
    values = [max(-int(full), min(int(full) - 1, round(value * full))) for value in samples]
    pieces = [
        bytes((value + 128,)) if bits == 8 else value.to_bytes(bits // 8, "little", signed=True)
        for value in values
    ]
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(bits // 8)
        out.setframerate(rate)
        out.writeframes(b"".join(piece * channels for piece in pieces))
    return file.getvalue()


@pytest.mark.parametrize(
    ("bits", "floats"), [(8, False), (16, False), (24, False), (32, False), (32, True), (64, True)]
)
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (22050, 1), (44100, 2), (48000, 6)])
def test_a_recording_of_any_kind_is_the_same_sound(rate: int, channels: int, bits: int, floats: bool) -> None:
    file = written(sine(rate, 500, 0.1), rate, channels, bits, floats=floats)
    recording = recording_from_wav(file)
    assert (recording.rate, recording.clipped) == (rate, 0)
    assert len(recording.samples) == rate // 10
    clip = clip_from_wav(file)
    assert abs(clip.seconds - 0.1) < 0.001
    expected = sine(RATE, 500, 0.1)
    middle = range(len(expected) // 3, 2 * len(expected) // 3)
    assert all(abs(clip.samples[n] / 32768 - expected[n]) < (0.02 if bits == 8 else 0.001) for n in middle)


def test_what_the_lower_rate_cannot_hold_is_gone_and_not_folded_back() -> None:
    high = clip_from_wav(written(sine(48000, 15000, 0.2), 48000, 1, 16))
    assert max(high.samples[1000:-1000]) < 20
    low = clip_from_wav(written(sine(48000, 8000, 0.2), 48000, 1, 16))
    assert max(low.samples[1000:-1000]) > 16000


def test_a_recording_that_was_driven_too_hard_shows() -> None:
    hard = [max(-1.0, min(1.0, 4 * value)) for value in sine(44100, 200, 0.1)]
    for bits, floats in ((16, False), (24, False), (32, True)):
        assert recording_from_wav(written(hard, 44100, 2, bits, floats=floats)).clipped >= 30
    assert recording_from_wav(written([0.0, 1.0, 0.0, -1.0] * 100, 44100, 1, 16)).clipped == 0


def test_floats_that_are_no_numbers_are_silence() -> None:
    strange = [math.nan, math.inf, -math.inf, 1e300, 0.25]
    samples = recording_from_wav(written(strange, 8000, 1, 64, floats=True)).samples
    assert list(samples) == [0, 0, 0, 0, 0.25]


def test_silence_goes_from_the_ends_only() -> None:
    quiet, loud = bytes(2 * 5000), array("h", [20000, 0, 0, -20000]).tobytes()
    trimmed = Clip(quiet + loud + quiet).trimmed()
    assert len(trimmed.pcm) == 2 * (4 + 2 * MARGIN)
    assert loud in trimmed.pcm
    assert Clip(quiet).trimmed().seconds == 0


def test_volume_joins_and_chime() -> None:
    assert array("h", Clip(array("h", [1000, -1000]).tobytes()).scaled(0.5).pcm).tolist() == [500, -500]
    assert joined([silence(0.5), silence(1.5)]).seconds == 2.0
    assert 0.8 < chime().seconds < 1.0
    assert max(array("h", chime().pcm)) > 8000
