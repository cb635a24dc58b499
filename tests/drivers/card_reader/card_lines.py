"""Lines that only readers have: a pyusb device, a hidraw device, and a daemon for IC cards."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import pytest
import usb.core

from drivers.transport.fake import FakeDevice, Line


class UsbLine(Line):
    """A device of pyusb with two pairs of bulk endpoints; the fake is behind OUT 02 and IN 81."""

    def __init__(self, device: FakeDevice, *, seed: int = 0) -> None:
        super().__init__(device, seed=seed)
        self.loop = asyncio.get_running_loop()
        self._packets: queue.Queue[bytes] = queue.Queue()
        self._there = False
        self._ctx = self  # what usb.util asks for
        self._device = device

    def find(self, **wanted: Any) -> UsbLine | None:
        assert (wanted["idVendor"], wanted["idProduct"]) == (0x0400, 0xC35A)
        return self if self._there else None

    # ------------------------------------------------ the line

    @property
    def plugged_in(self) -> bool:
        return self._there

    async def plug(self) -> None:
        if not self._there:
            self._there = True
            self._packets = queue.Queue()
            self._device.plugged()

    async def unplug(self) -> None:
        self._there = False
        self._forget()

    def _stalled(self) -> None: ...

    def _write(self, data: bytes) -> int:
        for at in range(0, len(data), 64):
            self._packets.put(data[at : at + 64])
        return len(data)

    # ------------------------------------------------ pyusb

    def check(self) -> None:
        if not self._there:
            raise usb.core.USBError("No such device", None, errno.ENODEV)

    def get_active_configuration(self) -> list[_Interface]:
        self.check()
        return [_Interface(self)]

    def is_kernel_driver_active(self, number: int) -> bool:
        return False

    def managed_claim_interface(self, device: Any, number: int) -> None: ...

    def managed_release_interface(self, device: Any, number: int) -> None: ...

    def dispose(self, device: Any) -> None: ...

    def finalize(self) -> None: ...


class _Interface:
    bInterfaceNumber = 0
    bAlternateSetting = 0
    bInterfaceClass = 0xFF

    def __init__(self, line: UsbLine) -> None:
        self._ends = [_Endpoint(line, address) for address in (0x06, 0x85, 0x02, 0x81)]

    def __iter__(self) -> Any:
        return iter(self._ends)


class _Endpoint:
    bmAttributes = 2

    def __init__(self, line: UsbLine, address: int) -> None:
        self._line, self.bEndpointAddress = line, address

    def write(self, data: bytes, timeout: int) -> int:
        self._line.check()
        assert self.bEndpointAddress == 0x02
        self._line.loop.call_soon_threadsafe(self._line._take, bytes(data))
        return len(data)

    def read(self, size: int, timeout: int) -> bytes:
        self._line.check()
        assert self.bEndpointAddress == 0x81
        try:
            return self._line._packets.get(timeout=timeout / 1000)
        except queue.Empty:
            raise usb.core.USBTimeoutError("timeout", None, errno.ETIMEDOUT) from None


class HidrawLine(Line):
    """Reports stay whole, both ways, as /dev/hidraw keeps them. `open` is the driver's end."""

    def __init__(self, device: FakeDevice, *, seed: int = 0) -> None:
        super().__init__(device, seed=seed)
        self._ends: tuple[socket.socket, socket.socket] | None = None
        self._late = asyncio.get_running_loop().time()

    def open(self) -> int:
        """What os.open of the device gives."""
        if self._ends is None:
            raise FileNotFoundError(errno.ENOENT, "no such device")
        return os.dup(self._ends[1].fileno())

    @property
    def plugged_in(self) -> bool:
        return self._ends is not None

    async def plug(self) -> None:
        if self._ends is None:
            self._ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            for end in self._ends:
                end.setblocking(False)
            asyncio.get_running_loop().add_reader(self._ends[0], self._readable)
            self.device.plugged()

    async def unplug(self) -> None:
        ends, self._ends = self._ends, None
        if ends is not None:
            asyncio.get_running_loop().remove_reader(ends[0])
            ends[0].shutdown(socket.SHUT_RDWR)
            for end in ends:
                end.close()

    def send(self, data: bytes) -> None:
        if self._ends is None:
            return
        report, loop = self._spoil(data), asyncio.get_running_loop()
        if not self.faults.delay_s:
            self._write(report)
            return
        self._late = max(self._late, loop.time()) + self.faults.delay_s
        loop.call_at(self._late, self._write, report)

    def _readable(self) -> None:
        if self._ends is not None:
            try:
                data = self._ends[0].recv(4096)
            except BlockingIOError:
                return
            if data:
                self._take(data)

    def _take(self, data: bytes) -> None:
        self.device.received(self._spoil(data))

    def _stalled(self) -> None: ...

    def _write(self, data: bytes) -> int:
        if self._ends is not None and data:
            try:
                self._ends[0].send(data)
            except (BlockingIOError, BrokenPipeError):
                pass  # nobody reads: lost, as in the kernel
        return len(data)


PCSCD = Path("/usr/sbin/pcscd")
VIRTUAL_READER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
DEBIAN_PYTHON = Path("/usr/lib/python3/dist-packages")


def make_pyscard_importable(folder: Path) -> None:
    """pyscard of the environment, else Debian's, alone. Skips the test when there is none for this Python."""
    try:
        import smartcard.scard
    except ImportError:
        if not (DEBIAN_PYTHON / "smartcard").is_dir():
            pytest.skip("pyscard is not installed")
        (folder / "smartcard").symlink_to(DEBIAN_PYTHON / "smartcard")
        sys.path.append(str(folder))
        try:
            import smartcard.scard  # noqa: F401
        except ImportError:
            for name in [name for name in sys.modules if name.partition(".")[0] == "smartcard"]:
                del sys.modules[name]
            pytest.skip("pyscard is not installed for this Python")
        finally:
            sys.path.remove(str(folder))


class Pcscd:
    """The real daemon with one virtual reader of Debian's vsmartcard-vpcd, whose port is `port`.

    There is one daemon on a machine: tests of other processes wait for each other.
    """

    def __init__(self, folder: Path) -> None:
        self._config = folder / "reader.conf"
        self._log = folder / "pcscd.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self.port = 0

    @property
    def plugged_in(self) -> bool:
        return self._process is not None

    async def claim(self) -> None:
        """Skips the test when the daemon cannot be run here."""
        if not PCSCD.exists() or not VIRTUAL_READER.exists():
            pytest.skip("pcscd or vsmartcard-vpcd is not installed")
        if os.geteuid() != 0:
            pytest.skip("pcscd is run as root")
        self._lock = (Path(tempfile.gettempdir()) / "paihao-test-pcscd.lock").open("wb")
        await asyncio.to_thread(fcntl.flock, self._lock, fcntl.LOCK_EX)
        if _listens():
            self._lock.close()
            pytest.skip("this machine's own pcscd is running")
        self.port = _free_port()
        self._config.write_text(
            f'FRIENDLYNAME "Paihao test"\nDEVICENAME /dev/null:0x{self.port:X}\n'
            f"LIBPATH {VIRTUAL_READER}\nCHANNELID 0x{self.port:X}\n"
        )

    async def plug(self) -> None:
        if self._process is None:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [PCSCD, "-f", "-c", self._config, *_without_polkit()],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            async with asyncio.timeout(20):
                while not _listens():
                    assert self._process.poll() is None, self._log.read_text()
                    await asyncio.sleep(0.02)

    async def unplug(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            await asyncio.to_thread(process.wait, 20)

    def hang(self) -> None:
        """It is there and answers nothing, as with a reader's own driver that hangs."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def release(self) -> None:
        await self.unplug()
        if self._lock is not None:
            self._lock.close()


def _without_polkit() -> list[str]:
    """From 2.0 pcscd lets nobody in, not even root, where no polkit runs to ask, as in a container."""
    option = "--disable-polkit"
    shown = subprocess.run([PCSCD, "--help"], capture_output=True, text=True, timeout=20).stdout
    return [option] if option in shown else []


def _listens() -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex("/run/pcscd/pcscd.comm") == 0


def _free_port() -> int:
    """A port that is free, with the next one: the virtual reader has two slots."""
    for port in range(40001, 60000, 2):
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise OSError("no free port")
