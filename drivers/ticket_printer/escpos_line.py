"""The conversation with an ESC/POS printer: questions matched with answers over one transport.

A task reads all the time. Real-time questions are asked one at a time, because their answers carry no
number; an answer that came too late is waited out before the next question.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from drivers.driver import Fact
from drivers.errors import DriverError, LineLostError, NoAnswerError, WriteStalledError
from drivers.ticket_printer.escpos_frames import (
    ASK_QUEUED,
    CLEAR_BUFFERS,
    AnswerReader,
    AutomaticStatus,
    Cleared,
    PrinterStatus,
    Query,
    QueuedAnswer,
    StatusAnswer,
    status_query,
)
from drivers.transport.transport import Transport

logger = logging.getLogger(__name__)

FRAME_GAP_S: Final = 0.5
"""The bytes of one answer do not come so far apart; at 9600 baud four take 4 ms."""
MARKS_LIMIT: Final = 16
"""Queued questions that may be waiting for their answer."""


class Status(Protocol):
    """What a printer says of itself; `PrinterStatus` says what each means."""

    @property
    def cover_open(self) -> bool: ...
    @property
    def paper_out(self) -> bool: ...
    @property
    def paper_low(self) -> bool: ...
    @property
    def fault(self) -> str | None: ...
    @property
    def hindrance(self) -> str | None: ...
    @property
    def facts(self) -> dict[str, Fact]: ...


class Reader(Protocol):
    """A parser of the printer's bytes, in pieces of any size."""

    def feed(self, data: bytes) -> Sequence[object]: ...
    def forget(self) -> None: ...


class EscposLine:
    """Use: `open`, talk, `close`. Every wait is bounded. Anything may raise LineLostError.

    A printer with other real-time questions overrides `reader`, `status`, `stopped` and `_take`.
    """

    def __init__(self, transport: Transport, *, answer_s: float, write_s: float, owed: int = 0) -> None:
        self._transport = transport
        self._answer_s = answer_s
        self._write_s = write_s
        self._reading: asyncio.Task[None] | None = None
        self._error: DriverError | None = None
        self._lost = asyncio.Event()
        self._asking = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._answer: asyncio.Future[Any] | None = None
        self._cleared: asyncio.Future[None] | None = None
        self._late = False
        self._marks: deque[asyncio.Future[None]] = deque(maxlen=MARKS_LIMIT)
        self.owed = owed
        """Queued questions that the printer has not answered yet; it may still do so."""
        self.on_answer: Callable[[], None] | None = None
        self.on_automatic: Callable[[PrinterStatus], None] | None = None

    async def open(self) -> None:
        await self._transport.open()
        self._reading = asyncio.create_task(self._read(), name=f"printer {self._transport.name}")

    async def close(self) -> None:
        self._fail(LineLostError(f"{self._transport.name}: closed"))
        reading, self._reading = self._reading, None
        try:
            if reading is not None:
                reading.cancel()
                await asyncio.wait([reading])  # awaited itself, its end would hide our own cancellation
        finally:
            await self._transport.close()

    @property
    def lost(self) -> DriverError | None:
        """Why the line is of no use any more."""
        return self._error

    async def wait_lost(self, timeout: float) -> None:
        """Sleep `timeout` seconds; raises as soon as the line is lost."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._lost.wait()
        self._check()

    # ---------------------------------------------------------------- questions

    async def write(self, data: bytes, *, drain: bool = True) -> None:
        """Whole commands. A stall ends the line: a command may be half sent.

        `drain`: returns when they have left; else when the kernel has them, where an answer will tell more.
        """
        async with self._writing:
            self._check()
            try:
                await self._transport.write(data, self._write_s)
                if drain:
                    await self._transport.drained(self._write_s)
            except DriverError as error:
                self._fail(error)
                raise

    async def ask(self, query: Query) -> int:
        """The answer to DLE EOT. Raises NoAnswerError."""
        return int(await self._ask_now(status_query(query)))

    async def _ask_now(self, question: bytes) -> Any:
        """What `_take` gives to `_answered` for a real-time question. Raises NoAnswerError."""
        async with self._asking:
            if self._late:
                await asyncio.sleep(self._answer_s)  # a late answer must not be taken for the next
                self._late = False
            self._check()
            self._answer = asyncio.get_running_loop().create_future()
            self._answer.add_done_callback(_retrieved)
            self._late = True
            try:
                await self.write(question, drain=False)
                async with asyncio.timeout(self._answer_s):
                    value = await self._answer
            except DriverError:
                raise
            except TimeoutError as error:
                raise NoAnswerError(f"{self._transport.name}: no answer to {question.hex(' ')}") from error
            finally:
                self._answer = None
            self._late = False
            return value

    async def status(self) -> Status:
        """All that the printer says of itself. Raises NoAnswerError."""
        return PrinterStatus.from_answers(
            await self.ask(Query.PRINTER),
            await self.ask(Query.OFFLINE),
            await self.ask(Query.ERROR),
            await self.ask(Query.PAPER),
        )

    async def stopped(self) -> bool:
        """Whether it does not print, by one quick question. Raises NoAnswerError."""
        return bool(await self.ask(Query.PRINTER) & 0x08)

    async def mark(self, data: bytes) -> asyncio.Future[None]:
        """Write `data` and ask behind it; the future is done when the printer has worked through it.

        Asks once more for every answer that the printer still owes, so that an old answer is not taken
        for the new one.
        """
        times = min(self.owed + 1, MARKS_LIMIT)
        for _ in range(times):
            mark = asyncio.get_running_loop().create_future()
            mark.add_done_callback(_retrieved)
            self._marks.append(mark)
        self.owed += times
        await self.write(data + ASK_QUEUED * times)
        return mark

    async def clear(self) -> bool:
        """Have the printer forget all that it has not printed; whether it said so.

        On True no answer to an older question can come any more.
        """
        self._cleared = asyncio.get_running_loop().create_future()
        self._cleared.add_done_callback(_retrieved)
        try:
            await self.write(CLEAR_BUFFERS)
            async with asyncio.timeout(self._answer_s):
                await self._cleared
        except DriverError:
            raise
        except TimeoutError:
            return False
        finally:
            self._cleared = None
        self.forget_marks()
        self.owed = 0
        return True

    async def settle(self, quiet_s: float) -> None:
        """After a mark was reached without `clear`: take in what answers are left."""
        await asyncio.sleep(quiet_s)
        self.forget_marks()
        self.owed = 0

    def forget_marks(self) -> None:
        """Nobody waits for the older queued questions any more."""
        for mark in self._marks:
            mark.cancel()
        self._marks.clear()

    # ---------------------------------------------------------------- answers

    def reader(self) -> Reader:
        """A parser of what this printer says."""
        return AnswerReader()

    async def _read(self) -> None:
        reader = self.reader()
        loop = asyncio.get_running_loop()
        try:
            while True:
                waited_from = loop.time()
                data = await self._transport.read()
                if loop.time() - waited_from > FRAME_GAP_S:
                    reader.forget()
                logger.debug("%s: %s", self._transport.name, data.hex(" "))
                for answer in reader.feed(data):
                    if self.on_answer is not None:
                        self.on_answer()
                    self._take(answer)
        except DriverError as error:
            self._fail(error)

    def _take(self, answer: object) -> None:
        match answer:
            case StatusAnswer(value):
                self._answered(value)
            case QueuedAnswer():
                self._reached()
            case Cleared():
                if self._cleared is not None and not self._cleared.done():
                    self._cleared.set_result(None)
            case AutomaticStatus(status):
                if self.on_automatic is not None:
                    self.on_automatic(status)

    def _answered(self, value: object) -> None:
        """To the real-time question."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(value)

    def _reached(self) -> None:
        """The printer worked through its queue up to the oldest mark."""
        self.owed = max(0, self.owed - 1)
        if self._marks:
            mark = self._marks.popleft()
            if not mark.done():
                mark.set_result(None)

    def _fail(self, error: DriverError) -> None:
        if self._error is None:
            self._error = error
        self._lost.set()
        for future in (self._answer, self._cleared, *self._marks):
            if future is not None and not future.done():
                future.set_exception(_again(self._error))
        self._marks.clear()

    def _check(self) -> None:
        if self._error is not None:
            raise _again(self._error) from self._error


def _again(error: DriverError) -> DriverError:
    """The same for another task: an exception is raised in one place only."""
    if isinstance(error, WriteStalledError):
        return WriteStalledError(error.written, error.total)
    return type(error)(str(error), code=error.code)


def _retrieved(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()  # nobody may be waiting for it
