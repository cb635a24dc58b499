"""The checker sees what it must see, and nothing where all is well."""

from __future__ import annotations

from typing import Any

import pytest
from checker import PaperSeen, RatingSeen, check


def journal() -> list[dict[str, Any]]:
    """Two tickets of one day: one served and rated, one waiting."""
    return [
        {"type": "day_opened", "business_date": "2026-11-23"},
        {"type": "ticket_issued", "ticket": "t1", "number": "A001"},
        {"type": "paper_recorded", "ticket": "t1", "becomes": "waiting"},
        {"type": "ticket_merged", "ticket": "t2", "number": "A600"},
        {"type": "ticket_called", "ticket": "t1", "number": "A001", "counter": "1"},
        {"type": "ticket_finished", "ticket": "t1", "number": "A001", "counter": "1"},
        {"type": "rating_given", "ticket": "t1", "counter": "1", "grade": 5, "prompt": "p1"},
    ]


PAPERS = [PaperSeen("A001", "t1"), PaperSeen("A600", "t2")]
RATINGS = [RatingSeen("1", "A001", 5, thanked=True)]


def test_a_day_that_agrees_has_no_problems() -> None:
    verdict = check(PAPERS, RATINGS, journal())
    assert verdict.problems == []
    assert verdict.counts["papers"] == 2 and verdict.counts["grades"] == 1


def test_a_reprint_is_no_second_ticket() -> None:
    assert check([*PAPERS, PaperSeen("A001", "t1", reprint=True)], RATINGS, journal()).problems == []


def test_a_grade_without_thanks_may_be_there_or_not() -> None:
    pressed = [RatingSeen("1", "A001", 5, thanked=False)]
    assert check(PAPERS, pressed, journal()).problems == []
    assert check(PAPERS, pressed, journal()[:-1]).problems == []


def without(kind: str) -> list[dict[str, Any]]:
    return [event for event in journal() if event["type"] != kind]


def added(**event: Any) -> list[dict[str, Any]]:
    return [*journal(), event]


@pytest.mark.parametrize(
    ("papers", "ratings", "events", "problem"),
    [
        (PAPERS, RATINGS, without("ticket_merged"), "paper A600 (t2) is not in the journal"),
        ([PaperSeen("A009", "t1")], RATINGS, journal(), "paper A009 is A001 in the journal"),
        ([*PAPERS, PAPERS[0]], RATINGS, journal(), "number A001 was printed 2 times"),
        (PAPERS, RATINGS, added(type="ticket_voided", ticket="t2"), "paper A600 is void"),
        (PAPERS, RATINGS, added(type="ticket_issued", ticket="t3", number="A001"), "belongs to two tickets"),
        (PAPERS, RATINGS, without("rating_given"), "grade 5 for A001 at counter 1 is not in the journal"),
        (PAPERS, [], journal(), "was never pressed"),
        (PAPERS, RATINGS, [*journal(), journal()[-1]], "prompt p1 was graded 2 times"),
        (
            PAPERS,
            RATINGS,
            added(type="ticket_called", ticket="t1", number="A001", counter="2"),
            "called after it had ended",
        ),
        (
            PAPERS,
            RATINGS,
            [*journal()[:5], {**journal()[4], "counter": "2"}, *journal()[5:]],
            "called to 2 while at 1",
        ),
    ],
)
def test_every_broken_promise_is_a_problem(
    papers: list[PaperSeen], ratings: list[RatingSeen], events: list[dict[str, Any]], problem: str
) -> None:
    assert any(problem in found for found in check(papers, ratings, events).problems)
