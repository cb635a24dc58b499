"""Decides from what witness, printer and journal saw whether a killed screen cost anything.

Pure, like `checker`: evidence in, sentences out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checker import PaperSeen, Verdict, check


@dataclass(frozen=True, slots=True)
class Tap:
    """How far the agent came with a confirmed tap that reached it."""

    stage: str
    ticket: str | None = None
    number: str | None = None
    paper: str | None = None


@dataclass(frozen=True, slots=True)
class GradeTouched:
    """A grade of the robot; `taken`: the panel showed afterwards that the agent has it."""

    number: str
    grade: int
    taken: bool


def check_screens(
    taps: Mapping[str, Tap],
    touches: int,
    papers: Sequence[PaperSeen],
    grades: Sequence[GradeTouched],
    rows: Sequence[dict[str, Any]],
) -> Verdict:
    """`taps` by request, `touches`: how often "take" was touched; `rows`: the journal's events in order."""
    verdict = check(papers, [], [row for row in rows if row["type"] != "rating_given"])
    verdict.counts.update(taps_that_reached_the_agent=len(taps), touches_of_take=touches)
    if len(taps) > touches:
        verdict.problems.append(f"{len(taps)} requests of {touches} touches")
    _check_taps(taps, papers, rows, verdict)
    _check_ends(rows, verdict)
    _check_grades(grades, rows, verdict)
    return verdict


def _check_taps(
    taps: Mapping[str, Tap], papers: Sequence[PaperSeen], rows: Sequence[dict[str, Any]], verdict: Verdict
) -> None:
    """Each tap ended, with one paper of one ticket that waits, or with a plain no and neither."""
    came_out = Counter(paper.ticket for paper in papers if not paper.reprint)
    issued = Counter(row.get("request") for row in rows if row["type"] == "ticket_issued")
    joined = _joined(rows)
    known = set()
    for request, tap in taps.items():
        verdict.counts[f"taps_{tap.stage}"] += 1
        if tap.stage not in ("done", "failed", "refused"):
            verdict.problems.append(f"tap {request} has no end: {tap.stage}")
        if issued[request] > 1:
            verdict.problems.append(f"tap {request} was given {issued[request]} numbers")
        if tap.stage != "done" or tap.ticket is None:
            continue
        known.add(tap.ticket)
        if tap.paper != "confirmed":
            verdict.problems.append(f"the paper of {tap.number} is {tap.paper}")
        if came_out[tap.ticket] != 1:
            verdict.problems.append(f"{came_out[tap.ticket]} papers of {tap.number} came out")
        if joined[tap.ticket] != 1:
            verdict.problems.append(f"{tap.number} joined the queue {joined[tap.ticket]} times")
    for ticket in came_out.keys() - known:
        verdict.problems.append(f"a paper of ticket {ticket} that no tap asked for")


def _joined(rows: Sequence[dict[str, Any]]) -> Counter[str]:
    """How often each ticket began to wait because of its paper."""
    joined: Counter[str] = Counter()
    for row in rows:
        by_paper = row["type"] == "paper_recorded" and row.get("becomes") == "waiting"
        joined[row.get("ticket", "")] += by_paper or (row["type"] == "ticket_merged" and row["joins"])
    return joined


def _check_ends(rows: Sequence[dict[str, Any]], verdict: Verdict) -> None:
    """No number that was asked for is left without its paper's outcome."""
    ended = {row["ticket"] for row in rows if row["type"] in ("paper_recorded", "ticket_voided")}
    for row in rows:
        if row["type"] == "ticket_issued" and row["ticket"] not in ended:
            verdict.problems.append(f"number {row['number']} has no end")


def _check_grades(grades: Sequence[GradeTouched], rows: Sequence[dict[str, Any]], verdict: Verdict) -> None:
    """A grade that was taken is there once; none is there that was not touched."""
    numbers = {row["prompt"]: row["number"] for row in rows if row["type"] == "rating_prompted"}
    given: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row["type"] == "rating_given":
            given[numbers.get(row["prompt"], "?")].append(row["grade"])
    touched = {grade.number: grade for grade in grades}
    verdict.counts.update(prompts=len(numbers), grades_touched=len(touched), grades_in_the_journal=len(given))
    for number, touch in touched.items():
        if len(given[number]) > 1:
            verdict.problems.append(f"{number} was graded {len(given[number])} times")
        elif touch.taken and given[number] != [touch.grade]:
            verdict.problems.append(f"grade {touch.grade} for {number} is {given[number]} in the journal")
        elif given[number] not in ([], [touch.grade]):
            verdict.problems.append(f"grade {given[number]} for {number} was never touched")
    for number in given.keys() - touched.keys():
        if given[number]:
            verdict.problems.append(f"{number} was graded by nobody")
