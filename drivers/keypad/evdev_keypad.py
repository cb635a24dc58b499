"""Driver of HID keyboards, number pads and keys of the kernel (`gpio-key`) through the kernel's input events.

Binds to: hid (`drivers.transport.hid`). Implements: Keypad; no lights, no prompt. The device is grabbed, so
that its keys go nowhere else. The kernel's autorepeat is ignored; keys that are down when the device is
opened are no presses. After an overflow of the kernel's buffer (SYN_DROPPED) the keys are asked for anew.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, ClassVar

import msgspec

from drivers.errors import DriverError, LineLostError
from drivers.keypad.gestures import GestureConfig
from drivers.keypad.input_events import KEY_CODES, NUMLOCK_TWINS, EventParser
from drivers.keypad.keyed import KeyedKeypad
from drivers.transport.hid import HidConfig, HidTransport

log = logging.getLogger(__name__)


class EvdevKeypadConfig(GestureConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`path`: a stable name (/dev/paihao/… or /dev/input/by-path/…). `keys`: kernel name → our name.

    A kernel name is one of `KEY_CODES`, or a number such as "0x1b5" for a key without one here. A number pad
    that keeps NumLock by itself may say KEY_END for KEY_KP1: both mean the key, unless KEY_END has a name.
    """

    path: Annotated[str, msgspec.Meta(min_length=1)]
    keys: Annotated[dict[str, str], msgspec.Meta(min_length=1, max_length=64)]
    grab: bool = True

    def __post_init__(self) -> None:
        wrong = [name for name in self.keys if _code(name) is None]
        if wrong:
            raise ValueError(f"keys that the kernel does not have: {', '.join(wrong)}")
        if not all(self.keys.values()):
            raise ValueError("every key needs a name")
        if problems := self.problems(frozenset(self.keys.values())):
            raise ValueError("; ".join(problems))

    @property
    def codes(self) -> dict[int, str]:
        """Kernel code → our name, NumLock's twins included."""
        twins = {NUMLOCK_TWINS[name]: key for name, key in self.keys.items() if name in NUMLOCK_TWINS}
        return {code: key for name, key in (twins | self.keys).items() if (code := _code(name))}


def _code(name: str) -> int | None:
    if name in KEY_CODES:
        return KEY_CODES[name]
    try:
        code = int(name, 0)
    except ValueError:
        return None
    return code if 0 < code < 0x300 else None


class EvdevKeypad(KeyedKeypad):
    """One HID device. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = EvdevKeypadConfig

    def __init__(self, config: EvdevKeypadConfig) -> None:
        super().__init__(config)
        self._line = HidTransport(HidConfig(path=config.path, grab=config.grab))
        self._keys = config.codes
        self._parser = EventParser()

    async def open(self) -> None:
        await self.close()
        try:
            await self._line.open()
        except DriverError as error:
            # held by another program or no keypad at all: it is there
            self._line_is("missing" if isinstance(error, LineLostError) else "fault", error.code)
            raise
        self._parser.clear()
        self._keys_open()
        self._held(self._held_names(), asyncio.get_running_loop().time())
        self._line_is("ok")

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        dropped = self._parser.dropped
        try:
            while True:
                changes = self._parser.feed(await self._line.read())
                now = loop.time()
                self.seen()
                for code, down in changes:
                    if (key := self._keys.get(code)) is not None:
                        self._down(key, now) if down else self._up(key, now)
                if dropped != self._parser.dropped:
                    dropped = self._parser.dropped
                    self._keys_lost()
                    self._held(self._held_names(), now)
        except DriverError as error:
            self._line_is("missing", error.code)
            raise

    async def close(self) -> None:
        await self._line.close()
        self._keys_lost()

    async def light(self, *keys: str) -> None:
        """Such keypads have no lights of ours."""

    async def prompt(self, shown: bool) -> None:
        """Such keypads cannot ask."""

    async def thank(self) -> None:
        """Such keypads cannot thank."""

    def _held_names(self) -> set[str]:
        return {self._keys[code] for code in self._line.held() if code in self._keys}
