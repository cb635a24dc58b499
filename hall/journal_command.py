"""`paihao journal verify|export`: check the hash chain, or write the events as JSON lines.

The journal is named itself or by `--config hall.toml`. Both only read, also while the coordinator runs.
Exit status: 0 good, 1 changed or unreadable, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from hall.config import HallConfig
from hall.journal import JournalError, export_line, open_engine, read_rows, verify
from wire.checked_toml import TomlProblems, load
from wire.texts import LANGUAGES, text


def main(arguments: list[str]) -> int:
    """Run `paihao journal`; returns the exit status."""
    parser = argparse.ArgumentParser(prog="paihao journal", description="大厅日志库 · the journal of a hall")
    actions = parser.add_subparsers(dest="action", required=True)
    check = actions.add_parser("verify", help="核对哈希链 · check the hash chain")
    export = actions.add_parser("export", help="导出为 JSON 行 · write JSON lines to the standard output")
    for action in (check, export):
        which = action.add_mutually_exclusive_group(required=True)
        which.add_argument("journal", nargs="?", metavar="JOURNAL", help="hall.db, or an SQLAlchemy URL")
        which.add_argument("--config", metavar="FILE", help="hall.toml, which names the journal")
    export.add_argument("--since", type=int, default=0, metavar="SEQ", help="only rows after this one")
    options = parser.parse_args(arguments)
    try:
        # Not what lies beside it: a journal is checked where a picture is wrong, and at once.
        url: str = options.journal or load(options.config, HallConfig).hall.storage
    except TomlProblems as error:
        for line in (*(text("config.wrong", language) for language in LANGUAGES), *error.problems):
            _complain(line)
        return 2
    where = url
    if "://" not in url:
        if not Path(url).is_file():
            _complain(f"{url}: 没有这个文件 · no such file")
            return 1
        url = f"sqlite:///{url}"
    try:
        engine = open_engine(url)
        try:
            with engine.connect() as connection:
                return (
                    _verify(connection) if options.action == "verify" else _export(connection, options.since)
                )
        finally:
            engine.dispose()
    except JournalError as error:
        for language in LANGUAGES:
            _complain(text(error.code, language))
        _complain(f"  {error}")
        return 1
    except SQLAlchemyError as error:
        _complain(f"{where}: {getattr(error, 'orig', None) or error}")
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _complain(what: str) -> None:
    sys.stderr.write(what + "\n")


def _verify(connection: Connection) -> int:
    rows, last = verify(connection)
    sys.stdout.write(f"{rows} {last.hex()}\n")
    return 0


def _export(connection: Connection, since: int) -> int:
    for row in read_rows(connection, since):
        sys.stdout.buffer.write(export_line(row) + b"\n")
    sys.stdout.buffer.flush()
    return 0
