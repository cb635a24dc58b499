"""What passes over the broker, as supervision in a hall sees it: reads everything, writes nothing."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar

from wire.codec import BadMessageError, decode, event_body
from wire.messages import (
    Board,
    Call,
    CallReported,
    Catalogue,
    CoordinatorState,
    CounterState,
    DeviceState,
    Message,
    NodeDescription,
    NodeEvent,
    NodeState,
    Rated,
    RatingUnanswered,
)
from wire.mqtt import BrokerOptions, Mqtt, Received
from wire.topics import ROOT, BadTopicError, Topic, parse_topic

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)

KEPT_IDS: Final = 4096
"""Ids of events and calls that are remembered, so that a repeated one is counted once."""

KEPT_REPORTS: Final = 32
"""Newest reports of calls, for the page."""


class Observer:
    """Retained states by id, newest calls, and counts since it started. `on_change` gets the topic's row."""

    def __init__(self, hall: str, port: int) -> None:
        self.hall = hall
        self.coordinator: CoordinatorState | None = None
        self.nodes: dict[str, NodeState] = {}
        self.descriptions: dict[str, NodeDescription] = {}
        self.devices: dict[tuple[str, str], DeviceState] = {}
        self.counters: dict[str, CounterState] = {}
        self.board: Board | None = None
        self.catalogue: Catalogue | None = None
        self.reports: deque[CallReported] = deque(maxlen=KEPT_REPORTS)
        self.calls = 0
        self.served = 0
        self.rated = 0
        self.unrated = 0
        self.grades: dict[int, int] = dict.fromkeys(range(1, 6), 0)
        self.shown = 0
        self.heard = 0
        self.not_reported = 0
        self.on_change: Callable[[str], None] | None = None
        self._seen: deque[str] = deque()
        self._seen_set: set[str] = set()
        self._mqtt = Mqtt(
            BrokerOptions(host="127.0.0.1", port=port, session_expiry_s=1, reconnect_max_s=1.0),
            client_id=f"observer-{uuid.uuid4().hex[:12]}",
            will=None,
            subscriptions=[(f"{ROOT}/{hall}/#", 0)],
            on_connected=self._connected,
            on_disconnected=lambda reason: self._changed("connection"),
        )
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._mqtt.connected

    async def start(self) -> None:
        if self._task is None:
            await self._mqtt.start()
            self._task = asyncio.create_task(self._read(), name="observer")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._mqtt.stop()

    async def until(self, condition: Callable[[], bool], timeout: float) -> None:
        """Wait until `condition` holds; it is asked after each message. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def _changed(self, name: str) -> None:
        self._news.set()
        if self.on_change is not None:
            self.on_change(name)

    async def _connected(self) -> None:
        self._changed("connection")

    async def _read(self) -> None:
        while True:
            received = await self._mqtt.next()
            self._mqtt.ack(received)
            try:
                topic = parse_topic(received.topic)
                self._take(topic, received)
            except (BadTopicError, BadMessageError) as error:
                log.debug("%s: %s", received.topic[:200], error)
                continue
            self._changed(topic.name)

    def _take(self, topic: Topic, received: Received) -> None:
        payload = received.payload
        if not payload:
            return  # a retained message that was cleared
        match topic.name:
            case "coordinator_state":
                self.coordinator = decode(payload, CoordinatorState)
            case "node_state":
                self.nodes[topic.ids["node"]] = decode(payload, NodeState)
            case "node_description":
                self.descriptions[topic.ids["node"]] = decode(payload, NodeDescription)
            case "device_state":
                self.devices[topic.ids["node"], topic.ids["device"]] = decode(payload, DeviceState)
            case "counter":
                self._counter(decode(payload, CounterState))
            case "board":
                self._board(decode(payload, Board))
            case "catalogue":
                self.catalogue = decode(payload, Catalogue)
            case "call":
                call = decode(payload, Call)
                if self._new(f"{call.call}#{call.attempt}"):
                    self.calls += 1
            case "node_event":
                event = decode(payload, NodeEvent)
                if self._new(event.id):
                    self._event(event_body(event))

    def _counter(self, state: CounterState) -> None:
        known = self.counters.get(state.counter)
        if known is None or (state.epoch, state.rev) >= (known.epoch, known.rev):
            self.counters[state.counter] = state

    def _board(self, board: Board) -> None:
        if self.board is None or (board.epoch, board.rev) >= (self.board.epoch, self.board.rev):
            self.board = board
        for call in board.calls:
            if call.state == "finished" and self._new(f"finished {call.call}"):
                self.served += 1

    def _event(self, body: Message) -> None:
        match body:
            case Rated():
                self.rated += 1
                self.grades[body.grade] += 1
            case RatingUnanswered():
                self.unrated += 1
            case CallReported():
                self.reports.append(body)
                if body.outcome == "done":
                    self.shown += body.how == "shown"
                    self.heard += body.how == "heard"
                elif body.outcome != "superseded":
                    self.not_reported += 1
            case _:
                pass

    def _new(self, id: str) -> bool:
        if id in self._seen_set:
            return False
        self._seen.append(id)
        self._seen_set.add(id)
        if len(self._seen) > KEPT_IDS:
            self._seen_set.discard(self._seen.popleft())
        return True
