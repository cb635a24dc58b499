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

RATE: Final = 22050
"""Samples a second of everything that is played; the rate of espeak-ng."""
SILENCE_LEVEL: Final = 300
"""A sample below this (of 32767) at a clip's ends is silence."""
MARGIN: Final = RATE * 12 // 1000
"""So many samples of the silence stay, so that nothing sounds cut."""


class WavError(FrameError):
    """A file that is no WAV of 16-bit PCM."""

    code = "voice.bad_clip"


@dataclass(frozen=True, slots=True)
class Clip:
    """Samples, little-endian, at `RATE`."""

    pcm: bytes = field(repr=False)

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / RATE

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


def clip_from_wav(data: bytes) -> Clip:
    """16-bit PCM of any rate, one or two channels, brought to mono at `RATE`. Raises WavError.

    A data chunk that claims more than there is (a WAV written to a pipe) ends with the bytes.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("no WAV file")
    at, sound = 12, (0, 0)
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            if code not in (1, 0xFFFE) or bits != 16 or channels not in (1, 2) or not 4000 <= rate <= 192000:
                raise WavError("a WAV must hold 16-bit PCM, one or two channels")
            sound = (channels, rate)
        elif name == b"data":
            if not sound[0]:
                break
            return Clip(_pcm(_at_rate(_mono(body, sound[0]), sound[1])))
        at += 8 + size + size % 2
    raise WavError("a WAV without sound")


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


def _mono(body: bytes, channels: int) -> array[int]:
    samples = _samples(body)
    if channels == 1:
        return samples
    return array("h", ((left + right) // 2 for left, right in zip(samples[::2], samples[1::2], strict=False)))


def _at_rate(samples: array[int], rate: int) -> array[int]:
    """Straight lines between samples: good enough for speech, and needs no library."""
    if rate == RATE or len(samples) < 2:
        return samples
    out = array("h")
    step, last = rate / RATE, len(samples) - 1
    for index in range(int(last / step) + 1):
        whole, part = divmod(index * step, 1.0)
        at = int(whole)
        following = samples[min(at + 1, last)]
        out.append(int(samples[at] + (following - samples[at]) * part))
    return out
