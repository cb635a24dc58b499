"""One RS-485 line with several fake devices on it: what the master says, all hear; what they say at the same
time collides.

`byte_s` > 0 makes the line as slow as its baud rate: 10 bits a byte. Bytes of two that speak at once come
out as the wired-and of both, as on a line whose 0 is dominant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from drivers.transport.fake import FakeDevice


class FakeBus(FakeDevice):
    """`collide`: what is said in one turn of the loop is said at the same time."""

    def __init__(self, devices: Sequence[FakeDevice], *, baud: int = 0, collide: bool = True) -> None:
        super().__init__()
        self.devices = list(devices)
        self.byte_s = 10 / baud if baud else 0.0
        self.collide = collide
        self.collisions = 0
        self._said: dict[int, bytes] = {}
        self._free_at = 0.0
        for number, device in enumerate(devices):
            device.send = partial(self._say, number)
            device.on_change = self.changed

    def plugged(self) -> None:
        self._said.clear()
        for device in self.devices:
            device.plugged()

    def received(self, data: bytes) -> None:
        if not self.byte_s:
            self._hear(data)
            return
        loop = asyncio.get_running_loop()
        self._free_at = max(self._free_at, loop.time()) + len(data) * self.byte_s
        loop.call_at(self._free_at, self._hear, data)

    def _hear(self, data: bytes) -> None:
        for device in self.devices:
            device.received(data)

    def _say(self, number: int, data: bytes) -> None:
        if not self._said:
            asyncio.get_running_loop().call_soon(self._carry)
        self._said[number] = self._said.get(number, b"") + data

    def _carry(self) -> None:
        said, self._said = list(self._said.values()), {}
        if not said:
            return
        if self.collide and len(said) > 1:
            self.collisions += 1
            longest = max(map(len, said))
            mixed = bytearray(b"\xff" * longest)
            for data in said:
                for at, byte in enumerate(data):
                    mixed[at] &= byte
            said = [bytes(mixed)]
        for data in said:
            if not self.byte_s:
                self.send(data)
                continue
            loop = asyncio.get_running_loop()
            self._free_at = max(self._free_at, loop.time()) + len(data) * self.byte_s
            loop.call_at(self._free_at, self.send, data)
