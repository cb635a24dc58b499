"""The interface of every keypad, used as a call keypad or as a rating keypad."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from drivers.driver import Driver


@dataclass(frozen=True, slots=True)
class KeyPress:
    """One debounced press. `key` is a name of the driver's key map, e.g. "next", "recall" or "5".

    `monotonic` is the loop time of the first byte of it.
    """

    key: str
    monotonic: float


class Keypad(Driver):
    """Keys in, and where the model has them, lights and a prompt out."""

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
