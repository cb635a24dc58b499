"""32 polled keypads on an RS-485 line as slow as its baud rate, in a process of its own, on a pty.

    python keypad_bus.py BAUD COUNT

Says the path of the line. Then each line "go PRESSES PER_SECOND" on standard input has people press keys at
random times, at random keypads; each press is said as "ADDRESS MONOTONIC", and "done" when all were taken.
Frames are those of drivers/keypad/formats/call-keypad-display.toml, put together here by themselves.
"""

from __future__ import annotations

import os
import pty
import random
import select
import sys
import time
import tty

POLL_SIZE = 6
TURNAROUND_S = 0.0005
"""Between the last byte of a question and the first of the answer: the keypad's own work."""
KEYS = 10


def crc16(data: bytes) -> bytes:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def answer(address: int, key: int) -> bytes:
    head = bytes((0xAA, 0x55, address, 3, key))
    return head + crc16(head)


ANSWERS = {(address, key): answer(address, key) for address in range(1, 256) for key in range(KEYS + 1)}


def sleep_until(when: float) -> None:
    while (left := when - time.monotonic()) > 0:
        time.sleep(left)


class Bus:
    def __init__(self, baud: int, count: int) -> None:
        self.byte_s = 10 / baud
        self.count = count
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.slave = slave
        self.waiting: dict[int, list[int]] = {n + 1: [] for n in range(count)}
        self.last = dict.fromkeys(self.waiting, 0)
        self.presses: list[float] = []
        self.polls = 0

    def press_until(self, now: float) -> None:
        """People pressed keys up to `now`."""
        while self.presses and self.presses[0] <= now:
            at = self.presses.pop(0)
            address = random.randint(1, self.count)
            key = self.last[address] % KEYS + 1
            self.last[address] = key
            self.waiting[address].append(key)
            sys.stdout.write(f"{address} {at:.6f}\n")

    def hear(self, data: bytes) -> None:
        """One question; its answer when the line has carried it."""
        heard = time.monotonic() + len(data) * self.byte_s
        starts = heard + TURNAROUND_S
        sleep_until(starts)
        address = data[2]
        self.press_until(starts)
        keys = self.waiting.get(address)
        if data[:2] != b"\xaa\x55" or data[3] != 0x10 or keys is None:
            return
        self.polls += 1
        sent = ANSWERS[address, keys.pop(0) if keys else 0]
        sleep_until(starts + len(sent) * self.byte_s)
        os.write(self.master, sent)

    def run(self) -> None:
        pending = b""
        busy = False
        while True:
            ready, _, _ = select.select([self.master, sys.stdin], [], [], 0.05)
            if sys.stdin in ready:
                words = sys.stdin.readline().split()
                if not words:
                    return
                count, rate = int(words[1]), float(words[2])
                at = time.monotonic() + 0.1
                for _ in range(count):
                    at += random.expovariate(rate)
                    self.presses.append(at)
                busy = True
            if self.master in ready:
                pending += os.read(self.master, 4096)
                while len(pending) >= POLL_SIZE:
                    data, pending = pending[:POLL_SIZE], pending[POLL_SIZE:]
                    self.hear(data)
            if busy and not self.presses and not any(self.waiting.values()):
                busy = False
                sys.stdout.write("done\n")
                sys.stdout.flush()


if __name__ == "__main__":
    bus = Bus(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(os.ttyname(bus.slave) + "\n")
    sys.stdout.flush()
    bus.run()
