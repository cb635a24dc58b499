"""kill -9 of the screen programs of a real hall at random moments, while a citizen takes numbers and rates.

Broker, coordinator and agents are the real ones and stay alive; the kiosk, hall display, counter panel and
rating panel are `paihao screen` under supervision (`screen_end`). One robot citizen touches through to a
number, again and again, following whatever page stands; a clerk calls and finishes by keypad; another robot
answers the rating panel. Half of the kiosk's kills fall within 1.5 s after a confirmed tap: before, while and
after the paper comes. A second, simulated kiosk screen only listens: it is the witness of what reached the
agent.
"""

from __future__ import annotations

import asyncio
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from checker import Verdict
from evidence import PaperTray, journal_rows, with_ticket_url
from screen_checker import GradeTouched, Tap, check_screens
from screen_end import ScreenEnd

from simulator.hall_site import BOARD, HALL, KIOSK, HallSite

COUNTER: Final = "counter-1"
SIZES: Final = {"kiosk": "1080x1920", "board": "1920x1080", "counter": "800x480", "rating": "800x480"}
NODES: Final = {"kiosk": KIOSK, "board": BOARD, "counter": COUNTER, "rating": COUNTER}
AIMED_S: Final = 1.5
"""So long after a confirmed tap the aimed kills fall."""
BACK_IN_S: Final = 3.0
"""What is promised."""
BACK_S: Final = 30.0
"""So long it is waited for."""
SETTLE_S: Final = 12.0
"""Longer than a paper, a late answer and an outbox need."""
NOT_THERE: Final = frozenset({"", "away", "board_starting", "counter_starting", "rating_starting"})
"""Pages of a program that has not heard its agent yet."""
NUMBER: Final = re.compile(r"\b[A-D][0-9]{3}\b")


def _settings(part: str, tables: dict[str, Any]) -> None:
    """One counter for all services, rated by the panel alone."""
    with_ticket_url(part, tables)
    if part == HALL:
        first = dict(tables["counter"][0], services=[each["id"] for each in tables["service"]])
        first.pop("transfer_to", None)
        tables["counter"] = [first]
        tables["rule"] = []
    if part == COUNTER:
        station = tables["station"][0]
        station.pop("rating_keypad", None)
        station["screens"] = ["counter", "rating"]
    if part == BOARD:
        tables["station"][0]["screens"] = ["board"]


class Back:
    """How long each screen was away: until READY, and until the right page stood."""

    def __init__(self) -> None:
        self.ready_s: dict[str, list[float]] = {name: [] for name in SIZES}
        self.page_s: dict[str, list[float]] = {name: [] for name in SIZES}
        self.never: list[str] = []
        self.killed_on: dict[str, Counter[str]] = {name: Counter() for name in SIZES}
        """Pages that stood when the kill came."""

    async def kill(self, end: ScreenEnd, right: Callable[[], bool]) -> None:
        page, words = end.page, end.words
        starts, before = end.part.starts, end.connections
        at = time.monotonic()
        end.part.kill()
        self.killed_on[end.screen][page] += 1
        try:
            await end.part.wait_ready(BACK_S, starts=starts + 1)
            self.ready_s[end.screen].append(time.monotonic() - at)
            await end.until(
                lambda: end.connections > before and end.page not in NOT_THERE and right(), BACK_S
            )
            self.page_s[end.screen].append(time.monotonic() - at)
        except TimeoutError:
            self.never.append(
                f"{end.screen}, killed on {page} ({words[:60]}): {end.page} ({end.words[:60]}) stands"
            )


class Crowd:
    """The robots. `touched` is set for each touch on "take"."""

    def __init__(self, site: HallSite, ends: dict[str, ScreenEnd], seed: int) -> None:
        self.taps: dict[str, Tap] = {}
        self.touches = 0
        self.grades: dict[str, GradeTouched] = {}
        self.touched = asyncio.Event()
        self.over = False
        self._site = site
        self._ends = ends
        self._random = random.Random(seed)
        site.watchers.add(self._witness)

    def _witness(self, what: str) -> None:
        progress = self._site.kiosk.newest
        if what == f"screen:{KIOSK}" and progress is not None:
            self.taps[progress.request] = Tap(
                progress.stage, progress.ticket, progress.number, progress.paper
            )

    # ---------------------------------------------------------------- the kiosk

    async def citizen(self) -> None:
        """One after the other takes a number; the last one is let through to the end."""
        end = self._ends["kiosk"]
        while not (self.over and end.page in ("attract",)):
            action = self._next_touch(end)
            if action is None:
                await self._news(end, 0.5)
                continue
            await asyncio.sleep(self._random.uniform(0.05, 0.35))
            if action == "take" and "take" in end.targets:
                self.touches += 1
                self.touched.set()
                self.touched.clear()
            await end.touch(action)

    def _next_touch(self, end: ScreenEnd) -> str | None:
        """What somebody who wants a number touches on this page; None: nothing, they wait."""
        there = end.targets
        if not end.alive or end.page in NOT_THERE:
            return None
        for wanted in ("take", "finish"):
            if wanted in there:
                return wanted
        if "start" in there:
            return None if self.over else "start"
        ways = [action for action in there if action.startswith(("group:", "service:"))]
        if ways:
            return self._random.choice(ways)
        return next((action for action in ("other", "home", "stay", "back") if action in there), None)

    @staticmethod
    async def _news(end: ScreenEnd, timeout: float) -> None:
        before = (end.draws, end.connections)
        try:
            await end.until(lambda: (end.draws, end.connections) != before, timeout)
        except TimeoutError:
            pass

    # ---------------------------------------------------------------- the counter

    async def clerk(self) -> None:
        """Calls, serves and waits for the rating."""
        keys, counters = self._site.call_keypad("1"), self._site.observer.counters
        while True:
            shown = counters.get("1")
            if shown is None or shown.state in ("closed", "paused"):
                keys.press("open")
            elif shown.state in ("called", "serving") and shown.number is not None:
                await asyncio.sleep(self._random.uniform(0.5, 1.5))
                number = shown.number
                keys.press("finish")
                await self._rated(number)
            elif shown.waiting:
                keys.press("next")
            await asyncio.sleep(0.8)

    async def _rated(self, number: str) -> None:
        for _ in range(140):
            touch = self.grades.get(number)
            if touch is not None and touch.taken:
                return
            await asyncio.sleep(0.1)

    async def rater(self) -> None:
        """Grades whatever is asked, sometimes with a reason; the same grade again where it did not count."""
        end = self._ends["rating"]
        while True:
            if end.page == "rating_ask" and (number := number_in(end.words)):
                await asyncio.sleep(self._random.uniform(0.6, 2.0))
                before = self.grades.get(number)
                grade = before.grade if before is not None else self._random.randint(1, 5)
                if end.page == "rating_ask" and number_in(end.words) == number:
                    self.grades[number] = GradeTouched(number, grade, False)
                    await end.touch(f"grade:{grade}")
                    await self._news(end, 0.5)
            elif end.page in ("rating_why", "rating_thanks"):
                await asyncio.sleep(0.6)
                choices = [action for action in end.targets if action.startswith("reason:")]
                if choices and self._random.random() < 0.5:
                    await end.touch(self._random.choice(choices))
                await end.touch("submit" if "submit" in end.targets else "skip")
                await self._news(end, 0.5)
            else:
                await self._news(end, 0.5)

    def look_at_rating(self) -> None:
        """Called with each picture of the rating panel: thanks mean that the grade is taken."""
        end = self._ends["rating"]
        if end.page in ("rating_why", "rating_thanks") and self.grades:
            number = number_in(end.words) or next(reversed(self.grades))
            if (touch := self.grades.get(number)) is not None:
                self.grades[number] = GradeTouched(number, touch.grade, True)


def number_in(words: str) -> str | None:
    """The first ticket's number in the words of a page."""
    found = NUMBER.search(words)
    return found[0] if found else None


class Kills:
    """Kills in turn: random moments, and for the kiosk every second one shortly after a confirmed tap."""

    def __init__(self, site: HallSite, ends: dict[str, ScreenEnd], crowd: Crowd, seed: int) -> None:
        self.back = Back()
        self.taps_killed: Counter[str] = Counter()
        """How far the newest tap was at the agent when the kiosk's program was killed."""
        self._site = site
        self._ends = ends
        self._crowd = crowd
        self._random = random.Random(seed + 1)

    async def of_kiosk(self, count: int) -> None:
        end = self._ends["kiosk"]
        for n in range(count):
            if n % 2:
                await asyncio.wait_for(self._crowd.touched.wait(), 60)
                await asyncio.sleep(self._random.uniform(0.0, AIMED_S))
            else:
                await asyncio.sleep(self._random.uniform(0.3, 3.0))
            newest = self._site.kiosk.newest
            self.taps_killed[newest.stage if newest is not None else "none"] += 1
            await self.back.kill(end, self._kiosk_is_right)

    def _kiosk_is_right(self) -> bool:
        """A number that is not in its citizen's hand stands there again."""
        newest = self._site.kiosk.newest
        if newest is not None and newest.stage == "printing":
            return (newest.number or "?") in self._ends["kiosk"].words
        return True

    async def of_rating(self, count: int) -> None:
        end = self._ends["rating"]
        for n in range(count):
            if n % 2:  # while something is asked, or just graded
                asked = ("rating_ask",) if n % 4 == 1 else ("rating_ask", "rating_why", "rating_thanks")
                await end.until(lambda asked=asked: end.page in asked, 120)  # type: ignore[misc]
                await asyncio.sleep(self._random.uniform(0.0, 2.5))
            else:
                await asyncio.sleep(self._random.uniform(0.5, 6.0))
            asked_for = number_in(end.words) if end.page == "rating_ask" else None
            await self.back.kill(end, lambda asked_for=asked_for: self._rating_is_right(asked_for))  # type: ignore[misc]

    def _rating_is_right(self, asked_for: str | None) -> bool:
        """What was asked is asked again, unless it was answered just before the kill."""
        end = self._ends["rating"]
        if asked_for is None or asked_for in self._crowd.grades:
            return True
        return end.page == "rating_ask" and number_in(end.words) == asked_for

    async def of_counter(self, count: int) -> None:
        end = self._ends["counter"]

        def right() -> bool:
            shown = self._site.observer.counters["1"]
            return shown.number is None or shown.number in end.words

        for _ in range(count):
            await asyncio.sleep(self._random.uniform(0.5, 6.0))
            await self.back.kill(end, right)

    async def of_board(self, count: int) -> None:
        end = self._ends["board"]

        def right() -> bool:
            board = self._site.observer.board
            return board is None or not board.calls or board.calls[0].number in end.words

        for _ in range(count):
            await asyncio.sleep(self._random.uniform(0.5, 6.0))
            await self.back.kill(end, right)


async def run(folder: Path, *, kills: int, others: int, seed: int = 1) -> tuple[Verdict, Back]:
    """`kills` of the kiosk's program and `others` of each other one, at the same time."""
    site = HallSite(folder, counters=1, settings=_settings)
    ends: dict[str, ScreenEnd] = {}
    with tempfile.TemporaryDirectory(prefix="paihao-") as sockets:
        try:
            await site.start()
            await site.wait_ready()
            for node in (BOARD, COUNTER):
                await site.screens[node].stop()
            for screen, size in SIZES.items():
                node = NODES[screen]
                station = site.profiles[node]["station"][0]["id"]
                arguments = ["--station", station, "--socket", site.profiles[node]["screen_socket"]]
                end = ScreenEnd(screen, folder, Path(sockets), [*arguments, "--size", size])
                ends[screen] = end
                await end.start()
            for end in ends.values():
                await end.part.wait_ready(30)
                await end.until(lambda end=end: end.page not in NOT_THERE, 30)  # type: ignore[misc]
            crowd, tray, all_kills = await _day(site, ends, kills, others, seed)
        finally:
            await asyncio.gather(*(end.stop() for end in ends.values()))
            await site.stop()
    back, killed = all_kills.back, all_kills.taps_killed
    seen = check_screens(
        crowd.taps, crowd.touches, tray.papers, list(crowd.grades.values()), journal_rows(folder / "hall.db")
    )
    seen.problems += back.never + [fault for end in ends.values() for fault in end.faults]
    seen.counts.update({f"kiosk killed when the newest tap was {k}": n for k, n in killed.items()})
    seen.counts.update({f"pictures of {name}": end.pictures for name, end in ends.items()})
    return seen, back


async def _day(
    site: HallSite, ends: dict[str, ScreenEnd], kills: int, others: int, seed: int
) -> tuple[Crowd, PaperTray, Kills]:
    tray = PaperTray(site)
    crowd = Crowd(site, ends, seed)
    ends["rating"].on_news = crowd.look_at_rating
    all_kills = Kills(site, ends, crowd, seed)
    citizen = asyncio.create_task(crowd.citizen(), name="citizen")
    working = [asyncio.create_task(work) for work in (crowd.clerk(), crowd.rater())]
    try:
        await asyncio.gather(
            all_kills.of_kiosk(kills),
            all_kills.of_board(others),
            all_kills.of_counter(others),
            all_kills.of_rating(others),
        )
        crowd.over = True
        await asyncio.wait_for(citizen, 120)
        await asyncio.sleep(SETTLE_S)
    finally:
        for task in (citizen, *working):
            task.cancel()
        results = await asyncio.gather(citizen, *working, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return crowd, tray, all_kills
