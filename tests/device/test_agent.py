from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sqlite3
import tomllib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device import agent as agent_module
from device.agent import Agent
from device.database import StorageError
from device.profile import BoardStation, CheckedDevice, CheckedProfile, CounterStation, KioskStation, Profile
from simulator.broker import Broker
from wire.codec import command, decode, event_body
from wire.intake import Intake
from wire.messages import (
    Board,
    Call,
    CallReported,
    Catalogue,
    CommandResult,
    CoordinatorAck,
    CoordinatorState,
    CounterState,
    DeviceDescription,
    DeviceState,
    GrantLease,
    KeyPressed,
    LeaseLow,
    Message,
    NodeDescription,
    NodeEvent,
    NodeState,
    PrintTicket,
    PromptRating,
    Rated,
    RatingReasonsGiven,
    TicketIssuedOffline,
    TicketPrinted,
    TicketRequested,
)
from wire.mqtt import BrokerOptions, Mqtt
from wire.screen_link import (
    BoardShown,
    CounterShown,
    GiveReasons,
    KioskState,
    PlaylistShown,
    RateService,
    RatingShown,
    ScreenHello,
    ScreenRole,
    TakeTicket,
    TicketProgress,
    decode_to_screen,
    encode_line,
)
from wire.shown import Picture, Playlist, PlaylistItem, RatingReason, RatingReasons
from wire.topics import topic

pytestmark = pytest.mark.broker
HALL, NODE = "test-hall", "node-1"


class Options(msgspec.Struct, frozen=True):
    """The config of the doubles."""


class Coordinator:
    """The hall's side of the contract, played by hand: acks what it takes, in the order of seq."""

    def __init__(self, port: int) -> None:
        self.session = "coordinator-1"
        self.mqtt = Mqtt(
            BrokerOptions(host="127.0.0.1", port=port),
            client_id="coordinator",
            will=(topic(HALL, "coordinator_state"), self._state("lost")),
            subscriptions=[(f"paihao/1/{HALL}/node/#", 1)],
            on_connected=self._nothing,
        )
        self.intake = Intake(HALL)
        self.events: list[NodeEvent] = []
        self.through: dict[str, int] = {}
        self.acking = True
        self.nodes: list[NodeState] = []
        self.descriptions: list[NodeDescription] = []
        self.devices: dict[str, DeviceState] = {}
        self.repeats = 0
        self.changed = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []

    def _state(self, state: Any) -> CoordinatorState:
        now = datetime.now(UTC)
        return CoordinatorState(state=state, session=self.session, epoch=1, at=now, business_date=now.date())

    async def _nothing(self) -> None:
        pass

    async def start(self) -> None:
        await self.mqtt.start()
        self._tasks.append(asyncio.create_task(self._read()))
        async with asyncio.timeout(10):
            while not self.mqtt.connected:
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.mqtt.stop()

    async def online(self, state: str = "online") -> None:
        await self.mqtt.publish(topic(HALL, "coordinator_state"), self._state(state), retain=True)

    async def tell(self, body: Message, id: str, seconds: float = 30) -> None:
        now = datetime.now(UTC)
        envelope = command(body, id=id, epoch=1, at=now, deadline=now + timedelta(seconds=seconds))
        await self.mqtt.publish(topic(HALL, "node_command", node=NODE), envelope, expiry_s=seconds)

    async def ack(self, through: int, stream: str, resend: bool = False) -> None:
        ack = CoordinatorAck(stream=stream, through=through, epoch=1, resend=resend)
        await self.mqtt.publish(topic(HALL, "coordinator_ack", node=NODE), ack)

    def bodies(self, kind: type[Message]) -> list[Any]:
        return [body for e in self.events if isinstance(body := event_body(e), kind)]

    async def until(self, met: Any) -> None:
        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(met)

    async def event(self, kind: type[Message], count: int = 1) -> list[Any]:
        await self.until(lambda: len(self.bodies(kind)) >= count)
        return self.bodies(kind)

    async def _read(self) -> None:
        while True:
            received = await self.mqtt.next()
            self.mqtt.ack(received)
            if (parsed := self.intake.parse(received)) is None:
                continue
            match parsed[1]:
                case NodeEvent() as event:
                    await self._take(event)
                case NodeState() as state:
                    self.nodes.append(state)
                case NodeDescription() as description:
                    self.descriptions.append(description)
                case DeviceState() as device:
                    self.devices[device.device] = device
            async with self.changed:
                self.changed.notify_all()

    async def _take(self, event: NodeEvent) -> None:
        if not self.acking:
            return
        through = self.through.get(event.stream, 0)
        if event.seq == through + 1:
            self.events.append(event)
            self.through[event.stream] = event.seq
        elif event.seq > through:
            await self.ack(through, event.stream, resend=True)
            return
        else:
            self.repeats += 1
        await self.ack(self.through[event.stream], event.stream)


class ScreenClient:
    """A screen on the node's socket."""

    def __init__(self, path: Path, station: str) -> None:
        self.path, self.station = path, station
        self.messages: list[Any] = []

    async def __aenter__(self) -> ScreenClient:
        self.reader, self.writer = await asyncio.open_unix_connection(str(self.path))
        roles: dict[str, ScreenRole] = {"kiosk": "kiosk", "board": "board"}
        role = roles.get(self.station, "rating")
        self.say(ScreenHello(station=self.station, role=role))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def say(self, message: Any) -> None:
        self.writer.write(encode_line(message))

    async def next(self, kind: type, met: Any = lambda _message: True) -> Any:
        """The next message of a kind that is so."""
        async with asyncio.timeout(10):
            while True:
                line = await self.reader.readline()
                assert line, "closed"
                message = decode_to_screen(line)
                if isinstance(message, kind) and met(message):
                    return message


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    made = Broker(tmp_path / "broker")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def hall(broker: Broker) -> AsyncIterator[Coordinator]:
    coordinator = Coordinator(broker.port)
    await coordinator.start()
    yield coordinator
    await coordinator.stop()


@pytest.fixture
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s")


@pytest.fixture
def make_agent(tmp_path: Path, broker: Broker, sockets: Path, doubles: dict[str, type]) -> Any:
    def make() -> Agent:
        profile = Profile(
            hall=HALL,
            node=NODE,
            storage=str(tmp_path / "agent.db"),
            screen_socket=str(sockets / "s.sock"),
            timezone="UTC",
            broker=BrokerOptions(host="127.0.0.1", port=broker.port, reconnect_max_s=0.3),
            station=(
                KioskStation(id="kiosk", printer="printer", card_reader="reader", online_wait_s=0.3),
                CounterStation(
                    id="c3", counter="3", call_keypad="keys", rating_keypad="rating", call_screen="strip"
                ),
                BoardStation(id="board", zone="east", voice="voice"),
            ),
        )
        devices = tuple(
            CheckedDevice(
                name, name, double, Options(), DeviceDescription(device=name, kind=double.kind, driver=name)
            )
            for name, double in doubles.items()
        )
        return Agent(CheckedProfile(profile, devices))

    return make


@contextlib.asynccontextmanager
async def running(agent: Agent) -> AsyncIterator[Agent]:
    task = asyncio.create_task(agent.run())
    try:
        await asyncio.wait(
            [task, ready := asyncio.create_task(agent.ready.wait())], return_when="FIRST_COMPLETED"
        )
        ready.cancel()
        yield agent
    finally:
        agent.stop()
        async with asyncio.timeout(10):
            await task


async def both_online(hall: Coordinator, agent: Agent) -> None:
    await hall.online()
    async with asyncio.timeout(10):
        while not agent.link.online:
            await asyncio.sleep(0.005)


def driver(agent: Agent, device: str) -> Any:
    return agent.supervisors[device].driver


def catalogue(rev: int = 1) -> Catalogue:
    return msgspec.json.decode(
        msgspec.json.encode(
            {
                "epoch": 1,
                "rev": rev,
                "hall_name": {"zh-CN": "市民中心"},
                "services": [
                    {
                        "service": "s",
                        "name": {"zh-CN": "身份证"},
                        "group": "g",
                        "zone": "east",
                        "counters": [],
                    }
                ],
                "groups": [{"group": "g", "name": {"zh-CN": "甲"}, "prefix": "A"}],
                "priorities": [],
                "zones": [],
            }
        ),
        type=Catalogue,
    )


async def test_playlist_and_pictures_reach_a_board_and_outlive_the_hall(
    broker: Broker, hall: Coordinator, make_agent: Any, sockets: Path, tmp_path: Path
) -> None:
    data = b"synthetic picture"
    id, other = hashlib.sha256(data).hexdigest()[:32], "0" * 32
    item = PlaylistItem(item="a", picture=id, zones=("east",))
    await hall.mqtt.publish(
        topic(HALL, "picture", picture=id), Picture(picture=id, format="png", data=data), retain=True
    )
    unwanted = Picture(picture=other, format="png", data=b"nobody's")
    await hall.mqtt.publish(topic(HALL, "picture", picture=other), unwanted, retain=True)
    await hall.mqtt.publish(topic(HALL, "playlist"), Playlist(epoch=1, rev=1, items=(item,)), retain=True)

    def whole(shown: PlaylistShown) -> bool:
        return any(page.file is not None for page in shown.pages)

    async with running(make_agent()), ScreenClient(sockets / "s.sock", "board") as board:
        (page,) = (await board.next(PlaylistShown, whole)).pages
        assert page.item == item and Path(page.file).read_bytes() == data
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == [f"{id}.png"]
    await broker.stop()
    async with running(make_agent()), ScreenClient(sockets / "s.sock", "board") as board:
        assert (await board.next(BoardShown)).stale
        assert (await board.next(PlaylistShown, whole)).pages[0].item == item


async def test_reasons_of_a_bad_grade_reach_the_hall(
    hall: Coordinator, make_agent: Any, sockets: Path
) -> None:
    rude = RatingReason(reason="rude", text={"zh-CN": "态度不好"}, grades=(1, 2))
    await hall.mqtt.publish(
        topic(HALL, "rating_reasons"), RatingReasons(version=7, reasons=(rude,)), retain=True
    )
    async with running(make_agent()) as agent, ScreenClient(sockets / "s.sock", "c3") as panel:
        await both_online(hall, agent)
        assert (await panel.next(RatingShown)).prompt is None
        prompt = PromptRating(
            prompt="p-1", ticket="t-5", number="A005", counter="3", service_name={"zh-CN": "身份证"}
        )
        await hall.tell(prompt, "rate-1")
        await panel.next(RatingShown, lambda m: m.prompt == prompt and m.grade is None)
        panel.say(RateService(prompt="p-1", grade=1))
        asked = await panel.next(RatingShown, lambda m: m.grade == 1)
        assert asked.reasons == RatingReasons(version=7, reasons=(rude,))
        panel.say(GiveReasons(prompt="p-1", version=7, reasons=("rude",)))
        await panel.next(RatingShown, lambda m: m.reasons_given)
        (given,) = await hall.event(RatingReasonsGiven)
        assert (given.ticket, given.grade, given.reasons) == ("t-5", 1, ("rude",))
        assert [
            type(body) for e in hall.events if isinstance(body := event_body(e), (Rated, RatingReasonsGiven))
        ] == [
            Rated,
            RatingReasonsGiven,
        ]


async def test_birth_comes_in_order_and_a_clean_stop_says_offline(hall: Coordinator, make_agent: Any) -> None:
    async with running(make_agent()):
        await hall.until(lambda: any(n.state == "online" for n in hall.nodes))
        assert hall.descriptions[0].stations == ("kiosk", "counter", "board")
        assert hall.descriptions[0].counters == ("3",) and hall.descriptions[0].zones == ("east",)
        assert {d.device for d in hall.descriptions[0].devices} == set(hall.devices) >= {"printer", "storage"}
        await hall.until(lambda: all(d.health == "ok" for d in hall.devices.values()))
    await hall.until(lambda: hall.nodes[-1].state == "offline")
    assert len({n.session for n in hall.nodes}) == 1


async def test_a_whole_day_in_a_minute(hall: Coordinator, make_agent: Any, sockets: Path) -> None:
    """Ticket, call and rating, through the broker, the screens' socket and the devices."""
    async with running(make_agent()) as agent, ScreenClient(sockets / "s.sock", "kiosk") as kiosk:
        await hall.mqtt.publish(topic(HALL, "catalogue"), catalogue(), retain=True)
        await hall.online()
        await kiosk.next(KioskState, lambda m: m.online and m.catalogue and m.printer.health == "ok")
        kiosk.say(TakeTicket(request="r-1", service="s"))
        await hall.event(TicketRequested)
        now = datetime.now(UTC)
        await hall.tell(
            PrintTicket(
                ticket="t-5", number="A005", service="s", request="r-1", issued_at=now, waiting_ahead=2
            ),
            "print-t-5",
        )
        done = await kiosk.next(TicketProgress, lambda m: m.stage == "done")
        assert (done.number, done.paper) == ("A005", "confirmed")
        assert (await hall.event(TicketPrinted))[0].paper == "confirmed"

        driver(agent, "keys").press("next")
        assert (await hall.event(KeyPressed))[0].key == "next"
        state = CounterState(
            epoch=1, rev=1, counter="3", name={"zh-CN": "3号窗口"}, zone="east", state="called",
            number="A005", ticket="t-5", call="call-1", called_at=now,
        )  # fmt: skip
        call = Call(
            call="call-1", epoch=1, number="A005", counter="3", counter_name={"zh-CN": "3号窗口"},
            zone="east", deadline=now + timedelta(seconds=30),
        )  # fmt: skip
        board = Board(epoch=1, rev=1, business_date=now.date(), calls=(), services=())
        await hall.mqtt.publish(topic(HALL, "counter", counter="3"), state, retain=True)
        await hall.mqtt.publish(topic(HALL, "board"), board, retain=True)
        await hall.mqtt.publish(topic(HALL, "call"), call, expiry_s=30)
        reported = await hall.event(CallReported, 2)
        assert {(r.how, r.outcome) for r in reported} == {("shown", "done"), ("heard", "done")}
        assert [c.text for c in driver(agent, "strip").shown if c.flash] == ["A005 请到3号窗口"]
        async with ScreenClient(sockets / "s.sock", "board") as display:
            assert (await display.next(BoardShown, lambda m: m.board is not None)).board == board
        async with ScreenClient(sockets / "s.sock", "c3") as panel:
            assert (await panel.next(CounterShown)).counter == state

        driver(agent, "keys").press("recall")
        assert [k.shown_ticket for k in await hall.event(KeyPressed, 2)] == [None, "t-5"]
        await hall.tell(
            PromptRating(prompt="p-1", ticket="t-5", number="A005", counter="3", service_name={"en": "x"}),
            "rate-p-1",
        )
        keys = driver(agent, "rating")
        async with asyncio.timeout(5):
            while True not in keys.said:
                await asyncio.sleep(0.005)
        keys.press("5")
        assert await hall.event(Rated) == [Rated(prompt="p-1", ticket="t-5", counter="3", grade=5)]
        assert [e.seq for e in hall.events] == list(range(1, len(hall.events) + 1))
    assert hall.repeats == 0


async def test_bad_messages_on_every_topic_stop_nothing(hall: Coordinator, make_agent: Any) -> None:
    async with running(make_agent()) as agent:
        await both_online(hall, agent)
        for name, ids in (
            ("coordinator_ack", {"node": NODE}),
            ("node_command", {"node": NODE}),
            ("counter", {"counter": "3"}),
            ("board", {}),
            ("catalogue", {}),
            ("call", {}),
        ):
            for payload in (b"\xff\x00", b"{}", b"[" * 100_000, b'{"epoch": "x"}'):
                await hall.mqtt.publish(topic(HALL, name, **ids), payload)
        now = datetime.now(UTC)
        unknown = command(
            GrantLease(group="g", business_date=now.date(), first=1, last=2),
            id="c-unknown", epoch=1, at=now, deadline=now + timedelta(seconds=30),
        )  # fmt: skip
        odd = msgspec.structs.replace(unknown, kind="dance")
        broken = msgspec.structs.replace(unknown, id="c-broken", body=msgspec.Raw(b'{"group": 7}'))
        for envelope in (odd, broken):
            await hall.mqtt.publish(topic(HALL, "node_command", node=NODE), envelope)
        results = await hall.event(CommandResult, 2)
        assert {(r.command, r.outcome) for r in results} == {
            ("c-unknown", "not_understood"),
            ("c-broken", "not_understood"),
        }
        assert agent.intake.bad >= 20
        driver(agent, "keys").press("next")
        await hall.event(KeyPressed)


async def test_events_wait_for_the_coordinator_and_come_once_in_order(
    hall: Coordinator, make_agent: Any, sockets: Path
) -> None:
    async with running(make_agent()), ScreenClient(sockets / "s.sock", "kiosk") as kiosk:
        await hall.mqtt.publish(topic(HALL, "catalogue"), catalogue(), retain=True)
        await hall.online()
        (low,) = await hall.event(LeaseLow)
        await hall.tell(
            GrantLease(group="g", business_date=low.business_date, first=601, last=620), "lease-1"
        )
        await kiosk.next(KioskState, lambda m: m.offline_numbers == {"g": 20})
        await hall.online("lost")
        await kiosk.next(KioskState, lambda m: not m.online)
        for n in range(5):
            kiosk.say(TakeTicket(request=f"r-{n}", service="s"))
            done = await kiosk.next(TicketProgress, lambda m: m.stage == "done")
            assert done.offline
        assert hall.bodies(TicketIssuedOffline) == []
        await hall.online()
        issued = await hall.event(TicketIssuedOffline, 5)
        assert [i.number for i in issued] == ["A601", "A602", "A603", "A604", "A605"]


async def test_a_restored_coordinator_gets_again_what_it_asks_for(hall: Coordinator, make_agent: Any) -> None:
    async with running(make_agent()) as agent:
        await both_online(hall, agent)
        for n in range(5):
            driver(agent, "keys").press("next")
            await hall.event(KeyPressed, n + 1)
        (stream,) = hall.through
        through = hall.through[stream]
        hall.through[stream] = 1
        del hall.events[1:]
        await hall.ack(1, stream, resend=True)
        await hall.until(lambda: hall.through[stream] == through)
        assert [e.seq for e in hall.events] == list(range(1, through + 1))


async def test_an_old_copy_of_the_storage_is_noticed_by_the_ack(hall: Coordinator, make_agent: Any) -> None:
    async with running(make_agent()) as agent:
        await both_online(hall, agent)
        stream = agent.storage.stream
        await hall.ack(9999, stream)
        await hall.until(lambda: hall.devices["storage"].code == "agent.storage_old_copy")
        assert agent.storage.stream != stream
        driver(agent, "keys").press("next")
        await hall.event(KeyPressed)


async def test_a_device_that_changes_during_the_birth_is_not_set_back(
    hall: Coordinator, make_agent: Any
) -> None:
    agent = make_agent()
    last: dict[str, DeviceState] = {}

    class Line:
        def publish_nowait(self, _topic: str, message: Message, **_: object) -> bool:
            if isinstance(message, DeviceState):
                last[message.device] = message
            return True

        async def publish(self, where: str, message: Message, **_: object) -> bool:
            self.publish_nowait(where, message)
            if isinstance(message, DeviceState) and message.device == "printer":
                agent._on_device_state(DeviceState(device="strip", kind="call_screen", health="missing"))
            return True

    agent._mqtt = Line()
    for device, kind in (("printer", "ticket_printer"), ("strip", "call_screen")):
        agent.node.devices[device] = DeviceState(device=device, kind=kind, health="ok")  # type: ignore[arg-type]
    await agent._birth()
    agent.link.close()
    assert last["strip"].health == "missing" and last["printer"].health == "ok"


async def test_heartbeats_that_waited_at_the_broker_give_no_time(hall: Coordinator, make_agent: Any) -> None:
    async with running(make_agent()) as agent:
        await both_online(hall, agent)
    old = datetime.now(UTC) - timedelta(hours=1)
    for _ in range(3):
        state = msgspec.structs.replace(hall._state("online"), at=old)
        await hall.mqtt.publish(topic(HALL, "coordinator_state"), state, retain=True)
    agent = make_agent()
    async with running(agent):
        async with asyncio.timeout(10):
            while not agent.link.online:
                await asyncio.sleep(0.005)
        assert abs(agent.clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


async def test_commands_that_cannot_be_stored_do_not_stop_the_calls(
    hall: Coordinator, make_agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker delivers no more than so many unacknowledged messages."""

    def full(*_: object) -> None:
        raise StorageError("agent.disk_full")

    monkeypatch.setattr("wire.mqtt_client.RECEIVE_MAXIMUM", 8)
    async with running(make_agent()) as agent:
        await both_online(hall, agent)
        monkeypatch.setattr(agent.storage._records, "blocking_open_prompt", full)
        for n in range(10):
            await hall.tell(
                PromptRating(prompt=f"p{n}", ticket="t", number="A001", counter="3", service_name={}), f"c{n}"
            )
        call = Call(
            call="call-1",
            epoch=1,
            number="A001",
            counter="3",
            counter_name={"zh-CN": "3号窗口"},
            zone="east",
            deadline=datetime.now(UTC) + timedelta(seconds=30),
        )
        await hall.mqtt.publish(topic(HALL, "call"), call)
        async with asyncio.timeout(10):
            while not driver(agent, "voice").said:
                await asyncio.sleep(0.005)


async def test_the_catalogue_is_known_after_a_start_without_the_hall(
    hall: Coordinator, make_agent: Any, sockets: Path, broker: Broker
) -> None:
    async with running(make_agent()) as agent:
        await hall.mqtt.publish(topic(HALL, "catalogue"), catalogue(7), retain=True)
        async with ScreenClient(sockets / "s.sock", "kiosk") as kiosk:
            await kiosk.next(KioskState, lambda m: m.catalogue is not None)
        await agent.storage.ping()
    await hall.stop()
    await broker.stop()
    async with running(make_agent()), ScreenClient(sockets / "s.sock", "kiosk") as kiosk:
        state = await kiosk.next(KioskState)
        assert state.catalogue.rev == 7 and not state.online


async def test_after_a_start_the_halls_catalogue_counts_whatever_was_kept(
    hall: Coordinator, make_agent: Any
) -> None:
    """A hall whose server was replaced begins with a smaller epoch."""
    agent = make_agent()
    kept = msgspec.structs.replace(catalogue(7), epoch=9)
    async with running(agent):
        await agent.storage.keep("catalogue", msgspec.json.encode(kept))
    await hall.mqtt.publish(topic(HALL, "catalogue"), catalogue(1), retain=True)
    agent = make_agent()
    async with running(agent):
        async with asyncio.timeout(10):
            while agent.node.catalogue != catalogue(1):
                await asyncio.sleep(0.005)
        await hall.mqtt.publish(topic(HALL, "catalogue"), catalogue(3), retain=True)
        await hall.mqtt.publish(topic(HALL, "catalogue"), catalogue(2), retain=True)
        async with asyncio.timeout(10):
            while agent.node.catalogue != catalogue(3):
                await asyncio.sleep(0.005)


async def test_a_broker_that_was_killed_and_a_coordinator_that_came_back_lose_nothing(
    hall: Coordinator, make_agent: Any, broker: Broker
) -> None:
    async with running(make_agent()) as agent:
        await both_online(hall, agent)
        driver(agent, "keys").press("next")
        await hall.event(KeyPressed)
        hall.acking = False
        driver(agent, "keys").press("recall")
        await agent.storage.ping()
        await broker.kill()
        await broker.start()
        hall.acking = True
        async with asyncio.timeout(15):
            while len(hall.bodies(KeyPressed)) < 2:
                await hall.online()
                await asyncio.sleep(0.1)
        assert [k.key for k in hall.bodies(KeyPressed)] == ["next", "recall"]


async def test_a_driver_that_raises_anything_is_opened_again_and_the_others_go_on(
    hall: Coordinator, make_agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = make_agent()
    strip = driver(agent, "strip")
    broken = True

    async def open_() -> None:
        if broken:
            raise ZeroDivisionError("a bug")
        await type(strip).open(strip)

    monkeypatch.setattr(strip, "open", open_)
    async with running(agent):
        await hall.until(lambda: hall.devices.get("strip") and hall.devices["strip"].health == "fault")
        assert hall.devices["strip"].code == "device.fault"
        await hall.until(lambda: hall.devices.get("printer") and hall.devices["printer"].health == "ok")
        broken = False
        await hall.until(lambda: hall.devices["strip"].health == "ok")


def test_the_version_that_a_node_says_is_the_one_of_the_package() -> None:
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert f"paihao {pyproject['project']['version']}" == agent_module.SOFTWARE


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def personal(content: bytes) -> bool:
    return b"110101199003070011" in content or "王小明".encode() in content


async def test_no_card_data_reaches_the_disk_or_the_broker(
    hall: Coordinator, make_agent: Any, tmp_path: Path, card_event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with running(make_agent()) as agent:
        await both_online(hall, agent)
        driver(agent, "reader").events.put_nowait(card_event)
        driver(agent, "keys").press("next")
        await hall.event(KeyPressed)
    marked = [path for path in files_below(tmp_path) if personal(path.read_bytes())]
    assert marked == []
    assert "110101199003070011" not in caplog.text and "王小明" not in caplog.text
    with contextlib.closing(sqlite3.connect(tmp_path / "agent.db")) as database:
        payloads = [decode(row[0], NodeEvent) for row in database.execute("SELECT payload FROM outbox")]
    assert payloads
