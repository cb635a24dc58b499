"""Guides, pictures, playlist and reasons on a real broker: sent once, and cleared when they are not used."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from hall import retained
from hall.config import HallConfig, load_config
from hall.coordinator import Coordinator
from hall.shown import Shown
from simulator.broker import Broker
from wire import codec
from wire.messages import Message
from wire.mqtt import BrokerOptions, Mqtt
from wire.shown import Guide, GuideList, Picture, Playlist, RatingReason, RatingReasons
from wire.topics import KINDS, parse_topic, subscription, topic

pytestmark = pytest.mark.broker
SHIPPED = Path(__file__).parents[2] / "firmware_config" / "hall" / "hall.toml"
WAIT_S = 10.0
RED, BLUE = (
    Picture(picture=letter * 32, format="png", data=letter.encode() * 100_000) for letter in ("a", "b")
)


class Screen:
    """Reads what is retained: what stands there, and every message that came."""

    def __init__(self, port: int) -> None:
        self.stands: dict[str, Message] = {}
        self.came: list[str] = []
        self._news = asyncio.Condition()
        names = ("guides", "guide", "playlist", "picture", "rating_reasons")
        self.mqtt = Mqtt(
            BrokerOptions(host="127.0.0.1", port=port),
            client_id="screen",
            will=None,
            subscriptions=[(subscription("demo", name), 1) for name in names],
            on_connected=self._connected,
        )

    async def _connected(self) -> None:
        pass

    async def start(self) -> None:
        await self.mqtt.start()
        self._task = asyncio.create_task(self._read())

    async def stop(self) -> None:
        self._task.cancel()
        await self.mqtt.stop()

    async def _read(self) -> None:
        while True:
            received = await self.mqtt.next()
            self.mqtt.ack(received)
            short = received.topic.removeprefix("paihao/1/demo/")
            async with self._news:
                self.came.append(short)
                if received.payload:
                    kind = KINDS[parse_topic(received.topic).name]
                    self.stands[short] = codec.decode(received.payload, kind.message)
                else:
                    self.stands.pop(short, None)
                self._news.notify_all()

    async def until(self, check: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S), self._news:
            await self._news.wait_for(check)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path / "broker")
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def screen(broker: Broker) -> AsyncIterator[Screen]:
    screen = Screen(broker.port)
    await screen.start()
    yield screen
    await screen.stop()


@pytest.fixture
def config(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> HallConfig:
    monkeypatch.setattr(retained, "SETTLE_S", 0.3)
    config = load_config(SHIPPED)
    hall = msgspec.structs.replace(config.hall, storage=str(tmp_path / "hall.db"))
    options = BrokerOptions(host="127.0.0.1", port=broker.port, reconnect_max_s=0.3)
    shown = msgspec.structs.replace(config.shown, pictures=(RED, BLUE))
    return msgspec.structs.replace(config, hall=hall, broker=options, shown=shown)


async def run(config: HallConfig, screen: Screen, check: Callable[[], bool]) -> None:
    """A coordinator that starts, brings the broker to `check`, and stops."""
    coordinator = Coordinator(config)
    await coordinator.start()
    try:
        await screen.until(check)
    finally:
        await coordinator.stop()


def reasons(version: int, text: str) -> RatingReasons:
    reason = RatingReason(reason="slow", text={"zh-CN": text, "en": text}, grades=(1,))
    return RatingReasons(version=version, reasons=(reason,))


def with_shown(config: HallConfig, **more: object) -> HallConfig:
    return msgspec.structs.replace(config, shown=msgspec.structs.replace(config.shown, **more))


async def test_everything_stands_there_whole(config: HallConfig, screen: Screen) -> None:
    def whole() -> bool:
        return f"picture/{BLUE.picture}" in screen.stands and "playlist" in screen.stands

    await run(config, screen, whole)
    stands, shown = screen.stands, config.shown
    assert stands[f"picture/{RED.picture}"] == RED and stands[f"picture/{BLUE.picture}"] == BLUE
    assert isinstance(stands["guides"], GuideList) and isinstance(stands["playlist"], Playlist)
    assert stands["guides"].guides == shown.titles and stands["playlist"].items == shown.playlist
    assert stands["rating_reasons"] == shown.reasons
    assert {topic for topic in stands if topic.startswith("guide/")} == {
        f"guide/{title.guide}" for title in shown.titles
    }
    assert all(stands[f"guide/{guide.guide}"] == guide for guide in shown.guides)


async def test_after_a_restart_pictures_are_not_sent_again_and_old_ones_go(
    config: HallConfig, screen: Screen
) -> None:
    red, blue = f"picture/{RED.picture}", f"picture/{BLUE.picture}"
    await run(config, screen, lambda: blue in screen.stands)
    first = config.shown.guides[0]
    changed = msgspec.structs.replace(first, phone="12345-6")
    screen.came.clear()
    fewer = with_shown(config, pictures=(BLUE,), guides=(changed,), titles=config.shown.titles[:1])
    await run(fewer, screen, lambda: red not in screen.stands and len(guides(screen)) == 1)
    assert guides(screen) == [changed] and blue in screen.stands
    assert blue not in screen.came and screen.came.count(red) == 1
    await run(
        with_shown(config, **msgspec.structs.asdict(Shown())), screen, lambda: blue not in screen.stands
    )
    assert guides(screen) == []
    assert isinstance(screen.stands["playlist"], Playlist) and screen.stands["playlist"].items == ()
    # a node keeps the last list that it heard: that there is none any more has to be said
    assert screen.stands["rating_reasons"] == RatingReasons(version=0)


def guides(screen: Screen) -> list[Message]:
    return [message for message in screen.stands.values() if isinstance(message, Guide)]


async def test_a_new_connection_sends_no_picture_that_stands_there(
    config: HallConfig, screen: Screen, broker: Broker
) -> None:
    coordinator = Coordinator(config)
    await coordinator.start()
    await screen.until(lambda: f"picture/{BLUE.picture}" in screen.stands)
    old = msgspec.structs.replace(config.shown.guides[0], guide="old")
    assert await screen.mqtt.publish(topic("demo", "guide", guide="old"), old, retain=True)
    await screen.until(lambda: "guide/old" in screen.stands)
    screen.came.clear()
    thief = Mqtt(
        BrokerOptions(host="127.0.0.1", port=broker.port),
        client_id="coordinator",  # throws the coordinator out, which comes back
        will=None,
        subscriptions=[],
        on_connected=screen._connected,
    )
    await thief.start()
    await screen.until(lambda: "playlist" in screen.came)
    await thief.stop()
    await screen.until(lambda: "guide/old" not in screen.stands)
    assert [where for where in screen.came if where.startswith(("picture/", "guide/"))] == ["guide/old"]
    await coordinator.stop()


@pytest.mark.parametrize(
    ("version", "text", "warned"),
    [(2, "慢", False), (2, "另一个", True), (1, "另一个", True), (3, "另一个", False)],
)
async def test_a_changed_list_of_reasons_needs_a_new_version(
    config: HallConfig,
    screen: Screen,
    caplog: pytest.LogCaptureFixture,
    version: int,
    text: str,
    warned: bool,
) -> None:
    caplog.set_level(logging.WARNING)
    before = reasons(2, "慢")
    await run(with_shown(config, reasons=before), screen, lambda: "rating_reasons" in screen.stands)
    screen.stands.clear()
    await run(
        with_shown(config, reasons=reasons(version, text), pictures=(RED,)),
        screen,
        lambda: "rating_reasons" in screen.stands and "playlist" in screen.stands,
    )
    assert ("rating_reasons" in caplog.text) is warned
