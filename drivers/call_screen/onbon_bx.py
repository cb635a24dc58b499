"""Driver of Onbon BX LED cards: one dynamic area that shows a line of text.

Binds to: a serial line (RS-232/485, 9600 or 57600 8N1) or TCP (port 5005). Implements: CallScreen.
Frames and sources: `onbon_bx_frames`.

- A card takes at most one refresh per second and area. The first change after a quiet second is written in
  the caller's own path; faster changes wait, the latest wins, those in between are *superseded*.
- One exchange at a time. The answers carry no number, so each request uses another source address
  (0x8001–0xDFFF), which cards send back: an answer that came too late can not be taken for that of a newer
  text. A card that does not send it back is found out at `open`, and asked with 0x8000 from then on.
- What becomes of long texts, of `flash` and of rare characters: `onbon_bx_content`.
- A text that was refused or not answered stays wanted: it is tried again every 5 s, and after a reopening.
- On a font card, characters outside GB2312 become □ and a text beyond the card's buffer is cut; the result
  is then `done` with the code `screen.text_changed`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Final

import msgspec

from drivers.call_screen import glyphs
from drivers.call_screen.onbon_bx_config import OnbonBxConfig
from drivers.call_screen.onbon_bx_content import showing
from drivers.call_screen.onbon_bx_frames import (
    SOURCE,
    CardError,
    Command,
    FrameSplitter,
    KFrame,
    MatrixFrame,
    Reply,
    k_brightness,
    k_request,
    matrix_brightness,
    matrix_request,
)
from drivers.call_screen.protocol import CallScreen, ScreenText, ShowResult
from drivers.driver import Health
from drivers.errors import DriverError, FrameError, LineLostError, NoAnswerError
from drivers.transport.serial import SerialConfig
from drivers.transport.table import transport

log = logging.getLogger(__name__)

PING_S: Final = 5.0
"""After so much silence the card is asked whether it is there."""
RETRY_S: Final = 5.0
"""A text that the card refused is tried again so often: it may have been noise, or its font is there now."""
_LAST_SOURCE: Final = 0xDFFF

_REFUSALS: Final[dict[int, str]] = {
    CardError.BUSY: "screen.refused_busy",
    CardError.MEMORY: "screen.refused_memory",
    CardError.CHECKSUM: "screen.refused_checksum",
    CardError.NO_FONT: "screen.refused_font",
    CardError.FIRMWARE_TYPE: "screen.refused_model",
    CardError.CONTROLLER_TYPE: "screen.refused_model",
}

_SUPERSEDED: Final = ShowResult("superseded")


class OnbonBx(CallScreen):
    """One card, one area. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = OnbonBxConfig

    def __init__(self, config: OnbonBxConfig) -> None:
        super().__init__()
        self._config = config
        self._line = transport(config.transport)
        self._font_card = config.family == "k"
        self._splitter: FrameSplitter[KFrame] | FrameSplitter[MatrixFrame] = (
            FrameSplitter(KFrame.from_bytes) if self._font_card else FrameSplitter(MatrixFrame.from_bytes)
        )
        self._reader: asyncio.Task[None] | None = None
        self._is_open = False
        self._exchange = asyncio.Lock()
        self._reply: asyncio.Future[Reply] | None = None
        self._source = SOURCE
        self._asked_from = SOURCE
        self._echoes = True
        self._last_exchange = 0.0
        self._next_refresh = 0.0
        self._retry_at = 0.0
        self._wanted: ScreenText | None = None
        self._version = 0
        self._dirty = False
        self._waiting: asyncio.Future[ShowResult] | None = None
        self._wake = asyncio.Event()
        self._failure: DriverError | None = None

    # ------------------------------------------------------------ Driver

    async def open(self) -> None:
        await self.close()
        try:
            await self._line.open()
            self._splitter.clear()
            self._failure = None
            self._echoes = True
            self._reader = asyncio.get_running_loop().create_task(self._read(), name="onbon reader")
            if not self._font_card:
                await self._load_font()
            async with self._exchange:
                await self._ask(Command.PING)
                if (level := self._config.brightness) is not None:
                    await self._set_brightness(level)
        except DriverError as error:
            await self.close()
            self.report(Health("missing", error.code))
            raise
        self._is_open = True
        self._dirty = self._wanted is not None
        self.report(Health("ok"))

    async def serve(self) -> None:
        if self._reader is None:
            raise LineLostError(f"{self._line.name}: not open")
        keeper = asyncio.get_running_loop().create_task(self._keep(), name="onbon keeper")
        try:
            done, _ = await asyncio.wait({self._reader, keeper}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            keeper.cancel()

    async def close(self) -> None:
        self._is_open = False
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
        await self._line.close()
        self._fail_reply(LineLostError(f"{self._line.name}: closed"))
        self._answer_waiting(ShowResult("failed", LineLostError.code))
        if reader is not None:
            await asyncio.wait({reader})
            if not reader.cancelled():
                reader.exception()  # `serve` has told it, or nobody asked

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
        return await waiting

    # ------------------------------------------------------------ inside

    async def _keep(self) -> None:
        """Send what had to wait, and ping when it is quiet."""
        loop = asyncio.get_running_loop()
        while True:
            if self._failure is not None:
                raise self._failure
            due = self._last_exchange + PING_S
            if self._dirty:
                due = max(self._next_refresh, self._retry_at)
            if (left := due - loop.time()) > 0:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._wake.wait()
                continue
            async with self._exchange:
                if self._dirty and self._wanted is not None:
                    if loop.time() < max(self._next_refresh, self._retry_at):
                        continue
                    await self._deliver_for(self._take_waiting())
                elif loop.time() >= self._last_exchange + PING_S:
                    await self._ping()

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
        command, payload, changed = showing(content, self._config)
        code = NoAnswerError.code
        for _ in range(1 + self._config.retries):
            if version != self._version:
                return _SUPERSEDED
            self._next_refresh = loop.time() + self._config.min_interval_s
            try:
                reply = await self._once(command, payload)
            except NoAnswerError as error:
                code = error.code
                await self._pause()
                continue
            except DriverError as error:
                self._fail(error)
                return ShowResult("failed", error.code)
            if not reply.error:
                if version == self._version:
                    self._dirty = False
                self.report(Health("ok"))
                return ShowResult("done", "screen.text_changed" if changed else None)
            code = _REFUSALS.get(reply.error, "screen.refused")
            if reply.error == CardError.BUSY:
                await self._pause()
            elif reply.error != CardError.CHECKSUM:
                break
        if code == "screen.no_answer":
            self._fail(NoAnswerError(f"{self._line.name}: the card does not answer", code=code))
        else:
            if version == self._version:
                self._retry_at = loop.time() + RETRY_S
            self.report(Health("fault", code))
        return ShowResult("failed", code)

    async def _pause(self) -> None:
        """Until the card may be refreshed again."""
        await asyncio.sleep(max(0.0, self._next_refresh - asyncio.get_running_loop().time()))

    async def _ask(self, command: Command, payload: bytes = b"", *, length: int = 0) -> Reply:
        """A command with retries; a refusal is an answer. Raises NoAnswerError, LineLostError."""
        for attempt in range(1 + self._config.retries):
            if attempt:
                self._echoes = False  # perhaps a card that wants the usual source address
            try:
                return await self._once(command, payload, length=length)
            except NoAnswerError:
                continue
        raise NoAnswerError(f"{self._line.name}: the card does not answer", code="screen.no_answer")

    async def _once(self, command: Command, payload: bytes, *, length: int = 0) -> Reply:
        config = self._config
        if self._echoes:
            self._source = self._source + 1 if self._source < _LAST_SOURCE else SOURCE + 1
            self._asked_from = self._source
        else:
            self._asked_from = SOURCE
        if self._font_card:
            device = 0xFE if config.device_type is None else config.device_type
            wire = KFrame(k_request(command, payload), config.address, self._asked_from, device).to_bytes()
        else:
            device = 0xFFFE if config.device_type is None else config.device_type
            data = matrix_request(command, payload, length=length)
            wire = MatrixFrame(data, config.address, self._asked_from, device).to_bytes()
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Reply] = loop.create_future()
        self._reply = reply
        await self._line.write(wire)
        self._last_exchange = loop.time()
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s < %s", self._line.name, wire.hex(" "))
        wire_time = (
            len(wire) * 10 / config.transport.baud if isinstance(config.transport, SerialConfig) else 0
        )
        try:
            async with asyncio.timeout(config.reply_timeout_s + wire_time):
                return await reply
        except TimeoutError as error:
            raise NoAnswerError(f"{self._line.name}: no answer", code="screen.no_answer") from error
        finally:
            self._reply = None
            self._last_exchange = loop.time()

    async def _read(self) -> None:
        try:
            while True:
                data = await self._line.read()
                if log.isEnabledFor(logging.DEBUG):
                    log.debug("%s > %s", self._line.name, data.hex(" "))
                for frame in self._splitter.feed(data):
                    self._answered(frame)
        except DriverError as error:
            self._fail(error)
            self._fail_reply(error)
            raise

    def _answered(self, frame: KFrame | MatrixFrame) -> None:
        try:
            reply = Reply.from_k(frame.data) if self._font_card else Reply.from_matrix(frame.data)
        except FrameError:
            return
        self.seen()
        if self._reply is None or self._reply.done():
            return
        if frame.dst != self._asked_from:
            if not self._echoes or frame.dst != SOURCE:
                return  # the answer to an older request
            self._echoes = False
        self._reply.set_result(reply)

    async def _ping(self) -> None:
        try:
            await self._ask(Command.PING)
        except DriverError as error:
            self._fail(error)
            raise

    async def _set_brightness(self, level: int) -> None:
        if self._font_card:
            await self._ask(Command.BRIGHTNESS, k_brightness(level))
        else:
            await self._ask(Command.MATRIX_BRIGHTNESS, matrix_brightness(level), length=0x31)

    async def _load_font(self) -> None:
        with ThreadPoolExecutor(1) as executor:
            await asyncio.get_running_loop().run_in_executor(
                executor, self._blocking_load_font, self._config.font_px
            )

    @staticmethod
    def _blocking_load_font(size: int) -> None:
        """Load Pillow and the font, and draw what most calls need, before the first call."""
        glyphs.line("0123456789ABCDEFGH请到号窗口办理 ", size)

    def _fail(self, error: DriverError) -> None:
        """End `serve` with this error; say at once that the screen is not there."""
        self._is_open = False
        self._failure = error
        self.report(Health("missing", error.code))
        self._wake.set()

    def _fail_reply(self, error: DriverError) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)

    def _take_waiting(self) -> asyncio.Future[ShowResult] | None:
        waiting, self._waiting = self._waiting, None
        return waiting

    def _answer_waiting(self, result: ShowResult) -> None:
        waiting = self._take_waiting()
        if waiting is not None and not waiting.done():
            waiting.set_result(result)
