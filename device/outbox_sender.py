"""Sends the outbox, in order, until the coordinator's ack covers it.

A row is published the moment it is committed. It is sent again after a reconnect, when the coordinator asks
(`resend`) and when acks make no progress; the coordinator knows a repeat by its stream and seq. While the
coordinator is away nothing is sent: it would only pile up at the broker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from device.database import Row, StorageError
from device.storage import Storage
from wire.messages import CoordinatorAck

logger = logging.getLogger(__name__)

IN_FLIGHT: Final = 64
"""Rows that were sent and are not covered by an ack."""
NO_PROGRESS_S: Final = 5.0
"""So long without progress, rows are sent again; doubled each time, up to NO_PROGRESS_MAX_S."""
NO_PROGRESS_MAX_S: Final = 60.0
RESEND_PAUSE_S: Final = 0.2
"""The coordinator's wish to have rows again is followed at most this often."""


class OutboxSender:
    """`publish(payload)` hands a message to the broker and tells whether it was taken."""

    def __init__(self, storage: Storage, publish: Callable[[bytes], bool]) -> None:
        self._storage = storage
        self._publish = publish
        self._sent = 0
        self._stream = ""
        self._online = False
        self._wake = asyncio.Event()
        self._progress_at = 0.0
        self._patience_s = NO_PROGRESS_S
        self._resent_at = -RESEND_PAUSE_S

    @property
    def waiting(self) -> int:
        """Events that the coordinator does not have yet."""
        return self._storage.last_seq - self._storage.acked

    def set_online(self, online: bool) -> None:
        """Whether broker and coordinator are there. Turning true sends everything unacknowledged again."""
        if online and not self._online:
            self._sent = self._storage.acked
            self._patience_s = NO_PROGRESS_S
            self._progress_at = asyncio.get_running_loop().time()
            self._wake.set()
        self._online = online

    def on_rows(self, rows: tuple[Row, ...]) -> None:
        """New rows, just committed: the hot path."""
        self._follow_stream()
        if self._sent == self._storage.acked:
            self._progress_at = asyncio.get_running_loop().time()
        for row in rows:
            if row.seq != self._sent + 1 or not self._send(row):
                self._wake.set()
                return

    def on_ack(self, ack: CoordinatorAck) -> None:
        """Take an ack of the coordinator; one of another stream means nothing."""
        storage = self._storage
        self._follow_stream()
        # Before the stream is compared: the storage thread may let go of the file at any moment.
        last_seq = storage.last_seq
        if not storage.stream or ack.stream != storage.stream:
            return
        if ack.through > last_seq:
            # The coordinator knows events that this file never had: it is an old copy of itself.
            self._progress_at = asyncio.get_running_loop().time()
            raise OldCopyError(ack.through, last_seq)
        now = asyncio.get_running_loop().time()
        if ack.through > storage.acked:
            self._progress_at, self._patience_s = now, NO_PROGRESS_S
            storage.ack(ack.through)
            self._sent = max(self._sent, ack.through)
        if ack.resend and now - self._resent_at >= RESEND_PAUSE_S:
            logger.warning("the coordinator asks for everything after %d again", ack.through)
            self._resent_at = now
            if ack.through < storage.acked:
                storage.ack(ack.through)
            self._sent = ack.through
        if self._sent < storage.last_seq:
            self._wake.set()

    def _follow_stream(self) -> None:
        """A new stream begins at its own first event."""
        if self._storage.stream != self._stream:
            self._stream, self._sent = self._storage.stream, self._storage.acked
            self._wake.set()

    async def run(self) -> None:
        """Send what the hot path could not. Never returns."""
        while True:
            try:
                async with asyncio.timeout(1.0):
                    await self._wake.wait()
            except TimeoutError:
                self._look_for_progress()
            self._wake.clear()
            if not self._online:
                continue
            try:
                await self._pump()
            except StorageError as error:
                logger.debug("the outbox cannot be read: %s", error)

    def _look_for_progress(self) -> None:
        storage, now = self._storage, asyncio.get_running_loop().time()
        if not self._online or self._sent <= storage.acked or now - self._progress_at < self._patience_s:
            return
        logger.warning("no ack for %d events for %.0f s; sending again", self.waiting, self._patience_s)
        self._progress_at = now
        self._patience_s = min(2 * self._patience_s, NO_PROGRESS_MAX_S)
        self._sent = storage.acked

    async def _pump(self) -> None:
        self._follow_stream()
        while self._online and (room := IN_FLIGHT - (self._sent - self._storage.acked)) > 0:
            asked_after = self._sent
            if asked_after >= self._storage.last_seq:
                return
            rows = await self._storage.rows_after(asked_after, room)
            if self._sent != asked_after:
                continue  # the hot path or an ack moved on meanwhile
            if not rows:
                return
            for n, row in enumerate(rows):
                # Only the first may leave a gap: what is before it was acknowledged and pruned.
                if (n and row.seq != self._sent + 1) or not self._send(row, gap=n == 0):
                    return

    def _send(self, row: Row, *, gap: bool = False) -> bool:
        if not self._online or (not gap and self._sent - self._storage.acked >= IN_FLIGHT):
            return False
        if not self._publish(row.payload):
            return False
        self._sent = row.seq
        return True


class OldCopyError(Exception):
    """The coordinator has events of our stream that our file does not have."""

    def __init__(self, through: int, last_seq: int) -> None:
        super().__init__(f"acked through {through}, last known {last_seq}")
        self.through = through
        self.last_seq = last_seq
