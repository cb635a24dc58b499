"""A queue of a CUPS server, or a network printer that speaks IPP itself: what it says, and jobs for it.

Requests go over HTTP/1.1, one connection each, to the server's local socket or to a port; blocking, so in one
worker. The local socket is the better way: there CUPS believes who we are (`PeerCred`), and only the owner of
a job may cancel it.

Sources: see `ipp_frames`; CUPS, scheduler and "HTTP and IPP APIs" (PeerCred, printer-error-policy, the
reasons that backends report).
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import http.client
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlsplit

from drivers.errors import FrameError, LineLostError, RefusedError
from drivers.ticket_printer.ipp_frames import (
    Attribute,
    Group,
    IppMessage,
    JobState,
    Operation,
    Status,
    Tag,
    Value,
    attribute,
    request,
)

ANSWER_LIMIT: Final = 1 << 20
"""Bytes of an answer; what CUPS says of a queue is some 10 kB."""
IPP_PORT: Final = 631
JOBS_LIMIT: Final = 50
"""So many of the last jobs are looked through."""
_TRUE: Final = Value(Tag.BOOLEAN, b"\x01")
_STOPPED: Final = 5
_RAW: Final = "Local Raw Printer"
"""What CUPS calls a queue without a driver."""
_ASKED: Final = (
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "printer-error-policy",
    "printer-make-and-model",
    "cups-version",
    "device-uri",
)
_FAULTS: Final[tuple[tuple[str, str], ...]] = (
    ("cups-missing-filter", "cups.filter_missing"),
    ("media-empty", "printer.paper_out"),
    ("media-needed", "printer.paper_out"),
    ("media-jam", "printer.jam"),
    ("cover-open", "printer.cover_open"),
    ("door-open", "printer.cover_open"),
    ("interlock-open", "printer.cover_open"),
    ("offline", "printer.offline"),
    ("shutdown", "printer.offline"),
    ("timed-out", "printer.offline"),
)
"""Reasons and the text keys of what a person has to mend, most serious first."""
_LOW: Final = "media-low"
_SUFFIXES: Final = ("-error", "-warning", "-report")
_HARMLESS: Final = ("none", "paused", "moving-to-paused", "connecting-to-device")


@dataclass(frozen=True, slots=True)
class QueueState:
    """What a queue says of itself. `reasons` without -error, -warning and -report."""

    stopped: bool = False
    accepting: bool = True
    repeats: bool = False
    """Its error policy sends a job again after an error: a number could come out twice."""
    raw: bool = False
    """It has no driver: what is sent reaches the printer as it is."""
    cups: bool = False
    """It is CUPS: it speaks for a queue and not for a printer."""
    device: str = ""
    """URI of the device behind it."""
    reasons: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()
    """Those of the reasons that the printer calls errors."""

    @property
    def refusal(self) -> str | None:
        """The text key of why the queue itself prints nothing."""
        if self.repeats:
            return "cups.repeats"
        if self.stopped or "paused" in self.reasons:
            return "cups.queue_stopped"
        return None if self.accepting else "cups.not_accepting"

    @property
    def fault(self) -> str | None:
        """The text key of what is wrong with the printer behind it, as it was last heard of."""
        for reason, code in _FAULTS:
            if reason in self.reasons:
                return code
        known = {_LOW, *_HARMLESS}
        return "printer.error" if self.errors - known else None

    @property
    def low(self) -> bool:
        return _LOW in self.reasons

    def since(self, before: QueueState) -> QueueState:
        """With the reasons that have come since `before`."""
        return replace(self, reasons=self.reasons - before.reasons, errors=self.errors - before.errors)

    @classmethod
    def from_group(cls, group: Group) -> QueueState:
        given = group.texts("printer-state-reasons")
        bare = {reason: _bare(reason) for reason in given}
        accepting = group.number("printer-is-accepting-jobs")
        return cls(
            stopped=group.number("printer-state") == _STOPPED,
            accepting=accepting is None or bool(accepting),
            repeats=any(policy.startswith("retry-") for policy in group.texts("printer-error-policy")),
            raw=_RAW in group.texts("printer-make-and-model"),
            cups=bool(group.texts("cups-version")),
            device=next(iter(group.texts("device-uri")), ""),
            reasons=frozenset(bare.values()),
            errors=frozenset(word for reason, word in bare.items() if reason.endswith("-error")),
        )


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """What the queue says of a job. `begun`: it was handed to the printer, at least in part."""

    state: int
    begun: bool
    reasons: frozenset[str] = frozenset()

    @property
    def ended(self) -> bool:
        return self.state >= JobState.CANCELED


class PrintQueue:
    """`server`: path of the local socket, or (host, port). `path`: of the queue, e.g. "/printers/ticket".

    Anything may raise LineLostError (nobody there, or not in `answer_s`), QueueRefusedError and
    FrameError (an answer that is no IPP).
    """

    def __init__(self, server: str | tuple[str, int], path: str, answer_s: float) -> None:
        self._server = server
        self._path = path
        self._answer_s = answer_s
        self._user = getpass.getuser()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="cups")
        self._number = 0

    @property
    def name(self) -> str:
        where = self._server if isinstance(self._server, str) else f"{self._server[0]}:{self._server[1]}"
        return f"{where} {self._path}"

    async def state(self) -> QueueState:
        asked = attribute("requested-attributes", Tag.KEYWORD, *_ASKED)
        answer = await self._ask(Operation.GET_PRINTER_ATTRIBUTES, (asked,))
        return QueueState.from_group(_first(answer, Tag.PRINTER))

    async def print(self, name: str, kind: str, document: bytes, options: dict[str, str]) -> int:
        """Hand over a job; its number in the queue. `kind`: its MIME type; `options`: keywords of the job."""
        more = (
            attribute("job-name", Tag.NAME, name),
            attribute("document-format", Tag.MIME, kind),
        )
        wanted = tuple(attribute(option, Tag.KEYWORD, value) for option, value in options.items())
        answer = await self._ask(Operation.PRINT_JOB, more, document=document, job_options=wanted)
        number = _first(answer, Tag.JOB).number("job-id")
        if number is None:
            raise FrameError(f"{self.name}: a job without a number")
        return number

    async def job(self, number: int) -> QueuedJob:
        """Raises QueueRefusedError (NOT_FOUND) when the queue does not know it any more."""
        asked = attribute(
            "requested-attributes", Tag.KEYWORD, "job-state", "job-state-reasons", "time-at-processing"
        )
        group = _first(await self._ask(Operation.GET_JOB_ATTRIBUTES, (asked,), job=number), Tag.JOB)
        state = group.number("job-state") or JobState.PENDING
        begun = group.number("time-at-processing") is not None or state in (
            JobState.PROCESSING,
            JobState.COMPLETED,
        )
        return QueuedJob(state, begun, frozenset(group.texts("job-state-reasons")))

    async def unfinished(self, begins: str) -> list[int]:
        """Our jobs whose name begins so and that are not ended."""
        more = (
            attribute("which-jobs", Tag.KEYWORD, "not-completed"),
            Attribute("my-jobs", (_TRUE,)),
            attribute("requested-attributes", Tag.KEYWORD, "job-id", "job-name"),
        )
        answer = await self._ask(Operation.GET_JOBS, more)
        numbers = (
            group.number("job-id")
            for group in answer.all(Tag.JOB)
            if "".join(group.texts("job-name")).startswith(begins)
        )
        return [number for number in numbers if number is not None]

    async def completed(self, name: str) -> bool:
        """Whether it lists a job of that name, of whomever, as completed."""
        more = (
            attribute("which-jobs", Tag.KEYWORD, "completed"),
            Attribute("limit", (Value.integer(JOBS_LIMIT),)),
            attribute("requested-attributes", Tag.KEYWORD, "job-id", "job-name", "job-state"),
        )
        answer = await self._ask(Operation.GET_JOBS, more)
        return any(
            group.texts("job-name") == [name] and group.number("job-state") == JobState.COMPLETED
            for group in answer.all(Tag.JOB)
        )

    async def cancel(self, number: int) -> None:
        """Have it not printed any further; whether it was is in its state. Ended already: nothing."""
        with contextlib.suppress(_Ended):
            await self._ask(Operation.CANCEL_JOB, job=number)

    async def close(self) -> None:
        self._worker.shutdown(wait=False)

    # ---------------------------------------------------------------- requests

    async def _ask(
        self,
        operation: Operation,
        more: Iterable[Attribute] = (),
        *,
        job: int | None = None,
        document: bytes = b"",
        job_options: tuple[Attribute, ...] = (),
    ) -> IppMessage:
        self._number = self._number % 0x7FFFFFFF + 1
        scheme = f"ipp://localhost{self._path}"
        if not isinstance(self._server, str):
            scheme = f"ipp://{self._server[0]}:{self._server[1]}{self._path}"
        message = request(operation, self._number, scheme, self._user, more, job=job, document=document)
        if job_options:
            message = IppMessage(
                message.code, message.request, (*message.groups, Group(Tag.JOB, job_options)), document
            )
        body = message.to_bytes()
        try:
            data = await asyncio.get_running_loop().run_in_executor(self._worker, self._blocking_post, body)
        except RuntimeError as error:  # closed meanwhile
            raise LineLostError(f"{self.name}: {error}") from error
        answer = IppMessage.from_bytes(data)
        if not answer.good:
            if answer.code == Status.NOT_POSSIBLE and operation is Operation.CANCEL_JOB:
                raise _Ended(f"{self.name}: ended already", answer.code)
            missing = answer.code == Status.NOT_FOUND and job is None
            raise QueueRefusedError(
                f"{self.name}: {operation.name} refused, {answer.code:#06x}",
                answer.code,
                "cups.no_queue" if missing else "cups.job_refused",
            )
        return answer

    def _blocking_post(self, body: bytes) -> bytes:
        connection = (
            _LocalConnection(self._server, self._answer_s)
            if isinstance(self._server, str)
            else http.client.HTTPConnection(*self._server, timeout=self._answer_s)
        )
        headers = {"Content-Type": "application/ipp"}
        if isinstance(self._server, str):
            headers["Authorization"] = f"PeerCred {self._user}"
        try:
            connection.request("POST", quote(self._path), body, headers)
            answer = connection.getresponse()
            data = answer.read(ANSWER_LIMIT)
        except (OSError, ValueError, http.client.HTTPException) as error:  # ValueError: no name of a host
            raise LineLostError(f"{self.name}: {error}", code="cups.spooler_down") from error
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise QueueRefusedError(f"{self.name}: HTTP {answer.status}", answer.status)
        return data


class QueueRefusedError(RefusedError):
    """The queue refuses; `reply` is its IPP or HTTP status."""

    def __init__(self, detail: str, reply: int, code: str = "cups.job_refused") -> None:
        super().__init__(detail, reply)
        self.code = code


class _Ended(QueueRefusedError):
    """The job that was to be cancelled has ended."""


class _LocalConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def server_of(uri: str) -> tuple[tuple[str, int], str] | None:
    """Where the IPP printer of a device URI can be asked itself; None when it cannot be."""
    try:
        parts = urlsplit(uri)
        if parts.scheme != "ipp" or not parts.hostname:
            return None
        return (parts.hostname, parts.port or IPP_PORT), parts.path or "/"
    except ValueError:  # no address
        return None


def _first(answer: IppMessage, tag: Tag) -> Group:
    groups = answer.all(tag)
    if not groups:
        raise FrameError("an IPP answer without its group")
    return groups[0]


def _bare(reason: str) -> str:
    for suffix in _SUFFIXES:
        reason = reason.removesuffix(suffix)
    return reason
