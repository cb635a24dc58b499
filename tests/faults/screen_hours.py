"""24 hours of what screens do by themselves: every moment that a program calls due, in simulated time.

One process, no loop and no window: the program is told the time, asked for its page at each due moment and at
each minute, and the page is laid out. From 06:00 to 06:00, through midnight, the numbers' new day at 04:00,
the playlist's times, clock, pages in turn and the kiosk's way back to its first page.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")

import pygame
from screen_day_hall import DAY_S, START, HallDay, rating

from ui.board.program import HallDisplay
from ui.counter_panel import CounterPanel
from ui.items import Layout, Words
from ui.kiosk.kiosk import Kiosk
from ui.layout import lay_out
from ui.program import Program
from ui.rating.program import RatingPanel
from ui.screen import Screen
from ui.theme import load_theme
from wire.screen_link import TicketProgress

T0: Final = 50_000.0
"""Monotonic time at the start of the day."""
CALL_S: Final = 300.0
MINUTE_S: Final = 60.0
MOST_AT_ONCE: Final = 20
"""So often something may be due without the time going on."""


@dataclass(slots=True)
class Hours:
    """What was seen of one program."""

    pages: Counter[str] = field(default_factory=Counter)
    pictures: int = 0
    different: int = 0
    """Pictures that differed from the one before."""
    clock: int = 0
    """Minutes whose time stood on the picture in digits, where it is to stand."""
    problems: list[str] = field(default_factory=list)


class Lived:
    """One program through the day. `tells` is called every 5 minutes of the day with `say` and the hall."""

    def __init__(
        self,
        program: Program,
        size: tuple[int, int],
        tells: Callable[[Lived], None],
        *,
        with_clock: bool,
        seed: int = 1,
    ) -> None:
        self.program = program
        self.day = HallDay(seed)
        self.now = T0
        self.seen = Hours()
        self.random = random.Random(seed)
        self.layout = Layout((0, 0, 0))
        self._screen = Screen.of(size)
        self._tells = tells
        self._with_clock = with_clock
        self._items: list[object] = []

    def live(self, seconds: float) -> Hours:
        end = T0 + seconds
        next_call = self.now
        self.program.said(self.day.time(), self.now)
        while self.now < end:
            if self.now >= next_call:
                self.day.at = START + timedelta(seconds=self.now - T0)
                if self.day.at.hour == 4 and self.day.at.minute == 0:
                    self.day.new_day()
                if isinstance(self.program, Kiosk) and self.program.top.name != "attract":
                    self._problem("nobody is there and the first page does not stand")
                self._tells(self)
                next_call += CALL_S
                self.look()
            minute = T0 + ((self.now - T0) // MINUTE_S + 1) * MINUTE_S
            self._until(min(next_call, minute, end))
            self.look()
            if self._with_clock and abs(self.now - minute) < 0.001:
                self._look_at_clock()
        return self.seen

    def touch(self, *actions: str) -> None:
        """Touches, half a second apart; what does not stand there is left out."""
        for action in actions:
            if any(target.action == action and not target.off for target in self.layout.targets):
                self._until(self.now + 0.6)
                self.program.touched(action, self.now)
                self.look()

    def _until(self, end: float) -> None:
        """All that is due until then; the page is looked at after each."""
        at_once = 0
        while (due := self.program.due(self.now)) <= end:
            at_once = at_once + 1 if due <= self.now else 0
            if at_once > MOST_AT_ONCE:
                self._problem("it never sleeps")
                break
            self.now = max(due, self.now)
            self.program.tick(self.now)
            self.look()
        self.now = max(self.now, end)

    def look(self) -> None:
        page = self.program.page(self._screen, self.now)
        self.layout = lay_out(page, self._screen, load_theme(page.theme or self.program.theme))
        self.program.shown(page, self.now)
        self.seen.pictures += 1
        self.seen.pages[page.name] += 1
        if self.layout.items != self._items:
            self._items, self.seen.different = list(self.layout.items), self.seen.different + 1
            if not any(isinstance(item, Words) and any(item.lines) for item in self.layout.items):
                self._problem("no words")
            for problem in self.layout.problems:
                self._problem(problem)

    def _look_at_clock(self) -> None:
        at = START + timedelta(seconds=round(self.now - T0))
        words = " ".join(line for item in self.layout.items if isinstance(item, Words) for line in item.lines)
        if f"{at:%H:%M}" in words:
            self.seen.clock += 1
        else:
            self._problem(f"no {at:%H:%M} to be seen")

    def _problem(self, words: str) -> None:
        page = next(reversed(self.seen.pages), "")
        self.seen.problems.append(f"{type(self.program).__name__}, page {page}: {words}")


def _board(lived: Lived) -> None:
    lived.day.call()
    if lived.random.random() < 0.1:
        lived.day.announce()
        lived.program.said(lived.day.playlist(), lived.now)
    lived.program.said(lived.day.board_shown(), lived.now)


def _counter(lived: Lived) -> None:
    call = lived.day.call()
    state = lived.random.choice(("called", "serving", "open", "paused", "closed"))
    lived.program.said(lived.day.counter_shown(state, call), lived.now)


def _rating(lived: Lived) -> None:
    """A prompt that is answered, or runs out; the agent says what came of it."""
    call = lived.day.call()
    prompt = lived.day.prompt(call)
    lived.program.said(lived.day.counter_shown("serving", call), lived.now)
    lived.program.said(rating(prompt, 30.0), lived.now)
    lived.look()
    if lived.random.random() < 0.5:
        lived.touch("grade:5")
        lived.program.said(rating(prompt, 15.0, 5), lived.now)


def _kiosk(lived: Lived) -> None:
    """Somebody comes, takes a number or leaves in the middle."""
    program, day = lived.program, lived.day
    assert isinstance(program, Kiosk)
    program.said(day.kiosk_state(), lived.now)
    if lived.random.random() < 0.1:
        program.said(day.playlist(), lived.now)
    lived.look()
    lived.touch("start")
    lived.touch(lived.random.choice(("modes", "help", "guides", "search", "checkin", "")))
    lived.touch("home" if lived.random.random() < 0.7 else "")
    for kind in ("group:", "service:"):
        ways = [target.action for target in lived.layout.targets if target.action.startswith(kind)]
        lived.touch(*([lived.random.choice(ways)] if ways else []))
    before = len(program.own)
    lived.touch("take")
    if len(program.own) > before or program.top.name.startswith("ticket"):
        request = program.own[-1]
        for stage in ("requested", "printing", "done"):
            known = {"ticket": "t1", "number": "A012"} if stage != "requested" else {}
            paper = {"paper": "confirmed"} if stage == "done" else {}
            progress = TicketProgress(request=request, stage=stage, **known, **paper)  # type: ignore[arg-type]
            program.said(progress, lived.now)
            lived.look()


def run(hours: float = DAY_S / 3600) -> dict[str, Hours]:
    """Every program through so many hours of the day, with 12 calls an hour."""
    pygame.display.init()
    programs: tuple[tuple[str, Program, tuple[int, int], Callable[[Lived], None], bool], ...] = (
        ("kiosk", Kiosk(), (1080, 1920), _kiosk, False),
        ("board", HallDisplay(), (1920, 1080), _board, True),
        ("counter", CounterPanel(), (800, 480), _counter, False),
        ("rating", RatingPanel(), (800, 480), _rating, False),
    )
    found = {}
    for name, program, size, tells, with_clock in programs:
        program.say = lambda message: True  # type: ignore[method-assign]
        found[name] = Lived(program, size, tells, with_clock=with_clock).live(hours * 3600)
    return found
