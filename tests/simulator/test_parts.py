"""A part is watched over as systemd would: ready, restarted, killed when it hangs, never an orphan."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from simulator.parts import Part

PROGRAM = """
import os, signal, socket, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
print("running", os.environ["WATCHDOG_USEC"], flush=True)
notify.send(b"STATUS=here\\nREADY=1")
while True:
    time.sleep(0.05)
    if "feed" in sys.argv:
        notify.send(b"WATCHDOG=1")
"""


def part(folder: Path, *words: str, watchdog_s: float = 10.0) -> Part:
    command = [sys.executable, "-c", PROGRAM, *words]
    return Part("sample", command, folder, restart_delay_s=0.01, watchdog_s=watchdog_s)


async def test_it_is_ready_when_it_says_so_and_stops_on_sigterm(tmp_path: Path) -> None:
    sample = part(tmp_path)
    await sample.start()
    await sample.wait_ready()
    pid = sample.pid
    assert pid is not None
    await sample.stop()
    assert sample.state == "stopped"
    assert sample.last_line() == "running 10000000"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_killed_part_comes_back(tmp_path: Path) -> None:
    sample = part(tmp_path)
    await sample.start()
    await sample.wait_ready()
    before = sample.pid
    sample.kill()
    await sample.wait_ready(10, starts=2)
    assert sample.pid != before
    await sample.stop()


async def test_a_part_that_hangs_is_killed_and_comes_back(tmp_path: Path) -> None:
    sample = part(tmp_path, "feed", watchdog_s=1.0)
    await sample.start()
    await sample.wait_ready()
    sample.kill(signal.SIGSTOP)
    await sample.wait_ready(10, starts=2)
    await sample.stop()


async def test_a_part_that_never_gets_ready_says_why(tmp_path: Path) -> None:
    sample = Part("broken", [sys.executable, "-c", "import sys; sys.exit('no such hall')"], tmp_path)
    await sample.start()
    with pytest.raises(TimeoutError, match="no such hall"):
        await sample.wait_ready(timeout=1.5)
    await sample.stop()


async def test_a_part_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    """Out of processes or descriptors for a moment, or its program is just being replaced."""
    program = tmp_path / "program"
    sample = Part("sample", [str(program)], tmp_path, restart_delay_s=0.01)
    tried = asyncio.Event()
    sample.on_change = tried.set
    await sample.start()
    async with asyncio.timeout(10):
        await tried.wait()
    assert sample.starts == 0
    whole = tmp_path / "whole"
    whole.write_text(f"#!{sys.executable}\n{PROGRAM}")
    whole.chmod(0o755)
    whole.rename(program)
    await sample.wait_ready(15)
    await sample.stop()


async def test_parts_die_with_their_parent(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import asyncio, sys\nfrom pathlib import Path\nfrom simulator.parts import Part\n"
        "async def yes(): return True\n"
        "async def main():\n"
        "    sample = Part('child', ['sleep', '600'], Path(sys.argv[1]), probe=yes)\n"
        "    await sample.start()\n    await sample.wait_ready()\n"
        "    print(sample.pid, flush=True)\n    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n",
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(5):
        while _runs(child):
            await asyncio.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
