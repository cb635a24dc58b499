"""Guides (办事指南): the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Element, Text
from ui.kiosk.step import Room, Step

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


class GuidesStep(Step):
    """The list; of the guides of one service where `service` is given."""

    name = "guides"

    def __init__(self, service: str | None = None) -> None:
        self.service = service

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        return Text("\n".join(kiosk.local(guide.name) for guide in kiosk.guides), "large", grow=1.0)
