"""The adapter against a real mosquitto."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.broker import Broker
from wire.codec import MAX_PAYLOAD, decode
from wire.messages import NodeState
from wire.mqtt import Mqtt
from wire.mqtt_client import RECEIVE_MAXIMUM, WINDOW
from wire.mqtt_connection import IN_FLIGHT

pytestmark = pytest.mark.broker

COMMANDS = "paihao/1/h/node/kiosk-1/command"
STATE = "paihao/1/h/node/kiosk-1/state"

Connect = Callable[..., Awaitable[Any]]


def states(received: list[Any]) -> list[str]:
    return [decode(r.payload, NodeState).state for r in received if r.topic == STATE]


async def test_birth_comes_after_the_subscriptions_and_in_its_order(broker: Broker, connect: Connect) -> None:
    async def birth(mqtt: Mqtt) -> bool:
        described = await mqtt.publish("paihao/1/h/node/kiosk-1/description", b"{}", retain=True)
        return described and await mqtt.publish(STATE, NodeState(state="online", session="s1"), retain=True)

    client = await connect(broker.port, subscriptions=[("paihao/1/h/node/kiosk-1/#", 1)], birth=birth)
    # The own subscription was in force before the birth, so the birth itself comes back.
    assert [(await client.take()).topic for _ in range(2)] == ["paihao/1/h/node/kiosk-1/description", STATE]


async def test_losing_a_client_publishes_its_will_and_it_is_born_again(
    broker: Broker, connect: Connect
) -> None:
    watcher = await connect(broker.port, "watcher", [(STATE, 1)])
    client = await connect(broker.port)
    client.cut()
    assert await client.lost() == "cut by the test"
    assert await client.born()
    assert states([await watcher.take() for _ in range(3)]) == ["online", "lost", "online"]


async def test_a_clean_stop_says_offline_and_leaves_no_will(broker: Broker, connect: Connect) -> None:
    watcher = await connect(broker.port, "watcher", [("paihao/1/h/#", 1)])
    client = await connect(broker.port)
    await client.mqtt.stop([(STATE, NodeState(state="offline", session="s1"), True)])
    await watcher.mqtt.publish("paihao/1/h/end", b"{}")
    assert states(await watcher.take_until("paihao/1/h/end")) == ["online", "offline"]
    assert not client.mqtt.connected


async def test_a_killed_broker_comes_back_without_the_session(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port, subscriptions=[(COMMANDS, 1)])
    await broker.kill()
    await client.lost()
    assert not client.mqtt.connected
    assert not await client.mqtt.publish("paihao/1/h/x", b"{}")
    assert not client.mqtt.publish_nowait("paihao/1/h/x", b"{}")
    await broker.start()
    assert await client.born()
    assert await client.mqtt.publish(COMMANDS, b"again")
    assert (await client.take()).payload == b"again"


async def test_a_broker_that_is_not_there_yet_is_found_later(tmp_path: Path, connect: Connect) -> None:
    broker = Broker(tmp_path / "broker")
    await broker.prepare()
    client = await connect(broker.port, wait=False)
    assert not await client.mqtt.publish(STATE, b"{}")
    await broker.start()
    assert await client.born()
    await broker.stop()


async def test_a_name_that_does_not_resolve_does_not_hold_up_the_stop(connect: Connect) -> None:
    client = await connect(1, wait=False, host="no-such-host.invalid")
    async with asyncio.timeout(2):
        await client.mqtt.stop()


async def test_a_server_that_never_answers_is_given_up(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wire.mqtt_connection.CONNECT_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        client = await connect(silent.getsockname()[1], wait=False)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            first, _ = await loop.sock_accept(silent)
            second, _ = await loop.sock_accept(silent)
        assert not client.mqtt.connected
        first.close()
        second.close()


async def test_a_server_that_talks_rubbish_is_given_up_and_left(connect: Connect) -> None:
    rubbish = iter(
        [b"\x00" * 64, b"\x20\xff\xff\xff\xff", b"\x20\x03\x00\x00\x05", b"\x90\x01\x00", b"HTTP/1.1 400\r\n"]
    )
    done = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        if (piece := next(rubbish, None)) is None:
            done.set()
        else:
            writer.write(piece)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    client = await connect(server.sockets[0].getsockname()[1], wait=False)
    async with asyncio.timeout(10):
        await done.wait()
    assert not client.mqtt.connected
    await client.mqtt.stop()
    server.close()


async def test_a_frozen_broker_is_noticed(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port, keepalive_s=1)
    broker.pause()
    waiting = asyncio.create_task(client.mqtt.publish("paihao/1/h/x", b"{}"))
    assert await client.lost() in ("a publish was not acknowledged in time", "Keep alive timeout")
    assert not await waiting
    broker.resume()
    assert await client.born()


async def test_a_round_trip_that_is_not_answered_ends_the_connection(
    broker: Broker, connect: Connect
) -> None:
    client = await connect(broker.port, keepalive_s=60)
    assert await client.mqtt.round_trip(5)
    broker.pause()
    assert not await client.mqtt.round_trip(0.2)
    assert not client.mqtt.connected
    assert await client.lost() == "the broker does not answer"
    broker.resume()
    assert await client.born()


async def test_an_idle_connection_stays(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port, keepalive_s=1)
    await asyncio.sleep(2.5)
    assert client.mqtt.counts.connections == 1
    assert await client.mqtt.round_trip(5)


async def test_what_was_not_acknowledged_is_delivered_again(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port, subscriptions=[(COMMANDS, 1)])
    for payload in (b"1", b"2", b"3"):
        await client.mqtt.publish(COMMANDS, payload)
    first = await client.take()
    second = await client.next()
    client.cut()
    await client.born()
    client.mqtt.ack(second)  # of a connection that is gone: nothing happens
    again = [await client.take(), await client.take()]
    assert first.payload == b"1" and not first.duplicate
    assert [(r.payload, r.duplicate) for r in again] == [(b"2", True), (b"3", True)]
    await client.mqtt.publish(COMMANDS, b"4")
    assert (await client.take()).payload == b"4"


async def test_messages_wait_for_a_client_that_is_away(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port, subscriptions=[(COMMANDS, 1)])
    await client.mqtt.stop()
    sender = await connect(broker.port, "coordinator")
    await sender.mqtt.publish(COMMANDS, b"while away")
    back = await connect(broker.port, subscriptions=[(COMMANDS, 1)])
    assert (await back.take()).payload == b"while away"


async def test_an_expired_message_is_not_delivered(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port, subscriptions=[(COMMANDS, 1)])
    await client.mqtt.stop()
    sender = await connect(broker.port, "coordinator")
    await sender.mqtt.publish(COMMANDS, b"late", expiry_s=0.5)
    await sender.mqtt.publish(COMMANDS, b"lasting", expiry_s=60)
    await asyncio.sleep(2.1)  # the broker counts whole seconds
    back = await connect(broker.port, subscriptions=[(COMMANDS, 1)])
    assert (await back.take()).payload == b"lasting"


async def test_retained_state_is_marked(broker: Broker, connect: Connect) -> None:
    node = await connect(broker.port)
    late = await connect(broker.port, "late", [(STATE, 1)])
    assert (await late.take()).retained
    await node.mqtt.publish(STATE, b"now", retain=True)
    live = await late.take()
    assert (live.payload, live.retained) == (b"now", False)


async def test_a_topic_can_be_subscribed_later_and_for_every_later_connection(
    broker: Broker, connect: Connect
) -> None:
    hall = await connect(broker.port, "hall")
    client = await connect(broker.port)
    picture, other = "paihao/1/h/picture/a", "paihao/1/h/picture/b"
    for topic in (picture, other):
        await hall.mqtt.publish(topic, b"kept", retain=True)
    client.mqtt.subscribe(picture)
    client.mqtt.subscribe(picture)
    received = await client.take()
    assert (received.topic, received.retained) == (picture, True)
    client.mqtt.ack(received)
    client.cut()
    await client.lost()
    client.mqtt.subscribe(other)  # there is no connection, or one that is just being opened
    await client.born()
    assert {(await client.take()).topic for _ in range(2)} == {picture, other}
    client.mqtt.unsubscribe(picture)
    assert await client.mqtt.round_trip(5)
    await hall.mqtt.publish(picture, b"newer")
    await hall.mqtt.publish(other, b"newer")
    assert (await client.take()).topic == other


async def test_a_slow_reader_loses_nothing_and_is_not_flooded(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port, subscriptions=[(COMMANDS, 1)])
    sender = await connect(broker.port, "coordinator")
    total = 3 * RECEIVE_MAXIMUM
    assert all(await asyncio.gather(*[sender.mqtt.publish(COMMANDS, str(i).encode()) for i in range(total)]))
    assert await client.mqtt.round_trip(5)
    assert len(client.mqtt._inbox) <= RECEIVE_MAXIMUM
    assert [int((await client.take()).payload) for _ in range(total)] == list(range(total))
    assert client.mqtt.counts.overflowed == 0


async def test_a_full_inbox_drops_the_connection_and_not_the_message(
    broker: Broker, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await connect(broker.port, subscriptions=[(COMMANDS, 1)])
    monkeypatch.setattr("wire.mqtt.INBOX", 2)
    for payload in (b"1", b"2", b"3"):
        await client.mqtt.publish(COMMANDS, payload)
    assert await client.lost() == "inbox full"
    monkeypatch.undo()
    await client.born()
    assert [(await client.take()).payload for _ in range(3)] == [b"1", b"2", b"3"]


async def test_a_burst_is_acknowledged_whole(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port)
    burst = [client.mqtt.publish(f"paihao/1/h/x{i}", b"{}") for i in range(2 * IN_FLIGHT)]
    assert all(await asyncio.gather(*burst))


async def test_publishing_without_waiting_is_bounded(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port)
    broker.pause()
    taken = sum(client.mqtt.publish_nowait("paihao/1/h/x", b"{}") for _ in range(2 * IN_FLIGHT))
    assert taken == IN_FLIGHT
    broker.resume()
    assert await client.mqtt.publish("paihao/1/h/x", b"{}")
    assert client.mqtt.counts.lost == 0


async def test_a_broker_that_takes_few_at_once_is_not_overrun(tmp_path: Path, connect: Connect) -> None:
    broker = Broker(tmp_path / "broker", extra="max_inflight_messages 3")
    await broker.start()
    client = await connect(broker.port)
    assert sum(client.mqtt.publish_nowait("paihao/1/h/x", b"{}") for _ in range(50)) == 3
    assert all(await asyncio.gather(*[client.mqtt.publish("paihao/1/h/x", b"{}") for _ in range(50)]))
    await broker.stop()


async def test_more_than_the_socket_takes_is_written_later(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port, subscriptions=[("paihao/1/h/large", 1)])
    broker.pause()
    payload = b"x" * MAX_PAYLOAD
    for _ in range(WINDOW):
        assert client.mqtt.publish_nowait("paihao/1/h/large", payload)
    broker.resume()
    for _ in range(WINDOW):
        assert (await client.take()).payload == payload


async def test_oversized_payloads_are_refused_and_dropped(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port, subscriptions=[(COMMANDS, 1)])
    assert not await client.mqtt.publish(COMMANDS, b"x" * (MAX_PAYLOAD + 1))
    connection = client.mqtt._connection
    await connection.publish(COMMANDS, b"x" * (MAX_PAYLOAD + 1), 1, False, None)
    await client.mqtt.publish(COMMANDS, b"good")
    assert (await client.take()).payload == b"good"
    assert client.mqtt.counts.oversized == 2
    # The dropped one was acknowledged: it does not come back.
    client.cut()
    await client.born()
    await client.mqtt.publish(COMMANDS, b"next")
    assert (await client.take()).payload == b"next"


async def test_a_birth_that_fails_is_tried_again(broker: Broker, connect: Connect) -> None:
    attempts = 0

    async def birth(mqtt: Mqtt) -> bool:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise ValueError("no description yet")
        return True

    client = await connect(broker.port, birth=birth)
    assert attempts == 2
    assert client.mqtt.connected


async def test_a_listener_that_raises_does_not_end_the_reconnecting(broker: Broker, connect: Connect) -> None:
    client = await connect(broker.port)

    def fail(reason: str) -> None:
        raise ValueError(reason)

    client.mqtt._on_disconnected = fail
    client.cut()
    assert await client.born()


async def test_two_clients_with_one_id_throw_each_other_out_and_neither_dies(
    broker: Broker, connect: Connect
) -> None:
    first = await connect(broker.port)
    second = await connect(broker.port)
    assert await first.lost() in ("connection lost", "Session taken over")  # mosquitto 2.0 says nothing
    await second.mqtt.stop()
    await first.born()
    assert await first.mqtt.round_trip(5)


async def test_without_a_connection_there_is_no_round_trip(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = await connect(port, wait=False)
    assert not await client.mqtt.round_trip(1)
