"""The floor: the least that any program has to do. Bare asyncio MQTT 3.1.1, `os.write`, one commit.

Run as a program it plays one part, so that it is measured as its own process like ours:

    python floor.py screen PORT TOPIC TTY            message → bytes on a line
    python floor.py keypad PORT TOPIC TTY DATABASE   bytes on a line → commit → message
    python floor.py coordinator PORT IN OUT DATABASE message → commit → message
    python floor.py bare                             asyncio + sqlite3 + ssl, started and nothing else
"""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import struct
import sys
import tty
from collections.abc import Callable

FRAME = bytes.fromhex("a5" * 8) + bytes(86) + b"\x5a"
"""As many bytes as our frame for a call of six characters."""


class BareMqtt(asyncio.Protocol):
    """QoS 1 both ways, no sessions, no reconnect; `on_message(topic, payload)`."""

    def __init__(self, client_id: str, on_message: Callable[[str, bytes], None] | None = None) -> None:
        self._id = client_id
        self._on_message = on_message
        self._buffer = b""
        self._packet = 0
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def connect(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._connected = loop.create_future()
        transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", port)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + _text(self._id)
        transport.write(b"\x10" + _length(len(body)) + body)
        await self._connected

    async def subscribe(self, topic: str) -> None:
        packet, done = self._next()
        body = struct.pack(">H", packet) + _text(topic) + b"\x01"
        self._transport.write(b"\x82" + _length(len(body)) + body)
        await done

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> asyncio.Future[None]:
        packet, done = self._next()
        body = _text(topic) + struct.pack(">H", packet) + payload
        self._transport.write(bytes([0x32 | retain]) + _length(len(body)) + body)
        return done

    def _next(self) -> tuple[int, asyncio.Future[None]]:
        self._packet = self._packet % 65535 + 1
        done = asyncio.get_running_loop().create_future()
        self._waiting[self._packet] = done
        return self._packet, done

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 2:
            size = shift = 0
            head = 1
            while True:
                if head >= len(self._buffer):
                    return
                byte = self._buffer[head]
                size |= (byte & 127) << shift
                shift += 7
                head += 1
                if byte < 128:
                    break
            if len(self._buffer) < head + size:
                return
            kind, body = self._buffer[0], self._buffer[head : head + size]
            self._buffer = self._buffer[head + size :]
            self._packet_in(kind, body)

    def _packet_in(self, kind: int, body: bytes) -> None:
        if kind >> 4 == 3:
            end = 2 + (body[0] << 8 | body[1])
            if kind & 6:
                self._transport.write(b"\x40\x02" + body[end : end + 2])
                payload = body[end + 2 :]
            else:
                payload = body[end:]
            if self._on_message:
                self._on_message(body[2:end].decode(), payload)
        elif kind == 0x20:
            self._connected.set_result(None)
        elif kind in (0x40, 0x90):
            done = self._waiting.pop(body[0] << 8 | body[1], None)
            if done and not done.done():
                done.set_result(None)

    def close(self) -> None:
        self._transport.close()


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def _length(size: int) -> bytes:
    out = b""
    while True:
        size, low = size >> 7, size & 127
        out += bytes([low | (128 if size else 0)])
        if not size:
            return out


def _raw_tty(path: str) -> int:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(fd)
    return fd


def _database(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY, body BLOB)")
    return database


async def _screen(port: str, topic: str, path: str) -> None:
    fd = _raw_tty(path)
    client = BareMqtt("floor-screen", lambda topic, payload: os.write(fd, FRAME) and None)
    await client.connect(int(port))
    await client.subscribe(topic)


async def _keypad(port: str, topic: str, path: str, database: str) -> None:
    fd = _raw_tty(path)
    outbox = _database(database)
    client = BareMqtt("floor-keypad")
    await client.connect(int(port))

    def key() -> None:
        body = b'{"key":"next","bytes":"%s","pad":"%s"}' % (os.read(fd, 64).hex().encode(), b"x" * 200)
        outbox.execute("INSERT INTO outbox (body) VALUES (?)", (body,))
        client.publish(topic, body)

    asyncio.get_running_loop().add_reader(fd, key)


async def _coordinator(port: str, topic_in: str, topic_out: str, database: str) -> None:
    journal = _database(database)

    def message(topic: str, payload: bytes) -> None:
        journal.execute("INSERT INTO outbox (body) VALUES (?)", (payload,))
        client.publish(topic_out, payload)

    client = BareMqtt("floor-coordinator", message)
    await client.connect(int(port))
    await client.subscribe(topic_in)


async def _bare() -> None:
    import ssl

    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _database(":memory:")
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", path)


async def _main() -> None:
    part, *arguments = sys.argv[1:]
    await {"screen": _screen, "keypad": _keypad, "coordinator": _coordinator, "bare": _bare}[part](*arguments)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
