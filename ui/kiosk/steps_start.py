"""Where every way begins: the attract page that nobody looks at yet, and the start page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Art, Element, Text, column
from ui.kiosk.step import Room, Step
from ui.kiosk.steps_guides import GuidesStep
from ui.widgets import button, rest

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


class AttractStep(Step):
    """Touched anywhere it gives the start page."""

    name = "attract"
    idle_s = None
    can_back = can_home = can_help = False

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        return column(
            rest(),
            Art("paper", 20.0, 20.0, "accent"),
            Text(kiosk.text("touch_to_start"), "title", align="center", strong=True),
            rest(),
            gap=3.0, grow=1.0, align="center", touch="start",
        )  # fmt: skip

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action == "start":
            kiosk.home(now)

    def speech(self, kiosk: Kiosk) -> str:
        return kiosk.text("touch_to_start")


class StartStep(Step):
    """What somebody can do here."""

    name = "start"
    idle_s = 30.0
    warns = "no"
    can_home = False

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        return column(
            button(kiosk.text("guides"), "guides", grow=1.0),
            gap=3.0, grow=1.0,
        )  # fmt: skip

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action == "guides":
            kiosk.go(GuidesStep(), now)
