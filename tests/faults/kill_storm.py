"""kill -9 of agents, broker and coordinator at random moments of a running busy day, then the checker.

Every part is started again as systemd would. Afterwards the hall gets time to settle, is stopped, and paper
and ratings are compared with the journal; its hash chain is verified by the product's own command.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path

from checker import Verdict, check
from evidence import PaperTray, journal_rows, ratings_of, with_ticket_url

from simulator.busy_day import BusyDay
from simulator.hall_site import BROKER, HALL, HallSite

SETTLE_S = 25.0
"""Longer than any back-off: all outboxes are empty after it."""


class Storm:
    """What was killed when, and how long each part was away."""

    def __init__(self, site: HallSite, seed: int) -> None:
        self._site = site
        self._random = random.Random(seed)
        self.back_s: dict[str, list[float]] = {"agent": [], BROKER: [], HALL: []}
        self._waiting: set[asyncio.Task[None]] = set()

    async def run(self, kills: int, pause_s: float) -> None:
        """`kills` of each kind in random order, about `pause_s` apart."""
        targets = ["agent", BROKER, HALL] * kills
        self._random.shuffle(targets)
        for kind in targets:
            await asyncio.sleep(self._random.uniform(0.4, 1.6) * pause_s)
            name = self._random.choice(self._site.nodes) if kind == "agent" else kind
            part = self._site.parts[name]
            if part.state == "ready":
                starts = part.starts
                part.kill()
                task = asyncio.create_task(self._time(kind, name, starts + 1))
                self._waiting.add(task)
                task.add_done_callback(self._waiting.discard)

    async def settle(self) -> None:
        if self._waiting:
            await asyncio.wait(self._waiting)
        await asyncio.sleep(SETTLE_S)

    async def _time(self, kind: str, name: str, starts: int) -> None:
        began = time.monotonic()
        await self._site.parts[name].wait_ready(60, starts=starts)
        self.back_s[kind].append(time.monotonic() - began)


async def run(
    folder: Path, *, kills: int, people: int, speed: float, pause_s: float, seed: int = 1
) -> tuple[Verdict, Storm, BusyDay]:
    """One storm; the verdict's problems are empty when every promise held."""
    site = HallSite(folder, settings=with_ticket_url)
    storm = Storm(site, seed)
    try:
        await site.start()
        await site.wait_ready()
        await site.wait_devices()
        tray = PaperTray(site)
        day = BusyDay(site, speed=speed, seed=seed, people=people)
        await day.start()
        await storm.run(kills, pause_s)
        try:
            async with asyncio.timeout(900):
                await day.wait()
        except TimeoutError:
            await day.stop()
        await storm.settle()
    finally:
        await site.stop()
    verdict = check(tray.papers, ratings_of(day), journal_rows(folder / "hall.db"))
    verdict.counts.update(torn=tray.torn, gave_up=day.gave_up, arrived=day.arrived)
    await _verify_chain(folder, verdict)
    return verdict, storm, day


async def _verify_chain(folder: Path, verdict: Verdict) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "paihao", "journal", "verify", "--config", str(folder / "hall.toml"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    if process.returncode:
        verdict.problems.append(f"the journal's chain: {said.decode()[-300:]}")
