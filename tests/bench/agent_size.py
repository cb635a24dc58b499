"""Start-up and memory of a counter node's agent beside a bare asyncio + sqlite + ssl one; syncs per key.

Start-up is from `exec` to READY=1 on the notification socket, as systemd sees it; the bare process sends the
same datagram. Memory is the proportional set size (PSS) two seconds later.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import statistics
import sys
import time
from pathlib import Path

from latency import Coordinator
from profiles import counter_profile
from results import Results

from drivers.call_screen.fake import FakeOnbonCard
from drivers.keypad.fake import FakeSerialKeypad
from drivers.transport.fake import PtyLine
from simulator.broker import Broker

FLOOR = str(Path(__file__).with_name("floor.py"))


class Notified:
    """The socket that systemd would listen on."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "notify")
        Path(self.path).unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.setblocking(False)
        # as installed: byte code is on disk
        self.environment = {
            **os.environ,
            "NOTIFY_SOCKET": self.path,
            "PYTHONPYCACHEPREFIX": str(folder / "cache"),
        }
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)

    async def ready(self) -> None:
        async with asyncio.timeout(30):
            while b"READY=1" not in await asyncio.get_running_loop().sock_recv(self._socket, 4096):
                pass

    def close(self) -> None:
        self._socket.close()


async def _start(command: list[str], notified: Notified) -> tuple[asyncio.subprocess.Process, float]:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command,
        env=notified.environment,
        stderr=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    await notified.ready()
    return process, time.perf_counter() - began


def _pss_mib(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    await process.wait()


async def run(results: Results, folder: Path, *, quick: bool) -> None:
    """Print start-up, memory and syncs."""
    broker = Broker(folder / "broker")
    await broker.start()
    coordinator = Coordinator()
    await coordinator.start(broker.port)
    card, keypad = FakeOnbonCard(), FakeSerialKeypad()
    lines = [PtyLine(card, folder / "screen-1"), PtyLine(keypad, folder / "keypad-1")]
    for line in lines:
        await line.plug()
    profile = folder / "node.toml"
    profile.write_text(counter_profile(folder, broker.port, ["1"]))
    agent = [sys.executable, "-m", "paihao", "agent", "--config", str(profile)]
    notified = Notified(folder)
    try:
        started: dict[str, list[float]] = {"agent": [], "bare": []}
        memory: dict[str, list[float]] = {"agent": [], "bare": []}
        for sample in range(5 if quick else 16):
            for name, command in (("agent", agent), ("bare", [sys.executable, FLOOR, "bare"])):
                process, seconds = await _start(command, notified)
                await asyncio.sleep(2)
                if sample:  # the first one compiles
                    started[name].append(seconds)
                    memory[name].append(_pss_mib(process.pid))
                await _end(process)
        results.compare("start-up of a counter node's agent", started["agent"], started["bare"])
        mine, bare = statistics.median(memory["agent"]), statistics.median(memory["bare"])
        results.add(
            "memory of a counter node's agent (PSS)",
            mine,
            "MiB",
            n=len(memory["agent"]),
            floor=bare,
            ratio=mine / bare,
        )
        await _count_syncs(results, agent, notified, keypad, coordinator, folder, 50 if quick else 200)
    finally:
        notified.close()
        for line in lines:
            await line.unplug()
        await broker.stop()


async def _count_syncs(
    results: Results,
    agent: list[str],
    notified: Notified,
    keypad: FakeSerialKeypad,
    coordinator: Coordinator,
    folder: Path,
    presses: int,
) -> None:
    """fdatasync and fsync calls of the agent while keys are pressed, under strace."""
    strace = shutil.which("strace")
    if strace is None:
        results.add("disk syncs per key event", "strace is missing", "")
        return
    trace = folder / "syncs.txt"
    command = [strace, "-f", "-qq", "-e", "trace=fdatasync,fsync", "-o", str(trace), *agent]
    process, _ = await _start(command, notified)
    await asyncio.sleep(4)
    before = trace.read_text().count("sync(")
    for _ in range(presses):
        coordinator.key_seen.clear()
        keypad.press("next")
        async with asyncio.timeout(10):
            await coordinator.key_seen.wait()
        await asyncio.sleep(0.3)
    after = trace.read_text().count("sync(")
    # strace itself does not end from a signal; its child does
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGTERM)
    await process.wait()
    results.add("disk syncs per key event", (after - before) / presses, "syncs", n=presses)
