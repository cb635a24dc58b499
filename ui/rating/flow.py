"""The way of one rating, without any picture: grade, reasons, thanks. The agent's word is the truth.

A grade counts when the agent says so; until then it is only asked for. What the agent tells also comes from
a rating keypad beside the panel, and from before a restart of this program.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, inf
from typing import Final, Literal, TypeAlias

from ui.beats import next_beat
from wire.messages import PromptRating
from wire.screen_link import GiveReasons, LinkMessage, RateService, RatingShown
from wire.shown import RatingReason

Stand: TypeAlias = Literal["starting", "paused", "idle", "ask", "why", "thanks"]
ANSWER_S: Final = 3.0
"""A grade that the agent has not answered in that time is asked for again."""
SETTLE_S: Final = 0.5
"""After a page came up, a touch is still the end of the one before: a double touch counts once."""


class Flow:
    """`say` gives a message to the agent, False when there is none. Times are monotonic seconds."""

    def __init__(self, say: Callable[[LinkMessage], bool]) -> None:
        self._say = say
        self._shown: RatingShown | None = None
        self._here = False
        self._ends = 0.0
        self._whole = 1.0
        self._since = -inf
        self._sent_at: float | None = None
        self.sent_grade: int | None = None
        self.again = False
        self.chosen: tuple[str, ...] = ()
        self.first = 0

    # ---------------------------------------------------------------- what stands now

    def stand(self, now: float) -> Stand:
        """Which page it is."""
        shown = self._shown
        if shown is None:
            return "starting"
        if shown.prompt is not None and shown.grade is not None and now < self._ends:
            return "why" if self.reasons() and self._here else "thanks"
        if not self._here:
            return "starting"
        if not shown.works:
            return "paused"
        if shown.prompt is None or shown.grade is not None or now >= self._ends:
            return "idle"
        return "ask"

    @property
    def prompt(self) -> PromptRating | None:
        return self._shown.prompt if self._shown is not None else None

    @property
    def grade(self) -> int | None:
        """What was given, by the agent's word."""
        return self._shown.grade if self._shown is not None else None

    def reasons(self) -> tuple[RatingReason, ...]:
        """What can be chosen for the grade now."""
        shown = self._shown
        if shown is None or shown.grade is None or shown.reasons is None or shown.reasons_given:
            return ()
        return tuple(reason for reason in shown.reasons.reasons if shown.grade in reason.grades)

    def left(self, now: float) -> float:
        """Share of the time that is left, in whole seconds."""
        return min(1.0, max(0.0, ceil(self._ends - now - 1e-6) / self._whole))

    @property
    def sending(self) -> bool:
        """Whether something is with the agent and not answered."""
        return self._sent_at is not None

    # ---------------------------------------------------------------- what happens

    def heard(self, shown: RatingShown, now: float) -> None:
        """The agent's newest word."""
        before, stood = self._shown, self.stand(now)
        same = (
            before is not None
            and before.prompt is not None
            and shown.prompt is not None
            and before.prompt.prompt == shown.prompt.prompt
            and before.grade == shown.grade
        )
        # The agent took it and asks the same again: it could not be kept.
        self.again = same and (self.again or self.sending)
        self._sent_at = self.sent_grade = None
        if not same:
            self.chosen, self.first = (), 0
        self._shown, self._here = shown, True
        self._ends = now + max(0.0, shown.left_s)
        if not same:
            given = shown.prompt.timeout_s if shown.prompt is not None and shown.grade is None else 0.0
            self._whole = max(1.0, shown.left_s, given)
        if not same or self.stand(now) != stood:
            self._since = now

    def gone(self) -> None:
        """No agent: nothing can be kept now."""
        self._here = False
        self.again = self.again or self.sending  # if it asks the same when it is back, it was not kept
        self._sent_at = self.sent_grade = None

    def rate(self, grade: int, now: float) -> None:
        """A grade was touched."""
        prompt = self.prompt
        if self.stand(now) != "ask" or prompt is None or self.sending or not self._settled(now):
            return
        self.again = not self._say(RateService(prompt=prompt.prompt, grade=grade))
        if not self.again:
            self._sent_at, self.sent_grade = now, grade

    def choose(self, reason: str, now: float) -> None:
        """A reason was touched: on or off."""
        offered = {each.reason for each in self.reasons()}
        if self.stand(now) != "why" or reason not in offered or self.sending or not self._settled(now):
            return
        if reason in self.chosen:
            self.chosen = tuple(each for each in self.chosen if each != reason)
        else:
            self.chosen = (*self.chosen, reason)

    def turn(self, pages: int, each: int, now: float) -> None:
        """The next page of reasons, after the last the first."""
        if self.stand(now) == "why" and pages > 1:
            self.first = (self.first // each + 1) % pages * each

    def give(self, now: float, *, skip: bool = False) -> None:
        """What was chosen, or nothing."""
        shown = self._shown
        if self.stand(now) != "why" or self.sending or shown is None or not self._settled(now):
            return
        if shown.prompt is None or shown.reasons is None or not (skip or self.chosen):
            return
        reasons = () if skip else self.chosen[:16]
        said = GiveReasons(prompt=shown.prompt.prompt, version=shown.reasons.version, reasons=reasons)
        self.again = not self._say(said)
        if not self.again:
            self._sent_at = now

    def due(self, now: float) -> float:
        """When something changes by itself: the bar once a second, an answer that does not come."""
        times = [inf]
        if self.stand(now) in ("ask", "why", "thanks"):
            times.append(min(next_beat(self._ends - 3600.0, 1.0, now), max(now, self._ends)))
        if self._sent_at is not None:
            times.append(self._sent_at + ANSWER_S)
        return min(times)

    def tick(self, now: float) -> None:
        """The time of `due` has come."""
        if self._sent_at is not None and now >= self._sent_at + ANSWER_S:
            self._sent_at = self.sent_grade = None
            self.again = True

    def _settled(self, now: float) -> bool:
        return now >= self._since + SETTLE_S
