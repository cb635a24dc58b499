"""A kiosk for people who do not see its screen: it speaks what the screen says, and has a key pad.

The screen decides what is said, how loud, and what a key means; the help key works without a screen, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from device.stations.station import FRESH_PRESS_S, Node, Recent
from wire.screen_link import PadKey, Speak

if TYPE_CHECKING:
    from drivers.keypad.protocol import Keypad
    from drivers.voice.protocol import Voice

logger = logging.getLogger(__name__)

STEP_DB: Final = 3
"""Of `Speak.louder`."""
PadKeyName = Literal["up", "down", "ok", "back", "help", "repeat", "louder", "softer"]
KEYS: Final = frozenset(get_args(PadKeyName))


class Guidance:
    """`voice` and `pad` None: there is none. `help` is called by the help key when no screen is there."""

    def __init__(
        self,
        node: Node,
        station: str,
        voice: Voice | None,
        voice_device: str | None,
        pad: Keypad | None,
        help: Callable[[], None],
    ) -> None:
        self._node = node
        self._station = station
        self._voice = voice
        self._device = voice_device
        self._pad = pad
        self._help = help
        self._unknown = Recent(32)

    @property
    def can_speak(self) -> bool:
        """Whether what a screen wants said is heard."""
        voice, device = self._voice, self._device
        return voice is not None and device is not None and voice.speaks_freely and self._node.healthy(device)

    async def speak(self, said: Speak) -> None:
        """In place of what is being said. Returns when it was said, or something newer is."""
        if self._voice is None or not self._voice.speaks_freely:
            return
        volume = round(100 * 10 ** (STEP_DB * said.louder / 20))
        result = await self._voice.speak(said.text, said.language, volume)
        if result.outcome == "failed":
            logger.warning("guidance was not heard: %s", result.code)

    async def run(self) -> None:
        """Follow the key pad; never returns when there is one."""
        while self._pad is not None:
            press = await self._pad.next_key()
            if asyncio.get_running_loop().time() - press.monotonic <= FRESH_PRESS_S:
                self._press(press.key)

    def _press(self, key: str) -> None:
        if key not in KEYS:
            if self._unknown.new(key):
                logger.warning("the key pad has a key %.40r that means nothing", key)
            return
        if key == "help" and not self._node.has_screen(self._station, "kiosk"):
            self._help()
            return
        self._node.show(self._station, PadKey(key=cast(PadKeyName, key)), "kiosk")
