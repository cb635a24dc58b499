"""The agent does not answer: nothing can be asked for now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Art, Element, Text, column
from ui.kiosk.step import Room, Step
from ui.widgets import rest

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


class AwayStep(Step):
    name = "away"
    idle_s = 60.0
    warns = "no"
    stays = True
    can_back = can_home = can_help = False

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        return column(
            rest(),
            Art("clock", 16.0, 16.0, "accent"),
            Text(kiosk.text("away"), "title", align="center", strong=True),
            Text(kiosk.text("away_what"), "large", align="center"),
            rest(),
            gap=3.0, grow=1.0, align="center",
        )  # fmt: skip

    def speech(self, kiosk: Kiosk) -> str:
        return f"{kiosk.text('away')} {kiosk.text('away_what')}"
