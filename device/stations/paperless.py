"""A number that a kiosk shows on its screen because the printer cannot print.

What holds for a paper holds for the picture, with the screen as printer:

- The number is on disk before it is shown (`begin_print`, or the lease's `burn`): killed after that, the next
  start reports it as *unknown*, and the same `print_ticket` is answered by that and shows nothing again.
- `NumberSeen` is the proof: the picture stood on the display. *Confirmed*, with the code ON_SCREEN.
- Without it in SEEN_S: *failed*. A screen is told so and takes the number away again.
- A screen that died and is back gets the number again (`Numbers.whole`), before it was seen and after, for
  the photograph that its citizen was about to take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from drivers.ticket_printer.protocol import PrintResult
from wire.screen_link import TicketProgress

SEEN_S: Final = 5.0
"""So long the screen may take to have the number on the display; it may be starting again meanwhile."""
ON_SCREEN: Final = "ticket.on_screen"
NOT_SHOWN: Final = "ticket.not_shown"


class Paperless:
    """`show` gives a progress to the screens."""

    def __init__(self, show: Callable[[TicketProgress], None]) -> None:
        self._show = show
        self._waiting: dict[str, asyncio.Future[None]] = {}

    async def print(self, progress: TicketProgress) -> PrintResult:
        """Show the number of `progress` and find out whether it was seen. Never raises."""
        seen = self._waiting[progress.request] = asyncio.get_running_loop().create_future()
        try:
            self._show(progress)
            await asyncio.wait([seen], timeout=SEEN_S)
            return PrintResult("confirmed", ON_SCREEN) if seen.done() else PrintResult("failed", NOT_SHOWN)
        finally:
            del self._waiting[progress.request]

    def seen(self, request: str) -> None:
        """The screen says that the number stands on the display; too late or twice: nothing."""
        waiting = self._waiting.get(request)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
