"""Collects what came out of a hall: papers of the fake printer, grades of the fake keypads, the journal."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from checker import PaperSeen, RatingSeen

from simulator.busy_day import BusyDay
from simulator.hall_site import HALL, HallSite, number_on

TICKET_URL = "https://hall.example/t/{ticket}"
"""Puts the ticket's id on the paper, so that a paper can be traced to one ticket."""


def with_ticket_url(part: str, tables: dict[str, Any]) -> None:
    """Settings of a `HallSite` whose papers can be traced; and no early alarm about long waits."""
    if part == HALL:
        tables["hall"]["ticket_url"] = TICKET_URL


class PaperTray:
    """Keeps every whole ticket that the site's printer lets go, from now on."""

    def __init__(self, site: HallSite) -> None:
        self.papers: list[PaperSeen] = []
        self.torn = 0
        self._site = site
        self._seen = site.papers_out
        site.watchers.add(self._changed)

    def _changed(self, what: str) -> None:
        for running, piece in self._site.papers:
            if running <= self._seen:
                continue
            self._seen = running
            number = number_on(piece)
            if number is None:
                self.torn += 1
                continue
            reprint = any("补打" in line.text or "Reprint" in line.text for line in piece.lines)
            ticket = piece.qr[0].rsplit("/", 1)[1] if piece.qr else ""
            self.papers.append(PaperSeen(number, ticket, reprint))


def ratings_of(day: BusyDay) -> list[RatingSeen]:
    return [RatingSeen(r.counter, r.number, r.grade, r.thanked) for r in day.ratings]


def journal_rows(path: Path) -> list[dict[str, Any]]:
    """Every event of a journal file, oldest first, read without the product's code."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return [json.loads(body) for (body,) in database.execute("SELECT body FROM events ORDER BY seq")]
