"""Driver of Alpha and BetaBrite signs, which know no Chinese.

Binds to: a serial line (usually 9600 7E1), TCP. Implements: CallScreen. Packets and sources: `alpha_frames`.

- The first wording of a text that is all ASCII is shown ("A005 3"); where there is none, what is not ASCII
  becomes a space and the result says `screen.text_changed`. Set the counter's language to "en".
- A sign says nothing when it is written to. It is asked for its serial error status after each text: clean
  means that nothing came spoiled. A text that vanished as a whole is not noticed so, nor one that the sign
  forgot: what stands still is sent again every minute. With `answers = false` (only one wire goes to the
  sign) nothing is proved: the result is `done` with the code `screen.not_watched`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Annotated, ClassVar, Final

import msgspec

from drivers.call_screen.alpha_frames import (
    COLOURS,
    TEXT_LIMIT,
    AnswerReader,
    ErrorStatus,
    Mode,
    SerialError,
    ask_errors,
    clear_errors,
    text_packet,
)
from drivers.call_screen.line_screen import LineScreen
from drivers.call_screen.paced_screen import NOT_WATCHED, Pace, RefusalError
from drivers.call_screen.protocol import ScreenText
from drivers.call_screen.text_layout import lay_out
from drivers.driver import Fact
from drivers.transport.table import TransportConfig

SETTLE_S: Final = 0.1
"""Between a packet and the next one: the sign is storing the text (M-Protocol: 100 ms between packets)."""


class AlphaSignConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`address`: 0 is every sign of the line, and only right for one alone. `columns`: characters at once."""

    transport: TransportConfig
    address: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0
    columns: Annotated[int, msgspec.Meta(ge=4, le=40)] = 14
    answers: bool = True
    answer_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.0
    retries: Annotated[int, msgspec.Meta(ge=0, le=5)] = 2
    min_interval_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.5

    @property
    def reaches_all(self) -> bool:
        """Whether every sign of the line takes its orders."""
        return self.address == 0


class AlphaSign(LineScreen[ErrorStatus]):
    """One sign. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = AlphaSignConfig

    def __init__(self, config: AlphaSignConfig) -> None:
        pace = Pace(config.min_interval_s, config.retries)
        super().__init__(config.transport, pace, answer_s=config.answer_s)
        self._config = config
        self._statuses = AnswerReader()
        self._moves = False

    async def _prepare(self) -> None:
        self._statuses.clear()

    def _answers(self, data: bytes) -> Iterable[ErrorStatus]:
        return self._statuses.feed(data)

    def _facts(self) -> dict[str, Fact]:
        return {"watched": self._config.answers}

    async def _put(self, content: ScreenText) -> str | None:
        wire, changed, self._moves = showing(content, self._config.columns, self._config.address)
        await self._tell(wire)
        if not self._config.answers:
            return NOT_WATCHED
        await asyncio.sleep(SETTLE_S)
        await self._look()
        return "screen.text_changed" if changed else None

    def _must_renew(self) -> bool:
        return not self._moves  # what moves would begin anew

    async def _ping(self) -> None:
        if self._config.answers:
            await self._look()

    async def _look(self) -> None:
        """Ask what was received wrongly. Raises RefusalError when there was something."""
        errors = (await self._ask(ask_errors(self._config.address))).errors
        if not errors:
            return
        await self._tell(clear_errors(self._config.address))
        await asyncio.sleep(SETTLE_S)
        if errors & SerialError.ILLEGAL:
            raise RefusalError("screen.refused", errors)
        raise RefusalError("screen.refused_checksum", errors, again=True)


def showing(content: ScreenText, columns: int, address: int) -> tuple[bytes, bool, bool]:
    """The packet that shows `content`, whether something of it had to go, and whether it rotates."""
    wordings = [wording for wording in (content.text, *content.shorter) if wording.isascii()]
    changed = not wordings
    if not wordings:
        wordings = [re.sub(r"[^!-~]+", " ", content.text).strip()]
    plain = ScreenText(wordings[0], content.colour, content.flash, tuple(wordings[1:]))
    layout = lay_out(plain, columns)
    mode = Mode.ROTATE if layout.scrolls else Mode.FLASH if layout.flashes else Mode.HOLD
    text = layout.text.encode("ascii")
    room = TEXT_LIMIT - len(COLOURS[layout.colour])
    packet = text_packet(text[:room], layout.colour, mode, address)
    return packet, changed or len(text) > room, mode is Mode.ROTATE
