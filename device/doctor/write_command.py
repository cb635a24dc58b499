"""`paihao doctor write`: the node's profile from what answers now.

Exit status: 0 written and every device found, 1 written with something missing or beside an earlier file,
2 wrong usage or ids.
"""

from __future__ import annotations

import argparse
import logging
import sys
from datetime import datetime
from pathlib import Path

from device.doctor.command import WRONG_USAGE, add_looking, language_of, patience_of, roots_of, run, say
from device.doctor.examination import Examination
from device.doctor.writing import ROLES, Written, profile_text, read_before, store
from wire.checked_toml import TomlProblems
from wire.texts import text


def main(arguments: list[str]) -> int:
    """Run `paihao doctor write`; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="paihao doctor write",
        description="按找到的设备写节点配置 · the node's profile from what answers",
    )
    parser.add_argument("--station", required=True, choices=list(ROLES))
    parser.add_argument("--hall", required=True, metavar="ID", help="hall.toml [hall] id")
    parser.add_argument(
        "--node", required=True, metavar="ID", help="节点编号 · the node's id, its certificate's CN"
    )
    parser.add_argument("--output", required=True, type=Path, metavar="FILE", help="/etc/paihao/node.toml")
    parser.add_argument(
        "--force", action="store_true", help="换掉已有文件，旧文件另存 · replace a file, the old one is kept"
    )
    add_looking(parser)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=options.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    return run(_write(options))


async def _write(options: argparse.Namespace) -> int:
    language = language_of(options)
    output: Path = options.output
    say(text("doctor.asking_still", language), sys.stderr)
    examination = Examination(
        roots=roots_of(options), hosts=options.host, patience=patience_of(options), listen_s=options.listen
    )
    try:
        report = await examination.look()
    finally:
        await examination.close()
    try:
        before = read_before(output)
        written = profile_text(report, options.station, options.hall, options.node, before)
    except TomlProblems as error:
        for problem in error.problems:
            say(f"  {problem}", sys.stderr)
        return WRONG_USAGE
    except (ValueError, OSError) as error:
        say(f"{output}: {error}", sys.stderr)
        return WRONG_USAGE
    try:
        stamp = f"{datetime.now():%Y%m%d-%H%M%S}"
        target, backup = store(output, written.text, force=options.force, stamp=stamp)
    except OSError as error:
        say(f"{output}: {error}", sys.stderr)
        return WRONG_USAGE
    _tell(written, target, backup, language)
    return 0 if target == output and not written.missing else 1


def _tell(written: Written, target: Path, backup: Path | None, language: str) -> None:
    say(text("doctor.written", language, file=target, devices=" ".join(written.found) or "–"))
    if backup is not None:
        say(text("doctor.written_backup", language, file=backup))
    if target.suffix == ".new":
        say(text("doctor.written_beside", language, file=target))
    if written.missing:
        say(text("doctor.written_without", language, devices=" ".join(written.missing)))
    if written.optional:
        say(text("doctor.written_optional", language, devices=" ".join(written.optional)))
    if written.udev:
        say(text("doctor.written_udev", language))
        for line in written.udev:
            say(f"  {line}")
