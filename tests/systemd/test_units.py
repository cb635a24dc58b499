"""The units: accepted by systemd without a word, least privilege, and never given up."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[2] / "systemd").glob("*.service"))
HIGHEST_EXPOSURE = 20
"""Tenths on systemd's scale from 0 to 10 ("OK" up to 4.9)."""

analyze = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(analyze is None, reason="there is no systemd-analyze on this machine")


class Unit(dict[str, dict[str, list[str]]]):
    """Section → option → values, in the order of the file; options may repeat."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        section: dict[str, list[str]] = {}
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("["):
                section = self.setdefault(line.strip("[]"), {})
            elif line and not line.startswith("#"):
                option, value = line.split("=", 1)
                section.setdefault(option, []).append(value)

    def one(self, option: str, section: str = "Service") -> str:
        (value,) = self[section][option]
        return value


def verify(path: Path, folder: Path, change: tuple[str, str] = ("", "")) -> str:
    """What `systemd-analyze verify` says of a copy whose program exists; it exits with 0 on unknown keys."""
    text = path.read_text("utf-8").replace("/opt/paihao/bin/paihao", "/bin/true")
    copy = folder / path.name
    copy.write_text(text.replace(*change) if change[0] else text, "utf-8")
    assert analyze is not None
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    complaints = (done.stdout + done.stderr).splitlines()
    return "\n".join(line for line in complaints if path.name in line)


def test_agent_and_hall_have_a_unit() -> None:
    assert [path.name for path in UNITS] == ["paihao-agent.service", "paihao-hall.service"]


@needs_systemd
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_has_no_complaint(path: Path, tmp_path: Path) -> None:
    assert verify(path, tmp_path) == ""


@needs_systemd
def test_a_complaint_would_be_seen(tmp_path: Path) -> None:
    assert "WatchdogSek" in verify(UNITS[0], tmp_path, ("WatchdogSec=", "WatchdogSek="))
    assert "ttyUSB" in verify(UNITS[0], tmp_path, ("DeviceAllow=char-ttyUSB rw", "DeviceAllow=ttyUSB"))


@needs_systemd
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_exposure_is_low(path: Path) -> None:
    assert analyze is not None
    done = subprocess.run(
        [analyze, "security", "--offline=true", f"--threshold={HIGHEST_EXPOSURE}", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_it_is_watched_and_never_given_up(path: Path) -> None:
    unit = Unit(path)
    assert unit.one("Type") == "notify"
    assert 0 < int(unit.one("WatchdogSec")) <= 15
    assert unit.one("Restart") == "always"
    assert unit.one("StartLimitIntervalSec", "Unit") == "0"
    # killed or hung, it has to be back within 30 s
    assert int(unit.one("WatchdogSec")) + int(unit.one("TimeoutAbortSec")) + int(unit.one("RestartSec")) <= 25


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_crash_leaves_no_memory_on_the_disk(path: Path) -> None:
    assert Unit(path).one("LimitCORE") == "0"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_it_runs_the_command_that_the_package_installs(path: Path) -> None:
    program, room, option, config = Unit(path).one("ExecStart").split()
    assert (program, option) == ("/opt/paihao/bin/paihao", "--config")
    assert (room, config) in {("agent", "/etc/paihao/node.toml"), ("hall", "/etc/paihao/hall.toml")}
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert "paihao" in project["project"]["scripts"]


def test_the_agent_may_use_its_devices() -> None:
    unit = Unit(UNITS[0])
    assert unit.one("DevicePolicy") == "closed"
    allowed = {line.split()[0] for line in unit["Service"]["DeviceAllow"]}
    # as they stand in /proc/devices: serial adapters, Pi UARTs, USB, keypads, raw HID, sound, pins, SPI
    wanted = {"ttyUSB", "ttyACM", "ttyAMA", "ttyS", "usb", "usb_device", "input", "hidraw", "alsa"}
    wanted |= {"gpiochip", "spi"}
    assert {f"char-{name}" for name in wanted} <= allowed
    assert {"dialout", "lp", "input", "audio", "gpio", "spi"} <= set(unit.one("SupplementaryGroups").split())
    # the clock reads the boot id below /proc/sys
    assert "ProcSubset" not in unit["Service"]
