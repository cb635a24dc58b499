"""Run by test_storage_crash: commits events, says each on stdout, is killed or ends after COUNT."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, date, datetime

from device.clock import Clock
from device.storage import Storage
from wire.messages import GrantLease, KeyPressed, TicketIssuedOffline

DAY = date(2026, 11, 20)


def paper(number: int, epoch: int) -> TicketIssuedOffline:
    return TicketIssuedOffline(
        ticket=f"t-{number}",
        number=f"A{number:06}",
        service="s",
        business_date=DAY,
        lease_epoch=epoch,
        issued_at=datetime(2026, 11, 20, tzinfo=UTC),
        paper="unknown",
    )


async def main(path: str, count: int, tickets: bool) -> None:
    storage = Storage(path, "session-1", Clock(), "this")
    await storage.start()
    if tickets:
        await storage.grant(GrantLease(group="g", business_date=DAY, first=1, last=999_999), 1, "c-lease")
    for _ in range(count):
        if tickets:
            burned = await storage.burn("g", DAY, paper)
            assert burned is not None
            print("burned", burned.number, flush=True)
            await storage.add(paper=burned)
        (row,) = await storage.add(KeyPressed(counter="1", key="next"))
        print("event", row.seq, flush=True)
        storage.ack(row.seq - 5 if row.seq > 5 else 0)
    await storage.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "tickets"))
