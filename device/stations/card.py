"""The card on a kiosk's reader: shown masked while it lies there, and forgotten.

Its handle stands for it while it lies there and for two minutes after, see `handles`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Final

from device.stations.handles import Handles
from device.stations.station import Node
from drivers.card_reader.protocol import Card, CardEvent, CardReader
from wire.messages import Catalogue, Id
from wire.screen_link import CardGone, CardShown, LinkMessage

LAY_AGAIN_S: Final = 10.0
"""So long a card is asked for again; nobody tells when one that was not read is taken away."""


NAME_STARS: Final = 8
"""A longer name is no longer on the hall display."""


class CardDesk:
    """`shown` is what the screens see of the card that lies there now; `other` gets codes and chips."""

    def __init__(
        self,
        node: Node,
        reader: CardReader,
        handles: Handles,
        show: Callable[[LinkMessage], None],
        other: Callable[[CardEvent], None],
    ) -> None:
        self._node = node
        self._reader = reader
        self._handles = handles
        self._show = show
        self._other = other
        self.shown: CardShown | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Follow the reader. Never returns."""
        while True:
            event = await self._reader.next_event()
            if event.what == "read" and event.card is not None:
                self._set(self._masked(event.card))
            elif event.what == "lay_again":
                self._set(CardShown(lay_again=True))
                self._timer = asyncio.get_running_loop().call_later(LAY_AGAIN_S, self.forget)
            elif event.what in ("code", "chip"):
                self._other(event)
            else:
                self._set(None)

    def forget(self) -> None:
        """The reader is gone, and what it read with it; or nobody lays the card down again."""
        if self.shown is not None:
            self._set(None)

    def _set(self, shown: CardShown | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.shown is not None and self.shown.handle is not None:
            self._handles.taken_away(self.shown.handle)
        self.shown = shown
        self._show(CardGone() if shown is None else shown)

    def _masked(self, card: Card) -> CardShown:
        catalogue = self._node.catalogue
        priority = handle = None
        if self._node.clock.trusted and catalogue is not None:
            priority = offered_priority(catalogue, card.birth, self._node.clock.now().date())
        if self._handles.find_key() or (catalogue is not None and catalogue.call_by_name):
            handle = self._handles.hold(card.number, name_on_board(card.name.masked), lies_there=True)
        return CardShown(name=card.name.masked, handle=handle, number=card.number.masked, priority=priority)


def name_on_board(masked: str) -> str | None:
    """A masked name as it may travel: four characters at most stand; None where there is none."""
    first, _, rest = masked.partition("*")
    if "*" not in masked:
        return None
    last = rest.lstrip("*")
    return first[:2] + "*" * min(NAME_STARS, len(masked) - len(first) - len(last)) + last[-2:]


def offered_priority(catalogue: Catalogue, birth: date, today: date) -> Id | None:
    """The priority class of the greatest minimum age that the card's holder has reached."""
    age = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    reached = [
        p for p in catalogue.priorities if p.minimum_age is not None and p.minimum_age <= age and p.offered
    ]
    return max(reached, key=lambda p: p.minimum_age or 0).priority if reached else None
