"""How this citizen wants the kiosk: language, large type, contrast, reach, voice.

All of it is forgotten when the kiosk returns to the attract page, the language too: the next one has not
asked for it, would not know how to undo it (a page in a language one cannot read, a voice that does not
stop), and what somebody needs says something about them that is nobody else's business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

ELDER_SCALE: Final = 1.5
"""Type of elder mode against the usual."""
MOST_LOUDER: Final = 4
"""Steps of loudness up and down, as in `wire.screen_link.Speak`."""


@dataclass(frozen=True, slots=True)
class Modes:
    """Each is off until asked for; the language begins with that of the hall.

    `voice`: each page is said. `guided`: the key pad leads, so targets are said too. `louder`: steps.
    """

    language: str = "zh-CN"
    elder: bool = False
    contrast: bool = False
    low_reach: bool = False
    voice: bool = False
    guided: bool = False
    louder: int = 0

    @property
    def scale(self) -> float:
        return ELDER_SCALE if self.elder else 1.0

    def turned(self, mode: str, speaks: bool) -> Modes:
        """With `mode` (elder, contrast, low_reach, voice) the other way; `speaks`: the kiosk has a voice.

        Elder mode brings the voice with it and takes it away again, except from who is led by it.
        """
        if mode == "elder":
            return replace(self, elder=not self.elder, voice=(not self.elder and speaks) or self.guided)
        if mode == "voice":
            return replace(self, voice=not self.voice and speaks, guided=self.guided and not self.voice)
        if mode == "contrast":
            return replace(self, contrast=not self.contrast)
        return replace(self, low_reach=not self.low_reach)

    def made_louder(self, steps: int) -> Modes:
        """Louder by `steps`, softer below 0, within MOST_LOUDER."""
        return replace(self, louder=max(-MOST_LOUDER, min(MOST_LOUDER, self.louder + steps)))
