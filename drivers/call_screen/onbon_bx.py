"""Driver of Onbon BX LED cards: one dynamic area that shows a text.

Binds to: a serial line (RS-232/485, 9600 or 57600 8N1, several cards on one with `shared`), TCP (port 5005)
or UDP (5007). Implements: CallScreen. Frames and sources: `onbon_bx_frames`; addressing: `onbon_bx_card`;
pace, retries and health: `paced_screen`.

- A card takes at most one refresh a second and area (chapter 2.1).
- A font card is asked for its status instead of a ping: it tells which areas it holds, so that a card that
  lost its power for a moment is noticed and gets its text again; and whether it is switched off. Matrix cards
  tell nothing: a text that stands still is sent again every minute.
- On a font card, characters outside GB2312 become □ and a text beyond the card's buffer is cut; the result
  is then `done` with the code `screen.text_changed`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import msgspec

from drivers.call_screen import glyphs
from drivers.call_screen.line_screen import LineScreen
from drivers.call_screen.onbon_bx_areas import dynamic_areas
from drivers.call_screen.onbon_bx_card import Answer, OnbonCard, refusal_code, worth_repeating
from drivers.call_screen.onbon_bx_commands import (
    CardError,
    CardStatus,
    Command,
    Reply,
    k_brightness,
    lock,
    matrix_brightness,
    on_off,
)
from drivers.call_screen.onbon_bx_config import OnbonBxConfig
from drivers.call_screen.onbon_bx_content import showing
from drivers.call_screen.paced_screen import Pace, RefusalError
from drivers.call_screen.protocol import ScreenText
from drivers.errors import FrameError, NoAnswerError

log = logging.getLogger(__name__)


class OnbonBx(LineScreen[Answer]):
    """One card, one area. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = OnbonBxConfig

    def __init__(self, config: OnbonBxConfig) -> None:
        super().__init__(
            config.transport,
            Pace(config.min_interval_s, config.retries),
            config.brightness,
            answer_s=config.reply_timeout_s,
        )
        self._config = config
        self._card = OnbonCard(config.family, config.address, config.device_type, alone=config.alone)
        self._ready = False
        self._tells_status = config.family == "k"
        self._missed = False
        self._off = self._told_on = False
        self._moves = False

    # ------------------------------------------------------------ what LineScreen asks for

    def _answers(self, data: bytes) -> Iterable[Answer]:
        return self._card.answers(data)

    async def _prepare(self) -> None:
        self._card.reset()
        self._ready = False
        self._tells_status = self._card.font_card
        self._missed = False
        self._off = self._told_on = False
        if not self._card.font_card:
            with ThreadPoolExecutor(1) as executor:
                await asyncio.get_running_loop().run_in_executor(
                    executor, _blocking_load_font, self._config.font_px
                )

    async def _put(self, content: ScreenText) -> str | None:
        showed = showing(content, self._config)
        reply = await self._say(showed.command, showed.payload)
        if reply.error:
            raise _refusal(reply)
        self._moves = showed.moves
        if self._off:
            raise RefusalError("screen.switched_off", 0)  # it took the text, and nobody sees it
        return "screen.text_changed" if showed.changed else None

    async def _ping(self) -> None:
        if not self._ready:
            await self._greet()
        if self._tells_status:
            await self._look()
            return
        await self._say(Command.PING, answer_s=self._ping_s)

    async def _dim(self, level: int) -> None:
        if self._card.font_card:
            await self._say(Command.BRIGHTNESS, k_brightness(level))
        else:
            await self._say(Command.MATRIX_BRIGHTNESS, matrix_brightness(level), length=0x31)

    def _fault(self) -> str | None:
        return "screen.switched_off" if self._off else None

    def _must_renew(self) -> bool:
        # what moves would begin anew
        return not self._moves and (not self._tells_status or self._missed)

    # ------------------------------------------------------------ inside

    async def _say(
        self, command: Command, payload: bytes = b"", *, length: int = 0, answer_s: float | None = None
    ) -> Reply:
        """One try. Raises NoAnswerError, LineLostError."""
        request = self._card.request(command, payload, length=length)
        return (await self._ask(request.wire, request.mine, answer_s=answer_s)).reply

    async def _greet(self) -> None:
        """The first question after an `open`, and the settings. Tried again as a whole."""
        try:
            await self._say(Command.PING, answer_s=self._ping_s)
        except NoAnswerError:
            self._card.echoes = False  # perhaps an older card, which wants the usual source address
            raise
        if not self._card.echoes:
            self._card.echoes = True  # or only the first question was lost
            try:
                await self._say(Command.PING, answer_s=self._ping_s)
            except NoAnswerError:
                self._card.echoes = False
        if self._config.clear:
            await self._clear()
        if (programme := self._config.lock) is not None:
            reply = await self._say(Command.LOCK, lock(programme, True))
            if reply.error:
                log.warning("%s: cannot lock programme %s: %s", self._line.name, programme, reply.error)
        self._ready = True

    async def _clear(self) -> None:
        if self._card.font_card:
            await self._say(Command.DYNAMIC_AREA, dynamic_areas((), delete="all"))
        else:
            await self._say(Command.MATRIX_DELETE_AREA, b"\xff")

    async def _look(self) -> None:
        """Ask a font card how it is."""
        reply = await self._say(Command.STATUS, answer_s=self._ping_s)
        if reply.error in (CardError.GROUP, CardError.COMMAND):
            self._tells_status = False  # it answers, which is what a ping asks
        if reply.error:
            return
        try:
            status = CardStatus.from_bytes(reply.data)
        except FrameError as error:
            log.debug("%s: %s", self._line.name, error)
            self._tells_status = False
            return
        self._off = not status.on and (self._told_on or not self._config.switch_on)
        self._told_on = not status.on and self._config.switch_on
        if self._told_on:
            await self._say(Command.ON_OFF, on_off(True), answer_s=self._ping_s)
        if not self._stands or self._config.area in status.areas:
            self._missed = False
        elif not self._missed:
            self._missed = True
            self._forgotten()
        # a card that does not list what it has just acknowledged is not believed


def _refusal(reply: Reply) -> RefusalError:
    return RefusalError(refusal_code(reply.error), reply.error, again=worth_repeating(reply.error))


def _blocking_load_font(size: int) -> None:
    """Load Pillow and the font, and draw what most calls need, before the first call."""
    glyphs.line("0123456789ABCDEFGH请到号窗口办理 ", size)
