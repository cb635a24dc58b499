"""What a station is, and what the stations of one node share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final, Protocol

from device.clock import Clock
from device.coordinator_link import CoordinatorLink
from device.database import StorageError
from device.dispatch import Handler
from device.storage import Storage
from drivers.errors import DriverError
from wire.messages import Board, Call, Catalogue, CounterState, DeviceState, Message
from wire.screen_link import LinkMessage, ScreenRole, ToAgent

if TYPE_CHECKING:
    from device.stations.pictures import Pictures

logger = logging.getLogger(__name__)

TASKS: Final = 256
"""Things that the stations may be doing at once; further ones are refused with a log line."""

SETTLE_S: Final = 3.0
"""How long a clean stop waits for what is being done."""

FRESH_PRESS_S: Final = 2.0
"""A key press that waited longer (the agent was stopped, the disk was slow) is not acted on any more."""


class Node:
    """The storage, the clock, the coordinator and the newest catalogue, board and device states."""

    def __init__(self, storage: Storage, clock: Clock, link: CoordinatorLink) -> None:
        self.storage = storage
        self.clock = clock
        self.link = link
        self.catalogue: Catalogue | None = None
        self.board: Board | None = None
        self.devices: dict[str, DeviceState] = {}
        self.screens: Screens | None = None
        self.pictures: Pictures | None = None  # where the node has screens
        self._tasks: set[asyncio.Task[None]] = set()
        self._to_the_end: set[asyncio.Task[None]] = set()

    def show(self, station: str, message: LinkMessage, role: ScreenRole | None = None) -> None:
        """To every screen of `station`, or those of one role."""
        if self.screens is not None:
            self.screens.send(station, message, role)

    def has_screen(self, station: str, role: ScreenRole) -> bool:
        return self.screens is not None and self.screens.has_screen(station, role)

    def healthy(self, device: str) -> bool:
        """Whether a device can work now."""
        state = self.devices.get(device)
        return state is not None and state.health in ("ok", "degraded")

    def spawn(self, work: Coroutine[Any, Any, None], name: str, *, to_the_end: bool = False) -> bool:
        """Do something beside; whatever it raises is logged and stops nothing else. False: there is no room.

        `to_the_end`: a clean stop waits for it, for at most SETTLE_S.
        """
        if len(self._tasks) >= TASKS:
            logger.error("too much at once, dropped: %s", name)
            work.close()
            return False
        task = asyncio.create_task(_logged(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if to_the_end:
            self._to_the_end.add(task)
            task.add_done_callback(self._to_the_end.discard)
        return True

    async def settle(self) -> None:
        """Let what must come to its end (a paper in the printer) do so, but not for long; end the rest."""
        if self._to_the_end:
            await asyncio.wait(list(self._to_the_end), timeout=SETTLE_S)
        late = list(self._tasks)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def report(self, *events: Message) -> bool:
        """Commit events; False, with a log line, when the storage refused them."""
        try:
            await self.storage.add(*events)
        except StorageError as error:
            logger.error("not reported: %s: %s", ", ".join(type(e).__name__ for e in events), error)
            return False
        return True


class Screens(Protocol):
    """What a station needs of `device.screen_link`."""

    def send(self, station: str, message: LinkMessage, role: ScreenRole | None = None) -> None:
        """To every screen of `station`, or those of one role."""

    def has_screen(self, station: str, role: ScreenRole) -> bool:
        """Whether one is there."""


class Station:
    """Base of kiosk, counter and board. The `on_…` methods are called from the loop and return at once."""

    def __init__(self, id: str, node: Node) -> None:
        self.id = id
        self.node = node

    @property
    def topics(self) -> list[tuple[str, dict[str, str]]]:
        """Rows of `wire.topics.KINDS`, with ids, that this station reads."""
        return []

    @property
    def handlers(self) -> dict[type[Message], Handler]:
        """The commands that it does."""
        return {}

    async def start(self) -> None:
        """Once, after the storage is open and before anything is heard. May raise StorageError."""

    async def run(self) -> None:
        """What it does by itself. Run again when it raises; may return."""

    def whole(self) -> list[LinkMessage]:
        """The present state, for a screen that has just come."""
        return []

    async def on_screen(self, message: ToAgent) -> None:
        """Something was touched on one of its screens."""

    def on_online(self, online: bool) -> None:
        """The coordinator came or went."""

    def on_device(self, state: DeviceState) -> None:
        """A device of the node has a new state."""

    def on_catalogue(self, catalogue: Catalogue) -> None:
        """There is a newer catalogue."""

    def on_board(self, board: Board) -> None:
        """There is a newer board."""

    def on_counter(self, counter: CounterState) -> None:
        """A counter's retained state came, maybe again or of another counter."""

    def on_retained(self, name: str, message: Message, ids: dict[str, str]) -> None:
        """Another retained message of `topics`: the row of `wire.topics.KINDS`, and the ids in the topic.

        It may come again. A topic that was cleared is not told.
        """

    def on_pictures(self) -> None:
        """`node.pictures` has another file, or one less."""

    def on_call(self, call: Call) -> None:
        """A call of the hall came, maybe again, for another counter or zone, or too late."""


class Recent:
    """The newest `size` keys, for not doing a thing twice when a message is delivered again."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._keys: dict[object, None] = {}

    def new(self, key: object) -> bool:
        """True the first time."""
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > self._size:
            del self._keys[next(iter(self._keys))]
        return True


class Newest:
    """Tells newer retained messages from those that come again, by (epoch, rev).

    What an earlier process kept is of no weight: the hall's server may have been replaced meanwhile.
    """

    def __init__(self) -> None:
        self._heard: tuple[int, int] | None = None

    def newer(self, epoch: int, rev: int) -> bool:
        """Whether it is newer than all that was asked for before."""
        if self._heard is not None and (epoch, rev) <= self._heard:
            return False
        self._heard = epoch, rev
        return True


async def _logged(work: Coroutine[Any, Any, None], name: str) -> None:
    try:
        await work
    except (StorageError, DriverError) as error:
        logger.error("%s: %s", name, error)
    except Exception:
        # One thing that failed must not take the other stations down.
        logger.exception("%s", name)
