"""The kiosk's touch screen, without its pixels: what a citizen sees and can touch."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from pathlib import Path
from typing import ClassVar, Final

from simulator.screen_client import ScreenClient
from wire.messages import Catalogue
from wire.screen_link import (
    CardGone,
    CardShown,
    KioskState,
    ScreenRole,
    TakeTicket,
    TicketProgress,
    ToScreen,
)

ENDED: Final = frozenset({"done", "failed", "refused"})
"""Stages after which nothing more comes for a request."""

KEPT_REQUESTS: Final = 256
"""Requests whose progress is kept; older ones are forgotten."""

KEPT_TIMES: Final = 1000
"""Newest times from tap to paper."""


class KioskScreen(ScreenClient):
    """`state`, `card` and `newest` are what the screen shows now."""

    role: ClassVar[ScreenRole] = "kiosk"

    def __init__(self, path: Path, station: str) -> None:
        super().__init__(path, station)
        self.state: KioskState | None = None
        self.card: CardShown | None = None
        self.newest: TicketProgress | None = None
        self.refused = 0
        self.failed = 0
        self.paper_s: deque[float] = deque(maxlen=KEPT_TIMES)
        """From the tap until the printer had confirmed the paper, seconds."""
        self._asked_at: dict[str, float] = {}
        self._progress: dict[str, TicketProgress] = {}
        self._order: deque[str] = deque()
        self._ends: dict[str, asyncio.Future[TicketProgress]] = {}

    @property
    def catalogue(self) -> Catalogue | None:
        return self.state.catalogue if self.state is not None else None

    def take_ticket(self, service: str, priority: str | None = None, language: str = "zh-CN") -> str | None:
        """Confirm a service. The request's id, None when no agent is there."""
        request = f"r-{uuid.uuid4().hex}"
        if not self.send(TakeTicket(request=request, service=service, priority=priority, language=language)):
            return None
        self._asked_at[request] = time.monotonic()
        return request

    def progress(self, request: str) -> TicketProgress | None:
        """How far a request of this screen is."""
        return self._progress.get(request)

    async def end_of(self, request: str, timeout: float) -> TicketProgress | None:
        """The last progress of a request; None when the agent went away or said nothing more in time."""
        known = self._progress.get(request)
        if known is not None and known.stage in ENDED:
            return known
        future = self._ends.setdefault(request, asyncio.get_running_loop().create_future())
        try:
            return await asyncio.wait_for(asyncio.shield(future), timeout)
        except (TimeoutError, ConnectionError):
            return None
        finally:
            self._ends.pop(request, None)

    def received(self, message: ToScreen) -> None:
        if isinstance(message, KioskState):
            self.state = message
        elif isinstance(message, CardShown):
            self.card = message
        elif isinstance(message, CardGone):
            self.card = None
        elif isinstance(message, TicketProgress):
            self._take_progress(message)

    def _take_progress(self, message: TicketProgress) -> None:
        request = message.request
        self.newest = message
        if request not in self._progress:
            self._order.append(request)
            if len(self._order) > KEPT_REQUESTS:
                self._progress.pop(self._order.popleft(), None)
        self._progress[request] = message
        if message.stage not in ENDED:
            return
        asked_at = self._asked_at.pop(request, None)
        if asked_at is not None:
            self.refused += message.stage == "refused"
            self.failed += message.stage == "failed"
            if message.stage == "done" and message.paper == "confirmed":
                self.paper_s.append(time.monotonic() - asked_at)
        future = self._ends.get(request)
        if future is not None and not future.done():
            future.set_result(message)

    def forget(self) -> None:
        self.state = None
        self.card = None
        self.newest = None
        for future in self._ends.values():
            if not future.done():
                future.set_exception(ConnectionError("the agent went away"))
                future.exception()  # the waiter may have gone already
        self._ends.clear()
        self._asked_at.clear()
