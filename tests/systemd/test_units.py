"""The units: accepted by systemd without a word, least privilege, and never given up."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "systemd").glob("*.service"))
AGENT, HALL, SCREEN = UNITS
HIGHEST_EXPOSURE = 20
"""Tenths on systemd's scale from 0 to 10 ("OK" up to 4.9)."""

analyze = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(analyze is None, reason="there is no systemd-analyze on this machine")


def restart_s(unit: Unit) -> float:
    value = unit.one("RestartSec")
    return float(value.removesuffix("ms")) / 1000 if value.endswith("ms") else float(value)


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
    copy = folder / path.name.replace("@.", "@kiosk.")
    copy.write_text(text.replace(*change) if change[0] else text, "utf-8")
    assert analyze is not None
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    complaints = (done.stdout + done.stderr).splitlines()
    return "\n".join(line for line in complaints if copy.name in line)


def test_agent_hall_and_screens_have_a_unit() -> None:
    names = ["paihao-agent.service", "paihao-hall.service", "paihao-screen@.service"]
    assert [path.name for path in UNITS] == names


@needs_systemd
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_has_no_complaint(path: Path, tmp_path: Path) -> None:
    assert verify(path, tmp_path) == ""


@needs_systemd
def test_a_complaint_would_be_seen(tmp_path: Path) -> None:
    assert "WatchdogSek" in verify(AGENT, tmp_path, ("WatchdogSec=", "WatchdogSek="))
    assert "ttyUSB" in verify(AGENT, tmp_path, ("DeviceAllow=char-ttyUSB rw", "DeviceAllow=ttyUSB"))


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
    assert int(unit.one("WatchdogSec")) + int(unit.one("TimeoutAbortSec")) + restart_s(unit) <= 25


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_crash_leaves_no_memory_on_the_disk(path: Path) -> None:
    assert Unit(path).one("LimitCORE") == "0"


@pytest.mark.parametrize("path", [AGENT, HALL], ids=lambda path: path.stem)
def test_it_runs_the_command_that_the_package_installs(path: Path) -> None:
    program, room, option, config = Unit(path).one("ExecStart").split()
    assert (program, option) == ("/opt/paihao/bin/paihao", "--config")
    assert (room, config) in {("agent", "/etc/paihao/node.toml"), ("hall", "/etc/paihao/hall.toml")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "paihao" in project["project"]["scripts"]


def test_the_agent_may_use_its_devices() -> None:
    unit = Unit(AGENT)
    assert unit.one("DevicePolicy") == "closed"
    allowed = {line.split()[0] for line in unit["Service"]["DeviceAllow"]}
    # as they stand in /proc/devices: serial adapters, Pi UARTs, USB, keypads, raw HID, sound, pins, SPI
    wanted = {"ttyUSB", "ttyACM", "ttyAMA", "ttyS", "usb", "usb_device", "input", "hidraw", "alsa"}
    wanted |= {"gpiochip", "spi"}
    assert {f"char-{name}" for name in wanted} <= allowed
    assert {"dialout", "lp", "input", "audio", "gpio", "spi"} <= set(unit.one("SupplementaryGroups").split())
    # the clock reads the boot id below /proc/sys
    assert "ProcSubset" not in unit["Service"]


# ---------------------------------------------------------------- screens


def test_a_screen_is_what_its_environment_says() -> None:
    unit = Unit(SCREEN)
    assert unit.one("EnvironmentFile") == "/etc/paihao/screen-%i.conf"
    program, room, *arguments = unit.one("ExecStart").split()
    assert (program, room) == ("/opt/paihao/bin/paihao", "screen")
    # $ARGS without braces: none, one or several words
    assert arguments == ["${SCREEN}", "--station", "${STATION}", "$ARGS"]


def test_a_picture_is_back_soon_after_a_crash() -> None:
    assert restart_s(Unit(SCREEN)) <= 0.5


def test_the_agent_does_not_care_whether_a_screen_lives() -> None:
    ties = ("Requires", "BindsTo", "PartOf", "Upholds", "Wants", "Requisite", "PropagatesStopTo")
    for path, other in ((SCREEN, "paihao-agent"), (AGENT, "paihao-screen")):
        unit = Unit(path)["Unit"]
        assert not [tie for tie in ties if any(other in value for value in unit.get(tie, []))]
    assert "paihao-agent.service" in Unit(SCREEN).one("After", "Unit").split()


def test_a_screen_has_the_display_the_touch_and_a_console_of_its_own() -> None:
    unit = Unit(SCREEN)
    allowed = {line.split()[0] for line in unit["Service"]["DeviceAllow"]}
    assert allowed == {"char-drm", "char-input", "char-alsa", "/dev/tty1", "/dev/tty"}
    assert unit.one("SupplementaryGroups").split() == ["video", "render", "input", "audio"]
    assert unit.one("TTYPath") == "/dev/tty1"
    assert "getty@tty1.service" in unit.one("Conflicts", "Unit").split()
    assert "getty@tty1.service" in unit.one("After", "Unit").split(), "gone before the console is taken"


def test_a_screen_sees_the_agents_socket_and_pictures_and_nothing_else_of_it() -> None:
    screen, agent = Unit(SCREEN), Unit(AGENT)
    assert screen.one("User") != agent.one("User")
    assert screen.one("Group") == agent.one("Group") == "paihao"
    folder = f"/var/lib/{agent.one('StateDirectory')}"
    assert screen.one("TemporaryFileSystem") == f"{folder}:ro"
    assert screen.one("BindReadOnlyPaths") == f"-{folder}/pictures"
    assert "/etc/paihao/tls" in screen.one("InaccessiblePaths")
    # the group may go through the socket's folder, and read what is in that of the pictures
    assert int(agent.one("RuntimeDirectoryMode"), 8) & 0o050 == 0o050
    assert int(agent.one("UMask"), 8) & 0o040 == 0
    assert not set(screen.one("RestrictAddressFamilies").split()) & {"AF_INET", "AF_INET6"}


def test_pictures_of_a_screen_have_a_folder_that_outlives_the_agent() -> None:
    source = (ROOT / "ui" / "snapshot.py").read_text("utf-8")
    assert f'Path("/run/{Unit(SCREEN).one("RuntimeDirectory")}")' in source
    assert Unit(SCREEN).one("RuntimeDirectoryPreserve") == "yes", "other screens of the node have it, too"
    assert Unit(SCREEN).one("RuntimeDirectory") != Unit(AGENT).one("RuntimeDirectory")
