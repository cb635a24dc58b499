"""Driver of relays and light towers on a serial line, RS-485, USB-serial or a TCP serial server.

Binds to: serial, tcp. Implements: Light. The protocol is a format (`frames`), one of
`drivers/light/formats/*.toml` or the station's own.

What is proved depends on the model: one that answers is *missing* when it stops answering and at *fault*
(`light.wrong_state`) when its outputs do not follow; one that is only told (LCUS-1) is known by its line
alone and is told its state again every 2 s. Several devices may share an RS-485 line (`shared = true`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, ClassVar, Final

import msgspec

from drivers.driver import Health
from drivers.errors import FrameError, NoAnswerError, RefusedError
from drivers.light.frames import AnswerReader, Layout, LightFormat, Values, load_format
from drivers.light.lamps import LampLight
from drivers.light.signals import LampConfig, LampState
from drivers.transport.table import TransportConfig, transport

log = logging.getLogger(__name__)

TRIES: Final = 3
"""A question is asked so often before the light counts as lost."""
WRITE_S: Final = 1.0
STALE: Final = 32
"""Pieces of what came before a question that are thrown away: all that a shared line keeps."""


class SerialLightConfig(LampConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`format`: a shipped name or a path; `inline` takes its place. `lamps`: name → channel, from 1.

    `address`: of the device on an RS-485 line. `answer_ms`: how long one answer may take.
    """

    transport: TransportConfig
    format: str = "lcus"
    inline: LightFormat | None = None
    address: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    answer_ms: Annotated[int, msgspec.Meta(ge=10, le=1000)] = 300

    def __post_init__(self) -> None:
        super().__post_init__()
        format = self.light_format
        for lamp, channel in self.lamps.items():
            if not 1 <= channel <= format.channels:
                raise ValueError(f"lamp {lamp}: channels are 1 to {format.channels}")
            if not (format.on or format.set) and str(channel) not in format.own:
                raise ValueError(f"lamp {lamp}: the format has no frames for channel {channel}")

    @property
    def light_format(self) -> LightFormat:
        return self.inline or load_format(self.format)


class SerialLight(LampLight):
    """One relay board or tower. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = SerialLightConfig

    def __init__(self, config: SerialLightConfig) -> None:
        format = config.light_format
        looks = config.looks("on" if format.mechanical else "flash")
        super().__init__(config, looks, blinks_itself=format.blinks_itself)
        self._format = format
        self._address = config.address
        self._answer_s = config.answer_ms / 1000
        self._line = transport(config.transport)
        self._reader = AnswerReader()
        self._exchange = asyncio.Lock()
        self._noisy = False
        self._wrong = False

    async def _open_lamps(self) -> None:
        await self._line.open()
        self._wrong = False
        if self._format.query:
            await self._query()

    async def _set_lamps(self, states: dict[str, LampState], changed: dict[str, LampState]) -> None:
        on = frozenset(self._lamps[lamp] for lamp, state in states.items() if state != "off")
        if self._format.set:
            await self._ask(self._format.set, [self._format.set_answer], 1, on)
            return
        for lamp, state in changed.items():
            channel = self._lamps[lamp]
            frame, answer = self._frames(channel, state)
            # as it will be then: the answer tells the new state of this channel
            await self._ask(frame, [answer], channel, on)

    async def _check_lamps(self, states: dict[str, LampState]) -> Health:
        self._noisy = False
        if not self._format.query:
            await self._set_lamps(states, states)
        else:
            on = {self._lamps[lamp] for lamp, state in states.items() if state != "off"}
            if await self._query() & set(self._lamps.values()) != on:
                # once is what a tower does that was without power; twice is an output that does not follow
                wrong, self._wrong = self._wrong, True
                await self._set_lamps(states, states)
                return Health("fault", "light.wrong_state") if wrong else self.health
            self._wrong = False
        return Health("degraded", FrameError.code) if self._noisy else Health("ok")

    async def _close_lamps(self) -> None:
        await self._line.close()

    # ------------------------------------------------------------------ frames

    def _frames(self, channel: int, state: LampState) -> tuple[str, str]:
        """The template that sets a channel, and that of its answer."""
        own = self._format.own.get(str(channel))
        if own is not None:
            return {"on": own.on, "off": own.off, "blink": own.blink or own.on}[state], ""
        if state == "off":
            return self._format.off, self._format.off_answer
        return (self._format.blink if state == "blink" else self._format.on), self._format.on_answer

    async def _query(self) -> set[int]:
        """The channels that are on. Raises NoAnswerError, RefusedError, LineLostError."""
        query, answer = self._format.query, self._format.query_answer
        if "{channel}" not in query and "{index}" not in query:
            return set((await self._ask(query, [answer], 1)).on)
        on: set[int] = set()
        for channel in self._lamps.values():
            on |= (await self._ask(query, [answer], channel)).on
        return on

    async def _ask(
        self, template: str, answers: list[str], channel: int, on: frozenset[int] = frozenset()
    ) -> Values:
        """Send a frame; its answer where the model has one."""
        values = Values(self._address, channel, self._format.channels, on)
        frame = self._layout(template).to_bytes(values)
        wanted = [self._layout(answer) for answer in answers if answer]
        if wanted and self._format.refusal:
            wanted.append(self._layout(self._format.refusal))
        async with self._exchange:
            for _ in range(TRIES):
                async with self._line.turn():
                    if told := await self._once(frame, wanted, values):
                        number, answered = told
                        if number == len(answers):
                            raise RefusedError(f"refused {frame.hex()}", answered.code)
                        return answered
                self._noisy = True
        raise NoAnswerError(f"{self._line.name}: no answer to {frame.hex()}", code="light.no_answer")

    async def _once(self, frame: bytes, wanted: list[Layout], values: Values) -> tuple[int, Values] | None:
        loop = asyncio.get_running_loop()
        self._reader.clear()
        if wanted:
            for _ in range(STALE):  # what came late is no answer to this
                if not await self._line.read(0.0):
                    break
        log.debug("%s: > %s", self._line.name, frame.hex())
        await self._line.write(frame, WRITE_S)
        if not wanted:
            await self._line.drained(WRITE_S)
            await asyncio.sleep(self._format.gap_ms / 1000)
            return 0, values
        until = loop.time() + self._answer_s
        while (left := until - loop.time()) > 0:
            data = await self._line.read(left)
            if data and (told := self._reader.feed(data, wanted, values)):
                await asyncio.sleep(self._format.gap_ms / 1000)
                return told
        return None

    def _layout(self, template: str) -> Layout:
        return Layout(template, self._format.checksum, self._format.channels)
