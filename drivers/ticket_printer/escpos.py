"""Driver for ESC/POS ticket printers on a serial line, TCP 9100, usblp or USB.

How a ticket is proved (docs/decisions/0010):

1. Status. Anything that hinders it: *failed*, and no byte of the ticket is sent.
2. All that prints, in chunks of whole commands, with a status question after each; then GS r 1, which the
   printer answers behind its queue and only while online. A fault here comes before the cut is sent, so
   the ticket is not out: *failed*, and the printer's buffers are cleared.
3. The cut and GS r 1 again. Its answer, and a status without a fault after it: *confirmed*. Anything else
   from here on, and silence or a lost line at any time: *unknown*.

DLE EOT is answered at once, ahead of the queue, and proves nothing about the paper. A ticket that was not
confirmed may hang in the printer, half printed: before the next one, as soon as the printer is well, the
buffers are cleared and what hangs there is marked as void and cut off, so that it never comes out as a
ticket and never heads the next one. That is done after a start of the program, too.

Sources: see `escpos_frames`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from drivers.driver import Fact, Health
from drivers.errors import DriverError, LineLostError, NoAnswerError
from drivers.ticket_printer.escpos_frames import (
    AUTOMATIC_ON,
    LONGEST_COMMAND,
    PrinterStatus,
    Query,
    encode_text,
)
from drivers.ticket_printer.escpos_line import EscposLine
from drivers.ticket_printer.escpos_ticket import Job, TicketWriter
from drivers.ticket_printer.layout import Layout, load_layout
from drivers.ticket_printer.protocol import Paper, PrintResult, TicketPrinter
from drivers.transport.table import TransportConfig, transport
from drivers.transport.transport import Transport

logger = logging.getLogger(__name__)

WATCHES: Final = 4
"""So many times in `answer_s` the progress of a ticket is looked at."""
MISSES: Final = 3
"""So many unanswered status questions in a row: the printer does not answer."""
LISTEN_POLLS: Final = 10
"""With automatic status the printer is asked only every so many polls, to see that it is there."""
LOW_TICKETS: Final = 50
"""Tickets left on a roll, by count, when it is reported as low."""

Seconds = Annotated[float, msgspec.Meta(gt=0, le=120)]


class EscposConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of an ESC/POS printer.

    `profile`: a capability profile of python-escpos (QR, cutter). `columns`: 32 for 58 mm paper, 48 for
    80 mm. `layout`: path of a template instead of the one that ships. `status`: "dle_eot" asks every
    `poll_s`, "automatic" listens besides; "none" is for lines that cannot be read: every ticket's
    outcome is then "unknown". `print_s`: the longest time a ticket may take. `roll_tickets`: tickets on
    a full roll, to warn by count where there is no near-end sensor; counted since paper was loaded or
    the program started. `start_slip`: after a start of the program, mark what may hang in the printer
    as void, not only cut it off.
    """

    transport: TransportConfig
    profile: str = "default"
    columns: Annotated[int, msgspec.Meta(ge=24, le=80)] = 48
    layout: str | None = None
    status: Literal["dle_eot", "automatic", "none"] = "dle_eot"
    cut: Literal["full", "partial"] = "full"
    poll_s: Seconds = 2.0
    answer_s: Seconds = 1.0
    write_s: Seconds = 5.0
    print_s: Seconds = 15.0
    roll_tickets: Annotated[int, msgspec.Meta(ge=100)] | None = None
    start_slip: bool = True


class EscposPrinter(TicketPrinter):
    """`open` raises ConfigError for a wrong layout or profile. `line` replaces the config's transport."""

    Config: ClassVar = EscposConfig

    def __init__(self, config: EscposConfig, *, line: Transport | None = None) -> None:
        super().__init__()
        self._config = config
        self._transport = line
        self._line: EscposLine | None = None
        self._layout: Layout | None = None
        self._writer: TicketWriter | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._status: PrinterStatus | None = None
        self._turn = asyncio.Lock()
        """Held by whoever talks with the printer: a ticket or the poll."""
        self._changed = asyncio.Event()
        self._left: Literal["nothing", "ticket"] = "ticket" if config.start_slip else "nothing"
        """What may hang in the printer, uncut."""
        self._clean = False
        """The printer has nothing of ours in its buffers and owes no answer."""
        self._owed = 2
        """Answers that the printer may owe an earlier line or program."""
        self._tickets = 0

    # ---------------------------------------------------------------- life

    async def open(self) -> None:
        await self.close()
        if self._layout is None:
            self._layout = load_layout(self._config.layout)
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="escpos")
        loop = asyncio.get_running_loop()
        if self._writer is None:
            self._writer = await loop.run_in_executor(self._worker, self._blocking_writer)
        if self._transport is None:
            self._transport = transport(self._config.transport)
        config = self._config
        line = EscposLine(self._transport, answer_s=config.answer_s, write_s=config.write_s, owed=self._owed)
        line.on_answer = self.seen
        line.on_automatic = self._automatic
        self._line = line
        await line.open()
        if config.status == "none":
            self.report(Health("ok", facts={"watched": False}))
            return
        if config.status == "automatic":
            await line.write(AUTOMATIC_ON)
        try:
            await self._look(line)
        except NoAnswerError:
            await self._look(line)  # the first question after power-on is often lost

    def _blocking_writer(self) -> TicketWriter:
        prelude = AUTOMATIC_ON if self._config.status == "automatic" else b""
        return TicketWriter(self._config.profile, self._config.cut, prelude)

    async def serve(self) -> None:
        line = self._line
        if line is None:
            raise LineLostError("not open")
        misses = polls = 0
        while True:
            polls += 1
            if self._config.status != "none" and not self._turn.locked():
                try:
                    async with self._turn:
                        if misses or self._config.status == "dle_eot" or polls % LISTEN_POLLS == 1:
                            await self._look(line)
                        if not self._clean and self.can_print:
                            await self._tidy(line)
                    misses = 0
                except NoAnswerError as error:
                    misses += 1
                    if misses >= MISSES:
                        raise NoAnswerError(str(error)) from error
            self._changed.clear()
            await self._pause(line)

    async def _pause(self, line: EscposLine) -> None:
        """Until the next poll, or a change that the printer told by itself."""
        changed = asyncio.create_task(self._changed.wait())
        lost = asyncio.create_task(line.wait_lost(self._config.poll_s))
        try:
            await asyncio.wait({changed, lost}, return_when=asyncio.FIRST_COMPLETED)
            if lost.done():
                lost.result()
        finally:
            for task in (changed, lost):
                task.cancel()
            await asyncio.gather(changed, lost, return_exceptions=True)

    async def close(self) -> None:
        line, self._line = self._line, None
        self._status = None
        if line is not None:
            self._owed = line.owed
            await line.close()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.shutdown(wait=False)

    # ---------------------------------------------------------------- health

    @property
    def can_print(self) -> bool:
        line = self._line
        if line is None or line.lost is not None:
            return False
        if self._config.status == "none":
            return True
        return self._status is not None and self._status.hindrance is None

    async def _look(self, line: EscposLine) -> PrinterStatus:
        status = await line.status()
        self._tell(status)
        return status

    def _automatic(self, status: PrinterStatus) -> None:
        if self._config.status == "automatic" and self._line is not None:
            self._tell(status)
            self._changed.set()

    def _tell(self, status: PrinterStatus) -> None:
        before, self._status = self._status, status
        if before is not None and before.paper_out and not status.paper_out:
            self._tickets = 0
        low = status.paper_low
        if self._config.roll_tickets is not None:
            low = low or self._tickets >= self._config.roll_tickets - LOW_TICKETS
        facts: dict[str, Fact] = {
            "paper": "out" if status.paper_out else "low" if low else "ok",
            "cover": "open" if status.cover_open else "shut",
            "online": not status.offline,
            "cutter": "fault" if status.cutter else "ok",
        }
        if status.fault is not None:
            self.report(Health("fault", status.fault, facts))
        elif status.hindrance is not None:
            self.report(Health("degraded", status.hindrance, facts))
        elif low:
            self.report(Health("degraded", "printer.paper_low", facts))
        else:
            self.report(Health("ok", None, facts))

    # ---------------------------------------------------------------- printing

    async def print_ticket(self, paper: Paper) -> PrintResult:
        async with self._turn:
            line, writer, layout = self._line, self._writer, self._layout
            if line is None or writer is None or layout is None:
                return PrintResult("failed", LineLostError.code)
            try:
                job = await self._compose(writer, layout, paper)
                if self._config.status == "none":
                    return await self._print_unwatched(line, job)
                if code := (await self._look(line)).hindrance:
                    return PrintResult("failed", code)
                if not self._clean and (code := await self._tidy(line)):
                    return PrintResult("failed", code)
            except DriverError as error:
                return PrintResult("failed", error.code)
            # from here to the end of a confirmed ticket the printer is in doubt, also when we are cancelled
            self._clean, self._left = False, "ticket"
            self._changed.set()
            result = await self._print(line, job)
            if result.outcome == "confirmed":
                self._clean, self._left = True, "nothing"
                self._tickets += 1
            else:
                logger.warning("a ticket is %s: %s", result.outcome, result.code)
            return result

    async def _compose(self, writer: TicketWriter, layout: Layout, paper: Paper) -> Job:
        lines = layout.lines(paper, self._config.columns)
        rare = any(line.kind == "text" and encode_text(line.text) is None for line in lines)
        if rare and self._worker is not None:
            return await asyncio.get_running_loop().run_in_executor(self._worker, writer.job, lines)
        return writer.job(lines)

    async def _print(self, line: EscposLine, job: Job) -> PrintResult:
        try:
            for chunk in job.chunks[:-1]:
                await line.write(chunk)
                # no answer here ends the ticket: a printer that lost its power for a moment has lost the
                # beginning and would print and cut the rest
                if await line.ask(Query.PRINTER) & 0x08 and (code := (await self._look(line)).fault):
                    return await self._stopped(line, code)
            printed = await line.mark(job.chunks[-1])
            if (code := await self._until(line, printed)) is not None:
                # the cut was not sent: no ticket is out, if the printer itself says that it stopped
                if code == NoAnswerError.code:
                    return PrintResult("unknown", code)
                return await self._stopped(line, code)
            cut = await line.mark(job.cut)
            if (code := await self._until(line, cut)) is not None:
                await line.clear()  # a cut that comes later would hand out a ticket that nobody waits for
                return PrintResult("unknown", code)
            code = (await self._look(line)).hindrance
            return PrintResult("unknown", code) if code else PrintResult("confirmed")
        except DriverError as error:
            return PrintResult("unknown", error.code)

    async def _stopped(self, line: EscposLine, code: str) -> PrintResult:
        with contextlib.suppress(DriverError):
            await line.clear()
        return PrintResult("failed", code)

    async def _until(self, line: EscposLine, mark: asyncio.Future[None]) -> str | None:
        """None when the mark was answered, else the text key of why it will not be.

        `device.no_answer` when the printer does not say that anything is wrong.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._config.print_s
        while True:
            await asyncio.wait({mark}, timeout=self._config.answer_s / WATCHES)
            if mark.done():
                mark.result()
                return None
            try:
                status = await self._look(line)
            except NoAnswerError as error:
                # even if the mark comes later: a spoiled answer to the question can look like one
                return error.code
            if status.fault is not None and not mark.done():
                return status.fault
            if loop.time() >= deadline and not mark.done():
                return status.hindrance or NoAnswerError.code

    async def _print_unwatched(self, line: EscposLine, job: Job) -> PrintResult:
        for chunk in (*job.chunks, job.cut):
            try:
                await line.write(chunk)
            except DriverError as error:
                return PrintResult("unknown", error.code)
        self._tickets += 1
        return PrintResult("unknown", "printer.not_watched")

    async def _tidy(self, line: EscposLine) -> str | None:
        """Bring a printer in doubt to a known state: empty buffers, nothing uncut. The fault, if any.

        Call when the printer is well.
        """
        writer = self._writer
        if writer is None:
            return LineLostError.code
        cleared = await line.clear()
        # a printer that knows no clearing may be in the middle of a command that was cut off
        start = b"" if cleared else bytes(LONGEST_COMMAND)
        start += writer.blank() if self._left == "nothing" else writer.void_slip()
        line.forget_marks()
        code = await self._until(line, await line.mark(start))
        if code is not None:
            return code
        if not cleared:
            await line.settle(self._config.answer_s)
        self._clean, self._left = True, "nothing"
        return None
