"""Two counters press *next* at the same moment, and every key is pressed twice; the checker decides.

Keys go as bytes through the fakes' serial lines. The second press comes at once (a worn contact), after the
keypad driver's debounce (a nervous finger), or as the same command id sent again over REST.
"""

from __future__ import annotations

import asyncio
import json
import random
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from checker import Verdict, check
from evidence import journal_rows, with_ticket_url

from simulator.hall_site import HallSite

BOUNCE_S = 0.004
FINGER_S = 0.35
"""Longer than the driver's debounce, shorter than a person who means it twice."""

SERVICES = ("id-card", "passport", "business-license", "household-register")


def _settings(part: str, tables: dict[str, Any]) -> None:
    with_ticket_url(part, tables)
    for counter in tables.get("counter", ()):
        counter["services"] = [
            service["id"] for service in tables["service"]
        ]  # every counter may call every ticket: they compete


def _post(port: int, path: str, body: dict[str, Any], key: str) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Idempotency-Key": key},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


class Races:
    """Each race must end with exactly one call per counter, however often the key was pressed."""

    def __init__(self, site: HallSite, seed: int) -> None:
        self._site = site
        self._random = random.Random(seed)
        self.problems: list[str] = []
        self.races = 0

    async def fill(self, count: int) -> None:
        for index in range(count):
            body = {"service": SERVICES[index % len(SERVICES)]}
            await asyncio.to_thread(
                _post, self._site.api_port, "/tickets", body, f"fill-{self.races}-{index}"
            )

    async def race(self, *pairs: tuple[str, str]) -> None:
        """The two of each pair press *next* twice; then each counter has one new ticket, and its own."""
        counters = [counter for pair in pairs for counter in pair]
        screens = [self._site.counter_screen(counter) for counter in counters]
        before = [screen.counter.call if screen.counter else None for screen in screens]
        calls = self._site.observer.calls
        gap = self._random.choice((BOUNCE_S, FINGER_S))
        for counter in counters:
            self._site.call_keypad(counter).press("next")
        await asyncio.sleep(gap)
        for counter in counters:
            self._site.call_keypad(counter).press("next")
        async with asyncio.timeout(10):
            for screen, old in zip(screens, before, strict=True):
                while screen.counter is None or screen.counter.call in (None, old):
                    await screen.next_change(1.0)
        # a second call would be here by now, and a next is again taken for meant
        await asyncio.sleep(1.0 + FINGER_S - gap)
        self.races += len(pairs)
        numbers = [screen.counter.number for screen in screens if screen.counter]
        if len(set(numbers)) != len(counters):
            self.problems.append(f"race {self.races}: the counters show {numbers}")
        if (made := self._site.observer.calls - calls) != len(counters):
            self.problems.append(
                f"race {self.races}: {made} calls instead of {len(counters)}, second press after {gap} s"
            )

    async def other_keys_twice(self, counter: str, key: str) -> None:
        """Any other key pressed twice leaves one event of its kind."""
        keypad = self._site.call_keypad(counter)
        keypad.press(key)
        await asyncio.sleep(self._random.choice((BOUNCE_S, FINGER_S)))
        keypad.press(key)
        await asyncio.sleep(1.3)

    async def same_command_twice(self, counter: str) -> None:
        """One REST command sent twice at once with the same Idempotency-Key."""
        screen = self._site.counter_screen(counter)
        shown = screen.counter.ticket if screen.counter else None
        body = {"key": "finish", "shown_ticket": shown}
        path = f"/counters/{counter}/keys"
        await asyncio.gather(
            *(asyncio.to_thread(_post, self._site.api_port, path, body, f"once-{shown}") for _ in range(2))
        )


async def run(folder: Path, *, races: int, seed: int = 1) -> tuple[Verdict, Races]:
    """`races` races, two side by side, then each other key twice."""
    site = HallSite(folder, settings=_settings)
    try:
        await site.start()
        await site.wait_ready()
        await site.wait_devices()
        ring = Races(site, seed)
        while ring.races < races:
            await ring.fill(44)
            for _ in range(10):
                await ring.race(("1", "2"), ("3", "4"))
        finished_before = _count(folder, "ticket_finished")
        await ring.fill(8)
        await ring.race(("1", "2"))
        await ring.same_command_twice("1")
        await ring.other_keys_twice("2", "park")
        await ring.other_keys_twice("2", "unpark")
        await ring.other_keys_twice("2", "finish")
        await asyncio.sleep(1)
        counts = {kind: _count(folder, kind) for kind in ("ticket_parked", "ticket_finished")}
        if counts["ticket_parked"] != 1:
            ring.problems.append(f"park pressed twice parked {counts['ticket_parked']} tickets")
        ended = counts["ticket_finished"] - finished_before
        if ended != 4:  # two by the last race's next, one by REST, one by the key
            ring.problems.append(f"finish pressed twice ended {ended} tickets instead of 4")
    finally:
        await site.stop()
    verdict = check([], [], journal_rows(folder / "hall.db"))
    verdict.problems += ring.problems
    verdict.counts["races"] = ring.races
    return verdict, ring


def _count(folder: Path, kind: str) -> int:
    return sum(row["type"] == kind for row in journal_rows(folder / "hall.db"))
