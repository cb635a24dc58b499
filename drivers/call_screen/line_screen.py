"""A call screen on a line: one question at a time, and the answer that belongs to it.

A new LED model is a child of `LineScreen` with three functions: `_answers` (bytes → answers), `_put` (show a
text) and `_ping` (is it there?). Refresh limit, newest wins, retries, loss and return, health and brightness
are `paced_screen`'s; the text is laid out by `text_layout`. See docs/adding-a-driver.md.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from drivers.call_screen.brightness import Brightness
from drivers.call_screen.paced_screen import NO_ANSWER, Pace, PacedScreen
from drivers.errors import DriverError, LineLostError, NoAnswerError
from drivers.transport.transport import Transport

log = logging.getLogger(__name__)

A = TypeVar("A")


class LineScreen(PacedScreen, Generic[A]):
    """A `PacedScreen` on a `Transport`; `A` is what an answer of the model is, a frozen dataclass.

    Children implement `_answers`, `_put` and `_ping`, the last two with `_ask`; `_prepare` and `_dim` where
    there is something to do. `answer_s`: how long an answer may take.
    """

    def __init__(
        self, line: Transport, pace: Pace, brightness: Brightness | None = None, *, answer_s: float = 2.0
    ) -> None:
        super().__init__(pace, brightness)
        self._line = line
        self._answer_s = answer_s
        self._reader: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[A] | None = None
        self._mine: Callable[[A], bool] | None = None

    @abstractmethod
    def _answers(self, data: bytes) -> Iterable[A]:
        """The answers that end in these bytes; they come in pieces of any size, with noise between, and on a
        shared line those of other screens are among them. Keeps a bounded number of bytes."""

    async def _prepare(self) -> None:
        """Before the first question after an `open`: forget half answers, load fonts."""

    async def _ask(
        self, wire: bytes, mine: Callable[[A], bool] | None = None, *, answer_s: float | None = None
    ) -> A:
        """Write `wire` and return the next answer for which `mine` holds (default: any).

        Raises NoAnswerError after `answer_s` seconds (default: of the screen), LineLostError.
        """
        loop = asyncio.get_running_loop()
        async with self._line.turn():
            answer: asyncio.Future[A] = loop.create_future()
            self._answer, self._mine = answer, mine
            try:
                await self._line.write(wire)
                if log.isEnabledFor(logging.DEBUG):
                    log.debug("%s < %s", self._line.name, wire.hex(" "))
                async with asyncio.timeout(self._answer_s if answer_s is None else answer_s):
                    return await answer
            except TimeoutError as error:
                if isinstance(error, DriverError):
                    raise
                raise NoAnswerError(f"{self._line.name}: no answer", code=NO_ANSWER) from error
            finally:
                self._answer = None

    async def _tell(self, wire: bytes) -> None:
        """Write what the screen does not answer."""
        async with self._line.turn():
            await self._line.write(wire)

    # ------------------------------------------------------------ inside

    async def _connect(self) -> None:
        await self._line.open()
        await self._prepare()
        self._reader = asyncio.get_running_loop().create_task(self._read(), name=f"{self._line.name} reader")

    async def _disconnect(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
        await self._line.close()
        self._fail_answer(LineLostError(f"{self._line.name}: closed"))
        if reader is not None:
            await asyncio.wait({reader})

    async def _read(self) -> None:
        try:
            while True:
                data = await self._line.read()
                if log.isEnabledFor(logging.DEBUG):
                    log.debug("%s > %s", self._line.name, data.hex(" "))
                for answer in self._answers(data):
                    self._heard(answer)
        except DriverError as error:
            self._lost(error)
            self._fail_answer(error)
        except Exception as error:
            # a bug in `_answers` is a fault of this screen, told like any other
            log.exception("%s", self._line.name)
            broken = DriverError(f"{self._line.name}: {error}")
            self._lost(broken)
            self._fail_answer(broken)

    def _heard(self, answer: A) -> None:
        waiting = self._answer
        if waiting is None or waiting.done() or (self._mine is not None and not self._mine(answer)):
            return  # of another screen on the line, or too late
        self.seen()
        waiting.set_result(answer)

    def _fail_answer(self, error: DriverError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
