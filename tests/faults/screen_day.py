"""A day of 24 hours and 120 calls an hour through the real screen programs, as fast as they draw.

The four programs are `paihao screen` (see `screen_probe`), each on the agent's real socket (`ScreenLink`)
with a scripted hall behind it (`screen_day_hall`). Their clocks go on only by what is played, moment by
moment, so that a minute has flashes, pages in turn and countdowns; each message is drawn before the
next is said. Looked for: a picture with nothing on it, something cut, a change that was due and not drawn, a
loop without sleep, memory that grows.
"""

from __future__ import annotations

import asyncio
import logging
import random
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from screen_day_hall import DAY_S, HallDay, rating
from screen_end import ScreenEnd

from device.screen_link import ScreenLink
from wire.messages import BoardCall
from wire.screen_link import (
    CardGone,
    CardShown,
    CodeScanned,
    CounterShown,
    LinkMessage,
    RateService,
    RatingShown,
    TicketProgress,
    ToAgent,
    decode_to_screen,
    encode_line,
)

log = logging.getLogger(__name__)

SIZES: Final = {"kiosk": "1080x1920", "board": "1920x1080", "counter": "800x480", "rating": "800x480"}
CALLS_PER_HOUR: Final = 120
EVERY_S: Final = 3600 // CALLS_PER_HOUR
SAMPLE_S: Final = 600
WARM: Final = 0.20
"""The first part of the day, in which caches fill."""
GROWTH_MB: Final = 2.0
"""So much more at the end than after the warm-up is still flat."""
MOST_MB: Final = 120.0
TOUCHES: Final = 12
"""Of one citizen."""


@dataclass(slots=True)
class Day:
    """What was seen. Memory in MiB, sampled every 10 minutes of the day."""

    rss: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in SIZES})
    pss: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in SIZES})
    pictures: dict[str, int] = field(default_factory=dict)
    pages: dict[str, dict[str, int]] = field(default_factory=dict)
    messages: int = 0
    calls: int = 0
    touches: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    """Tickets by the last stage that was told of them."""
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


def growth(samples: list[float]) -> float:
    """MiB between the tenth of the day after the warm-up and the last tenth (medians)."""
    tenth = max(1, len(samples) // 10)
    start = int(len(samples) * WARM)
    return statistics.median(samples[-tenth:]) - statistics.median(samples[start : start + tenth])


class _Station:
    """One screen at its agent. `say` returns when the program has drawn what was said."""

    def __init__(self, day: HallDay, screen: str, link: ScreenLink, end: ScreenEnd) -> None:
        self.sent = 0
        self.total = 0
        self.came = 0
        self.answering: asyncio.Task[None] | None = None
        self.shown: list[LinkMessage] = []
        self.ended: dict[str, str] = {}
        self.end = end
        self._day = day
        self._screen = screen
        self._link = link
        self._saying = asyncio.Lock()

    def whole(self) -> list[LinkMessage]:
        """What stood last, kind by kind."""
        self.came += 1
        return self.shown

    async def on_screen(self, message: ToAgent) -> None:
        if self._screen == "kiosk":
            before = self.answering
            self.answering = asyncio.create_task(self._answer(message, before))

    async def _answer(self, message: ToAgent, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        for answer in self._day.answers(message):
            if isinstance(answer, TicketProgress):
                outlet = f" {answer.outlet}" if answer.outlet else ""
                self.ended[answer.request] = f"{answer.stage} {answer.paper or answer.code or ''}{outlet}"
            await self.say(answer)

    async def say(self, message: LinkMessage) -> None:
        async with self._saying:
            decode_to_screen(encode_line(message))  # what no agent could say would only close the line
            lasting = not isinstance(message, CardShown | CardGone | CodeScanned | TicketProgress)
            if lasting:
                self.shown = [each for each in self.shown if type(each) is not type(message)] + [message]
            self._link.send(f"{self._screen}-1", message)
            self.sent += 1
            self.total += 1
            await self.end.heard_all(self.sent)

    async def answered(self) -> None:
        """Until everything that was touched has its answers drawn."""
        while (task := self.answering) is not None and not task.done():
            await task


class Play:
    """Plays `hours` of the day on running programs."""

    def __init__(self, day: HallDay, link: ScreenLink, ends: dict[str, ScreenEnd], seed: int) -> None:
        self.seen = Day()
        self.stations = {name: _Station(day, name, link, end) for name, end in ends.items()}
        self._day = day
        self._link = link
        self._ends = ends
        self._random = random.Random(seed)
        self._links = 0

    async def run(self, hours: float) -> None:
        began = time.monotonic()
        steps = int(hours * CALLS_PER_HOUR)
        for step in range(steps):
            await self._half_minute(step)
            self._day.at += timedelta(seconds=EVERY_S)
            if (step + 1) * EVERY_S % SAMPLE_S == 0:
                self._sample()
            if (step + 1) % CALLS_PER_HOUR == 0:
                rss = {name: round(samples[-1], 1) for name, samples in self.seen.rss.items()}
                log.info(
                    "hour %d after %.0f s: %s", (step + 1) // CALLS_PER_HOUR, time.monotonic() - began, rss
                )
        seen = self.seen
        seen.seconds = time.monotonic() - began
        seen.messages = sum(station.total for station in self.stations.values())
        for last in self.stations["kiosk"].ended.values():
            seen.ends[last] = seen.ends.get(last, 0) + 1
        for name, end in self._ends.items():
            seen.pictures[name], seen.pages[name] = end.pictures, dict(end.pages)
            seen.problems += end.faults
            if self.stations[name].came != self._links:
                seen.problems.append(f"{name} came {self.stations[name].came} times, not {self._links}")
            if end.part.starts != 1:
                seen.problems.append(f"{name} was started {end.part.starts} times: {end.part.last_line()}")

    async def _half_minute(self, step: int) -> None:
        day, minute = self._day, step // 2
        if step % 2 == 0:
            await self._now_and_then(minute)
        call = day.call()
        self.seen.calls += 1
        results = await asyncio.gather(
            self._kiosk(step),
            self._board(step),
            self._counter(step, call),
            self._rating(step, call),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _now_and_then(self, minute: int) -> None:
        """What happens less often; `minute` of the day."""
        day, say = self._day, {name: station.say for name, station in self.stations.items()}
        day.paper_out = minute % 60 in (20, 21, 22, 23)
        online = minute % 60 not in (50, 51)
        if online != day.online:
            day.online = online
            await say["counter"](day.counter_shown("open"))
            await say["board"](day.board_shown())
        if day.at.hour == 4 and day.at.minute == 0:
            day.new_day()
        if minute % 10 == 0:
            day.announce()
        if minute % 60 == 7:
            day.rename()
        if minute % 15 == 3:
            shown = day.playlist()
            await asyncio.gather(say["board"](shown), say["kiosk"](shown))
        if minute % 120 == 77:
            await self._agent_restarts()

    async def _agent_restarts(self) -> None:
        """All screens lose it and come back."""
        await self._link.stop()
        ends = self._ends
        before = {name: end.heard for name, end in ends.items()}
        await asyncio.gather(
            *(end.until(lambda n=name, e=end: e.heard > before[n], 10) for name, end in ends.items())  # type: ignore[misc]
        )
        await asyncio.gather(*(end.pass_s(8.0) for end in ends.values()))  # away for long enough to say so
        await self._begin_link()

    async def _begin_link(self) -> None:
        self._links += 1
        before = {name: end.heard for name, end in self._ends.items()}
        await self._link.start()
        for name, station in self.stations.items():
            expected = before[name] + 1 + len(station.shown)
            await station.end.heard_all(expected)
            station.sent = expected

    async def begin(self) -> None:
        """The first connection."""
        day = self._day
        for name, first in (
            ("kiosk", [day.kiosk_state(), day.guides(), day.playlist()]),
            ("board", [day.board_shown(), day.playlist()]),
            ("counter", [day.counter_shown("open")]),
            ("rating", [day.counter_shown("open"), RatingShown()]),
        ):
            self.stations[name].shown = list(first)
        await self._begin_link()

    def greeting(self) -> list[LinkMessage]:
        return [self._day.time()]

    # ---------------------------------------------------------------- half a minute of each screen

    async def _board(self, step: int) -> None:
        station, end = self.stations["board"], self._ends["board"]
        await station.say(self._day.board_shown())
        await end.pass_s(12.0)
        if step % 8 == 5:
            self._day.recall()
        await station.say(self._day.board_shown())
        await end.pass_s(EVERY_S - 12.0)

    async def _counter(self, step: int, call: BoardCall) -> None:
        station, end = self.stations["counter"], self._ends["counter"]
        states = [("called", 12.0), ("serving", 10.0)]
        states.append((("paused", "closed", "open", "open")[step % 4], 8.0))
        for state, seconds in states:
            await station.say(self._day.counter_shown(state, call))
            await end.pass_s(seconds)

    async def _rating(self, step: int, call: BoardCall) -> None:
        """Every third one is not answered; the others get a grade, and half of those reasons."""
        station, end = self.stations["rating"], self._ends["rating"]
        shown: CounterShown = self._day.counter_shown("serving", call)
        await station.say(shown)
        prompt = self._day.prompt(call)
        await station.say(rating(prompt, 18.0))
        left = float(EVERY_S)
        if step % 3:
            await end.pass_s(3.0)
            grade = self._random.randint(1, 5)
            said = len(end.said)
            touched = await end.touch(f"grade:{grade}", own_clock=True)
            self.seen.touches += touched
            if not touched or not any(
                each["said"] == RateService.__name__ and each["grade"] == grade for each in end.said[said:]
            ):
                self.seen.problems.append(f"grade {grade} of {call.number} was not taken on {end.page}")
            await station.say(rating(prompt, 15.0, grade))
            left -= 3.3
            if step % 2:
                await end.pass_s(1.0)
                reasons = [action for action in end.targets if action.startswith("reason:")]
                for action in (self._random.choice(reasons) if reasons else "", "submit"):
                    self.seen.touches += await end.touch(action, own_clock=True)
                left -= 1.6
            await station.say(rating(prompt, 4.0, grade, given=True))
            await end.pass_s(3.0)
            left -= 3.0
        else:
            await end.pass_s(19.0)
            left -= 19.0
        await station.say(rating(None))
        end.said.clear()
        await end.pass_s(left)

    async def _kiosk(self, step: int) -> None:
        station, end = self.stations["kiosk"], self._ends["kiosk"]
        await station.say(self._day.kiosk_state())
        if step % 2:  # the time in which nobody touches: the kiosk asks and goes back by itself
            await end.pass_s(float(EVERY_S) + (40.0 if step % 40 == 1 else 0.0))
            return
        passed = 0.0
        for touch in range(TOUCHES):
            if self._random.random() < 0.06:
                await station.say(self._laid_down())
            action = self._chosen(end)
            if action is None:
                break
            self.seen.touches += await end.touch(action, own_clock=True)
            await station.answered()
            pause = self._random.uniform(0.4, 1.6)
            await end.pass_s(pause)
            passed += pause + 0.3
            if end.page == "attract" and touch:
                break
        await station.say(CardGone())
        end.said.clear()
        await end.pass_s(max(0.0, EVERY_S - passed))

    def _laid_down(self) -> LinkMessage:
        return self._random.choice(
            (
                CardShown(
                    name="王*明", handle="0a1b2c3d4e5f", number="1101**********1234", priority="elderly"
                ),
                CardShown(name="李*", handle="9f8e7d6c5b4a", number="3205**********0019"),
                CardShown(lay_again=True),
                CodeScanned(kind="ticket", ticket="t000000000000012"),
                CodeScanned(kind="appointment", handle="77aa", masked="28**"),
                CodeScanned(kind="unreadable"),
            )
        )

    def _chosen(self, end: ScreenEnd) -> str | None:
        """Mostly the way to a number; else anything that stands there."""
        there = list(end.targets)
        if not there:
            return None
        if self._random.random() < 0.3:
            return self._random.choice(there)
        for wanted in ("take", "agree", "reprint", "finish", "submit", "start"):
            if wanted in there:
                return wanted
        ways = [action for action in there if action.startswith(("group:", "service:", "class:"))]
        return self._random.choice(ways or there)

    # ---------------------------------------------------------------- memory

    def _sample(self) -> None:
        for name, end in self._ends.items():
            rss, pss = _memory(end.part.pid)
            self.seen.rss[name].append(rss)
            self.seen.pss[name].append(pss)


def _memory(pid: int | None) -> tuple[float, float]:
    """RSS and PSS in MiB; (0, 0) for a process that has gone."""
    found = {"Rss:": 0.0, "Pss:": 0.0}
    try:
        with Path(f"/proc/{pid}/smaps_rollup").open() as lines:
            for line in lines:
                name, _, rest = line.partition(" ")
                if name in found:
                    found[name] = int(rest.split()[0]) / 1024
    except OSError:
        pass
    return found["Rss:"], found["Pss:"]


async def run(folder: Path, *, hours: float = DAY_S / 3600, seed: int = 1) -> Day:
    """One day; its problems are empty when no picture was blank and memory stayed flat."""
    day = HallDay(seed, _pictures(folder))
    ends: dict[str, ScreenEnd] = {}
    with tempfile.TemporaryDirectory(prefix="paihao-") as sockets:
        path = Path(sockets) / "agent.sock"
        for screen, size in SIZES.items():
            arguments = ["--station", f"{screen}-1", "--socket", str(path), "--size", size]
            ends[screen] = ScreenEnd(screen, folder, Path(sockets), arguments, own_clock=True)
        link = ScreenLink(str(path), {})
        play = Play(day, link, ends, seed)
        link._stations.update({f"{name}-1": station for name, station in play.stations.items()})
        link.greeting = play.greeting
        try:
            for end in ends.values():
                await end.start()
            for end in ends.values():
                await end.part.wait_ready(30)
                await end.until(lambda end=end: end.draws > 0, 30)  # type: ignore[misc]
            await play.begin()
            await play.run(hours)
        finally:
            await asyncio.gather(*(end.stop() for end in ends.values()))
            await link.stop()
    _judge(play.seen, whole=hours >= 10)
    return play.seen


def _judge(seen: Day, *, whole: bool) -> None:
    """Memory: flat over the day (of a short one nobody can tell), and never too much."""
    for name in SIZES:
        if max(seen.rss[name]) > MOST_MB:
            seen.problems.append(f"{name} had {max(seen.rss[name]):.1f} MiB")
        # RSS: the proportional share also grows when some other program ends.
        if whole and growth(seen.rss[name]) > GROWTH_MB:
            seen.problems.append(f"{name} grew by {growth(seen.rss[name]):.1f} MiB")


def _pictures(folder: Path) -> tuple[str, ...]:
    """A few files for the playlist."""
    from PIL import Image

    made = []
    for n, colour in enumerate(("#0b6b53", "#8a1c1c", "#1c3f8a")):
        file = folder / f"poster-{n}.png"
        Image.new("RGB", (1280, 720), colour).save(file)
        made.append(str(file))
    return tuple(made)
