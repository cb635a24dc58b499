"""A busy day played on the devices: people who tap, wait, walk and rate, and clerks who press keys.

They act only where people act: touches on the kiosk's screen, cards on the reader's tray, keys of the
keypads; they see only what people see: the kiosk's screen, the panel before the clerk, the lights of the
rating keypad. Only the time of people is sped up, and with it what is not electronic: the loudspeaker speaks
and the paper moves so much faster that they do not become the bottleneck. All else runs in real time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from simulator.board_screen import CounterScreen
from simulator.hall_site import PAPER_MM_PER_S, HallSite
from simulator.people import DAY_S, PEOPLE, DayPlan, Visit, plan_day
from simulator.people_time import PeopleTime
from wire.messages import Catalogue, CounterState

log = logging.getLogger(__name__)

TICKET_TIMEOUT_S: Final = 40.0
"""Real: how long a person stands before a kiosk that says nothing."""

CARD_TIMEOUT_S: Final = 4.0
LOOK_S: Final = 1.5
"""Real: how long a clerk waits for an effect of a key before looking and pressing again."""

AT_ONCE: Final = 10.0
"""From this speed on paper comes out at once."""

TRIES: Final = 5
"""A person whose paper failed tries so often."""

QUIET_LOOKS: Final = 25
"""Looks, 0.2 s apart, at an empty hall before the day ends although somebody still holds a number."""

STRANGER: Final = Visit(
    at=0.0, service="", priority=None, card=False, language="zh-CN", kiosk_s=10.0, walk_s=15.0,
    shows_up=True, service_s=120.0, ending="finish", away_s=0.0, grade=None, rating_s=5.0,
)  # fmt: skip
"""Whoever took a number by hand in the page while the day runs."""


def _by_demand(catalogue: Catalogue) -> list[str]:
    """The open services, those of all groups in turn: no group, and so no counter, has all the demand."""
    seen: dict[str, int] = {}
    ranked = []
    for service in catalogue.services:
        if service.open:
            seen[service.group] = seen.get(service.group, 0) + 1
            ranked.append((seen[service.group], service.service))
    return [service for _, service in sorted(ranked, key=lambda each: each[0])]


@dataclass(slots=True)
class Rating:
    """A grade that was pressed while the keypad asked for it. `thanked`: the keypad took it."""

    counter: str
    number: str
    grade: int
    thanked: bool = False


class BusyDay:
    """One day on one site. `on_change` is called about when a count changed.

    Args:
        site: Ready, with a catalogue on its kiosk.
        speed: 1 … 200 times; may be changed while it runs.
    """

    def __init__(
        self,
        site: HallSite,
        *,
        speed: float = 20.0,
        seed: int = 1,
        people: int = PEOPLE,
        day_s: float = DAY_S,
    ) -> None:
        self.state: Literal["idle", "running", "finished"] = "idle"
        self.arrived = 0
        self.gave_up = 0
        self.no_shows = 0
        self.ratings: list[Rating] = []
        self.numbers: list[str] = []
        """Every number that a person holds or held, in the order of issue."""
        self.on_change: Callable[[], None] | None = None
        self.plan: DayPlan | None = None
        self.time = PeopleTime(speed)
        self._site = site
        self._seed = seed
        self._people = people
        self._day_s = day_s
        self._kiosk_queue: deque[Visit] = deque()
        self._kiosk_news = asyncio.Event()
        self._holding: dict[str, Visit] = {}
        self._away: dict[str, list[float]] = {}
        self._task: asyncio.Task[None] | None = None
        self._raters: set[asyncio.Task[None]] = set()

    @property
    def speed(self) -> float:
        return self.time.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self.time.speed = min(max(speed, 1.0), 200.0)
        self._speed_mechanics()
        self._changed()

    @property
    def at_kiosk(self) -> int:
        return len(self._kiosk_queue)

    async def start(self) -> None:
        if self._task is None:
            self.state = "running"
            self._task = asyncio.create_task(self._run(), name="busy day")

    async def stop(self) -> None:
        task, self._task = self._task, None
        for each in [task, *self._raters]:
            if each is not None:
                each.cancel()
                await asyncio.gather(each, return_exceptions=True)
        if self.state == "running":
            self.state = "idle"
        self._speed_mechanics()
        self._site.card_reader.take()
        self._changed()

    async def wait(self) -> None:
        """Until everybody who came is served, or `stop`."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def _speed_mechanics(self) -> None:
        """Sound and paper take as much of people's time as always; every byte takes its real time."""
        speed = self.speed if self.state == "running" else 1.0
        # a fake with no speed of paper needs no time for the cutter either
        self._site.printer.mm_per_s = PAPER_MM_PER_S * speed if speed < AT_ONCE else 0.0
        if self._site.voice is not None:
            self._site.voice.speed = speed

    async def _run(self) -> None:
        catalogue = self._site.kiosk.catalogue
        if catalogue is None:
            self.state = "idle"
            return
        self.plan = plan_day(
            _by_demand(catalogue),
            [priority.priority for priority in catalogue.priorities if priority.offered],
            seed=self._seed,
            people=self._people,
            counters=len(self._site.counters),
            day_s=self._day_s,
        )
        self.time.start()
        self._speed_mechanics()
        self._changed()
        async with asyncio.TaskGroup() as group:
            clerks = [
                group.create_task(self._clerk(counter), name=f"clerk {counter}")
                for counter in self._site.counters
            ]
            kiosk = group.create_task(self._use_kiosk(), name="people at the kiosk")
            for visit in self.plan.visits:
                await self.time.sleep_until(visit.at)
                self.arrived += 1
                self._kiosk_queue.append(visit)
                self._kiosk_news.set()
                self._changed()
            await self._until_empty()
            for task in [*clerks, kiosk]:
                task.cancel()
        if self._raters:
            await asyncio.wait(self._raters)
        self.state = "finished"
        self._speed_mechanics()
        self._changed()

    async def _until_empty(self) -> None:
        """Until nobody waits: everybody is served, or the hall has nobody left to call for a while."""
        quiet = 0
        while self._kiosk_queue or (self._holding and quiet < QUIET_LOOKS):
            await asyncio.sleep(0.2)
            board = self._site.board.board
            counters = [self._site.counter_screen(counter).counter for counter in self._site.counters]
            idle = all(c is not None and c.number is None and not c.parked for c in counters)
            waiting = board is None or any(row.waiting for row in board.services)
            quiet = quiet + 1 if idle and not waiting and not self._kiosk_queue else 0

    # ------------------------------------------------------------ at the kiosk

    async def _use_kiosk(self) -> None:
        """One after another: there is one kiosk."""
        while True:
            while not self._kiosk_queue:
                self._kiosk_news.clear()
                await self._kiosk_news.wait()
            visit = self._kiosk_queue[0]
            number = await self._take_number(visit)
            self._kiosk_queue.popleft()
            if number is None:
                self.gave_up += 1
            else:
                self.numbers.append(number)
                self._holding[number] = visit
            self._changed()

    async def _take_number(self, visit: Visit) -> str | None:
        kiosk = self._site.kiosk
        if visit.card:
            await self._lay_card(visit)
        for _ in range(TRIES):
            await self.time.sleep(visit.kiosk_s)
            request = kiosk.take_ticket(visit.service, visit.priority, visit.language)
            end = await kiosk.end_of(request, TICKET_TIMEOUT_S) if request is not None else None
            if end is not None and end.stage == "done" and end.number is not None:
                self._site.card_reader.take()
                return end.number
            if end is not None and end.stage == "refused":
                break
            await asyncio.sleep(0.3)
        self._site.card_reader.take()
        return None

    async def _lay_card(self, visit: Visit) -> None:
        from drivers.card_reader.synthetic_cards import synthetic_cards

        cards = synthetic_cards()
        old = visit.priority is not None
        fitting = [card for card in cards if (card.birth.year < 1960) == old] or list(cards)
        self._site.card_reader.lay(fitting[int(visit.at) % len(fitting)])
        try:
            async with asyncio.timeout(CARD_TIMEOUT_S):
                while self._site.kiosk.card is None:  # noqa: ASYNC110  (a person looks at the screen)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pass  # the reader does not work: they choose by hand

    # ------------------------------------------------------------ at the counters

    async def _clerk(self, counter: str) -> None:
        screen = self._site.counter_screen(counter)
        self._away[counter] = []
        while True:
            shown = screen.counter
            if shown is None or screen.stale:
                await screen.next_change(LOOK_S)
            elif shown.state in ("closed", "paused"):
                await self._press(counter, "open", screen)
            elif shown.state in ("called", "serving") and shown.number is not None:
                await self._receive(counter, screen, shown)
            elif shown.parked and self._is_back(counter):
                self._away[counter].pop(0)
                await self._press(counter, "unpark", screen)
            elif shown.waiting:
                await self._press(counter, "next", screen)
            else:
                await screen.next_change(LOOK_S / max(1.0, self.speed / 20))

    def _is_back(self, counter: str) -> bool:
        away = self._away[counter]
        return bool(away) and min(away) <= self.time.now()

    async def _press(self, counter: str, key: str, screen: CounterScreen) -> bool:
        """Press and look until the panel shows something else; False when it did not change."""
        before = screen.counter
        self._site.call_keypad(counter).press(key)
        loop = asyncio.get_running_loop()
        until = loop.time() + LOOK_S
        while (left := until - loop.time()) > 0:
            now = screen.counter
            if now is None or before is None or (now.state, now.call, now.ticket, now.parked) != (
                before.state, before.call, before.ticket, before.parked,
            ):  # fmt: skip
                return True
            await screen.next_change(left)
        return False

    async def _receive(self, counter: str, screen: CounterScreen, shown: CounterState) -> None:
        number = shown.number or ""
        visit = self._holding.get(number, STRANGER)
        if not visit.shows_up:
            await self._call_in_vain(counter, screen, number)
            return
        await self.time.sleep(visit.walk_s + visit.service_s)
        if screen.counter is None or screen.counter.number != number:
            return  # somebody else ended it, or the counter lost its agent: look again
        if visit.ending == "finish":
            if await self._press(counter, "finish", screen):
                self._holding.pop(number, None)
                self._leave(counter, number, visit)
        elif await self._press(counter, visit.ending, screen):
            # next time at a counter they are served
            self._holding[number] = replace(visit, ending="finish")
            if visit.ending == "park":
                self._away[counter].append(self.time.now() + visit.away_s)
        elif visit.ending == "park":
            pass
        else:
            # nobody to transfer to: serve them here
            self._holding[number] = replace(visit, ending="finish")
        self._changed()

    async def _call_in_vain(self, counter: str, screen: CounterScreen, number: str) -> None:
        await self.time.sleep(45)
        await self._press_only(counter, "recall")
        await self.time.sleep(45)
        if await self._press(counter, "no_show", screen):
            self._holding.pop(number, None)
            self.no_shows += 1
            self._changed()

    async def _press_only(self, counter: str, key: str) -> None:
        self._site.call_keypad(counter).press(key)
        await asyncio.sleep(0.25)

    def _leave(self, counter: str, number: str, visit: Visit) -> None:
        if visit.grade is None:
            return
        task = asyncio.create_task(self._rate(counter, number, visit.grade, visit.rating_s))
        self._raters.add(task)
        task.add_done_callback(self._raters.discard)

    async def _rate(self, counter: str, number: str, grade: int, rating_s: float) -> None:
        """Press when the keypad asks; walk on when it does not within a few seconds."""
        pad = self._site.rating_keypad(counter)
        screen = self._site.counter_screen(counter)
        try:
            async with asyncio.timeout(3.0):
                while not (pad.prompting and screen.prompt is not None and screen.prompt.number == number):
                    await screen.next_change(0.05)
        except TimeoutError:
            return
        await self.time.sleep(rating_s)
        if not pad.prompting or screen.prompt is None or screen.prompt.number != number:
            return
        rating = Rating(counter, number, grade)
        self.ratings.append(rating)
        thanks = pad.thanks
        pad.press(str(grade))
        try:
            async with asyncio.timeout(LOOK_S):
                while pad.thanks == thanks:  # noqa: ASYNC110  (a person looks at the keypad)
                    await asyncio.sleep(0.02)
            rating.thanked = True
        except TimeoutError:
            pass  # no thanks: the keypad or its agent is gone
        self._changed()
