"""A HID device's own reports (/dev/hidraw…), read and written as they are.

One read is one report, without its number; a write is padded to `report_size` and gets the number
`report_id` in front, 0 for a device without numbers (kernel documentation, hid/hidraw).
"""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import msgspec

from drivers.transport.descriptor import DescriptorTransport

ReportSize = Annotated[int, msgspec.Meta(ge=1, le=1024)]


class HidrawConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hidraw"):
    """`path` should be a stable name (/dev/paihao/… by udev), never hidraw0. `report_size`: bytes of an
    output report without its number."""

    path: str
    report_size: ReportSize = 64
    report_id: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0


class HidrawTransport(DescriptorTransport):
    """One HID device. Data longer than a report goes out as several."""

    def __init__(self, config: HidrawConfig) -> None:
        super().__init__()
        self._config = config

    @property
    def name(self) -> str:
        return self._config.path

    async def _open(self) -> int:
        return os.open(self._config.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)

    async def read(self, timeout: float | None = None) -> bytes:
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - loop.time())
            data = await super().read(left)
            if not data or not self._config.report_id:
                return data
            if data[0] == self._config.report_id and len(data) > 1:
                return data[1:]  # a report with another number is not for us

    async def write(self, data: bytes, timeout: float = 5.0) -> None:
        size = self._config.report_size
        for start in range(0, len(data), size):
            report = data[start : start + size].ljust(size, b"\0")
            await super().write(bytes((self._config.report_id,)) + report, timeout)
