"""A keypad that can be told things by a format's outputs: lights, prompt, thanks, display, voice, refusal.

What it was told last is kept and told again when the line is back. Everything is written in one place, one
thing after another.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Coroutine
from typing import Any, Final

from drivers.errors import DriverError
from drivers.keypad.gestures import GestureConfig
from drivers.keypad.keyed import THANKS_S, KeyedKeypad
from drivers.keypad.outputs import OutputFormat, Sound, output
from drivers.keypad.protocol import KeypadDisplay

log = logging.getLogger(__name__)

REFUSED_SHOWN_S: Final = 1.0
"""How long a refusal stands in the place of the number."""


class ToldKeypad(KeyedKeypad):
    """Base of drivers with outputs. A child writes (`_write_frame`) and lets go of the line (`close`)."""

    def __init__(self, gestures: GestureConfig, outputs: OutputFormat, address: int = 0) -> None:
        super().__init__(gestures)
        self._outputs = outputs
        self._address = address
        self._lights: frozenset[str] | None = None
        self._prompted = False
        self._display: KeypadDisplay | None = None
        self._is_open = False
        self._back: asyncio.TimerHandle | None = None
        self._thanks: asyncio.TimerHandle | None = None
        self._signs: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def _write_frame(self, frame: bytes) -> None:
        """Raises DriverError."""

    # ------------------------------------------------------------ the interface

    async def light(self, *keys: str) -> None:
        self._lights = frozenset(keys)
        await self._tell(self._frame(self._outputs.light))

    async def prompt(self, shown: bool) -> None:
        self._prompted = shown
        self._end_thanks()
        if shown:
            self._chosen = ""
            await self._tell(*self._prompt_frames(), self._voice("prompt"))
        else:
            await self._tell(self._frame(self._outputs.prompt_end), self._prompt_lights(()))

    async def thank(self) -> None:
        self._prompted = False
        thanks = self._outputs.thank or self._outputs.prompt_end
        self._end_thanks()
        chosen = self._prompt_lights((self._chosen,))
        if chosen:
            self._thanks = asyncio.get_running_loop().call_later(THANKS_S, self._thanked)
        await self._tell(self._frame(thanks), chosen, self._voice("thanks"))

    async def show(self, display: KeypadDisplay) -> None:
        if display != self._display:
            self._display = display
            if self._back is None:
                await self._tell(self._frame(self._outputs.show))

    async def refuse(self) -> None:
        outputs = self._outputs
        frames = [self._frame(outputs.refuse), self._voice("refused")]
        if outputs.show and outputs.number is not None:
            frames.append(self._frame(outputs.show, refused=True))
        await self._tell(*frames)
        # only now: on a busy line the turn may come later than the end of the refusal
        if outputs.show and outputs.number is not None and self._is_open:
            if self._back is not None:
                self._back.cancel()
            self._back = asyncio.get_running_loop().call_later(REFUSED_SHOWN_S, self._end_refusal)

    # ------------------------------------------------------------ for the children

    async def _tell_again(self) -> None:
        """The line is open: say what stands. Raises DriverError.

        A keypad with power of its own goes on asking for a rating that ended while the line was away.
        """
        if self._lights is not None or self._outputs.prompt_lights:
            await self._write_all(self._frame(self._outputs.light))
        if self._display is not None:
            await self._write_all(self._frame(self._outputs.show))
        if self._prompted:
            await self._write_all(*self._prompt_frames())
        else:
            await self._write_all(self._frame(self._outputs.prompt_end))

    def _refused(self) -> None:
        if not self._signs:  # one at a time, however often it is pressed
            self._sign(self.refuse())

    async def _stop_telling(self) -> None:
        self._is_open = False
        if self._back is not None:
            self._back.cancel()
            self._back = None
        if self._thanks is not None:
            self._end_thanks()
            self._lights = frozenset()
        signs = [task for task in self._signs if task is not asyncio.current_task()]
        for task in signs:
            task.cancel()
        if signs:
            await asyncio.wait(signs)

    # ------------------------------------------------------------ inside

    def _sign(self, work: Coroutine[Any, Any, None]) -> None:
        """Say something beside what is being done."""
        task = asyncio.get_running_loop().create_task(work)
        self._signs.add(task)
        task.add_done_callback(self._signs.discard)

    def _end_refusal(self) -> None:
        self._back = None
        if self._is_open:
            self._sign(self._show_again())

    async def _show_again(self) -> None:
        if self._back is None:
            await self._tell(self._frame(self._outputs.show))

    def _end_thanks(self) -> None:
        if self._thanks is not None:
            self._thanks.cancel()
            self._thanks = None

    def _thanked(self) -> None:
        self._thanks = None
        if not self._prompted:
            self._lights = frozenset()
            self._sign(self._light_again())

    async def _light_again(self) -> None:
        await self._tell(self._frame(self._outputs.light))

    def _prompt_frames(self) -> list[bytes]:
        return [self._frame(self._outputs.prompt), self._prompt_lights(self._outputs.light_order)]

    def _prompt_lights(self, keys: tuple[str, ...]) -> bytes:
        if not self._outputs.prompt_lights:
            return b""
        self._lights = frozenset(keys)
        return self._frame(self._outputs.light)

    def _voice(self, sound: Sound) -> bytes:
        if sound not in self._outputs.voices:
            return b""
        return self._frame(self._outputs.voice, index=self._outputs.voices[sound])

    def _frame(self, template: str, *, index: int = 0, refused: bool = False) -> bytes:
        if not template:
            return b""
        return output(
            self._outputs,
            template,
            self._address,
            lights=self._lights or frozenset(),
            display=self._display,
            index=index,
            refused=refused,
        )

    async def _tell(self, *frames: bytes) -> None:
        """Write now; what a lost line swallowed is written again when it is back."""
        if not self._is_open:
            return
        try:
            await self._write_all(*frames)
        except DriverError as error:
            log.debug("%s", error)
            await self.close()  # the reading side of `serve` fails now, and the supervisor opens again

    async def _write_all(self, *frames: bytes) -> None:
        for frame in frames:
            if frame:
                await self._write_frame(frame)
