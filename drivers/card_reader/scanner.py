"""Driver for scanners of bar codes and QR codes (formats: `scanned_text`, `key_text`).

Binds to: serial (RS-232, or USB as a virtual COM port), tcp, hidraw where a report holds nothing but text and
zeros behind it; hid, where the scanner types like a keyboard and is grabbed so that its keys go nowhere else.
Implements: CardReader, with `code` events.

A code held before the scanner is told once: the same one again counts only after `repeat_ms` without it. To
know it again the driver keeps a hash under a key of its own, not the text. What could not be read (wrong
prefix, suffix or encoding, too long, cut off) is told as `lay_again`. Several of them in a row are no clumsy
citizen but a line or a scanner that is set up wrongly: degraded, until a code was read.

A scanner that answers a question is asked (`ask`, `answer`) when it is opened and every `ask_s`; without that
a scanner on RS-232 that lost its power looks like one that nobody uses. Light and trigger, where they can be
switched by command, are on between `watch(True)` and `watch(False)`; the commands are the maker's.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from typing import Annotated, ClassVar, Final

import msgspec

from drivers.card_reader.event_queue import EventQueue
from drivers.card_reader.key_text import KeyText
from drivers.card_reader.protocol import CardEvent, CardReader, Code, Secret
from drivers.card_reader.scanned_text import ScannedText, TextFormat, TextSplitter
from drivers.driver import Health
from drivers.errors import DriverError, FrameError, LineLostError, NoAnswerError
from drivers.transport.hid import HidConfig, HidTransport
from drivers.transport.table import TransportConfig, transport
from drivers.transport.transport import Transport

log = logging.getLogger(__name__)

ANSWER_LIMIT: Final = 256
"""Bytes looked through for the answer to `ask`."""
TRIES: Final = 3
"""How often a scanner is asked before its silence counts."""
UNREAD_LIMIT: Final = 3
"""So many codes in a row that could not be read are a fault of the line."""
WRITE_S: Final = 1.0
"""How long a command may take to go out."""
_NOT_OURS: Final = {"keypad.grabbed": "scanner.grabbed", "keypad.not_a_keypad": "scanner.not_a_scanner"}

Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{2} ?)*\Z", max_length=192)]
Milliseconds = Annotated[int, msgspec.Meta(ge=10, le=60_000)]


class ScannerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`transport`: as for any driver, or { type = "hid", path = … } for a scanner that types.

    `pause_ms`: silence after which a code without terminator is at its end, or given up where there should be
    one. `repeat_ms`: see the module. `layout`: keys that type something else than on a US keyboard, kernel's
    key code in decimal → one or two characters, plain and with Shift.
    `on_open`, `on_close`, `watch_on`, `watch_off`, `ask`, `answer`: bytes in hex, the maker's commands;
    `answer` is the whole answer to `ask`: what is left of it would be taken for a code. Not for scanners
    that type.
    """

    transport: TransportConfig | HidConfig
    format: TextFormat = TextFormat()
    pause_ms: Milliseconds = 300
    repeat_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 2000
    layout: Annotated[dict[str, str], msgspec.Meta(max_length=128)] = {}
    on_open: Hex = ""
    on_close: Hex = ""
    watch_on: Hex = ""
    watch_off: Hex = ""
    ask: Hex = ""
    answer: Hex = ""
    ask_s: Annotated[float, msgspec.Meta(ge=0.02, le=3600)] = 2.0
    answer_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 0.5

    def __post_init__(self) -> None:
        commands = (self.on_open, self.on_close, self.watch_on, self.watch_off, self.ask, self.answer)
        if bool(self.ask) != bool(self.answer):
            raise ValueError("ask and answer belong together")
        if isinstance(self.transport, HidConfig):
            if any(commands):
                raise ValueError("a scanner that types takes no commands")
        elif self.layout:
            raise ValueError("layout is for a scanner that types")
        for code, letters in self.layout.items():
            if not code.isdecimal() or not 0 < int(code) < 0x300 or len(letters) not in (1, 2):
                raise ValueError("layout: key code → one or two characters")


class Scanner(CardReader):
    """One scanner. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = ScannerConfig

    def __init__(self, config: ScannerConfig) -> None:
        super().__init__()
        self._config = config
        self._line: Transport
        self._reader: TextSplitter | KeyText
        if isinstance(config.transport, HidConfig):
            layout = {int(code): (keys[0], keys[-1]) for code, keys in config.layout.items()}
            self._line, self._reader = HidTransport(config.transport), KeyText(config.format, layout)
        else:
            self._line, self._reader = transport(config.transport), TextSplitter(config.format)
        self._answer = bytes.fromhex(config.answer)
        self._events = EventQueue()
        self._key = secrets.token_bytes(32)
        self._last = ""
        self._last_seen = 0.0
        self._watching = False
        self._open = False
        self._asked_at = 0.0
        self._asked = 0
        """Questions since the last byte came."""
        self._answer_due = False
        self._held = b""
        self._unread = 0
        """Codes in a row that could not be read."""

    async def open(self) -> None:
        await self.close()
        try:
            await self._line.open()
            self._open = True
            self._reader.reset()
            self._asked, self._answer_due, self._held, self._unread = 0, False, b"", 0
            await self._write(self._config.on_open)
            if self._config.ask:
                await self._first_answer()
            # a program that was killed may have left it on
            await self._write(self._config.watch_on if self._watching else self._config.watch_off)
        except DriverError as error:
            self._lost(error)
            raise
        self.report(Health("ok"))

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._asked_at = loop.time()
        try:
            while True:
                data = await self._line.read(self._wait(loop.time()))
                now = loop.time()
                if data:
                    self._asked, self._asked_at = 0, now
                    self.seen()
                    self._take(self._reader.feed(self._without_answer(data)), now)
                elif self._reader.waiting or self._held:
                    self._take(self._pause(), now)
                if self._config.ask and now >= self._asked_at + self._period():
                    await self._ask(now)
                self._events.forget_old()
        except DriverError as error:
            self._lost(error)
            raise

    async def close(self) -> None:
        if self._open:
            self._open = False
            try:
                if self._watching:
                    await self._write(self._config.watch_off)
                await self._write(self._config.on_close)
            except DriverError:
                pass  # it is gone, and with it its light
            finally:  # cancelled meanwhile: the line must not stay open
                await self._let_go()
        else:
            await self._let_go()

    async def _let_go(self) -> None:
        self._reader.reset()
        self._held = b""
        await self._line.close()

    async def next_event(self) -> CardEvent:
        return await self._events.get()

    async def watch(self, on: bool) -> None:
        self._watching = on
        if self._open:
            try:
                await self._write(self._config.watch_on if on else self._config.watch_off)
            except DriverError as error:
                log.debug("light and trigger not switched: %s", error.code)  # `serve` finds the line lost

    # ------------------------------------------------------------------ codes

    def _take(self, codes: list[ScannedText], now: float) -> None:
        for code in codes:
            if code.text is None:
                self._unread += 1
                if self._unread == UNREAD_LIMIT:
                    self.report(Health("degraded", FrameError.code))
                log.debug("a code could not be read")
                self._events.put(CardEvent("lay_again"))
                continue
            self._unread = 0
            self.report(Health("ok"))
            text = Secret(code.text, "code")
            known = text.keyed_hash(self._key)
            again = hmac.compare_digest(known, self._last) and now < self._last_seen + self._repeat()
            self._last, self._last_seen = known, now
            if not again:
                self._events.put(CardEvent("code", code=Code(text, code.symbology)))

    def _repeat(self) -> float:
        return self._config.repeat_ms / 1000

    def _wait(self, now: float) -> float | None:
        """How long to wait for bytes."""
        if self._reader.waiting or self._held:
            return self._config.pause_ms / 1000
        if not self._config.ask:
            return 1.0  # old events are forgotten in time
        return max(0.0, min(1.0, self._asked_at + self._period() - now))

    # ------------------------------------------------------------------ is it there?

    def _period(self) -> float:
        return self._config.answer_s if self._asked else self._config.ask_s

    async def _ask(self, now: float) -> None:
        if self._asked >= TRIES:
            raise NoAnswerError("the scanner does not answer")
        self._asked += 1
        self._asked_at = now
        self._answer_due = True
        await self._write(self._config.ask)

    async def _first_answer(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(TRIES):
            await self._write(self._config.ask)
            got = bytearray()
            deadline = loop.time() + self._config.answer_s
            while (left := deadline - loop.time()) > 0:
                got += await self._line.read(left)
                if self._answer in got:
                    self.seen()
                    return
                del got[:-ANSWER_LIMIT]
                await asyncio.sleep(0)
        raise NoAnswerError("the scanner does not answer")

    def _without_answer(self, data: bytes) -> bytes:
        """What came, without the answer to `ask`; its beginning is held back until the rest is there."""
        if not self._answer_due:
            return data
        held = self._held + data
        before, answer, behind = held.partition(self._answer)
        if answer:
            self._answer_due, self._held = False, b""
            return before + behind
        size = min(len(held), len(self._answer) - 1)
        while not self._answer.startswith(held[len(held) - size :]):
            size -= 1
        self._held = held[len(held) - size :]
        return held[: len(held) - size]

    def _pause(self) -> list[ScannedText]:
        held, self._held = self._held, b""
        return self._reader.feed(held) + self._reader.pause()

    async def _write(self, command: str) -> None:
        if command:
            async with self._line.turn():
                await self._line.write(bytes.fromhex(command), WRITE_S)

    def _lost(self, error: DriverError) -> None:
        self._last = ""
        error.code = _NOT_OURS.get(error.code, error.code)
        gone = isinstance(error, LineLostError | NoAnswerError)
        self.report(Health("missing" if gone else "fault", error.code))
