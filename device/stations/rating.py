"""One rating per service: a prompt, one key, and the grade on disk before the thanks.

A prompt is accepted durably and its command answered by how it ends: `rated`, or `rating_unanswered` with
the reason. Only the rating keypad and the rating panel can grade; a prompt cannot be ended by the clerk.
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
from wire.messages import Message, NodeCommand, PromptRating, Rated, RatingUnanswered

logger = logging.getLogger(__name__)

GRADES: Final = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
RETRY_S: Final = 1.0
"""How soon an ended prompt that could not be stored is tried again."""


class _Open(msgspec.Struct, frozen=True):
    prompt: PromptRating
    began: float
    ends: float
    timer: asyncio.TimerHandle


class Rating:
    """The prompts of one counter. `on_change` is called when another prompt, or none, is open."""

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
        self._changing = asyncio.Lock()
        """Held while a prompt is stored or a grade is: two at once would leave one of them without an end."""

    @property
    def prompt(self) -> PromptRating | None:
        """The prompt that a citizen can answer now."""
        return self._open.prompt if self._open is not None else None

    async def start(self) -> None:
        """Take up the prompts that an earlier process left: go on with the newest, end what ran out."""
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

    # ---------------------------------------------------------------- inside

    def _begin(self, prompt: PromptRating, seconds: float) -> None:
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
            await self._thank()
            self._on_change()

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
