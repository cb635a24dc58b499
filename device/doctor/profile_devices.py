"""The devices of a node's profile as the doctor needs them: where each should be, and who has it now."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.doctor.report import Found
from device.doctor.roots import Roots
from device.profile import CheckedDevice, CheckedProfile
from drivers.voice.alsa import AlsaOutput, card_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device of the profile should be: a path, a host and port, a USB number or a sound card. `where`
    says it."""

    device: str
    driver: str
    kind: str
    where: str
    path: str | None = None
    network: tuple[str, str, int] | None = None
    """("tcp" or "udp", host, port)."""
    usb: str | None = None
    usb_serial: str | None = None
    sound: str | None = None
    """The card's name or number."""

    def is_at(self, found: Found) -> bool:
        """Whether `found` is in this place."""
        if self.path is not None and found.path is not None and found.path.startswith("/"):
            return os.path.realpath(self.path) == os.path.realpath(found.path)
        if self.network is not None:
            kind, host, port = self.network
            return found.key == f"network {host}:{port}" + ("/udp" if kind == "udp" else "")
        if self.sound is not None:
            return found.kind == "sound" and self.sound in (
                str(found.facts.get("card")),
                card_of(found.path or ""),
            )
        if self.usb is not None:
            serial = found.facts.get("serial")
            return found.usb == self.usb and self.usb_serial in (None, serial)
        return False


def places(profile: CheckedProfile) -> list[Place]:
    """One for each device that has a place; the default sound card and a device on GPIO have none that can be
    missing."""
    return [place for device in profile.devices if (place := _place(device)) is not None]


def _place(device: CheckedDevice) -> Place | None:
    config: Any = device.config
    kind = device.driver.kind
    for line in (getattr(config, "transport", None), getattr(config, "output", None), config):
        if line is None:
            continue
        host, port = getattr(line, "host", None), getattr(line, "port", None)
        if isinstance(host, str) and isinstance(port, int):
            how = "udp" if type(line).__struct_config__.tag == "udp" else "tcp"
            network = (how, host, port)
            return Place(device.id, device.driver_name, kind, f"{host}:{port}", network=network)
        path = getattr(line, "path", None)
        if isinstance(path, str):
            return Place(device.id, device.driver_name, kind, path, path=path)
        if isinstance(line, AlsaOutput) and (card := card_of(line.device)) is not None:
            return Place(device.id, device.driver_name, kind, line.device, sound=card)
        vendor, product = getattr(line, "vendor", None), getattr(line, "product", None)
        if isinstance(vendor, int) and isinstance(product, int):
            number = f"{vendor:04x}:{product:04x}"
            serial = getattr(line, "serial", None)
            return Place(
                device.id, device.driver_name, kind, f"USB {number}", usb=number, usb_serial=serial or None
            )
    return None


def agent_runs(profile: CheckedProfile, roots: Roots) -> bool:
    """Whether the profile's agent runs: it holds the lock of its data file. Only looks (/proc/locks)."""
    lock = Path(profile.profile.storage + ".lock")
    try:
        inode = lock.stat().st_ino
    except OSError:
        return False
    try:
        locks = (roots.proc / "locks").read_text("ascii", "replace")
    except OSError:
        return False
    return re.search(rf"FLOCK .* \w+:\w+:{inode} ", locks) is not None


def of(place: Place, rows: Sequence[Found]) -> Found | None:
    """What is plugged in at a place."""
    return next((found for found in rows if place.is_at(found)), None)
