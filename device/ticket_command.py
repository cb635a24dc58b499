"""`paihao ticket preview|check`: what a ticket will look like, and what is wrong with a template.

The picture is drawn from the bytes that would be sent, by the interpreter that stands in for a printer in
the tests, so it shows what a printer makes of them and not what was meant. Exit status: 0 good, 1 the
template or the request is wrong, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wire.texts import LANGUAGES, text

if TYPE_CHECKING:
    from drivers.ticket_printer.layout import Layout
    from drivers.ticket_printer.layout_file import Problem
    from drivers.ticket_printer.protocol import Paper

WIDTHS: Final = (32, 48)
"""Columns that `check` tries when nothing else is said: 58 and 80 mm."""


def main(arguments: list[str]) -> int:
    """Run `paihao ticket`; returns the exit status."""
    parser = argparse.ArgumentParser(prog="paihao ticket", description="票面模板 · templates of tickets")
    actions = parser.add_subparsers(dest="action", required=True)
    preview = actions.add_parser("preview", help="画出号票 · draw a ticket as PNG")
    preview.add_argument("--layout", metavar="F", help="standard, large, audio, bilingual, or a file")
    preview.add_argument(
        "--columns", type=int, default=48, metavar="N", help="32: 58 mm, 48: 80 mm (default)"
    )
    preview.add_argument("--language", default=LANGUAGES[0], help="of the ticket (default: zh-CN)")
    preview.add_argument(
        "--value",
        action="append",
        default=[],
        metavar="NAME=TEXT",
        help="service=… number=… qr=… (again and again)",
    )
    preview.add_argument("--reprint", action="store_true", help="补打 · as a reprint of the same number")
    preview.add_argument("--mode", choices=["text", "raster", "auto"], default="auto", help="default: auto")
    preview.add_argument("--profile", default="default", help="capability profile of python-escpos")
    preview.add_argument("--output", required=True, type=Path, metavar="X.png")
    check = actions.add_parser("check", help="检查模板 · every mistake in a template, with its line")
    check.add_argument("layout", metavar="LAYOUT", help="standard, large, audio, bilingual, or a file")
    check.add_argument("--columns", type=int, action="append", metavar="N", help="default: 32 and 48")
    check.add_argument("--language", choices=LANGUAGES, help="of the messages (default: by LANG)")
    options = parser.parse_args(arguments)
    for columns in options.columns if isinstance(options.columns, list) else [options.columns or 48]:
        if not 24 <= columns <= 80:
            parser.error(f"--columns {columns}: 24–80")
    if options.action == "check":
        return _check(options.layout, options.columns or list(WIDTHS), options.language or _spoken())
    return _preview(options)


def _spoken() -> str:
    """The technician's language."""
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "en" if next(filter(None, names), "zh").startswith("en") else "zh-CN"


def _check(name: str, widths: list[int], language: str) -> int:
    layout = _loaded(name, language)
    if layout is None:
        return 1
    from drivers.ticket_printer.layout_trial import tried

    problems = [problem for columns in widths for problem in tried(layout, columns)]
    if problems:
        _say(name, problems, language)
        return 1
    sys.stdout.write(f"{name}: {text('ticket_layout.good', language)}\n")
    return 0


def _loaded(name: str | None, language: str) -> Layout | None:
    from drivers.ticket_printer.layout_file import LayoutError, load_layout

    try:
        return load_layout(name)
    except LayoutError as error:
        _say(str(name), error.found, language)
        return None


def _say(name: str, problems: list[Problem], language: str) -> None:
    count = text("ticket_layout.problems", language, count=len(problems))
    sys.stderr.write(f"{name}: {count}\n")
    for problem in problems:
        where = text("ticket_layout.line", language, line=problem.line) if problem.line else ""
        what = text(f"ticket_layout.{problem.code}", language, **problem.values)
        sys.stderr.write(f"  {where}{what}\n")


def _preview(options: argparse.Namespace) -> int:
    from drivers.errors import ConfigError
    from drivers.ticket_printer.layout_trial import SAMPLE, with_values

    language = _spoken()
    layout = _loaded(options.layout, language)
    if layout is None:
        return 1
    values = {"language": options.language}
    for value in options.value:
        name, sign, content = value.partition("=")
        if not sign:
            sys.stderr.write(text("ticket_layout.no_value", language, value=value) + "\n")
            return 1
        values[name] = content
    paper = with_values(SAMPLE, values, reprint=options.reprint)
    try:
        size, png = preview(layout, paper, options.columns, mode=options.mode, profile=options.profile)
    except ConfigError as error:
        sys.stderr.write("\n".join(error.problems) + "\n")
        return 1
    try:
        options.output.write_bytes(png)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{options.output}: {text('ticket_layout.drawn', language, bytes=size)}\n")
    return 0


def preview(
    layout: Layout, paper: Paper, columns: int, *, mode: str = "auto", profile: str = "default"
) -> tuple[int, bytes]:
    """The bytes that a printer on a quick line would get, counted, and a PNG of what it makes of them.

    Raises ConfigError for a profile that does not exist.
    """
    import msgspec

    from drivers.ticket_printer.escpos_ticket import Mode, TicketWriter
    from drivers.ticket_printer.fake import FakeEscposPrinter

    writer = TicketWriter(profile, "full", columns=columns, mode=msgspec.convert(mode, Mode), quick=True)
    job = writer.job(layout.lines(paper, columns))
    printer = FakeEscposPrinter(columns)
    parts = (*job.chunks, job.cut)
    for part in parts:
        printer.received(part)
    # a profile without a cutter leaves it hanging
    ticket = printer.tickets[-1] if printer.tickets else printer.hanging
    return sum(map(len, parts)), ticket.png() if ticket is not None else b""
