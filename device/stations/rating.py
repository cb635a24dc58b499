"""One rating per service: a prompt, one key, and the grade on disk before the thanks.

A prompt is accepted durably and its command answered by how it ends: `rated`, or `rating_unanswered` with
the reason. Only the rating keypad and the rating panel can grade; a prompt cannot be ended by the clerk.

After the grade a rating panel may ask why: the prompt stands with its grade until reasons are given,
REASONS_S have passed or another prompt comes. The grade is safe by then: reasons that are not given, or are
lost with a restart, take nothing from it. Keypads give a grade and never a reason: an impatient second press
of a grade's key would become one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Literal

import msgspec

from device.database import StorageError
from device.dispatch import NotMine
from device.stations.station import Node
from drivers.errors import DriverError
from drivers.keypad.protocol import Keypad, KeyPress
from wire.codec import BadMessageError, decode, encode
from wire.messages import Message, NodeCommand, PromptRating, Rated, RatingReasonsGiven, RatingUnanswered
from wire.screen_link import GiveReasons, RatingShown
from wire.shown import RatingReasons

logger = logging.getLogger(__name__)

GRADES: Final = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
RETRY_S: Final = 1.0
"""How soon an ended prompt that could not be stored is tried again."""
REASONS_S: Final = 15.0
"""How long the panel may offer reasons after a grade."""
THANKS_S: Final = 4.0
"""How long thanks stand where there is nothing (more) to ask."""
PHONE_S: Final = 25.0
"""How long either stands where a text can be written on a phone: somebody gets it out and scans the code."""
KEY: Final = "rating_reasons"


class _Open(msgspec.Struct, frozen=True):
    prompt: PromptRating
    began: float
    ends: float
    timer: asyncio.TimerHandle


class _Graded(msgspec.Struct):
    """`reasons` of the grade, as they were when it was given; None: there are none, or none are wanted."""

    prompt: PromptRating
    grade: int
    reasons: RatingReasons | None
    ends: float
    timer: asyncio.TimerHandle
    given: bool = False


class Rating:
    """The prompts of one counter. `on_change` is called when `prompt` or `shown` is another."""

    def __init__(
        self,
        counter: str,
        node: Node,
        device: str | None,
        keypad: Keypad | None,
        has_panel: Callable[[], bool],
        on_change: Callable[[], None],
    ) -> None:
        self._counter = counter
        self._node = node
        self._device = device
        self._keypad = keypad
        self._has_panel = has_panel
        self._on_change = on_change
        self._open: _Open | None = None
        self._graded: _Graded | None = None
        self._reasons: RatingReasons | None = None
        self._changing = asyncio.Lock()
        """Held while a prompt is stored or a grade is: two at once would leave one of them without an end."""

    @property
    def prompt(self) -> PromptRating | None:
        """The prompt that a citizen can answer now."""
        return self._open.prompt if self._open is not None else None

    def shown(self) -> RatingShown:
        """What a rating panel asks now."""
        works = self._node.storage.fault is None
        now = asyncio.get_running_loop().time()
        if (open_ := self._open) is not None:
            return RatingShown(prompt=open_.prompt, left_s=max(0.0, open_.ends - now), works=works)
        if (graded := self._graded) is not None:
            return RatingShown(
                prompt=graded.prompt,
                left_s=max(0.0, graded.ends - now),
                grade=graded.grade,
                reasons=graded.reasons,
                reasons_given=graded.given,
                works=works,
            )
        return RatingShown(works=works)

    def on_reasons(self, reasons: RatingReasons) -> None:
        """The hall's newest catalogue, for the next grade."""
        if reasons != self._reasons:
            self._reasons = reasons
            self._node.spawn(self._node.storage.keep(KEY, encode(reasons)), "keeping the reasons")

    async def start(self) -> None:
        """Take up the prompts that an earlier process left: go on with the newest, end what ran out."""
        if (kept := await self._node.storage.kept(KEY)) is not None:
            try:
                self._reasons = decode(kept, RatingReasons)
            except BadMessageError as error:
                logger.error("the kept reasons are not readable: %s", error)
        mine = [p for p in await self._node.storage.open_prompts() if p.prompt.counter == self._counter]
        for number, left in enumerate(mine):
            seconds = (left.until - self._node.clock.now()).total_seconds()
            if number == len(mine) - 1 and 0 < seconds <= left.prompt.timeout_s:
                self._begin(left.prompt, seconds)
            else:
                await self._node.storage.end_prompt(
                    self._unanswered(left.prompt, "restarted"), left.prompt.prompt
                )

    async def ask(self, command: NodeCommand, body: Message) -> Message | None:
        """The handler of `prompt_rating`."""
        assert isinstance(body, PromptRating)
        if body.counter != self._counter:
            raise NotMine
        keypad_works = self._device is not None and self._node.healthy(self._device)
        if not keypad_works and not self._has_panel():
            return self._unanswered(body, "device_missing")
        async with self._changing:
            await self._replace(command, body)
        return None

    async def _replace(self, command: NodeCommand, body: PromptRating) -> None:
        before, self._open = self._open, None
        replaced = None
        if before is not None:
            before.timer.cancel()
            if before.prompt.prompt != body.prompt:
                replaced = self._unanswered(before.prompt, "replaced")
        until = self._node.clock.now() + timedelta(seconds=body.timeout_s)
        try:
            await self._node.storage.open_prompt(command.id, body, until, replaced)
        except StorageError:
            if before is not None:
                self._begin(before.prompt, before.ends - asyncio.get_running_loop().time())
            raise
        self._begin(body, body.timeout_s)

    async def key(self, press: KeyPress) -> None:
        """A key of the rating keypad; outside a prompt it means nothing."""
        grade, open_ = GRADES.get(press.key), self._open
        if grade is not None and open_ is not None and press.monotonic >= open_.began:
            await self._rate(open_, grade)

    async def touch(self, prompt: str, grade: int) -> None:
        """A grade touched on the rating panel."""
        if self._open is not None and self._open.prompt.prompt == prompt:
            await self._rate(self._open, grade)

    async def give_reasons(self, said: GiveReasons) -> None:
        """Reasons touched on the rating panel; none at all: the citizen has nothing to add."""
        graded = self._graded
        if graded is None or graded.prompt.prompt != said.prompt or graded.reasons is None or graded.given:
            return
        offered = {reason.reason for reason in graded.reasons.reasons}
        chosen = tuple(dict.fromkeys(said.reasons))
        if said.version != graded.reasons.version or not offered.issuperset(chosen):
            logger.warning("counter %s: reasons that were not offered", self._counter)
            return
        if not chosen:
            self._thank_for(graded.prompt, graded.grade)
            return
        graded.given = True  # from here on a second touch means nothing
        given = RatingReasonsGiven(
            prompt=said.prompt,
            ticket=graded.prompt.ticket,
            counter=self._counter,
            grade=graded.grade,
            version=said.version,
            reasons=chosen,
        )
        kept = await self._node.report(given)
        if self._graded is not graded:
            return
        if kept:
            self._thank_for(graded.prompt, graded.grade, given=True)
        else:
            graded.given = False
            self._on_change()

    # ---------------------------------------------------------------- inside

    def _offered(self, grade: int) -> RatingReasons | None:
        if self._reasons is None or not self._has_panel():
            return None
        fitting = tuple(reason for reason in self._reasons.reasons if grade in reason.grades)
        return RatingReasons(version=self._reasons.version, reasons=fitting) if fitting else None

    def _thank_for(
        self, prompt: PromptRating, grade: int, reasons: RatingReasons | None = None, *, given: bool = False
    ) -> None:
        """The panel stands with the grade, and with `reasons` to choose from, for a while."""
        self._end_graded()
        loop = asyncio.get_running_loop()
        seconds = REASONS_S if reasons is not None else THANKS_S
        if prompt.url:
            seconds = max(seconds, PHONE_S)
        timer = loop.call_later(seconds, self._over)
        self._graded = _Graded(prompt, grade, reasons, loop.time() + seconds, timer, given)
        self._on_change()

    def _end_graded(self) -> None:
        if self._graded is not None:
            self._graded.timer.cancel()
            self._graded = None

    def _over(self) -> None:
        self._end_graded()
        self._on_change()

    def _begin(self, prompt: PromptRating, seconds: float) -> None:
        self._end_graded()
        loop = asyncio.get_running_loop()
        now = loop.time()
        timer = loop.call_later(max(0.0, seconds), self._run_out, prompt.prompt)
        self._open = _Open(prompt, now, now + seconds, timer)
        self._node.spawn(self._ask_keypad(True), "rating prompt")
        self._on_change()

    async def _rate(self, open_: _Open, grade: int) -> None:
        prompt = open_.prompt
        self._open = None  # from here on a second key means nothing
        open_.timer.cancel()
        rated = Rated(prompt=prompt.prompt, ticket=prompt.ticket, counter=self._counter, grade=grade)
        async with self._changing:
            try:
                await self._node.storage.end_prompt(rated, prompt.prompt)
            except StorageError as error:
                logger.error("a rating could not be stored and is asked for again: %s", error)
                self._begin(prompt, open_.ends - asyncio.get_running_loop().time())
                return
        if self._open is None:
            self._thank_for(prompt, grade, self._offered(grade))
            await self._thank()

    def _run_out(self, prompt: str) -> None:
        if self._open is not None and self._open.prompt.prompt == prompt:
            open_, self._open = self._open, None
            self._node.spawn(self._end_unanswered(open_.prompt), "rating unanswered")

    async def _end_unanswered(self, prompt: PromptRating) -> None:
        if self._open is None:
            await self._ask_keypad(False)
            self._on_change()
        while True:
            try:
                body = self._unanswered(prompt, "timeout")
                return await self._node.storage.end_prompt(body, prompt.prompt)
            except StorageError:
                await asyncio.sleep(RETRY_S)

    def _unanswered(
        self,
        prompt: PromptRating,
        reason: Literal["timeout", "device_missing", "expired", "replaced", "restarted"],
    ) -> RatingUnanswered:
        return RatingUnanswered(
            prompt=prompt.prompt, ticket=prompt.ticket, counter=self._counter, reason=reason
        )

    async def _ask_keypad(self, shown: bool) -> None:
        if self._keypad is not None:
            try:
                await self._keypad.prompt(shown)
            except DriverError as error:
                logger.info("rating keypad of counter %s: %s", self._counter, error)

    async def _thank(self) -> None:
        if self._keypad is not None:
            try:
                await self._keypad.thank()
            except DriverError as error:
                logger.info("rating keypad of counter %s: %s", self._counter, error)
