"""docs/faults.md and docs/rest.md are what the code says, and every code that is raised has its texts."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from wire import fault_document
from wire.texts import LANGUAGES, texts

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
REST = ROOT / "docs" / "rest.md"
KEY = re.compile(r"[a-z]+\.[a-z0-9_]+")
NO_CODES = {"hall.name", "hall.hours_on", "hall.toml", "hall.db"}
"""Look like codes of the table `hall` and are paths in a configuration and names of files."""


@cache
def in_source() -> set[str]:
    """Every string in drivers, device and hall that looks like a key of one of the catalogue's tables."""
    rooms = {key.partition(".")[0] for key in texts(LANGUAGES[0])}
    found = {
        node.value
        for room in ("drivers", "device", "hall")
        for file in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.fullmatch(node.value)
    }
    return {key for key in found if key.partition(".")[0] in rooms} - NO_CODES


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == fault_document.document(), (
        "run: python -m wire.fault_document > docs/faults.md"
    )


def test_every_code_in_the_source_has_a_text_in_every_language() -> None:
    assert len(in_source()) > 80
    for language in LANGUAGES:
        known = texts(language)
        for key in in_source():
            if key.endswith("_"):  # the beginning of one that is put together
                assert any(code.startswith(key) for code in known), (language, key)
            else:
                assert key in known, (language, key)


def test_every_fault_of_the_catalogue_is_raised_somewhere() -> None:
    beginnings = tuple(key for key in in_source() if key.endswith("_"))
    assert [c for c in fault_document.faults() if c not in in_source() and not c.startswith(beginnings)] == []


def test_somebody_acts_on_every_fault() -> None:
    people = fault_document.guide()["people"].keys()
    for code in fault_document.faults():
        acting = fault_document.who(code)
        assert acting and set(acting) <= people, code


def test_nothing_is_said_about_codes_that_do_not_exist() -> None:
    codes = set(fault_document.faults())
    for room, about in fault_document.guide().items():
        if room not in ("not_faults", "people"):
            for name in (*about["who"], *about.get("steps", {})):
                assert f"{room}.{name}" in codes


def test_every_step_is_in_both_languages_and_short() -> None:
    for code in fault_document.faults():
        found = fault_document.steps(code)
        assert len(found) <= 4, code
        for step in found:
            chinese, english = step
            assert re.search(r"[\u4e00-\u9fff]", chinese) and english.strip(), code
            assert len(english) < 300, code


def test_every_link_within_the_page_leads_somewhere() -> None:
    text = PAGE.read_text("utf-8")
    headings = {re.sub(r"[^a-z0-9_-]", "", line.lower()) for line in re.findall(r"(?m)^#+ `(.*)`$", text)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def test_the_rest_page_has_every_route_with_its_role_and_no_other() -> None:
    source = (ROOT / "hall" / "api.py").read_text("utf-8")
    routes = re.findall(
        r'\("(GET|POST|PUT|DELETE|PATCH)", "(/[^"]*)", (?:"([a-z]+)"|None), [a-z_]+\.', source
    )
    assert len(routes) >= 15
    rows = re.findall(r"(?m)^\| `([A-Z]+) (/[^`]*)` \| (?:`([a-z]+)`|–) \|", REST.read_text("utf-8"))
    assert sorted(rows) == sorted(routes)


def test_the_rest_page_has_the_status_of_every_code_that_has_one() -> None:
    source = (ROOT / "hall" / "api_requests.py").read_text("utf-8")
    table = source.partition("_STATUS: Final = {")[2].partition("}")[0]
    statuses = dict(re.findall(r'"([a-z_.]+)": (\d+)', table))
    assert len(statuses) > 10
    text = REST.read_text("utf-8")
    for code, status in statuses.items():
        assert re.search(rf"(?m)^\| {status} \|.*`{re.escape(code)}`", text), code
