"""Decides from what every party saw whether a promise was broken. Pure: evidence in, sentences out.

The evidence is independent of the product: paper is what came out of a fake printer, decoded from its bytes;
a rating is a key that a fake keypad sent and whose thanks came back on the wire; the journal is read row by
row from its file.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PaperSeen:
    """A whole ticket, cut off. `ticket` is the id in its QR code."""

    number: str
    ticket: str
    reprint: bool = False


@dataclass(frozen=True, slots=True)
class RatingSeen:
    """A grade pressed at a counter for the ticket `number`. `thanked`: the keypad was told it was taken."""

    counter: str
    number: str
    grade: int
    thanked: bool


@dataclass(slots=True)
class Verdict:
    """`problems` is empty when every promise held. `counts` says how much evidence there was."""

    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def check(
    papers: Sequence[PaperSeen], ratings: Sequence[RatingSeen], rows: Iterable[dict[str, Any]]
) -> Verdict:
    """Compare paper and ratings with the journal's events (dicts with `type`, in order)."""
    verdict = Verdict()
    events = list(rows)
    verdict.counts.update(
        papers=len(papers), ratings_thanked=sum(r.thanked for r in ratings), events=len(events)
    )
    _check_numbers(events, verdict)
    _check_papers(papers, events, verdict)
    _check_ratings(ratings, events, verdict)
    _check_calls(events, verdict)
    return verdict


def _issued(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {event["ticket"]: event for event in events if event["type"] in ("ticket_issued", "ticket_merged")}


def _check_numbers(events: list[dict[str, Any]], verdict: Verdict) -> None:
    """No number twice in one business date."""
    owners: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if event["type"] == "day_opened":
            owners.clear()
        elif event["type"] in ("ticket_issued", "ticket_merged"):
            owners[event["number"]].add(event["ticket"])
            if len(owners[event["number"]]) == 2:
                verdict.problems.append(f"number {event['number']} belongs to two tickets")
    verdict.counts["numbers"] += len(owners)


def _check_papers(papers: Sequence[PaperSeen], events: list[dict[str, Any]], verdict: Verdict) -> None:
    """Every paper is one ticket of the journal with that number and is not void; none came out twice."""
    issued = _issued(events)
    void: set[str] = set()
    for event in events:
        if event["type"] == "ticket_voided":
            void.add(event["ticket"])
        elif event["type"] == "paper_recorded":
            if event.get("becomes") == "void":
                void.add(event["ticket"])
            elif event.get("becomes") is not None:
                void.discard(event["ticket"])
    for paper in papers:
        event = issued.get(paper.ticket)
        if event is None:
            verdict.problems.append(f"paper {paper.number} ({paper.ticket}) is not in the journal")
        elif event["number"] != paper.number:
            verdict.problems.append(f"paper {paper.number} is {event['number']} in the journal")
        elif paper.ticket in void:
            verdict.problems.append(f"paper {paper.number} is void in the journal")
    first = Counter(paper.number for paper in papers if not paper.reprint)
    for number, count in first.items():
        if count > 1:
            verdict.problems.append(f"number {number} was printed {count} times")


def _check_ratings(ratings: Sequence[RatingSeen], events: list[dict[str, Any]], verdict: Verdict) -> None:
    """Every thanked key is one grade of the journal, and no grade is there that nobody pressed."""
    given = [event for event in events if event["type"] == "rating_given"]
    for prompt, count in Counter(event["prompt"] for event in given).items():
        if count > 1:
            verdict.problems.append(f"prompt {prompt} was graded {count} times")
    for event in events:
        if event["type"] == "rating_unmatched":
            verdict.problems.append(f"a grade of counter {event['counter']} matches no prompt")
    numbers = {event["ticket"]: event["number"] for event in _issued(events).values()}
    left = Counter((e["counter"], numbers.get(e["ticket"], "?"), e["grade"]) for e in given)
    for rating in sorted(ratings, key=lambda rating: not rating.thanked):
        key = (rating.counter, rating.number, rating.grade)
        if left[key]:
            left[key] -= 1
        elif rating.thanked:
            verdict.problems.append(
                f"grade {rating.grade} for {rating.number} at counter {rating.counter} is not in the journal"
            )
    for (counter, number, grade), count in left.items():
        if count:
            verdict.problems.append(f"grade {grade} for {number} at counter {counter} was never pressed")
    verdict.counts["grades"] += len(given)


def _check_calls(events: list[dict[str, Any]], verdict: Verdict) -> None:
    """No ticket is called to a counter while another has it, or after it ended."""
    holder: dict[str, str] = {}
    ended: set[str] = set()
    for event in events:
        kind, ticket = event["type"], event.get("ticket")
        if ticket is None:
            continue
        if kind == "ticket_called":
            verdict.counts["calls"] += 1
            if ticket in holder:
                verdict.problems.append(
                    f"ticket {event['number']} was called to {event['counter']} while at {holder[ticket]}"
                )
            if ticket in ended:
                verdict.problems.append(f"ticket {event['number']} was called after it had ended")
            holder[ticket] = event["counter"]
        elif kind in ("ticket_finished", "ticket_no_show", "ticket_parked", "ticket_transferred"):
            holder.pop(ticket, None)
            if kind == "ticket_finished":
                ended.add(ticket)
