"""The coordinator: the queue on one side, the nodes on the other.

    node event → in the order of its stream → decided, on disk → ack, then:
        call first, counter, board; commands to nodes

Everything is published from `_on_committed`, after the commit. The board and the counters' waiting numbers
are gathered for at most BOARD_S. What is retained is published again on every connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from hall.alarms import Alarms
from hall.config import HallConfig
from hall.dispatch import Dispatch
from hall.intake import to_command
from hall.journal import JournalError
from hall.nodes import Nodes
from hall.projections import Projections, touched_counters
from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.rules import local_minute
from hall.retained import Retained
from hall.runtime import Committed, Runtime, Source, business_date_of, end_of, new_id
from wire.intake import Intake
from wire.messages import (
    Board,
    CoordinatorAck,
    CoordinatorNumbers,
    CoordinatorState,
    CounterState,
    DeviceState,
    Message,
    NodeCommand,
    NodeDescription,
    NodeEvent,
    NodeState,
)
from wire.mqtt import Mqtt, Received
from wire.proof import read_key
from wire.topics import Topic, subscription, topic

logger = logging.getLogger(__name__)

CLIENT_ID: Final = "coordinator"
HEARTBEAT_S: Final = 3.0
TICK_S: Final = 1.0
BOARD_S: Final = 0.1
"""Changes of the board and of waiting numbers are gathered for this long."""
SETTLE_S: Final = 3.0
"""After a connection the retained states come in; no alarm about nodes before that."""
MARGIN: Final = 200
"""Numbers that may have been issued after those that a restored coordinator finds on the broker."""


class Coordinator:
    """See the module. `start`, then `stop`; used from one event loop."""

    def __init__(self, config: HallConfig, *, session: str | None = None) -> None:
        self.config = config
        self.policy = config.policy()
        self.hall = config.hall.id
        self.session = session or new_id()
        self.nodes = Nodes()
        self.runtime = Runtime(
            self.hall,
            self.policy,
            config.hall.storage,
            day_start_minute=config.hall.day_start_minute,
        )
        self.projections = Projections(
            self.policy,
            config.hall.name,
            languages=config.hall.call_languages,
            repeat=config.hall.call_repeat,
            announcements=tuple(entry.text for entry in config.announcements),
            ticket_url=config.hall.ticket_url,
            ticket_notes=config.hall.ticket_notes,
            clerks=config.shown_clerks(),
            appointments=bool(config.hall.match_key_file),
        )
        self.dispatch = Dispatch(
            self.policy,
            self.nodes,
            self._publish_command,
            rating_url=config.hall.rating_url,
            rating_page=config.rating_page.url,
        )
        self.alarms = Alarms(self.policy, self.nodes)
        self.runtime.on_replayed = self._on_replayed
        self.runtime.on_committed = self._on_committed
        self.runtime.on_broken = self._publish_state
        self.intake = Intake(self.hall)
        self.retained = Retained(self.hall, config.shown)
        self._keeping: asyncio.Task[None] | None = None
        self._mqtt: Mqtt | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._board_timer: asyncio.TimerHandle | None = None
        self._board_minute = -1
        """The local minute that the board's hours were looked at."""
        self._connected_at: float | None = None
        self._calls: dict[str, list[ev.TicketCalled]] = {}
        self._newest: dict[str, ev.TicketCalled | ev.TicketRecalled] = {}
        """Counter → its newest call."""
        self.first_connected = asyncio.Event()
        self._published: dict[str, tuple[int, int]] = {}
        self._numbers_published: CoordinatorNumbers | None = None

    # ------------------------------------------------------------ start and stop

    async def start(self) -> None:
        """Replay, then connect and go on connecting. Raises JournalError."""
        await self.runtime.start()
        self._look_at_key()
        assert self.runtime.state.business_date is not None
        self._mqtt = Mqtt(
            self.config.broker,
            client_id=CLIENT_ID,
            will=(self._topic("coordinator_state"), self._state("lost")),
            subscriptions=[
                (self._topic("coordinator_state"), 1),
                (self._topic("coordinator_numbers"), 1),
                (subscription(self.hall, "node_state"), 1),
                (subscription(self.hall, "node_description"), 1),
                (subscription(self.hall, "device_state"), 1),
                (subscription(self.hall, "node_event"), 1),
                *self.retained.subscriptions(),
            ],
            on_connected=self._birth,
            on_disconnected=self._on_disconnected,
        )
        await self._mqtt.start()
        self._tasks = [
            asyncio.create_task(self._read(self._mqtt), name="coordinator intake"),
            asyncio.create_task(self._beat(), name="coordinator heartbeat"),
            asyncio.create_task(self._clock(), name="coordinator clock"),
        ]

    def _look_at_key(self) -> None:
        """Appointments are imported later, by another system at night: somebody should know before."""
        path = self.config.hall.match_key_file
        if path:
            try:
                read_key(Path(path))
            except (OSError, ValueError) as error:
                logger.error("appointments cannot be imported: %s: %s", path, error)

    async def stop(self) -> None:
        """Say offline first, finish what is pending, close the journal."""
        self._stop_keeping()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []
        if self._board_timer is not None:
            self._board_timer.cancel()
            self._board_timer = None
        if self._mqtt is not None:
            farewell = [(self._topic("coordinator_state"), self._state("offline"), True)]
            mqtt, self._mqtt = self._mqtt, None
            await mqtt.stop(farewell)
        await self.runtime.stop()

    def close_rating_page(self) -> None:
        """Nobody can reach it: no panel shows its address, and somebody is told. Before `start`."""
        self.dispatch.rating_page = ""
        self.alarms.rating_page_is_closed = True

    async def failed(self) -> None:
        """Returns, or raises, when one of the coordinator's own tasks has ended: it should not go on."""
        writer = self.runtime.writer
        if self._tasks and writer is not None:
            done, _ = await asyncio.wait([*self._tasks, writer], return_when="FIRST_COMPLETED")
            for task in done:
                if not task.cancelled():
                    task.result()

    def calls_of(self, ticket: str) -> list[ev.TicketCalled]:
        """The calls of a ticket on this date, with their reasons."""
        return self._calls.get(ticket, [])

    @property
    def connected(self) -> bool:
        return self._mqtt is not None and self._mqtt.connected

    # ------------------------------------------------------------ publishing

    def _topic(self, name: str, **ids: str) -> str:
        return topic(self.hall, name, **ids)

    def _state(self, state: str) -> CoordinatorState:
        day = self.runtime.state.business_date
        return CoordinatorState(
            state=state,  # type: ignore[arg-type]
            session=self.session,
            epoch=self.runtime.epoch,
            business_date=day,
            at=self.runtime.now() if state != "lost" else None,
            day_ends=end_of(day, self.policy.timezone, self.runtime.day_start_minute)
            if day is not None
            else None,
        )

    def _numbers(self) -> CoordinatorNumbers | None:
        now = self.runtime.state
        if now.business_date is None:
            return None
        return CoordinatorNumbers(
            business_date=now.business_date,
            issued={group: n - 1 for group, n in now.numbers.items()},
            leased={group: n - 1 for group, n in now.lease_next.items()},
        )

    def _publish(
        self, where: str, message: Message | bytes, *, retain: bool = False, expiry_s: float | None = None
    ) -> bool:
        return self._mqtt is not None and self._mqtt.publish_nowait(
            where, message, retain=retain, expiry_s=expiry_s
        )

    def _publish_command(self, node: str, command: NodeCommand, left_s: float) -> bool:
        return self._publish(self._topic("node_command", node=node), command, expiry_s=left_s)

    def _publish_state(self) -> None:
        """Kiosks go on with their leases while the journal cannot be written: that is offline for them."""
        state = "online" if self.runtime.healthy else "offline"
        self._publish(self._topic("coordinator_state"), self._state(state), retain=True)

    def _publish_acks(self, acks: dict[tuple[str, str], tuple[int, bool]]) -> None:
        for (node, stream), (through, resend) in acks.items():
            self._publish(
                self._topic("coordinator_ack", node=node),
                CoordinatorAck(stream=stream, through=through, epoch=self.runtime.epoch, resend=resend),
            )

    def _publish_counters(self, counters: Iterable[str], *, always: bool = False) -> None:
        for counter in counters:
            snapshot = self.projections.counter(counter, self.runtime.state, self.runtime.epoch)
            self._publish_snapshot(self._topic("counter", counter=counter), snapshot, always)

    def _publish_board(self, *, always: bool = False) -> None:
        board = self.projections.board(self.runtime.state, self.runtime.epoch, self.runtime.now())
        self._publish_snapshot(self._topic("board"), board, always)

    def _publish_numbers(self) -> None:
        """Not at once after a connection: what stands there from before is read first."""
        numbers = self._numbers()
        if numbers is None or numbers == self._numbers_published:
            return
        if self._publish(self._topic("coordinator_numbers"), numbers, retain=True):
            self._numbers_published = numbers

    def _publish_snapshot(self, where: str, snapshot: CounterState | Board, always: bool) -> None:
        version = (snapshot.epoch, snapshot.rev)
        if (always or self._published.get(where) != version) and self._publish(where, snapshot, retain=True):
            self._published[where] = version

    def _board_soon(self) -> None:
        if self._board_timer is None:
            self._board_timer = asyncio.get_running_loop().call_later(BOARD_S, self._board_due)

    def _board_due(self) -> None:
        self._board_timer = None
        if not self.runtime.is_settled:
            self._board_timer = asyncio.get_running_loop().call_later(0.001, self._board_due)
            return
        self._publish_counters(self.policy.counters)
        self._publish_board()
        self._publish_numbers()

    # ------------------------------------------------------------ after a commit

    def _on_replayed(self, events: list[ev.Event]) -> None:
        self.projections.reset()
        self.dispatch.reset()
        self.alarms.reset()
        self.projections.on_events(events, self.runtime.state)
        self.dispatch.on_events(events)
        self.alarms.keep(self.runtime.state.alarms.values())
        self._calls.clear()
        self._newest.clear()
        self._keep_calls(events)

    def _keep_calls(self, events: Iterable[ev.Event]) -> None:
        for event in events:
            if isinstance(event, ev.TicketCalled | ev.TicketRecalled):
                self._newest[event.counter] = event
            if isinstance(event, ev.TicketCalled):
                self._calls.setdefault(event.ticket, []).append(event)
            elif isinstance(event, ev.DayOpened):
                self._calls.clear()
                self._newest.clear()

    def _publish_call(self, event: ev.TicketCalled | ev.TicketRecalled) -> None:
        left = (event.deadline - self.runtime.now()).total_seconds()
        if left > 0:
            self._publish(
                self._topic("call"), self.projections.call(event, self.runtime.epoch), expiry_s=left
            )

    def _publish_calls_again(self) -> None:
        """Calls that still hold: one decided before a crash, or without the broker, nobody has heard.

        Who has heard it knows its id and attempt.
        """
        tickets = self.runtime.state.tickets
        for counter, event in self._newest.items():
            ticket = tickets.get(event.ticket)
            if counter not in self.policy.counters or ticket is None or ticket.state != "called":
                continue
            if (ticket.counter, ticket.call) == (counter, event.call):
                self._publish_call(event)

    def _on_committed(self, committed: Committed) -> None:
        events = committed.events
        for event in events:
            if isinstance(event, ev.TicketCalled | ev.TicketRecalled):
                self._publish_call(event)
        self._publish_acks(committed.acks)
        if not events:
            return
        self.projections.on_events(events, self.runtime.state)
        self._keep_calls(events)
        self._publish_counters(touched_counters(events))
        new = self.dispatch.on_events(events)
        self.dispatch.send(new, self.runtime.epoch, self.runtime.now())
        self.alarms.on_events(events)
        self._board_soon()
        if any(type(event) is ev.DayOpened for event in events):
            self._publish_state()
            for node in self.nodes.kiosks():
                self._grant_leases(node)

    def _grant_leases(self, node: str) -> None:
        """See that a kiosk has a block of every group for the present date."""
        state = self.runtime.state
        if state.business_date is None:
            return
        have = {lease.group for lease in state.leases if lease.node == node}
        for group in self.policy.groups:
            if group not in have:
                self.runtime.post(
                    cmd.GrantLease(
                        id=new_id(),
                        at=self.runtime.now(),
                        node=node,
                        group=group,
                        business_date=state.business_date,
                        epoch=self.runtime.epoch,
                    )
                )

    # ------------------------------------------------------------ the connection

    async def _birth(self) -> None:
        await self.runtime.settled()
        self._connected_at = asyncio.get_running_loop().time()
        self._publish_retained()
        self._stop_keeping()
        self._keeping = asyncio.create_task(self.retained.keep(self._publish_kept), name="pictures")
        self.first_connected.set()

    async def _publish_kept(self, where: str, message: Message | bytes) -> bool:
        return self._mqtt is not None and await self._mqtt.publish(where, message, retain=True)

    def _stop_keeping(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None

    def _publish_retained(self) -> None:
        self._publish(self._topic("catalogue"), self.projections.catalogue(self.runtime.epoch), retain=True)
        self._publish_counters(self.policy.counters, always=True)
        self._publish_board(always=True)
        for where, message in self.retained.small(self.runtime.epoch):
            self._publish(where, message, retain=True)
        self._publish_state()
        self._publish_calls_again()
        at = self.runtime.now()
        for node in self.nodes.all:
            if self.nodes.online(node):
                self.dispatch.send_to(node, self.runtime.epoch, at)

    def _on_disconnected(self, reason: str) -> None:
        self._connected_at = None
        self._numbers_published = None
        self._stop_keeping()
        self.retained.disconnected()

    async def _read(self, mqtt: Mqtt) -> None:
        while True:
            received = await mqtt.next()
            try:
                held = await self._take(mqtt, received)
            except JournalError:
                # Not recorded: the node sends it again when it is asked after the journal works again.
                held = False
            except Exception:
                # One message must not silence all nodes.
                logger.exception("a message on %s", received.topic)
                held = False
            if not held:
                mqtt.ack(received)

    async def _take(self, mqtt: Mqtt, received: Received) -> bool:
        """Handle a message; True when it will be acknowledged later."""
        if self.retained.heard(received):
            return False
        parsed = self.intake.parse(received)
        if parsed is None:
            if not received.payload:
                self._cleared(received.topic)
            return False
        where, message = parsed
        if isinstance(message, NodeEvent):
            node = where.ids["node"]
            command = to_command(
                node,
                message,
                self.intake.body(received, message),
                at=self.runtime.now(),
                epoch=self.runtime.epoch,
                date_of=self._date_of,
            )
            self.runtime.take(command, Source(node, message.stream, message.seq), lambda: mqtt.ack(received))
            return True
        if isinstance(message, CoordinatorState):
            await self._other_coordinator(message)
        elif isinstance(message, CoordinatorNumbers):
            if received.retained:
                await self._numbers_before(message)
        else:
            self._node_said(where, message)
        return False

    def _cleared(self, where: str) -> None:
        """An empty retained state: a technician took the node out of the hall."""
        for node in self.nodes.all:
            if where == self._topic("node_state", node=node):
                self.nodes.forget(node)
                return

    def _node_said(self, where: Topic, message: Message) -> None:
        node = where.ids["node"]
        if isinstance(message, NodeState):
            if self.nodes.on_state(node, message, self.runtime.now()):
                logger.info("node %s is online", node)
                self.dispatch.send_to(node, self.runtime.epoch, self.runtime.now())
        elif isinstance(message, NodeDescription):
            self.nodes.on_description(node, message)
            if "kiosk" in message.stations:
                self._grant_leases(node)
        elif isinstance(message, DeviceState) and message.device == where.ids["device"]:
            self.nodes.on_device(node, message)

    async def _other_coordinator(self, state: CoordinatorState) -> None:
        """A state that is not ours: of an earlier start, or of a journal that a backup replaced.

        Whoever reads our snapshots must see a greater epoch than any before.
        """
        if state.session == self.session:
            return
        if state.epoch < self.runtime.epoch:
            # The late will of an earlier start must not stand there as the last word.
            self._publish_state()
            return
        logger.warning("epoch %d was in use before; going on above it", state.epoch)
        await self.runtime.raise_epoch(state.epoch + 1)
        self.runtime.stored_epoch = self.runtime.epoch
        self._publish_retained()

    async def _numbers_before(self, before: CoordinatorNumbers) -> None:
        """Skip numbers on the broker that our journal lacks: it is older than what was printed.

        Raises JournalError.
        """
        now = self._numbers()
        if now is None or before.business_date != now.business_date:
            return
        lost = {group: n for group, n in before.issued.items() if n > now.issued.get(group, 0)}
        leased = {group: n for group, n in before.leased.items() if n > now.leased.get(group, 0)}
        if lost or leased:
            logger.warning("this journal is older than numbers that were given out; they are skipped")
            await self.runtime.submit(
                cmd.SkipNumbers(
                    id=f"skip-{new_id()}",
                    at=self.runtime.now(),
                    online={group: n + MARGIN for group, n in lost.items()},
                    leases=leased,
                )
            )

    def _date_of(self, at: datetime) -> date:
        """The business date of a node's time; of the Epoch for one that no calendar has."""
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        try:
            return business_date_of(at, self.policy.timezone, self.runtime.day_start_minute)
        except OverflowError:
            return date(1970, 1, 1)

    # ------------------------------------------------------------ time

    async def _beat(self) -> None:
        while True:
            was = self.runtime.healthy
            healthy = await self.runtime.probe()
            await self.runtime.settled()
            if healthy and not was:
                self._publish_retained()
            else:
                self._publish_state()
            await asyncio.sleep(HEARTBEAT_S)
            self._publish_numbers()

    async def _clock(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            at = self.runtime.now()
            try:
                await self._open_day(at)
            except JournalError as error:
                logger.warning("the clock waits for the journal: %s", error)
                continue
            self.runtime.post(cmd.Tick(id="", at=at))
            self.dispatch.send_due(self.runtime.epoch, at)
            self._publish_acks(self.runtime.gaps_due(at))
            self._look_at_hours(at)
            self._look_at_alarms(at)

    async def _open_day(self, at: datetime) -> None:
        today = business_date_of(at, self.policy.timezone, self.runtime.day_start_minute)
        known = self.runtime.state.business_date
        self.alarms.clock_is_back = known is not None and today < known
        if known is not None and today > known:
            logger.info("business date %s", today)
            await self.runtime.open_day()

    def _look_at_hours(self, at: datetime) -> None:
        """Hours begin and end with the minute, also where nothing else happens."""
        minute = local_minute(at, self.policy.timezone)
        if minute != self._board_minute:
            self._board_minute = minute
            self._board_soon()

    def _look_at_alarms(self, at: datetime) -> None:
        loop = asyncio.get_running_loop()
        if self._connected_at is None or loop.time() - self._connected_at < SETTLE_S:
            return
        raised, cleared = self.alarms.difference(self.runtime.state.alarms, at)
        if raised or cleared:
            for alarm in raised:
                logger.warning("alarm %s: %s %s", alarm.code, alarm.subject, alarm.facts)
            self.runtime.post(cmd.SetAlarms(id="", at=at, raised=raised, cleared=cleared))
