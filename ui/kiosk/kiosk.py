"""The kiosk's program: what it knows of agent, time and card, and the stack of steps of one citizen's way.

    attract ← start ← … steps … : `go` puts one on top, `back` takes it away, `home` leaves the start page,
    `rest` leaves the attract page and forgets everything about the citizen.

Nothing here survives the process: the agent's whole state gives the page again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from ui.elements import Page
from ui.kiosk.frame import framed
from ui.kiosk.modes import Modes
from ui.kiosk.step import Step
from ui.kiosk.steps_away import AwayStep
from ui.kiosk.steps_help import HelpStep
from ui.kiosk.steps_modes import ModesStep
from ui.kiosk.steps_start import AttractStep, StartStep
from ui.program import NEVER, Program
from ui.screen import Screen
from wire.messages import Board, Catalogue
from wire.screen_link import (
    CardGone,
    CardShown,
    CodeScanned,
    GuidesShown,
    KioskState,
    LinkMessage,
    PlaylistShown,
    ShownPicture,
    TimeShown,
)
from wire.shown import GuideTitle
from wire.texts import LANGUAGES, local, text

WARN_S: Final = 10.0
"""So long the kiosk asks whether somebody is still there."""
MOST_STEPS: Final = 16
"""Depth of the stack: nobody's way is so long, and one that goes in circles must end."""


def _new_id() -> str:
    return uuid4().hex


class Kiosk(Program):
    """`card`: of the citizen who is there; `state` is the last that the agent said, also when it is away."""

    role = "kiosk"

    def __init__(
        self, new_id: Callable[[], str] = _new_id, language: str = LANGUAGES[0], logo: str | None = None
    ) -> None:
        self.new_id = new_id
        self.logo = logo
        self.connected = False
        self.state: KioskState | None = None
        self.card: CardShown | None = None
        self.guides: tuple[GuideTitle, ...] = ()
        self.playlist: tuple[ShownPicture, ...] = ()
        self.usual = Modes(language=language)
        self.modes = self.usual
        self.stack: list[Step] = [AttractStep()]
        self.away = AwayStep()
        self.now = 0.0
        self._alive_at = 0.0
        self._time: TimeShown | None = None
        self._time_at = 0.0

    # ---------------------------------------------------------------- what it knows

    @property
    def top(self) -> Step:
        return self.stack[-1]

    @property
    def showing(self) -> Step:
        """The step whose page is shown: the top, or that nothing can be done without the agent."""
        ready = self.connected and self.state is not None
        return self.top if ready or self.top.stays else self.away

    @property
    def catalogue(self) -> Catalogue | None:
        return self.state.catalogue if self.state is not None else None

    @property
    def board(self) -> Board | None:
        return self.state.board if self.state is not None else None

    @property
    def online(self) -> bool:
        return self.connected and self.state is not None and self.state.online

    @property
    def language(self) -> str:
        return self.modes.language

    def text(self, name: str, **values: object) -> str:
        """The text `kiosk_page.<name>`, or any text by its whole key, in the citizen's language."""
        return text(name if "." in name else f"kiosk_page.{name}", self.language, **values)

    def local(self, names: dict[str, str]) -> str:
        return local(names, self.language)

    def hall_time(self, now: float) -> datetime | None:
        """The hall's time; None when it is not trusted."""
        if self._time is None or not self._time.trusted:
            return None
        return self._time.at + timedelta(seconds=now - self._time_at)

    def left_s(self, now: float) -> float | None:
        """Seconds until nobody is taken to be there, while the kiosk asks; None: it does not ask."""
        step = self.showing
        if step.idle_s is None or step.warns == "no":
            return None
        over = now - self._alive_at - step.idle_s
        return max(0.0, WARN_S - over) if over >= 0 else None

    # ---------------------------------------------------------------- the way

    def go(self, step: Step, now: float) -> None:
        """`step` on top. Too deep a stack loses its oldest step after the start page."""
        if len(self.stack) == 1 and not isinstance(step, StartStep):
            self.stack.append(StartStep())
        self.top.left(self, now)
        self.stack.append(step)
        if len(self.stack) > MOST_STEPS:
            del self.stack[2]
        self._alive(now)
        step.entered(self, now)

    def swap(self, step: Step, now: float) -> None:
        """`step` in place of the top: back leads to what was under it."""
        self._cut(max(1, len(self.stack) - 1), now)
        self.go(step, now)

    def back(self, now: float) -> None:
        """One step back; from the start page to the attract page."""
        if len(self.stack) <= 2:
            self.rest(now)
        else:
            self._cut(len(self.stack) - 1, now)
            self._alive(now)
            self.top.entered(self, now)

    def home(self, now: float) -> None:
        """The start page; the card and all that was chosen is forgotten, language and modes stay."""
        self._cut(1, now)
        self.card = None
        self.go(StartStep(), now)

    def rest(self, now: float) -> None:
        """The attract page: this citizen has gone."""
        self._cut(1, now)
        self.card = None
        self.modes = self.usual
        self._alive(now)
        self.top.entered(self, now)

    def _cut(self, length: int, now: float) -> None:
        if len(self.stack) > length:
            self.top.left(self, now)
            del self.stack[length:]

    def _alive(self, now: float) -> None:
        self.now = max(self.now, now)
        self._alive_at = now

    # ---------------------------------------------------------------- Program

    def said(self, message: LinkMessage | None, now: float) -> None:
        self.now = now
        if message is None:
            self.connected, self.card = False, None
            return
        self.connected = True
        if isinstance(message, KioskState):
            self.state = message
        elif isinstance(message, TimeShown):
            self._time, self._time_at = message, now
        elif isinstance(message, GuidesShown):
            self.guides = message.guides
        elif isinstance(message, PlaylistShown):
            self.playlist = message.pages
        elif isinstance(message, CardShown | CodeScanned):
            self._alive(now)
            if isinstance(message, CardShown) and not message.lay_again:
                self.card = message
        elif isinstance(message, CardGone):
            self.card = None
        if not self.top.said(self, message, now) and isinstance(message, CardShown | CodeScanned):
            self._laid_down(message, now)

    def _laid_down(self, message: CardShown | CodeScanned, now: float) -> None:
        """A card or code that the step on top had no use for."""

    def touched(self, action: str, now: float) -> None:
        self.now = now
        self._alive(now)
        step = self.showing
        if action == "back" and step.can_back:
            self.back(now)
        elif action == "home" and step.can_home:
            self.home(now)
        elif action == "language":
            at = LANGUAGES.index(self.language) if self.language in LANGUAGES else -1
            self.modes = replace(self.modes, language=LANGUAGES[(at + 1) % len(LANGUAGES)])
        elif action == "modes":
            self._open(ModesStep(), now)
        elif action == "help":
            self._open(HelpStep(), now)
        elif action == "stay":
            pass  # somebody is there: that was all
        else:
            step.touched(self, action, now)

    def _open(self, step: Step, now: float) -> None:
        """A page that stands once, however often its key is pressed."""
        if type(self.top) is not type(step):
            self.go(step, now)

    def key(self, key: str, now: float) -> None:
        self.now = now
        self._alive(now)
        if self.showing.key(self, key, now):
            return
        if key == "back" and self.showing.can_back:
            self.back(now)
        elif key == "help" and self.showing.can_help:
            self._open(HelpStep(), now)

    def due(self, now: float) -> float:
        step = self.showing
        times = [self.top.due(now)]
        if step.idle_s is not None:
            begins = self._alive_at + step.idle_s
            if step.warns == "no" or now < begins:
                times.append(begins)
            else:
                times.append(begins + int(now - begins) + 1)
        if (at := self.hall_time(now)) is not None:
            times.append(now + 60 - at.second - at.microsecond / 1e6)
        return min(times, default=NEVER)

    def tick(self, now: float) -> None:
        self.now = now
        if self.top.due(now) <= now:
            self.top.tick(self, now)
        step = self.showing
        if step.idle_s is None:
            return
        asks = WARN_S if step.warns != "no" else 0.0
        if now - self._alive_at >= step.idle_s + asks:
            if step.ends_at == "home":
                self.home(now)
            else:
                self.rest(now)

    def page(self, screen: Screen, now: float) -> Page:
        return framed(self, self.showing, screen, now)

    def shown(self, page: Page, now: float) -> None:
        self.showing.shown(self, now)
