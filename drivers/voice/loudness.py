"""How loud a sound is to people, and bringing sounds to one loudness. Pure, without numpy.

Loudness as in ITU-R BS.1770-4 and EBU R 128, in LUFS: the head and low-cut filters ("K"), mean square over
blocks of 0.4 s every 0.1 s, blocks below −70 LUFS and then those 10 below the rest left out. A sound shorter
than a block is one block. BS.1770 gives the filters for 48 kHz; here they are made for `RATE` from their
analogue form (the corner frequencies that reproduce the published 48 kHz coefficients).
"""

from __future__ import annotations

import math
from array import array
from typing import Final

from drivers.voice.wav import RATE, Clip, clip_from_samples

TARGET_LUFS: Final = -18.0
"""Of every sound, unless a pack says otherwise: as loud as short words get without cutting their peaks."""
PEAK_DB: Final = -1.0
"""No sample goes above this, of full scale."""
SILENT_LUFS: Final = -70.0

_Biquad = tuple[float, float, float, float, float]


def loudness(clip: Clip) -> float:
    """LUFS; `SILENT_LUFS` for silence and what is quieter."""
    squares = array("d", (value * value for value in _weighted(clip)))
    block, step = RATE * 4 // 10, RATE // 10
    starts = range(0, max(1, len(squares) - block + 1), step)
    powers = [sum(squares[at : at + block]) / max(1, len(squares[at : at + block])) for at in starts]
    heard = [power for power in powers if _lufs(power) > SILENT_LUFS]
    if not heard:
        return SILENT_LUFS
    gate = _lufs(sum(heard) / len(heard)) - 10
    heard = [power for power in heard if _lufs(power) > gate]
    return _lufs(sum(heard) / len(heard))


def peak_db(clip: Clip) -> float:
    """The greatest sample in dB of full scale; −100 for silence."""
    samples = clip.samples
    peak = max(max(samples), -min(samples)) if samples else 0
    return max(-100.0, 20 * math.log10(peak / 32768)) if peak else -100.0


def levelled(clip: Clip, target_lufs: float = TARGET_LUFS) -> Clip:
    """The same at `target_lufs`, or as loud as its peaks allow (`PEAK_DB`); silence stays silence."""
    now = loudness(clip)
    if now <= SILENT_LUFS:
        return clip
    gain = 10 ** (min(target_lufs - now, PEAK_DB - peak_db(clip)) / 20)
    return clip_from_samples(sample * gain / 32768 for sample in clip.samples)


def _lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(power) if power > 1e-12 else -120.0


def _shelf() -> _Biquad:
    """The head: 4 dB more above 1.7 kHz."""
    k = math.tan(math.pi * 1681.974450955533 / RATE)
    high = 10 ** (3.999843853973347 / 20)
    band, quality = high**0.4996667741545416, 0.7071752369554196
    a0 = 1 + k / quality + k * k
    return (
        (high + band * k / quality + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / quality + k * k) / a0,
        2 * (k * k - 1) / a0,
        (1 - k / quality + k * k) / a0,
    )


def _low_cut() -> _Biquad:
    """Nothing below 38 Hz."""
    k, quality = math.tan(math.pi * 38.13547087602444 / RATE), 0.5003270373238773
    a0 = 1 + k / quality + k * k
    return 1.0, -2.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / quality + k * k) / a0


_SHELF: Final = _shelf()
_LOW_CUT: Final = _low_cut()


def _weighted(clip: Clip) -> array[float]:
    """Both filters, one after the other."""
    b0, b1, b2, a1, a2 = _SHELF
    _, c1, c2, d1, d2 = _LOW_CUT
    out = array("d")
    add = out.append
    x1 = x2 = y1 = y2 = z1 = z2 = 0.0
    for sample in clip.samples:
        x = sample / 32768
        y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        z = y + c1 * y1 + c2 * y2 - d1 * z1 - d2 * z2
        x2, x1, y2, y1, z2, z1 = x1, x, y1, y, z1, z
        add(z)
    return out
