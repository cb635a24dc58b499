"""From a pressed key to the event, for 32 keypads polled on one RS-485 line, beside a bare loop of
os.write and os.read that asks the same questions in the same run.

The line is `keypad_bus.py`, in a process of its own, as slow as 9600 and 115200 baud. A key waits for its
turn: half a round on average, which the wire decides.
"""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
import threading
import time
import tty
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import msgspec
from keypad_bus import POLL_SIZE, TURNAROUND_S, answer, crc16
from results import Results

from drivers.keypad.serial_keypad import SerialKeypad, SerialKeypadConfig, load_format
from drivers.transport.serial import SerialConfig

COUNT = 32
ANSWER_SIZE = len(answer(1, 0))
FORMAT = msgspec.structs.replace(
    load_format("call-keypad-display"),
    releases={},
    light="",
    show="",
    poll_interval_ms=10,
    poll_timeout_ms=100,
)
ROUNDS = 4
"""Ours and the floor take turns so often."""


class Bus:
    """The other process."""

    def __init__(self, baud: int) -> None:
        self.byte_s = 10 / baud
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("keypad_bus.py")), str(baud), str(COUNT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self.path = self._out.readline().strip()

    @property
    def poll_s(self) -> float:
        """One question and its answer on the wire."""
        return (POLL_SIZE + ANSWER_SIZE) * self.byte_s + TURNAROUND_S

    def start(self, presses: int, rate: float) -> None:
        self._in.write(f"go {presses} {rate}\n")
        self._in.flush()

    def pressed(self) -> dict[int, list[float]]:
        """When the keys of each address were pressed. Waits until all were asked for."""
        times: dict[int, list[float]] = defaultdict(list)
        while (line := self._out.readline().strip()) != "done":
            address, at = line.split()
            times[int(address)].append(float(at))
        return times

    def stop(self) -> None:
        self._in.close()
        self._process.wait()


def bare(bus: Bus, presses: int, rate: float) -> tuple[dict[int, list[float]], dict[int, list[float]], float]:
    """The floor: when keys were pressed, when they were read, and rounds per second."""
    fd = os.open(bus.path, os.O_RDWR | os.O_NOCTTY)
    time.sleep(0.1)  # the last answer of whoever asked before
    tty.setraw(fd)  # which forgets it
    questions = {}
    for address in range(1, COUNT + 1):
        head = bytes((0xAA, 0x55, address, 0x10))
        questions[address] = head + crc16(head)
    read: dict[int, list[float]] = defaultdict(list)
    pressed: dict[int, list[float]] = {}
    ended = threading.Event()

    def wait() -> None:
        pressed.update(bus.pressed())
        ended.set()

    bus.start(presses, rate)
    waiter = threading.Thread(target=wait)
    waiter.start()
    began, polls = time.monotonic(), 0
    while not ended.is_set():
        for address, question in questions.items():
            os.write(fd, question)
            got = b""
            while len(got) < ANSWER_SIZE:
                if not select.select([fd], [], [], 0.5)[0]:
                    break
                got += os.read(fd, 4096)
            polls += 1
            if len(got) == ANSWER_SIZE and got[-2:] == crc16(got[:-2]) and got[4]:
                read[address].append(time.monotonic())
    rate_of_polls = polls / (time.monotonic() - began)
    waiter.join()
    os.close(fd)
    return pressed, read, rate_of_polls


class Ours:
    """32 drivers on the shared line."""

    def __init__(self, path: str) -> None:
        self.read: dict[int, list[float]] = defaultdict(list)
        self.keypads = {
            address: SerialKeypad(
                SerialKeypadConfig(
                    transport=SerialConfig(path=path, shared=True),
                    inline=FORMAT,
                    address=address,
                    lost_after_s=5,
                )
            )
            for address in range(1, COUNT + 1)
        }
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        for keypad in self.keypads.values():
            await keypad.open()
        for address, keypad in self.keypads.items():
            self._tasks += [
                asyncio.create_task(keypad.serve()),
                asyncio.create_task(self._events(address, keypad)),
            ]

    async def _events(self, address: int, keypad: SerialKeypad) -> None:
        while True:
            await keypad.next_key()
            self.read[address].append(time.monotonic())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        for keypad in self.keypads.values():
            await keypad.close()


def delays(pressed: dict[int, list[float]], read: dict[int, list[float]]) -> list[float]:
    """Seconds from key to event. Raises AssertionError when a key was lost or came twice."""
    found = []
    for address, times in pressed.items():
        assert len(times) == len(read[address]), (address, len(times), len(read[address]))
        found += [at - began for began, at in zip(times, read[address], strict=True)]
    return found


async def _ours(bus: Bus, presses: int, rate: float) -> tuple[list[float], float, float]:
    hall = Ours(bus.path)
    await hall.start()
    asked: Callable[[], int] = lambda: sum(keypad.polls for keypad in hall.keypads.values())  # noqa: E731
    began, cpu, polls = time.monotonic(), time.process_time(), asked()
    bus.start(presses, rate)
    pressed = await asyncio.to_thread(bus.pressed)
    await asyncio.sleep(0.3)  # the last answer is on its way
    took = time.monotonic() - began
    busy = (time.process_time() - cpu) / took
    polled = (asked() - polls) / took
    await hall.stop()
    return delays(pressed, hall.read), polled, busy


async def run(results: Results, folder: Path, *, quick: bool) -> None:
    presses = 40 if quick else 150
    for baud in (9600, 115200):
        bus = Bus(baud)
        rate = 20.0
        ours: list[float] = []
        floor: list[float] = []
        our_rates, floor_rates, busy = [], [], []
        for _ in range(ROUNDS):
            pressed, read, polls = await asyncio.to_thread(bare, bus, presses, rate)
            floor += delays(pressed, read)
            floor_rates.append(polls)
            found, polls, share = await _ours(bus, presses, rate)
            ours += found
            our_rates.append(polls)
            busy.append(share)
        bus.stop()
        wire_ms = COUNT * bus.poll_s * 1000
        name = f"{COUNT} keypads on one line, {baud} baud"
        results.compare(f"{name}: key to event", ours, floor)
        mine, least = sum(our_rates) / len(our_rates), sum(floor_rates) / len(floor_rates)
        results.add(
            f"{name}: a round of all",
            COUNT / mine * 1000,
            "ms",
            n=ROUNDS,
            floor=COUNT / least * 1000,
            ratio=least / mine,
            on_the_wire=wire_ms,
        )
        results.add(f"{name}: share of one core", sum(busy) / len(busy), "")
