"""The interface of every keypad, used as a call keypad or as a rating keypad."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

import msgspec

from drivers.driver import Driver


class KeyPress(msgspec.Struct, frozen=True):
    """One debounced press. `key` is a name of the driver's key map, e.g. "next", "recall" or "5", or the
    name that a long or a double press gives.

    `monotonic` is the loop time of the first byte of it.
    """

    key: str
    monotonic: float


class KeypadDisplay(msgspec.Struct, frozen=True):
    """What a call keypad with a display shows: the ticket that was called last and is not finished (None:
    none), how many people wait for this counter (None: not known), and the counter's state."""

    number: str | None = None
    waiting: int | None = None
    state: Literal["closed", "paused", "open", "called", "serving", "away"] = "closed"
    """`away`: the hall cannot be reached, what is shown may be old."""


class Keypad(Driver):
    """Keys in, and where the model has them, lights, a display, sounds and a prompt out.

    What cannot be said now, because the line is lost, is said when it is back; only `refuse` and the thanks
    are of the moment.
    """

    kind: ClassVar[str] = "keypad"

    @abstractmethod
    async def next_key(self) -> KeyPress:
        """The next press. Waits for ever, across unplugging; at most 64 presses are kept."""

    @abstractmethod
    async def light(self, *keys: str) -> None:
        """Light exactly these keys. Silently nothing where the model has no lights."""

    @abstractmethod
    async def prompt(self, shown: bool) -> None:
        """Start or end the request for a key (rating: "please rate", lights and voice of the model)."""

    @abstractmethod
    async def thank(self) -> None:
        """Tell the person that the key was taken, where the model can; ends the prompt."""

    async def show(self, display: KeypadDisplay) -> None:
        """Keep this on the display. Silently nothing where the model has none."""

    async def refuse(self) -> None:
        """Tell the person that the key was not taken: a beep, a flash, a word on the display."""

    async def lock(self, locked: bool) -> None:
        """A locked keypad gives no presses and refuses every key; a driver without locking does nothing."""
