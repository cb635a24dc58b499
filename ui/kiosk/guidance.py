"""Voice guidance: says each page, and to who uses the key pad also what the focus is on.

Any key of the pad switches it on, on whatever page the person before left the kiosk. A page is said with its
`speech`, which its step writes; then, by the pad, how to go on. The focus is said with its place:
"第2项，共5项，社会保险". The newest words replace those that are being said: nobody has to hear them out.

Nothing personal is said aloud but the number of the ticket: a hall has ears. A masked name or ID number
(王*明) does not help who hears it, and tells those around that this person is here; whatever has an asterisk
in it is left out, even where a page would say it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ui.elements import Page
from wire.screen_link import Speak

if TYPE_CHECKING:
    from ui.kiosk.kiosk import Kiosk

PAD_KEYS: Final = frozenset({"up", "down", "ok", "back", "help", "repeat", "louder", "softer"})
MOST_CHARACTERS: Final = 400
"""Of one `Speak`."""
_MASKED: Final = re.compile(r"[^\s，。：,.:]*\*+[^\s，。：,.:]*")


class Guidance:
    """What was said last, so that only what is new is said."""

    def __init__(self) -> None:
        self._page: tuple[str, str, str] | None = None
        self._focus = ""
        self._first: str | None = None
        self._words = ""
        self._language = ""
        self._focus_is_new = False
        self._speaking = False

    def key(self, kiosk: Kiosk, key: str, now: float) -> bool:
        """Whether the key was its own; any key of the pad begins guidance."""
        if key not in PAD_KEYS or not kiosk.speaks:
            return False
        if not kiosk.modes.guided:
            kiosk.modes = replace(kiosk.modes, voice=True, guided=True)
            self._page = None
            self._first = kiosk.text("kiosk_voice.welcome")
            if len(kiosk.stack) == 1:
                kiosk.home(now)
            return key != "help"
        if key == "repeat":
            self.again(kiosk)
        elif key in ("louder", "softer"):
            self.louder(kiosk, 1 if key == "louder" else -1)
        else:
            return False
        return True

    def focused(self, kiosk: Kiosk, label: str, position: int, count: int) -> None:
        """The focus is on the target `label`, the `position`th of `count`; "" : on none."""
        said = label.replace("\n", " · ")
        words = kiosk.text("kiosk_voice.place", position=position, count=count, label=said) if said else ""
        self._focus_is_new = bool(words) and words != self._focus
        self._focus = words

    def shown(self, kiosk: Kiosk, page: Page) -> None:
        """`page` stands on the screen: say what is new of it, once."""
        if not kiosk.modes.voice:
            self._silence(kiosk)
            return
        new = (page.name, page.speech, page.language)
        parts: list[str] = []
        if new != self._page:
            parts = self._of_page(kiosk, page)
            self._page = new
        if self._focus_is_new:
            parts = [*parts, self._focus] if self._first is not None else [self._focus]
        self._focus_is_new, self._first = False, None
        if parts:
            self._say(kiosk, parts)

    def again(self, kiosk: Kiosk) -> None:
        """Page and focus once more."""
        if self._page is not None:
            how = [kiosk.text("kiosk_voice.how")] if kiosk.modes.guided else []
            self._say(kiosk, [self._page[1], *([self._focus] if self._focus else how)])

    def louder(self, kiosk: Kiosk, steps: int) -> None:
        """And say something that loud."""
        before, kiosk.modes = kiosk.modes, kiosk.modes.made_louder(steps)
        name = "kiosk_modes.sample"
        if kiosk.modes.louder == before.louder:
            name = "kiosk_voice.loudest" if steps > 0 else "kiosk_voice.softest"
        self._say(kiosk, [kiosk.text(name)])

    def _of_page(self, kiosk: Kiosk, page: Page) -> list[str]:
        parts = [page.speech]
        if self._first is not None:
            return [self._first, *parts]
        if kiosk.modes.guided:
            parts.append(kiosk.text("kiosk_voice.how"))
        return parts

    def _say(self, kiosk: Kiosk, parts: list[str]) -> None:
        words = _sentences(parts, kiosk.language)
        kiosk.say(Speak(text=words[:MOST_CHARACTERS], language=kiosk.language, louder=kiosk.modes.louder))
        self._speaking = True

    def _silence(self, kiosk: Kiosk) -> None:
        if self._speaking:
            kiosk.say(Speak(text="", language=kiosk.language))
        self._speaking, self._page, self._focus, self._first = False, None, "", None


def _sentences(parts: list[str], language: str) -> str:
    """Each part and line as a sentence, with a pause where the page has a dot, and nothing masked."""
    pause, stop = ("，", "。") if language.startswith("zh") else (", ", ". ")
    whole = ""
    for part in "\n".join(parts).split("\n"):
        part = _MASKED.sub("", part).strip(" ，,。.").replace(" · ", pause)
        if part:
            whole += part if part[-1] in "？！?!" else part + stop
    return whole.strip()
