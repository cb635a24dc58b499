"""What is plugged in is read from the kernel's trees, once each, with a name that stays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from device.doctor.finding import find, holder_of
from device.doctor.known_usb import known, table
from device.doctor.report import Found
from device.doctor.roots import Roots


def the(found: list[Found], kind: str) -> Found:
    (one,) = [each for each in found if each.kind == kind]
    return one


def test_a_serial_adapter_is_a_serial_port_with_a_stable_name(machine: Any) -> None:
    machine.adapter("1-1.2", "ttyUSB0").touch()
    (found,) = find(machine.roots)
    assert (found.kind, found.usb, found.port, found.driver) == ("serial", "1a86:7523", "1-1.2", "ch341-uart")
    assert found.name == "CH340 USB-RS232/485"
    assert found.stable == str(machine.folder / "dev/paihao/serial-1-1.2")
    assert found.skip is None


def test_a_role_goes_before_a_port_and_a_port_before_a_serial_number(machine: Any) -> None:
    machine.adapter("1-1.2", "ttyUSB0").touch()
    machine.link("dev/serial/by-id/usb-1a86_USB_Serial-if00", "dev/ttyUSB0")
    machine.link("dev/serial/by-path/platform-usb-0:1.2:1.0", "dev/ttyUSB0")
    machine.link("dev/paihao/strip", "dev/ttyUSB0")
    assert the(find(machine.roots), "serial").stable == str(machine.folder / "dev/paihao/strip")
    (machine.folder / "dev/paihao/strip").unlink()
    (machine.folder / "dev/paihao/serial-1-1.2").unlink()
    assert "by-path" in str(the(find(machine.roots), "serial").stable)


def test_a_port_without_a_chip_is_left_out_and_the_console_is_not_asked(machine: Any) -> None:
    machine.put("sys/class/tty/ttyS0/type", "4\n")
    machine.put("sys/class/tty/ttyS1/type", "0\n")
    machine.put("sys/class/tty/console/active", "tty0 ttyS0\n")
    machine.put("dev/ttyS0", "")
    (found,) = find(machine.roots)
    assert found.path == str(machine.folder / "dev/ttyS0")
    assert found.skip is not None and found.skip.code == "doctor.skip_console"


def test_who_holds_a_port_is_said_and_it_is_not_asked(machine: Any) -> None:
    node = machine.adapter("1-1.2", "ttyUSB0")
    node.touch()
    machine.put("proc/4711/comm", "python3\n")
    machine.put("proc/4711/cmdline", "/opt/paihao/bin/python\0/opt/paihao/bin/paihao\0agent\0--config\0x\0")
    (machine.folder / "proc/4711/fd").mkdir()
    (machine.folder / "proc/4711/fd/7").symlink_to(node)
    found = the(find(machine.roots), "serial")
    assert found.holder is not None and found.holder.agent
    assert found.skip is not None and found.skip.code == "doctor.skip_agent"
    assert holder_of(str(node), machine.roots) == found.holder


def test_a_usb_printer_is_named_by_its_device_id(machine: Any) -> None:
    machine.usb("1-1.1", "04b8:0202", maker="EPSON", product="TM", serial="J12")
    folder = machine.interface("1-1.1", "07", "usblp")
    machine.put(f"{folder}/ieee1284_id", "\x00\x40MFG:EPSON;CMD:ESC/POS;MDL:TM-T88V;CLS:PRINTER;\n")
    (machine.folder / folder / "usbmisc/lp0").mkdir(parents=True)
    machine.put("dev/usb/lp0", "")
    found = the(find(machine.roots), "usb_printer")
    assert (found.name, found.path) == ("EPSON TM-T88V", str(machine.folder / "dev/usb/lp0"))
    assert (found.driver, found.skip, found.facts["serial"]) == ("usblp", None, "J12")


@pytest.mark.parametrize("languages", ["PCL,PJL", "BDC,D4,POSTSCRIPT", "ZPL"])
def test_an_office_printer_is_never_asked(machine: Any, languages: str) -> None:
    machine.usb("1-1.1", "03f0:1234")
    folder = machine.interface("1-1.1", "07", "usblp")
    machine.put(f"{folder}/ieee1284_id", f"MANUFACTURER:HP;COMMAND SET:{languages};MODEL:LaserJet;")
    (machine.folder / folder / "usbmisc/lp0").mkdir(parents=True)
    machine.put("dev/usb/lp0", "")
    found = the(find(machine.roots), "usb_printer")
    assert found.skip is not None and found.skip.code == "doctor.skip_office"


def event(machine: Any, port: str, number: int, keys: set[int], name: str) -> None:
    folder = f"sys/devices/usb/{port}/{port}:1.0/input{number}/event{number}"
    words = []
    for start in range(0, 0x300, 64):
        words.append(f"{sum(1 << key - start for key in keys if start <= key < start + 64):x}")
    text = " ".join(reversed(words)).lstrip("0 ") or "0"
    machine.put(f"sys/devices/usb/{port}/{port}:1.0/input{number}/capabilities/key", text)
    machine.put(f"sys/devices/usb/{port}/{port}:1.0/input{number}/name", name)
    (machine.folder / folder).mkdir(parents=True)
    machine.link(f"{folder}/device", f"sys/devices/usb/{port}/{port}:1.0/input{number}")
    machine.link(f"sys/class/input/event{number}", folder)
    machine.put(f"dev/input/event{number}", "")


def test_a_number_pad_a_keyboard_and_a_touch_panel_are_told_apart(machine: Any) -> None:
    for port, number in (("1-1.3", "1c4f:0002"), ("1-1.4", "05e0:1200"), ("1-1.5", "0eef:0001")):
        machine.usb(port, number)
        machine.interface(port, "03", "usbhid")
    event(machine, "1-1.3", 0, {79, 80, 81, 82, 96}, "Number pad")
    event(machine, "1-1.4", 1, set(range(1, 120)), "Scanner")
    event(machine, "1-1.5", 2, {0x14A}, "Touch")
    found = {each.name: each for each in find(machine.roots)}
    assert found["Number pad"].what == "keypad"
    assert found["Scanner"].what == "scanner", "known by its maker's number"
    assert found["Touch"].what == "touch"
    assert len(found) == 3, "each once"


def test_a_mouse_and_a_hub_are_left_out(machine: Any) -> None:
    machine.usb("1-1", "05e3:0608")
    machine.put("sys/devices/usb/1-1/bDeviceClass", "09")
    machine.usb("1-1.6", "046d:c077")
    machine.interface("1-1.6", "03", "usbhid")
    event(machine, "1-1.6", 5, {0x110, 0x111, 0x112}, "Mouse")
    assert [each.kind for each in find(machine.roots)] == ["usb"]


def test_a_card_reader_on_usb_is_known(machine: Any) -> None:
    machine.usb("1-1.5", "0400:c35a")
    machine.interface("1-1.5", "ff", "")
    found = the(find(machine.roots), "usb")
    assert found.what == "card_reader" and found.hint is not None


def test_a_relay_that_must_not_be_asked_is_marked(machine: Any) -> None:
    machine.usb("1-1.5", "16c0:05df")
    machine.interface("1-1.5", "03", "usbhid")
    (machine.folder / "sys/devices/usb/1-1.5/1-1.5:1.0/hidraw/hidraw0").mkdir(parents=True)
    machine.link("sys/class/hidraw/hidraw0", "sys/devices/usb/1-1.5/1-1.5:1.0/hidraw/hidraw0")
    machine.link("sys/devices/usb/1-1.5/1-1.5:1.0/hidraw/hidraw0/device", "sys/devices/usb/1-1.5/1-1.5:1.0")
    machine.put("dev/hidraw0", "")
    found = the(find(machine.roots), "hidraw")
    assert found.skip is not None and found.skip.code == "doctor.skip_known"


def test_the_boards_own_pins_sound_and_displays_are_there(machine: Any) -> None:
    machine.put("sys/devices/platform/gpio/gpiochip0/label", "pinctrl-rp1")
    machine.put("sys/devices/platform/gpio/gpiochip0/ngpio", "54")
    machine.link("sys/bus/gpio/devices/gpiochip0", "sys/devices/platform/gpio/gpiochip0")
    machine.put("dev/gpiochip0", "")
    machine.put(
        "proc/asound/cards",
        " 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones\n                      bcm2835\n"
        " 1 [Mic            ]: USB-Audio - USB Microphone\n                      at usb\n",
    )
    (machine.folder / "proc/asound/card0/pcm0p").mkdir(parents=True)
    (machine.folder / "proc/asound/card1/pcm0c").mkdir(parents=True)
    machine.put("sys/class/drm/card1-HDMI-A-1/status", "connected\n")
    machine.put("sys/class/drm/card1-HDMI-A-1/modes", "1920x1080\n1280x720\n")
    machine.put("sys/class/drm/card1-HDMI-A-2/status", "disconnected\n")
    found = find(machine.roots)
    assert the(found, "gpio").facts == {"header": True, "lines": "54"}
    assert the(found, "sound").path == "plughw:CARD=Headphones", "a microphone is no loudspeaker"
    displays = {each.name: each.facts for each in found if each.kind == "display"}
    assert displays["HDMI-A-1"] == {"connected": True, "mode": "1920x1080"}
    assert displays["HDMI-A-2"]["connected"] is False


def test_this_very_machine_can_be_looked_at() -> None:
    for found in find(Roots()):
        assert found.key and found.kind


def test_every_row_of_the_table_of_numbers_says_what_it_is_in_both_languages_or_neither() -> None:
    assert len(table()) > 25
    for row in table().values():
        assert bool(row.zh) == bool(row.en), row
        assert row.ask or row.hint, "says why it is not asked"
    printer = known(0x04B8, 0x0E03)
    assert printer is not None and printer.what == "ticket_printer"
    assert known(0xFFFF, 1) is None


USB_IDS = Path("/usr/share/misc/usb.ids")


@pytest.mark.skipif(not USB_IDS.exists(), reason="needs the Debian package usb.ids")
def test_every_number_that_is_no_guess_is_in_the_public_list() -> None:
    listed: set[tuple[int, int | None]] = set()
    vendor = 0
    for line in (
        USB_IDS.read_text("utf-8", "replace").partition("# List of known device classes")[0].splitlines()
    ):
        if match := re.match(r"([0-9a-f]{4})  ", line):
            vendor = int(match.group(1), 16)
            listed.add((vendor, None))
        elif match := re.match(r"\t([0-9a-f]{4})  ", line):
            listed.add((vendor, int(match.group(1), 16)))
    assert len(listed) > 20_000
    for number, row in table().items():
        assert row.guess or number in listed, row


def test_a_guess_is_shown_as_one(machine: Any) -> None:
    machine.adapter("1-1.2", "ttyUSB0", "1a86:55d4").touch()
    assert the(find(machine.roots), "serial").name == "CH9102 USB-RS232 ?"


def test_a_loudspeaker_goes_before_a_display(machine: Any) -> None:
    cards = [(0, "vc4hdmi0", "vc4-hdmi - vc4-hdmi-0"), (1, "Device", "USB-Audio - USB Audio Device")]
    lines = [f" {n} [{short:15}]: {name}\n                      x\n" for n, short, name in cards]
    machine.put("proc/asound/cards", "".join(lines))
    for n, _, _ in cards:
        (machine.folder / f"proc/asound/card{n}/pcm0p").mkdir(parents=True)
    assert [each.path for each in find(machine.roots)] == ["plughw:CARD=Device", "plughw:CARD=vc4hdmi0"]


def test_an_ink_printer_is_never_asked(machine: Any) -> None:
    machine.usb("1-1.1", "04b8:1114")
    folder = machine.interface("1-1.1", "07", "usblp")
    machine.put(f"{folder}/ieee1284_id", "MFG:EPSON;CMD:ESCPL2,BDC,D4,D4PX,ESCPR7,END4,GENEP;MDL:XP-440;")
    (machine.folder / folder / "usbmisc/lp0").mkdir(parents=True)
    machine.put("dev/usb/lp0", "")
    found = the(find(machine.roots), "usb_printer")
    assert found.skip is not None and found.skip.code == "doctor.skip_office"
