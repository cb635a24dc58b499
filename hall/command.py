"""`paihao hall --config hall.toml`: run the coordinator until it is told to stop.

Exit status: 0 after SIGTERM or SIGINT, 1 when something broke, 2 for a wrong command line or configuration.
Under systemd (`Type=notify`) it says READY=1 when journal and interface are up, and feeds the watchdog only
after a round trip through the journal's thread.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from typing import TYPE_CHECKING

from hall.config import HallConfig, load_config
from hall.journal import JournalError
from wire.checked_toml import TomlProblems
from wire.systemd import notify, watchdog_s
from wire.texts import LANGUAGES, text

if TYPE_CHECKING:
    from hall.coordinator import Coordinator

logger = logging.getLogger(__name__)

FIRST_CONNECTION_S = 2.0
"""How long the interface waits for the broker: what is retained there may say that the journal is old."""
LATE_S = 0.3
"""How long retained states may take after the connection."""


def main(arguments: list[str]) -> int:
    """Run `paihao hall`; returns the exit status."""
    parser = argparse.ArgumentParser(prog="paihao hall", description="大厅协调器 · the hall coordinator")
    parser.add_argument("--config", required=True, metavar="FILE", help="hall.toml")
    parser.add_argument("--check", action="store_true", help="check the configuration and end")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    options = parser.parse_args(arguments)
    left_out: list[str] = []
    try:
        config = load_config(options.config, left_out=None if options.check else left_out)
    except TomlProblems as error:
        for language in LANGUAGES:
            print(text("config.wrong", language), file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return 2
    if options.check:
        print(f"{options.config}: 正确 · no problems")
        return 0
    logging.basicConfig(
        level=options.log_level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    for problem in left_out:
        logger.error("left out: %s", problem)
    import uvloop

    try:
        return uvloop.run(run(config))
    except KeyboardInterrupt:
        return 0


async def run(config: HallConfig) -> int:
    """The coordinator with its interface, until a signal comes; the exit status."""
    from hall.api import Api
    from hall.coordinator import Coordinator
    from hall.rating_page import RatingPage
    from hall.server import ApiServer, PublicServer

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    coordinator = Coordinator(config)
    servers: list[ApiServer] = []
    watchdog: asyncio.Task[None] | None = None
    status = 0
    try:
        if config.rating_page.url:
            page = PublicServer(RatingPage(coordinator).app, config.rating_page.host, config.rating_page.port)
            try:
                await page.start()
                servers.append(page)
            except OSError as error:
                # A hall begins its day without it; no panel leads anybody there.
                logger.error("rating page: %s:%d: %s", page.host, page.port, error.strerror or error)
                coordinator.close_rating_page()
        await coordinator.start()
        await _first_connection(coordinator)
        if config.api.port:
            server = ApiServer(Api(coordinator).app, config.api.host, config.api.port)
            servers.append(server)
            await server.start()
            logger.info("interface on http://%s:%d/api/v1/", server.host, server.port)
        # What is there now stays to the end; to look through it again and again costs 80 ms each time.
        gc.collect()
        gc.freeze()
        notify("READY=1")
        watchdog = asyncio.create_task(_feed_watchdog(coordinator), name="watchdog")
        ended = asyncio.create_task(coordinator.failed(), name="coordinator")
        stop = asyncio.create_task(stopping.wait(), name="signal")
        done, _ = await asyncio.wait([ended, stop], return_when="FIRST_COMPLETED")
        for task in (ended, stop):
            task.cancel()
        if ended in done:
            ended.result()
            status = 1
    except JournalError as error:
        _complain(error.code, str(error))
        status = 1
    except OSError as error:
        _complain("hall.internal", f"{config.api.host}:{config.api.port}: {error.strerror or error}")
        status = 1
    except Exception:
        logger.exception("coordinator")
        status = 1
    finally:
        notify("STOPPING=1")
        if watchdog is not None:
            watchdog.cancel()
        for server in servers:
            await server.stop()
        await coordinator.stop()
    return status


def _complain(code: str, detail: str) -> None:
    for language in LANGUAGES:
        print(text(code, language), file=sys.stderr)
    print(f"  {detail}", file=sys.stderr)


async def _first_connection(coordinator: Coordinator) -> None:
    try:
        async with asyncio.timeout(FIRST_CONNECTION_S):
            await coordinator.first_connected.wait()
    except TimeoutError:
        return
    await asyncio.sleep(LATE_S)


async def _feed_watchdog(coordinator: Coordinator) -> None:
    """Tell systemd that the loop turns and the journal's thread answers.

    A journal that answers "disk full" is no reason to be restarted; a thread that does not answer is.
    """
    limit = watchdog_s()
    while limit:
        await coordinator.runtime.probe()
        notify("WATCHDOG=1")
        await asyncio.sleep(limit / 3)
