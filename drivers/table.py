"""Which driver is where: names of the profile to classes, imported only when asked for.

A driver of another package is found by its entry point in the group `paihao.drivers`. Every driver class
has `Config: ClassVar[type[msgspec.Struct]]`, strict, and is built as `DriverClass(config)`.
"""

from __future__ import annotations

import importlib
from typing import Final

import msgspec

from drivers.driver import Driver

DRIVERS: Final[dict[str, str]] = {
    "escpos": "drivers.ticket_printer.escpos:EscposPrinter",
    "kiosk_printer": "drivers.ticket_printer.kiosk_printer:KioskPrinter",
    "cups": "drivers.ticket_printer.cups_printer:CupsPrinter",
    "onbon_bx": "drivers.call_screen.onbon_bx:OnbonBx",
    "alpha_sign": "drivers.call_screen.alpha_sign:AlphaSign",
    "modbus_display": "drivers.call_screen.modbus_display:ModbusDisplay",
    "max7219": "drivers.call_screen.max7219:Max7219Panel",
    "hub75": "drivers.call_screen.hub75:Hub75Panel",
    "panel": "drivers.call_screen.panel:Panel",
    "serial_keypad": "drivers.keypad.serial_keypad:SerialKeypad",
    "evdev_keypad": "drivers.keypad.evdev_keypad:EvdevKeypad",
    "hidraw_keypad": "drivers.keypad.hidraw_keypad:HidrawKeypad",
    "gpio_keypad": "drivers.keypad.gpio_keypad:GpioKeypad",
    "sam_reader": "drivers.card_reader.sam_reader:SamReader",
    "scanner": "drivers.card_reader.scanner:Scanner",
    "pcsc_reader": "drivers.card_reader.pcsc_reader:PcscReader",
    "speaker": "drivers.voice.speaker:Speaker",
    "onbon_voice": "drivers.voice.onbon_voice:OnbonVoice",
    "gpio_light": "drivers.light.gpio_light:GpioLight",
    "serial_light": "drivers.light.serial_light:SerialLight",
}
"""The drivers of this package: name → "module:attribute"."""

ENTRY_POINTS: Final = "paihao.drivers"


class DriverNotFoundError(LookupError):
    """No driver of that name, or it cannot be imported here."""


def driver_class(name: str) -> type[Driver]:
    """The class of a driver. Raises DriverNotFoundError."""
    where = DRIVERS.get(name) or _entry_point(name)
    if where is None:
        raise DriverNotFoundError(f"no driver {name!r}; there are {', '.join(sorted(DRIVERS))}")
    module, _, attribute = where.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise DriverNotFoundError(f"driver {name!r} cannot be loaded: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Driver)):
        raise DriverNotFoundError(f"driver {name!r}: {where} is not a Driver")
    return found


def config_type(driver: type[Driver]) -> type[msgspec.Struct]:
    """The struct of a driver's options. Raises DriverNotFoundError when the class has none."""
    config = getattr(driver, "Config", None)
    if not (isinstance(config, type) and issubclass(config, msgspec.Struct)):
        raise DriverNotFoundError(f"driver {driver.__name__} has no Config struct")
    return config


def build(driver: type[Driver], config: msgspec.Struct) -> Driver:
    """The driver with its checked config."""
    make: type[Driver] = driver
    return make(config)  # type: ignore[call-arg]  # the contract of the table; Driver itself takes nothing


def _entry_point(name: str) -> str | None:
    from importlib.metadata import entry_points  # slow; only for drivers of other packages

    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            return entry.value
    return None
