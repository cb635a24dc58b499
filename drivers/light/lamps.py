"""What all lights have in common: from signals to lamps, in time; looked after every `CHECK_S`.

A model's driver is a child that can open its line and set its lamps (`_open_lamps`, `_set_lamps`,
`_check_lamps`, `_close_lamps`). A light that cannot be asked is told its state again at every check: a byte
that was lost, or a tower that was without power for a moment, is put right by that.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Mapping
from typing import Final

from drivers.driver import Health
from drivers.errors import DriverError, LineLostError, NoAnswerError
from drivers.light.protocol import Light, LightResult, SignalName
from drivers.light.signals import LampConfig, LampState, SignalLook, Signals

log = logging.getLogger(__name__)

CHECK_S: Final = 2.0
"""How often a light is asked for its state, or told it again."""
CLOSE_S: Final = 1.0
"""For putting the lamps out."""
WAITING: Final = 32
"""Callers that wait for their signal to be shown; further ones are told that it failed."""


class LampLight(Light):
    """Base of the lights of this package."""

    def __init__(
        self, config: LampConfig, looks: Mapping[SignalName, SignalLook], *, blinks_itself: bool = False
    ) -> None:
        super().__init__()
        self._lamps = config.lamps
        self._blinks_itself = blinks_itself
        self._signals = Signals(looks, tuple(config.lamps))
        self._wake = asyncio.Event()
        self._waiting: list[asyncio.Future[LightResult]] = []
        self._is_open = False

    # ------------------------------------------------------------------ of a model

    @abstractmethod
    async def _open_lamps(self) -> None:
        """Open the line and make sure that the light is there. Raises DriverError."""

    @abstractmethod
    async def _set_lamps(self, states: dict[str, LampState], changed: dict[str, LampState]) -> None:
        """Have the lamps in `states`; `changed` are those that differ from before. Raises DriverError."""

    @abstractmethod
    async def _check_lamps(self, states: dict[str, LampState]) -> Health:
        """Whether the lamps are in `states`: ask, or tell again. Raises DriverError when it is lost."""

    @abstractmethod
    async def _close_lamps(self) -> None:
        """Let go of the line; at any time, more than once."""

    # ------------------------------------------------------------------ the interface

    async def open(self) -> None:
        await self.close()
        try:
            await self._open_lamps()
            self._is_open = True
            await self._show(None)
        except DriverError as error:
            self._is_open = False
            await self._close_lamps()
            self._lost(error)
            raise
        self.report(Health("ok"))

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        shown, change_at = await self._show(None)
        check_at = loop.time() + CHECK_S
        try:
            while True:
                until = check_at if change_at is None else min(check_at, change_at)
                try:
                    async with asyncio.timeout_at(until):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                shown, change_at = await self._show(shown)
                if loop.time() >= check_at:
                    self.report(await self._check_lamps(shown))
                    self.seen()
                    check_at = loop.time() + CHECK_S
        except DriverError as error:
            self._is_open = False
            self._lost(error)
            raise

    async def close(self) -> None:
        if self._is_open:
            self._is_open = False
            dark: dict[str, LampState] = dict.fromkeys(self._lamps, "off")
            try:
                async with asyncio.timeout(CLOSE_S):
                    await self._set_lamps(dark, dark)
            except (DriverError, TimeoutError) as error:
                log.debug("the lamps stay as they are: %s", error)
        await self._close_lamps()

    async def signal(
        self, name: SignalName, seconds: float | None = None, within_s: float = 5.0
    ) -> LightResult:
        if not self._signals.knows(name):
            return LightResult("failed", "light.no_lamp")
        if len(self._waiting) >= WAITING:
            return LightResult("failed", self.health.code or DriverError.code)
        now = asyncio.get_running_loop().time()
        self._signals.begin(name, now, None if seconds is None else now + seconds)
        shown: asyncio.Future[LightResult] = asyncio.get_running_loop().create_future()
        self._waiting.append(shown)
        self._wake.set()
        try:
            async with asyncio.timeout(within_s):
                return await shown
        except TimeoutError:
            if seconds is not None:
                self.clear(name)
            return LightResult("expired", self.health.code)
        finally:
            if shown in self._waiting:
                self._waiting.remove(shown)

    def clear(self, name: SignalName) -> None:
        if self._signals.end(name):
            self._wake.set()

    # ------------------------------------------------------------------ inside

    def _lost(self, error: DriverError) -> None:
        there = not isinstance(error, LineLostError | NoAnswerError)
        self.report(Health("fault" if there else "missing", error.code))

    async def _show(self, before: dict[str, LampState] | None) -> tuple[dict[str, LampState], float | None]:
        """Switch what is to be switched now; the new states and when they change by themselves."""
        self._wake.clear()
        waiting = list(self._waiting)
        states, change_at = self._signals.at(asyncio.get_running_loop().time(), self._blinks_itself)
        changed = {lamp: state for lamp, state in states.items() if before is None or before[lamp] != state}
        if changed:
            await self._set_lamps(states, changed)
            self.seen()
        for shown in waiting:
            if not shown.done():
                shown.set_result(LightResult("done"))
        return states, change_at
