"""Sound in and out: nothing is lost between WAV and samples, and no file breaks the parser."""

from __future__ import annotations

import io
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


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16000, 2), (44100, 2), (48000, 1)])
def test_recordings_of_other_rates_keep_their_length(rate: int, channels: int) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(array("h", [1000] * rate * channels).tobytes())
    clip = clip_from_wav(file.getvalue())
    assert abs(clip.seconds - 1.0) < 0.001
    assert set(array("h", clip.pcm)) == {1000}


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
