"""`paihao doctor`: finds, asks and tests the devices of this machine, and writes its profile.

    paihao doctor [--profile F] [--host H] [--watch] [--json]     what is there, what answers, what is missing
    paihao doctor test printer|screen|keypad|card|voice|light     one device by hand, through its driver
    paihao doctor write --station S --hall H --node N --output F  the profile of what was found
    paihao doctor roll-changed --profile F                        a new roll: paper is counted from here on

Exit status: 0 all well, 1 something is missing, wrong or did not pass, 2 wrong usage or profile.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from wire.texts import text

if TYPE_CHECKING:
    from device.doctor.examination import Examination
    from device.doctor.probing import Patience
    from device.doctor.report import Report
    from device.doctor.roots import Roots
    from device.profile import CheckedProfile

WRONG_USAGE = 2
INTERRUPTED = 130
NOT_READ = 141


def main(arguments: list[str]) -> int:
    """Run `paihao doctor`; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # ✓ is not in GBK
    if arguments and arguments[0] == "test":
        from device.doctor import try_command

        return try_command.main(arguments[1:])
    if arguments and arguments[0] == "write":
        from device.doctor import write_command

        return write_command.main(arguments[1:])
    if arguments and arguments[0] == "roll-changed":
        from device.doctor import roll_command

        return roll_command.main(arguments[1:])
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=options.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    profile, status = checked_profile(options.profile)
    if status:
        return status
    return run(_look(options, profile))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="paihao doctor",
        description="检查本机的设备 · what is plugged in, what answers, what is missing and what to do",
        epilog="paihao doctor test --help · write --help · roll-changed --help",
    )
    add_looking(parser)
    parser.add_argument("--watch", action="store_true", help="跟随插拔 · follow plugging and unplugging")
    parser.add_argument(
        "--json", action="store_true", help="one JSON document (with --watch one at each change)"
    )
    return parser


def add_looking(parser: argparse.ArgumentParser) -> None:
    """The options of all that looks at the machine."""
    parser.add_argument(
        "--profile", metavar="FILE", help="节点配置 · the node's profile: says what is missing"
    )
    parser.add_argument(
        "--host", action="append", default=[], metavar="HOST[:PORT]",
        help="也询问这台网络设备 · ask this network device, too (9100, 5005, 5007/udp)",
    )  # fmt: skip
    parser.add_argument(
        "--address", action="append", type=int, default=[], metavar="N",
        help="轮询按键器的地址 · addresses of polled keypads, default 1",
    )  # fmt: skip
    parser.add_argument(
        "--listen", type=float, default=0.0, metavar="SECONDS",
        help="无应答的串口再听几秒，请按键 · listen to silent ports: press keys meanwhile",
    )  # fmt: skip
    parser.add_argument(
        "--careful", action="store_true",
        help="只问打印机和读卡器 · ask for printers and card readers only (docs/decisions/0034)",
    )  # fmt: skip
    parser.add_argument("--language", choices=["zh-CN", "zh", "en"], help="default by LANG")
    parser.add_argument("--log-level", default="error", choices=["debug", "info", "warning", "error"])
    # another machine's trees, for tests
    parser.add_argument("--roots", help=argparse.SUPPRESS)


def language_of(options: argparse.Namespace) -> str:
    """The language that was asked for, or the one of the terminal; Chinese where neither says English."""
    asked = options.language
    if asked is None:
        names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
        asked = next((name for name in names if name), "")
    return "en" if asked.startswith("en") else "zh-CN"


def roots_of(options: argparse.Namespace) -> Roots:
    """The trees to look into."""
    from device.doctor.roots import Roots

    return Roots.below(Path(options.roots)) if options.roots else Roots()


def patience_of(options: argparse.Namespace) -> Patience:
    """How long to wait, and for whom."""
    from device.doctor.probing import Patience

    return Patience(addresses=tuple(options.address) or (1,), careful=options.careful)


def checked_profile(path: str | None) -> tuple[CheckedProfile | None, int]:
    """The profile, and an exit status other than 0 when it is wrong; its problems are printed."""
    if path is None:
        return None, 0
    from device.profile import load_profile
    from wire.checked_toml import TomlProblems

    try:
        return load_profile(path), 0
    except TomlProblems as error:
        print(f"{path}: {len(error.problems)} 个问题 · problems", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return None, WRONG_USAGE


def say(line: str, to: TextIO | None = None, *, end: str = "\n") -> None:
    """Print a line now, by default to standard output."""
    print(line, file=to or sys.stdout, end=end, flush=True)


def run(work: Coroutine[Any, Any, int]) -> int:
    """Run to the end, or to Ctrl-C or SIGTERM, after which lines are closed and the status is 130."""

    async def stoppable() -> int:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            return INTERRUPTED

    try:
        return asyncio.run(stoppable())
    except BrokenPipeError:  # `paihao doctor | head`: whoever read has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_READ


async def _look(options: argparse.Namespace, profile: CheckedProfile | None) -> int:
    from device.doctor.examination import Examination

    examination = Examination(
        roots=roots_of(options),
        profile=profile,
        profile_path=options.profile,
        hosts=options.host,
        patience=patience_of(options),
        listen_s=options.listen,
    )
    try:
        if options.watch:
            from device.doctor.watching import watch

            # without an end of its own: Ctrl-C is how it ends
            with contextlib.suppress(asyncio.CancelledError):
                await watch(examination, language_of(options), as_json=options.json)
            return examination.report().status
        return await _look_once(examination, options)
    finally:
        await examination.close()


async def _look_once(examination: Examination, options: argparse.Namespace) -> int:
    language = language_of(options)
    if not options.json and sys.stderr.isatty():
        print(text("doctor.asking_still", language), file=sys.stderr)
    report = await examination.look()
    show(report, language, json=options.json)
    return report.status


def show(report: Report, language: str, *, json: bool) -> None:
    """Print a report: JSON, a table on a terminal, or plain lines."""
    from device.doctor.report import as_json
    from device.doctor.table import as_lines, as_table

    if json:
        print(as_json(report).decode())
        return
    if sys.stdout.isatty():
        with contextlib.suppress(ModuleNotFoundError):
            from rich.console import Console

            Console().print(as_table(report, language))
            return
    for line in as_lines(report, language):
        print(line)
