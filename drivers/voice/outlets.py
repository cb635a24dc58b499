"""All loudspeakers of one voice: each with its volume, each lost and found again by itself.

An announcement plays on all that are there at the same time. It was heard when one of them played it to the
end at a volume above 0; those that broke off are looked for every `CHECK_S` and join the next announcement.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import time
from typing import Annotated, Final

import msgspec

from drivers.errors import DriverError
from drivers.voice.outputs import OutputConfig, output
from drivers.voice.playing import Output, OutputLostError
from drivers.voice.volume import Volume, VolumeStep, volume_at
from drivers.voice.wav import Clip

log = logging.getLogger(__name__)

CHECK_S: Final = 2.0
"""How often a loudspeaker that has nothing to say, or is lost, is asked whether it is there."""
MAIN: Final = "main"


class OutletConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A further loudspeaker. `name` stands in the device state; `volume` None: as the first one."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,24}\Z")]
    output: OutputConfig
    volume: Volume | None = None
    volume_schedule: tuple[VolumeStep, ...] | None = None


class Outlet:
    """One loudspeaker. `lost`: the code of why it is not there."""

    def __init__(self, name: str, way: Output, volume: int, schedule: Sequence[VolumeStep]) -> None:
        self.name = name
        self.way = way
        self.lost: str | None = None
        self._volume = volume
        self._schedule = schedule

    def volume(self, now: time) -> int:
        return volume_at(self._volume, self._schedule, now)


def outlets(
    first: OutputConfig,
    volume: int,
    schedule: Sequence[VolumeStep],
    also: Sequence[OutletConfig],
    clock: Callable[[], time],
) -> Outlets:
    """The loudspeakers of a configuration."""
    made = [Outlet(MAIN, output(first), volume, schedule)]
    for more in also:
        steps = schedule if more.volume_schedule is None and more.volume is None else more.volume_schedule
        own = volume if more.volume is None else more.volume
        made.append(Outlet(more.name, output(more.output), own, steps or ()))
    return Outlets(made, clock)


class Outlets:
    """See the module. `on_change` is called when one was lost or found; `clock` is the time of day."""

    def __init__(self, all: Sequence[Outlet], clock: Callable[[], time]) -> None:
        self._all = all
        self._clock = clock
        self._asking = asyncio.Lock()
        self.on_change: Callable[[], None] = lambda: None

    @property
    def lost(self) -> dict[str, str]:
        """Names of those that are not there, and the code of why."""
        return {outlet.name: outlet.lost for outlet in self._all if outlet.lost is not None}

    @property
    def all_lost(self) -> bool:
        return not self._there()

    @property
    def break_off(self) -> bool:
        """Whether a `play` that is cancelled is silent at once."""
        return all(outlet.way.breaks_off for outlet in self._there())

    @property
    def volume(self) -> int:
        """The greatest at this time of day, of those that are there."""
        now = self._clock()
        return max(outlet.volume(now) for outlet in self._there() or self._all)

    async def check(self) -> None:
        """Ask all of them. Raises OutputLostError when none is there."""
        async with self._asking:
            await self._each(self._all, lambda outlet: outlet.way.check())

    async def find(self) -> None:
        """Ask those that are lost."""
        async with self._asking:
            lost = [outlet for outlet in self._all if outlet.lost is not None]
            if lost:
                try:
                    await self._each(lost, lambda outlet: outlet.way.check())
                except OutputLostError as error:
                    log.debug("still lost: %s", error)

    async def prepare(self) -> None:
        """All that can fail before the first sample. Raises OutputLostError when none is ready."""
        await self._each(self._there(), lambda outlet: outlet.way.prepare())

    async def play(self, sound: Callable[[int], Awaitable[Clip]], text: str) -> bool:
        """Play on all that are there; `sound` makes it for a volume. False: muted, nothing was played.

        Raises OutputLostError when none played to the end.
        """
        now = self._clock()
        loud = [outlet for outlet in self._there() if outlet.volume(now)]
        if not loud:
            return False
        playing = {outlet: await sound(outlet.volume(now)) for outlet in loud}
        await self._each(loud, lambda outlet: outlet.way.play(playing[outlet], text))
        return True

    async def close(self) -> None:
        for outlet in self._all:
            await outlet.way.close()

    def _there(self) -> list[Outlet]:
        return [outlet for outlet in self._all if outlet.lost is None]

    async def _each(self, some: Sequence[Outlet], do: Callable[[Outlet], Awaitable[None]]) -> None:
        """Do it with all at once. Raises OutputLostError when it went well with none."""
        results = await asyncio.gather(*(self._one(outlet, do) for outlet in some), return_exceptions=True)
        failed = None
        for result in results:
            if isinstance(result, DriverError):
                failed = result
            elif isinstance(result, BaseException):
                raise result
        if None not in results:
            raise OutputLostError(str(failed or "no loudspeaker"), code=failed.code if failed else None)

    async def _one(self, outlet: Outlet, do: Callable[[Outlet], Awaitable[None]]) -> None:
        """Whether it is lost is told at once: the others may speak for a minute yet."""
        before = outlet.lost
        try:
            await do(outlet)
        except DriverError as error:
            log.debug("%s: %s", outlet.name, error)
            outlet.lost = error.code
            raise
        else:
            outlet.lost = None
        finally:
            if outlet.lost != before:
                self.on_change()
