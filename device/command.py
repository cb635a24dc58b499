"""`paihao agent`: runs the agent of one node until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device.agent import Agent
    from device.profile import CheckedProfile

logger = logging.getLogger(__name__)

WRONG_CONFIG = 2
"""Exit status: the profile is wrong; starting again does not help."""
FAILED = 1


def main(arguments: list[str]) -> int:
    """`paihao agent --config FILE`. Returns 0 after a clean stop, 1 if it cannot run, 2 for a bad profile."""
    parser = argparse.ArgumentParser(prog="paihao agent", description="Run the agent of one node.")
    parser.add_argument("--config", required=True, metavar="PROFILE", help="the station profile, a TOML file")
    parser.add_argument("--check", action="store_true", help="only check the profile")
    parser.add_argument(
        "--log-level", default="info", choices=["debug", "info", "warning", "error"], help="default: info"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # What is loaded at the start stays to the end; collecting meanwhile costs 5 ms and finds nothing.
    gc.disable()
    from device.profile import load_profile
    from wire.checked_toml import TomlProblems

    try:
        profile = load_profile(options.config)
    except TomlProblems as error:
        print(f"{options.config}: {len(error.problems)} 个问题 · problems", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return WRONG_CONFIG
    if options.check:
        return _check(options.config, profile)
    return asyncio.run(_run(profile))


def _check(name: str, profile: CheckedProfile) -> int:
    """Also what the options name: templates, capability profiles."""
    problems = [
        f"device {device.id!r}: {problem}"
        for device in profile.devices
        for problem in device.driver.check(device.config)
    ]
    if not problems:
        print(f"{name}: 正确 · no problems")
        return 0
    print(f"{name}: {len(problems)} 个问题 · problems", file=sys.stderr)
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
    return WRONG_CONFIG


async def _run(profile: CheckedProfile) -> int:
    from device.agent import Agent

    agent = Agent(profile)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, agent.stop)
    collecting = asyncio.create_task(_collect_when_ready(agent), name="collect when ready")
    try:
        await agent.run()
    except ExceptionGroup as errors:
        for error in errors.exceptions:
            logger.error("cannot run: %s", error, exc_info=None if isinstance(error, OSError) else error)
        return FAILED
    finally:
        collecting.cancel()
    return 0


async def _collect_when_ready(agent: Agent) -> None:
    await agent.ready.wait()
    gc.freeze()
    gc.enable()
