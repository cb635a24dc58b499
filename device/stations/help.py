"""The help key of a kiosk: somebody asks for a clerk, by the screen or the key pad.

The call for help is on disk before the screen says that somebody was asked. While the hall is cut off it
waits in the outbox, and the lamp, where there is one, is what people see. After a restart of the agent
nobody has asked: the citizen sees that and may ask again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from device.dispatch import NotMine
from device.stations.lights import StationLight
from device.stations.station import Node
from wire.kiosk_messages import HelpAnswered, HelpWanted
from wire.messages import CommandResult, Message, NodeCommand

logger = logging.getLogger(__name__)

OVER_S: Final = 600.0
"""So long after the last word of it nobody waits for help any more."""

HelpState: TypeAlias = Literal["none", "asked", "coming"]


class HelpDesk:
    """`on_change` is called when `state` is another."""

    def __init__(self, node: Node, station: str, light: StationLight, on_change: Callable[[], None]) -> None:
        self._node = node
        self._station = station
        self._light = light
        self._on_change = on_change
        self._asking = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self.state: HelpState = "none"

    async def ask(self, wanted: bool) -> None:
        """The help key, or it is taken back; pressed again it changes nothing."""
        async with self._asking:
            if wanted == (self.state != "none"):
                return
            told = await self._node.report(HelpWanted(station=self._station, wanted=wanted))
            if not wanted:
                self._set("none")
            elif told or self._light.there:
                self._set("asked")

    async def answered(self, command: NodeCommand, body: Message) -> Message | None:
        """The handler of `help_answered`. An answer to what was taken back changes nothing."""
        assert isinstance(body, HelpAnswered)
        if body.station != self._station:
            raise NotMine
        if body.over:
            self._set("none")
        elif self.state == "asked":
            self._set("coming")
        return CommandResult(command=command.id, outcome="done")

    def _set(self, state: HelpState) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if state != "none":
            self._timer = asyncio.get_running_loop().call_later(OVER_S, self._over)
        if state == self.state:
            return
        self.state = state
        # Who is on the way has seen it: the lamp is for everybody else.
        self._light.help_wanted(state == "asked")
        self._on_change()

    def _over(self) -> None:
        self._timer = None
        self._set("none")
