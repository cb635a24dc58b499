"""A loudspeaker on a real sound card (intel-hda), whose samples QEMU records."""

from __future__ import annotations

import array
import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import Bench, check, stopwatch

HEADER = 44
OUTPUT = {"type": "alsa", "device": "plughw:CARD=Intel"}
LOUD = 1000
"""A sample this far from silence is speech."""


def heard_s(path: Path, after: int) -> float:
    """Seconds of speech in a recording (16 bits, stereo, 48 kHz) behind byte `after`, in windows of 20 ms."""
    data = path.read_bytes()[after:]
    samples = array.array("h", data[: len(data) // 4 * 4])[::2]
    windows = range(0, len(samples) - 960, 960)
    return 0.02 * sum(max(map(abs, samples[at : at + 960])) > LOUD for at in windows)


def call(deadline_s: float = 60) -> dict[str, object]:
    return {
        "id": "call-1",
        "number": "A017",
        "counter": {"zh-CN": "3号窗口"},
        "deadline": (datetime.now(UTC) + timedelta(seconds=deadline_s)).isoformat(),
        "repeat": 1,
    }


@check("a call is spoken through aplay and the kernel: the recording holds as much speech as was announced")
async def spoken_call(bench: Bench) -> None:
    await bench.inside("amixer -q -c 0 sset Master 100% unmute")
    recording = bench.machine.sound
    before = recording.stat().st_size
    async with bench.driver("voice", "speaker", output=OUTPUT) as voice:
        await voice.until("ok")
        took = stopwatch()
        said = await voice.call("say", call())
        seconds = took()
    assert said["outcome"] == "done", said
    await asyncio.sleep(1)  # what the card has in its buffer
    heard = heard_s(recording, max(before, HEADER))
    bench.note(f"said in {seconds:.1f} s, {heard:.1f} s of sound recorded")
    assert 1.0 < heard < 12.0, heard


@check("the sound card is taken away in silence: missing in time; given back, the next call is spoken")
async def sound_card_removed(bench: Bench) -> None:
    (card,) = (await bench.inside("grep -l 0x040300 /sys/bus/pci/devices/*/class")).split()
    address = card.split("/")[-2]
    async with bench.driver("voice", "speaker", output=OUTPUT) as voice:
        await voice.until("ok")
        gone = asyncio.create_task(voice.until("missing", "voice.no_sound_card"))
        await bench.inside(f"echo {address} >/sys/bus/pci/drivers/snd_hda_intel/unbind")
        try:
            await bench.in_time("missing after", gone)
        finally:
            await bench.inside(f"echo {address} >/sys/bus/pci/drivers/snd_hda_intel/bind")
        await bench.in_time("back after", voice.until("ok"), 15)
        assert (await voice.call("say", call()))["outcome"] == "done"
