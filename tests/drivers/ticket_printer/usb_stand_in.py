"""A USB printer for `UsbTransport`: what pyusb shows of it, with a fake behind its bulk endpoints."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from concurrent.futures import Future
from typing import Any

import usb.core

from drivers.transport.fake import FakeDevice, Line
from drivers.transport.usb import UsbConfig, UsbTransport

ANSWERS_LIMIT = 1 << 16


class UsbLine(Line):
    """`transport` is the driver's end: the real USB transport over a device that does not exist."""

    def __init__(self, device: FakeDevice, *, seed: int = 0) -> None:
        super().__init__(device, seed=seed)
        self.transport = UsbTransport(UsbConfig(vendor=0x0DD4, product=0x0205), find=self._find)
        self._usb: _Device | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def plugged_in(self) -> bool:
        return self._usb is not None

    async def plug(self) -> None:
        if self._usb is None:
            self._loop = asyncio.get_running_loop()
            self._usb = _Device(self)
            self.device.plugged()

    async def unplug(self) -> None:
        self._usb = None
        self._forget()

    def _find(self, **wanted: Any) -> _Device | None:
        return self._usb

    def _stalled(self) -> None:
        """`_budget` is 0 from now on."""

    def _write(self, data: bytes) -> int:
        return self._usb.answer(data) if self._usb is not None else len(data)

    def carry(self, data: bytes) -> int:
        """From a worker thread: bytes to the fake, in its loop; how many were taken."""
        taken: Future[int] = Future()

        def take() -> None:
            part = data[: self._budget()]
            if part:
                self._used(len(part))
                self._take(part)
            taken.set_result(len(part))

        assert self._loop is not None
        self._loop.call_soon_threadsafe(take)
        return taken.result(10)


class _Endpoint:
    bmAttributes = 2

    def __init__(self, address: int, device: _Device) -> None:
        self.bEndpointAddress, self._device = address, device

    def write(self, data: bytes, timeout: int) -> int:
        self._device.check()
        if not (taken := self._device.line.carry(data)):
            time.sleep(min(timeout, 20) / 1000)  # a device that does not take bytes holds the call up
            raise usb.core.USBTimeoutError("timeout", None, errno.ETIMEDOUT)
        self._device.check()
        return taken

    def read(self, size: int, timeout: int) -> bytes:
        self._device.check()
        if data := self._device.answered(size):
            return data
        raise usb.core.USBTimeoutError("timeout", None, errno.ETIMEDOUT)


class _Interface:
    bAlternateSetting = 0
    bInterfaceNumber = 0
    bInterfaceClass = 7

    def __init__(self, device: _Device) -> None:
        self._ends = [_Endpoint(0x02, device), _Endpoint(0x82, device)]

    def __iter__(self) -> Any:
        return iter(self._ends)


class _Device:
    def __init__(self, line: UsbLine) -> None:
        self.line = line
        self._answers = bytearray()
        self._lock = threading.Lock()
        self._ctx = self  # what usb.util asks for

    def check(self) -> None:
        if self.line._usb is not self:
            raise usb.core.USBError("No such device", None, errno.ENODEV)

    def answer(self, data: bytes) -> int:
        with self._lock:
            if len(self._answers) + len(data) > ANSWERS_LIMIT:
                return 0
            self._answers += data
            return len(data)

    def answered(self, size: int) -> bytes:
        with self._lock:
            data = bytes(self._answers[:size])
            del self._answers[:size]
            return data

    def get_active_configuration(self) -> list[_Interface]:
        self.check()
        return [_Interface(self)]

    def is_kernel_driver_active(self, number: int) -> bool:
        return False

    # usb.util
    def managed_claim_interface(self, device: _Device, number: int) -> None: ...

    def managed_release_interface(self, device: _Device, number: int) -> None: ...

    def dispose(self, device: _Device) -> None: ...

    def finalize(self) -> None: ...
