"""The life of a screen: what should be shown, when it may be sent, what becomes of it. Knows no bytes.

- The first change after a quiet `min_interval_s` goes out in the caller's own path; faster changes wait, the
  latest wins, those in between are *superseded*.
- No answer: tried `retries` times more, then `serve` ends; from the second silence on it is told as missing.
  A refusal that says "later" or "spoiled" is tried as often; another refusal is a fault, and tried again
  every RETRY_S.
- When it is quiet the screen is pinged every PING_S. A ping that finds the screen dark (it lost its power and
  came back) calls `_forgotten`, and what should stand there is sent again. A screen that cannot be asked what
  it shows is sent it again every RENEW_S.
- Brightness follows the schedule: at open and at each step.
- What was not shown, or was lost with the line, stays wanted and is shown after the next `open`.

A screen on a line is a child of `line_screen.LineScreen`; one that this machine draws, of `PacedScreen`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

import msgspec

from drivers.call_screen.brightness import Brightness, level_at
from drivers.call_screen.protocol import CallScreen, ScreenText, ShowResult
from drivers.driver import Fact, Health
from drivers.errors import DriverError, LineLostError, NoAnswerError, RefusedError

log = logging.getLogger(__name__)

NO_ANSWER: Final = "screen.no_answer"
NOT_WATCHED: Final = "screen.not_watched"
"""With `done`: the screen says nothing, so that nobody knows whether it shows."""
_SUPERSEDED: Final = ShowResult("superseded")


class PutOffError(DriverError):
    """The question was not asked: something more urgent came while it waited for its turn."""


class RefusalError(RefusedError):
    """The screen will not show it. `again`: worth another try soon (busy, or spoiled on the way)."""

    def __init__(self, code: str, reply: int, *, again: bool = False) -> None:
        super().__init__(f"{code}: the screen answered {reply}", reply)
        self.code = code
        self.again = again


class Pace(msgspec.Struct, frozen=True):
    """`min_interval_s`: between two refreshes. `retries`: after the first try of a question."""

    min_interval_s: float = 1.0
    retries: int = 2


class PacedScreen(CallScreen):
    """See the module. Children implement `_connect`, `_disconnect`, `_put`, `_ping`, and may dim."""

    PING_S: ClassVar[float] = 2.0
    """After so much silence the screen is asked whether it is there. Lost is known within 5 s, if two
    questions take less than 2.9 s."""
    RENEW_S: ClassVar[float] = 60.0
    RETRY_S: ClassVar[float] = 3.0
    """A text that was refused is tried again so often: the reason may be gone."""

    def __init__(self, pace: Pace, brightness: Brightness | None = None) -> None:
        super().__init__()
        self._pace = pace
        self._brightness = brightness
        self._level: int | None = None
        self._is_open = False
        self._exchange = asyncio.Lock()
        self._last_exchange = 0.0
        self._next_refresh = 0.0
        self._retry_at = 0.0
        self._wanted: ScreenText | None = None
        self._version = 0
        self._dirty = False
        self._waiting: asyncio.Future[ShowResult] | None = None
        self._wake = asyncio.Event()
        self._failure: DriverError | None = None
        self._renew_at: float | None = None
        self._urgent = False
        self._unlikely = False

    # ------------------------------------------------------------ what a child fills in

    @abstractmethod
    async def _connect(self) -> None:
        """Open the way to the screen and make sure that it is there. Raises DriverError."""

    @abstractmethod
    async def _disconnect(self) -> None:
        """Let go; safe at any time and more than once."""

    @abstractmethod
    async def _put(self, content: ScreenText) -> str | None:
        """Have the screen show `content`, one try; returns when it has said so.

        Returns None, or the code of a warning (`screen.text_changed`). Raises RefusalError, NoAnswerError;
        any other DriverError means that the line is lost.
        """

    @abstractmethod
    async def _ping(self) -> None:
        """Ask whether it is there, one try. Raises as `_put`. May call `_forgotten`."""

    async def _dim(self, level: int) -> None:
        """Set the brightness (0–15), one try. A screen that cannot is built without a `brightness`."""

    def _give_way(self) -> None:
        """A text is waiting: a ping that has not been sent yet may be put off."""

    def _fault(self) -> str | None:
        """The code of a fault that the last ping found although the screen answers, or None."""
        return None

    def _must_renew(self) -> bool:
        """Whether a text that stands must be sent again every RENEW_S: no ping finds that it is gone."""
        return False

    def _facts(self) -> dict[str, Fact]:
        """What the health says besides."""
        return {} if self._level is None else {"brightness": self._level}

    # ------------------------------------------------------------ Driver

    async def open(self) -> None:
        await self.close()
        self._failure = None
        self._level = None
        self._renew_at = None
        # it was not there a moment ago: two questions are enough, and others on its line go first
        self._unlikely = self.health.state == "missing"
        try:
            await self._connect()
            async with self._exchange:
                await self._try(self._ping)
                self._unlikely = False
                await self._dim_if_due()
        except DriverError as error:
            await self.close()
            self.report(Health("missing", error.code))
            raise
        except BaseException:
            await self.close()
            raise
        if self._failure is not None:  # lost since the last answer
            await self.close()
            self.report(Health("missing", self._failure.code))
            raise self._failure
        self._is_open = True
        self._dirty = self._wanted is not None
        self._retry_at = 0.0
        self._well()

    async def serve(self) -> None:
        """Send what had to wait, ping when it is quiet, dim by the clock."""
        if not self._is_open and self._failure is None:
            raise LineLostError("not open")
        loop = asyncio.get_running_loop()
        while True:
            if self._failure is not None:
                raise self._failure
            due = self._last_exchange + self.PING_S
            if self._dirty:
                # a text that was refused does not hold up the pings, one that only waits for its time does
                due = min(due, self._retry_at) if self._retry_at > loop.time() else self._next_refresh
            if (left := due - loop.time()) > 0:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._wake.wait()
                continue
            async with self._exchange:
                if self._dirty and self._retry_at <= loop.time():
                    if loop.time() < self._next_refresh:
                        continue
                    await self._deliver_for(self._take_waiting())
                if loop.time() >= self._last_exchange + self.PING_S or self._level != self._due_level():
                    await self._look_after()

    async def close(self) -> None:
        self._is_open = False
        await self._disconnect()
        self._answer_waiting(ShowResult("failed", LineLostError.code))

    # ------------------------------------------------------------ CallScreen

    async def show(self, content: ScreenText) -> ShowResult:
        self._answer_waiting(_SUPERSEDED)
        self._wanted = content
        self._version += 1
        self._dirty = True
        self._retry_at = 0.0
        if not self._is_open:
            return ShowResult("failed", self.health.code or LineLostError.code)
        loop = asyncio.get_running_loop()
        if loop.time() >= self._next_refresh and not self._exchange.locked():
            # no task between the caller and the line: this is where a call becomes light
            try:
                async with self._exchange:
                    return await self._deliver(self._version, content)
            finally:
                if self._dirty:
                    self._wake.set()  # the caller was cancelled: the text is still wanted
        waiting: asyncio.Future[ShowResult] = loop.create_future()
        self._waiting = waiting
        self._wake.set()
        if loop.time() >= self._next_refresh:
            self._give_way()
        return await waiting

    # ------------------------------------------------------------ for children

    @property
    def _stands(self) -> bool:
        """Whether the screen has acknowledged what is wanted now."""
        return self._wanted is not None and not self._dirty

    def _forgotten(self) -> None:
        """The screen does not show any more what it was given: send it again."""
        self._dirty = self._wanted is not None
        self._level = None

    def _lost(self, error: DriverError) -> None:
        """End `open` or `serve` with this error; say at once that the screen is not there."""
        if self._failure is None:
            self._failure = error
        if self._is_open:
            self._is_open = False
            self.report(Health("missing", error.code, self._facts()))
            self._wake.set()

    # ------------------------------------------------------------ inside

    async def _deliver_for(self, waiting: asyncio.Future[ShowResult] | None) -> None:
        """Send what is wanted and tell the one who waits for it, also when this task is cancelled."""
        assert self._wanted is not None
        result = ShowResult("failed", LineLostError.code)
        try:
            result = await self._deliver(self._version, self._wanted)
        finally:
            if waiting is not None and not waiting.done():
                waiting.set_result(result)

    async def _deliver(self, version: int, content: ScreenText) -> ShowResult:
        """Send until acknowledged or refused; the exchange must be held. A lost line ends `serve`, too."""
        loop = asyncio.get_running_loop()
        problem: DriverError = NoAnswerError("the screen does not answer", code=NO_ANSWER)
        for attempt in range(1 + self._pace.retries):
            if attempt:
                await self._pause()
            if version != self._version:
                return _SUPERSEDED
            self._next_refresh = loop.time() + self._pace.min_interval_s
            try:
                self._urgent = True
                code = await self._put(content)
            except NoAnswerError as error:
                problem = error
                if attempt:
                    self._tell_silent(error)
            except RefusalError as error:
                problem = error
                if not error.again:
                    break
            except DriverError as error:
                self._lost(error)
                return ShowResult("failed", error.code)
            else:
                if version == self._version:
                    self._dirty = False
                self._renew_at = loop.time() + self.RENEW_S
                self._well()
                return ShowResult("done", code)
            finally:
                self._urgent = False
                self._last_exchange = loop.time()
        if isinstance(problem, RefusalError):
            if version == self._version:
                self._retry_at = loop.time() + self.RETRY_S
            self.report(Health("fault", problem.code, self._facts()))
        else:
            self._lost(problem)
        return ShowResult("failed", problem.code)

    async def _pause(self) -> None:
        """Until the screen may be refreshed again."""
        await asyncio.sleep(max(0.0, self._next_refresh - asyncio.get_running_loop().time()))

    async def _look_after(self) -> None:
        """Ping and dim. Raises what ends `serve`."""
        try:
            await self._try(self._ping)
            await self._dim_if_due()
        except DriverError as error:
            self._lost(error)
            raise
        if not self._dirty or self._fault() is not None or self.health.state == "missing":
            self._well()
        renew_at = self._renew_at
        if renew_at is not None and asyncio.get_running_loop().time() >= renew_at and self._must_renew():
            self._renew_at = None
            self._forgotten()

    def _tell_silent(self, error: NoAnswerError) -> None:
        """It did not answer twice: people read it while it is asked once more."""
        self.report(Health("missing", error.code, self._facts()))

    def _well(self) -> None:
        code = self._fault()
        self.report(Health("ok" if code is None else "fault", code, self._facts()))

    def _due_level(self) -> int | None:
        if isinstance(self._brightness, int | None):
            return self._brightness
        return level_at(self._brightness, self.local_time().time())

    async def _dim_if_due(self) -> None:
        level = self._due_level()
        if level is not None and level != self._level and await self._try(lambda: self._dim(level)):
            self._level = level

    async def _try(self, question: Callable[[], Awaitable[None]]) -> bool:
        """A question with retries; a refusal is an answer, too. False: it was put off."""
        retries = min(1, self._pace.retries) if self._unlikely else self._pace.retries
        for attempt in range(1 + retries):
            try:
                self._urgent = attempt > 0
                await question()
                return True
            except RefusalError as error:
                log.debug("refused: %s", error)
                return True
            except PutOffError:
                return False
            except NoAnswerError as error:
                if attempt:
                    self._tell_silent(error)
                if attempt == retries:
                    raise
            finally:
                self._urgent = False
                self._last_exchange = asyncio.get_running_loop().time()
        return False

    def _take_waiting(self) -> asyncio.Future[ShowResult] | None:
        waiting, self._waiting = self._waiting, None
        return waiting

    def _answer_waiting(self, result: ShowResult) -> None:
        waiting = self._take_waiting()
        if waiting is not None and not waiting.done():
            waiting.set_result(result)
