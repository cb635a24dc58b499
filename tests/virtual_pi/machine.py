"""The virtual Pi: one QEMU process, its devices, and its plug to the mains.

    machine = Machine(folder)
    await machine.start()          # the power is on
    await machine.until_up()
    await machine.agent.run("uname -a")
    await machine.power_cut()      # nothing is written any more; start() goes on with the disk as it was

The processor is emulated, so it runs everywhere; VIRTUAL_PI_KVM=1 takes the host's own, where /dev/kvm works.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from image import Image
from monitor import AnswerError, GuestAgent, Hardware, Monitor

from simulator.parts import die_with_parent

SERIAL: Final = ("printer", "strip", "card")
"""USB serial adapters that can be plugged in, by the name of their chardev."""
STALLING: Final = "stalling"
"""The serial port on the bus of the machine, whose far end may stop reading."""
PIPE_SIZE: Final = 4096
"""Bytes on their way to the far end of that port: as few as the kernel allows."""
MEMORY: Final = "768M"
DISPLAY: Final = (800, 480)
"""Pixels of the display."""
HUB: Final = "1"
"""Port of the hub that the devices are plugged into: 1-1 for the kernel, as in 61-paihao-roles.rules."""


class Machine:
    """See the module. `folder` takes the disk, sockets, console, sound and screen dumps."""

    def __init__(self, image: Image, folder: Path) -> None:
        self.folder = folder
        self.monitor = Monitor(folder / "qmp")
        self.agent = GuestAgent(folder / "agent")
        self.hardware = Hardware(folder / "hardware")
        self.starts = 0
        self.plugged: set[str] = set()
        self._image = image
        self._process: asyncio.subprocess.Process | None = None
        self._disk = folder / "disk.qcow2"

    def new_disk(self) -> None:
        """Begin with the image as it was built."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        subprocess.run(
            [
                "qemu-img",
                "create",
                "-q",
                "-f",
                "qcow2",
                "-F",
                "raw",
                "-b",
                str(self._image.disk),
                str(self._disk),
            ],
            check=True,
        )

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def sound(self) -> Path:
        """What the sound card plays, of this start."""
        return self.folder / f"sound-{self.starts}.wav"

    @property
    def console(self) -> Path:
        return self.folder / "console.log"

    async def start(self) -> None:
        """Switch the power on."""
        self.starts += 1
        for pipe in (self.folder / f"{STALLING}.in", self.folder / f"{STALLING}.out"):
            pipe.unlink(missing_ok=True)
            os.mkfifo(pipe)
        for name in ("qmp", "agent", "hardware", *SERIAL):
            (self.folder / name).unlink(missing_ok=True)
        parent = os.getpid()
        with (self.folder / "qemu.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: _as_child(parent),
            )
        for line in (self.monitor, self.agent, self.hardware):
            await line.open()

    async def until_up(self, timeout: float = 300.0) -> float:
        """Wait until the system has started; seconds since now. Raises TimeoutError."""
        began = time.monotonic()
        await self.agent.until_up(timeout)
        await self.agent.run("systemctl is-system-running --wait", timeout, check=False)
        return time.monotonic() - began

    async def power_cut(self) -> None:
        """What the kernel inside had not written is lost, as on a card without a cache of its own."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()
        self.plugged.clear()
        await self._let_go()

    async def end(self) -> None:
        """As a power cut for the machine; the sound file is whole only after this."""
        if self._process is None:
            return
        with contextlib.suppress(AnswerError, TimeoutError, OSError):
            await self.monitor.do("quit")
            await asyncio.wait_for(self._process.wait(), 10)
        await self.power_cut()

    async def _let_go(self) -> None:
        for line in (self.monitor, self.agent, self.hardware):
            await line.close()
        self.monitor = Monitor(self.folder / "qmp")
        self.agent = GuestAgent(self.folder / "agent")
        self.hardware = Hardware(self.folder / "hardware")

    # ---------------------------------------------------------------- devices

    async def plug(self, driver: str, name: str, **options: Any) -> None:
        """Plug a device in; `options` are QEMU's."""
        await self.monitor.do("device_add", driver=driver, id=name, **options)
        self.plugged.add(name)

    async def unplug(self, name: str) -> None:
        """Pull it; returns when the machine has let go of it."""
        self.plugged.discard(name)
        await self.monitor.do("device_del", id=name)
        await self.monitor.event("DEVICE_DELETED", 30, device=name)

    async def press(self, *keys: str, hold_ms: int = 60) -> None:
        """Keys on the USB keyboard, by QEMU's names."""
        pressed = [{"type": "qcode", "data": key} for key in keys]
        await self.monitor.do("send-key", keys=pressed, **{"hold-time": hold_ms})

    async def screen(self, path: Path) -> None:
        """What the display shows, as PNG."""
        await self.monitor.do("screendump", filename=str(path), format="png")

    async def network(self, up: bool) -> None:
        """Plug the network cable in or pull it."""
        await self.monitor.do("set_link", name="nic", up=up)

    def _command(self) -> list[str]:
        here = self.folder
        usb = "bus=usb.0,port="
        command = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-M", "q35,i8042=off,vmport=off", "-m", MEMORY, "-smp", "1",
            # a newer processor has instructions on which Mesa fails in emulation
            *(("-accel", "kvm", "-cpu", "host") if os.environ.get("VIRTUAL_PI_KVM") else
              ("-accel", "tcg,tb-size=256", "-cpu", "Nehalem")),
            "-kernel", str(self._image.kernel), "-initrd", str(self._image.initrd),
            "-append", "root=/dev/vda console=ttyS0 quiet loglevel=4 mitigations=off random.trust_cpu=on",
            "-qmp", f"unix:{here}/qmp,server=on,wait=off",
            "-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console",
            "-drive", f"file={self._disk},if=none,id=disk,format=qcow2,cache=writeback,discard=unmap",
            "-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={here}/agent,server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
            "-chardev", f"socket,id=hardware,path={here}/hardware,server=on,wait=off",
            "-device", "virtserialport,chardev=hardware,name=paihao.hardware",
            "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,id=nic,romfile=",
            "-device", f"virtio-vga,xres={DISPLAY[0]},yres={DISPLAY[1]}",
            "-audiodev", f"wav,id=sound,path={self.sound},out.frequency=48000",
            "-device", "intel-hda,id=hda", "-device", "hda-output,audiodev=sound,id=loudspeaker",
            "-device", "i6300esb", "-action", "watchdog=reset",
            "-device", "qemu-xhci,id=usb,p2=8,p3=1", "-device", f"usb-hub,id=hub,{usb}{HUB}",
            "-chardev", f"pipe,id={STALLING},path={here}/{STALLING}",
            "-device", f"pci-serial,chardev={STALLING}",
        ]  # fmt: skip
        for name in SERIAL:
            command += ["-chardev", f"socket,id={name},path={here}/{name},server=on,wait=off"]
        return command


def _as_child(parent: int) -> None:
    os.nice(5)
    die_with_parent(parent)
