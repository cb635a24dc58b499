"""What the screens of a kiosk see of the card on its reader."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from device.stations import card
from device.stations.card import CardDesk
from device.stations.handles import Handles
from drivers.card_reader.protocol import Card, CardEvent, Secret
from wire.screen_link import CardGone, CardShown, LinkMessage


async def test_nobody_is_asked_for_a_card_that_another_person_took_away_long_ago(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "LAY_AGAIN_S", 0.01)
    shown: list[LinkMessage] = []
    desk = CardDesk(room.node, room.reader, Handles(None), shown.append, lambda event: None)
    following = asyncio.create_task(desk.run())
    room.reader.events.put_nowait(CardEvent("lay_again"))
    await room.until(lambda: len(shown) == 2)
    assert shown == [CardShown(lay_again=True), CardGone()] and desk.shown is None
    # one that is read meanwhile stays
    read = Card("citizen", Secret("样例甲", "name"), Secret("0" * 18, "number"), date(1990, 3, 7), None)
    for event in (CardEvent("lay_again"), CardEvent("read", read)):
        room.reader.events.put_nowait(event)
    await room.until(lambda: len(shown) == 4)
    await asyncio.sleep(0.05)
    assert len(shown) == 4 and desk.shown is not None
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
