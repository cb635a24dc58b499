"""Runs in the virtual Pi as root: the far side of what QEMU does not emulate, on the word of the checks.

USB gadgets on dummy_hcd (a printer, a raw HID keypad), levels of the simulated GPIO chip, kernel keys on it.
One JSON object a line over the port paihao.hardware: {"id": 1, "do": "level", "line": 17, "high": false};
answers carry the id, bytes from the printer come by themselves as {"printer": base64}.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PORT = "/dev/virtio-ports/paihao.hardware"
GADGETS = Path("/sys/kernel/config/usb_gadget")
SET_PRINTER_STATUS = 0xC0016722
"""GADGET_SET_PRINTER_STATUS of <linux/usb/g_printer.h>: the byte that GET_PORT_STATUS answers."""
REPORTS = bytes.fromhex("0600ff0901a1011500 26ff00 7508 9540 0901 8102 0902 9102 c0".replace(" ", ""))
"""Vendor-defined, 64 bytes each way, no report number."""
FINGER = bytes.fromhex(
    "0922 a102 0942 1500 2501 7501 9501 8102 9507 8103"  # a finger: its tip touches
    " 0951 7508 9501 8102 0501 26ff7f 7510 3500 0930 9501 8102 0931 8102 050d c0"  # contact, x, y
)
TOUCH = b"".join((
    bytes.fromhex("050d 0904 a101 8501"),
    FINGER,
    FINGER,
    bytes.fromhex("050d 0954 1500 2502 7508 9501 8102 0955 2502 9501 b102 c0"),  # how many now, and at most
))  # fmt: skip
"""A touch screen for two fingers, as Microsoft's protocol for them has it and hid-multitouch reads it."""
TOUCH_REPORT = 14
TOUCH_MOST = 0x7FFF
UDCS = {"printer": 0, "keypad": 1, "touch": 1}
"""Socket of dummy_hcd for each gadget: keypad and touch screen take turns, each one more costs processor."""

write_lock = threading.Lock()
port = -1
printer = -1


def say(message: dict[str, Any]) -> None:
    data = json.dumps(message).encode() + b"\n"
    with write_lock:
        while data:
            data = data[os.write(port, data) :]


def put(path: Path, content: str | bytes) -> None:
    with path.open("wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def gadget(
    name: str, vendor: int, product: int, words: tuple[str, str, str], function: str, **attributes: Any
) -> Path:
    """Make a gadget, not yet plugged in."""
    top = GADGETS / name
    for each in ("strings/0x409", "configs/c.1", f"functions/{function}"):
        (top / each).mkdir(parents=True)
    put(top / "idVendor", hex(vendor))
    put(top / "idProduct", hex(product))
    for key, word in zip(("manufacturer", "product", "serialnumber"), words, strict=True):
        put(top / "strings/0x409" / key, word)
    for key, value in attributes.items():
        put(top / "functions" / function / key, value if isinstance(value, bytes) else str(value))
    (top / "configs/c.1" / function).symlink_to(top / "functions" / function)
    return top


# ---------------------------------------------------------------- what can be asked for


def gadgets() -> None:
    """Load what the gadgets want and make them, once; taking them apart can hang this kernel."""
    if GADGETS.is_dir() and any(GADGETS.iterdir()):
        return
    subprocess.run(["modprobe", "dummy_hcd", "num=2", "is_high_speed=0", "is_super_speed=0"], check=True)
    subprocess.run(["modprobe", "-a", "libcomposite", "usblp", "hid-multitouch"], check=True)
    gadget("printer", 0x04B8, 0x0202, ("EPSON", "TM-T20", "PRN001"), "printer.0",
           pnp_string="MFG:EPSON;CMD:ESC/POS;MDL:TM-T20;CLS:PRINTER;")  # fmt: skip
    gadget("keypad", 0x0483, 0x5750, ("RATE", "Keypad", "KP42"), "hid.0",
           protocol=0, subclass=0, report_length=64, report_desc=REPORTS)  # fmt: skip
    gadget("touch", 0x0EEF, 0x0001, ("eGalax", "Touch", "TS1"), "hid.1",
           protocol=0, subclass=0, report_length=TOUCH_REPORT, report_desc=TOUCH)  # fmt: skip


def plug(name: str) -> None:
    put(GADGETS / name / "UDC", f"dummy_udc.{UDCS[name]}\n")
    if name == "printer":
        open_printer()


def unplug(name: str) -> None:
    if (GADGETS / name / "UDC").read_text().strip():
        put(GADGETS / name / "UDC", "\n")


def open_printer() -> None:
    """It opens as soon as the kernel on the other side has configured it."""
    global printer
    deadline = time.monotonic() + 20
    while printer < 0:
        try:
            printer = os.open("/dev/g_printer0", os.O_RDWR | os.O_NONBLOCK)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
            continue
        threading.Thread(target=from_printer, args=(printer,), daemon=True).start()


def from_printer(descriptor: int) -> None:
    while printer == descriptor:
        if not select.select([descriptor], [], [], 0.5)[0]:
            continue
        try:
            data = os.read(descriptor, 8192)
        except OSError:
            data = b""
        if data:
            say({"printer": base64.b64encode(data).decode()})
        else:
            time.sleep(0.05)  # unplugged


def answer(data: str) -> None:
    """Bytes of the printer for the host; lost when nobody there takes them."""
    left = base64.b64decode(data)
    while left and select.select([], [printer], [], 1.0)[1]:
        left = left[os.write(printer, left) :]


def status(value: int) -> None:
    """What GET_PORT_STATUS answers: 0x18 well, 0x38 paper out."""
    fcntl.ioctl(printer, SET_PRINTER_STATUS, value)


def report(data: str) -> None:
    """A report from the raw HID keypad."""
    descriptor = os.open("/dev/hidg0", os.O_RDWR)
    os.write(descriptor, base64.b64decode(data))
    os.close(descriptor)


def reported() -> str:
    """What was written to the raw HID keypad since the last time."""
    descriptor = os.open("/dev/hidg0", os.O_RDWR | os.O_NONBLOCK)
    got = b""
    try:
        while True:
            got += os.read(descriptor, 64)
    except BlockingIOError:
        pass
    os.close(descriptor)
    return base64.b64encode(got).decode()


def finger(x: float, y: float, down: bool) -> None:
    """One finger on the touch screen, or lifted from it; a place from the left and the top, 0 to 1."""
    place = b"".join(round(TOUCH_MOST * share).to_bytes(2, "little") for share in (x, y))
    descriptor = os.open("/dev/hidg1", os.O_RDWR)
    os.write(descriptor, bytes((1, down, 0)) + place + bytes(6) + b"\1")
    os.close(descriptor)


def sim(line: int) -> Path:
    (found,) = Path("/sys/devices/platform").glob(f"gpio-sim.*/gpiochip*/sim_gpio{line}")
    return found


def level(line: int, high: bool) -> None:
    put(sim(line) / "pull", "pull-up" if high else "pull-down")


def bounce(line: int, times: int) -> None:
    """A worn contact closes: many changes within some milliseconds, closed (low) in the end."""
    pull = sim(line) / "pull"
    for _ in range(times):
        put(pull, "pull-down")
        time.sleep(0.001)
        put(pull, "pull-up")
        time.sleep(0.001)
    put(pull, "pull-down")


def read_level(line: int) -> int:
    return int((sim(line) / "value").read_text())


def kernel_keys(lines: list[int]) -> None:
    """Bind the kernel's gpio-keys driver to lines of the chip."""
    (base,) = (path.read_text() for path in Path("/sys/class/gpio").glob("gpiochip*/base"))
    numbers = ",".join(str(int(base) + line) for line in lines)
    subprocess.run(["modprobe", "gpio_keys"], check=True)
    subprocess.run(["modprobe", "virtual-keys", f"lines={numbers}"], check=True)


def no_kernel_keys() -> None:
    subprocess.run(["modprobe", "-r", "virtual-keys"], check=True)


ACTIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (gadgets, plug, unplug, answer, status, report, reported, finger, level, bounce, read_level,
                 kernel_keys, no_kernel_keys)
}  # fmt: skip


def main() -> None:
    global port
    while True:
        try:
            port = os.open(PORT, os.O_RDWR)
            break
        except OSError:
            time.sleep(0.2)
    held = b""
    while True:
        data = os.read(port, 65536)
        if not data:  # nobody is at the other end
            time.sleep(0.1)
            continue
        held += data
        while b"\n" in held:
            line, held = held.split(b"\n", 1)
            message = json.loads(line)
            done: dict[str, Any] = {"id": message.pop("id")}
            try:
                done["result"] = ACTIONS[message.pop("do")](**message)
            except Exception as error:  # noqa: BLE001 — the check that asked is told
                done["error"] = repr(error)
            say(done)


if __name__ == "__main__":
    main()
