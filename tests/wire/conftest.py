"""A broker of one's own for each test, and clients that are stopped at its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from simulator.broker import Broker
from wire.messages import NodeState
from wire.mqtt import BrokerOptions, Mqtt, Received

WAIT_S = 10.0
"""Longest wait for anything; reached only when a test fails."""


class Client:
    """A node as tests need one: `Mqtt` with a birth that can be awaited."""

    def __init__(self, mqtt: Mqtt, births: asyncio.Queue[bool], ends: asyncio.Queue[str]) -> None:
        self.mqtt = mqtt
        self.births = births
        self.ends = ends

    async def born(self) -> bool:
        """Wait for the next birth; whether its publish was acknowledged."""
        async with asyncio.timeout(WAIT_S):
            return await self.births.get()

    async def lost(self) -> str:
        async with asyncio.timeout(WAIT_S):
            return await self.ends.get()

    async def next(self) -> Received:
        async with asyncio.timeout(WAIT_S):
            return await self.mqtt.next()

    async def take(self) -> Received:
        """The next message, acknowledged."""
        received = await self.next()
        self.mqtt.ack(received)
        return received

    async def take_until(self, topic: str) -> list[Received]:
        """All messages up to the first one on `topic`, acknowledged."""
        taken = []
        while not taken or taken[-1].topic != topic:
            taken.append(await self.take())
        return taken

    def cut(self) -> None:
        """Lose the connection as a pulled cable does: no DISCONNECT is sent."""
        connection = self.mqtt._connection
        assert connection is not None
        connection.close("cut by the test")


Connect = Callable[..., Awaitable[Client]]


def state_topic(node: str) -> str:
    return f"paihao/1/h/node/{node}/state"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path / "broker")
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    clients: list[Client] = []

    async def connect(
        port: int,
        node: str = "kiosk-1",
        subscriptions: Sequence[tuple[str, int]] = (),
        *,
        wait: bool = True,
        birth: Callable[[Mqtt], Awaitable[bool]] | None = None,
        **options: Any,
    ) -> Client:
        births: asyncio.Queue[bool] = asyncio.Queue()
        ends: asyncio.Queue[str] = asyncio.Queue()

        async def on_connected() -> None:
            if birth is not None:
                births.put_nowait(await birth(mqtt))
            else:
                online = NodeState(state="online", session="s1")
                births.put_nowait(await mqtt.publish(state_topic(node), online, retain=True))

        mqtt = Mqtt(
            BrokerOptions(
                **({"host": "127.0.0.1", "port": port, "username": node, "reconnect_max_s": 0.5} | options)
            ),
            client_id=node,
            will=(state_topic(node), NodeState(state="lost", session="s1")),
            subscriptions=subscriptions,
            on_connected=on_connected,
            on_disconnected=ends.put_nowait,
        )
        client = Client(mqtt, births, ends)
        clients.append(client)
        await mqtt.start()
        if wait:
            await client.born()
        return client

    yield connect
    for client in clients:
        await client.mqtt.stop()
