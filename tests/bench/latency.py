"""Call → LED and key → coordinator: our agent beside the floor, sample by sample in turn.

Our agent is the installed `paihao agent` in a process of its own; it drives eight counters, because a screen
takes one refresh a second. The far ends of its serial lines are in this process, which also plays the
coordinator (heartbeat, acks). The floor's parts are processes too (`floor.py`).
"""

from __future__ import annotations

import asyncio
import os
import pty
import sys
import time
import tty
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from floor import FRAME, BareMqtt
from profiles import HALL, NODE, counter_profile
from results import Results

from drivers.call_screen.fake import FakeOnbonCard
from drivers.keypad.fake import FakeSerialKeypad
from drivers.transport.fake import PtyLine
from simulator.broker import Broker
from wire.codec import decode, encode
from wire.messages import Call, CoordinatorAck, CoordinatorState, CounterState, NodeEvent
from wire.topics import subscription, topic

COUNTERS = [str(number) for number in range(1, 9)]
NAMES = {"zh-CN": "1号窗口", "en": "Counter 1"}


class StampedCard(FakeOnbonCard):
    """Notes when the last byte of each refresh arrived. Pings are shorter."""

    refreshed: asyncio.Event
    at = 0.0
    size = 0

    def received(self, data: bytes) -> None:
        now = time.perf_counter()
        if len(data) > 45 and data.endswith(b"\x5a"):
            self.at, self.size = now, len(data)
            self.refreshed.set()
        super().received(data)


class Coordinator:
    """Plays the coordinator with as little as possible: heartbeats, acks, and the time of each key event."""

    def __init__(self) -> None:
        self.client = BareMqtt("bench-coordinator", self._message)
        self.key_seen = asyncio.Event()
        self.key_at = 0.0
        self._state = topic(HALL, "coordinator_state")

    async def start(self, port: int) -> None:
        await self.client.connect(port)
        await self.client.subscribe(subscription(HALL, "node_event"))
        self._beats = asyncio.create_task(self._beat())

    async def show_idle(self, counters: list[str]) -> None:
        """The retained snapshot of each counter: open, nobody called."""
        for counter in counters:
            state = CounterState(epoch=1, rev=1, counter=counter, name=NAMES, zone="1f", state="open")
            await self.client.publish(topic(HALL, "counter", counter=counter), encode(state), retain=True)

    async def _beat(self) -> None:
        while True:
            now = datetime.now(UTC)
            state = CoordinatorState(
                state="online", session="bench", epoch=1, business_date=now.date(), at=now
            )
            await self.client.publish(self._state, encode(state), retain=True)
            await asyncio.sleep(3)

    def _message(self, where: str, payload: bytes) -> None:
        now = time.perf_counter()
        if b'"key_pressed"' in payload:
            self.key_at = now
            self.key_seen.set()
        event = decode(payload, NodeEvent)
        ack = CoordinatorAck(stream=event.stream, through=event.seq, epoch=1)
        self.client.publish(topic(HALL, "coordinator_ack", node=NODE), encode(ack))


class Lines:
    """The far ends: our eight screens and keypads on ptys, one pty each for the floor's."""

    def __init__(self, folder: Path) -> None:
        self.cards = [StampedCard() for _ in COUNTERS]
        self.keypads = [FakeSerialKeypad() for _ in COUNTERS]
        self._lines = [
            PtyLine(card, folder / f"screen-{c}") for c, card in zip(COUNTERS, self.cards, strict=True)
        ]
        self._lines += [
            PtyLine(pad, folder / f"keypad-{c}") for c, pad in zip(COUNTERS, self.keypads, strict=True)
        ]
        self.floor_written = asyncio.Event()
        self.floor_at = 0.0
        self._floor_bytes = 0

    async def start(self) -> None:
        for card in self.cards:
            card.refreshed = asyncio.Event()
        for line in self._lines:
            await line.plug()
        self.floor_screen, self.floor_screen_path = make_pty()
        self.floor_keypad, self.floor_keypad_path = make_pty()
        asyncio.get_running_loop().add_reader(self.floor_screen, self._floor_readable)

    def _floor_readable(self) -> None:
        self._floor_bytes += len(os.read(self.floor_screen, 4096))
        if self._floor_bytes >= len(FRAME):
            self.floor_at = time.perf_counter()
            self._floor_bytes = 0
            self.floor_written.set()

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self.floor_screen)
        for line in self._lines:
            await line.unplug()


def make_pty() -> tuple[int, str]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    return master, os.ttyname(slave)


@asynccontextmanager
async def program(
    *arguments: str, wait_for: bytes | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python program for as long as the block runs; `wait_for` is awaited on its output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE if wait_for else None
    )
    try:
        if wait_for and process.stdout:
            async with asyncio.timeout(20):
                while wait_for not in await process.stdout.readline():
                    pass
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def counters(folder: Path) -> AsyncIterator[tuple[Broker, Lines, Coordinator]]:
    """A broker, our agent with eight counters and the floor's programs, all ready."""
    floor = str(Path(__file__).with_name("floor.py"))
    async with AsyncExitStack() as stack:
        broker = Broker(folder / "broker")
        await broker.start()
        stack.push_async_callback(broker.stop)
        lines = Lines(folder)
        await lines.start()
        stack.push_async_callback(lines.stop)
        coordinator = Coordinator()
        await coordinator.start(broker.port)
        await coordinator.show_idle(COUNTERS)
        profile = folder / "node.toml"
        profile.write_text(counter_profile(folder, broker.port, COUNTERS))
        await stack.enter_async_context(program("-m", "paihao", "agent", "--config", str(profile)))
        port = str(broker.port)
        await stack.enter_async_context(
            program(floor, "screen", port, "floor/call", lines.floor_screen_path, wait_for=b"ready")
        )
        await stack.enter_async_context(
            program(
                floor,
                "keypad",
                port,
                "floor/key",
                lines.floor_keypad_path,
                str(folder / "floor.db"),
                wait_for=b"ready",
            )
        )
        async with asyncio.timeout(20):
            for card in lines.cards:
                await card.refreshed.wait()  # the idle text: the screen is up and the hall is heard
        await asyncio.sleep(2)
        yield broker, lines, coordinator


def _call(counter: str, sample: int) -> bytes:
    return encode(
        Call(
            call=f"c-{sample}",
            epoch=1,
            number=f"A{sample % 1000:03}",
            counter=counter,
            counter_name=NAMES,
            zone="1f",
            deadline=datetime.now(UTC) + timedelta(seconds=20),
        )
    )


async def call_to_led(lines: Lines, publisher: BareMqtt, samples: int) -> tuple[list[float], list[float]]:
    """Seconds from the publish of a call to the last byte on the line: (ours, floor)."""
    ours, floor = [], []
    for sample in range(samples):
        counter = sample % len(COUNTERS)
        card = lines.cards[counter]
        payload = _call(COUNTERS[counter], sample)
        card.refreshed.clear()
        began = time.perf_counter()
        publisher.publish(topic(HALL, "call"), payload)
        async with asyncio.timeout(5):
            await card.refreshed.wait()
        ours.append(card.at - began)
        await asyncio.sleep(0.07)
        lines.floor_written.clear()
        began = time.perf_counter()
        publisher.publish("floor/call", payload)
        async with asyncio.timeout(5):
            await lines.floor_written.wait()
        floor.append(lines.floor_at - began)
        await asyncio.sleep(0.08)
    return ours, floor


async def key_to_coordinator(
    lines: Lines, coordinator: Coordinator, port: int, samples: int
) -> tuple[list[float], list[float]]:
    """Seconds from the key's bytes on the line to its event at the coordinator: (ours, floor)."""
    floor_seen = asyncio.Event()
    floor_at = 0.0

    def seen(where: str, payload: bytes) -> None:
        nonlocal floor_at
        floor_at = time.perf_counter()
        floor_seen.set()

    receiver = BareMqtt("bench-floor-keys", seen)
    await receiver.connect(port)
    await receiver.subscribe("floor/key")
    ours, floor = [], []
    for sample in range(samples):
        coordinator.key_seen.clear()
        began = time.perf_counter()
        lines.keypads[sample % len(COUNTERS)].press("next")
        async with asyncio.timeout(5):
            await coordinator.key_seen.wait()
        ours.append(coordinator.key_at - began)
        await asyncio.sleep(0.05)
        floor_seen.clear()
        began = time.perf_counter()
        os.write(lines.floor_keypad, b"\x01\x01\x31\x07")
        async with asyncio.timeout(5):
            await floor_seen.wait()
        floor.append(floor_at - began)
        await asyncio.sleep(0.05)
    receiver.close()
    return ours, floor


async def run(results: Results, folder: Path, *, quick: bool) -> None:
    """Print both comparisons."""
    samples = 80 if quick else 400
    async with counters(folder) as (broker, lines, coordinator):
        ours, floor = await call_to_led(lines, coordinator.client, samples)
        results.compare("call → last LED byte (agent alone)", ours, floor)
        results.add(
            "bytes of one LED refresh", lines.cards[0].size, "bytes", floor=float(len(FRAME)),
            ratio=lines.cards[0].size / len(FRAME),
        )  # fmt: skip
        ours, floor = await key_to_coordinator(lines, coordinator, broker.port, samples)
        results.compare("key → durable outbox → coordinator", ours, floor)
