"""Several fakes on one RS-485 line: each hears everything, and whoever speaks out of turn spoils it."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.transport.fake import FakeDevice


class FakeBus(FakeDevice):
    """`collisions` counts questions that were begun while a device was still to answer: on a two-wire line
    both would be lost, and here the question is."""

    def __init__(self, devices: Sequence[FakeDevice]) -> None:
        super().__init__()
        self.devices = tuple(devices)
        self.collisions = 0
        for device in self.devices:
            device.send = self._from_device
            device.on_change = self.changed

    def received(self, data: bytes) -> None:
        if any(getattr(device, "answering", 0) for device in self.devices):
            self.collisions += 1
            return
        for device in self.devices:
            device.received(data)

    def plugged(self) -> None:
        """The devices have their own power: what they show stays."""

    def _from_device(self, data: bytes) -> None:
        self.send(data)
