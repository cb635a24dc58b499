"""The hall display and the voice of a zone."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from device.profile import BoardStation
from device.stations.lights import StationLight
from device.stations.playlist import StationPlaylist
from device.stations.station import Node, Recent, Station
from drivers.voice.protocol import Announcement, Voice
from wire.messages import Board, Call, CallReported, DeviceState, Message
from wire.screen_link import BoardShown, LinkMessage

if TYPE_CHECKING:
    from drivers.light.protocol import Light

logger = logging.getLogger(__name__)

RECALL_PRIORITY: Final = 1
"""A number that is called again goes before first calls: somebody is standing at the counter."""


class BoardStationRunner(Station):
    """Speaks and flashes the calls of its zone, and gives the board to the screens, marked when it is old."""

    def __init__(
        self, station: BoardStation, node: Node, voice: Voice | None, light: Light | None = None
    ) -> None:
        super().__init__(station.id, node)
        self._station = station
        self._voice = voice
        self._light = StationLight(node, station.light, light, station.flash_s)
        self._calls = Recent()
        self._playlist = StationPlaylist(node, station.id, "board", station.zone)

    @property
    def topics(self) -> list[tuple[str, dict[str, str]]]:
        return [("board", {}), ("call", {}), self._playlist.topic]

    async def start(self) -> None:
        await self._playlist.start()

    def whole(self) -> list[LinkMessage]:
        return [self._shown(), self._playlist.shown()]

    def on_online(self, online: bool) -> None:
        self._show()

    def on_board(self, board: Board) -> None:
        self._show()

    def on_retained(self, name: str, message: Message, ids: dict[str, str]) -> None:
        self._playlist.on_retained(message)

    def on_pictures(self) -> None:
        self._playlist.on_pictures()

    def on_call(self, call: Call) -> None:
        if self._station.zone not in (None, call.zone) or not self._calls.new((call.call, call.attempt)):
            return
        self._light.flash(call.number, (call.deadline - self.node.clock.now()).total_seconds())
        if self._voice is not None:
            self.node.spawn(self._say(call, self._voice), f"say {call.number}")

    def on_device(self, state: DeviceState) -> None:
        self._light.on_device(state)

    async def _say(self, call: Call, voice: Voice) -> None:
        device = self._station.voice or ""
        outcome: str
        code: str | None
        if self.node.clock.expired(call.deadline):
            outcome, code = "expired", "call.expired"
        elif not self.node.healthy(device):
            # Right after the start nothing is known of it yet.
            state = self.node.devices.get(device)
            outcome, code = "failed", (state.code if state is not None else None) or "device.no_answer"
        else:
            result = await voice.say(
                Announcement(
                    id=call.call,
                    number=call.number,
                    counter=call.counter_name,
                    # The voice looks at the wall clock, which may be wrong; the time that is left is right.
                    deadline=datetime.now(UTC) + (call.deadline - self.node.clock.now()),
                    languages=call.languages,
                    repeat=call.repeat,
                    priority=RECALL_PRIORITY if call.attempt > 1 else 0,
                )
            )
            outcome, code = result.outcome, result.code
        if outcome != "done":
            logger.warning("call %s of %s was not heard: %s", call.call, call.number, code or outcome)
        await self.node.report(
            CallReported(call=call.call, device=device, how="heard", outcome=outcome, code=code)  # type: ignore[arg-type]
        )

    def _shown(self) -> BoardShown:
        return BoardShown(board=self.node.board, stale=not self.node.link.online, zone=self._station.zone)

    def _show(self) -> None:
        self.node.show(self.id, self._shown())
