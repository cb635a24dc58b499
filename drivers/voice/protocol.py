"""The interface of every voice: one announcement at a time per loudspeaker, in order of priority."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Literal

from drivers.driver import Driver


@dataclass(frozen=True, slots=True)
class Announcement:
    """A call to speak: "请A005号到3号窗口". `counter` is the counter's name per language.

    `deadline` (aware): not begun by then, it is dropped. `priority`: greater goes first.
    """

    id: str
    number: str
    counter: dict[str, str]
    deadline: datetime
    languages: tuple[str, ...] = ("zh-CN",)
    repeat: int = 2
    priority: int = 0


NO_FREE_TEXT: Final = "voice.no_free_text"


@dataclass(frozen=True, slots=True)
class SpeakResult:
    """`done`: the last sample was played; `expired`: its deadline passed before it began."""

    outcome: Literal["done", "failed", "expired", "superseded"]
    code: str | None = None


class Voice(Driver):
    """One loudspeaker with a bounded queue. Announcements never overlap.

    `speaks_freely`: it can `speak`.
    """

    kind: ClassVar[str] = "voice"
    speaks_freely: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.local_time: Callable[[], datetime] = datetime.now
        """The hall's time, for volumes by time of day; the agent puts its own clock here."""

    @abstractmethod
    async def say(self, announcement: Announcement) -> SpeakResult:
        """Queue it, speak it, and tell what became of it.

        A newer announcement of the same number supersedes one that has not begun.
        """

    async def speak(self, text: str, language: str = "zh-CN", volume: int = 100) -> SpeakResult:
        """Say `text` in place of what this method said before, which ends at once; "" only ends it.

        It never sounds with an announcement: one that is being spoken is waited for, and a new one ends it
        (*superseded*, as by a newer text). Nothing waits behind it but the newest text. `volume`: per cent of
        the voice's own, up to full loudness. *failed* where the voice cannot (`speaks_freely`).
        """
        return SpeakResult("failed", NO_FREE_TEXT)
