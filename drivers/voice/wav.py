"""Sound as the voice handles it: 16-bit mono PCM, cut, scaled and joined; WAV in and out. Pure.

A WAV that goes to a loudspeaker carries its words::

    "RIFF" size "WAVE" | "fmt " … | "LIST" size "INFO" "INAM" size text, UTF-8, 0 | "data" size samples

so that a network loudspeaker can show what it says. Sources: the RIFF and WAVE descriptions of
Microsoft/IBM, 1991 ("Multimedia Programming Interface and Data Specifications 1.0").
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from drivers.errors import FrameError
from drivers.voice.resampling import resampled

RATE: Final = 22050
"""Samples a second of everything that is played; the rate of espeak-ng."""
SILENCE_LEVEL: Final = 300
"""A sample below this (of 32767) at a clip's ends is silence."""
CLIPPED_RUN: Final = 3
"""So many samples in a row at the limit are a clipped peak; a single one may be chance."""
MARGIN: Final = RATE * 12 // 1000
"""So many samples of the silence stay, so that nothing sounds cut."""

_PCM: Final = 1
_FLOAT: Final = 3
_EXTENSIBLE: Final = 0xFFFE
_TYPES: Final = {
    (_PCM, 8): ("B", 1.0),
    (_PCM, 16): ("h", 32768.0),
    (_PCM, 24): ("i", 2147483648.0),
    (_PCM, 32): ("i", 2147483648.0),
    (_FLOAT, 32): ("f", 1.0),
    (_FLOAT, 64): ("d", 1.0),
}
"""(code, bits) → type of array, value that is 1."""


class WavError(FrameError):
    """A file that is no WAV of PCM or floats."""

    code = "voice.bad_clip"


@dataclass(frozen=True, slots=True)
class Clip:
    """Samples, little-endian, at `RATE`."""

    pcm: bytes = field(repr=False)

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / RATE

    @property
    def samples(self) -> array[int]:
        return _samples(self.pcm)

    @property
    def floats(self) -> array[float]:
        """−1 to 1."""
        return array("d", (sample / 32768 for sample in self.samples))

    def trimmed(self) -> Clip:
        """Without the silence at both ends; all of it when there is nothing but silence."""
        samples = _samples(self.pcm)
        loud = [index for index in (_first_loud(samples), _first_loud(samples[::-1])) if index is not None]
        if len(loud) < 2:
            return Clip(b"")
        start, end = max(0, loud[0] - MARGIN), len(samples) - max(0, loud[1] - MARGIN)
        return Clip(self.pcm[2 * start : 2 * end])

    def scaled(self, factor: float) -> Clip:
        """`factor` times as loud, 0–1."""
        if factor == 1:
            return self
        return Clip(_pcm(array("h", (int(sample * factor) for sample in _samples(self.pcm)))))


def silence(seconds: float) -> Clip:
    return Clip(bytes(2 * round(seconds * RATE)))


def joined(clips: Iterable[Clip]) -> Clip:
    return Clip(b"".join(clip.pcm for clip in clips))


def chime() -> Clip:
    """叮咚: two falling notes that die away, 0.9 s."""
    samples = array("h", bytes(2 * round(0.9 * RATE)))
    for begin, hertz in ((0.0, 659.3), (0.3, 523.3)):
        offset = round(begin * RATE)
        for index in range(len(samples) - offset):
            at = index / RATE
            swell = min(1.0, at / 0.005) * math.exp(-5 * at)
            samples[offset + index] += int(11000 * swell * math.sin(2 * math.pi * hertz * at))
    return Clip(_pcm(samples))


def wav_from_clip(clip: Clip, text: str = "") -> bytes:
    """A WAV file; `text` goes into its INAM chunk."""
    chunks = _chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16))
    if text:
        chunks += _chunk(b"LIST", b"INFO" + _chunk(b"INAM", text.encode() + b"\0"))
    chunks += _chunk(b"data", clip.pcm)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@dataclass(frozen=True, slots=True)
class Recording:
    """A WAV as it came: mono, −1 to 1. `clipped`: places where the recording was driven to its limit."""

    samples: array[float] = field(repr=False)
    rate: int
    clipped: int

    def at_rate(self) -> array[float]:
        """The samples at `RATE`."""
        return resampled(self.samples, self.rate, RATE)


def clip_from_wav(data: bytes) -> Clip:
    """Any WAV of `recording_from_wav`, brought to mono at `RATE`. Raises WavError."""
    form, body = _parts(data)
    if form == _Form(_PCM, 1, RATE, 16):
        return Clip(body[: len(body) // 2 * 2])
    return clip_from_samples(_recording(form, body).at_rate())


def clip_from_samples(samples: Iterable[float]) -> Clip:
    """Samples of −1 to 1; what is beyond is cut."""
    return Clip(_pcm(array("h", (max(-32768, min(32767, round(32768 * sample))) for sample in samples))))


def recording_from_wav(data: bytes) -> Recording:
    """PCM of 8, 16, 24 or 32 bits or floats of 32 or 64, 4 to 192 kHz, up to 8 channels. Raises WavError.

    A data chunk that claims more than there is (a WAV written to a pipe) ends with the bytes.
    """
    return _recording(*_parts(data))


@dataclass(frozen=True, slots=True)
class _Form:
    """What the fmt chunk says. `code`: `_PCM` or `_FLOAT`."""

    code: int
    channels: int
    rate: int
    bits: int


def _parts(data: bytes) -> tuple[_Form, bytes]:
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("no WAV file")
    at, form = 12, None
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            if code == _EXTENSIBLE and len(body) >= 26:
                code = int.from_bytes(body[24:26], "little")
            if (code, bits) not in _TYPES or not 1 <= channels <= 8 or not 4000 <= rate <= 192000:
                raise WavError("a WAV must hold PCM or floats, at most 8 channels, 4 to 192 kHz")
            form = _Form(code, channels, rate, bits)
        elif name == b"data":
            if form is None:
                break
            return form, body
        at += 8 + size + size % 2
    raise WavError("a WAV without sound")


def _recording(form: _Form, body: bytes) -> Recording:
    kind, limit = _TYPES[form.code, form.bits]
    width = form.bits // 8
    body = body[: len(body) // width * width]
    if form.bits == 24:  # each as the upper part of 32 bits
        wide = bytearray(len(body) // 3 * 4)
        for byte in range(3):
            wide[byte + 1 :: 4] = body[byte::3]
        body = bytes(wide)
    values = array(kind, body)
    if sys.byteorder == "big":
        values.byteswap()
    if form.bits == 8:
        mono = array("d", ((value - 128) / 128 for value in values))
    else:
        mono = array("d", (value / limit for value in values))
    if form.code == _FLOAT:
        mono = array("d", (value if -8 < value < 8 else 0.0 for value in mono))  # no NaN, no infinity
    clipped = _clipped(mono, 1 - 2 / 2 ** min(form.bits, 16))
    if form.channels > 1:
        count = len(mono) // form.channels
        lanes = [mono[lane :: form.channels][:count] for lane in range(form.channels)]
        mono = array("d", (sum(frame) / form.channels for frame in zip(*lanes, strict=True)))
    return Recording(mono, form.rate, clipped)


def _clipped(samples: array[float], limit: float) -> int:
    """How often `CLIPPED_RUN` samples in a row are at the limit."""
    runs = run = 0
    for sample in samples:
        run = run + 1 if sample >= limit or sample <= -limit else 0
        runs += run == CLIPPED_RUN
    return runs


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _samples(pcm: bytes) -> array[int]:
    samples = array("h", pcm[: len(pcm) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _pcm(samples: array[int]) -> bytes:
    if sys.byteorder == "big":
        samples = array("h", samples)
        samples.byteswap()
    return samples.tobytes()


def _first_loud(samples: array[int]) -> int | None:
    for index, sample in enumerate(samples):
        if sample > SILENCE_LEVEL or sample < -SILENCE_LEVEL:
            return index
    return None
