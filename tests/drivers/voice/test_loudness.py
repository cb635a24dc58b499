"""Loudness as BS.1770 has it, and sounds brought to one loudness."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.voice.cleaning import MARGIN_MS, cleaned
from drivers.voice.loudness import (
    PEAK_DB,
    SILENT_LUFS,
    TARGET_LUFS,
    _low_cut,
    _shelf,
    levelled,
    loudness,
    peak_db,
)
from drivers.voice.wav import RATE, Clip, Recording, clip_from_samples, joined, silence


def sine(seconds: float, hertz: float = 1000, amplitude: float = 1.0) -> Clip:
    return clip_from_samples(
        amplitude * math.sin(math.tau * hertz * n / RATE) for n in range(round(seconds * RATE))
    )


def test_the_reference_of_the_standard() -> None:
    # BS.1770: a sine of 997 Hz at full scale in one channel reads -3.01 LKFS
    assert loudness(sine(2, 997)) == pytest.approx(-3.01, abs=0.05)
    # EBU Tech 3341, case 1 and 2, in one channel: 3 dB less than in two
    for level in (-23, -33):
        assert loudness(sine(2, 1000, 10 ** (level / 20))) == pytest.approx(level - 3.01, abs=0.1)


def test_quiet_parts_do_not_count() -> None:
    # EBU Tech 3341, case 3: quieter parts lie below the gate
    loud, quiet = sine(6, 1000, 0.1), sine(1, 1000, 0.1 * 10 ** (-13 / 20))
    assert loudness(joined([quiet, loud, quiet])) == pytest.approx(loudness(loud), abs=0.3)
    assert loudness(joined([silence(3), loud])) == pytest.approx(loudness(loud), abs=0.4)
    assert loudness(silence(1)) == loudness(Clip(b"")) == SILENT_LUFS


def test_the_head_hears_high_tones_louder_and_the_filter_takes_rumble_away() -> None:
    middle = loudness(sine(1, 1000, 0.1))
    assert loudness(sine(1, 5000, 0.1)) - middle == pytest.approx(3.3, abs=0.4)
    assert loudness(sine(1, 20, 0.1)) < middle - 10
    # both filters are stable
    for _, _, _, a1, a2 in (_shelf(), _low_cut()):
        assert abs(a2) < 1 and abs(a1) < 1 + a2


@given(st.floats(0.005, 1.0), st.floats(0.05, 0.6), st.sampled_from([200, 1000, 4000]))
def test_any_sound_is_brought_to_the_target_or_to_its_peak(
    amplitude: float, seconds: float, hertz: float
) -> None:
    clip = levelled(sine(seconds, hertz, amplitude))
    assert peak_db(clip) <= PEAK_DB + 0.01
    assert loudness(clip) == pytest.approx(TARGET_LUFS, abs=0.2) or peak_db(clip) >= PEAK_DB - 0.1


def recording(before: float, speech: Clip, after: float, noise: float = 0.0) -> Recording:
    samples = array("d", joined([silence(before), speech, silence(after)]).floats)
    for n in range(len(samples)):
        samples[n] += noise * math.sin(n * n) + 0.02  # and an offset of cheap sound cards
    return Recording(samples, RATE, 0)


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.005])
def test_silence_is_cut_off_to_the_margin_whatever_the_noise(noise: float) -> None:
    speech = sine(0.4, 300, 0.3)
    result = cleaned(recording(0.8, speech, 1.2, noise))
    assert result.before.seconds == pytest.approx(2.4, abs=0.01)
    assert result.after.seconds == pytest.approx(0.4 + 3 * MARGIN_MS / 1000, abs=0.03)
    assert result.after.loudness_lufs == pytest.approx(TARGET_LUFS, abs=0.3)
    assert abs(sum(result.clip.samples) / len(result.clip.samples)) < 60
    assert result.clip.samples[0] == result.clip.samples[-1] == 0
    assert result.remarks == ()


def test_a_recording_without_any_silence_is_left_whole() -> None:
    assert cleaned(Recording(sine(0.5, 300, 0.3).floats, RATE, 0)).after.seconds == pytest.approx(
        0.5, abs=0.02
    )


def test_what_is_wrong_with_a_recording_is_said() -> None:
    speech = sine(0.4, 300, 0.3)
    assert "noisy" in cleaned(recording(0.8, speech, 1.2, 0.08)).remarks
    assert "quiet" in cleaned(recording(0.8, sine(0.4, 300, 0.01), 1.2)).remarks
    assert "clipped" in cleaned(Recording(recording(0.5, speech, 0.5).samples, RATE, 4)).remarks
    assert "long" in cleaned(recording(0.1, sine(4, 300, 0.3), 0.1)).remarks
    assert "long" not in cleaned(recording(0.1, sine(4, 300, 0.3), 0.1), name=True).remarks
    assert cleaned(Recording(silence(1).floats, RATE, 0)).remarks == ("empty",)
    assert cleaned(Recording(array("d"), RATE, 0)).remarks == ("empty",)
    click = array("d", bytes(8 * RATE))
    for n in range(0, RATE - 100, RATE // 4):
        click[n + 100] = 0.9
    assert cleaned(Recording(click, RATE, 0)).remarks == ("empty",)
    peaky = array("d", recording(0.2, sine(0.4, 300, 0.02), 0.2).samples)
    for n in range(RATE // 4, RATE // 2, 500):
        peaky[n] = 0.9
    assert "limited" in cleaned(Recording(peaky, RATE, 0)).remarks
