"""`--watch`: looks again every second and shows what changed."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from device.doctor.examination import Examination
from device.doctor.report import Report, as_json
from device.doctor.table import as_lines, as_table
from wire.texts import text

LOOK_S: Final = 1.0
"""How often the machine is looked at: what is plugged in shows within twice this time."""


async def watch(examination: Examination, language: str, *, as_json: bool) -> None:
    """Show the report and every change of it until cancelled: a live table on a terminal, else the whole
    report as lines, or with `as_json` as one document a line, whenever something changed."""
    if as_json or not sys.stdout.isatty():
        await _in_lines(examination, language, as_json)
        return
    try:
        from rich.console import Group
        from rich.live import Live
    except ModuleNotFoundError:
        await _in_lines(examination, language, as_json)
        return
    # a table that is taller than the terminal scrolls by, at each change; cut off it would hide devices
    with Live(auto_refresh=False, screen=False, vertical_overflow="visible") as live:
        before: object = None
        while True:
            await examination.refresh()
            report, asking = examination.report(), examination.is_asking
            # asking again what has answered changes nothing that is seen
            asking = asking and any(row.answer is None for row in report.rows if row.found.kind == "serial")
            now = (report.rows, report.missing, asking)
            if now != before:
                before = now
                table = as_table(report, language, asking=asking)
                live.update(Group(table, text("doctor.watching", language)), refresh=True)
            await asyncio.sleep(LOOK_S)


async def _in_lines(examination: Examination, language: str, json: bool) -> None:
    before: object = None
    while True:
        await examination.refresh()
        report = examination.report()
        now = (report.rows, report.missing)
        if now != before:
            before = now
            _write(report, language, json)
        await asyncio.sleep(LOOK_S)


def _write(report: Report, language: str, json: bool) -> None:
    if json:
        sys.stdout.write(as_json(report).decode() + "\n")
    else:
        sys.stdout.write("\n".join([*as_lines(report, language), text("doctor.watching", language), ""]))
    sys.stdout.flush()
