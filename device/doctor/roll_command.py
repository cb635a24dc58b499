"""`paihao doctor roll-changed --profile FILE [--device ID]`: a new roll is in, paper is counted from here on.

For printers that count paper by length and do not notice a new roll by themselves. The count is one of the
facts that a driver keeps in the node's data file, which one program may have open: the agent has to be
stopped.
Exit status: 0 done, 1 not (agent runs, printer away, nothing to count), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from device.doctor.command import WRONG_USAGE, add_looking, checked_profile, language_of, run, say
from device.profile import CheckedDevice, CheckedProfile
from drivers.driver import Fact
from drivers.errors import DriverError
from drivers.table import build
from drivers.ticket_printer.protocol import TicketPrinter
from wire.texts import text

_OPEN_S = 15.0


def main(arguments: list[str]) -> int:
    """Run `paihao doctor roll-changed`; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="paihao doctor roll-changed",
        description="换了新纸卷，重新数纸 · a new roll is in: count from here",
    )
    parser.add_argument("--device", metavar="ID", help="打印机的编号 · the printer, where there are several")
    add_looking(parser)
    options = parser.parse_args(arguments)
    if options.profile is None:
        parser.error("--profile is needed")
    profile, status = checked_profile(options.profile)
    if profile is None:
        return status
    printers = [
        device
        for device in profile.devices
        if issubclass(device.driver, TicketPrinter) and options.device in (None, device.id)
    ]
    if len(printers) != 1:
        say(f"{options.profile}: {len(printers)} printers; --device", sys.stderr)
        return WRONG_USAGE
    return run(_change(profile, printers[0], language_of(options)))


async def _change(profile: CheckedProfile, device: CheckedDevice, language: str) -> int:
    file = Path(profile.profile.storage)
    code = "doctor.roll_changed"
    try:
        with _data_file(file) as connection:
            kept = _kept(connection, device.id)
            printer = build(device.driver, device.config)
            assert isinstance(printer, TicketPrinter)
            printer.kept.update(kept)
            try:
                async with asyncio.timeout(_OPEN_S):
                    await printer.open()
                await printer.roll_changed()
            finally:
                with contextlib.suppress(DriverError):
                    await printer.close()
            if not printer.kept:
                code = "doctor.roll_not_counted"
            else:
                _store(connection, device.id, printer.kept)
    except BlockingIOError:
        code = "doctor.test_agent"
    except DriverError as error:
        code = error.code
    except TimeoutError:
        code = "device.no_answer"
    except (OSError, sqlite3.Error) as error:
        say(f"{file}: {error}", sys.stderr)
        code = "agent.storage_fault"
    say(f"{device.id}: {text(code, language)} [{code}]")
    return 0 if code == "doctor.roll_changed" else 1


@contextlib.contextmanager
def _data_file(file: Path) -> Iterator[sqlite3.Connection]:
    """The node's data file, locked as the agent locks it. Raises BlockingIOError while the agent has it."""
    if not file.exists():
        raise FileNotFoundError("no data file: the agent has never run")
    lock = os.open(file.with_name(file.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        connection = sqlite3.connect(file, timeout=5.0)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            yield connection
        finally:
            connection.close()
    finally:
        os.close(lock)


def _kept(connection: sqlite3.Connection, device: str) -> dict[str, Fact]:
    row = connection.execute("SELECT value FROM kept WHERE key=?", (f"driver/{device}",)).fetchone()
    try:
        return msgspec.json.decode(row[0], type=dict[str, Fact]) if row else {}
    except msgspec.DecodeError:
        return {}


def _store(connection: sqlite3.Connection, device: str, kept: dict[str, Fact]) -> None:
    with connection:
        row = (f"driver/{device}", msgspec.json.encode(kept))
        connection.execute("INSERT OR REPLACE INTO kept VALUES(?, ?)", row)
