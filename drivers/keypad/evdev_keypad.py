"""Driver of HID keyboards and number pads through the kernel's input events.

Binds to: hid (`drivers.transport.hid`). Implements: Keypad; no lights, no prompt. The device is grabbed, so
that its keys go nowhere else. The kernel's autorepeat is ignored.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, ClassVar

import msgspec

from drivers.driver import Health
from drivers.errors import DriverError
from drivers.keypad.debounce import Debounce
from drivers.keypad.input_events import KEY_CODES, EventParser
from drivers.keypad.presses import Presses
from drivers.keypad.protocol import Keypad, KeyPress
from drivers.transport.hid import HidConfig, HidTransport

log = logging.getLogger(__name__)


class EvdevKeypadConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`path`: a stable name (/dev/paihao/… or /dev/input/by-path/…). `keys`: kernel name → our name.

    A kernel name is one of `KEY_CODES`, or a number such as "0x1b5" for a key without one here.
    """

    path: Annotated[str, msgspec.Meta(min_length=1)]
    keys: Annotated[dict[str, str], msgspec.Meta(min_length=1, max_length=64)]
    grab: bool = True
    debounce_ms: Annotated[int, msgspec.Meta(ge=0, le=5000)] = 250

    def __post_init__(self) -> None:
        wrong = [name for name in self.keys if _code(name) is None]
        if wrong:
            raise ValueError(f"keys that the kernel does not have: {', '.join(wrong)}")
        if not all(self.keys.values()):
            raise ValueError("every key needs a name")


def _code(name: str) -> int | None:
    if name in KEY_CODES:
        return KEY_CODES[name]
    try:
        code = int(name, 0)
    except ValueError:
        return None
    return code if 0 < code < 0x300 else None


class EvdevKeypad(Keypad):
    """One HID device. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = EvdevKeypadConfig

    def __init__(self, config: EvdevKeypadConfig) -> None:
        super().__init__()
        self._line = HidTransport(HidConfig(path=config.path, grab=config.grab))
        self._keys = {_code(name): key for name, key in config.keys.items()}
        self._parser = EventParser()
        self._debounce = Debounce(config.debounce_ms / 1000)
        self._presses = Presses()

    async def open(self) -> None:
        await self.close()
        try:
            await self._line.open()
        except DriverError as error:
            self.report(Health("missing", error.code))
            raise
        self._parser.clear()
        self.report(Health("ok"))

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                codes = self._parser.feed(await self._line.read())
                now = loop.time()
                self.seen()
                for code in codes:
                    key = self._keys.get(code)
                    if key is not None and self._debounce.is_press(key, now):
                        self._presses.put(KeyPress(key, now))
        except DriverError as error:
            self.report(Health("missing", error.code))
            raise

    async def close(self) -> None:
        await self._line.close()

    async def next_key(self) -> KeyPress:
        return await self._presses.get()

    async def light(self, *keys: str) -> None:
        """Such keypads have no lights of ours."""

    async def prompt(self, shown: bool) -> None:
        """Such keypads cannot ask."""

    async def thank(self) -> None:
        """Such keypads cannot thank."""
