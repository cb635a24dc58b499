"""The printer behind a print queue, on a real cupsd: what is said of a ticket, and every fault's code.

The server runs in a folder of its own, as root and as an unprivileged user (as that user only, when the tests
are not run as root). Behind its queues stand the fake printer on a raw port, and a fake IPP printer.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from typing import Any

import pytest
from cups_server import PROGRAMS, CupsServer
from printing_bench import NOTE, TICKET, VALUES

from device.clock import Clock
from device.supervision import Supervisor
from drivers.driver import Health
from drivers.errors import ConfigError, DriverError, FrameError, LineLostError
from drivers.ticket_printer import cups_printer
from drivers.ticket_printer.cups_printer import JOB_NAME, CupsConfig, CupsPrinter
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.ticket_printer.fake_ipp import FakeIppPrinter
from drivers.ticket_printer.ipp_frames import JobState
from drivers.ticket_printer.print_queue import PrintQueue
from drivers.ticket_printer.protocol import Paper
from drivers.transport.fake import TcpLine
from wire.messages import DeviceState

pytestmark = pytest.mark.skipif(
    PROGRAMS["cupsd"] is None or PROGRAMS["lpadmin"] is None, reason="cups is not installed"
)

NOBODY = 65534
USERS = [None, NOBODY] if os.getuid() == 0 else [None]
NEXT = Paper("A006", VALUES)


@pytest.fixture(scope="module", params=USERS, ids=lambda user: "unprivileged" if user else "as-we-are")
def folder(request: pytest.FixtureRequest) -> Any:
    server = CupsServer(request.param)
    yield server
    server.remove()


@pytest.fixture
async def cups(folder: CupsServer) -> AsyncIterator[CupsServer]:
    await folder.start()
    yield folder
    await folder.stop()


@pytest.fixture
async def raw(cups: CupsServer) -> AsyncIterator[tuple[FakeEscposPrinter, TcpLine]]:
    """The fake printer on a raw port behind the queue "raw"."""
    fake = FakeEscposPrinter()
    line = TcpLine(fake)
    await line.plug()
    await cups.add("raw", f"socket://127.0.0.1:{line.port}")
    yield fake, line
    await line.unplug()


@pytest.fixture
async def ipp(cups: CupsServer) -> AsyncIterator[FakeIppPrinter]:
    """A network printer behind the queue "network"."""
    fake = FakeIppPrinter()
    await fake.plug()
    await cups.add("network", fake.uri)
    yield fake
    await fake.unplug()


@asynccontextmanager
async def opened(cups: CupsServer, queue: str, **more: Any) -> AsyncIterator[CupsPrinter]:
    options: dict[str, Any] = {"start_slip": False, "poll_s": 0.05, "print_s": 20.0, "answer_s": 20.0}
    printer = CupsPrinter(CupsConfig(queue=queue, socket=cups.socket, **(options | more)))
    await printer.open()
    serving = asyncio.create_task(printer.serve())
    try:
        yield printer
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError, DriverError):
            await serving
        await printer.close()


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not done():  # what is awaited is a state of the server
            await asyncio.sleep(0.01)


async def test_ticket_over_a_raw_port_is_never_more_than_unknown(
    cups: CupsServer, raw: tuple[FakeEscposPrinter, TcpLine]
) -> None:
    async with opened(cups, "raw") as printer:
        assert printer.can_print and printer.health.state == "ok"
        result = await printer.print_ticket(TICKET)
        assert (result.outcome, result.code) == ("unknown", "cups.not_proved")
        await until(lambda: len(raw[0].tickets) == 1)
        (ticket,) = raw[0].tickets
        assert ticket.whole and ticket.qr == [TICKET.qr] and "A005" in ticket.text


async def test_ticket_is_confirmed_by_the_printer_itself_and_after_its_last_line(
    cups: CupsServer, ipp: FakeIppPrinter
) -> None:
    ipp.paper.mm_per_s = 400.0
    async with opened(cups, "network") as printer:
        result = await printer.print_ticket(TICKET)
        assert result.outcome == "confirmed"
        (ticket,) = ipp.paper.tickets
        assert ticket.whole and "A005" in ticket.text


async def test_a_note_is_proved_like_a_ticket(
    cups: CupsServer, raw: tuple[FakeEscposPrinter, TcpLine], ipp: FakeIppPrinter
) -> None:
    async with opened(cups, "raw") as printer:
        result = await printer.print_note(NOTE)
        assert (result.outcome, result.code) == ("unknown", "cups.not_proved")
        await until(lambda: len(raw[0].tickets) == 1)
        assert "√ 居民户口簿" in raw[0].tickets[0].text
    async with opened(cups, "network") as printer:
        assert (await printer.print_note(NOTE)).outcome == "confirmed"
        (note,) = ipp.paper.tickets
        assert note.whole and "居民身份证换领" in note.text


async def test_another_print_server_behind_the_queue_proves_nothing(
    cups: CupsServer, raw: tuple[FakeEscposPrinter, TcpLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server of the queue itself, asked as if it were the printer."""
    printer = CupsPrinter(CupsConfig(queue="raw", socket=cups.socket))
    await printer.open()
    queue = PrintQueue(cups.socket, "/printers/raw", 20.0)
    printer._live = await queue.state()
    assert not printer._reports
    await queue.close()
    await printer.close()


async def test_printer_that_forgot_a_job_has_not_said_that_it_printed_it(
    cups: CupsServer, ipp: FakeIppPrinter
) -> None:
    """CUPS' ipp backend calls a job completed that the printer does not know any more."""
    ipp.paper.mm_per_s = 100.0
    async with opened(cups, "network") as printer:
        printing = asyncio.create_task(printer.print_ticket(TICKET))
        await until(lambda: ipp.paper.hanging is not None)
        ipp.forget()
        assert (await printing).outcome == "unknown"
        ipp.paper.mm_per_s = 0.0
        assert (await printer.print_ticket(NEXT)).outcome == "confirmed"
        assert not any(ticket.whole and "A005" in ticket.text for ticket in ipp.paper.tickets)


@pytest.mark.parametrize("lost", [LineLostError("lost"), FrameError("garbled")], ids=["lost", "garbled"])
async def test_ticket_whose_answer_was_lost_is_called_back(
    cups: CupsServer,
    raw: tuple[FakeEscposPrinter, TcpLine],
    monkeypatch: pytest.MonkeyPatch,
    lost: DriverError,
) -> None:
    """The queue took the job, the printer is away, and the agent goes on: it must not come out later."""
    fake, line = raw
    await line.unplug()
    taken = PrintQueue.print

    async def unheard(*arguments: Any) -> int:
        await taken(*arguments)
        raise lost

    monkeypatch.setattr(PrintQueue, "print", unheard)
    async with opened(cups, "raw") as printer:
        assert (await printer.print_ticket(TICKET)).outcome == "unknown"
        queue = printer._queue
        assert queue is not None
        async with asyncio.timeout(30):
            while await queue.unfinished(JOB_NAME):
                await asyncio.sleep(0.01)
        monkeypatch.setattr(PrintQueue, "print", taken)
        await line.plug()
        assert (await printer.print_ticket(NEXT)).code == "cups.not_proved"
        await until(lambda: any("A006" in ticket.text for ticket in fake.tickets))
        assert not any("A005" in ticket.text for ticket in fake.tickets)


@pytest.mark.parametrize("at", [1, 300, 600])
async def test_ticket_that_ends_in_the_middle_is_unknown_and_never_comes_later(
    cups: CupsServer, ipp: FakeIppPrinter, at: int
) -> None:
    async with opened(cups, "network") as printer:
        ipp.paper.at_byte(at, ipp.paper.paper_out)
        result = await printer.print_ticket(TICKET)
        assert (result.outcome, result.code) == ("unknown", "printer.paper_out")
        assert printer.health.code == "printer.paper_out" and not printer.can_print
        ipp.paper.load_paper()
        await until(lambda: printer.can_print)
        assert (await printer.print_ticket(NEXT)).outcome == "confirmed"
        whole = [ticket for ticket in ipp.paper.tickets if ticket.whole]
        assert [("A006" in ticket.text, "A005" in ticket.text) for ticket in whole][-1] == (True, False)
        assert not any("A005" in ticket.text and "此纸条无效" not in ticket.text for ticket in whole)


FAULTS: list[tuple[str, str, str]] = [
    ("paper_out", "load_paper", "printer.paper_out"),
    ("open_cover", "close_cover", "printer.cover_open"),
    ("paper_low", "load_paper", "printer.paper_low"),
]


@pytest.mark.parametrize(("spoil", "mend", "code"), FAULTS)
async def test_fault_of_the_network_printer_shows_and_clears(
    cups: CupsServer, ipp: FakeIppPrinter, spoil: str, mend: str, code: str
) -> None:
    async with opened(cups, "network") as printer:
        getattr(ipp.paper, spoil)()
        await until(lambda: printer.health.code == code)
        if code != "printer.paper_low":
            assert printer.health.state == "fault"
            result = await printer.print_ticket(TICKET)
            assert (result.outcome, result.code) == ("failed", code)
            assert not ipp.jobs and not ipp.paper.tickets
        getattr(ipp.paper, mend)()
        await until(lambda: printer.health == Health("ok", None, printer.health.facts))
        assert (await printer.print_ticket(TICKET)).outcome == "confirmed"


async def test_network_printer_that_is_gone(cups: CupsServer, ipp: FakeIppPrinter) -> None:
    async with opened(cups, "network") as printer:
        await ipp.unplug()
        await until(lambda: printer.health.code == "printer.offline")
        assert (await printer.print_ticket(TICKET)).outcome == "failed"
        await ipp.plug()
        await until(lambda: printer.health.state == "ok")
        assert (await printer.print_ticket(TICKET)).outcome == "confirmed"


@pytest.mark.parametrize(
    ("spoil", "mend", "code"),
    [
        (("cupsdisable", "raw"), ("cupsenable", "raw"), "cups.queue_stopped"),
        (("cupsreject", "raw"), ("cupsaccept", "raw"), "cups.not_accepting"),
        (
            ("lpadmin", "-p", "raw", "-o", "printer-error-policy=retry-job"),
            ("lpadmin", "-p", "raw", "-o", "printer-error-policy=abort-job"),
            "cups.repeats",
        ),
    ],
)
async def test_fault_of_the_queue_shows_and_clears(
    cups: CupsServer,
    raw: tuple[FakeEscposPrinter, TcpLine],
    spoil: tuple[str, ...],
    mend: tuple[str, ...],
    code: str,
) -> None:
    async with opened(cups, "raw") as printer:
        await cups.run(*spoil)
        await until(lambda: printer.health.code == code)
        assert printer.health.state == "fault" and not printer.can_print
        result = await printer.print_ticket(TICKET)
        assert (result.outcome, result.code) == ("failed", code)
        assert not raw[0].tickets
        await cups.run(*mend)
        await until(lambda: printer.health.state == "ok")
        assert (await printer.print_ticket(TICKET)).code == "cups.not_proved"


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("media-empty-error", "printer.paper_out"),
        ("cover-open-warning", "printer.cover_open"),
        ("media-low-warning", "printer.paper_low"),
        ("offline-report", "printer.offline"),
    ],
)
async def test_what_the_queue_heard_of_its_printer_is_a_warning(
    cups: CupsServer, raw: tuple[FakeEscposPrinter, TcpLine], reason: str, code: str
) -> None:
    async with opened(cups, "raw") as printer:
        await cups.run("lpadmin", "-p", "raw", "-o", f"printer-state-reasons={reason}")
        await until(lambda: printer.health.code == code)
        # it is of the last job: only another one can tell
        assert printer.health.state == "degraded" and printer.can_print
        assert (await printer.print_ticket(TICKET)).code == "cups.not_proved"
        await cups.run("lpadmin", "-p", "raw", "-o", "printer-state-reasons=none")
        await until(lambda: printer.health.state == "ok")


async def test_printer_that_cannot_be_reached_is_given_up_and_its_ticket_never_comes(
    cups: CupsServer, raw: tuple[FakeEscposPrinter, TcpLine]
) -> None:
    fake, line = raw
    async with opened(cups, "raw", print_s=0.5) as printer:
        await line.unplug()
        result = await printer.print_ticket(TICKET)
        assert result.outcome == "unknown"
        await until(lambda: printer.health.code == "cups.job_failed")
        assert printer._queue is not None and not await printer._queue.unfinished(JOB_NAME)
        await line.plug()
    async with opened(cups, "raw") as printer:
        assert (await printer.print_ticket(NEXT)).code == "cups.not_proved"
        await until(lambda: len(fake.tickets) == 1)
        assert "A006" in fake.tickets[0].text and "A005" not in fake.tickets[0].text
        assert printer.health.state == "ok"


async def test_tickets_of_an_earlier_program_are_cancelled_and_no_others(
    cups: CupsServer, raw: tuple[FakeEscposPrinter, TcpLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, line = raw
    await line.unplug()
    queue = PrintQueue(cups.socket, "/printers/raw", 20.0)
    ours = await queue.print(JOB_NAME, cups_printer.RAW, b"\x1b@A004\n", {})
    other = await queue.print("someone's", cups_printer.RAW, b"\x1b@B001\n\x1dV\x00", {})
    elsewhere = await queue.print("paihao ticket elsewhere 1", cups_printer.RAW, b"\x1b@C001\n\x1dV\x00", {})
    async with opened(cups, "raw"):
        assert (await queue.job(ours)).state == JobState.CANCELED
        assert not (await queue.job(other)).ended
        assert not (await queue.job(elsewhere)).ended, "of another machine"
    await line.plug()
    await until(lambda: len(fake.tickets) == 2)
    assert [ticket.text for ticket in fake.tickets] == ["B001", "C001"]
    await queue.close()


async def test_cancelled_while_printing_does_not_come_out_later(
    cups: CupsServer, raw: tuple[FakeEscposPrinter, TcpLine]
) -> None:
    _fake, line = raw
    async with opened(cups, "raw") as printer:
        await line.unplug()
        printing = asyncio.create_task(printer.print_ticket(TICKET))
        queue = printer._queue
        assert queue is not None
        async with asyncio.timeout(30):
            while not await queue.unfinished(JOB_NAME):
                await asyncio.sleep(0.01)
        printing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await printing
        async with asyncio.timeout(30):
            while await queue.unfinished(JOB_NAME):
                await asyncio.sleep(0.01)


async def test_start_slip_marks_what_an_earlier_program_left(
    cups: CupsServer, raw: tuple[FakeEscposPrinter, TcpLine]
) -> None:
    raw[0].received(b"\x1b@A004\n\x1dv0\x00\x48\x00\x18\x00half an image")
    async with opened(cups, "raw", start_slip=True) as printer:
        for paper in (TICKET, NEXT):
            await printer.print_ticket(paper)
        await until(lambda: len(raw[0].tickets) == 3)
        left, ticket, second = raw[0].tickets
        assert not left.whole and "此纸条无效" in left.text
        assert "A005" in ticket.text and "A006" in second.text


async def test_queue_with_a_driver_gets_a_picture(
    cups: CupsServer, raw: tuple[FakeEscposPrinter, TcpLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, bytes]] = []

    async def caught(self: PrintQueue, name: str, kind: str, document: bytes, options: dict[str, str]) -> int:
        sent.append((kind, document))
        raise LineLostError("caught")

    monkeypatch.setattr(PrintQueue, "print", caught)
    async with opened(cups, "raw", format="image") as printer:
        await printer.print_ticket(TICKET)
    (kind, document) = sent[0]
    assert kind == "image/png" and document.startswith(b"\x89PNG")


async def test_no_such_queue_and_no_server(cups: CupsServer) -> None:
    printer = CupsPrinter(CupsConfig(queue="missing", socket=cups.socket))
    with pytest.raises(DriverError) as error:
        await printer.open()
    assert error.value.code == "cups.no_queue"
    await printer.close()
    printer = CupsPrinter(CupsConfig(queue="raw", socket="/missing/cups.sock"))
    with pytest.raises(LineLostError) as lost:
        await printer.open()
    assert lost.value.code == "cups.spooler_down"
    assert (await printer.print_ticket(TICKET)).outcome == "failed" and not printer.can_print
    await printer.close()
    await printer.close()


async def test_serve_ends_when_the_server_stops(
    cups: CupsServer, raw: tuple[FakeEscposPrinter, TcpLine]
) -> None:
    printer = CupsPrinter(CupsConfig(queue="raw", socket=cups.socket, poll_s=0.05, start_slip=False))
    await printer.open()
    serving = asyncio.create_task(printer.serve())
    await cups.stop()
    with pytest.raises(LineLostError) as lost:
        async with asyncio.timeout(30):
            await serving
    assert lost.value.code == "cups.spooler_down"
    await cups.start()
    await printer.open()
    assert (await printer.print_ticket(TICKET)).code == "cups.not_proved"
    await printer.close()


async def test_server_that_stops_shows_at_the_station_and_comes_back_by_itself(
    cups: CupsServer, raw: tuple[FakeEscposPrinter, TcpLine]
) -> None:
    config = CupsConfig(queue="raw", socket=cups.socket, poll_s=0.1, start_slip=False)
    states: list[DeviceState] = []
    supervisor = Supervisor("printer", CupsPrinter(config), Clock(UTC), states.append)
    running = asyncio.create_task(supervisor.run())

    def is_now(health: str, code: str | None) -> bool:
        return bool(states) and (states[-1].health, states[-1].code) == (health, code)

    await until(lambda: is_now("ok", None))
    await cups.stop()
    await until(lambda: is_now("missing", "cups.spooler_down"))
    await cups.start()
    await until(lambda: is_now("ok", None))
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_wrong_options() -> None:
    with pytest.raises(ConfigError):
        await CupsPrinter(CupsConfig(queue="q", layout="/missing.toml")).open()
