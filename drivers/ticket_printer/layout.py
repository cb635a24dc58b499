"""The layout template of a ticket: from a `Paper` to the lines that stand on it.

A template is a TOML file (`layout_standard.toml` explains itself); `layout_file` reads and checks it.
"""

from __future__ import annotations

import logging
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

import msgspec

from drivers.ticket_printer.code128 import QUIET, BarcodeError, modules
from drivers.ticket_printer.escpos_frames import (
    DOTS_PER_COLUMN,
    Align,
    display_width,
    printable,
    text_width,
)
from drivers.ticket_printer.line_breaking import fitted
from drivers.ticket_printer.protocol import Note, NoteLine, Paper
from drivers.ticket_printer.qr_code import QrPayloadError, modules_of

logger = logging.getLogger(__name__)

LANGUAGE: Final = "zh-CN"
"""The language that every text must have; others fall back to it."""
TEXT_LIMIT: Final = 600
"""Characters of one value that are printed at most."""
DOTS_PER_MM: Final = 8
NAMES: Final = (
    *("number", "number_spaced", "qr", "hall", "service", "waiting", "zone", "counters", "directions"),
    *("time", "priority", "notes", "reprint", "language", "columns"),
)
"""What a template may name: the values of a `Paper`, and what is made of them here."""
NOTE_NAMES: Final = ("title", "hall", "time", "item", "language", "columns")
"""The same in the template of a `Note`; `item` in lines for `each` of its lines."""
NOTE_LINES: Final = 60
"""Lines of a note that are printed at most."""
MARKS: Final = {True: "√ ", False: "□ ", None: ""}
"""Before a line of a note: as every printer's own Chinese font has them, which ☑ and ☐ are not."""
CONDITION: Final = re.compile(
    r"(?:(?P<absent>!?)(?P<name>\w+)|(?P<left>\w+) *(?P<is>!=|[<>]=?|=) *(?P<right>.+))"
)
"""A condition in `when`, as a whole."""
_GAP: Final = 2
"""Columns at least between two texts beside each other."""
_LEAST_MODULE: Final = 2
"""Dots of a module that a phone or scanner still reads."""

Times = Annotated[int, msgspec.Meta(ge=1, le=8)]
Dots = Annotated[int, msgspec.Meta(ge=0, le=255)]
Char = Annotated[str, msgspec.Meta(min_length=1, max_length=1)]
Path = Annotated[str, msgspec.Meta(min_length=1)]


class TemplateLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One [[line]] of a template: exactly one of `text`, `rule`, `qr`, `barcode` and `image`.

    `each`: in a note's template, once for every line of the note.
    """

    text: dict[str, str] = {}
    rule: Char | None = None
    qr: bool = False
    barcode: str | None = None
    image: Path | None = None
    width: Times = 1
    height: Times = 1
    fit: bool = False
    least: Times = 1
    lines: Annotated[int, msgspec.Meta(ge=1, le=12)] = 12
    both: Literal["below", "beside"] | None = None
    align: Align = "left"
    bold: bool = False
    space: Dots = 0
    module: Annotated[int, msgspec.Meta(ge=2, le=16)] | None = None
    mm: Annotated[int, msgspec.Meta(ge=3, le=72)] | None = None
    each: bool = False
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketLine:
    """One printed line, which fits the paper.

    `text` is printable; for the kinds "qr" and "barcode" it is the payload, for "image" the path of the
    picture. `module`: dots of a module. `dots`: width of an image, height of a barcode. `face`: path of the
    typeface that the template asks for, None for the printer's own or Noto Sans CJK.
    """

    kind: Literal["text", "qr", "barcode", "image"]
    text: str
    width: int = 1
    height: int = 1
    align: Align = "left"
    bold: bool = False
    space: int = 0
    module: int = 6
    dots: int = 0
    face: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A checked template. `face`: path of a typeface, or None. `places`: of each line in its file."""

    template: tuple[TemplateLine, ...]
    face: str | None = None
    places: tuple[int, ...] = ()

    def lines(self, paper: Paper, columns: int) -> list[TicketLine]:
        """The ticket of `paper` on paper of `columns` half-width columns (32: 58 mm, 48: 80 mm).

        `paper.values["language"]` chooses the texts; a value `name@en` is the one of that language. A line
        with a name that has no value is left out. A note is made by the template of notes.
        """
        if paper.note is not None:
            from drivers.ticket_printer.layout_file import note_layout  # which reads what is defined here

            return replace(note_layout(), face=self.face).note(paper.note, columns)
        values = self.values(paper, columns)
        return [made for line in self.template for made in self.made(line, values, columns)]

    def note(self, note: Note, columns: int) -> list[TicketLine]:
        """The lines of `note`, by this template."""
        about = {"title": note.title, "hall": note.hall, "time": note.date}
        values = {name: printable(value[:TEXT_LIMIT]).strip() for name, value in about.items()}
        values |= {"language": note.language, "columns": str(columns)}
        made: list[TicketLine] = []
        for line in self.template:
            for item in note.lines[:NOTE_LINES] if line.each else (NoteLine(""),):
                text = printable(item.text[:TEXT_LIMIT]).strip()
                own = {"item": MARKS[item.ticked] + text} if line.each and text else {}
                made += self.made(line, values | own, columns)
        return made

    def values(self, paper: Paper, columns: int) -> dict[str, str]:
        """What fills the names of the template."""
        values = {name: printable(value[:TEXT_LIMIT]).strip() for name, value in paper.values.items()}
        number = printable(paper.number[:TEXT_LIMIT]).strip()
        return values | {
            "number": number,
            "number_spaced": " ".join(number),
            "qr": _payload(paper.qr),
            "reprint": "1" if paper.reprint else "",
            "language": paper.values.get("language", LANGUAGE),
            "columns": str(columns),
        }

    def made(self, line: TemplateLine, values: Mapping[str, str], columns: int) -> list[TicketLine]:
        """What one line of the template becomes; empty when it is left out."""
        if not all(holds(condition, values) for condition in line.when):
            return []
        if line.qr:
            return _qr(line, values["qr"], columns) if values["qr"] else []
        if line.barcode is not None:
            payload = _filled(line.barcode, values["language"], values)
            return _barcode(line, payload, columns) if payload else []
        if line.image is not None:
            dots = min(columns * DOTS_PER_COLUMN, (line.mm or 72) * DOTS_PER_MM)
            return [TicketLine("image", line.image, align=line.align, space=line.space, dots=dots)]
        if line.rule is not None:
            text = line.rule * (columns // (max(1, display_width(line.rule)) * line.width))
            return [TicketLine("text", text, line.width, line.height, bold=line.bold, space=line.space)]
        return [
            TicketLine(
                "text",
                text,
                width,
                max(1, line.height - (line.width - width)),
                align,
                line.bold,
                0 if index else line.space,
                face=self.face,
            )
            for index, (width, text, align) in enumerate(_set(line, values, columns))
        ]


def holds(condition: str, values: Mapping[str, str]) -> bool:
    """Whether a condition of `when` is true of the values: `name`, `!name`, `name = x`, `name >= 3` …

    `<` and `>` compare numbers; they are false when a side is none.
    """
    match = CONDITION.fullmatch(condition.strip())
    if match is None:
        return False
    if match["name"]:
        return bool(values.get(match["name"])) != bool(match["absent"])
    left, right = values.get(match["left"], ""), match["right"]
    if match["is"] in ("=", "!="):
        return (left == right) == (match["is"] == "=")
    try:
        a, b = float(left), float(right)
    except ValueError:
        return False
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[match["is"]]


def names_in(text: str) -> list[str]:
    """The names in braces. Raises ValueError where they are no names."""
    found: list[str] = []
    for _, name, spec, conversion in string.Formatter().parse(text):
        if name is not None:
            if spec or conversion or not name.isidentifier():
                raise ValueError(name)
            found.append(name)
    return found


def _filled(text: str, language: str, values: Mapping[str, str]) -> str | None:
    """None when a name has no value."""
    known: dict[str, str] = {}
    for name in names_in(text):
        value = values.get(f"{name}@{language}") or values.get(name)
        if not value:
            return None
        known[name] = value
    return text.format_map(known)


def _set(line: TemplateLine, values: Mapping[str, str], columns: int) -> list[tuple[int, str, Align]]:
    """The lines of a text: size, text and where they stand."""
    language = values["language"]
    languages = [language if language in line.text else LANGUAGE]
    if line.both is not None:
        languages += [other for other in line.text if other not in languages]
    texts = [text for each in languages if (text := _filled(line.text[each], each, values))]
    texts = list(dict.fromkeys(texts))  # the same in both languages: once
    if line.both == "beside" and len(texts) > 1 and "\n" not in "".join(texts):
        for width in range(line.width, line.least - 1, -1):
            room = columns // width - sum(map(text_width, texts))
            if room >= _GAP * (len(texts) - 1):
                return [(width, (" " * (room // (len(texts) - 1))).join(texts), "left")]
    found: list[tuple[int, str, Align]] = []
    for text in texts:
        width, pieces = fitted(
            text,
            columns,
            size=line.width,
            least=min(line.least, line.width),
            fit=line.fit,
            most=line.lines,
        )
        found += [(width, piece, line.align) for piece in pieces]
    return found


def _payload(qr: str) -> str:
    """Empty when no code holds it: what says "scan" is then left out, too."""
    try:
        return qr if qr and modules_of(qr) else ""
    except QrPayloadError as error:
        logger.warning("a QR code was left out: %s", error)
        return ""


def _qr(line: TemplateLine, payload: str, columns: int) -> list[TicketLine]:
    room = columns * DOTS_PER_COLUMN
    side = modules_of(payload)
    if line.mm is None:
        module = min(line.module or 6, room // side)
    else:  # always as large as it may be, so that it is in the same place whatever it says
        module = min(line.module or 16, 16, min(room, line.mm * DOTS_PER_MM) // side)
    if module < _LEAST_MODULE:
        logger.warning("a QR code was left out: its modules would be %d dots", module)
        return []
    return [TicketLine("qr", payload, align=line.align, space=line.space, module=module)]


def _barcode(line: TemplateLine, payload: str, columns: int) -> list[TicketLine]:
    try:
        side = len(modules(payload)) + 2 * QUIET
    except BarcodeError as error:
        logger.warning("a barcode was left out: %s", error)
        return []
    module = min(line.module or 3, 6, columns * DOTS_PER_COLUMN // side)
    if module < _LEAST_MODULE:
        logger.warning("a barcode of %d characters was left out: it is wider than the paper", len(payload))
        return []
    dots = min(255, (line.mm or 10) * DOTS_PER_MM)
    return [TicketLine("barcode", payload, align=line.align, space=line.space, module=module, dots=dots)]
