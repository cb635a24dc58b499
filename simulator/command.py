"""`paihao demo`: a whole hall on this machine, operated in a browser."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvicorn

from simulator.bookings import book
from simulator.broker import BrokerMissingError
from simulator.hall_site import ROOT, HallSite

log = logging.getLogger(__name__)

FOLDER: Final = ROOT / "build" / "demo"
LOCK: Final = "demo.lock"
READY_TIMEOUT_S: Final = 60.0
PAGE_STOP_S: Final = 4.0


class DemoError(RuntimeError):
    """Why the demo cannot run, in one line."""


def main(arguments: list[str]) -> int:
    """`paihao demo [--folder F] [--port P]`. Returns 0 after Ctrl-C or SIGTERM, else 1 with one line why."""
    parser = argparse.ArgumentParser(
        prog="paihao demo", description="Run a whole hall on this machine and operate it in a browser."
    )
    parser.add_argument(
        "--folder",
        type=Path,
        help="for configuration, databases and logs; a hall that was there goes on (default: a new hall in "
        "build/demo)",
    )
    parser.add_argument(
        "--port", type=int, help="of the page on 127.0.0.1; default: PAIHAO_DEMO_PORT, else a free one"
    )
    parser.add_argument("--speed", type=float, default=20.0, help="of the busy day at first, 1 to 200")
    parser.add_argument("--verbose", action="store_true", help="show what the demo itself logs")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for noisy in ("httpx", "nicegui", "uvicorn", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    try:
        listening = _listen(options.port if options.port is not None else _wanted_port())
        with _own(options.folder or FOLDER, fresh=options.folder is None) as folder:
            asyncio.run(_run(folder, listening, options.speed))
    except KeyboardInterrupt:
        pass  # before the loop took over Ctrl-C
    except (DemoError, BrokerMissingError) as error:
        print(f"paihao demo: {error}", file=sys.stderr)
        return 1
    return 0


def _wanted_port() -> int:
    wanted = os.environ.get("PAIHAO_DEMO_PORT", "")
    if wanted and not wanted.isdecimal():
        raise DemoError(f"PAIHAO_DEMO_PORT is no port number: {wanted!r}")
    return int(wanted or 0)


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        raise DemoError(f"port {port} cannot be used: {error}") from error
    return listening


@contextlib.contextmanager
def _own(folder: Path, *, fresh: bool) -> Iterator[Path]:
    """The folder, for one demo at a time; `fresh`: without what an earlier one left there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise DemoError(f"{folder} cannot be used: {error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DemoError(f"another demo runs in {folder}; choose another --folder") from error
        if fresh:
            for entry in folder.iterdir():
                if entry.name != LOCK:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        yield folder


class _Server(uvicorn.Server):
    """Signals are ours: the hall is stopped before the page."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _run(folder: Path, listening: socket.socket, speed: float) -> None:
    # the page costs two seconds to import: the hall starts meanwhile
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    site = HallSite(folder, panes=True)
    running = asyncio.create_task(_run_site(site, listening, speed, stopping), name="demo")
    stopped = asyncio.create_task(stopping.wait(), name="until stopped")
    try:
        await asyncio.wait([running, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled() and (error := running.exception()) is not None:
            raise error
    finally:
        stopped.cancel()
        await site.stop()


async def _run_site(site: HallSite, listening: socket.socket, speed: float, stopping: asyncio.Event) -> None:
    try:
        await site.start()
    except OSError as error:
        raise DemoError(f"the hall cannot be started in {site.folder}: {error}") from error
    except RuntimeError as error:
        raise DemoError(str(error)) from error
    from simulator.hall_desk import HallDesk
    from simulator.page import build

    desk = HallDesk(site, speed=speed)
    await desk.start()
    config = uvicorn.Config(
        build(desk), log_level="error", access_log=False, lifespan="on", timeout_graceful_shutdown=1
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="page")
    try:
        try:
            await site.wait_ready(READY_TIMEOUT_S)
        except TimeoutError as error:
            raise DemoError(
                f"the hall does not get ready: {error or 'see the logs'} (logs: {site.folder})"
            ) from error
        await book(site.api_port)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        print(f"排号演示 · Paihao demo: {address}   (Ctrl-C 结束 · ends it)", flush=True)
        await asyncio.shield(serving)
    finally:
        await desk.stop()
        server.should_exit = True
        await asyncio.wait([serving], timeout=PAGE_STOP_S)
