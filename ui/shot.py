"""Ask the screen programs of this machine for pictures of what they show."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Final

WAIT_S: Final = 5.0


def shoot(folder: Path) -> list[Path]:
    """The pictures that came into `folder` within five seconds, one for each program that could be asked."""
    before = set(folder.glob("*.png"))
    asked = 0
    for process in programs():
        try:
            os.kill(process, signal.SIGUSR1)
            asked += 1
        except (ProcessLookupError, PermissionError):
            continue  # it has ended, or is not ours
    until = time.monotonic() + WAIT_S
    while len(made := set(folder.glob("*.png")) - before) < asked and time.monotonic() < until:
        time.sleep(0.05)
    return sorted(made)


def programs() -> list[int]:
    """Processes that run `paihao screen PROGRAM --station …`: they wait for the signal."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            blocked = _mask(entry, "SigBlk")
        except OSError:
            continue  # it has ended
        # Blocked: the program takes the signal by itself. A shell that only has the words would be ended.
        if b"screen" in words and b"--station" in words and blocked >> (signal.SIGUSR1 - 1) & 1:
            found.append(int(entry.name))
    return found


def _mask(process: Path, name: str) -> int:
    for line in (process / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1], 16)
    return 0
