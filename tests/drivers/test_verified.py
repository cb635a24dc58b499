"""The table of what was verified how is true to the tests, whole, and as the page shows it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import verified

from drivers.table import DRIVERS


def test_every_row_names_a_test_that_exists() -> None:
    assert verified.missing_tests(verified.rows()) == []


def test_no_driver_is_left_out_and_none_is_invented() -> None:
    assert {row.driver for row in verified.rows()} == set(DRIVERS)


def test_the_page_shows_the_rows() -> None:
    text = verified.PAGE.read_text("utf-8")
    assert text == verified.page(text, verified.rows())


def test_every_driver_has_a_page() -> None:
    pages = "".join(path.read_text("utf-8") for path in verified.PAGE.parent.glob("*.md"))
    assert [name for name in DRIVERS if f'driver = "{name}"' not in pages] == []
