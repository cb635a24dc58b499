"""Driver for readers of IC and NFC cards through PC/SC (frames: `pcsc_frames`), by pyscard.

Binds to: the daemon pcscd, which has the reader's own driver. Implements: CardReader, with `chip` events: the
UID, which tells one card from another and nothing else. A card that lies there is told once.

pcscd counts the cards that came and went, so one that is exchanged between two looks is noticed. A chip
without a UID of its own (phones, passports, contact cards) is told with `uid` None.

Wants the Debian packages pcscd and python3-pyscard. Source: PC/SC specification part 5; pcsc-lite API.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ClassVar, Final, Literal, TypeVar

import msgspec

from drivers.card_reader.event_queue import EventQueue
from drivers.card_reader.pcsc_frames import DONE, Atr, Response, get_uid, uid_of
from drivers.card_reader.protocol import CardEvent, CardReader, Chip, Secret
from drivers.driver import Health
from drivers.errors import DriverError, FrameError, LineLostError

log = logging.getLogger(__name__)

T = TypeVar("T")

SLICE_MS: Final = 300
"""How long one look at the reader waits for a change; the longest that closing takes."""
ANSWER_S: Final = 4.0
"""How long pcscd may take for anything; one that hangs keeps its caller for ever."""
CLOSE_S: Final = 1.0
"""How long closing waits for a call that hangs."""
TRIES: Final = 3
"""How often a card is asked for its UID."""
_STEPS: Final = 4
"""Answers of one exchange: 6C and 61 each lead to another command."""


class PcscReaderConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`reader`: part of the reader's name as `pcsc_scan` shows it; "" is the first one."""

    reader: str = ""


class PcscReader(CardReader):
    """One reader. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = PcscReaderConfig

    def __init__(self, config: PcscReaderConfig) -> None:
        super().__init__()
        self._config = config
        self._events = EventQueue()
        self._worker: ThreadPoolExecutor | None = None
        self._closing: Future[None] | None = None
        """The end of the worker before: while a call of it hangs there is no other."""
        self._scard: Any = None
        self._context: Any = None
        self._name = ""
        self._state = 0
        self._atr = b""
        self._laid: Literal["nothing", "read", "failed"] = "nothing"
        """What became of the card that lies there; one that could not be read is tried again in silence."""

    async def open(self) -> None:
        await self.close()
        try:
            if self._closing is not None and not self._closing.done():
                raise LineLostError("pcscd still does not answer", code="card.pcscd_stopped")
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="pcsc")
            await self._run(self._blocking_open)
        except DriverError as error:
            self._lost(error)
            raise
        self.report(Health("ok", None, {"reader": self._name}))

    async def serve(self) -> None:
        try:
            while True:
                state, atr = await self._run(self._blocking_change)
                self.seen()
                self._events.forget_old()
                if state != self._state:
                    before, self._state = self._state, state
                    self._changed(before, state, atr)
                if state & self._scard.SCARD_STATE_PRESENT and self._laid != "read":
                    await self._read()
        except DriverError as error:
            self._lost(error)
            raise

    async def close(self) -> None:
        self._gone()  # what lies there when the reader is back is told again
        self._state = 0
        worker, self._worker = self._worker, None
        if worker is not None:
            self._closing = worker.submit(self._blocking_close)
            worker.shutdown(wait=False)
            await asyncio.wait({asyncio.wrap_future(self._closing)}, timeout=CLOSE_S)

    async def next_event(self) -> CardEvent:
        return await self._events.get()

    # ------------------------------------------------------------------ cards

    def _changed(self, before: int, state: int, atr: bytes) -> None:
        self._atr = atr
        if before >> 16 != state >> 16 or not state & self._scard.SCARD_STATE_PRESENT:
            self._gone()

    async def _read(self) -> None:
        mute = self._state & self._scard.SCARD_STATE_MUTE
        chip = None if mute else await self._run(self._blocking_read, self._atr)
        if chip is not None:
            self._laid = "read"
            self._events.put(CardEvent("chip", chip=chip))
        elif self._laid == "nothing":
            self._laid = "failed"
            self._events.put(CardEvent("lay_again"))

    def _gone(self) -> None:
        if self._laid == "read":
            self._events.put(CardEvent("removed"))
        self._laid = "nothing"

    # ------------------------------------------------------------------ in the worker

    def _blocking_open(self) -> None:
        try:
            import smartcard.scard as scard
        except ImportError as error:
            raise DriverError("pyscard is not installed", code="card.pcsc_missing") from error
        self._scard = scard
        result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        self._check(result)
        # never that of a failure: pyscard 2.2 takes none that is 0, some functions end the process over it
        self._context = context
        result, names = scard.SCardListReaders(self._context, [])
        if result != scard.SCARD_E_NO_READERS_AVAILABLE:
            self._check(result)
        wanted = [name for name in names or () if self._config.reader in name]
        if not wanted:
            raise LineLostError(f"no reader {self._config.reader!r}")
        self._name = wanted[0]

    def _blocking_change(self) -> tuple[int, bytes]:
        """The reader's state, as it changes or after a slice of time, and the ATR of the card in it."""
        scard = self._scard
        result, states = scard.SCardGetStatusChange(self._context, SLICE_MS, [(self._name, self._state)])
        if result == scard.SCARD_E_TIMEOUT:
            return self._state, b""
        self._check(result)
        _, state, atr = states[0]
        if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):
            raise LineLostError(f"{self._name}: unplugged")
        return state & ~scard.SCARD_STATE_CHANGED, bytes(atr)

    def _blocking_read(self, atr: bytes) -> Chip | None:
        """None: it has to be laid down again."""
        try:
            model = Atr.from_bytes(atr).model
        except FrameError:
            model = None  # the card may be good all the same
        for _ in range(TRIES):
            try:
                data = self._blocking_uid()
                if data is None:
                    return Chip(None, model)
                uid = uid_of(data)
            except FrameError as error:
                log.debug("a card could not be read: %s", error)
                continue
            return Chip(Secret(uid, "code") if uid is not None else None, model)
        return None

    def _blocking_uid(self) -> bytes | None:
        """None: the card has no UID. Raises FrameError when it did not answer properly."""
        scard = self._scard
        result, card, protocol = scard.SCardConnect(
            self._context,
            self._name,
            scard.SCARD_SHARE_SHARED,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        if result != scard.SCARD_S_SUCCESS:
            raise FrameError(f"not connected, {result & 0xFFFFFFFF:08X}")
        try:
            command: bytes | None = get_uid()
            data = b""
            for _ in range(_STEPS):
                result, answer = scard.SCardTransmit(card, protocol, list(command or b""))
                if result != scard.SCARD_S_SUCCESS:
                    raise FrameError(f"not answered, {result & 0xFFFFFFFF:08X}")
                response = Response.from_bytes(bytes(answer))
                data += response.data
                if response.status == DONE:
                    return data
                command = response.more
                if command is None:
                    log.debug("no UID, status %04X", response.status)
                    return None
            raise FrameError("a card that does not come to an end")
        finally:
            scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)

    def _blocking_close(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            self._scard.SCardReleaseContext(context)

    def _check(self, result: int) -> None:
        scard = self._scard
        if result == scard.SCARD_S_SUCCESS:
            return
        if result in (scard.SCARD_E_UNKNOWN_READER, scard.SCARD_E_READER_UNAVAILABLE):
            raise LineLostError(f"{self._name}: unplugged")
        if result in (scard.SCARD_W_SECURITY_VIOLATION, scard.SCARD_E_NO_ACCESS):
            raise DriverError(
                "pcscd lets nobody in but who is logged in at the screen", code="card.pcsc_denied"
            )
        raise LineLostError(f"pcscd: {result & 0xFFFFFFFF:08X}", code="card.pcscd_stopped")

    async def _run(self, function: Callable[..., T], *arguments: object) -> T:
        if self._worker is None:
            raise LineLostError("not open")
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.get_running_loop().run_in_executor(self._worker, function, *arguments)
        except TimeoutError as error:
            if isinstance(error, DriverError):
                raise
            raise LineLostError("pcscd does not answer", code="card.pcscd_stopped") from error

    def _lost(self, error: DriverError) -> None:
        missing = isinstance(error, LineLostError)
        facts = {"reader": self._name} if self._name else {}
        self.report(Health("missing" if missing else "fault", error.code, dict(facts)))
