"""How this citizen wants the kiosk: language, large type, contrast, reach, voice. Forgotten when they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ELDER_SCALE: Final = 1.5
"""Type of elder mode against the usual."""


@dataclass(frozen=True, slots=True)
class Modes:
    """Each is off until asked for; the language begins with that of the hall."""

    language: str = "zh-CN"
    elder: bool = False
    contrast: bool = False
    low_reach: bool = False
    voice: bool = False

    @property
    def scale(self) -> float:
        return ELDER_SCALE if self.elder else 1.0
