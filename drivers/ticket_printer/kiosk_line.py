"""The conversation with a kiosk printer: one real-time question tells all, and the rest is ESC/POS."""

from __future__ import annotations

import asyncio

from drivers.errors import DriverError
from drivers.ticket_printer.escpos_frames import QueuedAnswer
from drivers.ticket_printer.escpos_line import EscposLine
from drivers.ticket_printer.kiosk_frames import (
    ASK_RETRACTIONS,
    FULL_STATUS,
    FullStatus,
    KioskAnswerReader,
    Retractions,
)
from drivers.transport.transport import Transport


class KioskLine(EscposLine):
    """As `EscposLine`. These printers know no clearing of their buffers: `clear` says False at once."""

    def __init__(self, transport: Transport, *, answer_s: float, write_s: float, owed: int = 0) -> None:
        super().__init__(transport, answer_s=answer_s, write_s=write_s, owed=owed)
        self._parser = KioskAnswerReader()
        self._retractions: asyncio.Future[int] | None = None

    def reader(self) -> KioskAnswerReader:
        return self._parser

    async def status(self) -> FullStatus:
        self._parser.forget()  # of an answer that lost a byte
        answer = await self._ask_now(FULL_STATUS)
        assert isinstance(answer, FullStatus)
        return answer

    async def stopped(self) -> bool:
        return (await self.status()).fault is not None

    async def clear(self) -> bool:
        return False

    async def retractions(self) -> int | None:
        """How many papers it has ever retracted; None when it does not say so. Waits behind its queue."""
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._retractions = answer
        try:
            await self.write(ASK_RETRACTIONS)
            async with asyncio.timeout(self._answer_s):
                return await answer
        except DriverError:
            raise
        except TimeoutError:
            return None
        finally:
            self._retractions = None

    def _take(self, answer: object) -> None:
        match answer:
            case FullStatus():
                self._answered(answer)
            case QueuedAnswer():
                self._reached()
            case Retractions(count):
                if self._retractions is not None and not self._retractions.done():
                    self._retractions.set_result(count)
