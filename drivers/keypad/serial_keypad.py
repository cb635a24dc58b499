"""Driver of keypads on a serial line, RS-485 or a TCP serial server, for calls and for ratings.

Binds to: serial, tcp. Implements: Keypad. The protocol is a format (`frames`), one of
`drivers/keypad/formats/*.toml` or the station's own.

A keypad that sends by itself cannot be asked whether it is there: its health is that of its line, *degraded*
after unreadable bytes until a good frame comes or nothing for QUIET_S. A polled one is missing when it
stops answering.
"""

from __future__ import annotations

import asyncio
import logging
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Final

import msgspec

from drivers.driver import Health
from drivers.errors import DriverError, FrameError, LineLostError, NoAnswerError
from drivers.keypad.debounce import Debounce
from drivers.keypad.frames import KeyDecoder, KeypadFormat, Layout, output
from drivers.keypad.presses import Presses
from drivers.keypad.protocol import Keypad, KeyPress
from drivers.transport.table import TransportConfig, transport

log = logging.getLogger(__name__)

OUTPUT_TIMEOUT_S: Final = 1.0
QUIET_S: Final = 5.0
"""A noisy line that says nothing for so long counts as mended."""


@cache
def load_format(name: str) -> KeypadFormat:
    """A shipped format by its name ("call-keypad", "rating-keypad") or any by its path (ends in .toml).

    Raises ValueError for one that does not exist or is wrong.
    """
    file = Path(name) if name.endswith(".toml") else Path(__file__).parent / "formats" / f"{name}.toml"
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), KeypadFormat)
    except OSError as error:
        raise ValueError(f"no keypad format {name!r}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"keypad format {name!r}: {error}") from error


class SerialKeypadConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`format`: a shipped name or a path; `inline` takes its place. `address` None takes keys of any.

    `lost_after_s`: a polled keypad that is silent for so long is missing.
    """

    transport: TransportConfig
    format: str = "call-keypad"
    inline: KeypadFormat | None = None
    address: Annotated[int, msgspec.Meta(ge=0, le=255)] | None = 1
    debounce_ms: Annotated[int, msgspec.Meta(ge=0, le=5000)] = 250
    lost_after_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 2.0

    def __post_init__(self) -> None:
        if self.inline is None:
            load_format(self.format)

    @property
    def keypad_format(self) -> KeypadFormat:
        return self.inline or load_format(self.format)


class SerialKeypad(Keypad):
    """One keypad of a line. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = SerialKeypadConfig

    def __init__(self, config: SerialKeypadConfig) -> None:
        super().__init__()
        self._config = config
        self._format = config.keypad_format
        self._line = transport(config.transport)
        self._decoder = KeyDecoder(Layout.of(self._format), config.address)
        self._debounce = Debounce(config.debounce_ms / 1000)
        self._presses = Presses()
        self._writing = asyncio.Lock()
        self._lights: frozenset[str] | None = None
        self._prompted = False
        self._is_open = False
        self._bad = 0

    async def open(self) -> None:
        await self.close()
        try:
            await self._line.open()
            self._decoder.clear()
            self._bad = self._decoder.bad
            self._is_open = True
            if self._format.poll:
                await self._first_answer()
            if self._lights is not None:
                await self._write(self._format.light, self._lights)
            if self._prompted:
                await self._write(self._format.prompt)
        except DriverError as error:
            await self.close()
            self.report(Health("missing", error.code))
            raise
        self.report(Health("ok"))

    async def serve(self) -> None:
        try:
            if self._format.poll:
                await self._poll()
            else:
                while True:
                    await self._listen()
        except DriverError as error:
            self._is_open = False
            self.report(Health("missing", error.code))
            raise

    async def _listen(self) -> None:
        """Take what comes; a line that was noisy and is quiet again for QUIET_S is well."""
        noisy = self.health.state == "degraded"
        data = await self._line.read(QUIET_S if noisy else None)
        if data:
            self._take(data)
        else:
            self.report(Health("ok"))

    async def close(self) -> None:
        self._is_open = False
        await self._line.close()

    async def next_key(self) -> KeyPress:
        return await self._presses.get()

    async def light(self, *keys: str) -> None:
        self._lights = frozenset(keys)
        await self._tell(self._format.light, self._lights)

    async def prompt(self, shown: bool) -> None:
        self._prompted = shown
        await self._tell(self._format.prompt if shown else self._format.prompt_end)

    async def thank(self) -> None:
        self._prompted = False
        await self._tell(self._format.thank or self._format.prompt_end)

    # ------------------------------------------------------------ inside

    def _take(self, data: bytes) -> bool:
        """Bytes that came; whether there was a frame of this keypad in them."""
        received = self._decoder.feed(data, asyncio.get_running_loop().time())
        for frame in received:
            if frame.key is not None and self._debounce.is_press(frame.key, frame.at):
                self._presses.put(KeyPress(frame.key, frame.at))
        if received:
            self.seen()
            if self._bad != self._decoder.bad or self.health.state == "degraded":
                self.report(Health("ok"))
        elif self._bad != self._decoder.bad:
            log.debug("%s: %d unreadable so far", self._line.name, self._decoder.bad)
            self.report(Health("degraded", FrameError.code))
        self._bad = self._decoder.bad
        return bool(received)

    async def _tell(self, template: str, lights: frozenset[str] = frozenset()) -> None:
        """Write an output now; one that a lost line swallowed is written again when it is back."""
        if not self._is_open:
            return
        try:
            await self._write(template, lights)
        except DriverError as error:
            log.debug("%s: %s", self._line.name, error)
            await self.close()  # the reading side of `serve` fails now, and the supervisor opens again

    async def _write(self, template: str, lights: frozenset[str] = frozenset()) -> None:
        if not template:
            return
        async with self._writing:
            await self._line.write(
                output(self._format, template, self._config.address or 0, lights), OUTPUT_TIMEOUT_S
            )

    async def _ask(self) -> bool:
        """One poll; whether the keypad answered."""
        loop = asyncio.get_running_loop()
        async with self._writing:  # nothing else may speak before the answer on a half-duplex line
            await self._line.write(
                output(self._format, self._format.poll, self._config.address or 0), OUTPUT_TIMEOUT_S
            )
            until = loop.time() + self._format.poll_timeout_ms / 1000
            while (left := until - loop.time()) > 0:
                if (data := await self._line.read(left)) and self._take(data):
                    return True
        return False

    async def _first_answer(self) -> None:
        until = asyncio.get_running_loop().time() + self._config.lost_after_s
        while not await self._ask():
            if asyncio.get_running_loop().time() > until:
                raise NoAnswerError(f"{self._line.name}: keypad does not answer", code="keypad.no_answer")

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        answered = loop.time()
        while True:
            begun = loop.time()
            if await self._ask():
                answered = loop.time()
            elif loop.time() - answered > self._config.lost_after_s:
                raise NoAnswerError(f"{self._line.name}: keypad does not answer", code="keypad.no_answer")
            await asyncio.sleep(max(0.0, begun + self._format.poll_interval_ms / 1000 - loop.time()))
            if not self._is_open:
                raise LineLostError(f"{self._line.name}: closed")
