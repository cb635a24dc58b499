"""Which lamp is on when. Pure: the time is given, nothing waits here.

A lamp that several signals want shows the first of `PRIORITY`. Blinking begins with the light on, at the
moment of the first signal; once more changes only its end. No pattern flashes more than three times a second:
more can set off an epileptic fit (WCAG 2.2, success criterion 2.3.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, get_args

import msgspec

from drivers.light.protocol import SignalName

Pattern = Literal["on", "blink", "flash"]
LampState = Literal["off", "on", "blink"]
"""`blink`: the device blinks by itself."""

HALF_PERIOD_S: Final[dict[Pattern, float]] = {"blink": 0.5, "flash": 0.2}
"""So long on, then so long off."""
LEAST_PERIOD_S: Final = 0.34
"""No lamp is lit again sooner, whatever signals begin and end: fewer than three flashes a second."""
PRIORITY: Final[tuple[SignalName, ...]] = ("help", "call", "fault", "open")
CALL_LAMPS: Final = ("white", "yellow", "blue", "green", "red")
"""The lamp that flashes at a call when the configuration does not say: the first of these that there is."""


class SignalLook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a signal looks: `lamps` by their names in the configuration."""

    lamps: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    pattern: Pattern = "blink"


class LampConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of every light. `lamps`: name ("red", "white", "buzzer" …) → channel of the relay or pin.

    `signals`: how each signal looks; without it a call flashes one lamp and a red one, where there is
    another, blinks for help. Signals that no lamp stands for are not shown.
    """

    lamps: Annotated[dict[str, int], msgspec.Meta(min_length=1, max_length=16)]
    signals: dict[SignalName, SignalLook] = {}

    def __post_init__(self) -> None:
        problems = []
        if len(set(self.lamps.values())) != len(self.lamps):
            problems.append("two lamps have the same number")
        for name, look in self.signals.items():
            if unknown := set(look.lamps) - set(self.lamps):
                problems.append(f"signal {name}: no such lamp: {', '.join(sorted(unknown))}")
        if problems:
            raise ValueError("; ".join(problems))

    def looks(self, call_pattern: Pattern) -> dict[SignalName, SignalLook]:
        """`signals`, completed. `call_pattern`: how a call looks that the configuration does not describe."""
        colours: list[str] = [name for name in CALL_LAMPS if name in self.lamps]
        colours += self.lamps
        looks = {"call": SignalLook(lamps=(colours[0],), pattern=call_pattern)}
        if "red" in self.lamps and colours[0] != "red":
            looks["help"] = SignalLook(lamps=("red",))
        return {**looks, **self.signals}  # type: ignore[dict-item]  # "call" and "help" are SignalNames


class Signals:
    """The signals that are on, and what they make of the lamps. Times in seconds of one monotonic clock."""

    def __init__(self, looks: Mapping[SignalName, SignalLook], lamps: Sequence[str]) -> None:
        self._looks = looks
        self._lamps = tuple(lamps)
        self._on: dict[SignalName, tuple[float, float | None]] = {}
        self._lit: dict[str, float] = {}
        """Since when each lamp is on, or when it was last lit."""
        self._dark = set(lamps)

    def knows(self, name: SignalName) -> bool:
        """Whether a lamp stands for it."""
        return name in self._looks

    def begin(self, name: SignalName, now: float, until: float | None) -> None:
        """Once more: with new `until`, and blinking goes on in step."""
        since = self._on[name][0] if self._is_on(name, now) else now
        self._on[name] = (since, until)

    def end(self, name: SignalName) -> bool:
        """Whether it was on."""
        return self._on.pop(name, None) is not None

    def _is_on(self, name: SignalName, now: float) -> bool:
        return name in self._on and ((until := self._on[name][1]) is None or now < until)

    def at(self, now: float, blinks_itself: bool) -> tuple[dict[str, LampState], float | None]:
        """The state of every lamp at `now`, and when it changes by itself; None: only with a new signal."""
        self._on = {name: span for name, span in self._on.items() if self._is_on(name, now)}
        states: dict[str, LampState] = dict.fromkeys(self._lamps, "off")
        changes = [until for _, until in self._on.values() if until is not None]
        taken: set[str] = set()
        for name in PRIORITY:
            if name not in self._on:
                continue
            look = self._looks[name]
            half = HALF_PERIOD_S.get(look.pattern)
            mine = set(look.lamps) - taken
            state: LampState = "on"
            if half is not None and blinks_itself:
                state = "blink"
            elif half is not None and mine:
                steps = int(
                    (now - self._on[name][0]) / half + 1e-6
                )  # not one less by the last bit of a float
                state = "off" if steps % 2 else "on"
                changes.append(self._on[name][0] + (steps + 1) * half)
            states.update(dict.fromkeys(mine, state))
            taken |= mine
        for lamp, shown in states.items():
            again = self._lit.get(lamp, now - LEAST_PERIOD_S) + LEAST_PERIOD_S
            if shown != "off" and lamp in self._dark and now < again - 1e-6:
                states[lamp] = "off"
                changes.append(again)
            elif shown != "off" and lamp in self._dark:
                self._dark.discard(lamp)
                self._lit[lamp] = now
            elif shown == "off":
                self._dark.add(lamp)
        return states, min(changes, default=None)


assert set(PRIORITY) == set(get_args(SignalName))
