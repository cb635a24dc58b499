from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device.clock import Clock
from device.coordinator_link import CoordinatorLink
from device.database import Row
from device.dispatch import Dispatch, Handler
from device.profile import KioskStation
from device.stations.kiosk import KioskStationRunner
from device.stations.station import Node, Station
from device.storage import Storage
from drivers.call_screen.protocol import CallScreen, ScreenText, ShowResult
from drivers.card_reader.protocol import Card, CardEvent, CardReader, Secret
from drivers.driver import Health
from drivers.keypad.protocol import Keypad, KeyPress
from drivers.light.protocol import Light, LightResult, SignalName
from drivers.ticket_printer.protocol import Paper, PrintResult, TicketPrinter
from drivers.voice.protocol import Announcement, SpeakResult, Voice
from wire.codec import command, decode, event_body
from wire.messages import (
    Catalogue,
    CatalogueGroup,
    CatalogueService,
    CoordinatorState,
    DeviceState,
    GrantLease,
    Message,
    NodeEvent,
    PrintTicket,
    Zone,
)
from wire.screen_link import LinkMessage, TicketProgress, ToAgent

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


class Hands:
    """The hands of a clock, moved by the test."""

    def __init__(self) -> None:
        self.wall = START.timestamp()
        self.boot = 100.0

    def forward(self, seconds: float) -> None:
        self.wall += seconds
        self.boot += seconds


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def clock(hands: Hands) -> Clock:
    return Clock(UTC, lambda: hands.wall, lambda: hands.boot)


OpenStorage = Callable[..., Awaitable[Storage]]


@pytest.fixture
async def open_storage(tmp_path: Path, clock: Clock) -> AsyncIterator[OpenStorage]:
    opened: list[Storage] = []

    async def open_(machine: str = "this", name: str = "agent.db") -> Storage:
        storage = Storage(tmp_path / name, "session-1", clock, machine)
        await storage.start()
        opened.append(storage)
        return storage

    yield open_
    for storage in opened:
        await storage.stop()


@pytest.fixture
async def storage(open_storage: OpenStorage) -> Storage:
    return await open_storage()


# ---------------------------------------------------------------- devices


class Printer(TicketPrinter):
    """Prints when told to: `results` are the outcomes of the next papers."""

    def __init__(self) -> None:
        super().__init__()
        self.papers: list[Paper] = []
        self.results: list[PrintResult] = []
        self.able = True
        self.hold: asyncio.Event | None = None
        self.began = asyncio.Event()

    async def open(self) -> None:
        self.report(Health("ok"))

    async def serve(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        pass

    async def print_ticket(self, paper: Paper) -> PrintResult:
        self.papers.append(paper)
        self.began.set()
        if self.hold is not None:
            await self.hold.wait()
        return self.results.pop(0) if self.results else PrintResult("confirmed")

    @property
    def can_print(self) -> bool:
        return self.able


class Strip(CallScreen):
    def __init__(self) -> None:
        super().__init__()
        self.shown: list[ScreenText] = []
        self.results: list[ShowResult] = []
        self.hold: asyncio.Event | None = None

    open, serve, close = Printer.open, Printer.serve, Printer.close

    async def show(self, content: ScreenText) -> ShowResult:
        self.shown.append(content)
        if self.hold is not None:
            await self.hold.wait()
        return self.results.pop(0) if self.results else ShowResult("done")


class Keys(Keypad):
    def __init__(self) -> None:
        super().__init__()
        self.presses: asyncio.Queue[KeyPress] = asyncio.Queue()
        self.said: list[object] = []

    open, serve, close = Printer.open, Printer.serve, Printer.close

    def press(self, key: str, ago: float = 0.0) -> None:
        self.presses.put_nowait(KeyPress(key, asyncio.get_running_loop().time() - ago))

    async def next_key(self) -> KeyPress:
        return await self.presses.get()

    async def light(self, *keys: str) -> None:
        self.said.append(keys)

    async def prompt(self, shown: bool) -> None:
        self.said.append(shown)

    async def thank(self) -> None:
        self.said.append("thanks")


class Reader(CardReader):
    def __init__(self) -> None:
        super().__init__()
        self.events: asyncio.Queue[CardEvent] = asyncio.Queue()

    open, serve, close = Printer.open, Printer.serve, Printer.close

    async def next_event(self) -> CardEvent:
        return await self.events.get()


class Speaking(Voice):
    speaks_freely = True

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Announcement] = []
        self.spoken: list[tuple[str, str, int]] = []
        self.result = SpeakResult("done")

    open, serve, close = Printer.open, Printer.serve, Printer.close

    async def say(self, announcement: Announcement) -> SpeakResult:
        self.said.append(announcement)
        return self.result

    async def speak(self, text: str, language: str = "zh-CN", volume: int = 100) -> SpeakResult:
        self.spoken.append((text, language, volume))
        return self.result


class Lamp(Light):
    def __init__(self) -> None:
        super().__init__()
        self.on: set[str] = set()

    open, serve, close = Printer.open, Printer.serve, Printer.close

    async def signal(
        self, name: SignalName, seconds: float | None = None, within_s: float = 5.0
    ) -> LightResult:
        self.on.add(name)
        return LightResult("done")

    def clear(self, name: SignalName) -> None:
        self.on.discard(name)


class Screen:
    """What the screens of a station were sent."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, LinkMessage]] = []
        self.there = False

    def send(self, station: str, message: LinkMessage, role: str | None = None) -> None:
        self.messages.append((station, message))

    def has_screen(self, station: str, role: str) -> bool:
        return self.there

    def of(self, kind: type) -> list[LinkMessage]:
        return [message for _, message in self.messages if isinstance(message, kind)]


async def until(met: Callable[[], bool]) -> None:
    """Let the loop run until `met`; fails when it is not after 5 s."""
    async with asyncio.timeout(5):
        while not met():
            await asyncio.sleep(0.001)


class Room:
    """A node without a broker, its coordinator played by the test, and its devices."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.storage = storage
        self.clock = clock
        self.link = CoordinatorLink(clock)
        self.node = Node(storage, clock, self.link)
        self.screen = Screen()
        self.node.screens = self.screen
        self.printer, self.reader, self.strip = Printer(), Reader(), Strip()
        self.call_keys, self.rating_keys, self.voice = Keys(), Keys(), Speaking()
        self.scanner, self.pad, self.lamp = Reader(), Keys(), Lamp()
        self.stations: list[Station] = []
        self.link.on_change = lambda online: [s.on_online(online) for s in self.stations]
        self.again: list[Row] = []
        self.until = until

    def add(self, station: Station) -> None:
        self.stations.append(station)
        self.node.spawn(station.run(), station.id)

    def device(self, device: str, kind: str, health: str = "ok", code: str | None = None) -> None:
        state = DeviceState(device=device, kind=kind, health=health, code=code)
        self.node.devices[device] = state
        for station in self.stations:
            station.on_device(state)

    def coordinator(self, online: bool = True, epoch: int = 1) -> None:
        self.link.set_connected(True)
        self.link.hear(
            CoordinatorState(
                state="online" if online else "lost",
                session="s",
                epoch=epoch,
                at=self.clock.now(),
                business_date=self.clock.now().date(),
            ),
            retained=False,
        )

    async def command(self, body: Message, id: str = "c-1", seconds: float = 30, epoch: int = 1) -> bool:
        now = self.clock.now()
        handlers: dict[type[Message], list[Handler]] = {}
        for station in self.stations:
            for kind, handler in station.handlers.items():
                handlers.setdefault(kind, []).append(handler)
        dispatch = Dispatch(self.storage, self.clock, handlers, self.again.append)
        envelope = command(body, id=id, epoch=epoch, at=now, deadline=now + timedelta(seconds=seconds))
        return await dispatch.take(envelope, body)

    async def events(self) -> list[Message]:
        """Everything in the outbox."""
        rows = await self.storage.rows_after(0, 10_000)
        return [event_body(decode(row.payload, NodeEvent)) for row in rows]

    async def event(self, kind: type[Message], count: int = 1) -> list[Message]:
        """The events of a kind, when there are at least `count`."""
        async with asyncio.timeout(5):
            while len(found := [e for e in await self.events() if isinstance(e, kind)]) < count:
                await asyncio.sleep(0.001)
        return found

    async def close(self) -> None:
        self.link.close()
        for task in list(self.node._tasks):
            task.cancel()
        await self.node.settle()


@pytest.fixture
async def room(storage: Storage, clock: Clock) -> AsyncIterator[Room]:
    made = Room(storage, clock)
    yield made
    await made.close()


KIOSK_CATALOGUE = Catalogue(
    epoch=1,
    rev=1,
    hall_name={"zh-CN": "市民中心", "en": "Civic Centre"},
    services=(
        CatalogueService(
            service="id-card",
            name={"zh-CN": "身份证", "en": "ID card"},
            group="a",
            zone="east",
            counters=({"zh-CN": "1号窗口"},),
        ),
    ),
    groups=(CatalogueGroup(group="a", name={"zh-CN": "甲"}, prefix="A"),),
    priorities=(),
    zones=(Zone(zone="east", name={"zh-CN": "东区"}, directions={"zh-CN": "左转"}),),
    ticket_url="https://hall.example/t/{ticket}",
    appointments=True,
)
MATCH_KEY = bytes(range(32))


class Kiosk:
    """A kiosk with every device, the hall's key, and the words of its citizens and of the coordinator."""

    def __init__(self, room: Room, key_file: Path) -> None:
        self.room = room
        self.key_file = key_file
        entry = KioskStation(
            id="kiosk",
            printer="printer",
            card_reader="reader",
            scanner="scanner",
            voice="voice",
            pad="pad",
            light="light",
            match_key_file=str(key_file),
            online_wait_s=0.05,
            lease_low=5,
        )
        self.runner = KioskStationRunner(
            entry, room.node, room.printer, room.reader, room.scanner, room.voice, room.pad, room.lamp
        )
        room.node.catalogue = KIOSK_CATALOGUE
        room.screen.there = True
        room.add(self.runner)

    def catalogue(self, **changed: Any) -> None:
        self.room.node.catalogue = msgspec.structs.replace(KIOSK_CATALOGUE, **changed)

    def no_paper(self) -> None:
        self.room.printer.able = False
        self.room.printer.report(Health("fault", "printer.paper_out"))

    async def says(self, message: ToAgent) -> None:
        await self.runner.on_screen(message)

    async def lease(self, first: int = 601, last: int = 610) -> None:
        day = self.room.clock.now().date()
        assert await self.room.command(
            GrantLease(group="a", business_date=day, first=first, last=last), f"lease-{first}"
        )

    def ticket(self, request: str | None = "r-1", id: str = "t-5", **more: Any) -> PrintTicket:
        return PrintTicket(
            **{
                "ticket": id,
                "number": "A005",
                "service": "id-card",
                "request": request,
                "issued_at": self.room.clock.now(),
                "waiting_ahead": 3,
            }
            | more
        )

    async def progress(self, *stages: str, count: int = 1) -> TicketProgress:
        """The newest progress, when there are `count` of these stages."""

        def met() -> list[Any]:
            return [p for p in self.room.screen.of(TicketProgress) if p.stage in stages]

        await until(lambda: len(met()) >= count)
        newest: TicketProgress = met()[-1]
        return newest

    async def ended(self, count: int = 1) -> TicketProgress:
        return await self.progress("done", "failed", "refused", count=count)

    async def shown(self, kind: type, count: int = 1) -> Any:
        """The newest message of a kind, when there are `count`."""
        await until(lambda: len(self.room.screen.of(kind)) >= count)
        return self.room.screen.of(kind)[-1]


@pytest.fixture
async def kiosk_room(room: Room, tmp_path: Path) -> Kiosk:
    key_file = tmp_path / "match.key"
    key_file.write_bytes(MATCH_KEY)
    key_file.chmod(0o600)
    return Kiosk(room, key_file)


def _built_with_config(double: type) -> type:
    """The double as the driver table builds it: with a config, which it does not need."""
    return type(double.__name__, (double,), {"__init__": lambda self, _config: double.__init__(self)})


@pytest.fixture
def doubles() -> dict[str, type]:
    """A driver class for every device of a node that has all three stations."""
    classes = {
        "printer": Printer,
        "reader": Reader,
        "strip": Strip,
        "keys": Keys,
        "rating": Keys,
        "voice": Speaking,
    }
    return {name: _built_with_config(double) for name, double in classes.items()}


@pytest.fixture
def card_event() -> CardEvent:
    """A synthetic card."""
    name, number = Secret("王小明", "name"), Secret("110101199003070011", "number")
    return CardEvent("read", Card("citizen", name, number, date(1990, 3, 7), None))
