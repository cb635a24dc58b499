"""The page of modes: elder, contrast, low reach, voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Element, Text
from ui.kiosk.step import Room, Step

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


class ModesStep(Step):
    name = "modes"

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        return Text(kiosk.text("modes"), "title", grow=1.0)
