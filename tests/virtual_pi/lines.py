"""The far ends of the virtual Pi's ports, as `Line`s for the fakes, which know only bytes and cannot tell."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fcntl
import os
from typing import Final

from machine import HUB, PIPE_SIZE, STALLING, Machine

from drivers.transport.fake import FakeDevice, Line

FILLER: Final = b"\xf7FILL\xf7\xf7\xf7"
"""What a stalled pipe is filled up with: nothing that a driver sends."""


class UsbSerialLine(Line):
    """A USB serial adapter (FT232) in a socket of the hub: /dev/ttyUSB… inside.

    Its far end always reads: QEMU would stop the whole machine otherwise.
    """

    def __init__(self, machine: Machine, name: str, socket: int, device: FakeDevice) -> None:
        super().__init__(device)
        self._machine = machine
        self._name = name
        self._socket = socket
        self._plugged = False
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def plugged_in(self) -> bool:
        return self._plugged

    async def plug(self) -> None:
        if self._plugged:
            return
        reader, self._writer = await asyncio.open_unix_connection(self._machine.folder / self._name)
        self._reading = asyncio.create_task(self._read(reader), name=self._name)
        await self._machine.plug(
            "usb-serial", f"usb-{self._name}", bus="usb.0", port=f"{HUB}.{self._socket}",
            chardev=self._name, serial=self._name.upper(),
        )  # fmt: skip
        self._plugged = True
        self.device.plugged()

    async def unplug(self) -> None:
        if not self._plugged:
            return
        self._plugged = False
        await self._machine.unplug(f"usb-{self._name}")
        self.gone()

    def gone(self) -> None:
        """Let go of the host's end; also after a power cut, when there is nothing to unplug from."""
        self._plugged = False
        if self._reading is not None:
            self._reading.cancel()
        if self._writer is not None:
            self._writer.close()
        self._forget()

    def _stalled(self) -> None:
        raise RuntimeError("a USB serial adapter of QEMU cannot stall")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if self._plugged:
                    self._take(data)

    def _write(self, data: bytes) -> int:
        assert self._writer is not None
        self._writer.write(data)
        return len(data)


class StallingLine(Line):
    """The serial port on the machine's bus: when its far end reads no more, bytes stay in the kernel."""

    def __init__(self, machine: Machine, device: FakeDevice) -> None:
        super().__init__(device)
        self._folder = machine.folder
        self._from = self._to = -1
        self._filled = False

    @property
    def plugged_in(self) -> bool:
        return self._from >= 0

    async def plug(self) -> None:
        self._from = os.open(self._folder / f"{STALLING}.out", os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self._from, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        self._to = os.open(self._folder / f"{STALLING}.in", os.O_WRONLY | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._from, self._readable)
        self.device.plugged()

    async def unplug(self) -> None:
        """Ends the fake's side only: such a port is not pulled."""
        if self.plugged_in:
            asyncio.get_running_loop().remove_reader(self._from)
            os.close(self._from)
            os.close(self._to)
            self._from = self._to = -1
            self._forget()

    def stall(self) -> None:
        """Take not one more byte until `resume`."""
        self.faults.stop_after = 0
        self._stalled()

    def resume(self) -> None:
        super().resume()
        asyncio.get_running_loop().add_reader(self._from, self._readable)

    def _readable(self) -> None:
        data = os.read(self._from, self._budget())
        if self._filled:
            self._filled = False
            data = data.replace(FILLER, b"")
        self._used(len(data))
        self._take(data)

    def _stalled(self) -> None:
        asyncio.get_running_loop().remove_reader(self._from)
        # not one more byte gets out: what the pipe could still hold is filled up; `_readable` takes it out
        filling = os.open(self._folder / f"{STALLING}.out", os.O_WRONLY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while os.write(filling, FILLER) == len(FILLER):
                pass
        os.close(filling)
        self._filled = True

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._to, data)
        except BlockingIOError:
            return 0


class UsbPrinterLine(Line):
    """A printer of the USB printer class: a gadget inside, whose bytes come out to the fake."""

    def __init__(self, machine: Machine, device: FakeDevice) -> None:
        super().__init__(device)
        self._machine = machine
        self._plugged = False

    @property
    def plugged_in(self) -> bool:
        return self._plugged

    async def plug(self) -> None:
        self._machine.hardware.on_printer = self._take
        await self._machine.hardware.do("plug", name="printer")
        self._plugged = True
        self.device.plugged()

    async def unplug(self) -> None:
        if self._plugged:
            self._plugged = False
            await self._machine.hardware.do("unplug", name="printer")
            self._machine.hardware.on_printer = None
            self._forget()

    def _write(self, data: bytes) -> int:
        self._machine.hardware.begin("answer", data=base64.b64encode(data).decode())
        return len(data)

    def _stalled(self) -> None:
        raise RuntimeError("not this one")
