"""A network printer that does not exist: IPP over HTTP in front of a fake ESC/POS mechanism.

Its own reading of the protocol, written from RFC 8010 and 8011 and not from the driver; CUPS' ipp backend,
which talks to it in the tests, is the judge of it. A job is completed when its last byte has been printed,
which is what makes such a printer's word a proof.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from dataclasses import dataclass
from typing import Final

from drivers.ticket_printer.fake import RECEIVE_BUFFER, FakeEscposPrinter

JOBS_LIMIT: Final = 50
"""So many of the last jobs are known."""
DOCUMENT_LIMIT: Final = 4 << 20
_OPERATIONS: Final = (0x0002, 0x0004, 0x0005, 0x0006, 0x0008, 0x0009, 0x000A, 0x000B)
_FORMATS: Final = (b"application/octet-stream", b"application/vnd.cups-raw")


@dataclass(slots=True)
class _Job:
    number: int
    name: bytes = b""
    state: int = 3
    given: bool = False
    """Its document has come."""
    waiting: bytes = b""
    ends: int = 0
    """Bytes that the mechanism has worked through when this job is out."""


class FakeIppPrinter:
    """`paper` is the mechanism: its tickets, its misbehaviour. `port` is known after `plug`."""

    def __init__(self, paper: FakeEscposPrinter | None = None) -> None:
        self.paper = paper or FakeEscposPrinter()
        self.port = 0
        self.jobs: dict[int, _Job] = {}
        self._last = 0
        self._feeding = False
        self.paper.on_change = self._work
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def plug(self) -> None:
        """On the network; under the same port as before."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def unplug(self) -> None:
        """Off the network."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for writer in list(self._writers):
                writer.transport.abort()

    @property
    def uri(self) -> str:
        return f"ipp://127.0.0.1:{self.port}/ipp/print"

    def forget(self) -> None:
        """As after its power was away for a moment: it knows no job any more, and prints none."""
        self.jobs.clear()
        self.paper.power_off()
        self.paper.power_on()

    # ---------------------------------------------------------------- printing

    @property
    def _reasons(self) -> list[bytes]:
        found = []
        if not self.paper.paper:
            found.append(b"media-empty-error")
        elif self.paper.near_end:
            found.append(b"media-low-warning")
        if self.paper.cover_open:
            found.append(b"cover-open-error")
        if self.paper.cutter_error:
            found.append(b"other-error")
        return found or [b"none"]

    def _work(self) -> None:
        """Give the mechanism what it takes, and see which job it is through with."""
        if self._feeding:
            return
        paper = self.paper
        for job in list(self.jobs.values()):
            if job.given and job.state in (3, 5, 6):
                self._feeding = True
                while (
                    job.waiting and not paper.offline and job.ends < paper.worked_bytes + RECEIVE_BUFFER // 2
                ):
                    data, job.waiting = job.waiting[:1024], job.waiting[1024:]
                    job.ends = max(job.ends, paper.worked_bytes) + len(data)
                    paper.received(data)
                self._feeding = False
                job.state = 6 if paper.offline else 5
                if not job.waiting and not paper.offline and paper.worked_bytes >= job.ends:
                    job.state = 9
                return

    # ---------------------------------------------------------------- HTTP

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if b"expect: 100-continue" in head:
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = await self._body(reader, head)
                answer = self._answer(body)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nContent-Length: "
                    + str(len(answer)).encode()
                    + b"\r\n\r\n"
                    + answer
                )
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError):
            pass
        finally:
            self._writers.discard(writer)
            with contextlib.suppress(OSError):
                writer.close()

    @staticmethod
    async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
        for line in head.split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return await reader.readexactly(min(int(line[15:]), DOCUMENT_LIMIT))
        body = bytearray()
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
            if len(body) > DOCUMENT_LIMIT:
                raise ValueError("too long")
        await reader.readuntil(b"\r\n")
        return bytes(body)

    # ---------------------------------------------------------------- IPP

    def _answer(self, body: bytes) -> bytes:
        self._work()
        operation, number = struct.unpack_from(">HI", body, 2)
        at = 8
        named: dict[bytes, bytes] = {}
        while body[at] != 3:
            if body[at] < 0x10:
                at += 1
                continue
            size = struct.unpack_from(">H", body, at + 1)[0]
            name = body[at + 3 : at + 3 + size]
            at += 3 + size
            length = struct.unpack_from(">H", body, at)[0]
            named.setdefault(name, body[at + 2 : at + 2 + length])
            at += 2 + length
        document = body[at + 1 :]
        job = self.jobs.get(int.from_bytes(named.get(b"job-id", b""), "big"))
        status, groups = 0x0000, b""
        match operation:
            case 0x000B:
                groups = b"\x04" + self._printer()
            case 0x0002 | 0x0005:
                self._last += 1
                job = _Job(self._last, named.get(b"job-name", b""))
                self.jobs[job.number] = job
                while len(self.jobs) > JOBS_LIMIT:
                    del self.jobs[next(iter(self.jobs))]
                if operation == 0x0002:
                    self._print(job, document)
                groups = b"\x02" + self._job(job)
            case 0x0004:
                pass
            case 0x000A:
                ended = named.get(b"which-jobs") == b"completed"
                found = [each for each in reversed(self.jobs.values()) if (each.state >= 7) is ended]
                groups = b"".join(b"\x02" + self._job(each) for each in found)
            case 0x0006 | 0x0008 | 0x0009 if job is None:
                status = 0x0406
            case 0x0006 if job is not None:
                self._print(job, document)
                groups = b"\x02" + self._job(job)
            case 0x0009 if job is not None:
                groups = b"\x02" + self._job(job)
            case 0x0008 if job is not None:
                status = 0x0404 if job.state >= 7 else 0
                if job.state < 7:
                    job.state, job.waiting = 7, b""
                    self.paper.received(b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08")
            case _:
                status = 0x0501
        charset = _one(0x47, b"attributes-charset", b"utf-8")
        language = _one(0x48, b"attributes-natural-language", b"en")
        return struct.pack(">HHI", 0x0200, status, number) + b"\x01" + charset + language + groups + b"\x03"

    def _print(self, job: _Job, document: bytes) -> None:
        job.given, job.waiting = True, document
        self._work()

    def _printer(self) -> bytes:
        stopped = self.paper.offline
        busy = any(job.state < 7 for job in self.jobs.values())
        return b"".join(
            (
                _one(0x45, b"printer-uri-supported", self.uri.encode()),
                _one(0x44, b"uri-security-supported", b"none"),
                _one(0x44, b"uri-authentication-supported", b"none"),
                _one(0x42, b"printer-name", b"Ticket"),
                _one(0x41, b"printer-make-and-model", b"Fake IPP ticket printer"),
                _one(0x23, b"printer-state", struct.pack(">I", 5 if stopped else 4 if busy else 3)),
                _many(0x44, b"printer-state-reasons", self._reasons),
                _one(0x22, b"printer-is-accepting-jobs", b"\x01"),
                _one(0x21, b"queued-job-count", struct.pack(">I", busy)),
                _many(0x44, b"ipp-versions-supported", [b"1.1", b"2.0"]),
                _many(0x23, b"operations-supported", [struct.pack(">I", each) for each in _OPERATIONS]),
                _one(0x47, b"charset-configured", b"utf-8"),
                _one(0x47, b"charset-supported", b"utf-8"),
                _one(0x48, b"natural-language-configured", b"en"),
                _one(0x49, b"document-format-default", _FORMATS[0]),
                _many(0x49, b"document-format-supported", list(_FORMATS)),
                _one(0x44, b"compression-supported", b"none"),
                _one(0x21, b"printer-up-time", struct.pack(">I", 1)),
            )
        )

    def _job(self, job: _Job) -> bytes:
        return b"".join(
            (
                _one(0x21, b"job-id", struct.pack(">I", job.number)),
                _one(0x45, b"job-uri", f"{self.uri}/{job.number}".encode()),
                _one(0x42, b"job-name", job.name),
                _one(0x23, b"job-state", struct.pack(">I", job.state)),
                _one(0x44, b"job-state-reasons", b"printer-stopped" if job.state == 6 else b"none"),
            )
        )


def _one(tag: int, name: bytes, value: bytes) -> bytes:
    return _many(tag, name, [value])


def _many(tag: int, name: bytes, values: list[bytes]) -> bytes:
    out = b""
    for value in values:
        out += struct.pack(">BH", tag, len(name)) + name + struct.pack(">H", len(value)) + value
        name = b""
    return out
