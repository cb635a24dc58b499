"""Questions and answers on a line: one question at a time, in the line's turn, and the answer that belongs
to it. Used by the drivers of screens on a line, and by others that speak to the same cards.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from typing import Final, Generic, TypeVar

from drivers.call_screen.paced_screen import NO_ANSWER, PutOffError
from drivers.errors import DriverError, LineLostError, NoAnswerError
from drivers.transport.serial import SerialConfig
from drivers.transport.table import TransportConfig, transport
from drivers.transport.tcp import TcpConfig

log = logging.getLogger(__name__)

A = TypeVar("A")

PING_ANSWER_S: Final = 0.8
"""A ping is answered at once."""
SHARED_PING_ANSWER_S: Final = 0.4
"""On a shared line; a dead device must not hold up the calls of the others."""
WRITE_S: Final = 1.0
"""A line that takes no bytes for so long, besides the time that they need, is lost."""


class Dialogue(Generic[A]):
    """The driver's side of one line. `answers` turns bytes into answers, `lost` hears once of a lost line,
    `seen` of every answer that was waited for. The time on a serial line is given on top of each answer's."""

    def __init__(
        self,
        config: TransportConfig,
        answers: Callable[[bytes], Iterable[A]],
        lost: Callable[[DriverError], None],
        seen: Callable[[], None],
    ) -> None:
        self.line = transport(config)
        self._byte_s = 10 / config.baud if isinstance(config, SerialConfig) else 0.0
        self._shared = isinstance(config, SerialConfig | TcpConfig) and config.shared
        self._answers = answers
        self._lost = lost
        self._seen = seen
        self._reader: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[A] | None = None
        self._mine: Callable[[A], bool] | None = None
        self._queueing: asyncio.Timeout | None = None

    def ping_s(self, answer_s: float) -> float:
        """How long the answer may take to a question that needs no work, where others may take `answer_s`."""
        return min(answer_s, SHARED_PING_ANSWER_S if self._shared else PING_ANSWER_S)

    @property
    def name(self) -> str:
        return self.line.name

    async def open(self) -> None:
        """Raises LineLostError when there is no such line."""
        await self.line.open()
        self._reader = asyncio.get_running_loop().create_task(self._read(), name=f"{self.name} reader")

    async def close(self) -> None:
        """At any time and more than once; whoever waits for an answer gets LineLostError."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
        await self.line.close()
        self._fail(LineLostError(f"{self.name}: closed"))
        if reader is not None:
            await asyncio.wait({reader})

    async def ask(
        self,
        wire: bytes,
        answer_s: float,
        mine: Callable[[A], bool] | None = None,
        *,
        urgent: bool = False,
        unlikely: bool = False,
    ) -> A:
        """Write `wire` and return the next answer for which `mine` holds (default: any).

        `urgent`, `unlikely`: see `Transport.turn`. Raises NoAnswerError after `answer_s` seconds and the time
        that `wire` takes on a serial line, LineLostError, PutOffError.
        """
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as held:
            await self._take_turn(held, urgent, unlikely)
            answer: asyncio.Future[A] = loop.create_future()
            self._answer, self._mine = answer, mine
            try:
                await self._write(wire)
                async with asyncio.timeout(answer_s + len(wire) * self._byte_s):
                    return await answer
            except TimeoutError as error:
                if isinstance(error, DriverError):
                    raise
                raise NoAnswerError(f"{self.name}: no answer", code=NO_ANSWER) from error
            finally:
                self._answer = None

    def give_way(self) -> None:
        """A question that still waits for its turn and is not urgent ends with PutOffError."""
        if self._queueing is not None and not self._queueing.expired():
            self._queueing.reschedule(asyncio.get_running_loop().time())

    async def tell(self, wire: bytes, *, urgent: bool = False) -> None:
        """Write what is not answered; returns when a serial line has sent it. Raises LineLostError."""
        async with self.line.turn(urgent=urgent):
            await self._write(wire)
            await self.line.drained()

    async def _take_turn(self, held: AsyncExitStack, urgent: bool, unlikely: bool) -> None:
        if urgent:
            await held.enter_async_context(self.line.turn(urgent=True))
            return
        try:
            async with asyncio.timeout(None) as self._queueing:
                await held.enter_async_context(self.line.turn(unlikely=unlikely))
        except TimeoutError as error:
            if isinstance(error, DriverError):
                raise
            raise PutOffError("put off") from error
        finally:
            self._queueing = None

    async def _write(self, wire: bytes) -> None:
        await self.line.write(wire, WRITE_S + len(wire) * self._byte_s)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s < %s", self.name, wire.hex(" "))

    async def _read(self) -> None:
        try:
            while True:
                data = await self.line.read()
                if log.isEnabledFor(logging.DEBUG):
                    log.debug("%s > %s", self.name, data.hex(" "))
                for answer in self._answers(data):
                    self._heard(answer)
        except DriverError as error:
            self._lost(error)
            self._fail(error)
        except Exception as error:
            # a bug in a driver's parser is a fault of its device, told like any other
            log.exception("%s", self.name)
            broken = DriverError(f"{self.name}: {error}")
            self._lost(broken)
            self._fail(broken)

    def _heard(self, answer: A) -> None:
        waiting = self._answer
        if waiting is None or waiting.done() or (self._mine is not None and not self._mine(answer)):
            return  # of another device on the line, or too late
        self._seen()
        waiting.set_result(answer)

    def _fail(self, error: DriverError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
