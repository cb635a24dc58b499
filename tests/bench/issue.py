"""Numbers per second with 1, 10 and 200 callers at once: inside the coordinator, over MQTT, over REST.

Every number is durable before it is answered, and no number may come twice (checked, or the bench fails).
MQTT and REST go to the installed `paihao hall` in its own process; the callers are a process too, on the
same machine.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from results import ROOT, Results, percentile

from hall.config import load_config
from hall.runtime import Runtime
from simulator.broker import Broker
from simulator.ports import accepts, free_port
from simulator.toml_text import toml_text

CALLERS = (1, 10, 200)
HALL = "demo"
AIMS = {("inside the coordinator", 200): 5000.0, ("over REST", 10): 1200.0}


def _config(folder: Path, broker_port: int, api_port: int) -> Path:
    tables = tomllib.loads((ROOT / "firmware_config" / "hall" / "hall.toml").read_text("utf-8"))
    tables["hall"]["storage"] = str(folder / "hall.db")
    tables["broker"]["port"] = broker_port
    tables["api"]["port"] = api_port
    path = folder / "hall.toml"
    path.write_text(toml_text(tables), "utf-8")
    return path


def _report(
    results: Results, how: str, callers: int, numbers: list[str], took: list[float], s: float
) -> None:
    if len(set(numbers)) != len(numbers):
        raise SystemExit(f"a number was issued twice {how} with {callers} callers")
    more: dict[str, object] = {
        "p50_ms": statistics.median(took) * 1000,
        "p99_ms": percentile(took, 0.99) * 1000,
    }
    if (aim := AIMS.get((how, callers))) is not None:
        more["aim"] = aim
    results.add(f"numbers issued {how}, {callers} callers", len(numbers) / s, "per s", n=len(numbers), **more)


async def _inside(results: Results, folder: Path, seconds: float) -> None:
    policy = load_config(_config(folder, 1, 1)).policy()
    for callers in CALLERS:
        runtime = Runtime(HALL, policy, str(folder / f"inside-{callers}.db"))
        await runtime.start()
        services = list(policy.services)
        numbers: list[str] = []
        took: list[float] = []
        began = time.perf_counter()
        until = began + seconds

        async def caller(index: int) -> None:
            while time.perf_counter() < until:
                start = time.perf_counter()
                decision = await runtime.issue(services[index % len(services)])
                took.append(time.perf_counter() - start)
                ticket = runtime.ticket(decision)
                assert ticket is not None
                numbers.append(ticket.number)

        await asyncio.gather(*(caller(index) for index in range(callers)))
        _report(results, "inside the coordinator", callers, numbers, took, time.perf_counter() - began)
        await runtime.stop()


@asynccontextmanager
async def _hall(folder: Path) -> AsyncIterator[tuple[int, int]]:
    """A broker and `paihao hall`: (broker's port, interface's port)."""
    folder.mkdir()
    broker = Broker(folder / "broker")
    await broker.start()
    api_port = free_port()
    config = _config(folder, broker.port, api_port)
    with (folder / "hall.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "paihao", "hall", "--config", str(config), stderr=log
        )
        try:
            async with asyncio.timeout(30):
                while not await accepts(api_port):
                    await asyncio.sleep(0.1)
            await asyncio.sleep(1)
            yield broker.port, api_port
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await broker.stop()


async def _outside(results: Results, how: str, callers: int, arguments: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("callers.py")),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"callers {how} failed")
    told = json.loads(out)
    _report(results, how, callers, told["numbers"], told["took"], told["seconds"])


async def run(results: Results, folder: Path, *, quick: bool) -> None:
    """Print all nine rates."""
    seconds = 2.0 if quick else 6.0
    await _inside(results, folder, seconds)
    for callers in CALLERS:
        async with _hall(folder / f"rest-{callers}") as (_, api_port):
            await _outside(results, "over REST", callers, ["rest", str(api_port), str(callers), str(seconds)])
    for callers in CALLERS:
        async with _hall(folder / f"mqtt-{callers}") as (broker_port, _):
            await _outside(
                results, "over MQTT", callers, ["mqtt", str(broker_port), HALL, str(callers), str(seconds)]
            )
