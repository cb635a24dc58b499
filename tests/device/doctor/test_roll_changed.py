"""`doctor roll-changed`: the count of paper that a driver keeps begins anew, while the agent is stopped."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from device.clock import Clock
from device.storage import Storage
from drivers.ticket_printer.fake import FakeEscposPrinter
from drivers.transport.fake import PtyLine

PROFILE = """
hall = "hall-1"
node = "kiosk-1"
storage = "{folder}/agent.db"
broker = {{ host = "127.0.0.1" }}
[[device]]
id = "printer"
driver = "escpos"
options = {{ transport = {{ type = "serial", path = "{folder}/printer" }} }}
[[station]]
kind = "kiosk"
id = "kiosk-1"
printer = "printer"
"""


@pytest.fixture
async def node(tmp_path: Path) -> Any:
    """A node whose printer has used 40 m of its roll, and whose agent is stopped."""
    from datetime import UTC

    storage = Storage(tmp_path / "agent.db", "session-1", Clock(UTC))
    await storage.start()
    await storage.keep("driver/printer", json.dumps({"roll_used_mm": 40000, "ticket_mm": 92.5}).encode())
    await storage.stop()
    (tmp_path / "node.toml").write_text(PROFILE.format(folder=tmp_path))
    line = PtyLine(FakeEscposPrinter(), tmp_path / "printer")
    await line.plug()
    yield line
    await line.unplug()


def kept(folder: Path) -> dict[str, Any]:
    with sqlite3.connect(folder / "agent.db") as connection:
        (row,) = connection.execute("SELECT value FROM kept WHERE key='driver/printer'").fetchone()
    found: dict[str, Any] = json.loads(row)
    return found


async def test_the_count_begins_anew_and_the_length_of_a_ticket_stays(
    node: PtyLine, tmp_path: Path, doctor: Any
) -> None:
    status, said = await doctor("roll-changed", "--profile", str(tmp_path / "node.toml"))
    assert status == 0, said
    facts = kept(tmp_path)
    assert (facts["roll_used_mm"], facts["ticket_mm"]) == (0, 92.5)
    assert not node.device.tickets  # type: ignore[attr-defined]


async def test_nothing_is_changed_while_the_agent_runs(node: PtyLine, tmp_path: Path, doctor: Any) -> None:
    with (tmp_path / "agent.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, said = await doctor("roll-changed", "--profile", str(tmp_path / "node.toml"))
    assert status == 1 and "doctor.test_agent" in said
    assert kept(tmp_path)["roll_used_mm"] == 40000
    assert node.bytes_in == 0


async def test_a_printer_that_is_away_is_said_with_its_code(
    node: PtyLine, tmp_path: Path, doctor: Any
) -> None:
    await node.unplug()
    status, said = await doctor("roll-changed", "--profile", str(tmp_path / "node.toml"))
    assert status == 1 and "device.unplugged" in said
    assert kept(tmp_path)["roll_used_mm"] == 40000
