"""SAM frames in HID reports: how makers pack them differs, so the profile says it.

::

    report = header | count, 0 to 2 bytes, of the bytes that count | bytes of the frame | zeros

Without `header` and `count` a report is simply a piece of the stream: the zeros behind a frame lie before the
next preamble, where `SamSplitter` drops them. Frames longer than a report go on in the next one.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Literal

import msgspec

from drivers.transport.transport import Transport

Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{2})*\Z", max_length=32)]


class ReportFraming(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`header`: hex bytes at the start of each report, both ways; a report without them is not for us.

    `count_bytes`, `count_order`: the number of bytes that count, after the header.
    """

    header: Hex = ""
    count_bytes: Literal[0, 1, 2] = 0
    count_order: Literal["big", "little"] = "big"

    def pack(self, data: bytes, size: int) -> list[bytes]:
        """The reports, each at most `size` bytes, that carry `data`. Raises ValueError when none can."""
        header = bytes.fromhex(self.header)
        room = size - len(header) - self.count_bytes
        if self.count_bytes:
            room = min(room, (1 << 8 * self.count_bytes) - 1)
        if room < 1:
            raise ValueError("a report has no room behind its header")
        parts = [data[at : at + room] for at in range(0, len(data), room)]
        if not self.count_bytes:
            return [header + part for part in parts]
        return [header + len(part).to_bytes(self.count_bytes, self.count_order) + part for part in parts]

    def unpack(self, report: bytes) -> bytes:
        """The bytes of the stream in one report; b"" when it is not for us or its count cannot be."""
        header = bytes.fromhex(self.header)
        if not report.startswith(header):
            return b""
        start = len(header) + self.count_bytes
        if not self.count_bytes:
            return report[start:]
        count = int.from_bytes(report[len(header) : start], self.count_order)
        return report[start : start + count] if start + count <= len(report) else b""


class ReportLine:
    """A `Transport` of whole reports as a `Transport` of the bytes within them."""

    def __init__(self, line: Transport, framing: ReportFraming, report_size: int) -> None:
        self._line = line
        self._framing = framing
        self._size = report_size

    @property
    def name(self) -> str:
        return self._line.name

    async def open(self) -> None:
        await self._line.open()

    async def read(self, timeout: float | None = None) -> bytes:
        """As `Transport.read`, but also b"" for a report that brings nothing."""
        report = await self._line.read(timeout)
        return self._framing.unpack(report) if report else b""

    async def write(self, data: bytes, timeout: float = 5.0) -> None:
        for report in self._framing.pack(data, self._size):
            await self._line.write(report, timeout)

    async def drained(self, timeout: float = 5.0) -> None:
        await self._line.drained(timeout)

    def turn(self, *, urgent: bool = False, unlikely: bool = False) -> AbstractAsyncContextManager[Any]:
        return self._line.turn()  # a hidraw device is nobody else's

    async def close(self) -> None:
        await self._line.close()
