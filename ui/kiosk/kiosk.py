"""The kiosk's program: what it knows of agent, time and card, and the stack of steps of one citizen's way.

    attract ← start ← … steps … : `go` puts one on top, `back` takes it away, `home` leaves the start page,
    `rest` leaves the attract page and forgets everything about the citizen.

Nothing here survives the process: the agent's whole state gives the page again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal
from uuid import uuid4

from ui.beats import next_beat
from ui.elements import Page
from ui.hall_time import HallTime
from ui.kiosk import steps_card
from ui.kiosk.frame import framed
from ui.kiosk.guidance import Guidance
from ui.kiosk.modes import Modes
from ui.kiosk.step import Step
from ui.kiosk.steps_away import AwayStep
from ui.kiosk.steps_help import HelpStep
from ui.kiosk.steps_modes import ModesStep
from ui.kiosk.steps_start import AttractStep, StartStep
from ui.kiosk.steps_ticket import TicketStep
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
    TicketProgress,
    TimeShown,
)
from wire.shown import GuideTitle
from wire.texts import LANGUAGES, available, local, text

NOTICE_S: Final = 7.0
"""So long a notice stands."""
HANDLE_S: Final = 110.0
"""A card's handle is used so long after the card was taken away; the agent keeps it for two minutes."""
OWN: Final = 32
"""Requests of this process that are remembered, to tell those of one that died before."""
WARN_S: Final = 10.0
"""So long the kiosk asks whether somebody is still there."""
ADOPT_S: Final = 15.0
"""After the agent came: longer than the hall takes to answer a wish of the process before this one."""
TWICE_S: Final = 0.6
"""A second tap so soon on what goes on and off is the same finger's, which taps everything twice."""
MOST_STEPS: Final = 16
"""Depth of the stack: nobody's way is so long, and one that goes in circles must end."""


_ON_AND_OFF: Final = ("language", "mode:", "have:")


def _new_id() -> str:
    return uuid4().hex


class Kiosk(Program):
    """`card`: what lies on the reader; `offered`: the priority class that this citizen's card showed, also
    when it has been taken away. `state` is the last that the agent said, also when it is away."""

    role = "kiosk"

    def __init__(
        self, new_id: Callable[[], str] = _new_id, language: str = LANGUAGES[0], logo: str | None = None
    ) -> None:
        self.new_id = new_id
        self.logo = logo
        self.connected = False
        self.state: KioskState | None = None
        self.card: CardShown | None = None
        self.offered: str | None = None
        self.guides: tuple[GuideTitle, ...] = ()
        self.playlist: tuple[ShownPicture, ...] = ()
        self.usual = Modes(language=language)
        self.modes = self.usual
        self.stack: list[Step] = [AttractStep()]
        self.away = AwayStep()
        self.guidance = Guidance()
        self.now = 0.0
        self.own: deque[str] = deque(maxlen=OWN)
        self._alive_at = 0.0
        self._last_tap = ("", 0.0)
        self._came_at = 0.0
        self._others: deque[str] = deque(maxlen=OWN)
        self._time = HallTime()
        self._notice = ("", 0.0)
        self._handle: tuple[str, float] | None = None

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
    def speaks(self) -> bool:
        """Whether the kiosk has a voice now."""
        return self.connected and self.state is not None and self.state.voice

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
        return self._time.at(now)

    def handle(self, now: float) -> str | None:
        """What stands for this citizen's card at the agent; None: none, or it is forgotten there."""
        if self.card is not None and self.card.handle is not None:
            return self.card.handle
        if self._handle is not None and now < self._handle[1]:
            return self._handle[0]
        return None

    def notice(self, now: float) -> str:
        """What `tell` said a moment ago; "" where it is over."""
        words, until = self._notice
        return words if now < until else ""

    def tell(self, words: str, now: float, for_s: float = NOTICE_S) -> None:
        """A notice in the line under the header, for a moment."""
        self._notice = (words, now + for_s)

    def new_request(self) -> str:
        """An id for something that is asked of the agent once."""
        request = self.new_id()
        self.own.append(request)
        return request

    def _asks_at(self, step: Step) -> float:
        """When nobody has touched for so long that the kiosk asks; who hears or reads slowly has longer."""
        if step.idle_s is None:
            return NEVER
        slow = 2.0 if self.modes.voice else 1.5 if self.modes.elder else 1.0
        return self._alive_at + step.idle_s * slow

    def warns(self, step: Step) -> Literal["page", "foot", "no"]:
        """How it asks whether somebody is there."""
        if step.warns == "modes":
            return "page" if self.modes != self.usual else "no"
        return step.warns

    def left_s(self, now: float) -> float | None:
        """Seconds until nobody is taken to be there, while the kiosk asks; None: it does not ask."""
        step = self.showing
        asks_at = self._asks_at(step)
        if self.warns(step) == "no" or now < asks_at:
            return None
        return max(0.0, asks_at + WARN_S - now)

    # ---------------------------------------------------------------- the way

    def go(self, step: Step, now: float) -> None:
        """`step` on top. Too deep a stack loses its oldest step after the start page."""
        if len(self.stack) == 1 and not isinstance(step, StartStep):
            self.stack.append(StartStep())
        self.top.left(self, now)
        self.stack.append(step)
        if len(self.stack) > MOST_STEPS:
            del self.stack[2]
        self.alive(now)
        step.entered(self, now)

    def swap(self, step: Step, now: float) -> None:
        """`step` in place of the top: back leads to what was under it."""
        self._cut(max(1, len(self.stack) - 1), now)
        self.go(step, now)

    def back(self, now: float) -> None:
        """One step back; from the start page to the attract page."""
        if self.top.back(self, now):
            self.alive(now)
        elif len(self.stack) <= 2:
            self.rest(now)
        else:
            self._cut(len(self.stack) - 1, now)
            self.alive(now)
            self.top.entered(self, now)

    def uncover(self, step: Step, now: float) -> None:
        """Take away what lies over `step`: there is something on it that must be seen."""
        if step in self.stack and step is not self.top:
            self._cut(self.stack.index(step) + 1, now)
            self.alive(now)
            step.entered(self, now)

    def home(self, now: float) -> None:
        """The start page; the card and all that was chosen is forgotten, language and modes stay."""
        self._cut(1, now)
        self._forget()
        self.go(StartStep(), now)

    def rest(self, now: float) -> None:
        """The attract page: this citizen has gone."""
        self._cut(1, now)
        self._forget()
        self.modes = self.usual
        self.alive(now)
        self.top.entered(self, now)

    def _forget(self) -> None:
        self.card = self.offered = self._handle = None
        self._notice = ("", 0.0)

    def _cut(self, length: int, now: float) -> None:
        if len(self.stack) > length:
            self.top.left(self, now)
            del self.stack[length:]

    def alive(self, now: float) -> None:
        """Somebody is there, or there is something new to be seen: idle time counts from here."""
        self.now = max(self.now, now)
        self._alive_at = now

    # ---------------------------------------------------------------- Program

    def said(self, message: LinkMessage | None, now: float) -> None:
        self.now = now
        if message is None:
            self.connected = False
            self._take_away(now)
            for step in self.stack:
                step.lost(self, now)
            return
        if not self.connected:
            self.connected, self._came_at = True, now
        if isinstance(message, CardShown | CardGone | CodeScanned):
            self._laid_down(message, now)
            return
        if isinstance(message, KioskState):
            self.state = message
        elif isinstance(message, TimeShown):
            self._time.heard(message, now)
        elif isinstance(message, GuidesShown):
            self.guides = message.guides
        elif isinstance(message, PlaylistShown):
            self.playlist = message.pages
        taken = any(step.said(self, message, now) for step in reversed(self.stack))
        if isinstance(message, TicketProgress) and not taken and message.request not in self.own:
            self._adopt(message, now)

    def _laid_down(self, message: CardShown | CardGone | CodeScanned, now: float) -> None:
        if isinstance(message, CardGone):
            self._take_away(now)
            self.top.said(self, message, now)
            return
        self.alive(now)
        misread = message.lay_again if isinstance(message, CardShown) else message.kind == "unreadable"
        self.sound("error" if misread else "ok")
        if isinstance(message, CardShown):
            if message.lay_again:
                self.tell(self.text("lay_again"), now)
            else:
                self.card, self._handle = message, None
                self.offered = message.priority  # of this card: the one before may have been another's
        if not self.top.said(self, message, now):
            steps_card.laid_down(self, message, now)

    def welcome(self, card: CardShown) -> None:
        """The card on the reader is that of the next citizen, whose way begins."""
        self.card, self.offered = card, card.priority

    def _take_away(self, now: float) -> None:
        """The card does not lie there any more: what could be read of it is forgotten."""
        if self.card is not None and self.card.handle is not None:
            self._handle = (self.card.handle, now + HANDLE_S)
        self.card = None

    def _adopt(self, progress: TicketProgress, now: float) -> None:
        """A number of the process before this one, which died on the way: its citizen still stands there.

        One that is asked for while this process hears it is another screen's of the same kiosk.
        """
        if progress.stage == "requested":
            self._others.append(progress.request)
        if progress.request in self._others or now - self._came_at > ADOPT_S:
            return
        if len(self.stack) <= 2 and progress.outlet != "taken":
            step = TicketStep(None, progress.request)
            self.go(step, now)
            step.said(self, progress, now)

    def touched(self, action: str, now: float) -> None:
        self.now = now
        self.alive(now)
        (last, tapped_at), self._last_tap = self._last_tap, (action, now)
        if action == last and now - tapped_at < TWICE_S and action.startswith(_ON_AND_OFF):
            return
        step = self.showing
        if action == "back" and step.can_back:
            self.back(now)
        elif action == "home" and step.can_home:
            self._away_from(now)
        elif action == "language":
            self._other_language(now)
        elif action == "modes":
            self._open(ModesStep(), now)
        elif action == "help":
            self._open(HelpStep(), now)
        elif action == "stay":
            pass  # somebody is there: that was all
        else:
            step.touched(self, action, now)

    def _away_from(self, now: float) -> None:
        """Home; but where a number or a list is under way below this page, to that."""
        under = next((one for one in reversed(self.stack) if one.under_way), None)
        if under is not None:
            self.uncover(under, now)
        else:
            self.home(now)

    def _other_language(self, now: float) -> None:
        """The other one of two; of more, the page where each stands under its own name."""
        others = [code for code in available() if code != self.language]
        if len(others) == 1:
            self.modes = replace(self.modes, language=others[0])
        elif others:
            self._open(ModesStep(), now)

    def _open(self, step: Step, now: float) -> None:
        """A page that stands once, however often its key is pressed."""
        if type(self.top) is not type(step) and (step.stays or self.showing is self.top):
            self.go(step, now)

    def key(self, key: str, now: float) -> None:
        self.now = now
        self.alive(now)
        if self.guidance.key(self, key, now) or self.showing.key(self, key, now):
            return
        if key == "back" and self.showing.can_back:
            self.back(now)
        elif key == "help" and self.showing.can_help:
            self._open(HelpStep(), now)

    def due(self, now: float) -> float:
        asks_at = self._asks_at(self.showing)
        if now >= asks_at:
            asks_at = next_beat(asks_at, 1.0, now)  # the countdown
        notice_ends = self._notice[1] if self.notice(now) else NEVER
        return min(self.top.due(now), asks_at, notice_ends, self._time.next_minute(now))

    def tick(self, now: float) -> None:
        self.now = now
        if self.top.due(now) <= now:
            self.top.tick(self, now)
        step = self.showing
        if now >= self._asks_at(step) + (WARN_S if self.warns(step) != "no" else 0.0):
            self.rest(now)

    def focused(self, label: str, position: int, count: int, now: float) -> None:
        self.guidance.focused(self, label, position, count)

    def page(self, screen: Screen, now: float) -> Page:
        return framed(self, self.showing, screen, now)

    def shown(self, page: Page, now: float) -> None:
        self.guidance.shown(self, page)
        self.showing.shown(self, now)
