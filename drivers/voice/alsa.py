"""A sound card of ALSA, by `aplay`: known to be there or not, and not believed when it is too quick.

Whether the card is there is read from /proc/asound (Documentation/sound/designs/procfile.rst of the kernel):
`cards` holds a line ` 1 [Device         ]: USB-Audio - USB Audio Device` for each, `cardN/pcmMp` exists for
each device that plays. `device` is an ALSA name: "default", "plughw:CARD=Device,DEV=0", "hw:1,0"; with a card
in it that card has to be there, else any.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path
from typing import Annotated, Final

import msgspec

from drivers.voice.playing import PATIENCE_S, PLAYED_SHARE, Output, OutputLostError, feed, killed
from drivers.voice.wav import Clip, wav_from_clip

PROC: Final = Path("/proc/asound")
CARDS: Final = 32
"""As many as a kernel has."""
SAID: Final = 500
"""Bytes of what a player says that are looked at."""
BUFFER_S: Final = 0.6
"""A card may end so much before the time of the last sample: aplay holds half a second."""


class AlsaOutput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="alsa"):
    """A sound card, jack, HDMI or USB. `device`: see the module."""

    device: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "default"


class Alsa(Output):
    """One `aplay` for each announcement. `proc` is there for tests."""

    def __init__(self, config: AlsaOutput, proc: Path | None = None) -> None:
        self._device = config.device
        self._proc = proc or PROC

    async def check(self) -> None:
        if shutil.which("aplay") is None:
            raise OutputLostError("aplay is not installed (alsa-utils)", code="voice.no_sound_card")
        wanted = card_of(self._device)
        cards = playing_cards(self._proc)
        if not cards or (wanted is not None and not any(wanted in names for names in cards)):
            there = ", ".join(name for names in cards for name in names) or "none"
            raise OutputLostError(f"no card {wanted or ''}; there are: {there}", code="voice.no_sound_card")

    async def prepare(self) -> None:
        await self.check()

    async def play(self, sound: Clip, text: str) -> None:
        begun = asyncio.get_running_loop().time()
        await play_by_program(("aplay", "-q", "-D", self._device, "-"), sound, text)
        took = asyncio.get_running_loop().time() - begun
        if took < PLAYED_SHARE * sound.seconds - BUFFER_S:
            raise OutputLostError(f"{self._device} took {sound.seconds:.1f} s of sound in {took:.1f} s")

    async def close(self) -> None:
        return  # `play` ends its player itself


def card_of(device: str) -> str | None:
    """The card in an ALSA name, by id or number; None when it names none."""
    if found := re.search(r"\bCARD=([A-Za-z0-9_-]+)", device):
        return found.group(1)
    found = re.match(
        r"(?:plug)?(?:hw|dmix|front|surround\w+|iec958|hdmi|sysdefault|default):([A-Za-z0-9_-]+)", device
    )
    return found.group(1) if found else None


def playing_cards(proc: Path) -> list[tuple[str, str]]:
    """Number and id of each card that has something to play with."""
    try:
        listed = (proc / "cards").read_text("utf-8", "replace")
    except OSError:
        return []
    cards = re.findall(r"^ *([0-9]{1,2}) \[([^\]\n]{1,32})\]", listed, re.MULTILINE)[:CARDS]
    return [(number, name.strip()) for number, name in cards if any((proc / f"card{number}").glob("pcm*p"))]


async def play_by_program(argv: tuple[str, ...], sound: Clip, text: str) -> None:
    """Give a player a WAV on standard input and see it end well and in time. Raises OutputLostError."""
    said = os.memfd_create("said")  # no pipe: what the player leaves running could hold that open
    try:
        status = await _played(argv, wav_from_clip(sound, text), sound.seconds * 1.05 + PATIENCE_S, said)
        words = os.pread(said, SAID, 0).decode("utf-8", "replace").strip()
    finally:
        os.close(said)
    if status:
        code = "voice.output_busy" if "busy" in words.lower() else None
        raise OutputLostError(f"{argv[0]} ended with {status}: {words}", code=code)


async def _played(argv: tuple[str, ...], wav: bytes, within_s: float, said: int) -> int:
    """The status of a player that ended by itself. Raises OutputLostError."""
    try:
        player = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise OutputLostError(f"{argv[0]}: {error}") from error
    assert player.stdin is not None
    try:
        async with asyncio.timeout(within_s):
            try:
                await feed(player.stdin, wav)
            except ConnectionError:
                pass  # it ended early: its status says why
            player.stdin.close()
            return await player.wait()
    except TimeoutError as error:
        raise OutputLostError(f"{argv[0]} does not come to an end") from error
    finally:
        player.stdin.close()
        await killed(player)
