"""What a check works with, and the list of checks."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from host_hall import HostHall
from machine import Machine
from session import Device, Session

from drivers.transport.fake import Line

FAULT_S: Final = 5.0
"""The promise: so soon a fault of a device can be read in its state."""


class Bench:
    """The running machine with Paihao installed. `note` is for figures that belong in the table."""

    def __init__(self, machine: Machine, session: Session, artefacts: Path) -> None:
        self.machine = machine
        self.session = session
        self.artefacts = artefacts
        self.notes: list[str] = []
        self._hall: HostHall | None = None

    async def hall(self) -> HostHall:
        """The hall that the agent inside belongs to, started when it is first wanted."""
        if self._hall is None:
            hall = HostHall(self.machine.folder / "hall")
            await hall.start()
            self._hall = hall
            await hall.wait_ready()
            await hall.set_up(self.machine)
        return self._hall

    async def close(self) -> None:
        if self._hall is not None:
            await self._hall.stop()

    def note(self, text: str) -> None:
        self.notes.append(text)

    async def inside(self, command: str, timeout: float = 120.0, *, check: bool = True) -> str:
        """Standard output of a shell command in the machine, as root."""
        return await self.machine.agent.run(command, timeout, check=check)

    @asynccontextmanager
    async def plugged(self, line: Line) -> AsyncIterator[Line]:
        """A line that is plugged in during the block."""
        await line.plug()
        try:
            yield line
        finally:
            await line.unplug()

    @asynccontextmanager
    async def driver(self, name: str, driver: str, **options: Any) -> AsyncIterator[Device]:
        """A driver of the installed package, supervised, in the sandbox of the agent's unit."""
        async with self.session.device(name, driver, options) as device:
            yield device

    async def in_time(self, what: str, waiting: Awaitable[float], limit: float = FAULT_S) -> None:
        """`waiting` gives the seconds it took: noted, and no more than `limit`."""
        took = await waiting
        self.note(f"{what} {took:.1f} s")
        assert took <= limit, f"{what} took {took:.1f} s"


@dataclass(frozen=True, slots=True)
class Check:
    """`short`: also in the shortened run. `power`: cuts the power, so it comes last."""

    name: str
    about: str
    run: Callable[[Bench], Awaitable[None]]
    short: bool
    power: bool


@dataclass(slots=True)
class Result:
    name: str
    outcome: str
    """ok, failed or skipped."""
    seconds: float
    notes: list[str] = field(default_factory=list)
    error: str = ""


CHECKS: Final[dict[str, Check]] = {}


def check(
    about: str, *, short: bool = True, power: bool = False
) -> Callable[[Callable[[Bench], Awaitable[None]]], Callable[[Bench], Awaitable[None]]]:
    """Puts a function on the list under its own name."""

    def put(function: Callable[[Bench], Awaitable[None]]) -> Callable[[Bench], Awaitable[None]]:
        CHECKS[function.__name__] = Check(function.__name__, about, function, short, power)
        return function

    return put


def stopwatch() -> Callable[[], float]:
    """Call it for the seconds since it was made."""
    began = time.monotonic()
    return lambda: time.monotonic() - began
