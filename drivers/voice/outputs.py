"""Where an announcement goes: a sound card, a player's standard input, WAV files, a network loudspeaker.

Network loudspeaker: one TCP connection per announcement. We send one WAV (its INAM chunk holds the words)
and close our side; the loudspeaker plays and closes its side when the last sample is out. Before that it
may answer `PLAYED <samples>` and a newline, which proves it. Without that line the close counts as played
only when it did not come before `PLAYED_SHARE` of the sound's time: a loudspeaker that crashed has closed
too. A connection without a byte asks whether the loudspeaker is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import msgspec

from drivers.errors import DriverError
from drivers.voice.alsa import Alsa, AlsaOutput, play_by_program
from drivers.voice.playing import PATIENCE_S, PLAYED_SHARE, Output, OutputLostError, feed
from drivers.voice.wav import Clip, wav_from_clip

ANSWER_LIMIT: Final = 256
"""Bytes of a loudspeaker's answer that are looked at."""


class CommandOutput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="command"):
    """A player that takes a WAV on standard input and ends when it was heard, with 0."""

    argv: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("aplay", "-q", "-")


class WavOutput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="wav"):
    """One file per announcement, the newest `keep`. `pace`: times real time; 0 does not wait."""

    directory: str
    keep: Annotated[int, msgspec.Meta(ge=1, le=10000)] = 50
    pace: Annotated[float, msgspec.Meta(ge=0)] = 1.0


class TcpOutput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tcp"):
    """A network loudspeaker."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    connect_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 2.0


OutputConfig: TypeAlias = AlsaOutput | CommandOutput | WavOutput | TcpOutput
"""In TOML: output = { type = "alsa", device = "plughw:CARD=Device" }."""


def output(config: OutputConfig) -> Output:
    """The output of a configuration."""
    match config:
        case AlsaOutput():
            return Alsa(config)
        case CommandOutput():
            return _Command(config)
        case WavOutput():
            return _Wav(config)
        case TcpOutput():
            return _Tcp(config)


class _Command(Output):
    def __init__(self, config: CommandOutput) -> None:
        self._argv = config.argv

    async def check(self) -> None:
        if shutil.which(self._argv[0]) is None:
            raise OutputLostError(f"{self._argv[0]} is not installed")

    async def prepare(self) -> None:
        await self.check()

    async def play(self, sound: Clip, text: str) -> None:
        await play_by_program(self._argv, sound, text)

    async def close(self) -> None:
        return  # `play` ends its player itself


class _Wav(Output):
    def __init__(self, config: WavOutput) -> None:
        self._config = config
        self._directory = Path(config.directory)

    async def check(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputLostError(f"{self._directory}: {error}") from error

    async def prepare(self) -> None:
        await self.check()

    async def play(self, sound: Clip, text: str) -> None:
        try:
            await asyncio.to_thread(self._blocking_write, wav_from_clip(sound, text))
        except OSError as error:
            raise OutputLostError(f"{self._directory}: {error}") from error
        if self._config.pace:
            await asyncio.sleep(sound.seconds / self._config.pace)

    async def close(self) -> None:
        return  # nothing stays open

    def _blocking_write(self, wav: bytes) -> None:
        name = f"{datetime.now():%Y%m%d-%H%M%S-%f}.wav"
        part = self._directory / f".{name}"
        try:
            part.write_bytes(wav)
            part.rename(self._directory / name)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        for old in sorted(self._directory.glob("*.wav"))[: -self._config.keep]:
            old.unlink(missing_ok=True)


class _Tcp(Output):
    breaks_off = False  # it has the whole sound already, and may not notice that we hang up

    def __init__(self, config: TcpOutput) -> None:
        self._config = config
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def check(self) -> None:
        await self.prepare()
        await self.close()

    async def prepare(self) -> None:
        await self.close()
        where = f"{self._config.host}:{self._config.port}"
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                self._line = await asyncio.open_connection(self._config.host, self._config.port)
        except TimeoutError as error:
            raise OutputLostError(f"{where}: no connection in time") from error
        except (OSError, UnicodeError) as error:  # the latter of a name that cannot be one
            raise OutputLostError(f"{where}: {error}") from error
        _miss_it_soon(self._line[1].get_extra_info("socket"))

    async def play(self, sound: Clip, text: str) -> None:
        if self._line is None:
            raise OutputLostError("not connected")
        reader, writer = self._line
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(sound.seconds * 1.05 + PATIENCE_S):
                await feed(writer, wav_from_clip(sound, text))
                writer.write_eof()
                answer = await _until_closed(reader)
        except TimeoutError as error:
            raise OutputLostError("the loudspeaker does not come to an end") from error
        except OSError as error:
            raise OutputLostError(f"the loudspeaker broke off: {error}") from error
        finally:
            await self.close()
        samples = len(sound.pcm) // 2
        if said := re.match(rb"PLAYED ([0-9]{1,12})\r?\n", answer):
            if int(said.group(1)) < samples:
                raise OutputLostError(f"the loudspeaker played {int(said.group(1))} of {samples} samples")
        elif loop.time() - begun < PLAYED_SHARE * sound.seconds:
            raise OutputLostError("the loudspeaker closed before the end")

    async def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            if line[1].transport.get_write_buffer_size():
                line[1].transport.abort()  # it takes no bytes: a close would wait until it does
            line[1].close()
            with contextlib.suppress(OSError, DriverError):
                await line[1].wait_closed()


def _miss_it_soon(connection: socket.socket) -> None:
    """A loudspeaker without power or cable says nothing: have the kernel notice it within 4 s."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    # keep-alive is silent while bytes wait for their acknowledgement
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 4000)


async def _until_closed(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while data := await reader.read(4096):
        answer = (answer + data)[:ANSWER_LIMIT]
    return answer
