"""The udev rules: well formed, and tried with the real udev on a made-up device tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

RULES = sorted((Path(__file__).parents[2] / "firmware_config" / "udev").glob("*.rules"))

# udev(7): what may stand left of an operator.
MATCH = {
    "ACTION",
    "DEVPATH",
    "KERNEL",
    "NAME",
    "SYMLINK",
    "SUBSYSTEM",
    "DRIVER",
    "TAG",
    "TEST",
    "PROGRAM",
    "RESULT",
}
MATCH |= {"KERNELS", "SUBSYSTEMS", "DRIVERS", "ATTR", "ATTRS", "ENV", "TAGS"}
ASSIGN = {
    "NAME",
    "SYMLINK",
    "OWNER",
    "GROUP",
    "MODE",
    "ATTR",
    "ENV",
    "TAG",
    "LABEL",
    "GOTO",
    "IMPORT",
    "OPTIONS",
}
TOKEN = re.compile(r'\s*([A-Z]+)(?:{([^}]+)})?\s*(==|!=|\+=|:=|=)\s*"([^"]*)"\s*(?:,|$)')


def rules(path: Path) -> list[list[tuple[str, str, str, str]]]:
    """Every rule as (key, attribute, operator, value); fails on what is no rule."""
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        tokens, position = [], 0
        while position < len(line):
            match = TOKEN.match(line, position)
            assert match, f"{path.name}:{number}: {line[position:]}"
            tokens.append((match[1], match[2] or "", match[3], match[4]))
            position = match.end()
        found.append(tokens)
    return found


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_every_rule_is_well_formed(path: Path) -> None:
    labels, jumps = [], []
    for rule in rules(path):
        for key, attribute, operator, value in rule:
            assert key in (MATCH if operator in ("==", "!=") else ASSIGN), (key, operator)
            assert key == "TEST" or bool(attribute) == (key in ("ATTR", "ATTRS", "ENV", "IMPORT"))
            if key == "LABEL":
                labels.append(value)
            if key == "GOTO":
                assert value not in labels, "udev jumps forward only"
                jumps.append(value)
            if key == "SYMLINK" and operator != "==":
                assert all(name.startswith("paihao/") for name in value.split())
            if key == "MODE":
                assert re.fullmatch("0[0-7]{3}", value) and value[-1] == "0", "not for everybody"
    assert set(jumps) <= set(labels)


def test_the_roles_of_the_rules_are_the_names_of_the_profiles() -> None:
    links = {
        name.removeprefix("paihao/")
        for path in RULES
        for rule in rules(path)
        for key, _, operator, value in rule
        if key == "SYMLINK" and operator == "+="
        for name in value.split()
    }
    profiles = (Path(__file__).parents[2] / "firmware_config" / "profiles").glob("*.toml")
    used = {
        name for path in profiles for name in re.findall(r"/dev/paihao/([\w.-]+)", path.read_text("utf-8"))
    }
    assert used <= {name for name in links if "$" not in name}


# ---------------------------------------------------------------- with the real udev


@dataclass
class Tree:
    """A device tree as the kernel shows it below /sys, made of files."""

    root: Path
    nodes: list[str] = field(default_factory=list)

    def device(
        self, path: str, subsystem: str, driver: str = "", uevent: str = "", **attributes: str
    ) -> None:
        folder = self.root / "devices" / path
        folder.mkdir(parents=True)
        (folder / "uevent").write_text(uevent)
        for name, value in attributes.items():
            (folder / name).write_text(f"{value}\n")
        (self.root / subsystem).mkdir(parents=True, exist_ok=True)
        (folder / "subsystem").symlink_to(f"/sys/{subsystem}")
        if driver:
            (self.root / "bus/usb/drivers" / driver).mkdir(parents=True, exist_ok=True)
            (folder / "driver").symlink_to(f"/sys/bus/usb/drivers/{driver}")
        if match := re.search(r"MAJOR=(\d+)\nMINOR=(\d+)\nDEVNAME=(\S+)", uevent):
            self.nodes.append(
                f"mkdir -p $(dirname /dev/{match[3]}); mknod /dev/{match[3]} c {match[1]} {match[2]}"
            )

    def usb(self, port: str, driver: str, interfaces: int = 1, **attributes: str) -> str:
        """A USB device in a port such as 1-1.3 with interfaces of one driver; the path of the device."""
        bus, devpath = port.split("-")
        path = f"pci0/usb{bus}/{port}"
        self.device(path, "bus/usb", "usb", "DEVTYPE=usb_device\n", busnum=bus, devpath=devpath, **attributes)
        for number in range(interfaces):
            interface = f"{path}/{port}:1.{number}"
            kind = {"bInterfaceNumber": f"{number:02}", "bInterfaceClass": "ff"}
            self.device(interface, "bus/usb", driver, "DEVTYPE=usb_interface\n", **kind)
        return path

    def tty(self, interface: str, name: str, major: int, minor: int) -> str:
        path = f"{interface}/tty/{name}"
        self.device(path, "class/tty", uevent=f"MAJOR={major}\nMINOR={minor}\nDEVNAME={name}\n")
        return path


def namespaces_allowed() -> bool:
    if os.getuid() != 0 or shutil.which("udevadm") is None or shutil.which("unshare") is None:
        return False
    trial = ["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /sys"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


def ask_udev(tree: Tree, device: str) -> str:
    """What the real udev does with a device, in file systems of its own that end with the command."""
    script = f"""
        set -e
        mkdir -p /run/udev
        mount -t tmpfs tmpfs /run/udev
        mkdir /run/udev/rules.d
        cp {" ".join(str(path) for path in RULES)} /run/udev/rules.d/
        mount -t tmpfs tmpfs /sys
        cp -a {tree.root}/. /sys/
        mount -t tmpfs tmpfs /dev
        mknod -m 666 /dev/null c 1 3
        {"; ".join(tree.nodes) or "true"}
        udevadm test --action=add /sys/devices/{device}
        find /dev/paihao -type l 2>/dev/null || true
    """
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        env=os.environ | {"SYSTEMD_DEVICE_VERIFY_SYSFS": "0"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def links(answer: str) -> set[str]:
    # found in /dev; or listed by a udevadm that only says what it would do (systemd 257)
    return set(re.findall(r"(?m)^\s*/dev/paihao/(\S+)$", answer))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    if not namespaces_allowed():
        pytest.skip("udev can only be tried by root in a mount namespace")
    return Tree(tmp_path / "sys")


def test_udev_reads_the_rules_without_complaint(tree: Tree) -> None:
    answer = ask_udev(tree, tree.tty(f"{tree.usb('1-1.9', 'ch341')}/1-1.9:1.0", "ttyUSB0", 188, 0))
    complaints = [
        line
        for line in answer.splitlines()
        if re.search(r"paihao[\w-]*\.rules:\d+:? (Invalid|Unknown)", line)
        and not re.search(r"Unknown group '(gpio|spi)'", line)  # a Pi has them, or docs/install.md makes them
    ]
    assert complaints == []


@pytest.mark.parametrize(
    ("driver", "name", "major"),
    [
        ("ftdi_sio", "ttyUSB0", 188),
        ("ch341", "ttyUSB1", 188),
        ("cp210x", "ttyUSB2", 188),
        ("cdc_acm", "ttyACM0", 166),
    ],
)
def test_a_serial_adapter_is_named_by_its_port(tree: Tree, driver: str, name: str, major: int) -> None:
    answer = ask_udev(tree, tree.tty(f"{tree.usb('1-1.9', driver)}/1-1.9:1.0", name, major, 0))
    assert links(answer) == {"serial-1-1.9"}
    assert "ID_MM_DEVICE_IGNORE=1" in answer


def test_a_port_with_a_role_gets_its_name(tree: Tree) -> None:
    answer = ask_udev(tree, tree.tty(f"{tree.usb('1-1.3', 'ch341')}/1-1.3:1.0", "ttyUSB0", 188, 0))
    assert links(answer) == {"serial-1-1.3", "keypad"}


def test_the_second_line_of_an_adapter_has_its_own_name(tree: Tree) -> None:
    device = tree.usb("3-2", "ftdi_sio", interfaces=2)
    assert links(ask_udev(tree, tree.tty(f"{device}/3-2:1.1", "ttyUSB1", 188, 1))) == {"serial-3-2-if01"}


def test_an_ftdi_adapter_does_not_wait(tree: Tree) -> None:
    device = f"{tree.usb('1-1.3', 'ftdi_sio')}/1-1.3:1.0/ttyUSB0"
    tree.device(device, "bus/usb-serial", "ftdi_sio", "DRIVER=ftdi_sio\n", latency_timer="16")
    # systemd 252; 257
    assert re.search(r"""latency_timer' writing '1'|latency_timer\}="1\"""", ask_udev(tree, device))


def test_buttons_on_pins_are_one_device(tree: Tree) -> None:
    tree.device("platform/paihao-keys", "bus/platform", "gpio-keys", "DRIVER=gpio-keys\n")
    tree.device("platform/paihao-keys/input/input4", "class/input", uevent="PRODUCT=19/1/1/100\nEV=3\n")
    event = "platform/paihao-keys/input/input4/event4"
    tree.device(event, "class/input", uevent="MAJOR=13\nMINOR=68\nDEVNAME=input/event4\n")
    assert links(ask_udev(tree, event)) == {"keys"}


def test_a_number_pad_is_a_keypad_by_its_port(tree: Tree) -> None:
    interface = f"{tree.usb('1-1.2', 'usbhid')}/1-1.2:1.0"
    keys = (
        "PRODUCT=3/1/1/110\nEV=120013\nKEY=1000000000007 ff800000000007ff febeffdff3cfffff fffffffffffffffe\n"
    )
    tree.device(f"{interface}/input/input5", "class/input", uevent=keys)
    for folder, name, value in (
        ("capabilities", "ev", "120013"),
        ("capabilities", "key", "1000000000007 ff800000000007ff febeffdff3cfffff fffffffffffffffe"),
    ):
        path = tree.root / "devices" / interface / "input/input5" / folder
        path.mkdir(exist_ok=True)
        (path / name).write_text(f"{value}\n")
    event = f"{interface}/input/input5/event5"
    tree.device(event, "class/input", uevent="MAJOR=13\nMINOR=69\nDEVNAME=input/event5\n")
    assert links(ask_udev(tree, event)) == {"keypad-1-1.2"}


def test_a_card_reader_is_found_in_any_port(tree: Tree) -> None:
    interface = f"{tree.usb('1-4', 'usbhid', idVendor='0400', idProduct='c35a')}/1-4:1.0"
    raw = f"{interface}/hidraw/hidraw0"
    tree.device(raw, "class/hidraw", uevent="MAJOR=245\nMINOR=0\nDEVNAME=hidraw0\n")
    assert links(ask_udev(tree, raw)) == {"hid-1-4", "card"}


def test_a_usb_printer_is_found_in_any_port(tree: Tree) -> None:
    interface = f"{tree.usb('1-1.1', 'usblp')}/1-1.1:1.0"
    printer = f"{interface}/usbmisc/lp0"
    tree.device(printer, "class/usbmisc", uevent="MAJOR=180\nMINOR=0\nDEVNAME=usb/lp0\n")
    assert links(ask_udev(tree, printer)) == {"printer-1-1.1", "printer"}


def test_a_serial_port_of_the_board_is_left_alone(tree: Tree) -> None:
    tree.device("platform/serial0", "bus/platform")
    assert links(ask_udev(tree, tree.tty("platform/serial0", "ttyAMA0", 204, 64))) == set()
