"""The coordinator over a real broker, with a node played by `wire.mqtt`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from hall.config import HallConfig, load_config
from hall.coordinator import Coordinator
from simulator.broker import Broker
from wire import codec
from wire.kiosk_messages import TicketEnquired, TicketFound
from wire.messages import (
    Board,
    Call,
    CallReported,
    Catalogue,
    CommandResult,
    CoordinatorAck,
    CoordinatorNumbers,
    CoordinatorState,
    CounterState,
    DeviceDescription,
    DeviceState,
    GrantLease,
    KeyPressed,
    LeaseLow,
    Message,
    NodeCommand,
    NodeDescription,
    NodeState,
    PrintTicket,
    PromptRating,
    Rated,
    RefuseTicket,
    TicketIssuedOffline,
    TicketPrinted,
    TicketRequested,
)
from wire.mqtt import BrokerOptions, Mqtt
from wire.texts import text
from wire.topics import KINDS, parse_topic, subscription, topic

pytestmark = pytest.mark.broker
SHIPPED = Path(__file__).parents[2] / "firmware_config" / "hall" / "hall.toml"
M = TypeVar("M", bound=Message)
WAIT_S = 10.0


class Node:
    """A kiosk and counter 1 on one node: sends what it is told to, keeps all that it hears."""

    def __init__(self, port: int, node: str = "node-1") -> None:
        self.node = node
        self.stream = f"{node}-s1"
        self.seq = 0
        self.heard: list[Message] = []
        self.commands: list[tuple[str, Message]] = []
        self.born = asyncio.Event()
        self._news = asyncio.Condition()
        options = BrokerOptions(host="127.0.0.1", port=port)
        mine = {"node": node}
        self.mqtt = Mqtt(
            options,
            client_id=node,
            will=(topic("demo", "node_state", **mine), NodeState(state="lost", session="s1")),
            subscriptions=[
                (topic("demo", "coordinator_state"), 1),
                (topic("demo", "coordinator_numbers"), 1),
                (topic("demo", "coordinator_ack", **mine), 1),
                (topic("demo", "node_command", **mine), 1),
                (subscription("demo", "counter"), 1),
                (topic("demo", "board"), 1),
                (topic("demo", "catalogue"), 1),
                (topic("demo", "call"), 1),
            ],
            on_connected=self._birth,
        )

    async def start(self) -> None:
        await self.mqtt.start()
        self._task = asyncio.create_task(self._read())
        async with asyncio.timeout(WAIT_S):
            await self.born.wait()

    async def stop(self) -> None:
        self._task.cancel()
        await self.mqtt.stop()

    async def _birth(self) -> None:
        mine = {"node": self.node}
        description = NodeDescription(
            model="test",
            software="0",
            stations=("kiosk", "counter"),
            devices=(
                DeviceDescription(device="screen", kind="call_screen", driver="x", counter="1"),
                DeviceDescription(device="voice", kind="voice", driver="x", zone="east"),
            ),
            counters=("1",),
            zones=("east",),
        )
        await self.mqtt.publish(topic("demo", "node_description", **mine), description, retain=True)
        await self.mqtt.publish(
            topic("demo", "node_state", **mine), NodeState(state="online", session="s1"), retain=True
        )
        self.born.set()

    async def _read(self) -> None:
        while True:
            received = await self.mqtt.next()
            self.mqtt.ack(received)
            try:
                message = codec.decode(received.payload, KINDS[parse_topic(received.topic).name].message)
            except codec.BadMessageError:
                continue
            async with self._news:
                self.heard.append(message)
                if isinstance(message, NodeCommand):
                    self.commands.append((message.id, codec.command_body(message)))
                self._news.notify_all()

    async def say(self, body: Message, *, seq: int | None = None, id: str | None = None) -> None:
        if seq is None:
            self.seq += 1
            seq = self.seq
        envelope = codec.event(
            body,
            id=id or f"{self.stream}-{seq}",
            stream=self.stream,
            seq=seq,
            session="s1",
            at=datetime.now(UTC),
        )
        await self.publish_raw(codec.encode(envelope))

    async def publish_raw(self, payload: bytes, where: str | None = None) -> None:
        assert await self.mqtt.publish(where or topic("demo", "node_event", node=self.node), payload)

    async def until(self, find: Callable[[], M | None]) -> M:
        async with asyncio.timeout(WAIT_S), self._news:
            while (found := find()) is None:
                await self._news.wait()
            return found

    async def hear(self, kind: type[M], check: Callable[[M], bool] = lambda _: True) -> M:
        """The newest message of a kind that passes `check`; waits for it."""
        return await self.until(
            lambda: next((m for m in reversed(self.heard) if isinstance(m, kind) and check(m)), None)
        )

    async def told(self, kind: type[M], check: Callable[[M], bool] = lambda _: True) -> M:
        """The newest command of a kind."""
        return await self.until(
            lambda: next((b for _, b in reversed(self.commands) if isinstance(b, kind) and check(b)), None)
        )

    async def acked(self, through: int) -> CoordinatorAck:
        return await self.hear(CoordinatorAck, lambda ack: ack.through >= through)

    def id_of(self, body: Message) -> str:
        return next(id_ for id_, known in self.commands if known is body)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path / "broker")
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
def config(tmp_path: Path, broker: Broker) -> HallConfig:
    config = load_config(SHIPPED)
    hall = msgspec.structs.replace(config.hall, storage=str(tmp_path / "hall.db"))
    options = BrokerOptions(host="127.0.0.1", port=broker.port, reconnect_max_s=0.3)
    limits = msgspec.structs.replace(config.limits, call_report_timeout_s=0.5)
    return msgspec.structs.replace(config, hall=hall, broker=options, limits=limits)


@pytest.fixture
async def coordinator(config: HallConfig) -> AsyncIterator[Coordinator]:
    coordinator = Coordinator(config)
    await coordinator.start()
    async with asyncio.timeout(WAIT_S):
        await coordinator.first_connected.wait()
    yield coordinator
    await coordinator.stop()


@pytest.fixture
async def node(broker: Broker, coordinator: Coordinator) -> AsyncIterator[Node]:
    node = Node(broker.port)
    await node.start()
    yield node
    await node.stop()


async def eventually(check: Callable[[], Any]) -> None:
    """Until `check()` is true."""
    async with asyncio.timeout(WAIT_S):
        while not check():
            await asyncio.sleep(0.02)


def remove(folder: Path, pattern: str) -> None:
    for file in folder.rglob(pattern):
        file.unlink()


async def printed(node: Node, service: str = "id-card") -> PrintTicket:
    """A ticket the whole way: asked for, printed, in the queue."""
    request = f"r{node.seq}"
    await node.say(TicketRequested(request=request, service=service))
    order = await node.told(PrintTicket, lambda p: p.request == request)
    await node.say(TicketPrinted(ticket=order.ticket, number=order.number, paper="confirmed"))
    await node.acked(node.seq)
    return order


async def test_from_the_tap_to_the_rating(node: Node, coordinator: Coordinator) -> None:
    order = await printed(node)
    assert order.number == "B001" and order.waiting_ahead == 0
    await node.say(KeyPressed(counter="1", key="next", shown_ticket=None))
    call = await node.hear(Call)
    assert (call.number, call.counter, call.zone, call.attempt) == ("B001", "1", "east", 1)
    shown = await node.hear(CounterState, lambda s: s.counter == "1" and s.state == "called")
    assert (shown.number, shown.ticket, shown.epoch) == ("B001", order.ticket, coordinator.runtime.epoch)
    board = await node.hear(Board, lambda b: bool(b.calls))
    assert [(c.number, c.state) for c in board.calls] == [("B001", "called")]
    await node.say(KeyPressed(counter="1", key="finish", shown_ticket=order.ticket))
    prompt = await node.told(PromptRating)
    assert (prompt.number, prompt.counter) == ("B001", "1")
    await node.say(Rated(prompt=prompt.prompt, ticket=order.ticket, counter="1", grade=5))
    await node.acked(node.seq)
    known = coordinator.runtime.state.prompts[prompt.prompt]
    assert (known.grade, known.service, known.clerk) == (5, "id-card", "clerk-01")
    assert not [o for o in coordinator.dispatch.outstanding if isinstance(o.body, PromptRating)]


async def test_a_number_without_paper_and_a_question_about_it(node: Node, coordinator: Coordinator) -> None:
    await node.say(TicketRequested(request="r1", service="id-card", paperless=True, name="王*明"))
    order = await node.told(PrintTicket)
    assert order.paperless
    await node.say(
        TicketPrinted(ticket=order.ticket, number=order.number, paper="confirmed", code="ticket.on_screen")
    )
    await node.say(TicketEnquired(request="q1", ticket=order.ticket))
    found = await node.told(TicketFound)
    assert (found.request, found.number, found.state, found.ahead) == ("q1", order.number, "waiting", 0)
    await node.say(TicketEnquired(request="q2", ticket="gone"))
    assert (await node.told(TicketFound, lambda f: f.request == "q2")).code == "ticket.unknown"
    for id_, body in list(node.commands):
        if isinstance(body, TicketFound):
            await node.say(CommandResult(command=id_, outcome="done"))
    await node.acked(node.seq)
    rows = await coordinator.runtime.journal.rows(0)
    assert [row.type for row in rows].count("ticket_enquired") == 2
    assert not any("王" in row.body for row in rows), "this hall does not call by name"
    assert not [o for o in coordinator.dispatch.outstanding if isinstance(o.body, TicketFound)]


async def test_the_board_follows_the_clock_though_nothing_happens(
    broker: Broker, config: HallConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hall.coordinator.TICK_S", 0.02)
    hall = msgspec.structs.replace(config.hall, issue_times=("08:30-11:45",))
    coordinator = Coordinator(msgspec.structs.replace(config, hall=hall))
    clock = [datetime(2026, 11, 23, 0, 29, 58, tzinfo=UTC)]
    coordinator.runtime.now = lambda: clock[0]
    await coordinator.start()
    node = Node(broker.port)
    try:
        await node.start()
        closed = await node.hear(Board)
        assert {service.available for service in closed.services} == {"out_of_hours"}
        assert (closed.hours, closed.hall_name) == (("08:30-11:45",), hall.name)
        clock[0] = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
        opened = await node.hear(Board, lambda board: board.services[0].available == "open")
        assert opened.rev > closed.rev and {s.available for s in opened.services} == {"open"}
    finally:
        await node.stop()
        await coordinator.stop()


async def test_a_holiday_gives_no_numbers_and_the_saturday_worked_for_it_does(
    broker: Broker, config: HallConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thursday 1 October is closed but for one service; Saturday 10 October is worked. The journal is one."""
    monkeypatch.setattr("hall.coordinator.TICK_S", 0.02)
    hours = ("09:00-12:00", "13:30-17:00")
    hall = msgspec.structs.replace(
        config.hall,
        issue_times=hours,
        issue_days=(1, 2, 3, 4, 5),
        hours_on={"2026-10-01": (), "2026-10-10": hours},
    )
    services = tuple(
        msgspec.structs.replace(service, hours_on={"2026-10-01": ("09:00-10:30",)})
        if service.id == "passport"
        else service
        for service in config.services
    )
    coordinator = Coordinator(msgspec.structs.replace(config, hall=hall, services=services))
    clock = [datetime(2026, 10, 1, 2, 0, tzinfo=UTC)]
    coordinator.runtime.now = lambda: clock[0]
    await coordinator.start()
    node = Node(broker.port)
    try:
        await node.start()
        state = await node.hear(CoordinatorState, lambda state: state.state == "online")
        assert (state.business_date, state.day_ends) == (
            date(2026, 10, 1),
            datetime(2026, 10, 1, 20, tzinfo=UTC),
        )
        board = await node.hear(Board)
        assert (board.hours, {s.service for s in board.services if s.today}) == ((), {"passport"})
        assert {s.again for s in board.services if not s.today} == {date(2026, 10, 2)}
        await node.say(TicketRequested(request="r1", service="tax"))
        refused = await node.told(RefuseTicket, lambda body: body.request == "r1")
        assert refused.code == "ticket.hall_closed"
        assert text(refused.code, "zh-CN").startswith("现在不在取号时间")
        await node.say(TicketRequested(request="r2", service="passport"))
        assert (await node.told(PrintTicket, lambda body: body.request == "r2")).number == "B001"
        clock[0] = datetime(2026, 10, 10, 2, 0, tzinfo=UTC)
        board = await node.hear(Board, lambda board: board.business_date == date(2026, 10, 10))
        assert board.hours == hours and {s.available for s in board.services} == {"open"}
        counter = await node.hear(CounterState, lambda one: one.business_date == date(2026, 10, 10))
        assert counter.hours == hours
        await node.say(TicketRequested(request="r3", service="tax"))
        assert (await node.told(PrintTicket, lambda body: body.request == "r3")).number == "D001"
    finally:
        await node.stop()
        await coordinator.stop()


async def test_a_kiosk_gets_its_leases_once_and_more_when_low(node: Node, coordinator: Coordinator) -> None:
    groups = {group.id for group in coordinator.config.groups}

    def leases() -> dict[str, GrantLease]:
        return {body.group: body for _, body in node.commands if isinstance(body, GrantLease)}

    await node.until(lambda: True if leases().keys() == groups else None)  # type: ignore[type-var,arg-type,return-value]
    first = leases()["social"]
    assert (first.first, first.last) == (600, 639)
    await node.say(CommandResult(command=node.id_of(first), outcome="done"))
    await node.say(LeaseLow(group="social", business_date=first.business_date, remaining=3))
    more = await node.told(GrantLease, lambda lease: lease.group == "social" and lease.first > 600)
    assert (more.first, more.last) == (640, 679)
    await node.say(
        TicketIssuedOffline(
            ticket="t-off",
            number="C601",
            service="pension",
            business_date=first.business_date,
            lease_epoch=1,
            issued_at=datetime.now(UTC),
            paper="confirmed",
        )
    )
    await node.acked(node.seq)
    assert coordinator.runtime.state.tickets["t-off"].state == "waiting"
    assert not coordinator.runtime.state.alarms


async def test_duplicates_gaps_and_resends(node: Node, coordinator: Coordinator) -> None:
    wish = TicketRequested(request="r1", service="tax")
    await node.say(wish)
    await node.acked(1)
    await node.say(wish, seq=1)
    await node.say(TicketRequested(request="r3", service="tax"), seq=3)
    ack = await node.hear(CoordinatorAck, lambda a: a.resend)
    assert ack.through == 1
    await node.say(TicketRequested(request="r2", service="tax"), seq=2)
    await node.say(TicketRequested(request="r3", service="tax"), seq=3)
    await node.acked(3)
    assert [t.request for t in coordinator.runtime.state.tickets.values()] == ["r1", "r2", "r3"]


async def test_a_stale_or_refused_request_is_answered(node: Node) -> None:
    await node.say(TicketRequested(request="r1", service="no-such"))
    assert (await node.told(RefuseTicket)).code == "ticket.service_unknown"
    await node.say(KeyPressed(counter="1", key="next", shown_ticket="another"))
    await node.acked(2)


async def test_bad_payloads_stop_nothing(node: Node, coordinator: Coordinator) -> None:
    garbage = [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"id":1}', b"[" * 5000, b'{"state":"online"}']
    events = [
        topic("demo", "node_state", node="x"),
        topic("demo", "node_description", node="x"),
        topic("demo", "device_state", node="x", device="d"),
        topic("demo", "node_event", node="x"),
        topic("demo", "coordinator_state"),
    ]
    for where in events:
        for payload in garbage:
            await node.publish_raw(payload, where)
    at = datetime.now(UTC).isoformat()
    for seq, kind, body in ((1, "unheard_of", "{}"), (2, "rated", '{"grade":9}'), (3, "print_ticket", "{}")):
        node.seq = seq
        await node.publish_raw(
            f'{{"id":"e{seq}","stream":"{node.stream}","seq":{seq},"session":"s1","at":"{at}",'
            f'"kind":"{kind}","body":{body}}}'.encode()
        )
    await node.acked(3)
    assert coordinator.intake.bad > 30
    rows = await coordinator.runtime.journal.rows(0)
    assert [row.type for row in rows].count("not_understood") == 3
    assert (await printed(node)).number == "B001"


async def test_a_late_call_report_and_a_fault_raise_alarms(
    node: Node, coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hall.coordinator.SETTLE_S", 0.0)
    await printed(node)
    await node.say(KeyPressed(counter="1", key="next", shown_ticket=None))
    call = await node.hear(Call)
    await node.say(CallReported(call=call.call, device="screen", how="shown", outcome="done"))
    fault = DeviceState(device="voice", kind="voice", health="fault", code="voice.fault")
    await node.publish_raw(codec.encode(fault), topic("demo", "device_state", node="node-1", device="voice"))
    wanted = {("hall.call_not_heard", "1 node-1/voice"), ("hall.device_fault", "node-1/voice")}
    await eventually(lambda: coordinator.runtime.state.alarms.keys() == wanted)
    state = await node.hear(CounterState, lambda s: s.counter == "1" and s.state == "called")
    await node.say(KeyPressed(counter="1", key="recall", shown_ticket=state.ticket))
    again = await node.hear(Call, lambda c: c.attempt == 2)
    for device, how in (("screen", "shown"), ("voice", "heard")):
        await node.say(CallReported(call=again.call, device=device, how=how, outcome="done"))  # type: ignore[arg-type]
    healthy = DeviceState(device="voice", kind="voice", health="ok")
    await node.publish_raw(
        codec.encode(healthy), topic("demo", "device_state", node="node-1", device="voice")
    )
    await eventually(lambda: not coordinator.runtime.state.alarms)


async def test_a_node_that_is_there_is_not_taken_out(node: Node, coordinator: Coordinator) -> None:
    await printed(node)
    state = topic("demo", "node_state", node="node-1")
    await node.publish_raw(b"", state)
    await printed(node)
    assert coordinator.nodes.online("node-1")
    await node.publish_raw(codec.encode(NodeState(state="offline", session="s1")), state)
    await node.publish_raw(b"", state)
    await eventually(lambda: "node-1" not in coordinator.nodes.all)


async def test_a_lost_node_raises_an_alarm_and_an_old_will_does_not(
    node: Node, coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hall.coordinator.SETTLE_S", 0.0)
    await printed(node)
    state = topic("demo", "node_state", node="node-1")
    await node.publish_raw(codec.encode(NodeState(state="lost", session="older")), state)
    await printed(node)
    assert coordinator.nodes.online("node-1")
    await node.publish_raw(codec.encode(NodeState(state="lost", session="s1")), state)
    await eventually(lambda: ("hall.node_lost", "node-1") in coordinator.runtime.state.alarms)


async def test_a_restart_goes_on_in_a_greater_epoch(
    node: Node, coordinator: Coordinator, config: HallConfig
) -> None:
    await node.say(TicketRequested(request="r1", service="id-card"))
    order = await node.told(PrintTicket)
    epoch = coordinator.runtime.epoch
    await coordinator.stop()
    await node.hear(CoordinatorState, lambda s: s.state == "offline" and s.epoch == epoch)
    node.commands.clear()
    again = Coordinator(config)
    await again.start()
    try:
        repeated = await node.told(PrintTicket)
        assert repeated == order, "what nobody answered is asked again, with the same id"
        assert node.id_of(repeated) == f"print-{order.ticket}"
        await node.hear(CoordinatorState, lambda s: s.state == "online" and s.epoch == epoch + 1)
        await node.hear(Board, lambda b: b.epoch == epoch + 1)
        await node.say(TicketRequested(request="r1", service="id-card"), seq=1)
        await node.say(TicketPrinted(ticket=order.ticket, number=order.number, paper="confirmed"))
        await node.acked(2)
        assert len(again.runtime.state.tickets) == 1
    finally:
        await again.stop()


async def test_a_call_that_was_decided_just_before_a_crash_is_said_after_it(
    node: Node, coordinator: Coordinator, config: HallConfig
) -> None:
    first, second = await printed(node), await printed(node)
    await node.say(KeyPressed(counter="1", key="next"))
    over = await node.hear(Call)
    coordinator.runtime.on_committed = None  # on disk, and nobody is told any more
    await coordinator.runtime.press("1", "finish", first.ticket)
    await coordinator.runtime.press("1", "next", None)
    await coordinator.stop()
    node.heard.clear()
    again = Coordinator(config)
    await again.start()
    try:
        call = await node.hear(Call)
        assert (call.number, call.counter, call.attempt) == (second.number, "1", 1)
        await node.hear(CounterState, lambda s: s.number == second.number and s.call == call.call)
        assert not any(isinstance(m, Call) and m.call == over.call for m in node.heard)
    finally:
        await again.stop()


async def test_a_restored_journal_skips_what_was_issued(
    node: Node, coordinator: Coordinator, config: HallConfig, tmp_path: Path
) -> None:
    """Also when it was killed, and when its epoch tells nothing: the backup is of the same start."""
    await printed(node)
    await coordinator.runtime.settled()
    backup = {file.name: file.read_bytes() for file in tmp_path.glob("hall.db*")}
    for _ in range(3):
        number = (await printed(node)).number
    await node.hear(CoordinatorNumbers, lambda n: n.issued.get("household", 0) == int(number[1:]))
    await coordinator.stop()
    remove(tmp_path, "hall.db*")
    for name, content in backup.items():
        (tmp_path / name).write_bytes(content)
    await node.publish_raw(
        codec.encode(CoordinatorState(state="lost", session="killed", epoch=coordinator.runtime.epoch)),
        topic("demo", "coordinator_state"),
    )
    again = Coordinator(config)
    await again.start()
    try:
        await eventually(lambda: again.runtime.state.numbers.get("household", 0) > int(number[1:]) + 1)
        decision = await again.runtime.issue("id-card")
        ticket = again.runtime.ticket(decision)
        assert ticket is not None and int(ticket.number[1:]) > int(number[1:])
    finally:
        await again.stop()


async def test_a_broker_that_comes_back_gets_everything_retained(
    node: Node, coordinator: Coordinator, broker: Broker
) -> None:
    await printed(node)
    await broker.kill()
    remove(broker.folder, "*.db")
    node.heard.clear()
    await broker.start()
    await node.hear(Catalogue)
    for counter in coordinator.policy.counters:
        await node.hear(CounterState, lambda s, c=counter: s.counter == c)  # type: ignore[misc]
    board = await node.hear(Board, lambda b: any(s.waiting for s in b.services))
    assert {s.service: s.waiting for s in board.services if s.waiting} == {"id-card": 1}
    assert (await printed(node)).number == "B002"


async def test_revisions_only_grow(node: Node, coordinator: Coordinator) -> None:
    for _ in range(3):
        await printed(node)
    shown = None
    for _ in range(3):
        await node.say(KeyPressed(counter="1", key="next", shown_ticket=shown))
        await node.acked(node.seq)
        shown = coordinator.runtime.state.counters["1"].ticket
        await node.hear(CounterState, lambda s, t=shown: s.counter == "1" and s.ticket == t)  # type: ignore[misc]
    for kind in (Board, CounterState):
        versions: dict[Any, list[tuple[int, int]]] = {}
        for message in node.heard:
            if isinstance(message, kind):
                versions.setdefault(getattr(message, "counter", ""), []).append((message.epoch, message.rev))
        for list_ in versions.values():
            assert list_ == sorted(list_)


async def test_an_unwritable_journal_is_offline_for_nodes(
    node: Node, coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hall.journal import JournalError

    monkeypatch.setattr("hall.coordinator.HEARTBEAT_S", 0.1)

    def full(*_: Any) -> None:
        raise JournalError("disk full")

    journal = coordinator.runtime.journal
    commit, store = journal._blocking_commit, journal._blocking_store
    monkeypatch.setattr(journal, "_blocking_commit", full)
    monkeypatch.setattr(journal, "_blocking_store", full)
    await node.say(TicketRequested(request="r1", service="id-card"))
    await node.hear(CoordinatorState, lambda s: s.state == "offline")
    monkeypatch.setattr(journal, "_blocking_commit", commit)
    monkeypatch.setattr(journal, "_blocking_store", store)
    node.heard.clear()
    await node.hear(CoordinatorState, lambda s: s.state == "online")
    await node.say(TicketRequested(request="r1", service="id-card"), seq=1)
    assert (await node.told(PrintTicket)).number == "B001"
