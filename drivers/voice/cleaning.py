"""From a recording to a clip: silence cut off, one loudness, and what is wrong with the recording. Pure.

Speech begins and ends where frames of 10 ms rise above the noise of the recording itself. What is said may
be quiet or loud; clicks of one frame are no speech. Some of the silence stays, faded, so that nothing clicks.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from operator import mul
from typing import Final, Literal

from drivers.voice.loudness import SILENT_LUFS, TARGET_LUFS, levelled, loudness, peak_db
from drivers.voice.wav import RATE, Clip, Recording, clip_from_samples

Remark = Literal["empty", "clipped", "noisy", "quiet", "long", "limited"]
"""`empty`: no speech; `clipped`: recorded too loud; `noisy`: the room is heard; `quiet`: recorded too low;
`long`: more than one word; `limited`: peaks keep it below the loudness of the others."""

MARGIN_MS: Final = 12
"""Silence that stays before; after it twice that, because words die away."""
FADE_S: Final = 0.005
QUIET_DB: Final = -30.0
"""Peak below which a recording is too quiet: levelling it would lift its noise."""
NOISY_DB: Final = 25.0
"""Speech has to be so much above the noise."""
LONG_S: Final = 3.0
LIMITED_LU: Final = 2.0

_FRAME: Final = RATE // 100
_FLOOR_DB: Final = -60.0
_ABOVE_NOISE_DB: Final = 10.0
_BELOW_SPEECH_DB: Final = 30.0


@dataclass(frozen=True, slots=True)
class Measured:
    """How long and how loud."""

    seconds: float
    loudness_lufs: float
    peak_db: float

    @classmethod
    def of(cls, clip: Clip) -> Measured:
        return cls(clip.seconds, loudness(clip), peak_db(clip))


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A clip, what it was before, and what to know of it."""

    raw: Clip
    clip: Clip
    before: Measured
    after: Measured
    remarks: tuple[Remark, ...]


def cleaned(
    recording: Recording, target_lufs: float = TARGET_LUFS, margin_ms: int = MARGIN_MS, *, name: bool = False
) -> Cleaned:
    """`name`: a whole name, which may be long."""
    samples = recording.at_rate()
    middle = sum(samples) / max(1, len(samples))
    samples = array("d", (sample - middle for sample in samples))
    raw = clip_from_samples(samples)
    before = Measured.of(raw)
    start, end, above = _speech(samples)
    margin = RATE * margin_ms // 1000
    kept = samples[max(0, start - margin) : end + 2 * margin] if end > start else array("d")
    clip = levelled(clip_from_samples(_faded(kept)), target_lufs)
    after = Measured.of(clip)
    remarks: list[Remark] = []
    if not kept or after.loudness_lufs <= SILENT_LUFS:
        return Cleaned(raw, Clip(b""), before, Measured.of(Clip(b"")), ("empty",))
    if recording.clipped:
        remarks.append("clipped")
    if above < NOISY_DB:
        remarks.append("noisy")
    if before.peak_db < QUIET_DB:
        remarks.append("quiet")
    if after.seconds > LONG_S and not name:
        remarks.append("long")
    if after.loudness_lufs < target_lufs - LIMITED_LU:
        remarks.append("limited")
    return Cleaned(raw, clip, before, after, tuple(remarks))


def _speech(samples: array[float]) -> tuple[int, int, float]:
    """Where speech begins and ends, and how far above the noise it is in dB."""
    levels = []
    for at in range(0, len(samples), _FRAME):
        frame = samples[at : at + _FRAME]
        power = sum(map(mul, frame, frame)) / len(frame)
        levels.append(10 * math.log10(power) if power > 1e-12 else -120.0)
    if not levels:
        return 0, 0, 0.0
    noise, loudest = max(_FLOOR_DB - 20, sorted(levels)[len(levels) // 10]), max(levels)
    # a recording without any silence has speech as its "noise": then nothing is to be cut
    limit = max(_FLOOR_DB, min(noise + _ABOVE_NOISE_DB, loudest - _BELOW_SPEECH_DB))
    loud = [level > limit for level in levels]
    voiced = [
        n
        for n in range(len(loud))
        if loud[n] and (loud[n - 1 : n] == [True] or loud[n + 1 : n + 2] == [True])
    ]
    if not voiced:
        return 0, 0, 0.0
    return voiced[0] * _FRAME, (voiced[-1] + 1) * _FRAME, loudest - noise


def _faded(samples: array[float]) -> array[float]:
    out = array("d", samples)
    count = min(round(FADE_S * RATE), len(out) // 2)
    for n in range(count):
        out[n] *= n / count
        out[-1 - n] *= n / count
    return out
