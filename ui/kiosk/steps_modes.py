"""The page of modes: large type, contrast, reach, voice and how loud, and every language that there is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ui.elements import Art, Box, Element, Text, column, row
from ui.kiosk.pager import Pager
from ui.kiosk.parts import listed
from ui.kiosk.step import Room, Step
from wire.texts import available

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

ICONS: Final = {"elder": "large", "contrast": "half", "low_reach": "low", "voice": "sound"}


class ModesStep(Step):
    """Each key acts at once and shows what it did; back leads to where one was."""

    name = "modes"
    to_number = False

    def __init__(self) -> None:
        self._pager = Pager()

    def body(self, kiosk: Kiosk, room: Room) -> Element:
        return listed(kiosk, room, kiosk.text("kiosk_modes.title"), self._cells(kiosk), self._pager)

    def _cells(self, kiosk: Kiosk) -> list[Box]:
        modes = kiosk.modes
        cells = [
            _switch(kiosk, mode, getattr(modes, mode)) for mode in ICONS if mode != "voice" or kiosk.speaks
        ]
        if modes.voice:
            cells += [_key(kiosk.text(f"kiosk_modes.{name}"), name, "sound") for name in ("louder", "softer")]
        if len(available()) > 1:
            cells += [_language(kiosk, one, name) for one, name in available().items()]
        if modes != replace(kiosk.usual, language=modes.language):
            cells.append(_key(kiosk.text("kiosk_modes.all_off"), "all_off", "cross"))
        return cells

    def touched(self, kiosk: Kiosk, action: str, now: float) -> None:
        if action.removeprefix("mode:") in ICONS:
            kiosk.modes = kiosk.modes.turned(action.removeprefix("mode:"), kiosk.speaks)
        elif action in ("louder", "softer"):
            kiosk.guidance.louder(kiosk, 1 if action == "louder" else -1)
        elif action.startswith("language:") and action.removeprefix("language:") in available():
            kiosk.modes = replace(kiosk.modes, language=action.removeprefix("language:"))
        elif action == "all_off":
            kiosk.modes = replace(kiosk.usual, language=kiosk.language)
        else:
            self._pager.touched(action)

    def speech(self, kiosk: Kiosk) -> str:
        return kiosk.text("kiosk_modes.title")


def _switch(kiosk: Kiosk, mode: str, on: bool) -> Box:
    name, state = kiosk.text(f"kiosk_modes.{mode}"), kiosk.text("kiosk_modes.on" if on else "kiosk_modes.off")
    return _cell(ICONS[mode], name, state, f"mode:{mode}", on)


def _key(words: str, action: str, icon: str) -> Box:
    return _cell(icon, words, "", action, False)


def _language(kiosk: Kiosk, language: str, name: str) -> Box:
    """A language under its own name: who needs it can read that."""
    on = language == kiosk.language
    return _cell("", name, kiosk.text("kiosk_modes.on") if on else "", f"language:{language}", on)


def _cell(icon: str, words: str, state: str, action: str, on: bool) -> Box:
    ink = "accent_ink" if on else "ink"
    texts: list[Element] = [Text(words, "large", ink, strong=True, align="left" if icon else "center")]
    if state:
        texts.append(Text(state, "body", ink if on else "soft", align="left" if icon else "center"))
    art = (Art(icon, 7.0, 7.0, ink),) if icon else ()
    return row(
        *art, column(*texts, justify="center", grow=1.0),
        gap=2.0, pad=(2.4, 1.0), fill="accent" if on else "surface", line="line", align="center",
        touch=action, label=f"{words} · {state}" if state else words,
    )  # fmt: skip
