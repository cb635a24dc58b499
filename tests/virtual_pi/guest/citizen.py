"""Runs in the virtual Pi: a citizen who takes one number after the other, as the kiosk's touch screen would.

citizen.py SOCKET STATION COUNT      prints one JSON object for each, with how it ended
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from simulator.kiosk_screen import KioskScreen

END_S = 60.0


async def main(socket: str, station: str, count: int) -> None:
    screen = KioskScreen(Path(socket), station)
    await screen.start()
    taken = 0
    while taken < count:
        state = screen.state
        services = state.catalogue.services if state is not None and state.catalogue is not None else ()
        open_now = [service.service for service in services if service.open]
        request = screen.take_ticket(open_now[0]) if open_now else None
        end = await screen.end_of(request, END_S) if request is not None else None
        if end is None or end.stage == "refused":
            print(f"no ticket: {open_now} {end}", file=sys.stderr, flush=True)
            await asyncio.sleep(0.5)
            continue
        taken += 1
        said = {"number": end.number, "ticket": end.ticket, "paper": end.paper, "code": end.code}
        print(json.dumps(said), flush=True)
    await screen.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
