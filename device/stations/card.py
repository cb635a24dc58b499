"""The card on a kiosk's reader: shown masked while it lies there, and forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Final

from device.stations.station import Node
from drivers.card_reader.protocol import Card, CardEvent, CardReader
from wire.messages import Catalogue, Id
from wire.screen_link import CardGone, CardShown, LinkMessage

LAY_AGAIN_S: Final = 10.0
"""So long a card is asked for again; nobody tells when one that was not read is taken away."""


class CardDesk:
    """`shown` is what the screens see of the card that lies there now; `other` gets codes and chips."""

    def __init__(
        self,
        node: Node,
        reader: CardReader,
        show: Callable[[LinkMessage], None],
        other: Callable[[CardEvent], None],
    ) -> None:
        self._node = node
        self._reader = reader
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
        self.shown = shown
        self._show(CardGone() if shown is None else shown)

    def _masked(self, card: Card) -> CardShown:
        today = self._node.clock.now().date()
        priority = None
        if self._node.clock.trusted and self._node.catalogue is not None:
            priority = offered_priority(self._node.catalogue, card.birth, today)
        return CardShown(name=card.name.masked, number=card.number.masked, priority=priority)


def offered_priority(catalogue: Catalogue, birth: date, today: date) -> Id | None:
    """The priority class of the greatest minimum age that the card's holder has reached."""
    age = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    reached = [p for p in catalogue.priorities if p.minimum_age is not None and p.minimum_age <= age]
    return max(reached, key=lambda p: p.minimum_age or 0).priority if reached else None
