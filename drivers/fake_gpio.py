"""A header without a Pi: gpiozero's mock pins under a chip label of their own, for tests and the simulator.

header = FakeHeader("desk-1")     # chip = "desk-1" in a driver's options
header.plug()
header.drive(17, False)           # somebody presses the button that pulls GPIO17 down
header.level(22)                  # what the driver has put on GPIO22
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers import gpio


class FakeHeader:
    """The far end of the pins. Levels are those of the wire: True is high."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.on_change: Callable[[], None] | None = None
        """Called when a driver has set an output or claimed a pin."""
        self.busy: set[int] = set()
        """Pins that another program holds."""
        self.plugged_in = False
        self._driven: dict[int, bool] = {}
        self._factory: Any = None

    def plug(self) -> None:
        """The chip is there (again)."""
        gpio.stand_in(self.label, self._make)
        self.plugged_in = True

    def unplug(self) -> None:
        """The chip is gone: every use of a pin fails. Also the end of it; forget the label with `remove`."""
        self.plugged_in = False

    def remove(self) -> None:
        """The label means nothing any more."""
        self.plugged_in = False
        gpio.stand_in(self.label, None)

    def drive(self, number: int, high: bool) -> None:
        """Somebody outside puts a level on the pin."""
        self._driven[number] = high
        self._apply(number)

    def let_go(self, number: int) -> None:
        """Nobody drives the pin: its pull decides."""
        self._driven.pop(number, None)
        self._apply(number)

    def level(self, number: int) -> bool:
        """The level of the wire now; False for a pin that nobody uses."""
        pin = self._pin(number)
        return bool(pin.state) if pin is not None else self._driven.get(number, False)

    def is_output(self, number: int) -> bool:
        pin = self._pin(number)
        return pin is not None and pin.function == "output"

    # ------------------------------------------------------------ inside

    def _pin(self, number: int) -> Any:
        if self._factory is None:
            return None
        return next((pin for pin in self._factory.pins.values() if pin._number == number), None)

    def _apply(self, number: int) -> None:
        pin = self._pin(number)
        if pin is not None and pin.function == "input" and self.plugged_in:
            high = self._driven.get(number, pin._pull == "up")
            pin.drive_high() if high else pin.drive_low()

    def _make(self) -> Any:
        if not self.plugged_in:
            raise gpio.GpioError(f"no chip {self.label}")
        self._factory = _factory(self)
        return self._factory

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()


def _factory(header: FakeHeader) -> Any:
    from gpiozero.pins import mock  # type: ignore[import-untyped,unused-ignore]

    class HeaderPin(mock.MockPin):  # type: ignore[misc,unused-ignore]  # gpiozero has no types
        """A mock pin that can be busy, driven before it is claimed, and gone."""

        def __init__(self, factory: Any, info: Any) -> None:
            if int(info.name[4:]) in header.busy:
                raise OSError("GPIO busy")
            super().__init__(factory, info)

        def _get_state(self) -> Any:
            self._check()
            return super()._get_state()

        def _set_state(self, value: Any) -> None:
            self._check()
            super()._set_state(value)
            header._changed()

        def _set_pull(self, value: str) -> None:
            super()._set_pull(value)
            header._apply(self._number)
            header._changed()

        def _check(self) -> None:
            if not header.plugged_in:
                raise OSError("chip is gone")

    return mock.MockFactory(pin_class=HeaderPin)
