"""A made-up machine below a folder: sysfs, procfs and /dev with ptys, and lines that have a baud rate."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device.doctor.roots import Roots
from drivers.transport.fake import FakeDevice, PtyLine

ROOT = Path(__file__).parents[3]


def heard(data: bytes, sent: int, hears: int, *, resync: bool = False) -> bytes:
    """What a receiver at `hears` baud, 8N1, takes `data` sent at `sent` baud for.

    It samples each bit in its middle. A character whose stop bit is low is delivered all the same; then the
    receiver waits for the line to be high, or with `resync` takes the low stop bit for a new start bit.
    """
    if sent == hears:
        return data
    bits: list[int] = []
    for byte in data:
        bits += [0, *(byte >> n & 1 for n in range(8)), 1]
    bits += [1] * 20
    step = sent / hears  # sent bits in one bit of the receiver

    def level(at: float) -> int:
        return bits[int(at)] if at < len(bits) else 1

    found = bytearray()
    at = 0.0
    while at < len(bits):
        if level(at) == 1:
            at = int(at) + 1.0
            continue
        if level(at + step / 2) == 1:  # too short for a start bit
            at = int(at) + 1.0
            continue
        found.append(sum(level(at + (1.5 + n) * step) << n for n in range(8)))
        stop = at + 9.5 * step
        if level(stop) == 1:
            at = stop
        elif resync:
            at = stop - step / 2
        else:
            at = stop
            while at < len(bits) and level(at) == 0:
                at += 0.25
    return bytes(found)


_SPEEDS = {
    getattr(termios, name): int(name[1:]) for name in dir(termios) if name[:1] == "B" and name[1:].isdigit()
}


class BaudLine(PtyLine):
    """A pty whose far end has a baud rate: both hear nonsense when the other end's is another."""

    def __init__(self, device: FakeDevice, path: Path, baud: int) -> None:
        super().__init__(device, path)
        self.baud = baud
        self.heard: list[bytes] = []

    def _take(self, data: bytes) -> None:
        data = heard(data, self._other(), self.baud)
        self.heard.append(data)
        super()._take(data)

    def _write(self, data: bytes) -> int:
        os.write(self._master, heard(data, self.baud, self._other()))
        return len(data)

    def _other(self) -> int:
        return _SPEEDS.get(termios.tcgetattr(self._slave)[5], self.baud)


class InstantLine:
    """A `Transport` at a baud rate to a fake at another, without a kernel: bytes pass at once."""

    name = "instant"

    def __init__(self, device: FakeDevice, baud: int, device_baud: int, *, resync: bool = False) -> None:
        self.device, self.baud, self.device_baud, self.resync = device, baud, device_baud, resync
        self._back = bytearray()

    async def open(self) -> None:
        self.device.send = lambda data: self._back.extend(heard(data, self.device_baud, self.baud))

    async def read(self, timeout: float | None = None) -> bytes:
        await asyncio.sleep(0)
        data, self._back = bytes(self._back), bytearray()
        if not data and timeout:
            await asyncio.sleep(timeout)
            data, self._back = bytes(self._back), bytearray()
        return data

    async def write(self, data: bytes, timeout: float = 5.0) -> None:
        self.device.received(heard(data, self.baud, self.device_baud, resync=self.resync))

    async def drained(self, timeout: float = 5.0) -> None: ...

    async def close(self) -> None: ...


@dataclass
class Machine:
    """Builds trees as the kernel shows them."""

    folder: Path
    ptys: dict[str, Path] = field(default_factory=dict)

    @property
    def roots(self) -> Roots:
        return Roots.below(self.folder)

    def put(self, path: str, text: str) -> Path:
        """A small file, e.g. `sys/class/tty/console/active`."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def link(self, path: str, target: str | Path) -> None:
        """A link in the tree; `target` relative to the folder."""
        link = self.folder / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(self.folder / target)

    def usb(self, port: str, number: str, *, maker: str = "", product: str = "", serial: str = "") -> str:
        """A USB device in a port; its folder."""
        folder = f"sys/devices/usb/{port}"
        vendor, _, model = number.partition(":")
        for name, value in (
            ("idVendor", vendor), ("idProduct", model), ("manufacturer", maker), ("product", product),
            ("serial", serial), ("bDeviceClass", "00"),
        ):  # fmt: skip
            if value:
                self.put(f"{folder}/{name}", value)
        self.link(f"sys/bus/usb/devices/{port}", folder)
        return folder

    def interface(self, port: str, class_: str, driver: str, number: int = 0) -> str:
        """An interface of a USB device; its folder."""
        folder = f"sys/devices/usb/{port}/{port}:1.{number}"
        self.put(f"{folder}/bInterfaceClass", class_)
        (self.folder / f"sys/bus/usb/drivers/{driver}").mkdir(parents=True, exist_ok=True)
        self.link(f"{folder}/driver", f"sys/bus/usb/drivers/{driver}")
        return folder

    def adapter(self, port: str, tty: str, number: str = "1a86:7523", *, driver: str = "ch341-uart") -> Path:
        """A USB serial adapter; where its device file belongs."""
        self.usb(port, number, product="USB Serial")
        folder = self.interface(port, "ff", driver.partition("-")[0])
        self.put(f"{folder}/{tty}/port_number", "0")
        (self.folder / f"sys/bus/usb-serial/drivers/{driver}").mkdir(parents=True, exist_ok=True)
        self.link(f"{folder}/{tty}/driver", f"sys/bus/usb-serial/drivers/{driver}")
        (self.folder / f"sys/class/tty/{tty}").mkdir(parents=True, exist_ok=True)
        self.link(f"sys/class/tty/{tty}/device", f"{folder}/{tty}")
        node = self.folder / "dev" / tty
        node.parent.mkdir(parents=True, exist_ok=True)
        self.link(f"dev/paihao/serial-{port}", f"dev/{tty}")
        return node

    def remove(self, port: str, tty: str) -> None:
        """Pull the adapter out."""
        (self.folder / f"sys/class/tty/{tty}/device").unlink()
        (self.folder / f"sys/class/tty/{tty}").rmdir()
        (self.folder / f"sys/bus/usb/devices/{port}").unlink()
        (self.folder / f"dev/paihao/serial-{port}").unlink()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Nothing is plugged in yet."""
    for name in ("sys", "proc", "dev"):
        (tmp_path / name).mkdir()
    return Machine(tmp_path)


@pytest.fixture
def hears() -> Callable[..., bytes]:
    """`heard`, for test modules."""
    return heard


@pytest.fixture
def instant_line() -> type[InstantLine]:
    return InstantLine


@pytest.fixture
def baud_line() -> type[BaudLine]:
    return BaudLine


@pytest.fixture
def doctor(machine: Machine) -> Callable[..., Awaitable[tuple[int, str]]]:
    """`paihao doctor` as a program on the made-up machine, in English: exit status and what it printed."""

    async def run(*arguments: str) -> tuple[int, str]:
        words = [str(ROOT / "paihao.py"), "doctor", *arguments]
        words += ["--roots", str(machine.folder), "--language", "en"]
        pipe = asyncio.subprocess.PIPE
        program = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdout=pipe, stderr=asyncio.subprocess.STDOUT, cwd=ROOT
        )
        try:
            async with asyncio.timeout(60):
                out, _ = await program.communicate()
        finally:
            if program.returncode is None:
                program.kill()
        return program.returncode or 0, out.decode()

    return run
