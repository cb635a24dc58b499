"""How does my ticket stand? By its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Element, Text
from ui.kiosk.step import Room, Step

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


class EnquiryStep(Step):
    """`ticket` None: ask for the code first (the scanner is wanted)."""

    name = "enquiry"

    def __init__(self, ticket: str | None = None) -> None:
        self.ticket = ticket

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        return Text(self.ticket or "", "title", grow=1.0)
