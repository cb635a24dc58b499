"""The help key: a clerk is called to this kiosk.

It asks once, because a curious finger would fetch somebody across the hall; the help key a second time is a
yes, so that who cannot see the page needs to press one key only. What became of it is the agent's word
(`KioskState.help`): it stands as a line on every page until it is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.elements import Element
from ui.kiosk.parts import choices, told
from ui.kiosk.step import Room, Step
from ui.widgets import button, notice
from wire.screen_link import AskHelp

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk


class HelpStep(Step):
    """`sent`: it was asked for here, and the agent has not answered yet."""

    name = "help"
    can_help = False

    def __init__(self) -> None:
        self.sent = False

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        so, do = self._words(kiosk)
        below: list[Element] = []
        if not kiosk.online:
            below.append(notice(kiosk.text("kiosk_help.offline"), kind="warn", icon="warning"))
        icon, colour = ("bell", "accent") if self._state(kiosk) == "none" else ("person", "good")
        return told(room, icon, so, do, *below, self._keys(kiosk, room), colour=colour)

    def _keys(self, kiosk: Kiosk, room: Room) -> Element:
        text = kiosk.text
        if self._state(kiosk) == "none":
            return choices(
                room,
                button(text("kiosk_help.no"), "no"),
                button(text("kiosk_help.yes"), "yes", kind="main", icon="bell"),
            )
        return choices(
            room,
            button(text("kiosk_help.take_back"), "take_back"),
            button(text("kiosk_help.go_on"), "no", kind="main"),
        )

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
        return kiosk.text(f"kiosk_help.{name}"), kiosk.text(f"kiosk_help.{name}_what")

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
        if not kiosk.online:
            words.append(kiosk.text("kiosk_help.offline"))
        return "。".join(word for word in words if word)
