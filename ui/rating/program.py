"""The rating panel (评价器): five grades for the service that has just ended, by touch.

The five grades of 好差评 (texts `grade.5`, 非常满意, to `grade.1`) stand all alike and none is chosen
beforehand. Who does not answer is unrated. The clerk has no way to open, answer or end a prompt here.
"""

from __future__ import annotations

from typing import ClassVar, Final

from ui.elements import Page
from ui.program import Program
from ui.rating.flow import Flow
from ui.rating.pages import rating_page, reasons_a_page
from ui.screen import Screen
from wire.messages import CounterState
from wire.screen_link import CounterShown, LinkMessage, RatingShown, ScreenRole
from wire.texts import LANGUAGES

SWITCH: Final = {LANGUAGES[0]: LANGUAGES[1], LANGUAGES[1]: LANGUAGES[0]}
"""The language that the button offers; a third one goes to Chinese."""


class RatingPanel(Program):
    """`language`: the panel's own, to which it returns after each citizen."""

    role: ClassVar[ScreenRole] = "rating"
    theme: ClassVar[str] = "day"

    def __init__(self, language: str = LANGUAGES[0]) -> None:
        self._own = self._language = language
        self._flow = Flow(lambda message: self.say(message))
        self._counter: CounterState | None = None
        self._photo: str | None = None
        self._each = 1

    def said(self, message: LinkMessage | None, now: float) -> None:
        if message is None:
            self._flow.gone()
        elif isinstance(message, CounterShown):
            if message.counter is not None:  # an agent that has just started may not know it yet
                self._counter, self._photo = message.counter, message.photo
        elif isinstance(message, RatingShown):
            before, grade = self._flow.prompt, self._flow.grade
            self._flow.heard(message, now)
            if message.prompt is None or before is None or message.prompt.prompt != before.prompt:
                self._language = self._own
            elif self._flow.again:
                self.sound("error")
            elif grade is None and message.grade is not None:
                self.sound("ok")

    def touched(self, action: str, now: float) -> None:
        what, _, which = action.partition(":")
        if what == "grade":
            self._flow.rate(int(which), now)
        elif what == "reason":
            self._flow.choose(which, now)
        elif what == "more":
            pages = -(-len(self._flow.reasons()) // self._each)
            self._flow.turn(pages, self._each, now)
        elif what in ("submit", "skip"):
            self._flow.give(now, skip=what == "skip")
        elif what == "language" and self._flow.stand(now) in ("ask", "why"):
            self._language = SWITCH.get(self._language, LANGUAGES[0])

    def due(self, now: float) -> float:
        return self._flow.due(now)

    def tick(self, now: float) -> None:
        self._flow.tick(now)
        if self._flow.stand(now) == "idle":
            self._language = self._own

    def page(self, screen: Screen, now: float) -> Page:
        self._each = reasons_a_page(screen, len(self._flow.reasons()))
        return rating_page(self._flow, self._counter, self._photo, self._language, screen, now)
