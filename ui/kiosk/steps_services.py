"""The services of one group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Element
from ui.kiosk.pager import Pager
from ui.kiosk.parts import listed, service_tile, told
from ui.kiosk.services import closed_words, hall_why, offers
from ui.kiosk.step import Room, Step
from ui.kiosk.steps_confirm import ConfirmStep

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


class ServicesStep(Step):
    name = "services"

    def __init__(self, group: str) -> None:
        self.group = group
        self._pager = Pager()

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        cells = [service_tile(kiosk, one) for one in offers(kiosk, self.group)]
        if not cells:  # the catalogue has changed meanwhile
            return told(room, "clock", *closed_words(kiosk, hall_why(kiosk) or "closed"))
        return listed(kiosk, room, self._title(kiosk), cells, self._pager)

    def _title(self, kiosk: Kiosk) -> str:
        groups = kiosk.catalogue.groups if kiosk.catalogue is not None else ()
        return next((kiosk.local(one.name) for one in groups if one.group == self.group), "")

    def speech(self, kiosk: Kiosk) -> str:
        return "\n".join((self._title(kiosk), kiosk.text("choose_service"), self._pager.place(kiosk)))

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        what, _, which = action.partition(":")
        if not self._pager.touched(action) and what == "service":
            kiosk.go(ConfirmStep(which), now)
