"""The list of what to bring, on paper: printing, out, or plain words why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from ui.elements import Element
from ui.kiosk.parts import told, told_with
from ui.kiosk.services import can_print, halves
from ui.kiosk.step import Room, Step
from ui.program import NEVER
from ui.widgets import button
from wire.screen_link import GuidePrinted, LinkMessage, PrintGuide

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

WAIT_S: Final = 60.0
"""The longest list is out long before; then the answer was lost."""
SEEN_S: Final = 8.0
"""So long it says that the list is out, then the guide is shown again."""

Outcome = Literal["printing", "printed", "unknown", "failed"]
_LOOKS: Final[dict[Outcome, tuple[str, str]]] = {
    "printing": ("paper", "accent"),
    "printed": ("tick", "good"),
    "unknown": ("warning", "ink"),
    "failed": ("warning", "bad"),
}
_WORDS: Final[dict[Outcome, str]] = {
    "printing": "printing",
    "printed": "printed",
    "unknown": "print_unknown",
    "failed": "print_failed",
}


class GuidePrintStep(Step):
    """`have`: positions of materials that were ticked."""

    name = "guide_print"
    to_number = False
    can_home = False

    def __init__(self, guide: str, have: tuple[int, ...]) -> None:
        self.guide = guide
        self.have = have
        self.outcome: Outcome = "printing"
        self.idle_s = None  # nobody is sent away from a list that is being printed
        self._request: str | None = None
        self._until = NEVER

    @property
    def under_way(self) -> bool:
        return self.outcome == "printing"

    def entered(self, kiosk: Kiosk, now: float) -> None:
        if self._request is not None:
            return  # somebody looked at help meanwhile: it is being printed
        self._request = kiosk.new_request()
        self._until = now + WAIT_S
        said = can_print(kiosk) and kiosk.say(
            PrintGuide(request=self._request, guide=self.guide, have=self.have, language=kiosk.language)
        )
        if not said:
            self._ended("failed", NEVER)

    def said(self, kiosk: Kiosk, message: LinkMessage, now: float) -> bool:
        if not isinstance(message, GuidePrinted) or message.request != self._request:
            return False
        if message.paper == "confirmed":
            self._ended("printed", now + SEEN_S)
        else:
            self._ended("failed" if message.paper == "failed" else "unknown", NEVER)
        kiosk.alive(now)
        return True

    def lost(self, kiosk: Kiosk, now: float) -> None:
        if self.outcome == "printing":
            self._ended("unknown", NEVER)

    def _ended(self, outcome: Outcome, until: float) -> None:
        self.outcome, self._until, self.idle_s = outcome, until, Step.idle_s

    def due(self, now: float) -> float:
        return self._until

    def tick(self, kiosk: Kiosk, now: float) -> None:
        if self.outcome == "printing":
            self._ended("unknown", NEVER)
            kiosk.alive(now)
        else:
            kiosk.back(now)

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action == "done":
            kiosk.back(now)

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        icon, colour = _LOOKS[self.outcome]
        so, do = halves(kiosk.text(f"kiosk_guide.{_WORDS[self.outcome]}"))
        if self.outcome == "printing":
            return told(room, icon, so, do, colour=colour)
        done = button(kiosk.text("kiosk_guide.printed_done"), "done", kind="main")
        return told_with(room, icon, so, do, done)

    def speech(self, kiosk: Kiosk) -> str:
        return kiosk.text(f"kiosk_guide.{_WORDS[self.outcome]}")
