"""The agent's own unit under a running systemd: started, watched, killed, hung, stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench import Bench, check, stopwatch
from checks_serial import adapter
from host_hall import PRINTER, HostHall

from drivers.card_reader.fake import FakeSamReader
from drivers.ticket_printer.fake import FakeEscposPrinter

BACK_S = 30.0
"""The promise: whatever is killed or hangs is back so soon."""
CITIZEN = "/opt/paihao/bin/python /opt/virtual-pi/citizen.py /run/paihao/screens.sock kiosk-1"


@asynccontextmanager
async def kiosk(bench: Bench, printer: FakeEscposPrinter) -> AsyncIterator[HostHall]:
    """A kiosk with its printer and card reader, its agent running and online."""
    hall = await bench.hall()
    async with (
        bench.plugged(adapter(bench, "printer", printer)),
        bench.plugged(adapter(bench, "card", FakeSamReader())),
    ):
        await bench.inside("systemctl start paihao-agent")
        try:
            await hall.until_node("online")
            await hall.until_device(PRINTER, "ok")
            yield hall
        finally:
            await bench.inside("systemctl stop paihao-agent")


async def shown(bench: Bench, name: str) -> str:
    return (await bench.inside(f"systemctl show -P {name} paihao-agent")).strip()


@check(
    "the unit starts: ready by sd_notify, user and folders, devices well, a ticket; stopped, it says offline"
)
async def agent_unit_runs(bench: Bench) -> None:
    printer = FakeEscposPrinter()
    took = stopwatch()
    async with kiosk(bench, printer) as hall:
        bench.note(f"online after {took():.1f} s")
        await hall.until_device("card-reader", "ok")
        pid = await shown(bench, "MainPID")
        assert await shown(bench, "SubState") == "running"
        assert (await bench.inside(f"stat -c %U /proc/{pid}")).strip() == "paihao"
        folders = await bench.inside("stat -c '%U %a' /run/paihao /var/lib/paihao /var/lib/paihao/agent.db")
        assert folders.split("\n")[:2] == ["paihao 750", "paihao 700"], folders
        assert folders.split()[4] == "paihao", folders
        said = await bench.inside(f"{CITIZEN} 1")
        assert '"paper": "confirmed"' in said, said
        took = stopwatch()
    bench.note(f"stopped in {took():.1f} s")
    assert await shown(bench, "Result") == "success"
    await hall.until_node("offline", 10)
    assert len([ticket for ticket in printer.tickets if ticket.whole and ticket.qr]) == 1


@check("the agent is killed with -9: systemd starts it again and its devices work")
async def agent_killed(bench: Bench) -> None:
    async with kiosk(bench, FakeEscposPrinter()) as hall:
        before = await shown(bench, "MainPID")
        took = stopwatch()
        await bench.inside(f"kill -9 {before}")
        await hall.until_node("lost", 30)
        await hall.until_node("online", BACK_S)
        await hall.until_device(PRINTER, "ok", BACK_S)
        bench.note(f"back after {took():.1f} s")
        assert took() < BACK_S
        assert await shown(bench, "MainPID") not in (before, "0")
        assert '"paper": "confirmed"' in await bench.inside(f"{CITIZEN} 1")


@check("the agent hangs (SIGSTOP): systemd's watchdog ends it and starts it again", short=False)
async def agent_hangs(bench: Bench) -> None:
    async with kiosk(bench, FakeEscposPrinter()) as hall:
        before = await shown(bench, "MainPID")
        took = stopwatch()
        await bench.inside(f"kill -STOP {before}")
        async with asyncio.timeout(60):
            while await shown(bench, "MainPID") in (before, "0"):
                await asyncio.sleep(0.5)
        await hall.until_node("online", BACK_S)
        await hall.until_device(PRINTER, "ok", BACK_S)
        bench.note(f"back after {took():.1f} s")
        assert took() < BACK_S
        assert "watchdog" in (await bench.inside("journalctl -u paihao-agent -o cat --since -2min")).lower()
