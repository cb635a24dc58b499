"""The help key: a clerk is called to this kiosk.

It asks once, because a curious finger would fetch somebody across the hall; the help key a second time is a
yes, so that who cannot see the page needs to press one key only. What became of it is the agent's word
(`KioskState.help`): it stands as a line on every page until it is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Box, Element
from ui.kiosk.parts import told_with
from ui.kiosk.step import Room, Step
from ui.widgets import button
from wire.screen_link import AskHelp

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


class HelpStep(Step):
    """`sent`: it was asked for here, and the agent has not answered yet."""

    name = "help"
    to_number = False
    can_help = False

    def __init__(self) -> None:
        self.sent = False

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        so, do = self._words(kiosk)
        icon = "bell" if self._state(kiosk) == "none" else "person"
        return told_with(room, icon, so, do, *self._keys(kiosk))

    def _keys(self, kiosk: Kiosk) -> tuple[Box, Box]:
        text = kiosk.text
        if self._state(kiosk) == "none":
            yes = button(text("kiosk_help.yes"), "yes", kind="main", icon="bell")
            return yes, button(text("kiosk_help.no"), "no")
        go_on = button(text("kiosk_page.stay"), "no", kind="main")
        return go_on, button(text("kiosk_help.take_back"), "take_back")

    def _state(self, kiosk: Kiosk) -> str:
        """none, sending, asked, coming."""
        state = kiosk.state.help if kiosk.state is not None else "none"
        return "sending" if state == "none" and self.sent else state

    def _words(self, kiosk: Kiosk) -> tuple[str, str]:
        """What is so, and what to do."""
        state = self._state(kiosk)
        if state == "sending":
            return kiosk.text("kiosk_help.sending"), ""
        name = "ask" if state == "none" else state
        what = f"{name}_what" if kiosk.online or state == "coming" else "offline"
        return kiosk.text(f"kiosk_help.{name}"), kiosk.text(f"kiosk_help.{what}")

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action == "yes" and self._state(kiosk) == "none":
            self.sent = kiosk.say(AskHelp(wanted=True))
        elif action == "take_back":
            self.sent = False
            kiosk.say(AskHelp(wanted=False))
            kiosk.back(now)
        elif action == "no":
            kiosk.back(now)

    def key(self, kiosk: Kiosk, key: str, now: float) -> bool:
        if key not in ("help", "ok") or self._state(kiosk) != "none":
            return key == "help"
        self.touched(kiosk, "yes", now)
        return True

    def lost(self, kiosk: Kiosk, now: float) -> None:
        self.sent = False

    def speech(self, kiosk: Kiosk) -> str:
        words = list(self._words(kiosk))
        if kiosk.modes.guided and self._state(kiosk) == "none":
            words.append(kiosk.text("kiosk_help.say_keys"))
        return "\n".join(word for word in words if word)
