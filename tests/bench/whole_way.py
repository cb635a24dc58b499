"""The whole way in a running hall: tap → last printer byte, call key → last LED byte, rating key → journal.

The hall is `simulator.hall_site` with every agent, the coordinator and the broker as processes; times are
taken where the fakes' lines end. The floor is the same chain of bare programs: bytes on a line → commit →
MQTT → commit → MQTT → bytes on a line; for the rating it ends at the message after the second commit.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from floor import FRAME, BareMqtt
from latency import make_pty, program
from results import Results

from drivers.transport.fake import FakeDevice
from simulator.hall_site import HallSite
from wire.codec import decode
from wire.messages import CoordinatorAck, NodeEvent
from wire.topics import parse_topic, subscription

CUT = b"\x1dV"
REFRESH_BYTES = 45
"""A ping of the LED card is shorter, a refresh is longer."""


class Stamp:
    """Notes when bytes that `matches` accepts reached a fake."""

    def __init__(self, device: FakeDevice, matches: Callable[[bytes], bool]) -> None:
        self.arrived = asyncio.Event()
        self.at = 0.0
        self._matches = matches
        self._received = device.received
        device.received = self._stamped  # type: ignore[method-assign]

    def _stamped(self, data: bytes) -> None:
        now = time.perf_counter()
        if self._matches(data):
            self.at = now
            self.arrived.set()
        self._received(data)

    async def after(self, act: Callable[[], Any]) -> float:
        """Seconds from `act` to the bytes."""
        self.arrived.clear()
        began = time.perf_counter()
        act()
        async with asyncio.timeout(10):
            await self.arrived.wait()
        return self.at - began


class FloorChain:
    """The bare programs, and this process at both ends."""

    def __init__(self) -> None:
        self._bytes = 0
        self._written = asyncio.Event()
        self._acked = asyncio.Event()
        self._written_at = self._acked_at = 0.0

    async def start(self, stack: AsyncExitStack, port: int, folder: Path) -> None:
        floor = str(Path(__file__).with_name("floor.py"))
        self._screen, screen_path = make_pty()
        self._keypad, keypad_path = make_pty()
        asyncio.get_running_loop().add_reader(self._screen, self._readable)
        stack.callback(asyncio.get_running_loop().remove_reader, self._screen)
        for arguments in (
            ("screen", str(port), "floor/out", screen_path),
            ("coordinator", str(port), "floor/in", "floor/out", str(folder / "floor-hall.db")),
            ("keypad", str(port), "floor/in", keypad_path, str(folder / "floor-node.db")),
        ):
            await stack.enter_async_context(program(floor, *arguments, wait_for=b"ready"))
        self._client = BareMqtt("bench-floor", self._message)
        await self._client.connect(port)
        await self._client.subscribe("floor/out")

    def _readable(self) -> None:
        self._bytes += len(os.read(self._screen, 4096))
        if self._bytes >= len(FRAME):
            self._bytes = 0
            self._written_at = time.perf_counter()
            self._written.set()

    def _message(self, where: str, payload: bytes) -> None:
        self._acked_at = time.perf_counter()
        self._acked.set()

    async def press(self) -> tuple[float, float]:
        """Seconds to the last byte on the line, and to the message after the second commit."""
        self._written.clear()
        self._acked.clear()
        began = time.perf_counter()
        os.write(self._keypad, b"\x01\x01\x31\x07")
        async with asyncio.timeout(10):
            await self._written.wait()
            await self._acked.wait()
        return self._written_at - began, self._acked_at - began


class RatingWatch:
    """When the coordinator's ack covered the newest `rated` event: it is in the journal then."""

    def __init__(self) -> None:
        self._client = BareMqtt("bench-rating", self._message)
        self._wanted: dict[str, int] = {}
        self.in_journal = asyncio.Event()
        self.at = 0.0

    async def start(self, port: int, hall: str) -> None:
        await self._client.connect(port)
        await self._client.subscribe(subscription(hall, "node_event"))
        await self._client.subscribe(subscription(hall, "coordinator_ack"))

    def _message(self, where: str, payload: bytes) -> None:
        now = time.perf_counter()
        topic = parse_topic(where)
        if topic.name == "node_event":
            event = decode(payload, NodeEvent)
            if event.kind == "rated":
                self._wanted[topic.ids["node"]] = event.seq
        else:
            wanted = self._wanted.get(topic.ids["node"])
            if wanted is not None and decode(payload, CoordinatorAck).through >= wanted:
                del self._wanted[topic.ids["node"]]
                self.at = now
                self.in_journal.set()


def _settings(part: str, tables: dict[str, Any]) -> None:
    for station in tables.get("station", ()):
        if station["kind"] == "counter":
            station["flash_s"] = 60  # the end of a flash is a refresh too
    if "limits" in tables:
        tables["limits"]["starvation_bound_s"] = 86400


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[tuple[HallSite, FloorChain, RatingWatch]]:
    async with AsyncExitStack() as stack:
        site = HallSite(folder / "hall", settings=_settings)
        await site.start()
        stack.push_async_callback(site.stop)
        await site.wait_ready()
        await site.wait_devices()
        chain = FloorChain()
        await chain.start(stack, site.broker_port, folder)
        watch = RatingWatch()
        await watch.start(site.broker_port, site.hall)
        yield site, chain, watch


def _take_numbers(api_port: int, count: int) -> None:
    for index in range(count):
        service = ("id-card", "pension", "tax", "business-license")[index % 4]
        request = urllib.request.Request(
            f"http://127.0.0.1:{api_port}/api/v1/tickets",
            data=b'{"service": "%s"}' % service.encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": f"bench-{index}"},
        )
        urllib.request.urlopen(request).read()


async def _tap_to_paper(site: HallSite, chain: FloorChain, samples: int) -> tuple[list[float], list[float]]:
    stamp = Stamp(site.printer, lambda data: CUT in data)
    ours, floor = [], []
    for _ in range(samples):
        request = ""

        def tap() -> None:
            nonlocal request
            request = site.kiosk.take_ticket("id-card") or ""

        ours.append(await stamp.after(tap))
        await site.kiosk.end_of(request, 10)
        await asyncio.sleep(0.05)
        floor.append((await chain.press())[0])
        await asyncio.sleep(0.05)
    return ours, floor


async def _calls_and_ratings(
    site: HallSite, chain: FloorChain, watch: RatingWatch, samples: int
) -> tuple[list[float], list[float], list[float], list[float]]:
    """Each counter calls in turn; the grade of the service that ended is pressed when the keypad asks."""
    refreshed = {
        counter: Stamp(site.strip(counter), lambda data: len(data) > REFRESH_BYTES)
        for counter in site.counters
    }
    calls, call_floor, ratings, rating_floor = [], [], [], []
    for sample in range(samples):
        counter = site.counters[sample % len(site.counters)]
        began = time.perf_counter()
        calls.append(await refreshed[counter].after(lambda c=counter: site.call_keypad(c).press("next")))
        await asyncio.sleep(0.05)
        keypad = site.rating_keypad(counter)
        async with asyncio.timeout(5):
            while sample >= len(site.counters) and not keypad.prompting:
                await asyncio.sleep(0.01)
        if keypad.prompting:
            watch.in_journal.clear()
            start = time.perf_counter()
            keypad.press("5")
            async with asyncio.timeout(5):
                await watch.in_journal.wait()
            ratings.append(watch.at - start)
        await asyncio.sleep(0.05)
        to_line, to_ack = await chain.press()
        call_floor.append(to_line)
        rating_floor.append(to_ack)
        # a strip takes one refresh a second; each counter's turn comes after that
        await asyncio.sleep(max(0.0, 1.2 / len(site.counters) - (time.perf_counter() - began)))
    return calls, call_floor, ratings, rating_floor


async def run(results: Results, folder: Path, *, quick: bool) -> None:
    """Print the three ways."""
    samples = 40 if quick else 200
    async with _running(folder) as (site, chain, watch):
        await _tap_to_paper(site, chain, 10)
        real = list(site.kiosk.paper_s)
        results.add(
            "tap → confirmed paper, paper at 200 mm/s and a cutter",
            statistics.median(real) * 1000,
            "ms",
            n=len(real),
            longest=max(real) * 1000,
        )
        site.printer.mm_per_s = 0.0  # from here on the printer takes no time: the software's own share
        ours, floor = await _tap_to_paper(site, chain, samples)
        results.compare("tap → last printer byte (whole hall)", ours, floor)
        await asyncio.to_thread(_take_numbers, site.api_port, samples + 20)
        calls, call_floor, ratings, rating_floor = await _calls_and_ratings(site, chain, watch, samples)
        results.compare("call key → last LED byte (whole hall)", calls, call_floor)
        results.compare("rating key → journal (whole hall)", ratings, rating_floor)
