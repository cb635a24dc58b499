"""What is held before a kiosk's scanner or laid on its reader of IC cards: shown, and forgotten.

The address on a ticket of this hall gives the ticket's id, which is nobody's secret. Anything else may hold
personal data (an appointment's code, a phone's payment code, a card's UID): the screens get it masked, with a
handle for its keyed hash (`handles`); the text itself goes nowhere.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Final, Literal

from device.stations.handles import Handles
from device.stations.station import Node
from drivers.card_reader.protocol import CardEvent, CardReader, Secret
from wire.screen_link import CodeScanned, LinkMessage

logger = logging.getLogger(__name__)

WATCH_S: Final = 60.0
"""Light and trigger go off by themselves after this."""
UNREADABLE: Final = "scanner.unreadable"
NO_KEY: Final = "scanner.no_key"
NO_UID: Final = "card.no_uid"


class ScanDesk:
    """`reader` is the kiosk's scanner; codes and chips that its card reader tells come through `take`."""

    def __init__(
        self,
        node: Node,
        reader: CardReader | None,
        handles: Handles,
        show: Callable[[LinkMessage], None],
    ) -> None:
        self._node = node
        self._reader = reader
        self._handles = handles
        self._show = show
        self._timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Follow the scanner; never returns when there is one."""
        self._handles.find_key()
        while self._reader is not None:
            event = await self._reader.next_event()
            if event.what == "lay_again":
                self._show(CodeScanned(kind="unreadable", code=UNREADABLE))
            else:
                self.take(event)

    def take(self, event: CardEvent) -> None:
        """Tell the screens of a code or a chip; other events are not for it."""
        if event.code is not None:
            ticket = self._ticket(event.code.text)
            if ticket is not None:
                self._show(CodeScanned(kind="ticket", ticket=ticket))
            else:
                self._offer("appointment", event.code.text)
        elif event.chip is not None:
            if event.chip.uid is None:
                self._show(CodeScanned(kind="unreadable", code=NO_UID))
            else:
                self._offer("card", event.chip.uid)

    async def watch(self, on: bool) -> None:
        """The screen waits for a code, or no longer."""
        if self._reader is None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if on:
            self._timer = asyncio.get_running_loop().call_later(WATCH_S, self._stop_watching)
        await self._reader.watch(on)

    def _stop_watching(self) -> None:
        self._node.spawn(self.watch(False), "scanner")

    def _ticket(self, text: Secret) -> str | None:
        catalogue = self._node.catalogue
        pattern = ticket_pattern(catalogue.ticket_url) if catalogue is not None else None
        found = text.part(pattern) if pattern is not None else None
        return found.lower() if found is not None else None

    def _offer(self, kind: Literal["appointment", "card"], secret: Secret) -> None:
        if self._handles.find_key():
            self._show(CodeScanned(kind=kind, handle=self._handles.hold(secret), masked=secret.masked))
        else:
            self._show(CodeScanned(kind=kind, masked=secret.masked, code=NO_KEY))


def ticket_pattern(url: str) -> re.Pattern[str] | None:
    """What fits the address on a ticket, with the id as first group; None when tickets carry none.

    Without regard to case: a scanner that types may have Caps Lock on. An id with so many digits in one piece
    that it could be somebody's number (11 of a telephone, 15 or 18 of a card) is none: ids are of 20 or 32
    hex digits.
    """
    before, place, after = url.partition("{ticket}")
    if not place:
        return None
    again = re.escape(after).replace(re.escape("{ticket}"), r"\1")
    number = r"(?!(?:[a-z0-9-]*-)?[0-9]{11,18}x?(?![a-z0-9]))"
    ticket = number + "([a-z0-9-]{1,64})"
    # ASCII: else the long s and the sign of the kelvin were letters of an id
    return re.compile(re.escape(before) + ticket + again, re.IGNORECASE | re.ASCII)
