"""The broker of a hall: who may write and read what, told by what arrives and not by return codes."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.broker import CONFIGURATION, Broker
from wire.mqtt import BrokerOptions, Counts, TlsOptions
from wire.mqtt_client import Opening
from wire.mqtt_connection import Connection, ConnectionFailedError
from wire.topics import KINDS, topic

pytestmark = pytest.mark.broker

Connect = Callable[..., Awaitable[Any]]

KIOSK, COUNTER = "kiosk-1", "counter-3"
OWNERS = {"node_state", "node_description", "device_state", "node_event"}
COORDINATORS = set(KINDS) - OWNERS
ON_THE_WALL = {"coordinator_state", "counter", "board", "catalogue", "call"} | {
    "guides",
    "guide",
    "playlist",
    "picture",
    "rating_reasons",
}


def topics_of(node: str) -> dict[str, str]:
    """One topic of every row, with this node's id wherever a node's id stands."""
    ids = {"node": node, "device": "printer", "counter": "3", "guide": "g", "picture": "p"}
    return {
        name: topic("h", name, **{k: v for k, v in ids.items() if f"{{{k}}}" in KINDS[name].pattern})
        for name in KINDS
    }


ALL = {f"{name} {node}": text for node in (KIOSK, COUNTER) for name, text in topics_of(node).items()}
"""Every row for two nodes; rows without a node's id stand twice."""


def may_write(role: str) -> set[str]:
    if role == "coordinator":
        return {ALL[f"{name} {node}"] for name in COORDINATORS for node in (KIOSK, COUNTER)}
    if role in (KIOSK, COUNTER):
        return {ALL[f"{name} {role}"] for name in OWNERS}
    return set()


def may_read(role: str) -> set[str]:
    wall = {ALL[f"{name} {KIOSK}"] for name in ON_THE_WALL}
    if role == "coordinator":
        return set(ALL.values())
    if role == "business":
        return wall | {ALL[f"{name} {node}"] for name in OWNERS for node in (KIOSK, COUNTER)}
    if role in (KIOSK, COUNTER):
        return wall | {ALL[f"{name} {role}"] for name in ("node_command", "coordinator_ack", "config")}
    return wall


ROLES = [KIOSK, COUNTER, "coordinator", "business", "stranger"]


@pytest.fixture
async def guarded(tmp_path: Path) -> Any:
    broker = Broker(tmp_path / "broker", acl=True)
    await broker.start()
    yield broker
    await broker.stop()


async def no_birth(mqtt: Any) -> bool:
    return True


async def test_each_role_writes_only_what_is_its_own(guarded: Broker, connect: Connect) -> None:
    watcher = await connect(guarded.port, "coordinator", [("paihao/#", 1)], birth=no_birth)
    for role in ROLES:
        if role == "coordinator":
            continue
        client = await connect(guarded.port, role, birth=no_birth)
        texts = sorted(set(ALL.values()) | {"paihao/1/h/unknown", "paihao/2/h/board", "other"})
        acknowledged = {text for text in texts if await client.mqtt.publish(text, role.encode())}
        assert acknowledged == may_write(role), role
        arrived = set()
        for _ in acknowledged:
            message = await watcher.take()
            assert message.payload == role.encode()
            arrived.add(message.topic)
        assert arrived == may_write(role), role
        await client.mqtt.stop()


async def test_the_coordinator_writes_no_events_for_its_nodes(guarded: Broker, connect: Connect) -> None:
    client = await connect(guarded.port, "coordinator", birth=no_birth)
    assert {text for text in ALL.values() if await client.mqtt.publish(text, b"x")} == may_write(
        "coordinator"
    )


async def test_each_role_reads_only_what_is_for_it(guarded: Broker, connect: Connect) -> None:
    readers = {role: await connect(guarded.port, role, [("#", 1)], birth=no_birth) for role in ROLES}
    for writer in ("coordinator", KIOSK, COUNTER):
        for text in sorted(may_write(writer)):
            assert await readers[writer].mqtt.publish(text, b"x")
    end = topic("h", "board")
    await readers["coordinator"].mqtt.publish(end, b"end")
    for role, reader in readers.items():
        arrived = set()
        while True:
            message = await reader.take()
            arrived.add(message.topic)
            if message.payload == b"end":
                break
        assert arrived == may_read(role), role


async def test_a_refused_publish_is_not_taken_for_a_success(guarded: Broker, connect: Connect) -> None:
    client = await connect(guarded.port, KIOSK, birth=no_birth)
    assert not await client.mqtt.publish(topics_of(COUNTER)["node_event"], b"forged")
    assert client.mqtt.counts.refused == 1
    assert await client.mqtt.publish(topics_of(KIOSK)["node_event"], b"own")


async def test_a_certificate_is_the_identity_whatever_else_the_client_claims(
    tmp_path: Path, connect: Connect
) -> None:
    certificates = tmp_path / "tls"
    await asyncio.to_thread(make_certificates, certificates, KIOSK)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    broker = Broker(tmp_path / "broker", acl=True, extra=tls_listener(certificates, port))
    await broker.start()
    watcher = await connect(broker.port, "coordinator", [("paihao/#", 1)], birth=no_birth)
    tls = TlsOptions(
        ca_file=str(certificates / "ca.pem"),
        certificate_file=str(certificates / f"{KIOSK}.pem"),
        key_file=str(certificates / f"{KIOSK}.key"),
    )
    # The client claims the name and the id of another node; its certificate says kiosk-1.
    client = await connect(port, COUNTER, birth=no_birth, host="localhost", tls=tls)
    assert not await client.mqtt.publish(topics_of(COUNTER)["node_event"], b"forged")
    large = b"x" * 200_000
    assert await client.mqtt.publish(topics_of(KIOSK)["node_event"], large)
    assert (await watcher.take()).payload == large
    await broker.stop()


async def test_without_a_certificate_nobody_comes_in(tmp_path: Path) -> None:
    certificates = tmp_path / "tls"
    await asyncio.to_thread(make_certificates, certificates)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    broker = Broker(tmp_path / "broker", acl=True, extra=tls_listener(certificates, port))
    await broker.start()
    trusting = TlsOptions(ca_file=str(certificates / "ca.pem"))
    for tls in (trusting, TlsOptions(), None):
        options = BrokerOptions(host="localhost", port=port, username=KIOSK, tls=tls)
        connection = Connection(Opening(options, KIOSK, None, b"", ()), Counts(), lambda received: True)
        with pytest.raises(ConnectionFailedError):
            await connection.open()
        connection.close("refused")
    await broker.stop()


def tls_listener(certificates: Path, port: int) -> str:
    """The hall's listener.conf on another port and with the certificates of the test."""
    text = (CONFIGURATION / "listener.conf").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("#", "acl_file", "allow_anonymous"))]
    return (
        "\n".join(lines)
        .replace("listener 8883", f"listener {port} 127.0.0.1")
        .replace("/etc/paihao/tls", str(certificates))
    )


def make_certificates(folder: Path, *names: str) -> None:
    """An authority, and certificates for the broker and each name, with the openssl program."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is not installed")
    folder.mkdir()

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True, timeout=20)

    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    run(*new, "-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.pem")
    for name in ("broker", *names):
        host = "localhost" if name == "broker" else name
        run(
            *new, "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", f"/CN={host}",
            "-addext", f"subjectAltName=DNS:{host}", "-addext", "basicConstraints=critical,CA:FALSE",
            "-keyout", f"{name}.key", "-out", f"{name}.pem",
        )  # fmt: skip
