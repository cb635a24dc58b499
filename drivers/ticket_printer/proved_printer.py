"""What all drivers share whose printer can be asked: life, health, paper count, and the proof of a ticket.

How a ticket is proved (docs/decisions/0010):

1. Status. Anything that hinders: *failed*, and no byte of the ticket is sent.
2. All that prints, in chunks of whole commands, with a status question after each; then GS r 1, which the
   printer answers behind its queue and only while online. A fault here comes before the cut is sent, so
   the ticket is not out: *failed*, and the printer's buffers are cleared.
3. The cut (or the presenter's command) and GS r 1 again. Its answer, and a status without a fault after it:
   *confirmed*. Anything else from here on, and silence or a lost line at any time: *unknown*.

A status question is answered at once, ahead of the queue, and proves nothing about the paper. A ticket that
was not confirmed may hang in the printer, half printed: before the next one, as soon as the printer is well,
the buffers are cleared and what hangs there is marked as void and cut off, so that it never comes out as a
ticket and never heads the next one. That is done after a start of the program, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Final, Literal

import msgspec

from drivers.driver import Fact, Health
from drivers.errors import DriverError, LineLostError, NoAnswerError
from drivers.ticket_printer.escpos_frames import LONGEST_COMMAND
from drivers.ticket_printer.escpos_line import EscposLine, Status
from drivers.ticket_printer.escpos_ticket import Job, Mode, TicketWriter
from drivers.ticket_printer.layout import Layout
from drivers.ticket_printer.layout_file import load_layout
from drivers.ticket_printer.paper_length import job_mm
from drivers.ticket_printer.paper_roll import KeptRoll
from drivers.ticket_printer.protocol import Paper, PrintResult, TicketPrinter
from drivers.transport.table import TransportConfig, transport
from drivers.transport.transport import Transport

logger = logging.getLogger(__name__)

WATCHES: Final = 4
"""So many times in `answer_s` the progress of a ticket is looked at."""
NO_PROOF: Final = "printer.no_proof"
"""It tells its status, and does not answer behind its queue."""
MISSES: Final = 2
"""So many unanswered status questions in a row: the printer does not answer."""
SLIPS: Final = 3
"""So many void slips in a row whose end was not answered: no more paper is spent on a printer that proves
nothing, until it is opened again."""

Seconds = Annotated[float, msgspec.Meta(gt=0, le=120)]


class ProvedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options that these printers share.

    `profile`: a capability profile of python-escpos (QR, cutter). `columns`: 32 for 58 mm paper, 48 for
    80 mm. `layout`: name of a template that ships, or path of another. `mode`: "text", "raster" or "auto",
    see `TicketWriter`. `print_s`: the longest time a ticket
    may take. `roll_m`: metres of paper on a full roll, to count what is left and to warn where there is no
    near-end sensor. `start_slip`: after a start of the program, mark what may hang in the printer as void,
    not only cut it off.
    """

    transport: TransportConfig
    profile: str = "default"
    columns: Annotated[int, msgspec.Meta(ge=24, le=80)] = 48
    layout: str | None = None
    mode: Mode = "auto"
    poll_s: Seconds = 1.5
    answer_s: Seconds = 1.0
    write_s: Seconds = 3.0
    print_s: Seconds = 15.0
    roll_m: Annotated[float, msgspec.Meta(ge=5, le=1000)] | None = None
    start_slip: bool = True


class ProvedPrinter(TicketPrinter):
    """`open` raises ConfigError for a wrong layout or profile. `line` replaces the config's transport."""

    def __init__(self, config: ProvedConfig, *, line: Transport | None = None) -> None:
        super().__init__()
        self._config = config
        self._transport = line
        self._line: EscposLine | None = None
        self._layout: Layout | None = None
        self._writer: TicketWriter | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._status: Status | None = None
        self._misses = 0
        """Status questions in a row that were not answered."""
        self._turn = asyncio.Lock()
        """Held by whoever talks with the printer: a ticket or the poll."""
        self._changed = asyncio.Event()
        self._left: Literal["nothing", "ticket"] = "ticket" if config.start_slip else "nothing"
        """What may hang in the printer, uncut."""
        self._clean = False
        """The printer has nothing of ours in its buffers and owes no answer."""
        self._spoilt = False
        """A ticket of this process was begun and not confirmed: it may still come out."""
        self._unproved = 0
        """Void slips in a row whose end was not answered."""
        self._owed = 2
        """Answers that the printer may owe an earlier line or program."""
        self._paper = KeptRoll(config.roll_m, self)

    # ---------------------------------------------------------------- what a model is

    @abstractmethod
    def _line_on(self, transport: Transport) -> EscposLine:
        """The conversation with this printer."""

    @abstractmethod
    def _blocking_writer(self) -> TicketWriter:
        """What writes its jobs. In the worker: it loads python-escpos."""

    @property
    def _watched(self) -> bool:
        """Whether it can be asked at all."""
        return True

    @property
    def _patient(self) -> bool:
        """It may be silent while paper moves: silence then is no fault."""
        return False

    @property
    def _may_tidy(self) -> bool:
        """Whether what hangs there may be cut off now, besides before a ticket."""
        return True

    @property
    def _pause_s(self) -> float:
        """Until the next poll."""
        return self._config.poll_s

    async def _poll(self, line: EscposLine) -> None:
        """One poll. Raises NoAnswerError."""
        await self._look(line)

    async def _make_room(self, line: EscposLine) -> str | None:
        """Before a ticket: whatever is in its way; the text key of why it cannot be printed."""
        return None

    async def _end(self, line: EscposLine, paper: Paper) -> str | None:
        """After the cut was worked through: the text key of what is wrong, None: the ticket is out."""
        return (await self._look(line)).hindrance

    def _warning(self, status: Status) -> str | None:
        """The text key of what should be done soon, while it prints."""
        return "printer.paper_low" if status.paper_low or self._paper.roll.low else None

    def _facts(self) -> dict[str, Fact]:
        """Facts of the model's own."""
        return {}

    # ---------------------------------------------------------------- life

    async def open(self) -> None:
        await self.close()
        self._paper.recall()
        if self._layout is None:
            self._layout = load_layout(self._config.layout)
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="printer")
        loop = asyncio.get_running_loop()
        if self._writer is None:
            self._writer = await loop.run_in_executor(self._worker, self._blocking_writer)
        if self._transport is None:
            self._transport = transport(self._config.transport)
        line = self._line = self._line_on(self._transport)
        line.on_answer = self.seen
        await line.open()
        self._unproved = 0
        await self._greet(line)

    async def _greet(self, line: EscposLine) -> None:
        """Make sure that the printer is there."""
        try:
            await self._look(line)
        except NoAnswerError:
            await self._look(line)  # the first question after power-on is often lost

    async def serve(self) -> None:
        line = self._line
        if line is None:
            raise LineLostError("not open")
        self._misses = 0
        while True:
            if self._watched and not self._turn.locked():
                try:
                    async with self._turn:
                        await self._poll(line)
                        if not self._clean and self.can_print and self._may_tidy:
                            await self._tidy(line)
                    self._misses = 0
                except NoAnswerError as error:
                    self._misses += 1
                    if self._misses >= MISSES:
                        raise NoAnswerError(str(error)) from error
                    continue
            self._changed.clear()
            await self._pause(line)

    async def _pause(self, line: EscposLine) -> None:
        """Until the next poll, or a change that the printer told by itself."""
        changed = asyncio.create_task(self._changed.wait())
        lost = asyncio.create_task(line.wait_lost(self._pause_s))
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
        if not self._watched:
            return True
        return self._status is not None and self._hindrance(self._status) is None

    def _hindrance(self, status: Status) -> str | None:
        """The text key of why it cannot print a ticket now."""
        return status.hindrance or (NO_PROOF if self._unproved >= SLIPS else None)

    async def _look(self, line: EscposLine) -> Status:
        status = await line.status()
        self._tell(status)
        return status

    def _tell(self, status: Status) -> None:
        self._status = status
        self._paper.seen(cover_open=status.cover_open, out=status.paper_out, low=status.paper_low)
        self._report()

    def _report(self) -> None:
        status = self._status
        if status is None:
            return
        low = status.paper_low or self._paper.roll.low
        facts: dict[str, Fact] = {"paper": "out" if status.paper_out else "low" if low else "ok"}
        facts |= status.facts | self._paper.roll.facts | self._facts()
        if status.fault is not None:
            self.report(Health("fault", status.fault, facts))
        elif self._unproved >= SLIPS:
            self.report(Health("fault", self._hindrance(status), facts))
        elif (code := status.hindrance or self._warning(status)) is not None:
            self.report(Health("degraded", code, facts))
        else:
            self.report(Health("ok", None, facts))

    # ---------------------------------------------------------------- paper

    async def roll_changed(self) -> None:
        self._paper.changed()
        self._report()

    def _count(self, *parts: bytes, ticket: bool = True) -> None:
        """Paper that may have gone out: rather too much than too little."""
        self._paper.printed(self._length(*parts), ticket=ticket)
        self._report()

    def _length(self, *parts: bytes) -> float:
        """Millimetres of paper that a whole job takes."""
        return job_mm(*parts)

    # ---------------------------------------------------------------- printing

    async def print_ticket(self, paper: Paper) -> PrintResult:
        async with self._turn:
            line = self._line
            if line is None:
                return PrintResult("failed", LineLostError.code)
            try:
                job = await self._compose(paper)
                if not self._watched:
                    return await self._print_unwatched(line, job)
                if code := self._hindrance(await self._look(line)) or await self._make_room(line):
                    return PrintResult("failed", code)
                if not self._clean and (code := await self._tidy(line)):
                    return PrintResult("failed", code)
            except DriverError as error:
                return PrintResult("failed", error.code)
            # from here to the end of a confirmed ticket the printer is in doubt, also when we are cancelled
            self._clean, self._left, self._spoilt = False, "ticket", True
            self._changed.set()
            self._count(*job.chunks, job.cut)
            result = await self._print(line, job, paper)
            if result.outcome == "confirmed":
                self._tidied()
            else:
                logger.warning("a ticket is %s: %s", result.outcome, result.code)
                self._changed.set()
            self._misses = int(result.code == NoAnswerError.code)
            return result

    async def _compose(self, paper: Paper) -> Job:
        """The bytes of a ticket."""
        writer, layout = self._writer, self._layout
        if writer is None or layout is None:
            raise LineLostError("not open")
        lines = layout.lines(paper, self._config.columns)
        if writer.draws(lines) and self._worker is not None:
            return await asyncio.get_running_loop().run_in_executor(self._worker, writer.job, lines)
        return writer.job(lines)

    async def _print(self, line: EscposLine, job: Job, paper: Paper) -> PrintResult:
        try:
            for chunk in job.chunks[:-1]:
                await line.write(chunk)
                # no answer here ends the ticket: a printer that lost its power for a moment has lost the
                # beginning and would print and cut the rest
                if not self._patient and await line.stopped() and (code := (await self._look(line)).fault):
                    return await self._stopped(line, code)
            printed = await line.mark(job.chunks[-1])
            if (code := await self._until(line, printed)) is not None:
                # the cut was not sent: no ticket is out, if the printer itself says that it stopped
                if code in (NoAnswerError.code, NO_PROOF):
                    return PrintResult("unknown", code)
                return await self._stopped(line, code)
            cut = await line.mark(job.cut)
            if (code := await self._until(line, cut)) is not None:
                await line.clear()  # a cut that comes later would hand out a ticket that nobody waits for
                return PrintResult("unknown", code)
            code = await self._end(line, paper)
            return PrintResult("unknown", code) if code else PrintResult("confirmed")
        except DriverError as error:
            return PrintResult("unknown", error.code)

    async def _stopped(self, line: EscposLine, code: str) -> PrintResult:
        with contextlib.suppress(DriverError):
            await line.clear()
        return PrintResult("failed", code)

    async def _until(self, line: EscposLine, mark: asyncio.Future[None]) -> str | None:
        """None when the mark was answered, else the text key of why it will not be.

        `device.no_answer` when it is silent, NO_PROOF when it does not say that anything is wrong.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._config.print_s
        while True:
            await asyncio.wait({mark}, timeout=self._config.answer_s / WATCHES)
            if mark.done():
                mark.result()
                return None
            status: Status | None = None
            try:
                status = await self._look(line)
            except NoAnswerError as error:
                # even if the mark comes later: a spoiled answer to the question can look like one
                if not self._patient:
                    return error.code
            if mark.done():
                continue
            if status is not None and status.fault is not None:
                return status.fault
            if loop.time() >= deadline:
                return NoAnswerError.code if status is None else status.hindrance or NO_PROOF

    async def _print_unwatched(self, line: EscposLine, job: Job) -> PrintResult:
        self._count(*job.chunks, job.cut)
        for chunk in (*job.chunks, job.cut):
            try:
                await line.write(chunk)
            except DriverError as error:
                return PrintResult("unknown", error.code)
        return PrintResult("unknown", "printer.not_watched")

    async def _tidy(self, line: EscposLine) -> str | None:
        """Bring a printer in doubt to a known state: empty buffers, nothing uncut. The fault, if any.

        Call when the printer is well.
        """
        writer = self._writer
        if writer is None:
            return LineLostError.code
        cleared = await line.clear()
        slip = writer.blank() if self._left == "nothing" else writer.void_slip()
        # a printer that knows no clearing may be in the middle of a command that was cut off
        start = slip if cleared else bytes(LONGEST_COMMAND) + slip
        line.forget_marks()
        mark = await line.mark(start)
        self._count(slip, ticket=False)
        if (code := await self._until(line, mark)) is not None:
            self._unproved += code == NO_PROOF
            self._report()
            return code
        self._unproved = 0
        if not cleared:
            await line.settle(self._config.answer_s)
        self._tidied()
        return None

    def _tidied(self) -> None:
        """Nothing of ours is in the printer any more."""
        self._clean, self._left, self._spoilt = True, "nothing", False
