"""Reading a layout template: every mistake at once, each with its line in the file.

Problems carry a code, not a text: `paihao ticket check` says them in the technician's language from the
keys `ticket_layout.<code>`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec

from drivers.errors import ConfigError
from drivers.ticket_printer.layout import (
    CONDITION,
    DOTS_PER_MM,
    LANGUAGE,
    NAMES,
    NOTE_NAMES,
    Layout,
    TemplateLine,
    names_in,
)
from drivers.ticket_printer.ticket_dots import IMAGE_PIXELS, IMAGE_ROWS

SHIPPED: Final = ("standard", "large", "audio", "bilingual")
"""Templates that ship, by name; each fits 58 and 80 mm."""
SYNTAX_LIMIT: Final = 20
"""So many lines that are no TOML are looked for."""
_KINDS: Final = ("text", "rule", "qr", "barcode", "image")
_EXPECTED: Final = {
    "text": '{ zh-CN = "…", en = "…" }',
    "rule": '"━"',
    "qr": "true / false",
    "barcode": '"{number}"',
    "image": '"logo.png"',
    "face": '"font.otf"',
    "width": "1–8",
    "height": "1–8",
    "least": "1–8",
    "fit": "true / false",
    "lines": "1–12",
    "both": '"below" / "beside"',
    "align": '"left" / "center" / "right"',
    "bold": "true / false",
    "space": "0–255",
    "module": "2–16",
    "mm": "3–72",
    "each": "true / false",
    "when": '["priority", "!reprint", "waiting > 0"]',
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a template: `line` of the file (0: all of it), `code`, and what fills its text."""

    line: int
    code: str
    values: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        about = ", ".join(f"{name} {value}" for name, value in self.values.items())
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.code.replace('_', ' ')}{': ' if about else ''}{about}"


class LayoutError(ConfigError):
    """A template with mistakes: `found` is all of them, in the order of the file."""

    def __init__(self, name: str, found: list[Problem]) -> None:
        self.found = sorted(found, key=lambda problem: problem.line)
        super().__init__([f"{name}: {problem}" for problem in self.found])


def load_layout(path: str | Path | None = None) -> Layout:
    """The template at `path`, or the one that ships under that name; None: "standard". Raises LayoutError."""
    name = SHIPPED[0] if path is None else str(path)
    try:
        if name in SHIPPED:
            text = (resources.files(__package__) / f"layout_{name}.toml").read_text("utf-8")
        else:
            text = Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LayoutError(name, [Problem(0, "unreadable", {"error": str(error)})]) from error
    return read_layout(text, name, Path(name).parent)


@cache
def note_layout() -> Layout:
    """The template of notes."""
    text = (resources.files(__package__) / "layout_note.toml").read_text("utf-8")
    return read_layout(text, "note", names=NOTE_NAMES)


def read_layout(
    text: str, name: str = "layout", folder: Path | None = None, *, names: tuple[str, ...] = NAMES
) -> Layout:
    """The template in `text`; its pictures and typefaces are looked for in `folder`. Raises LayoutError.

    `names`: what it may name.
    """
    document, problems = _parsed(text)
    places = _Places(text)
    for key in document:
        if key not in ("line", "face"):
            problems.append(_unknown(places.top(key), key, ("line", "face")))
    face = document.get("face")
    if isinstance(face, str):
        face = str((folder or Path()) / face)
        problems += _face_problems(face, places.top("face"))
    elif face is not None:
        problems.append(_wrong("face", face, places.top("face")))
    rows = document.get("line")
    if not isinstance(rows, list) or not rows:
        problems += [] if problems else [Problem(0, "no_lines")]
        raise LayoutError(name, problems)
    template: list[TemplateLine] = []
    for index, row in enumerate(rows):
        wrong = list(_problems(row, folder or Path(), places, index, names))
        problems += wrong
        if not wrong:
            made = msgspec.convert(row, TemplateLine)
            if made.image is not None:
                made = msgspec.structs.replace(made, image=str((folder or Path()) / made.image))
            template.append(made)
    if "number" in names and not any("{number" in text for row in rows for text in _texts(row)):
        problems.append(Problem(0, "no_number"))
    if problems:
        raise LayoutError(name, problems)
    return Layout(tuple(template), face, tuple(map(places.of, range(len(template)))))


# ---------------------------------------------------------------- TOML and its lines


def _parsed(text: str) -> tuple[dict[str, Any], list[Problem]]:
    """The document without the lines that are no TOML, and those lines."""
    lines = text.split("\n")
    problems: list[Problem] = []
    while True:
        try:
            return tomllib.loads("\n".join(lines)), problems
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            at = re.search(r"at line (\d+)", str(error))
            number = int(at[1]) if at else 0
            said = re.sub(r" \(at .*\)$", "", str(error))
            problems.append(Problem(number, "not_toml", {"error": said}))
            if not (0 < number <= len(lines)) or not lines[number - 1] or len(problems) >= SYNTAX_LIMIT:
                return {}, problems
            lines[number - 1] = ""


class _Places:
    """Where keys stand in the file: a light reading of its lines, right for one key to a line."""

    def __init__(self, text: str) -> None:
        self._tables: list[dict[str, int]] = [{}]
        for number, line in enumerate(text.split("\n"), 1):
            if re.match(r"\s*\[\[\s*\"?line\"?\s*\]\]", line):
                self._tables.append({"": number})
            elif key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*[=.]", line):
                self._tables[-1].setdefault(key[1], number)
            elif key := re.match(r"\s*\[\[?\s*\"?([\w-]+)", line):
                self._tables[0].setdefault(key[1], number)

    def top(self, key: str) -> int:
        return self._tables[0].get(key, 0)

    def of(self, index: int, key: str = "") -> int:
        """The file's line of `key` in the template line `index`; of its head where the key is not found."""
        if index + 1 >= len(self._tables):
            return self.top("line")
        table = self._tables[index + 1]
        return table.get(key, table[""])


# ---------------------------------------------------------------- checks of one [[line]]


def _texts(row: object) -> list[str]:
    if not isinstance(row, dict):
        return []
    texts = row.get("text")
    return [text for text in texts.values() if isinstance(text, str)] if isinstance(texts, dict) else []


def _unknown(line: int, key: str, known: tuple[str, ...]) -> Problem:
    like = difflib.get_close_matches(key, known, 1, 0.5)
    return Problem(line, "unknown_key", {"setting": key, "known": like[0] if like else ", ".join(known)})


def _wrong(key: str, value: object, line: int) -> Problem:
    return Problem(line, "bad_value", {"setting": key, "value": str(value)[:60], "expected": _EXPECTED[key]})


def _problems(
    row: object, folder: Path, places: _Places, index: int, names: tuple[str, ...]
) -> Iterator[Problem]:
    if not isinstance(row, dict):
        yield Problem(places.of(index), "no_table")
        return
    fields = {each.name: each for each in msgspec.structs.fields(TemplateLine)}
    wrong: set[str] = set()
    for key, value in row.items():
        if key not in fields:
            yield _unknown(places.of(index, key), key, tuple(fields))
            continue
        try:
            msgspec.convert(value, fields[key].type)
        except msgspec.ValidationError:
            wrong.add(key)
            yield _wrong(key, value, places.of(index, key))
    if row.get("each") and "item" not in names:
        yield _unknown(places.of(index, "each"), "each", tuple(name for name in fields if name != "each"))
    if sum(1 for kind in _KINDS if row.get(kind) not in (None, False, {}, "")) != 1 and not wrong & {*_KINDS}:
        yield Problem(places.of(index), "one_of", {"kinds": ", ".join(_KINDS)})
    if row.get("text") and "text" not in wrong and LANGUAGE not in row["text"]:
        yield Problem(places.of(index, "text"), "no_language", {"wanted": LANGUAGE})
    named = [("text", text) for text in _texts(row)]
    if isinstance(row.get("barcode"), str):
        named.append(("barcode", row["barcode"]))
    for key, text in named:
        yield from _name_problems(text, places.of(index, key), names)
    if "when" not in wrong:
        for condition in row.get("when", ()):
            yield from _condition_problems(condition, places.of(index, "when"), names)
    if isinstance(row.get("image"), str) and "image" not in wrong:
        mm = row["mm"] if "mm" in row and "mm" not in wrong else 72
        yield from _image_problems(folder / row["image"], places.of(index, "image"), mm)


def _name_problems(text: str, line: int, known: tuple[str, ...]) -> Iterator[Problem]:
    try:
        names = names_in(text)
    except ValueError:
        yield Problem(line, "braces", {"text": text})
        return
    for name in names:
        if name not in known:
            yield _unknown_name(name, line, known)


def _unknown_name(name: str, line: int, known: tuple[str, ...]) -> Problem:
    like = difflib.get_close_matches(name, known, 1, 0.5)
    return Problem(line, "unknown_name", {"name": name, "known": like[0] if like else ", ".join(known)})


def _condition_problems(condition: str, line: int, known: tuple[str, ...]) -> Iterator[Problem]:
    match = CONDITION.fullmatch(condition.strip())
    if match is None:
        yield Problem(line, "bad_condition", {"condition": condition})
    elif (name := match["name"] or match["left"]) not in known:
        yield _unknown_name(name, line, known)


def _image_problems(path: Path, line: int, mm: int) -> Iterator[Problem]:
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.width * image.height > IMAGE_PIXELS:
                yield Problem(line, "image_large", {"path": str(path), "pixels": f"{IMAGE_PIXELS:,}"})
                return
            if image.height * mm * DOTS_PER_MM > image.width * IMAGE_ROWS:
                most = IMAGE_ROWS // DOTS_PER_MM
                yield Problem(line, "image_tall", {"path": str(path), "most": str(most)})
                return
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        yield Problem(line, "image_unreadable", {"path": str(path), "error": str(error)})


def _face_problems(path: str, line: int) -> Iterator[Problem]:
    from PIL import ImageFont

    try:
        ImageFont.truetype(path, 24)
    except (OSError, ValueError) as error:
        yield Problem(line, "face_unreadable", {"path": path, "error": str(error)})
