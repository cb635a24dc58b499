"""The help key: a clerk is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Element, Text
from ui.kiosk.step import Room, Step

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


class HelpStep(Step):
    name = "help"

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        return Text(kiosk.text("help"), "title", grow=1.0)
