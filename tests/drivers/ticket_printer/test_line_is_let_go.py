"""Whoever ends a conversation with a printer may itself be ended meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from drivers.ticket_printer.escpos_line import EscposLine
from drivers.transport.fake import FakeDevice
from drivers.transport.pair import PairLine, PairTransport


class SlowTransport(PairTransport):
    """Its read takes a moment to end, as one in a worker thread does."""

    def __init__(self, line: PairLine) -> None:
        super().__init__(line)
        self.ended = asyncio.Event()
        self.closed = 0

    async def read(self, timeout: float | None = None) -> bytes:
        try:
            return await super().read(timeout)
        finally:
            await self.ended.wait()

    async def close(self) -> None:
        self.closed += 1
        await super().close()


async def test_a_close_that_is_cancelled_says_so_and_lets_the_line_go() -> None:
    pair = PairLine(FakeDevice())
    await pair.plug()
    transport = SlowTransport(pair)
    line = EscposLine(transport, answer_s=1.0, write_s=1.0)
    await line.open()
    await asyncio.sleep(0)
    closing = asyncio.create_task(line.close())
    await asyncio.sleep(0)
    before = transport.closed
    closing.cancel()
    await asyncio.sleep(0)
    transport.ended.set()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert transport.closed == before + 1
