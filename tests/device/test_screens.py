"""The node's screens as devices, and what every screen is told first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from device import node_screens
from device.node_screens import NodeScreens
from device.profile import BoardStation, CounterStation, Profile, check
from device.stations import screens as module
from device.stations.board import BoardStationRunner
from device.stations.screens import ScreenDevices
from wire.checked_toml import TomlProblems
from wire.messages import DeviceDescription, DeviceState
from wire.mqtt_options import BrokerOptions
from wire.screen_link import (
    BoardShown,
    GiveReasons,
    LinkMessage,
    NumberSeen,
    RateService,
    ScreenHello,
    ScreenRole,
    TakeTicket,
    TimeShown,
    decode_to_screen,
    encode_line,
)

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
STATIONS = (
    CounterStation(id="c3", counter="3", screens=("counter", "rating")),
    BoardStation(id="b", zone="east", screens=("board",)),
)


class Connected(set[tuple[str, str]]):
    def has(self, station: str, role: ScreenRole) -> bool:
        return (station, role) in self


@pytest.fixture
def connected() -> Connected:
    return Connected()


@pytest.fixture
def states() -> list[DeviceState]:
    return []


@pytest.fixture
async def devices(clock: Any, connected: Connected, states: list[DeviceState]) -> Any:
    made = ScreenDevices(STATIONS, clock, connected.has, states.append)
    yield made
    made.stop()


def now(states: list[DeviceState]) -> dict[str, tuple[str, str | None]]:
    return {state.device: (state.health, state.code) for state in states}


async def test_screens_are_described_with_where_they_stand(devices: ScreenDevices) -> None:
    assert devices.descriptions == (
        DeviceDescription(
            device="c3-counter-screen", kind="screen", driver="paihao screen counter", counter="3"
        ),
        DeviceDescription(
            device="c3-rating-screen", kind="screen", driver="paihao screen rating", counter="3"
        ),
        DeviceDescription(device="b-board-screen", kind="screen", driver="paihao screen board", zone="east"),
    )


async def test_a_screen_that_never_comes_is_missing(
    devices: ScreenDevices, connected: Connected, states: list[DeviceState], room: Any, at: Any
) -> None:
    connected.add(("b", "board"))
    devices.start()
    assert now(states) == {
        "c3-counter-screen": ("unknown", None),
        "c3-rating-screen": ("unknown", None),
        "b-board-screen": ("ok", None),
    }
    at(module.ABSENT_S - 0.5)
    await asyncio.sleep(0)
    assert "missing" not in {state.health for state in states}
    at(module.ABSENT_S + 0.5)
    await room.until(lambda: now(states)["c3-rating-screen"] == ("missing", "screen.program_missing"))
    assert now(states)["c3-counter-screen"][0] == "missing" and now(states)["b-board-screen"][0] == "ok"


async def test_a_screen_that_is_restarted_is_no_fault(
    devices: ScreenDevices, connected: Connected, states: list[DeviceState], at: Any
) -> None:
    connected.update({("b", "board"), ("c3", "counter"), ("c3", "rating")})
    devices.start()
    connected.remove(("b", "board"))
    devices.look()
    at(3.0)
    await asyncio.sleep(0)
    connected.add(("b", "board"))
    devices.look()
    at(60.0)
    for _ in range(3):
        await asyncio.sleep(0)
    assert {state.health for state in states} == {"unknown", "ok"}
    assert states[-1].facts == {"starts": 2}


async def test_a_screen_that_comes_back_after_all_is_ok(
    devices: ScreenDevices, connected: Connected, states: list[DeviceState], room: Any, at: Any
) -> None:
    devices.start()
    at(11.0)
    await room.until(lambda: now(states)["b-board-screen"][0] == "missing")
    connected.add(("b", "board"))
    devices.look()
    assert now(states)["b-board-screen"] == ("ok", None)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the loop's time to so many seconds after the start of the test."""

    hands = {"later": 0.0}

    def move(seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if not hands["later"]:
            real = loop.time
            monkeypatch.setattr(loop, "time", lambda: real() + hands["later"])
        hands["later"] = seconds

    return move


# ---------------------------------------------------------------- in the profile


def profile(**more: Any) -> Profile:
    fields: dict[str, Any] = {
        "hall": "h",
        "node": "n",
        "storage": "/tmp/a.db",
        "broker": BrokerOptions(host="x"),
        "station": STATIONS,
        "screen_socket": "/run/s.sock",
    }
    return Profile(**(fields | more))


def test_screens_need_a_socket() -> None:
    assert check(profile()).profile.station == STATIONS
    with pytest.raises(TomlProblems, match="screen_socket"):
        check(profile(screen_socket=None))


def test_a_screen_stands_once_in_its_station() -> None:
    station = CounterStation(id="c3", counter="3", screens=("rating", "rating"))
    with pytest.raises(TomlProblems, match="more than once"):
        check(profile(station=(station,)))


def test_an_id_has_room_for_its_screen() -> None:
    with pytest.raises(TomlProblems, match="too long"):
        check(profile(station=(BoardStation(id="b" * 60, screens=("board",)),)))


# ---------------------------------------------------------------- on the socket


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, message: LinkMessage) -> None:
        self.writer.write(encode_line(message))

    async def next(self) -> LinkMessage | None:
        """None: closed."""
        async with asyncio.timeout(5):
            try:
                line = await self.reader.readline()
            except ConnectionError:
                return None
        return decode_to_screen(line) if line else None


@pytest.fixture
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s")


@pytest.fixture
async def connect(room: Any, sockets: Path, tmp_path: Path, states: list[DeviceState]) -> Any:
    """A function that connects a screen to a node with a board and a counter."""
    board = BoardStationRunner(BoardStation(id="b", screens=("board",)), room.node, None)
    stand_in = BoardStationRunner(BoardStation(id="c3"), room.node, None)
    screens = NodeScreens(
        profile(screen_socket=str(sockets / "s"), storage=str(tmp_path / "agent.db")),
        room.node,
        [board, stand_in],
        on_device=states.append,
        on_pictures_fault=lambda: None,
        follow_picture=lambda _picture, _wanted: None,
    )
    await screens.start()

    async def connect_(station: str, role: ScreenRole) -> Client:
        client = Client(*await asyncio.open_unix_connection(str(sockets / "s")))
        client.say(ScreenHello(station=station, role=role))
        return client

    connect_.screens = screens  # type: ignore[attr-defined]
    yield connect_
    await screens.stop()


async def test_every_screen_is_told_the_time_first_and_when_it_jumps(
    room: Any, connect: Any, states: list[DeviceState]
) -> None:
    client = await connect("b", "board")
    first = await client.next()
    assert isinstance(first, TimeShown) and first.at == room.clock.now()
    assert first.at.utcoffset() is not None and first.trusted
    assert isinstance(await client.next(), BoardShown)
    await client.next()
    connect.screens.tell_time()
    assert isinstance(await client.next(), TimeShown)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_screens, "LOOK_S", 0.01)


async def test_a_clock_that_is_set_before_the_coordinator_was_heard_is_told(
    room: Any, hands: Any, often: None, connect: Any
) -> None:
    hands.wall = 30.0  # 1970: no clock chip
    client = await connect("b", "board")
    told = await client.next()
    assert isinstance(told, TimeShown) and not told.trusted
    hands.wall = START.timestamp()  # NTP
    while not isinstance(told, TimeShown) or not told.trusted:
        told = await client.next()
        assert told is not None
    assert told.at == START


async def test_the_agent_says_which_screens_are_there(
    room: Any, connect: Any, states: list[DeviceState]
) -> None:
    client = await connect("b", "board")
    await room.until(lambda: now(states)["b-board-screen"][0] == "ok")
    client.writer.close()
    await room.until(lambda: not room.node.has_screen("b", "board"))
    assert now(states)["b-board-screen"][0] == "ok", "not missing at once"


GRADE = RateService(prompt="p-1", grade=1)
REASONS = GiveReasons(prompt="p-1", version=1, reasons=("rude",))
TICKET = TakeTicket(request="r-1", service="s-1")


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("counter", GRADE),
        ("counter", REASONS),
        ("counter", TICKET),
        ("panel", GRADE),
        ("rating", TICKET),
        ("rating", NumberSeen(request="r-1")),
        ("board", GRADE),
        ("board", TICKET),
        ("kiosk", GRADE),
        ("kiosk", REASONS),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_a_screen_that_says_what_is_not_its_role_is_closed(
    room: Any, connect: Any, role: ScreenRole, message: LinkMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[LinkMessage] = []

    async def on_screen(_self: object, message: LinkMessage) -> None:
        heard.append(message)

    monkeypatch.setattr(BoardStationRunner, "on_screen", on_screen)
    client = await connect("c3", role)
    client.say(message)
    while await client.next() is not None:
        pass
    assert heard == []


@pytest.mark.parametrize("message", [GRADE, REASONS], ids=lambda value: type(value).__name__)
async def test_a_rating_panel_grades_and_says_why(
    room: Any, connect: Any, message: LinkMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[LinkMessage] = []

    async def on_screen(_self: object, message: LinkMessage) -> None:
        heard.append(message)

    monkeypatch.setattr(BoardStationRunner, "on_screen", on_screen)
    client = await connect("c3", "rating")
    client.say(message)
    await room.until(lambda: heard == [message])
