"""What is plugged in, read from sysfs, procfs and /dev. Opens no device and sends nothing.

A device appears once, as what it is for: a serial adapter as its serial port, a keyboard as its input device.
Sources: kernel documentation, ABI/testing/sysfs-bus-usb, sysfs-class-tty, usblp (ieee1284_id), proc(5),
input/input-programming; USB class codes of the USB-IF.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.doctor.finding_usb import UsbDevice, usb_above, usb_devices
from device.doctor.known_usb import Known, known
from device.doctor.report import Found, Holder, Said
from device.doctor.roots import Roots, entries, linked, word
from drivers.driver import Fact

_SERIAL_NAME: Final = re.compile(r"tty(S|AMA|USB|ACM|SC|XRUSB)\d+\Z")
_PRINTER_CLASS: Final = 0x07
_SMART_CARD_CLASS: Final = 0x0B
_HUB_CLASS: Final = 0x09
_OFFICE: Final = re.compile(
    r"\b(PCL\w*|PJL|POSTSCRIPT|PS|PDF|URF|PWG\w*|ESCP[LR]\w*|ZPL\w*|TSPL\w*|EPL\w*|GDI|SPL)\b"
)
"""Languages of printers on which three bytes may print a page."""
_WORD_BITS: Final = 8 * struct.calcsize("@l")
_KEY_ENTER: Final = 28
_KEY_A: Final = 30
_KEYPAD_KEYS: Final = (79, 80, 81, 82)
"""KEY_KP1 … KEY_KP0."""
_BTN_TOUCH: Final = 0x14A
_BTN_LEFT: Final = 0x110


@dataclass(frozen=True, slots=True)
class _Scan:
    """What several parts of one scan need."""

    roots: Roots
    links: dict[str, list[Path]]
    holders: dict[str, Holder]

    def stable(self, node: Path) -> str | None:
        """The best stable name of a device file: ours, by port, by serial number."""
        names = self.links.get(os.path.realpath(node), [])
        names = sorted(names, key=lambda link: (_rank(link, self.roots.dev), len(link.name), link.name))
        return str(names[0]) if names else None

    def holder(self, node: Path) -> Holder | None:
        return self.holders.get(os.path.realpath(node))


def find(roots: Roots | None = None) -> list[Found]:
    """All that is plugged in, serial ports first."""
    roots = roots or Roots()
    usb = usb_devices(roots)
    scan = _Scan(roots, _links(roots.dev), _holders(roots))
    found = _serial_ports(scan)
    found += _printers(scan, usb)
    inputs = _inputs(scan)
    found += inputs
    found += _raw_hid(scan, {each.port for each in inputs if each.port})
    shown = {each.port for each in found if each.port}
    found += [_other_usb(device) for device in usb if device.port not in shown and _is_of_interest(device)]
    found += _gpio(scan) + _sound(scan) + _displays(scan)
    return found


def holder_of(path: str, roots: Roots | None = None) -> Holder | None:
    """Who has a device file open, other than this process; None also when that cannot be seen.

    Of a pseudo-terminal only the agent counts: the program at its far end, a fake, has it open, too.
    """
    roots = roots or Roots()
    real = Path(os.path.realpath(path))
    holder = _holders(roots).get(str(real))
    if holder is not None and not holder.agent and real.parent == roots.dev / "pts":
        return None
    return holder


def machine(roots: Roots | None = None) -> str:
    """The board's model, e.g. "Raspberry Pi 4 Model B Rev 1.4"; "" where it does not say."""
    roots = roots or Roots()
    return word(roots.sys / "firmware/devicetree/base/model") or word(
        roots.sys / "devices/virtual/dmi/id/product_name"
    )


# ---------------------------------------------------------------- names and holders


def _links(dev: Path) -> dict[str, list[Path]]:
    """Stable names by the real path that they lead to."""
    found: dict[str, list[Path]] = {}
    folders = ("paihao", "serial/by-path", "serial/by-id", "input/by-path", "input/by-id")
    for folder in folders:
        for link in entries(dev / folder):
            found.setdefault(os.path.realpath(link), []).append(link)
    return found


def _rank(link: Path, dev: Path) -> int:
    folder = str(link.parent.relative_to(dev))
    if folder == "paihao":
        return 1 if re.search(r"-\d+-[\d.]+", link.name) else 0
    return 2 if folder.endswith("by-path") else 3


def _holders(roots: Roots) -> dict[str, Holder]:
    """Who has which device file open, without this process."""
    found: dict[str, Holder] = {}
    dev = str(roots.dev)
    for process in entries(roots.proc):
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        for descriptor in entries(process / "fd"):
            try:
                target = str(descriptor.readlink())
            except OSError:
                continue
            if not target.startswith((dev, "/dev/")) or target in found:
                continue
            line = word(process / "cmdline").split("\0")
            found[target] = Holder(
                pid=int(process.name),
                name=word(process / "comm") or Path(line[0]).name,
                agent=any("paihao" in part for part in line) and "agent" in line,
            )
    return found


# ---------------------------------------------------------------- serial ports


def _serial_ports(scan: _Scan) -> list[Found]:
    roots = scan.roots
    consoles = _consoles(roots)
    found = []
    for tty in entries(roots.sys / "class/tty"):
        if not _SERIAL_NAME.match(tty.name):
            continue
        if tty.name.startswith("ttyS") and word(tty / "type") in ("", "0"):
            continue  # a number without a chip
        node = roots.dev / tty.name
        usb = usb_above(tty / "device", roots)
        row = known(usb.vendor, usb.product) if usb else None
        holder = scan.holder(node)
        skip = None
        if tty.name in consoles:
            skip = Said("doctor.skip_console")
        elif row is not None and not row.ask:
            skip = Said("doctor.skip_known")
        else:
            skip = _skip(node, holder)
        found.append(
            Found(
                key=f"serial {tty.name}",
                kind="serial",
                name=_name(usb, row) or _on_board(tty),
                path=str(node),
                stable=scan.stable(node),
                usb=usb.number if usb else None,
                port=_port(usb, tty),
                driver=linked(tty / "device" / "driver") or None,
                what=row.what if row else None,
                hint=row.hint if row else None,
                holder=holder,
                skip=skip,
            )
        )
    return found


def _port(usb: UsbDevice | None, tty: Path) -> str | None:
    """The port as firmware_config's rules name it: with the interface, when it is not the first."""
    if usb is None:
        return None
    match = re.search(rf"/{re.escape(usb.port)}:\d+\.(\d+)/", os.path.realpath(tty / "device") + "/")
    interface = int(match.group(1)) if match else 0
    return f"{usb.port}-if{interface:02d}" if interface else usb.port


def _on_board(tty: Path) -> str:
    return "PL011 UART" if tty.name.startswith("ttyAMA") else "UART"


def _consoles(roots: Roots) -> set[str]:
    """Ports on which the kernel or a login speaks."""
    names = set(word(roots.sys / "class/tty/console/active").split())
    names |= set(re.findall(r"console=(\w+)", word(roots.proc / "cmdline")))
    return names


def _skip(node: Path, holder: Holder | None) -> Said | None:
    if holder is not None:
        code = "doctor.skip_agent" if holder.agent else "doctor.skip_held"
        return Said(code, {"program": holder.name})
    if not node.exists():
        return Said("doctor.skip_no_node", {"path": str(node)})
    if not os.access(node, os.R_OK | os.W_OK):
        return Said("doctor.skip_no_right", {"path": str(node)})
    return None


def _name(usb: UsbDevice | None, row: Known | None) -> str:
    if usb is None:
        return ""
    if row is not None and row.product is not None:
        return row.shown
    said = " ".join(part for part in (usb.maker, usb.model) if part)
    return said or (row.shown if row else "USB")


# ---------------------------------------------------------------- printers, other USB


def _printers(scan: _Scan, usb: list[UsbDevice]) -> list[Found]:
    found = []
    for device in usb:
        interfaces = [each for each in device.interfaces if each.class_ == _PRINTER_CLASS]
        if not interfaces:
            continue
        row = known(device.vendor, device.product)
        nodes = [entry for each in interfaces for entry in entries(each.folder / "usbmisc")]
        said = next((text for each in interfaces if (text := word(each.folder / "ieee1284_id"))), "")
        fields = _ieee1284(said)
        node = scan.roots.dev / "usb" / nodes[0].name if nodes else None
        holder = scan.holder(node) if node else None
        skip = _skip(node, holder) if node else None
        if _OFFICE.search(fields.get("CMD", "").upper()) and "ESC/POS" not in fields.get("CMD", "").upper():
            skip = Said("doctor.skip_office", {"language": fields["CMD"]})
        elif row is not None and not row.ask:
            skip = Said("doctor.skip_known")
        facts: dict[str, Fact] = {"languages": fields["CMD"]} if "CMD" in fields else {}
        facts |= {"serial": device.serial} if device.serial else {}
        name = " ".join(fields[key] for key in ("MFG", "MDL") if key in fields)
        found.append(
            Found(
                key=f"usb {device.port}",
                kind="usb_printer",
                name=name or _name(device, row),
                path=str(node) if node else None,
                stable=scan.stable(node) if node else None,
                usb=device.number,
                port=device.port,
                driver=interfaces[0].driver or None,
                what="ticket_printer",
                hint=row.hint if row else None,
                holder=holder,
                skip=skip,
                facts=facts,
            )
        )
    return found


def _ieee1284(text: str) -> dict[str, str]:
    """The fields of a device id, "MFG:EPSON;CMD:ESC/POS;MDL:TM-T88V;", under their short names."""
    names = {"MANUFACTURER": "MFG", "MODEL": "MDL", "COMMAND SET": "CMD"}
    fields = {}
    for part in text.split(";"):
        name, colon, value = part.partition(":")
        if colon and name.strip() and value.strip():
            # the first two bytes may be the length of the whole
            key = re.sub(r"^.*?(MFG|MANUFACTURER|MDL|MODEL|CMD|COMMAND SET)\Z", r"\1", name.strip().upper())
            fields[names.get(key, key)] = value.strip()
    return fields


def _is_of_interest(device: UsbDevice) -> bool:
    if device.class_ == _HUB_CLASS:
        return False
    row = known(device.vendor, device.product)
    return row is None or row.what != "hub"


def _other_usb(device: UsbDevice) -> Found:
    row = known(device.vendor, device.product)
    what = row.what if row else None
    if what is None and any(each.class_ == _SMART_CARD_CLASS for each in device.interfaces):
        what = "nfc_reader"
    facts: dict[str, Fact] = {"serial": device.serial} if device.serial else {}
    return Found(
        key=f"usb {device.port}",
        kind="usb",
        name=_name(device, row),
        usb=device.number,
        port=device.port,
        driver=next((each.driver for each in device.interfaces if each.driver), None),
        what=what,
        hint=row.hint if row else None,
        facts=facts,
    )


# ---------------------------------------------------------------- HID


def _inputs(scan: _Scan) -> list[Found]:
    """Input devices with keys of a keyboard, and touch panels; one for each device and use."""
    found: dict[tuple[str, str], Found] = {}
    for folder in entries(scan.roots.sys / "class/input"):
        if not folder.name.startswith("event"):
            continue
        keys = _capabilities(word(folder / "device/capabilities/key"))
        if _BTN_TOUCH in keys and _KEY_ENTER not in keys:
            use = "touch"
        elif _KEY_ENTER in keys and _KEY_A in keys:
            use = "keyboard"
        elif keys.issuperset(_KEYPAD_KEYS) or len(keys & set(range(1, 0x100))) >= 2:
            use = "keypad"
        else:
            continue
        if _BTN_LEFT in keys and use != "touch":
            continue
        node = scan.roots.dev / "input" / folder.name
        usb = usb_above(folder / "device", scan.roots)
        row = known(usb.vendor, usb.product) if usb else None
        holder = scan.holder(node)
        place = usb.port if usb else folder.name
        scanner = row is not None and row.what == "scanner"
        found.setdefault(
            (place, use),
            Found(
                key=f"input {folder.name}",
                kind="input",
                name=word(folder / "device/name") or _name(usb, row),
                path=str(node),
                stable=scan.stable(node),
                usb=usb.number if usb else None,
                port=usb.port if usb else None,
                driver=linked(folder / "device/device/driver") or None,
                what="scanner" if scanner else "touch" if use == "touch" else "keypad",
                hint=row.hint if row else None,
                holder=holder,
                skip=_agent_only(holder),
                facts={"use": use, "keys": len(keys)},
            ),
        )
    return list(found.values())


def _agent_only(holder: Holder | None) -> Said | None:
    """Several may read an input device; only our agent grabs it."""
    return Said("doctor.skip_agent", {"program": holder.name}) if holder and holder.agent else None


def _capabilities(text: str) -> set[int]:
    """The bits of a capability file: words of the machine in hex, the highest first."""
    bits = set()
    for n, part in enumerate(reversed(text.split())):
        try:
            value = int(part, 16)
        except ValueError:
            return set()
        bits |= {_WORD_BITS * n + bit for bit in range(_WORD_BITS) if value >> bit & 1}
    return bits


def _raw_hid(scan: _Scan, shown: set[str]) -> list[Found]:
    found = []
    for folder in entries(scan.roots.sys / "class/hidraw"):
        usb = usb_above(folder / "device", scan.roots)
        if usb is None or usb.port in shown:
            continue
        shown = shown | {usb.port}
        row = known(usb.vendor, usb.product)
        node = scan.roots.dev / folder.name
        holder = scan.holder(node)
        found.append(
            Found(
                key=f"hidraw {folder.name}",
                kind="hidraw",
                name=_name(usb, row),
                path=str(node),
                stable=scan.stable(node),
                usb=usb.number,
                port=usb.port,
                driver=linked(folder / "device/driver") or None,
                what=row.what if row else None,
                hint=row.hint if row else None,
                holder=holder,
                skip=Said("doctor.skip_known") if row and not row.ask else _skip(node, holder),
            )
        )
    return found


# ---------------------------------------------------------------- the board itself


def _gpio(scan: _Scan) -> list[Found]:
    found = []
    for chip in entries(scan.roots.sys / "bus/gpio/devices"):
        if not chip.name.startswith("gpiochip"):
            continue
        node = scan.roots.dev / chip.name
        label = word(chip / "label") or _chip_label(scan.roots, chip)
        header = "pinctrl-rp1" in label or re.search(r"pinctrl-bcm2\d+", label) is not None
        found.append(
            Found(
                key=f"gpio {chip.name}",
                kind="gpio",
                name=label or chip.name,
                path=str(node),
                holder=scan.holder(node),
                skip=None if os.access(node, os.R_OK | os.W_OK) else _skip(node, None),
                facts={"header": header, "lines": word(chip / "ngpio") or None},
            )
        )
    return found


def _chip_label(roots: Roots, chip: Path) -> str:
    """Newer kernels show the label only in the old class, or as the driver's device name."""
    for old in entries(roots.sys / "class/gpio"):
        if old.name.startswith("gpiochip") and os.path.realpath(old / "device") == os.path.realpath(
            chip.resolve().parent
        ):
            return word(old / "label")
    return linked(chip.resolve().parent / "driver")


def _sound(scan: _Scan) -> list[Found]:
    found = []
    cards = word(scan.roots.proc / "asound/cards")
    for number, short, kind, name in re.findall(r"^\s*(\d+) \[(\S+)\s*\]: (\S+) - (.+)$", cards, re.M):
        playback = any(
            entry.name.startswith("pcm") and entry.name.endswith("p")
            for entry in entries(scan.roots.proc / "asound" / f"card{number}")
        )
        if not playback:
            continue
        found.append(
            Found(
                key=f"sound {short}",
                kind="sound",
                name=name.strip(),
                path=f"plughw:CARD={short}",
                stable=f"plughw:CARD={short}",
                driver=kind,
                what="loudspeaker",
                facts={"card": int(number)},
            )
        )
    # a loudspeaker is seldom on a display's cable
    return sorted(found, key=lambda each: "hdmi" in f"{each.path} {each.name}".lower())


def _displays(scan: _Scan) -> list[Found]:
    found = []
    for connector in entries(scan.roots.sys / "class/drm"):
        status = word(connector / "status")
        if status not in ("connected", "disconnected"):
            continue
        modes = word(connector / "modes").split()
        found.append(
            Found(
                key=f"display {connector.name}",
                kind="display",
                name=connector.name.partition("-")[2] or connector.name,
                facts={"connected": status == "connected", "mode": modes[0] if modes else None},
            )
        )
    return found
