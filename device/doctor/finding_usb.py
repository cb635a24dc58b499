"""USB devices as sysfs shows them (kernel documentation, ABI/testing/sysfs-bus-usb)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.doctor.roots import Roots, entries, linked, word


@dataclass(frozen=True, slots=True)
class UsbInterface:
    """One interface. `class_`: 3 HID, 7 printer, 11 smart card …; `driver`: the kernel's, or ""."""

    folder: Path
    class_: int
    driver: str


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One device. `port`: "1-1.2", bus and sockets."""

    port: str
    vendor: int
    product: int
    class_: int
    maker: str
    model: str
    serial: str
    interfaces: tuple[UsbInterface, ...]

    @property
    def number(self) -> str:
        return f"{self.vendor:04x}:{self.product:04x}"


def usb_devices(roots: Roots) -> list[UsbDevice]:
    """All of them, without root hubs."""
    found = []
    for folder in entries(roots.sys / "bus/usb/devices"):
        if ":" in folder.name or folder.name.startswith("usb"):
            continue
        if device := _device(folder):
            found.append(device)
    return found


def usb_above(folder: Path, roots: Roots) -> UsbDevice | None:
    """The device that a part of it (a tty, an input device) belongs to; None for one not on USB."""
    try:
        at = folder.resolve(strict=True)
    except OSError:
        return None
    top = roots.sys.resolve()
    while at != top and at != at.parent:
        if (at / "idVendor").exists():
            return None if at.name.startswith("usb") else _device(at)
        at = at.parent
    return None


def _device(folder: Path) -> UsbDevice | None:
    try:
        vendor, product = int(word(folder / "idVendor"), 16), int(word(folder / "idProduct"), 16)
    except ValueError:
        return None  # gone while we looked
    interfaces = [
        UsbInterface(each, _hex(word(each / "bInterfaceClass")), linked(each / "driver"))
        for each in entries(folder)
        if each.name.startswith(f"{folder.name}:")
    ]
    return UsbDevice(
        folder.name,
        vendor,
        product,
        _hex(word(folder / "bDeviceClass")),
        word(folder / "manufacturer"),
        word(folder / "product"),
        word(folder / "serial"),
        tuple(interfaces),
    )


def _hex(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return -1
