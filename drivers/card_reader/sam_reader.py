"""Driver for ID-card readers with a SAM module (frames: `sam_frames`).

Binds to: serial; tcp; usb (bulk, frames as on a serial line); hidraw (`hid_reports` says how the maker packs
frames into reports). Implements: CardReader.

Cycle, no faster than every 300 ms: find, select, read. A card is read once: after a good read it has to
leave the field. After a single find without it the card is read again, to be sure that it is the same.
Whatever goes wrong while one lies there (statuses 31–41, 80, 81, a reply that stays spoiled, text that
does not fit) asks once to lay it down again and is tried again in silence.

The photo is not asked for where the reader has a command for text alone (`text_command`, differs by
maker); else it comes with the text in the reply of 1295 bytes and is overwritten unseen. No byte of a
read reply, no name and no number is logged, kept or put into an exception.

A module that refuses to read for want of its key or its authorisation (23, 66) goes on looking for cards: the
fault stays until one was read. One that refuses everything is closed and opened again until it does not.

How a reader answers *find* for a card that was read and still lies there differs: found, or not found
until it was lifted. Both are taken: `removed` comes after two finds without a card, with the second kind
of reader therefore early, unless `presence = "chip"` asks such a reader for the chip number instead.

Sources: see `sam_frames`; timing from the makers' manuals.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from drivers.card_reader.card_text import ADDRESS_SIZE, CardTextError, card_from_text
from drivers.card_reader.event_queue import EventQueue
from drivers.card_reader.hid_reports import ReportFraming, ReportLine
from drivers.card_reader.protocol import Card, CardEvent, CardReader
from drivers.card_reader.sam_frames import Command, SamReply, SamSplitter, Status, command
from drivers.driver import Health
from drivers.errors import DriverError, FrameError, LineLostError, NoAnswerError, RefusedError
from drivers.transport.hidraw import HidrawConfig
from drivers.transport.table import TransportConfig, transport
from drivers.transport.transport import Transport

log = logging.getLogger(__name__)

TRIES: Final = 3
"""How often a question is asked before its silence or its noise counts."""
STALE_READS: Final = 4
"""Reads of up to 4096 bytes that are thrown away before a question."""
ABSENT_FINDS: Final = 2
"""So many finds in a row without a card: it was taken away."""

_FATAL: Final = {
    Status.SELF_TEST_FAILED: "card.self_test_failed",
    Status.NO_KEY: "card.not_authorised",
    Status.NOT_AUTHORISED: "card.not_authorised",
}
_SPOILED: Final = (Status.CHECKSUM, Status.LENGTH)


class SamReaderConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`transport`: a SAM module speaks 115200 baud; a USB reader wants `endpoint_out` and `endpoint_in`.

    `reports`: how frames lie in the reports of a HID reader (transport hidraw).
    `details`: read what forms need besides (`CardDetails`), with the newest address of the chip.
    `text_command`: four hex digits of the maker's command for text without photo; while the reader
    refuses it, or without it, 30 01 is used.
    `answer_s`: how long one answer may take. Silence is told after a poll and `TRIES` answers.
    """

    transport: TransportConfig
    poll_ms: Annotated[int, msgspec.Meta(ge=300, le=5000)] = 300
    text_command: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{4}\Z")] | None = None
    presence: Literal["find", "chip"] = "find"
    answer_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.4
    details: bool = False
    reports: ReportFraming = ReportFraming()

    def __post_init__(self) -> None:
        if isinstance(self.transport, HidrawConfig):
            self.reports.pack(b"\0", self.transport.report_size)


class SamReader(CardReader):
    """One reader. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = SamReaderConfig

    def __init__(self, config: SamReaderConfig) -> None:
        super().__init__()
        self._config = config
        self._transport = _line(config)
        self._splitter = SamSplitter()
        self._events = EventQueue()
        self._text_command = int(config.text_command, 16) if config.text_command else None
        self._laid: Literal["nothing", "read", "failed"] = "nothing"
        self._lying: Card | None = None
        """The card that was read and still lies there."""
        self._absent = 0
        self._refused: str | None = None
        """The code of a refusal to read cards, while the line lasts."""
        self._sam = ""

    async def open(self) -> None:
        try:
            await self._transport.open()
            await self._ask(Command.STATUS)
            self._sam = _sam_number(await self._ask(Command.SAM_ID))
        except DriverError as error:
            self._lost(error)
            raise
        if self._config.text_command:
            self._text_command = int(self._config.text_command, 16)
        self._report_ok()

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                begun = loop.time()
                await self._poll()
                self._events.forget_old()
                await asyncio.sleep(max(0.0, begun + self._config.poll_ms / 1000 - loop.time()))
        except DriverError as error:
            self._lost(error)
            raise

    async def close(self) -> None:
        self._gone()  # what lies there when the line is back is read again
        self._splitter.reset()
        await self._transport.close()

    async def next_event(self) -> CardEvent:
        return await self._events.get()

    # ------------------------------------------------------------------ the cycle

    async def _poll(self) -> None:
        ask_chip = self._config.presence == "chip" and self._laid == "read"
        reply = await self._ask(Command.READ_CHIP_NUMBER if ask_chip else Command.FIND)
        there = reply.status == (Status.OK if ask_chip else Status.FOUND)
        reply.wipe()
        if not there:
            self._absent += 1
            if self._absent >= ABSENT_FINDS:
                self._gone()
            return
        flickered, self._absent = self._absent > 0 and not ask_chip, 0
        if self._lying is not None and not flickered:
            return
        card = await self._read_card()
        if card is not None and card == self._lying:
            return
        if self._lying is not None:  # another card, laid down faster than two finds
            self._gone()
        if card is not None:
            self._laid, self._lying, self._refused = "read", card, None
            self._report_ok()
            self._events.put(CardEvent("read", card))
        elif self._laid == "nothing" and self._refused is None:
            self._laid = "failed"
            self._events.put(CardEvent("lay_again"))

    def _gone(self) -> None:
        """The card is away, or nobody knows: forget it."""
        if self._laid == "read":
            self._events.put(CardEvent("removed"))
        self._laid, self._lying = "nothing", None

    async def _read_card(self) -> Card | None:
        """Select and read the card that was just found. None: it has to be laid down again."""
        for attempt in range(TRIES):
            try:
                if attempt and (await self._ask(Command.FIND, tries=1)).status != Status.FOUND:
                    return None
                reply = await self._ask(Command.SELECT, tries=1)
                reply.wipe()  # on a disturbed line it may be a late answer with a card in it
                if reply.status != Status.OK:
                    log.debug("card not selected, status %02X", reply.status)
                    return None
                text = await self._read_text()
                address = await self._read_newest_address() if text and self._config.details else None
            except FrameError:
                continue  # spoiled on the line: the whole sequence again
            except RefusedError as error:
                if error.code == "card.self_test_failed":
                    raise
                self._refused = error.code
                self._report_ok()
                return None
            if text is None:
                return None
            try:
                return card_from_text(text, details=self._config.details, newest_address=address)
            except CardTextError as error:
                if self._laid == "nothing":  # once, however long it lies there
                    log.info("a card cannot be used: %s does not fit", error.field)
                return None
            finally:
                for buffer in (text, address or bytearray()):
                    buffer[:] = bytes(len(buffer))
        self.report(Health("degraded", "device.bad_frame", {"sam": self._sam}))
        return None

    async def _read_text(self) -> bytearray | None:
        """The text of the selected card; None when the reader could not read it. Raises FrameError."""
        if self._text_command is not None:
            reply = await self._ask(self._text_command, tries=1)
            if reply.status != Status.BAD_COMMAND:
                return reply.take_text() if reply.status == Status.OK else None
            log.info("reader has no command %04X: reading with photo, unseen", self._text_command)
            self._text_command = None
        reply = await self._ask(Command.READ_TEXT_AND_PHOTO, tries=1)
        if reply.status != Status.OK:
            log.debug("card not read, status %02X", reply.status)
            return None
        return reply.take_text()

    async def _read_newest_address(self) -> bytearray | None:
        """None: the chip has none besides the printed one. Raises FrameError."""
        reply = await self._ask(Command.READ_NEWEST_ADDRESS, tries=1)
        address = bytearray(reply.data[:ADDRESS_SIZE]) if reply.status == Status.OK else None
        reply.wipe()
        return address

    # ------------------------------------------------------------------ question and answer

    async def _ask(self, code: int, tries: int = TRIES) -> SamReply:
        """One question. Silence is always asked about `TRIES` times, a spoiled answer `tries` times.

        Raises FrameError (answers stay spoiled), NoAnswerError, RefusedError (the reader itself is out of
        order), LineLostError, WriteStalledError.
        """
        silent = spoiled = 0
        while True:
            reply = await self._ask_once(code)
            if reply is None:
                silent += 1
                if silent >= TRIES:
                    raise NoAnswerError(f"no answer to {code:04X}")
            elif isinstance(reply, FrameError) or reply.status in _SPOILED:
                spoiled += 1
                if spoiled >= tries:
                    raise FrameError(f"the answer to {code:04X} is spoiled")
            else:
                self.seen()
                if reply.status in _FATAL:
                    refused = RefusedError(f"status {reply.status:02X}", reply.status)
                    refused.code = _FATAL[Status(reply.status)]
                    raise refused
                return reply

    async def _ask_once(self, code: int) -> SamReply | FrameError | None:
        """None: no answer in time. Answers to earlier questions are dropped before."""
        async with self._transport.turn():
            return await self._ask_in_turn(code)

    async def _ask_in_turn(self, code: int) -> SamReply | FrameError | None:
        loop = asyncio.get_running_loop()
        for _ in range(STALE_READS):
            if not await self._transport.read(timeout=0):
                break
        self._splitter.reset()
        spoiled_before = self._splitter.spoiled
        await self._transport.write(command(code), self._config.answer_s)
        deadline = loop.time() + self._config.answer_s
        while (left := deadline - loop.time()) > 0:
            await asyncio.sleep(0)  # a line that babbles must not keep the others waiting
            for frame in self._splitter.feed(await self._transport.read(timeout=left)):
                if len(frame.payload) >= 3:
                    reply = SamReply.from_frame(frame)
                    log.debug("%04X → %02X, %d bytes", code, reply.status, len(reply.data))
                    return reply
            if self._splitter.spoiled > spoiled_before:
                return FrameError("checksum")
        return None

    # ------------------------------------------------------------------ what it tells

    def _report_ok(self) -> None:
        self.report(Health("fault" if self._refused else "ok", self._refused, {"sam": self._sam}))

    def _lost(self, error: DriverError) -> None:
        gone = isinstance(error, LineLostError | NoAnswerError)
        self._refused = None
        self.report(Health("missing" if gone else "fault", error.code))


def _line(config: SamReaderConfig) -> Transport:
    line = transport(config.transport)
    if isinstance(config.transport, HidrawConfig):
        return ReportLine(line, config.reports, config.transport.report_size)
    return line


def _sam_number(reply: SamReply) -> str:
    """The module's own number as its label shows it, e.g. "05.03-20260101-0000000001-0000000001"."""
    data = reply.data
    if reply.status != Status.OK or len(data) != 16:
        return ""
    kind, model = int.from_bytes(data[0:2], "little"), int.from_bytes(data[2:4], "little")
    made, serial, random = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12))
    return f"{kind:02d}.{model:02d}-{made:08d}-{serial:010d}-{random:010d}"
