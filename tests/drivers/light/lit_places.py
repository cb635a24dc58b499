"""The lights of the contract suite: a driver, the lamps that a person sees, and the faults it can have."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from drivers.fake_gpio import FakeHeader
from drivers.light.fake import FakeLamps, FakeLcus, FakeModbusRelay, FakeUsbTower
from drivers.light.frames import load_format
from drivers.light.protocol import Light
from drivers.table import build, config_type, driver_class
from drivers.transport.fake import Line, PtyLine, TcpLine
from drivers.transport.pair import PairLine

CALL_BY_STEADY: Final = {"call": {"lamps": ["white"], "pattern": "on"}}


class Place:
    """`options`: of the driver; `light`: not yet open. `can`: faults besides "unplug"."""

    driver = "serial_light"
    can: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def start(self, **more: Any) -> Light:
        """Plug it in and build the driver."""
        await self.plug()
        driver = driver_class(self.driver)
        light = build(driver, msgspec.convert(self.options() | more, config_type(driver)))
        assert isinstance(light, Light)
        self.light = light
        return light

    def options(self) -> dict[str, Any]:
        raise NotImplementedError

    def lamps(self) -> dict[str, str]:
        """What a person sees, by name."""
        raise NotImplementedError

    async def plug(self) -> None:
        raise NotImplementedError

    async def unplug(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        await self.unplug()

    def hurt(self, fault: str) -> None:
        raise NotImplementedError

    def mend(self) -> None:
        """End all faults but being unplugged."""


class Pins(Place):
    driver = "gpio_light"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.header = FakeHeader(f"light-{folder.name}")

    def options(self) -> dict[str, Any]:
        return {"chip": self.header.label, "lamps": {"white": 17, "red": 27}}

    def lamps(self) -> dict[str, str]:
        return {name: "on" if self.header.level(pin) else "off" for name, pin in (("white", 17), ("red", 27))}

    async def plug(self) -> None:
        self.header.plug()

    async def unplug(self) -> None:
        self.header.unplug()

    async def stop(self) -> None:
        self.header.remove()


class ActiveLowPins(Pins):
    def options(self) -> dict[str, Any]:
        return super().options() | {"active_low": True}

    def lamps(self) -> dict[str, str]:
        used = self.header.is_output(17)
        return {name: "on" if used and state == "off" else "off" for name, state in super().lamps().items()}


class Wired(Place):
    """On a line. `white` and `red` are the channels of these lamps."""

    format = "lcus"
    white, red = 1, 2

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fake = self.make()
        self.line = self.wire()

    def make(self) -> FakeLamps:
        return FakeLcus(2)

    def wire(self) -> Line:
        return PtyLine(self.fake, self.folder / "light")

    def transport(self) -> dict[str, Any]:
        return {"type": "serial", "path": str(self.folder / "light")}

    def options(self) -> dict[str, Any]:
        return {
            "transport": self.transport(),
            "format": self.format,
            "lamps": {"white": self.white, "red": self.red},
            "answer_ms": 100,
        }

    def lamps(self) -> dict[str, str]:
        return {"white": self.fake.lamps[self.white], "red": self.fake.lamps[self.red]}

    async def plug(self) -> None:
        await self.line.plug()

    async def unplug(self) -> None:
        await self.line.unplug()

    def hurt(self, fault: str) -> None:
        getattr(self.fake, fault)()

    def mend(self) -> None:
        self.fake.speak()
        self.fake.mend()
        if isinstance(self.fake, FakeModbusRelay):
            self.fake.accept()


class Tower(Wired):
    format = "usb-tower"
    white, red = 2, 1

    def make(self) -> FakeLamps:
        return FakeUsbTower()


class Answering(Wired):
    format = "lcus-answering"
    can = ("silence", "weld")

    def make(self) -> FakeLamps:
        return FakeLcus(2, answers=True)


class Modbus(Wired):
    format = "modbus-relay"
    can = ("silence", "weld", "refuse")

    def make(self) -> FakeLamps:
        return FakeModbusRelay(8)


class ModbusOverTcp(Modbus):
    def wire(self) -> Line:
        return TcpLine(self.fake)

    def transport(self) -> dict[str, Any]:
        assert isinstance(self.line, TcpLine)
        return {"type": "tcp", "host": "127.0.0.1", "port": self.line.port}


class ModbusOnABus(Modbus):
    """With `shared`, as beside keypads on one RS-485 line."""

    def transport(self) -> dict[str, Any]:
        return super().transport() | {"shared": True}


class ModbusAtOnce(Modbus):
    """A format of the station's own: all coils with one order (function 0F)."""

    def options(self) -> dict[str, Any]:
        whole = msgspec.to_builtins(load_format("modbus-relay"))
        own = whole | {
            "on": "", "off": "", "on_answer": "", "off_answer": "",
            "set": "{address} 0F 00 00 00 {count} 01 {states} {checksum}",
            "set_answer": "{address} 0F 00 00 00 {count} {checksum}",
            "refusal": "{address} 8F {code} {checksum}",
        }  # fmt: skip
        return super().options() | {"inline": own}


class ModbusInOneProcess(Modbus):
    def wire(self) -> Line:
        return PairLine(self.fake)

    async def start(self, **more: Any) -> Light:
        light = await super().start(**more)
        assert isinstance(self.line, PairLine)
        light._line = self.line.transport  # type: ignore[attr-defined]
        return light


KINDS: Final[dict[str, type[Place]]] = {
    "gpio": Pins,
    "gpio-active-low": ActiveLowPins,
    "lcus": Wired,
    "tower": Tower,
    "lcus-answering": Answering,
    "modbus": Modbus,
    "modbus-tcp": ModbusOverTcp,
    "modbus-bus": ModbusOnABus,
    "modbus-at-once": ModbusAtOnce,
    "modbus-pair": ModbusInOneProcess,
}
LINES: Final = [kind for kind, place in KINDS.items() if issubclass(place, Wired)]
FAULTS: Final = [(kind, fault) for kind, place in KINDS.items() for fault in ("unplug", *place.can)]
