from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from device import database
from device.storage import Storage
from wire.codec import decode, event_body
from wire.messages import NodeEvent, TicketIssuedOffline

WRITER = Path(__file__).with_name("storage_writer.py")
ROOM = str(Path(__file__).parents[2])
OpenStorage = Callable[..., Awaitable[Storage]]


def command(path: Path, count: int, what: str) -> list[str]:
    return [sys.executable, str(WRITER), str(path), str(count), what]


def write_and_kill(path: Path, times: int) -> list[tuple[str, str]]:
    """What the writer said was done: ("event", seq) or ("burned", number)."""
    said: list[tuple[str, str]] = []
    chance = random.Random(7)
    for _ in range(times):
        process = subprocess.Popen(
            command(path, 100_000, "tickets"),
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": ROOM},
        )
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(chance.randint(1, 120))]
        time.sleep(chance.random() * 0.02)  # somewhere in the middle of a commit
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines()
        process.wait()
        said += [(what, value) for what, _, value in (line.strip().partition(" ") for line in lines) if value]
    return said


async def test_nothing_committed_is_lost_and_no_number_is_used_twice_when_killed_at_any_moment(
    open_storage: OpenStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "KEPT_ACKED_ROWS", 1_000_000)
    said = write_and_kill(tmp_path / "agent.db", times=6)
    storage = await open_storage()
    events = [decode(row.payload, NodeEvent) for row in await storage.rows_after(0, 1_000_000)]
    assert [e.seq for e in events] == list(range(1, len(events) + 1)), "a gap"
    seqs = [int(value) for what, value in said if what == "event"]
    assert len(set(seqs)) == len(seqs), "a seq was given twice"
    assert set(seqs) <= {e.seq for e in events}, "a committed event is gone"
    burned = Counter(value for what, value in said if what == "burned")
    assert max(burned.values()) == 1, "a number was given twice"
    reported = {b.number for e in events if isinstance(b := event_body(e), TicketIssuedOffline)}
    assert set(burned) <= reported, "a number that was burned was never reported"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_an_event_costs_exactly_one_fdatasync(tmp_path: Path) -> None:
    def syncs(count: int) -> Counter[str]:
        log = tmp_path / f"{count}.strace"
        subprocess.run(
            ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(log)]  # noqa: RUF005
            + command(tmp_path / f"{count}.db", count, "events"),
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": ROOM},
        )
        return Counter(re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.M))

    few, many = syncs(10), syncs(310)
    assert many - few == Counter(fdatasync=300)
