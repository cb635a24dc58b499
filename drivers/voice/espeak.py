"""Speech from espeak-ng, each time in a process with a time limit, so that its faults stay its own.

The program `espeak-ng` where it is installed, else the library of the wheel `espeakng-loader` in a
process of ours (`espeak_library`). Both speak the same voices; see `reading` for what they say.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from drivers.errors import DriverError
from drivers.voice.playing import killed
from drivers.voice.wav import Clip, WavError, clip_from_wav

log = logging.getLogger(__name__)

Engine = Literal["auto", "program", "library"]

TIME_LIMIT_S: Final = 10.0
"""For one process; a Pi Zero needs under 2 s for the longest batch."""
TEXT_LIMIT: Final = 200
"""Characters of one text; the rest is not said."""
BATCH: Final = 24
"""Texts given to one process of the library."""


class SynthesiserError(DriverError):
    """There is no synthesiser, or it failed."""

    code = "voice.synthesiser_missing"


class Espeak:
    """The synthesiser. `engine`: "auto" takes the program before the library."""

    def __init__(self, engine: Engine = "auto", speed: int = 160) -> None:
        self._engine = engine
        self._speed = speed

    def found(self) -> Literal["program", "library"] | None:
        """Which of the two is used; None: neither is installed."""
        if self._engine != "library" and shutil.which("espeak-ng"):
            return "program"
        if self._engine != "program" and importlib.util.find_spec("espeakng_loader"):
            return "library"
        return None

    async def clips(self, texts: Sequence[str], voice: str, *, trim: bool = True) -> list[Clip]:
        """One clip per text, silence trimmed; an empty one for a text without a letter or digit.

        Raises SynthesiserError, also when a text with letters gives no sound: nothing is left unsaid.
        """
        clean = [" ".join(text.split())[:TEXT_LIMIT] for text in texts]
        wanted = [text for text in clean if any(map(str.isalnum, text))]
        made = iter(await self._made(wanted, voice, trim))
        return [next(made) if any(map(str.isalnum, text)) else Clip(b"") for text in clean]

    async def _made(self, clean: Sequence[str], voice: str, trim: bool) -> list[Clip]:
        match self.found():
            case "program":
                argv = ["espeak-ng", "-v", voice, "-s", str(self._speed), "--stdin", "--stdout"]
                sounds = [await _run(argv, text) for text in clean]
            case "library":
                # -I: the folder of this file has a queue.py and must not be on the path
                library = str(Path(__file__).with_name("espeak_library.py"))
                argv = [sys.executable, "-I", library, voice, str(self._speed)]
                sounds = []
                for at in range(0, len(clean), BATCH):
                    sounds += _parted(await _run(argv, "\n".join(clean[at : at + BATCH])))
            case None:
                raise SynthesiserError("neither espeak-ng nor espeakng-loader is installed")
        if len(sounds) != len(clean):
            raise SynthesiserError(f"{len(sounds)} sounds for {len(clean)} texts")
        clips = []
        for sound in sounds:
            try:
                whole = clip_from_wav(sound)
            except WavError as error:
                raise SynthesiserError("the synthesiser wrote no WAV") from error
            clip = whole.trimmed()
            if not clip.pcm:
                raise SynthesiserError("the synthesiser made no sound")
            clips.append(clip if trim else whole)
            await asyncio.sleep(0)  # some ms of work each: let the others in
        return clips


async def _run(argv: Sequence[str], text: str) -> bytes:
    """Standard output of a process that ended well and in time."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise SynthesiserError(f"{argv[0]} cannot be started") from error
    try:
        async with asyncio.timeout(TIME_LIMIT_S):
            sound, _ = await process.communicate(text.encode())
    except TimeoutError as error:
        raise SynthesiserError(f"{argv[0]} took over {TIME_LIMIT_S} s") from error
    finally:
        await killed(process)
    if process.returncode:
        raise SynthesiserError(f"{argv[0]} ended with {process.returncode}")
    return sound


def _parted(sound: bytes) -> list[bytes]:
    """WAV files that stand one behind the other."""
    files = []
    while len(sound) >= 8:
        size = 8 + int.from_bytes(sound[4:8], "little")
        files.append(sound[:size])
        sound = sound[size:]
    return files
