"""Many callers at once, as a process of its own: each takes a number, waits for it, takes the next.

    python callers.py rest PORT CALLERS SECONDS
    python callers.py mqtt PORT HALL CALLERS SECONDS

Prints one line of JSON: the numbers in the order of arrival and the seconds that each took. Clients are bare
(asyncio protocols), because the server is what is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime

from floor import BareMqtt

from wire.codec import decode, encode, event
from wire.messages import NodeCommand, TicketRequested
from wire.topics import topic

SERVICES = ("id-card", "pension", "tax", "business-license", "passport", "medical-insurance")

numbers: list[str] = []
took: list[float] = []


class RestCaller(asyncio.Protocol):
    """One kept-alive connection; POST /api/v1/tickets again and again."""

    def __init__(self, index: int, until: float) -> None:
        self._until = until
        self._body = json.dumps({"service": SERVICES[index % len(SERVICES)]}).encode()
        self._buffer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._began = time.perf_counter()
        head = (
            f"POST /api/v1/tickets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {os.urandom(10).hex()}\r\nContent-Length: {len(self._body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + self._body)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) < length:
            return
        if head[9:11] != b"20":
            self.done.set_exception(RuntimeError(body.decode()))
            return
        self._buffer = body[length:]
        took.append(time.perf_counter() - self._began)
        numbers.append(json.loads(body[:length])["number"])
        if time.perf_counter() < self._until:
            self._ask()
        else:
            self._transport.close()
            self.done.set_result(None)


async def _rest(port: str, callers: str, seconds: str) -> None:
    until = time.perf_counter() + float(seconds)
    all_callers = [RestCaller(index, until) for index in range(int(callers))]
    for caller in all_callers:
        await asyncio.get_running_loop().create_connection(lambda c=caller: c, "127.0.0.1", int(port))
    await asyncio.gather(*(caller.done for caller in all_callers))


async def _mqtt_caller(port: int, hall: str, index: int, until: float) -> None:
    """One node with a stream of its own: `ticket_requested`, then the wait for `print_ticket`."""
    node = f"bench-{os.getpid()}-{index}"
    arrived: asyncio.Queue[str] = asyncio.Queue()

    def message(where: str, payload: bytes) -> None:
        command = decode(payload, NodeCommand)
        if command.kind == "print_ticket":
            arrived.put_nowait(json.loads(bytes(command.body))["number"])

    client = BareMqtt(node, message)
    await client.connect(port)
    await client.subscribe(topic(hall, "node_command", node=node))
    where, seq = topic(hall, "node_event", node=node), 0
    while time.perf_counter() < until:
        seq += 1
        began = time.perf_counter()
        body = TicketRequested(request=f"{node}-{seq}", service=SERVICES[index % len(SERVICES)])
        at = datetime.now(UTC)
        sent = event(body, id=f"{node}-{seq}", stream=node, seq=seq, session=node, at=at)
        client.publish(where, encode(sent))
        async with asyncio.timeout(20):
            numbers.append(await arrived.get())
        took.append(time.perf_counter() - began)
    client.close()


async def _mqtt(port: str, hall: str, callers: str, seconds: str) -> None:
    until = time.perf_counter() + float(seconds)
    await asyncio.gather(*(_mqtt_caller(int(port), hall, index, until) for index in range(int(callers))))


if __name__ == "__main__":
    began = time.perf_counter()
    asyncio.run({"rest": _rest, "mqtt": _mqtt}[sys.argv[1]](*sys.argv[2:]))
    print(json.dumps({"seconds": time.perf_counter() - began, "numbers": numbers, "took": took}))
