"""The report for people: a table on a terminal, plain lines elsewhere. Chinese or English."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from device.doctor.report import Answer, Missing, Report, Row
from wire.texts import text, texts

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

MARKS: Final = {"ok": "✓", "attention": "!", "silent": "?", "in_use": "▸", "seen": "·", "missing": "✗"}
_STYLES: Final = {
    "ok": "green", "attention": "bold yellow", "silent": "yellow", "in_use": "cyan", "seen": "dim",
    "missing": "bold red",
}  # fmt: skip


_NORMAL: Final = {("cover", "shut"), ("online", True), ("cutter", "ok")}
"""Facts that nobody has to read."""


def where(row: Row) -> str:
    """The place of a row as a technician finds it again."""
    found = row.found
    lines = [found.stable or found.path or (f"USB {found.port}" if found.port else found.name)]
    if found.stable and found.path and found.stable != found.path:
        lines.append(found.path)
    return "\n".join(lines)


def what(row: Row, language: str) -> str:
    """What the thing is: its name, its number, the device of the profile."""
    found = row.found
    name = found.name if found.name not in (found.path, found.stable) else ""
    kind = text(f"doctor.kind_{found.kind}", language)
    if found.what is not None and f"doctor.what_{found.what}" in texts(language):
        kind = text(f"doctor.what_{found.what}", language)
    lines = [kind if found.kind == "network" else f"{kind} {name}".strip()]
    if found.usb:
        port = f" @ {found.port}" if found.port else ""
        lines.append(f"{found.usb}{port}")
    if found.facts.get("mode"):
        lines.append(str(found.facts["mode"]))
    if row.profile_device:
        lines.append(f"→ {row.profile_device}")
    return "\n".join(lines)


def answered(row: Row, language: str) -> str:
    """What answered there, how sure that is, and what it says of itself."""
    answer = row.answer
    if answer is None:
        return ""
    if answer.confidence == "silent":
        return text("doctor.no_answer", language)
    device = text(f"doctor.what_{answer.device}", language) if answer.device else ""
    sure = "" if answer.confidence == "sure" else f" ({text('doctor.likely', language)})"
    lines = [f"{device}{sure}".strip(), " ".join(part for part in (answer.driver, answer.settings) if part)]
    if facts := ", ".join(_facts(answer)):
        lines.append(facts)
    return "\n".join(line for line in lines if line)


def _facts(answer: Answer) -> Iterator[str]:
    options = {key: value for key, value in answer.options.items() if key in ("family", "format", "address")}
    for key, value in {**answer.facts, **options}.items():
        if value is not None and key != "echo" and (key, value) not in _NORMAL:
            yield f"{key} {str(value).lower() if isinstance(value, bool) else value}"


def todo(row: Row | Missing, language: str) -> str:
    """What to do, and what to know of such a thing."""
    lines = [said.text(language) for said in row.todo]
    if isinstance(row, Row) and row.found.hint:
        lines.append(row.found.hint.get(language, ""))
    return "\n".join(line for line in lines if line)


def summary(report: Report, language: str) -> str:
    """One line: how many answer, are silent, are missing."""
    count = {state: sum(row.state == state for row in report.rows) for state in ("ok", "attention", "silent")}
    return text(
        "doctor.summary",
        language,
        ok=count["ok"],
        attention=count["attention"],
        silent=count["silent"],
        missing=len(report.missing),
    )


def as_lines(report: Report, language: str) -> Iterator[str]:
    """One line for each thing, for pipes and logs."""
    for row in report.rows:
        parts = [where(row), what(row, language), answered(row, language), todo(row, language)]
        cells = ((" / " if n == 3 else " ").join(part.split("\n")) for n, part in enumerate(parts))
        yield f"{MARKS[row.state]} " + " | ".join(cell for cell in cells if cell)
    for missing in report.missing:
        yield f"{MARKS['missing']} {missing.where} | {missing.device} ({missing.driver}) | " + todo(
            missing, language
        )
    yield summary(report, language)


def as_table(report: Report, language: str, *, asking: bool = False) -> RenderableType:
    """The table for `rich`; it takes the width of the terminal. Paths stand without their /dev/."""
    from rich.console import Group
    from rich.text import Text

    table = _empty(report, language)
    for row in report.rows:
        style = _STYLES[row.state]
        reply = answered(row, language) or (text("doctor.asking", language) if asking and _waits(row) else "")
        cells = (
            MARKS[row.state],
            _short(where(row)),
            what(row, language),
            reply,
            todo(row, language),
        )
        table.add_row(*(Text(cell, style=style if n == 0 else "") for n, cell in enumerate(cells)))
    for missing in report.missing:
        cells = (
            MARKS["missing"],
            _short(missing.where),
            f"→ {missing.device}\n{missing.driver}",
            text("doctor.missing", language),
            todo(missing, language),
        )
        table.add_row(
            *(Text(cell, style=_STYLES["missing"] if n in (0, 3) else "") for n, cell in enumerate(cells))
        )
    end = text("doctor.asking_still", language) if asking else summary(report, language)
    return Group(table, Text(end, style="bold"))


def _short(places: str) -> str:
    return "\n".join(place.removeprefix("/dev/") for place in places.split("\n"))


def _waits(row: Row) -> bool:
    return row.answer is None and row.found.skip is None and row.found.kind in ("serial", "usb_printer")


def _empty(report: Report, language: str) -> Table:
    from rich import box
    from rich.table import Table

    title = text("doctor.title", language, machine=report.machine or text("doctor.this_machine", language))
    table = Table(title=title, box=box.SIMPLE_HEAD, expand=True, pad_edge=False, show_lines=True)
    table.add_column("", width=1, no_wrap=True)
    table.add_column(text("doctor.column_where", language), ratio=5, min_width=20, overflow="fold")
    table.add_column(text("doctor.column_what", language), ratio=4, overflow="fold")
    table.add_column(text("doctor.column_answer", language), ratio=4, overflow="fold")
    table.add_column(text("doctor.column_todo", language), ratio=6, overflow="fold")
    return table
