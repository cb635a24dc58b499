"""The agent of one node: everything in one loop, under one task group.

Started in this order: storage, devices, stations, screens, broker; ready when the devices are supervised
and the storage was opened (or is known to be at fault). Stopped the other way round, `offline` first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import TYPE_CHECKING, Final, cast

import msgspec

from device.clock import Clock, hall_zone
from device.coordinator_link import CoordinatorLink
from device.database import StorageError, new_id
from device.dispatch import Dispatch, Handler
from device.kept_facts import KeptFacts
from device.node_screens import NodeScreens
from device.outbox_sender import OldCopyError, OutboxSender
from device.profile import BoardStation, CheckedProfile, CounterStation, KioskStation
from device.stations.station import Newest, Node
from device.stations.table import runner
from device.storage import Storage
from device.supervision import Supervisor
from device.watchdog import feed
from drivers.table import build
from wire.intake import Intake
from wire.messages import (
    Board,
    Call,
    Catalogue,
    CoordinatorAck,
    CoordinatorState,
    CounterState,
    DeviceDescription,
    DeviceState,
    Message,
    NodeCommand,
    NodeDescription,
    NodeState,
)
from wire.mqtt import Mqtt, Received
from wire.shown import Picture
from wire.systemd import notify
from wire.topics import Topic, subscription, topic

if TYPE_CHECKING:
    # Names for `cast`: each protocol costs a node's start 1 to 2 ms.
    from drivers.call_screen.protocol import CallScreen
    from drivers.driver import Driver
    from drivers.voice.protocol import Voice

logger = logging.getLogger(__name__)

SOFTWARE: Final = "paihao 0.1.0"
"""Said in the node's description; the same as in pyproject.toml, whose reading would cost 30 ms."""
STORAGE_DEVICE: Final = "storage"
"""The storage is reported like a device, so that a full disk is seen where every fault is seen."""
RESTART_S: Final = 1.0
"""A station's or the agent's own loop that ended by a bug begins again after this."""


class Agent:
    """See the module. `stop` ends `run`."""

    def __init__(self, checked: CheckedProfile) -> None:
        profile = checked.profile
        self._profile = profile
        self._checked = checked
        self._session = new_id()
        kiosk = any(isinstance(station, KioskStation) for station in profile.station)
        # Only a kiosk says local times to people; loading the zone tables costs the others 6 ms.
        self.clock = Clock(hall_zone(profile.timezone) if kiosk else UTC)
        self.storage = Storage(profile.storage, self._session, self.clock)
        self.link = CoordinatorLink(self.clock)
        self.node = Node(self.storage, self.clock, self.link)
        self.supervisors = {
            device.id: Supervisor(
                device.id, build(device.driver, device.config), self.clock, self._on_device_state
            )
            for device in checked.devices
        }
        for supervisor in self.supervisors.values():
            if supervisor.driver.kind in ("call_screen", "voice"):  # brightness, volume by the hall's time
                timed = cast("CallScreen | Voice", supervisor.driver)
                timed.local_time = self.clock.in_zone(profile.timezone)
        self.kept = KeptFacts(self.node, {name: s.driver for name, s in self.supervisors.items()})
        self.stations = [runner(entry, self.node, self._driver) for entry in profile.station]
        self.screens = NodeScreens(
            profile,
            self.node,
            self.stations,
            on_device=self._on_device_state,
            on_pictures_fault=lambda: self._on_storage_fault(self.storage.fault),
            follow_picture=self._follow_picture,
        )
        self.sender = OutboxSender(self.storage, self._publish_event)
        self.dispatch = Dispatch(
            self.storage, self.clock, self._handlers(), lambda row: self._send_again(row.payload)
        )
        self.intake = Intake(profile.hall)
        self._event_topic = self._topic("node_event")
        self._mqtt: Mqtt | None = None
        self._newest_catalogue = Newest()
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Until `stop`. Raises OSError when the screens' socket cannot be made."""
        self.storage.on_rows = self.sender.on_rows
        self.storage.on_fault = self._on_storage_fault
        self.link.on_change = self._on_online
        self.link.on_time = self._keep_time
        await self.storage.start()
        self._on_storage_fault(self.storage.fault)
        await self._remember()
        self._mqtt = mqtt = Mqtt(
            self._profile.broker,
            client_id=self._profile.node,
            will=(self._topic("node_state"), NodeState(state="lost", session=self._session)),
            subscriptions=self._subscriptions(),
            on_connected=self._birth,
            on_disconnected=lambda _reason: self.link.set_connected(False),
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(supervisor.run(), name=f"device {device}")
                    for device, supervisor in self.supervisors.items()
                ]
                for station in self.stations:
                    running.append(tasks.create_task(_again(station.run), name=f"station {station.id}"))
                running.append(tasks.create_task(_again(self.sender.run), name="outbox"))
                running.append(tasks.create_task(_again(self._receive), name="receive"))
                await self.screens.start()
                await mqtt.start()
                self.ready.set()
                notify("READY=1")
                running.append(tasks.create_task(_again(lambda: feed(self._round_trip)), name="watchdog"))
                logger.info("node %s of hall %s is running", self._profile.node, self._profile.hall)
                await self._stopping.wait()
                notify("STOPPING=1")
                await mqtt.stop([(self._topic("node_state"), self._state("offline"), True)])
                await self.node.settle()
                await self.kept.flush()
                for task in running:
                    task.cancel()
        finally:
            await self.screens.stop()
            await self.node.settle()
            self.link.close()
            await mqtt.stop()
            await self.storage.stop()
        logger.info("node %s has stopped", self._profile.node)

    def stop(self) -> None:
        """End `run` cleanly; safe from a signal handler of the loop."""
        self._stopping.set()

    async def _remember(self) -> None:
        """What an earlier process left: the time, the catalogue, open prompts."""
        try:
            if (kept := await self.storage.kept("clock")) is not None:
                self.clock.restore(kept)
            if (kept := await self.storage.kept("catalogue")) is not None:
                self.node.catalogue = msgspec.json.decode(kept, type=Catalogue)
            await self.kept.load()
            for station in self.stations:
                await station.start()
        except StorageError as error:
            logger.error("nothing is remembered: %s", error)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            logger.error("the kept catalogue is not readable: %s", error)

    async def _round_trip(self, seconds: float) -> bool:
        await self.storage.ping()
        assert self._mqtt is not None
        # Without a broker nothing can come back from it; a broker that hangs is dropped by the keepalive.
        return not self._mqtt.connected or await self._mqtt.round_trip(seconds) or not self._mqtt.connected

    # ---------------------------------------------------------------- stations and devices

    def _driver(self, device: str | None) -> Driver | None:
        return self.supervisors[device].driver if device is not None else None

    def _handlers(self) -> dict[type[Message], list[Handler]]:
        handlers: dict[type[Message], list[Handler]] = {}
        for station in self.stations:
            for body, handler in station.handlers.items():
                handlers.setdefault(body, []).append(handler)
        return handlers

    def _on_device_state(self, state: DeviceState) -> None:
        self.node.devices[state.device] = state
        self._publish_device(state)
        for station in self.stations:
            station.on_device(state)

    def _follow_picture(self, picture: str, wanted: bool) -> None:
        if self._mqtt is not None:
            change = self._mqtt.subscribe if wanted else self._mqtt.unsubscribe
            change(self._topic("picture", picture=picture))

    def _on_storage_fault(self, code: str | None) -> None:
        now = self.clock.now()
        notice = self.storage.notice
        if notice is None and self.node.pictures is not None:
            notice = self.node.pictures.fault
        health = "fault" if code is not None else "degraded" if notice is not None else "ok"
        state = DeviceState(
            device=STORAGE_DEVICE,
            kind="storage",
            health=health,  # type: ignore[arg-type]
            code=code or notice,
            facts={"waiting": self.sender.waiting},
            since=now,
            seen_at=now if code is None else None,
        )
        self._on_device_state(state)

    def _publish_device(self, state: DeviceState) -> None:
        if self._mqtt is not None:
            where = self._topic("device_state", device=state.device)
            self._mqtt.publish_nowait(where, state, retain=True)

    # ---------------------------------------------------------------- broker

    def _topic(self, name: str, **ids: str) -> str:
        return topic(self._profile.hall, name, node=self._profile.node, **ids)

    def _state(self, state: str) -> NodeState:
        return NodeState(state=state, session=self._session, at=self.clock.now())  # type: ignore[arg-type]

    def _subscriptions(self) -> list[tuple[str, int]]:
        hall, node = self._profile.hall, self._profile.node
        rows = [
            ("coordinator_ack", {"node": node}),
            ("node_command", {"node": node}),
        ]
        for station in self.stations:
            rows += [row for row in station.topics if row not in rows]
        return [
            # With QoS 1 the broker would keep heartbeats while we are away, and we took their times for now.
            (subscription(hall, "coordinator_state"), 0),
            *((subscription(hall, name, **ids), 1) for name, ids in rows),
        ]

    async def _birth(self) -> None:
        assert self._mqtt is not None
        mqtt = self._mqtt
        await mqtt.publish(self._topic("node_description"), self._description(), retain=True)
        for device in list(self.node.devices):
            # As it is by then: a change is published at once, also during the birth.
            state = self.node.devices[device]
            await mqtt.publish(self._topic("device_state", device=device), state, retain=True)
        await mqtt.publish(self._topic("node_state"), self._state("online"), retain=True)
        self.link.set_connected(True)

    def _description(self) -> NodeDescription:
        stations = self._profile.station
        return NodeDescription(
            model=self._profile.model,
            software=SOFTWARE,
            stations=tuple(type(s).__struct_config__.tag for s in stations),  # type: ignore[misc]
            devices=(
                *(device.description for device in self._checked.devices),
                *self.screens.devices.descriptions,
                DeviceDescription(device=STORAGE_DEVICE, kind="storage", driver="sqlite"),
            ),
            counters=tuple(s.counter for s in stations if isinstance(s, CounterStation)),
            zones=tuple(s.zone for s in stations if isinstance(s, BoardStation) and s.zone is not None),
            config_revision=self._profile.revision,
        )

    def _publish_event(self, payload: bytes) -> bool:
        return self._mqtt is not None and self._mqtt.publish_nowait(self._event_topic, payload)

    def _send_again(self, payload: bytes) -> None:
        if not self._publish_event(payload):
            logger.debug("a stored result waits for the coordinator to ask again")

    async def _receive(self) -> None:
        assert self._mqtt is not None
        loop = asyncio.get_running_loop()
        while True:
            received = await self._mqtt.next()
            try:
                done = self._take(received)
            except Exception:
                # A message that trips a bug is dropped; delivered again, it would trip it for ever.
                logger.exception("message on %.200s", received.topic)
                done = True
            if done:
                # After what it has set going: the bytes to a screen go out before those to the broker.
                loop.call_soon(self._mqtt.ack, received)

    def _take(self, received: Received) -> bool:
        """Act on a message; False when it is acknowledged later."""
        parsed = self.intake.parse(received)
        if parsed is None:
            return True
        where, message = parsed
        match message:
            case NodeCommand():
                # One that finds no room is dropped and acknowledged: the coordinator sends it again.
                return not self.node.spawn(
                    self._command(received, message), f"command {message.id}", to_the_end=True
                )
            case Call() if not received.retained:
                for station in self.stations:
                    station.on_call(message)
            case CounterState():
                for station in self.stations:
                    station.on_counter(message)
            case Board():
                self._board(message)
            case Catalogue():
                self._catalogue(message, received.payload)
            case CoordinatorAck():
                self._ack(message, where)
            case CoordinatorState():
                self.link.hear(message, retained=received.retained)
            case Picture():
                if self.node.pictures is not None:
                    self.node.pictures.take(message)
            case _ if where.kind.retained:
                for station in self.stations:
                    station.on_retained(where.name, message, where.ids)
            case _:
                logger.debug("not for a node: %s", received.topic)
        return True

    async def _command(self, received: Received, command: NodeCommand) -> None:
        assert self._mqtt is not None
        try:
            await self.dispatch.take(command, self.intake.body(received, command))
        except Exception:
            logger.exception("command %s (%s)", command.id, command.kind)
        # Also what could not be stored: the broker would deliver it again on another connection only, and at
        # so many of them nothing more at all. The coordinator sends it again until its deadline.
        self._mqtt.ack(received)

    def _board(self, board: Board) -> None:
        known = self.node.board
        if known is None or (board.epoch, board.rev) > (known.epoch, known.rev):
            self.node.board = board
            for station in self.stations:
                station.on_board(board)

    def _catalogue(self, catalogue: Catalogue, payload: bytes) -> None:
        if self._newest_catalogue.newer(catalogue.epoch, catalogue.rev):
            self.node.catalogue = catalogue
            self.node.spawn(self.storage.keep("catalogue", payload), "keeping the catalogue")
            for station in self.stations:
                station.on_catalogue(catalogue)

    def _ack(self, ack: CoordinatorAck, where: Topic) -> None:
        if where.ids.get("node") != self._profile.node:
            return
        try:
            self.sender.on_ack(ack)
        except OldCopyError as error:
            logger.error("this storage is an old copy of itself: %s", error)
            self.node.spawn(self._begin_anew(), "new stream")

    async def _begin_anew(self) -> None:
        await self.storage.begin_anew()
        self._on_storage_fault(self.storage.fault)

    def _on_online(self, online: bool) -> None:
        self.sender.set_online(online)
        for station in self.stations:
            station.on_online(online)

    def _keep_time(self) -> None:
        self.screens.tell_time()
        self.node.spawn(self.storage.keep("clock", self.clock.kept()), "keeping the time")


async def _again(work: Callable[[], Awaitable[None]]) -> None:
    """Run for ever what must not end by a bug of its own."""
    while True:
        try:
            await work()
            return
        except Exception:
            logger.exception("begins again in %.0f s", RESTART_S)
            await asyncio.sleep(RESTART_S)
