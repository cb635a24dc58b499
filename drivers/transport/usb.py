"""A USB device by pyusb, without a kernel driver: bulk out, bulk in. A printer unless the profile says more.

python-escpos' own USB connection is not used: it resets the device at every open, which makes some
printers print a test page or forget a ticket, and swallows errors while configuring. Of its open problems,
387 (usblp holds the device) is answered by detaching that driver, 437 (no reopen after a power cycle) by
looking the device up anew at each open.

pyusb blocks, so one worker does all the work of a line, in slices short enough that a write need not wait
for a read. Source: USB Device Class Definition for Printing Devices 1.1 (class 7, protocols 1 to 3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Annotated, Any, Final, TypeVar

import msgspec

from drivers.errors import LineLostError, WriteStalledError
from drivers.transport.descriptor import OPENING

T = TypeVar("T")

PRINTER_CLASS: Final = 7
_READ_SIZE: Final = 512
"""Bytes asked for at once; a multiple of every bulk packet size."""
_SLICE_MS: Final = 20
"""The longest that one read holds up a write."""
_IDLE_S: Final = 0.03
"""Between two reads that brought nothing."""
_CHUNK: Final = 4096

Number8 = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
Number16 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]


class UsbConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="usb"):
    """`vendor` and `product` as in lsusb (TOML takes 0x04b8); `serial` where two of a kind are plugged in.

    `interface_class`: 7 is a printer, 0xff a maker's own protocol. `endpoint_out`, `endpoint_in`: addresses
    as lsusb -v shows them (0x02, 0x81), where an interface has several pairs; then any class will do, and
    interrupt endpoints count, too.
    """

    vendor: Number16
    product: Number16
    serial: str | None = None
    interface_class: Number8 = PRINTER_CLASS
    endpoint_out: Annotated[int, msgspec.Meta(ge=0x01, le=0x0F)] | None = None
    endpoint_in: Annotated[int, msgspec.Meta(ge=0x81, le=0x8F)] | None = None


class UsbTransport:
    """One device. `find` replaces `usb.core.find` in tests."""

    def __init__(self, config: UsbConfig, *, find: Callable[..., Any] | None = None) -> None:
        self._config = config
        self._find = find
        self._worker: ThreadPoolExecutor | None = None
        self._device: Any = None
        self._interface = 0
        self._out: Any = None
        self._in: Any = None

    @property
    def name(self) -> str:
        serial = f" {self._config.serial}" if self._config.serial else ""
        return f"usb {self._config.vendor:04x}:{self._config.product:04x}{serial}"

    async def open(self) -> None:
        await self.close()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="usb")
        try:
            await self._run(self._blocking_open)
        except BaseException:
            await self.close()
            raise

    async def read(self, timeout: float | None = None) -> bytes:
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        while True:
            if data := await self._run(self._blocking_read):
                return data
            if deadline is not None and loop.time() >= deadline:
                return b""
            await asyncio.sleep(_IDLE_S)

    async def write(self, data: bytes, timeout: float = 5.0) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        written = 0
        while written < len(data):
            left = deadline - loop.time()
            if left <= 0:
                raise WriteStalledError(written, len(data))
            part = data[written : written + _CHUNK]
            # a slice at a time, so that answers are read while the device does not take bytes
            written += await self._run(self._blocking_write, part, min(left, 0.2))

    async def drained(self, timeout: float = 5.0) -> None:
        """A bulk write returns when the device has taken the bytes."""
        self._check()

    def turn(self, *, urgent: bool = False, unlikely: bool = False) -> AbstractAsyncContextManager[Any]:
        return nullcontext()  # nobody else is on this line

    async def close(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        await asyncio.get_running_loop().run_in_executor(worker, self._blocking_close)
        worker.shutdown(wait=False)

    # ---------------------------------------------------------------- in the worker

    def _blocking_open(self) -> None:
        import usb.core
        import usb.util

        config = self._config
        options: dict[str, Any] = {"idVendor": config.vendor, "idProduct": config.product}
        if config.serial is not None:
            options["custom_match"] = lambda device: _serial_of(device) == config.serial
        device = (self._find or usb.core.find)(**options)
        if device is None:
            raise LineLostError(f"{self.name}: not plugged in")
        self._device = device
        try:
            configuration = device.get_active_configuration()
        except usb.core.USBError:
            device.set_configuration()
            configuration = device.get_active_configuration()
        found = [(interface, ends) for interface in configuration if (ends := _wanted(interface, config))]
        # alternate settings without IN cannot be asked for their status
        found.sort(key=lambda each: usb.util.ENDPOINT_IN not in each[1])
        if not found:
            what = "printer" if config.interface_class == PRINTER_CLASS else "such interface"
            raise LineLostError(f"{self.name}: is no {what} with the wanted endpoints")
        interface, ends = found[0]
        self._interface = interface.bInterfaceNumber
        try:
            if device.is_kernel_driver_active(self._interface):
                device.detach_kernel_driver(self._interface)
        except NotImplementedError:
            pass  # no such thing on this system
        usb.util.claim_interface(device, self._interface)
        if interface.bAlternateSetting:
            device.set_interface_altsetting(self._interface, interface.bAlternateSetting)
        self._out, self._in = ends[usb.util.ENDPOINT_OUT], ends.get(usb.util.ENDPOINT_IN)

    def _blocking_read(self) -> bytes:
        import usb.core

        if self._in is None:
            return b""
        try:
            return bytes(self._in.read(_READ_SIZE, _SLICE_MS))
        except usb.core.USBTimeoutError:
            return b""

    def _blocking_write(self, data: bytes, timeout: float) -> int:
        import usb.core

        try:
            return int(self._out.write(data, max(1, round(timeout * 1000))))
        except usb.core.USBTimeoutError:
            return 0

    def _blocking_close(self) -> None:
        import usb.core
        import usb.util

        device, self._device, self._out, self._in = self._device, None, None, None
        if device is not None:
            try:
                usb.util.release_interface(device, self._interface)
            except usb.core.USBError:
                pass  # gone
            usb.util.dispose_resources(device)

    async def _run(self, function: Callable[..., T], *arguments: object) -> T:
        worker = self._check()
        try:
            return await asyncio.get_running_loop().run_in_executor(worker, function, *arguments)
        except RuntimeError as error:  # closed meanwhile
            raise LineLostError(f"{self.name}: {error}") from error
        except ImportError as error:
            raise LineLostError(
                f"{self.name}: pyusb is not installed", code="device.library_missing"
            ) from error
        except ValueError as error:  # NoBackendError is one
            detail = f"{self.name}: libusb is not installed: {error}"
            raise LineLostError(detail, code="device.library_missing") from error
        except OSError as error:  # USBError is one
            if isinstance(error, LineLostError):
                raise
            raise LineLostError(f"{self.name}: {error}", code=OPENING.get(error.errno or 0)) from error

    def _check(self) -> ThreadPoolExecutor:
        if self._worker is None:
            raise LineLostError(f"{self.name}: not open")
        return self._worker


def _wanted(interface: Any, config: UsbConfig) -> dict[int, Any]:
    """The endpoints of an interface by direction; empty when it is not the one that the profile means."""
    import usb.util

    said = {usb.util.ENDPOINT_OUT: config.endpoint_out, usb.util.ENDPOINT_IN: config.endpoint_in}
    kinds = [usb.util.ENDPOINT_TYPE_BULK]
    if any(said.values()):
        kinds.append(usb.util.ENDPOINT_TYPE_INTR)
    elif interface.bInterfaceClass != config.interface_class:
        return {}
    ends: dict[int, Any] = {}
    for end in interface:
        direction = usb.util.endpoint_direction(end.bEndpointAddress)
        fits = said[direction] in (None, end.bEndpointAddress)
        if fits and usb.util.endpoint_type(end.bmAttributes) in kinds:
            ends[direction] = end
    complete = usb.util.ENDPOINT_OUT in ends
    complete = complete and (config.endpoint_in is None or usb.util.ENDPOINT_IN in ends)
    return ends if complete else {}


def _serial_of(device: Any) -> str | None:
    try:
        return str(device.serial_number)
    except (ValueError, OSError):
        return None  # not readable: no permission, or none
