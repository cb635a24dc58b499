"""The USB transport against a pyusb device that does not exist."""

from __future__ import annotations

import errno
import threading
from collections import deque
from typing import Any

import pytest
import usb.core

from drivers.errors import LineLostError, WriteStalledError
from drivers.transport.table import transport
from drivers.transport.usb import UsbConfig, UsbTransport

CONFIG = UsbConfig(vendor=0x04B8, product=0x0202)


class Endpoint:
    def __init__(self, address: int, device: Device) -> None:
        self.bEndpointAddress, self.bmAttributes, self._device = address, 2, device

    def write(self, data: bytes, timeout: int) -> int:
        self._device.check()
        room = self._device.room
        if room is not None:
            data = data[:room]
            self._device.room = room - len(data)
        if not data:
            raise usb.core.USBTimeoutError("timeout", None, errno.ETIMEDOUT)
        self._device.got += data
        return len(data)

    def read(self, size: int, timeout: int) -> bytes:
        self._device.check()
        if self._device.answers:
            return self._device.answers.popleft()
        raise usb.core.USBTimeoutError("timeout", None, errno.ETIMEDOUT)


class Interface:
    bAlternateSetting = 0

    def __init__(self, number: int, kind: int, ends: list[Endpoint]) -> None:
        self.bInterfaceNumber, self.bInterfaceClass, self._ends = number, kind, ends

    def __iter__(self) -> Any:
        return iter(self._ends)


class Device:
    """A printer with a second interface, held by usblp."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.answers: deque[bytes] = deque()
        self.room: int | None = None
        self.gone = False
        self.claimed: set[int] = set()
        self.detached: list[int] = []
        self.threads: set[int] = set()
        self.interfaces = [
            Interface(0, 3, [Endpoint(0x81, self)]),
            Interface(1, 7, [Endpoint(0x02, self), Endpoint(0x82, self)]),
        ]
        self._ctx = self  # what usb.util asks for

    def check(self) -> None:
        self.threads.add(threading.get_ident())
        if self.gone:
            raise usb.core.USBError("No such device", None, errno.ENODEV)

    def get_active_configuration(self) -> list[Interface]:
        self.check()
        return self.interfaces

    def set_configuration(self) -> None:
        self.check()

    def is_kernel_driver_active(self, number: int) -> bool:
        return number not in self.detached

    def detach_kernel_driver(self, number: int) -> None:
        self.detached.append(number)

    def reset(self) -> None:
        raise AssertionError("a reset makes some printers forget what they print")

    # usb.util
    def managed_claim_interface(self, device: Device, number: int) -> None:
        self.claimed.add(number)

    def managed_release_interface(self, device: Device, number: int) -> None:
        self.claimed.discard(number)

    def dispose(self, device: Device) -> None:
        self.claimed.clear()

    def finalize(self) -> None: ...


def joined() -> tuple[Device, UsbTransport]:
    device = Device()
    return device, UsbTransport(CONFIG, find=lambda **options: device)


async def test_bytes_pass_and_the_printer_interface_is_chosen() -> None:
    device, end = joined()
    await end.open()
    assert device.detached == [1] and device.claimed == {1}
    await end.write(b"x" * 10_000)
    assert device.got == b"x" * 10_000
    device.answers.append(b"\x12")
    assert await end.read(1) == b"\x12"
    assert await end.read(0.01) == b""
    await end.close()
    await end.close()
    assert not device.claimed
    assert len(device.threads) == 1 and threading.get_ident() not in device.threads


async def test_stall_says_how_much_was_taken() -> None:
    device, end = joined()
    await end.open()
    device.room = 100
    with pytest.raises(WriteStalledError) as stalled:
        await end.write(bytes(5000), 0.05)
    assert stalled.value.written == 100
    await end.close()


async def test_unplugged_and_looked_up_anew() -> None:
    device, end = joined()
    await end.open()
    device.gone = True
    with pytest.raises(LineLostError):
        await end.read(1)
    with pytest.raises(LineLostError):
        await end.write(b"x")
    with pytest.raises(LineLostError):
        await end.open()
    device.gone = False
    await end.open()
    await end.write(b"again")
    assert device.got == b"again"
    await end.close()


async def test_nothing_or_no_printer_there() -> None:
    with pytest.raises(LineLostError, match="not plugged in"):
        await UsbTransport(CONFIG, find=lambda **options: None).open()
    device, end = joined()
    device.interfaces = device.interfaces[:1]
    with pytest.raises(LineLostError, match="is no printer"):
        await end.open()


async def test_no_usb_on_this_machine_is_a_lost_line() -> None:
    end = transport(UsbConfig(vendor=0xFFFF, product=0xFFFF))
    with pytest.raises(LineLostError):
        await end.open()
    with pytest.raises(LineLostError):
        await end.read(0)


def several() -> tuple[Device, list[Endpoint]]:
    """A device of a maker's own class with two pairs of endpoints."""
    device = Device()
    ends = [Endpoint(address, device) for address in (0x02, 0x81, 0x06, 0x85)]
    device.interfaces = [Interface(0, 0xFF, ends)]
    return device, ends


@pytest.mark.parametrize(("out", "into"), [(0x02, 0x81), (0x06, 0x85)])
async def test_endpoints_are_chosen_whatever_the_class(out: int, into: int) -> None:
    device, _ = several()
    config = UsbConfig(vendor=0x0400, product=0xC35A, endpoint_out=out, endpoint_in=into)
    end = UsbTransport(config, find=lambda **options: device)
    await end.open()
    assert (end._out.bEndpointAddress, end._in.bEndpointAddress) == (out, into)
    await end.close()


async def test_a_class_of_its_own_is_asked_for_by_number() -> None:
    device, _ = several()
    config = UsbConfig(vendor=0x0400, product=0xC35A, interface_class=0xFF)
    end = UsbTransport(config, find=lambda **options: device)
    await end.open()
    await end.write(b"x")
    assert device.got == b"x"
    await end.close()


async def test_endpoints_that_are_not_there_are_a_lost_line() -> None:
    device, _ = several()
    config = UsbConfig(vendor=0x0400, product=0xC35A, endpoint_out=0x02, endpoint_in=0x83)
    with pytest.raises(LineLostError, match="wanted endpoints"):
        await UsbTransport(config, find=lambda **options: device).open()


async def test_interrupt_endpoints_count_when_they_are_named() -> None:
    device, ends = several()
    for end in ends:
        end.bmAttributes = 3
    plain = UsbConfig(vendor=0x0400, product=0xC35A, interface_class=0xFF)
    with pytest.raises(LineLostError):
        await UsbTransport(plain, find=lambda **options: device).open()
    named = UsbConfig(vendor=0x0400, product=0xC35A, endpoint_out=0x02, endpoint_in=0x81)
    line = UsbTransport(named, find=lambda **options: device)
    await line.open()
    await line.close()
