"""Driver of buttons and lamps on the pins of the header, for calls and for ratings.

Binds to: pins (`drivers.gpio`). Implements: Keypad. A button connects its pin to ground (pull-up, active low,
as gpiozero's Button) unless the options say otherwise. Contacts are debounced by our own `gestures`; what is
shorter than PROOF_S is noise on a wire, never a key or a grade. Every CHECK_S the pins are read: that finds
an edge that was lost and a chip that is gone.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, ClassVar, Final

import msgspec

from drivers.errors import DriverError
from drivers.gpio import HEADER, Input, Output, Pins, Pull
from drivers.keypad.gestures import GestureConfig
from drivers.keypad.keyed import THANKS_S, KeyedKeypad

CHECK_S: Final = 1.0
PROOF_S: Final = 0.01
"""A button is down for longer than this when a person presses it."""
BEEP_S: Final = 0.15

Pin = Annotated[int, msgspec.Meta(ge=0, le=27)]
"""A BCM number: 17 is GPIO17, pin 11 of the header."""


class GpioKeypadConfig(GestureConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`keys`: name → pin of its button; `lights`: name → pin of its lamp. `prompt`: a lamp that asks for a
    rating; `beeper`: sounds when a key is refused. `prompt_lights`: all lamps of keys light up while a rating
    is asked for, the chosen one when it is thanked for. `chip`: the label of another chip than the header's.
    """

    keys: Annotated[dict[str, Pin], msgspec.Meta(min_length=1, max_length=28)]
    pull: Pull = "up"
    active_low: bool = True
    lights: Annotated[dict[str, Pin], msgspec.Meta(max_length=28)] = msgspec.field(default_factory=dict)
    lights_active_low: bool = False
    prompt: Pin | None = None
    prompt_lights: bool = False
    beeper: Pin | None = None
    chip: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = HEADER

    def __post_init__(self) -> None:
        problems = self.problems(frozenset(self.keys))
        if unknown := sorted(set(self.lights) - set(self.keys)):
            problems.append(f"lights: 没有这些键 · no such keys: {', '.join(unknown)}")
        more = [pin for pin in (self.prompt, self.beeper) if pin is not None]
        pins = [*self.keys.values(), *self.lights.values(), *more]
        if twice := sorted({pin for pin in pins if pins.count(pin) > 1}):
            problems.append(f"引脚重复 · pins used twice: {', '.join(map(str, twice))}")
        if problems:
            raise ValueError("; ".join(problems))


class GpioKeypad(KeyedKeypad):
    """The buttons of one keypad. See the module."""

    Config: ClassVar[type[msgspec.Struct]] = GpioKeypadConfig

    def __init__(self, config: GpioKeypadConfig) -> None:
        super().__init__(config)
        self._config = config
        self._pins = Pins(config.chip)
        self._buttons: dict[str, Input] = {}
        self._lamps: dict[str, Output] = {}
        self._prompt_lamp: Output | None = None
        self._beeper: Output | None = None
        self._levels: dict[str, bool] = {}
        self._down_at: dict[str, float] = {}
        self._lights: frozenset[str] = frozenset()
        self._prompted = False
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def open(self) -> None:
        await self.close()
        config = self._config
        try:
            await self._pins.open()
            self._keys_open()
            for key, pin in config.lights.items():
                self._lamps[key] = self._pins.output(pin, active_low=config.lights_active_low)
            if config.prompt is not None:
                self._prompt_lamp = self._pins.output(config.prompt, active_low=config.lights_active_low)
            if config.beeper is not None:
                self._beeper = self._pins.output(config.beeper, active_low=config.lights_active_low)
            for key, pin in config.keys.items():
                self._buttons[key] = self._pins.input(
                    pin, pull=config.pull, active_low=config.active_low, on_change=partial(self._changed, key)
                )
            self._levels = {key: button.read() for key, button in self._buttons.items()}
            self._show_lights()
        except DriverError as error:
            await self.close()
            self._line_is("missing" if error.code == "gpio.no_chip" else "fault", error.code)
            raise
        self._held({key for key, down in self._levels.items() if down}, asyncio.get_running_loop().time())
        self._line_is("ok")

    async def serve(self) -> None:
        try:
            while True:
                await asyncio.sleep(CHECK_S)
                for key, button in self._buttons.items():
                    self._changed(key, button.read(), asyncio.get_running_loop().time())
                self.seen()
                self._show_lights()
        except DriverError as error:
            self._line_is("missing", error.code)
            raise

    async def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._buttons, self._lamps = {}, {}
        self._prompt_lamp = self._beeper = None
        await self._pins.close()
        self._keys_lost()

    async def light(self, *keys: str) -> None:
        self._lights = frozenset(keys)
        self._try_lights()

    async def prompt(self, shown: bool) -> None:
        self._prompted = shown
        if shown:
            self._chosen = ""
        if self._config.prompt_lights:
            self._lights = frozenset(self._config.lights if shown else ())
        self._try_lights()

    async def thank(self) -> None:
        self._prompted = False
        if self._config.prompt_lights:
            self._lights = frozenset((self._chosen,))
            self._later("thanks", THANKS_S, self._end_thanks)
        self._try_lights()

    async def refuse(self) -> None:
        self._beep(True)
        self._later("beep", BEEP_S, partial(self._beep, False))

    # ------------------------------------------------------------ inside

    def _changed(self, key: str, down: bool, at: float) -> None:
        if self._levels.get(key) == down:
            return
        self._levels[key] = down
        if down:
            self._down_at[key] = at
            self._later(f"key {key}", PROOF_S, partial(self._proved, key))
            return
        if (proof := self._timers.get(f"key {key}")) is not None:
            if at - self._down_at[key] < PROOF_S:
                proof.cancel()
                del self._timers[f"key {key}"]
                return
            proof.cancel()
            self._proved(key)  # the loop was busy for longer than the press
        self._up(key, at)

    def _proved(self, key: str) -> None:
        del self._timers[f"key {key}"]
        self._down(key, self._down_at[key])

    def _refused(self) -> None:
        self._beep(True)
        self._later("beep", BEEP_S, partial(self._beep, False))

    def _beep(self, on: bool) -> None:
        if self._beeper is not None:
            try:
                self._beeper.write(on)
            except DriverError:
                pass  # `serve` finds it out

    def _later(self, name: str, seconds: float, call: object) -> None:
        if (before := self._timers.pop(name, None)) is not None:
            before.cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, call)  # type: ignore[arg-type]

    def _end_thanks(self) -> None:
        if not self._prompted:
            self._lights = frozenset()
            self._try_lights()

    def _try_lights(self) -> None:
        try:
            self._show_lights()
        except DriverError:
            pass  # `serve` finds it out; they are set when the chip is back

    def _show_lights(self) -> None:
        """Raises LineLostError."""
        for key, lamp in self._lamps.items():
            lamp.write(key in self._lights)
        if self._prompt_lamp is not None:
            self._prompt_lamp.write(self._prompted)
