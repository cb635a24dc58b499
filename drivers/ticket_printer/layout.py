"""The layout template of a ticket: from a `Paper` to the lines that stand on it.

A template is a TOML file (`ticket_layout.toml` explains itself) that is checked whole when it is loaded.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from drivers.errors import ConfigError
from drivers.ticket_printer.escpos_frames import Align, display_width, printable, text_width
from drivers.ticket_printer.protocol import Paper

LANGUAGE: Final = "zh-CN"
"""The language that every text must have; others fall back to it."""
LINES_LIMIT: Final = 12
"""So many printed lines at most come from one line of the template."""
TEXT_LIMIT: Final = 600
"""Characters of one value that are printed at most."""
_NOT_AT_START: Final = frozenset("，。、；：！？）】》”’·,.;:!?)]%℃")

Times = Annotated[int, msgspec.Meta(ge=1, le=8)]
Dots = Annotated[int, msgspec.Meta(ge=0, le=255)]
Char = Annotated[str, msgspec.Meta(min_length=1, max_length=1)]


class TemplateLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One [[line]] of a template: exactly one of `text`, `rule` and `qr`."""

    text: dict[str, str] = {}
    rule: Char | None = None
    qr: bool = False
    width: Times = 1
    height: Times = 1
    fit: bool = False
    align: Align = "left"
    bold: bool = False
    space: Dots = 0
    module: Annotated[int, msgspec.Meta(ge=2, le=16)] = 6
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketLine:
    """One printed line. `text` is printable and fits the paper; for kind "qr" it is the payload."""

    kind: Literal["text", "qr"]
    text: str
    width: int = 1
    height: int = 1
    align: Align = "left"
    bold: bool = False
    space: int = 0
    module: int = 6


@dataclass(frozen=True, slots=True)
class Layout:
    """A checked template."""

    template: tuple[TemplateLine, ...]

    def lines(self, paper: Paper, columns: int) -> list[TicketLine]:
        """The ticket of `paper` on paper of `columns` half-width columns (32: 58 mm, 48: 80 mm).

        `paper.values["language"]` chooses the texts. A line with a name that has no value is left out.
        """
        language = paper.values.get("language", LANGUAGE)
        values = {name: printable(value[:TEXT_LIMIT]).strip() for name, value in paper.values.items()}
        values |= {"number": paper.number, "qr": paper.qr, "reprint": "1" if paper.reprint else ""}
        found: list[TicketLine] = []
        for line in self.template:
            if not all(_holds(condition, values) for condition in line.when):
                continue
            if line.qr:
                if paper.qr:
                    found.append(
                        TicketLine("qr", paper.qr, align=line.align, space=line.space, module=line.module)
                    )
            elif line.rule is not None:
                found.append(
                    _set(line, line.rule * (columns // max(1, display_width(line.rule))), line.width)
                )
            elif (text := _filled(line.text.get(language) or line.text[LANGUAGE], values)) is not None:
                found += _broken(line, text, columns)
        return found


def _holds(condition: str, values: Mapping[str, str]) -> bool:
    return not values.get(condition[1:]) if condition.startswith("!") else bool(values.get(condition))


def _filled(text: str, values: Mapping[str, str]) -> str | None:
    for _, name, _, _ in string.Formatter().parse(text):
        if name is not None and not values.get(name):
            return None
    return text.format_map(values)


def _set(line: TemplateLine, text: str, width: int, *, first: bool = True) -> TicketLine:
    height = max(1, line.height - (line.width - width))
    return TicketLine("text", text, width, height, line.align, line.bold, line.space if first else 0)


def _broken(line: TemplateLine, text: str, columns: int) -> list[TicketLine]:
    width = line.width
    if line.fit:
        while width > 1 and text_width(text) * width > columns:
            width -= 1
    pieces = [piece for part in text.split("\n") for piece in _even(part, columns // width)]
    return [_set(line, piece, width, first=not index) for index, piece in enumerate(pieces[:LINES_LIMIT])]


def break_lines(text: str, columns: int) -> list[str]:
    """`text` in pieces of at most `columns` half-width columns (at least 2).

    Breaks between Chinese characters and at spaces; a word that is longer than a line is broken. A closing
    punctuation mark does not begin a line where that can be had.
    """
    pieces: list[str] = []
    rest = text.strip()
    while text_width(rest) > columns:
        end, used = 0, 0
        while used + display_width(rest[end]) <= columns:
            used += display_width(rest[end])
            end += 1
        end = max(end, 1)
        cut = end
        while 0 < cut < len(rest) and not _may_break(rest, cut):
            cut -= 1
        cut = cut or end
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if rest:
        pieces.append(rest)
    return pieces


def _even(text: str, columns: int) -> list[str]:
    """Broken into as few lines as can be: at punctuation rather than inside a word, of about equal length."""
    pieces = break_lines(text, columns)
    best, best_score = pieces, -1
    while len(pieces) > 1:
        score = sum(
            before[-1] in _NOT_AT_START or after[0] in "（《【“‘(" for before, after in pairwise(pieces)
        )
        if score >= best_score:
            best, best_score = pieces, score
        columns -= 1
        if columns < 2 or len(narrower := break_lines(text, columns)) > len(pieces):
            break
        pieces = narrower
    return best


def _may_break(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after in _NOT_AT_START or display_width(after) == 0:
        return False
    return " " in (before, after) or display_width(before) == 2 or display_width(after) == 2


def load_layout(path: str | Path | None = None) -> Layout:
    """The template at `path`, or the one that ships. Raises ConfigError with every problem in it."""
    name = "ticket_layout.toml" if path is None else str(path)
    try:
        if path is None:
            text = (resources.files(__package__) / name).read_text("utf-8")
        else:
            text = Path(path).read_text("utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([f"{name}: {error}"]) from error
    return check_layout(document, name)


def check_layout(document: dict[str, Any], name: str = "layout") -> Layout:
    """A template that was read. Raises ConfigError with every problem in it."""
    problems = [f"{name}: unknown table {key!r}" for key in document if key != "line"]
    rows = document.get("line")
    if not isinstance(rows, list) or not rows:
        raise ConfigError([*problems, f"{name}: there is no [[line]]"])
    template: list[TemplateLine] = []
    for index, row in enumerate(rows, 1):
        wrong = _problems(row)
        problems += [f"{name}: line {index}: {problem}" for problem in wrong]
        if not wrong:
            template.append(msgspec.convert(row, TemplateLine))
    if not problems and not any("{number}" in text for line in template for text in line.text.values()):
        problems.append(f"{name}: no line has {{number}}")
    if problems:
        raise ConfigError(problems)
    return Layout(tuple(template))


def _problems(row: object) -> list[str]:
    if not isinstance(row, dict):
        return ["is no table"]
    fields = {field.name: field for field in msgspec.structs.fields(TemplateLine)}
    found = [f"unknown key {key!r}" for key in row if key not in fields]
    for key, value in row.items():
        if key in fields:
            try:
                msgspec.convert(value, fields[key].type)
            except msgspec.ValidationError as error:
                found.append(f"{key}: {error}")
    if sum((bool(row.get("text")), "rule" in row, bool(row.get("qr")))) != 1:
        found.append("needs exactly one of text, rule and qr")
    texts = row.get("text")
    if isinstance(texts, dict) and texts:
        if LANGUAGE not in texts:
            found.append(f"text has no {LANGUAGE}")
        found += [problem for text in texts.values() if isinstance(text, str) for problem in _braces(text)]
    return found


def _braces(text: str) -> list[str]:
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        return [f"text {text!r}: {error}"]
    return [
        f"text {text!r}: only {{name}} may stand in braces"
        for _, name, spec, conversion in parts
        if name is not None and (spec or conversion or not name.isidentifier())
    ]
