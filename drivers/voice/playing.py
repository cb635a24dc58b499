"""What every way out of sound promises, and feeding one without waiting for ever."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from abc import ABC, abstractmethod
from typing import ClassVar, Final

from drivers.errors import LineLostError
from drivers.voice.wav import Clip

PLAYED_SHARE: Final = 0.9
"""What ends before this share of its time was not played, unless the loudspeaker proves that it was."""
PATIENCE_S: Final = 3.0
"""How much longer than its sound an announcement may take, for buffers and slow starts; and how long one may
take no bytes while it has some to take."""
KILL_S: Final = 1.0
"""For a program to be gone once it was killed; one that waits inside the kernel for a lost card is left."""
PIECE: Final = 16384
"""Bytes given at once: 0.37 s of sound."""


class OutputLostError(LineLostError):
    """The loudspeaker is not there, or stopped before the last sample."""

    code = "voice.output_lost"


class Output(ABC):
    """One way out. `prepare`, then `play`; one announcement at a time.

    `breaks_off`: a `play` that is cancelled is silent at once.
    """

    breaks_off: ClassVar[bool] = True

    @abstractmethod
    async def check(self) -> None:
        """Whether it is there. Raises OutputLostError."""

    @abstractmethod
    async def prepare(self) -> None:
        """All that can fail before the first sample. Raises OutputLostError."""

    @abstractmethod
    async def play(self, sound: Clip, text: str) -> None:
        """Returns when the last sample was played. Raises OutputLostError."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of what `prepare` took; safe at any time."""


async def feed(writer: asyncio.StreamWriter, wav: bytes) -> None:
    """Write it all. Raises OutputLostError when nothing is taken for `PATIENCE_S`, OSError."""
    for at in range(0, len(wav), PIECE):
        writer.write(wav[at : at + PIECE])
        try:
            async with asyncio.timeout(PATIENCE_S):
                await writer.drain()
        except TimeoutError as error:
            raise OutputLostError("the sound is not taken any more") from error


async def killed(program: asyncio.subprocess.Process) -> None:
    """End a program that leads a session of its own, with all that it has started; nothing when it has ended.

    Returns after `KILL_S` at the latest.
    """
    if program.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(KILL_S):
            await program.wait()
