"""What was verified how: rows of docs/hardware/verified/*.toml, and the table in docs/hardware/README.md.

python tests/drivers/verified.py     writes the table anew
"""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path
from typing import Literal

import msgspec

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "hardware" / "README.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

How = Literal["vendor sample", "independent program", "kernel device", "fake"]
STRENGTH: dict[How, int] = {"kernel device": 0, "independent program": 1, "vendor sample": 2, "fake": 3}


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`driver`: its name in a profile. `test`: where it is shown, "tests/….py::test_name"."""

    driver: str
    device: str
    transport: str
    how: How
    test: str


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    verified: tuple[Row, ...]


def rows() -> list[Row]:
    """All rows. Raises ValueError for a file that is wrong."""
    found: list[Row] = []
    for path in sorted(PAGE.parent.glob("verified/*.toml")):
        try:
            found += msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File).verified
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ValueError(f"{path.name}: {error}") from error
    return found


def missing_tests(found: list[Row]) -> list[str]:
    """The tests that rows name and that do not exist."""
    return sorted({row.test for row in found if not _exists(row.test)})


def _exists(test: str) -> bool:
    file, _, name = test.partition("::")
    path = ROOT / file
    if not path.is_file() or not name:
        return False
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.walk(ast.parse(path.read_text("utf-8")))
    return any(isinstance(node, functions) and node.name == name for node in tree)


def table(found: list[Row]) -> str:
    """The table in Markdown: a line per driver, device and transport, with all that verifies it."""
    lines = ["| driver | device | transport | verified by | shown in |", "|---|---|---|---|---|"]
    grouped: dict[tuple[str, str, str], list[Row]] = {}
    for row in found:
        grouped.setdefault((row.driver, row.device, row.transport), []).append(row)
    for (driver, device, transport), same in sorted(grouped.items()):
        same.sort(key=lambda row: STRENGTH[row.how])
        how = ", ".join(dict.fromkeys(row.how for row in same))
        tests = "<br>".join(dict.fromkeys(f"`{row.test.removeprefix('tests/')}`" for row in same))
        lines.append(f"| `{driver}` | {device} | {transport} | {how} | {tests} |")
    return "\n".join(lines)


def page(text: str, found: list[Row]) -> str:
    """The page with the table of `found` in its place."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table(found)}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8"), rows()), "utf-8")
    sys.stdout.write(f"{len(rows())} rows\n")
