"""The checker of killed screens finds each kind of broken promise, and nothing where all is well."""

from __future__ import annotations

from typing import Any

import pytest
from checker import PaperSeen
from screen_checker import GradeTouched, Tap, check_screens

PAPER = PaperSeen("A001", "t1")
TAP = Tap("done", "t1", "A001", "confirmed")
ROWS: list[dict[str, Any]] = [
    {"type": "ticket_issued", "ticket": "t1", "number": "A001", "request": "r1"},
    {"type": "paper_recorded", "ticket": "t1", "number": "A001", "paper": "confirmed", "becomes": "waiting"},
    {"type": "rating_prompted", "prompt": "p1", "number": "A001", "ticket": "t1"},
    {"type": "rating_given", "prompt": "p1", "grade": 4, "ticket": "t1", "counter": "1"},
]
GRADE = GradeTouched("A001", 4, True)


def problems(
    *,
    taps: dict[str, Tap] | None = None,
    touches: int = 1,
    papers: list[PaperSeen] | None = None,
    grades: list[GradeTouched] | None = None,
    rows: list[dict[str, Any]] | None = None,
) -> str:
    verdict = check_screens(
        {"r1": TAP} if taps is None else taps,
        touches,
        [PAPER] if papers is None else papers,
        [GRADE] if grades is None else grades,
        ROWS if rows is None else rows,
    )
    return "; ".join(verdict.problems)


def test_nothing_is_found_where_all_is_well() -> None:
    assert problems() == ""


def test_a_number_of_the_lease_counts_like_one_of_the_coordinator() -> None:
    merged = {"type": "ticket_merged", "ticket": "t1", "number": "A001", "joins": True}
    assert problems(rows=[merged, *ROWS[2:]]) == ""


def test_a_refused_tap_has_neither_paper_nor_number() -> None:
    assert problems(taps={"r1": Tap("refused")}, papers=[], grades=[], rows=[]) == ""


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ({"touches": 0}, "1 requests of 0 touches"),
        ({"taps": {"r1": Tap("printing", "t1", "A001")}}, "has no end"),
        ({"papers": []}, "0 papers of A001"),
        ({"papers": [PAPER, PAPER]}, "2 papers of A001"),
        ({"taps": {}}, "that no tap asked for"),
        ({"taps": {"r1": Tap("done", "t1", "A001", "unknown")}}, "the paper of A001 is unknown"),
        ({"rows": ROWS[:1]}, "number A001 has no end"),
        ({"rows": [*ROWS, ROWS[1]]}, "joined the queue 2 times"),
        ({"rows": [*ROWS, {**ROWS[0], "ticket": "t2", "number": "A002"}]}, "was given 2 numbers"),
        ({"rows": [*ROWS, ROWS[3]]}, "graded 2 times"),
        ({"rows": ROWS[:3]}, "grade 4 for A001 is []"),
        ({"grades": [GradeTouched("A001", 2, False)]}, "was never touched"),
        ({"grades": []}, "graded by nobody"),
    ],
)
def test_it_finds(what: dict[str, Any], found: str) -> None:
    assert found in problems(**what)


def test_a_grade_that_was_touched_in_vain_may_be_missing() -> None:
    assert problems(grades=[GradeTouched("A001", 4, False)], rows=ROWS[:3]) == ""
