"""Driver of keypads on a serial line, RS-485 or a TCP serial server, for calls and for ratings.

Binds to: serial, tcp. Implements: Keypad. The protocol is a format (`frames`, `outputs`), one of
`drivers/keypad/formats/*.toml` or the station's own. Keypads with several addresses on one line are several
devices with `shared = true` in their transport; each asks in its turn.

A keypad that sends by itself cannot be asked whether it is there: its health is that of its line, *degraded*
after unreadable bytes until a good frame comes or nothing for QUIET_S. A polled one is missing when it
stops answering; while it does, it is asked less and less often, so that it takes no time from its neighbours.
Two that answer to one address are *degraded*.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from functools import cache
from math import inf
from pathlib import Path
from typing import Annotated, ClassVar, Final

import msgspec

from drivers.errors import DriverError, FrameError, LineLostError, NoAnswerError
from drivers.format_file import read_format
from drivers.keypad.frames import KeyDecoder, KeypadFormat, Layout, Received
from drivers.keypad.gestures import GestureConfig
from drivers.keypad.outputs import output
from drivers.keypad.told_keypad import ToldKeypad
from drivers.transport.serial import SerialConfig
from drivers.transport.table import TransportConfig, transport
from drivers.transport.tcp import TcpConfig

log = logging.getLogger(__name__)

OUTPUT_TIMEOUT_S: Final = 1.0
QUIET_S: Final = 3.0
"""A noisy line that says nothing for so long counts as mended."""
MISSING_WAIT_S: Final = 1.5
"""A keypad that does not answer is asked at least this often."""
READS: Final = 16
"""How often the line is read before a question; one that never stops is not waited for."""
MISSES: Final = 2
"""After so many questions without an answer it may have started anew: all is said again."""
OLD_S: Final = 2.0
"""What a keypad kept while it was not asked for longer than this may be of long ago: no press. It ends with
the first "no key", or after as long."""
DOUBLES: Final = 3
"""So many double answers, and there are two keypads with one address."""


@cache
def load_format(name: str) -> KeypadFormat:
    """A shipped format by its name ("call-keypad", "rating-keypad") or any by its path (ends in .toml).

    Raises ValueError for one that does not exist or is wrong.
    """
    return read_format(KeypadFormat, name, "keypad format", Path(__file__).parent / "formats")


class SerialKeypadConfig(GestureConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`format`: a shipped name or a path; `inline` takes its place. `address` None takes keys of any.

    `lost_after_s`: a polled keypad that is silent for so long is missing. Long presses and the lock need a
    format with `releases`.
    """

    transport: TransportConfig
    format: str = "call-keypad"
    inline: KeypadFormat | None = None
    address: Annotated[int, msgspec.Meta(ge=0, le=255)] | None = 1
    lost_after_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 2.0

    def __post_init__(self) -> None:
        format = self.keypad_format
        if problems := self.problems(format.key_names, releases=bool(format.releases)):
            raise ValueError("; ".join(problems))

    @property
    def keypad_format(self) -> KeypadFormat:
        return self.inline or load_format(self.format)


class SerialKeypad(ToldKeypad):
    """One keypad of a line. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = SerialKeypadConfig

    def __init__(self, config: SerialKeypadConfig) -> None:
        self._format = config.keypad_format
        super().__init__(config, self._format, config.address or 0)
        self._config = config
        self._line = transport(config.transport)
        self._layout = Layout.of(self._format)
        self._decoder = KeyDecoder(self._layout, config.address)
        self._poll_frame = output(self._format, self._format.poll, self._address)
        self._writing = asyncio.Lock()
        self._mark = self._layout.mark(config.address)
        self._doubles = 0
        self._garbled = False
        """What came instead of an answer was unreadable."""
        self.polls = 0
        """Questions asked."""
        self._owed = 0
        """Questions whose answer may still come late."""
        self._silent = False
        """It did not answer when it was asked last."""
        self._byte_s = _byte_s(config.transport)
        self._answered = -inf
        self._old_until = -inf
        """Until then keys are those that the keypad kept."""

    async def open(self) -> None:
        await self.close()
        try:
            await self._line.open()
            self._decoder.clear()
            self._doubles = 0
            self._garbled = False
            self._owed = 0
            self._keys_open()
            self._is_open = True
            if self._format.poll:
                now = asyncio.get_running_loop().time()
                self._old_until = now + OLD_S if now - self._answered > OLD_S else -inf
                await self._first_answer()
            await self._tell_again()
        except DriverError as error:
            await self.close()
            self._line_is("missing", error.code)
            raise
        self._line_is("ok")

    async def serve(self) -> None:
        try:
            if self._format.poll:
                await self._poll()
            else:
                while True:
                    await self._listen()
        except DriverError as error:
            self._is_open = False
            self._line_is("missing", error.code)
            raise

    async def close(self) -> None:
        await self._stop_telling()
        await self._line.close()
        self._keys_lost()

    # ------------------------------------------------------------ inside

    async def _listen(self) -> None:
        """Take what comes; a line that was noisy and is quiet again for QUIET_S is well."""
        noisy = self._line_health.state == "degraded"
        data = await self._line.read(QUIET_S if noisy else None)
        if data:
            self._take_bytes(data)
        else:
            self._line_is("ok")

    def _decode(self, data: bytes) -> int:
        """Take the keys out of bytes that came; how many frames of this keypad there were."""
        received = self._decoder.feed(data, asyncio.get_running_loop().time())
        for frame in received:
            self._take_frame(frame)
        if received:
            self._answered = asyncio.get_running_loop().time()
            self.seen()
        return len(received)

    def _take_bytes(self, data: bytes) -> int:
        """The same, of bytes that this keypad may have sent: they tell how the line is."""
        bad = self._decoder.bad
        frames = self._decode(data)
        if frames:
            if self._line_health.state == "degraded" and self._doubles < DOUBLES:
                self._line_is("ok")
        elif bad != self._decoder.bad:
            self._line_is("degraded", FrameError.code)
        return frames

    def _take_frame(self, frame: Received) -> None:
        if frame.key is None:
            self._old_until = -inf
            return
        if frame.down and frame.at < self._old_until:
            self._was_down(frame.key, frame.at, releases=bool(self._format.releases))
            return
        if not frame.down:
            self._up(frame.key, frame.at)
            return
        if self._format.releases:
            self._down(frame.key, frame.at)
        else:
            self._tap(frame.key, frame.at)

    async def _write_frame(self, frame: bytes) -> None:
        # nothing else may speak before the answer on a half-duplex line, nor be asked before this has left:
        # the time to answer would run out in the queue of the port
        async with self._writing, self._line.turn():
            await self._line.write(frame, OUTPUT_TIMEOUT_S)
            await self._line.drained(OUTPUT_TIMEOUT_S)
            await asyncio.sleep(len(frame) * self._byte_s)

    async def _ask(self, turn_by: float | None = None) -> bool:
        """One poll; whether the keypad answered. `turn_by`: it is not asked when its turn comes later."""
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout_at(turn_by):
                    await held.enter_async_context(self._writing)
                    await held.enter_async_context(self._line.turn(unlikely=self._silent))
            except TimeoutError:
                return False
            late = await self._unasked()
            await self._line.write(self._poll_frame, OUTPUT_TIMEOUT_S)
            self.polls += 1
            until = loop.time() + self._format.poll_timeout_ms / 1000
            echo = self._poll_frame  # some adapters hear themselves
            heard = False
            while (left := until - loop.time()) > 0:
                data = await self._line.read(left)
                if echo and data:
                    data, echo = data.removeprefix(echo), b""
                heard = heard or bool(data)
                if data and (answers := self._take_bytes(data)):
                    self._count_doubles(answers + max(0, late - self._owed))
                    self._owed = max(0, self._owed - late)
                    self._garbled = self._silent = False
                    return True
        self._owed = min(DOUBLES, self._owed + 1)
        self._garbled = heard
        return late > 0

    async def _unasked(self) -> int:
        """Take what came since the last question: on a shared line all that the neighbours said, and maybe an
        answer of this keypad that was late. How many frames of this one there were."""
        late = 0
        for _ in range(READS):
            if not (data := await self._line.read(0)):
                break
            if self._mark in data:  # neighbours talk all the time: decode only what may be of this keypad
                late += self._decode(data)
        self._decoder.clear()
        return late

    def _count_doubles(self, answers: int) -> None:
        """One question has one answer."""
        if answers > 1:
            self._doubles = min(DOUBLES, self._doubles + 1)
            if self._doubles == DOUBLES:
                self._line_is("degraded", "keypad.same_address")
        elif self._doubles:
            self._doubles -= 1
            if not self._doubles:
                self._line_is("ok")

    async def _first_answer(self) -> None:
        """Asked twice, in case that something was on the line, but once when it was silent before: that takes
        time from its neighbours, and the supervisor comes again."""
        if not (await self._ask() or (not self._silent and await self._ask())):
            raise self._no_answer()

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        interval = self._format.poll_interval_ms / 1000
        wait = interval
        misses = 0
        while True:
            begun = loop.time()
            # on a line of silent ones a turn may come late: who did not answer once does not wait for it
            lost_at = self._answered + self._config.lost_after_s
            if await self._ask(lost_at if misses else None):
                if misses >= MISSES:
                    await self._tell_again()
                wait, misses = interval, 0
            else:
                misses += 1
                if loop.time() >= lost_at:
                    raise self._no_answer()
                wait = min(2 * wait, max(interval, MISSING_WAIT_S))
            await asyncio.sleep(max(0.0, begun + wait - loop.time()))
            if not self._is_open:
                raise LineLostError(f"{self._line.name}: closed")

    def _no_answer(self) -> NoAnswerError:
        self._silent = True
        if self._garbled:
            return NoAnswerError(f"{self._line.name}: no readable answer", code=FrameError.code)
        return NoAnswerError(f"{self._line.name}: keypad does not answer", code="keypad.no_answer")


def _byte_s(config: TransportConfig) -> float:
    """How long a byte is on a line that others wait for. What is behind a serial server is not known; most
    have 9600 baud."""
    match config:
        case SerialConfig(shared=True):
            return (1 + config.bits + (config.parity != "N") + config.stop_bits) / config.baud
        case TcpConfig(shared=True):
            return 10 / 9600
    return 0.0
