"""Driver for a ticket printer behind a print queue of CUPS: on this machine, another one, or the network.

For halls whose printers are there already and shared with other programs. Where there is a choice, connect a
printer directly (`escpos`): only that asks the paper.

What is known of a ticket (docs/decisions/0031):

- The job *completed*, behind the queue is a printer that speaks IPP and is no other CUPS, and that printer
  itself lists the job as completed: *confirmed*. Every other backend is done when the last byte is sent:
  *unknown*. So is a job that the printer forgot, which CUPS' ipp backend takes for completed.
- It was cancelled or given up before anything was handed to the printer: *failed*. Else: *unknown*.
- A job that is not done in `print_s`, or whose printer says that something is wrong, is cancelled, so that it
  does not come out later. So are unfinished tickets of an earlier program, at the start and before a ticket.
- A queue that repeats jobs by itself after an error is not used: a number could come out twice.

A raw queue gets ESC/POS as it is; one with a driver gets the ticket as a picture. After a raw ticket that was
not ended as it should, the next job begins with what marks a torn one as void and cuts it off.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import secrets
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from drivers.driver import Fact, Health
from drivers.errors import DriverError, LineLostError
from drivers.ticket_printer.escpos_frames import LONGEST_COMMAND
from drivers.ticket_printer.escpos_ticket import Mode, TicketWriter
from drivers.ticket_printer.ipp_frames import JobState
from drivers.ticket_printer.layout import Layout, TicketLine
from drivers.ticket_printer.layout_file import load_layout
from drivers.ticket_printer.print_queue import (
    IPP_PORT,
    PrintQueue,
    QueuedJob,
    QueueRefusedError,
    QueueState,
    server_of,
)
from drivers.ticket_printer.protocol import Paper, PrintResult, TicketPrinter
from drivers.ticket_printer.ticket_dots import ticket_image

logger = logging.getLogger(__name__)

WATCH_S: Final = 0.1
"""Between two looks at a job."""
GIVE_UP_S: Final = 3.0
"""How long a cancelled job may take to end."""
JOB_NAME: Final = f"paihao ticket {socket.gethostname()} "
"""Unfinished jobs whose names begin so are cancelled; no others, so that another machine's are left alone."""
NOT_PROVED: Final = "cups.not_proved"
RAW: Final = "application/vnd.cups-raw"
DOTS_PER_INCH: Final = 203
_INCOMPLETE: Final = frozenset(("job-completed-with-errors", "job-canceled-at-device", "aborted-by-system"))

Seconds = Annotated[float, msgspec.Meta(gt=0, le=120)]


class CupsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a printer behind a queue.

    `queue`: its name. `host`, `port`: of another machine's CUPS; without them this machine's, at `socket`.
    `format`: "escpos" sends bytes that the queue passes on raw, "image" a PNG that its driver prints, "auto"
    is escpos for a queue without driver. `options`: of each job, e.g. { media = "roll_80mm" }. `print_s`: the
    longest time a ticket may take. `profile`, `columns`, `layout`, `mode`, `cut`, `start_slip`: as for an
    ESC/POS printer.
    """

    queue: Annotated[str, msgspec.Meta(pattern="^[^/#? ]{1,127}$")]
    host: str | None = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = IPP_PORT
    socket: str = "/run/cups/cups.sock"
    format: Literal["auto", "escpos", "image"] = "auto"
    options: dict[str, str] = {}
    profile: str = "default"
    columns: Annotated[int, msgspec.Meta(ge=24, le=80)] = 48
    layout: str | None = None
    mode: Mode = "auto"
    cut: Literal["full", "partial"] = "full"
    poll_s: Seconds = 2.0
    answer_s: Seconds = 5.0
    print_s: Seconds = 20.0
    start_slip: bool = True


class CupsPrinter(TicketPrinter):
    """`open` raises ConfigError for a wrong layout or profile."""

    Config: ClassVar = CupsConfig

    def __init__(self, config: CupsConfig) -> None:
        super().__init__()
        self._config = config
        self._queue: PrintQueue | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._layout: Layout | None = None
        self._writer: TicketWriter | None = None
        self._state: QueueState | None = None
        self._live: QueueState | None = None
        """What the printer behind an IPP queue says of itself, now."""
        self._device: PrintQueue | None = None
        self._turn = asyncio.Lock()
        self._failed: str | None = None
        """Why the last job was not completed."""
        self._torn = config.start_slip
        """A torn ticket may hang in the printer."""
        self._left = False
        """A ticket that was given up may still be in the queue."""

    # ---------------------------------------------------------------- life

    async def open(self) -> None:
        await self.close()
        config = self._config
        if self._layout is None:
            self._layout = load_layout(config.layout)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="cups ticket")
        if self._writer is None:
            self._writer = await asyncio.get_running_loop().run_in_executor(
                self._worker, self._blocking_writer
            )
        server = config.socket if config.host is None else (config.host, config.port)
        self._queue = PrintQueue(server, f"/printers/{config.queue}", config.answer_s)
        await self._look(self._queue)
        await self._clear(self._queue)

    def _blocking_writer(self) -> TicketWriter:
        config = self._config
        return TicketWriter(config.profile, config.cut, columns=config.columns, mode=config.mode, quick=True)

    async def serve(self) -> None:
        while (queue := self._queue) is not None:
            if not self._turn.locked():
                async with self._turn:
                    await self._look(queue)
                    if self._left:
                        await self._clear(queue)
            await asyncio.sleep(self._config.poll_s)
        raise LineLostError("not open")

    async def close(self) -> None:
        queue, self._queue = self._queue, None
        device, self._device = self._device, None
        self._state = self._live = None
        for each in (queue, device):
            if each is not None:
                await each.close()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.shutdown(wait=False)

    # ---------------------------------------------------------------- health

    @property
    def can_print(self) -> bool:
        return self._state is not None and self._hindrance(self._state) is None

    def _hindrance(self, state: QueueState) -> str | None:
        """Why no ticket is to be sent: the queue prints nothing, or the printer itself says so now.

        What a queue remembers of its printer is of the last job: it clears only by printing another.
        """
        if state.refusal or "cups-missing-filter" in state.reasons:
            return state.refusal or state.fault
        return self._live.fault or self._live.refusal if self._live is not None else None

    @property
    def _reports(self) -> bool:
        """Whether a completed job is the printer's own word that it was printed."""
        live, state = self._live, self._state
        if live is None or state is None or live.cups or "offline" in live.reasons:
            return False
        return "waitjob=" not in state.device  # with it the backend does not wait for the printer

    async def _look(self, queue: PrintQueue) -> QueueState:
        state = await queue.state()
        self.seen()
        self._live = await self._ask_device(state)
        self._state = state
        self._tell(state)
        return state

    async def _ask_device(self, state: QueueState) -> QueueState | None:
        """The printer's own words, where it speaks IPP."""
        place = server_of(state.device)
        if place is None:
            return None
        if self._device is None or self._device.name != f"{place[0][0]}:{place[0][1]} {place[1]}":
            if self._device is not None:
                await self._device.close()
            self._device = PrintQueue(*place, self._config.answer_s)
        try:
            return await self._device.state()
        except DriverError as error:
            logger.debug("%s: %s", self._device.name, error)
            return QueueState(reasons=frozenset(("offline",)))

    def _tell(self, state: QueueState) -> None:
        heard = self._live if self._live is not None else state
        facts: dict[str, Fact] = {
            "queue": self._config.queue,
            "paper": "out" if heard.fault == "printer.paper_out" else "low" if heard.low else "ok",
            "cover": "open" if heard.fault == "printer.cover_open" else "shut",
            "online": heard.fault != "printer.offline",
            "watched": self._reports,
        }
        if code := self._hindrance(state):
            self.report(Health("fault", code, facts))
        elif code := heard.fault or ("printer.paper_low" if heard.low else self._failed):
            self.report(Health("degraded", code, facts))
        else:
            self.report(Health("ok", None, facts))

    # ---------------------------------------------------------------- printing

    async def print_ticket(self, paper: Paper) -> PrintResult:
        async with self._turn:
            queue, layout = self._queue, self._layout
            if queue is None or layout is None:
                return PrintResult("failed", LineLostError.code)
            try:
                state = await self._look(queue)
                if code := self._hindrance(state):
                    return PrintResult("failed", code)
                if not await self._clear(queue):
                    return PrintResult("failed", "cups.busy")
                raw = self._config.format == "escpos" or (self._config.format == "auto" and state.raw)
                lines = layout.lines(paper, self._config.columns)
                document = await asyncio.get_running_loop().run_in_executor(
                    self._worker, self._blocking_document, lines, raw
                )
            except DriverError as error:
                return PrintResult("failed", error.code)
            result = await self._print(queue, document, raw, state)
            done = result.outcome == "confirmed" or result.code == NOT_PROVED
            # a printer that speaks for itself says when it is well again
            self._failed = None if done or self._reports else "cups.job_failed"
            self._tell(self._state or state)
            if result.outcome != "confirmed":
                logger.warning("a ticket is %s: %s", result.outcome, result.code)
            return result

    def _blocking_document(self, lines: list[TicketLine], raw: bool) -> bytes:
        if not raw:
            file = io.BytesIO()
            picture = ticket_image(lines, self._config.columns)
            picture.save(file, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
            return file.getvalue()
        writer = self._writer
        if writer is None:
            raise LineLostError("not open")
        job = writer.job(lines)
        # the printer may be in the middle of a command that was cut off
        before = bytes(LONGEST_COMMAND) + writer.void_slip() if self._torn else b""
        return before + b"".join(job.chunks) + job.cut

    async def _print(self, queue: PrintQueue, document: bytes, raw: bool, before: QueueState) -> PrintResult:
        torn, self._torn = self._torn, True
        self._left = True
        reports = self._reports
        name = JOB_NAME + secrets.token_hex(8)
        job: QueuedJob | None = None
        number: int | None = None
        code: str | None = None
        try:
            kind = RAW if raw else "image/png"
            number = await queue.print(name, kind, document, self._config.options)
            job, code = await self._watch(queue, number, before)
        except DriverError as error:
            if number is None and isinstance(error, QueueRefusedError):  # it answered, and took no job
                self._torn, self._left = torn, False
                return PrintResult("failed", error.code)
            return PrintResult("unknown", error.code)
        finally:
            if number is not None and (job is None or not job.ended):
                # also when this task is cancelled: it must not come out later
                await asyncio.shield(self._abandon(queue, number))
        self._left = not job.ended
        if job.state == JobState.COMPLETED and not job.reasons & _INCOMPLETE:
            proved = reports and await self._printed(name)
            self._torn = reports and not proved
            return PrintResult("confirmed") if proved else PrintResult("unknown", NOT_PROVED)
        if job.ended and not job.begun:
            self._torn = torn
            return PrintResult("failed", code or "cups.job_refused")
        return PrintResult("unknown", code or "cups.job_failed")

    async def _printed(self, name: str) -> bool:
        """Whether the printer itself lists the job as completed."""
        try:
            return self._device is not None and await self._device.completed(name)
        except DriverError as error:
            logger.warning("the printer did not say what became of a ticket: %s", error)
            return False

    async def _watch(
        self, queue: PrintQueue, number: int, before: QueueState
    ) -> tuple[QueuedJob, str | None]:
        """The job when it has ended, or could not be ended; and what was wrong with the printer meanwhile.

        What the queue said `before` the job may be of the last one: it counts only when the time is up.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._config.print_s
        code: str | None = None
        while not (job := await queue.job(number)).ended:
            state = await self._look(queue)
            late = loop.time() >= deadline
            code = self._hindrance(state) or (state if late else state.since(before)).fault
            if late and code is None and "connecting-to-device" in state.reasons:
                code = "printer.offline"
            if late or code is not None:
                return await self._give_up(queue, number), code
            await asyncio.sleep(WATCH_S)
        return job, code

    async def _give_up(self, queue: PrintQueue, number: int) -> QueuedJob:
        """Cancel a job and see what became of it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GIVE_UP_S
        await queue.cancel(number)
        while True:
            job = await queue.job(number)
            if job.ended or loop.time() >= deadline:
                return job
            await asyncio.sleep(WATCH_S)

    async def _abandon(self, queue: PrintQueue, number: int) -> None:
        with contextlib.suppress(DriverError):
            await queue.cancel(number)

    async def _clear(self, queue: PrintQueue) -> bool:
        """Cancel tickets that an earlier program left in the queue; whether none is left."""
        left = await queue.unfinished(JOB_NAME)
        for number in left:
            logger.warning("%s: cancelling the unfinished job %d", queue.name, number)
            self._torn = True
            job = await self._give_up(queue, number)
            if not job.ended:
                return False
        self._left = False
        return True
