from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.profile import load_profile
from wire.checked_toml import TomlProblems

ROOM = Path(__file__).parents[2]
PROFILES = ROOM / "firmware_config" / "profiles"

PROFILE = """
hall = "h"
node = "counter-1"
storage = "{folder}/agent.db"
screen_socket = "{folder}/s.sock"
[broker]
host = "127.0.0.1"
port = 1
[[device]]
id = "strip"
driver = "onbon_bx"
options = {{ transport = {{ type = "serial", path = "{folder}/nothing" }} }}
[[station]]
kind = "counter"
id = "c"
counter = "1"
call_screen = "strip"
"""

WRONG = """
hall = "Not An Id"
node = "counter-1"
storage = "/tmp/x.db"
colour = "red"
[broker]
port = 99999
[[device]]
id = "strip"
driver = "onbon_bx"
options = { transport = { type = "serial", path = "/x" }, font_px = 17, colour = "red" }
[[device]]
id = "what"
driver = "telegraph"
[[station]]
kind = "counter"
id = "c"
counter = "1"
call_screen = "missing"
"""


def paihao(*words: str, **more: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "paihao", "agent", *words],
        cwd=ROOM, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more,
    )  # fmt: skip


@contextlib.contextmanager
def systemd(folder: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        path = str(folder / "n")
        listening.bind(path)
        listening.settimeout(20)
        yield listening, os.environ | {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "600000"}


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_agent_is_ready_without_devices_or_broker_feeds_the_watchdog_and_ends_cleanly(
    folder: Path, number: signal.Signals
) -> None:
    (folder / "p.toml").write_text(PROFILE.format(folder=folder))
    with systemd(folder) as (listening, environment):
        process = paihao("--config", str(folder / "p.toml"), env=environment)
        try:
            said = [listening.recv(100) for _ in range(3)]
            assert said == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
            process.send_signal(number)
            _, log = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0
    assert log.count("strip is gone") == 1 and "Traceback" not in log
    assert not (folder / "s.sock").exists()


def test_everything_that_is_wrong_in_a_profile_is_said_at_once(folder: Path) -> None:
    (folder / "p.toml").write_text(WRONG)
    process = paihao("--config", str(folder / "p.toml"))
    _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    for path in (
        "hall", "colour", "broker.port", "broker.host", "device[0].options.font_px",
        "device[0].options.colour", "device[1].driver",
    ):  # fmt: skip
        assert f"  {path}: " in said, path


def test_every_cross_reference_is_checked(folder: Path) -> None:
    profile = PROFILE.format(folder=folder).replace('call_screen = "strip"', 'call_keypad = "strip"')
    profile += """
        [[station]]
        kind = "counter"
        id = "c"
        counter = "1"
        call_screen = "missing"
        """
    (folder / "p.toml").write_text(profile)
    process = paihao("--config", str(folder / "p.toml"))
    _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    for part in ("station[0].call_keypad", "station[1].call_screen", "station 'c'", "station counter '1'"):
        assert f"  {part}: " in said, part


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("", "", "shared = true"),
        (", shared = true", "", "shared = true"),
        (", shared = true", ", shared = true, baud = 57600", "differ"),
    ],
)
def test_a_line_that_two_devices_use_must_be_shared_with_equal_settings(
    folder: Path, first: str, second: str, said: str
) -> None:
    profile = folder / "p.toml"

    def strips(*options: str) -> str:
        return PROFILE.format(folder=folder) + "".join(
            f'''
            [[device]]
            id = "strip-{n}"
            driver = "onbon_bx"
            options = {{ address = {n}, transport = {{ type = "serial", path = "/x"{more} }} }}
            '''
            for n, more in enumerate(options, 8)
        )

    profile.write_text(strips(first, second))
    with pytest.raises(TomlProblems, match=said):
        load_profile(profile)
    profile.write_text(strips(", shared = true", ", shared = true"))
    assert [device.id for device in load_profile(profile).devices] == ["strip", "strip-8", "strip-9"]


@pytest.mark.parametrize(
    ("first", "second", "right"),
    [
        ("address = 2", "address = 3", True),
        ("address = 2", "address = 2", False),
        ("address = 2, area = 0, area_width = 64", "address = 2, area = 1, area_x = 64", True),
        ("address = 2", "", False),
        ("", "", False),
    ],
)
def test_two_screens_of_one_line_have_addresses_of_their_own(
    folder: Path, first: str, second: str, right: bool
) -> None:
    """A screen without an address takes what is said to any."""
    profile = folder / "p.toml"
    where = 'transport = { type = "serial", path = "/x", shared = true }'
    profile.write_text(
        PROFILE.format(folder=folder)
        + "".join(
            f'[[device]]\nid = "{id}"\ndriver = "onbon_bx"\n'
            f"options = {{ {where}{options and ', '}{options} }}\n"
            for id, options in (("one", first), ("two", second))
        )
    )
    if right:
        load_profile(profile)
        return
    with pytest.raises(TomlProblems, match="each needs an address of its own"):
        load_profile(profile)


def test_a_socket_that_cannot_be_made_ends_the_agent_with_a_clear_line(folder: Path) -> None:
    profile = PROFILE.format(folder=folder).replace(f"{folder}/s.sock", "/proc/no/s.sock")
    (folder / "p.toml").write_text(profile)
    process = paihao("--config", str(folder / "p.toml"))
    _, log = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "cannot run" in log and "Traceback" not in log


@pytest.mark.parametrize("kind", ["kiosk", "counter", "board"])
def test_the_shipped_profiles_are_right(kind: str) -> None:
    process = paihao("--check", "--config", str(PROFILES / f"{kind}.toml"))
    assert process.communicate(timeout=20)[1] == "" and process.returncode == 0


def test_what_a_printer_names_is_checked_too(folder: Path) -> None:
    (folder / "own.toml").write_text('[[line]]\ntext = { zh-CN = "{servce}" }\nwidth = 9\n')
    profile = PROFILE.format(folder=folder).split("[[device]]")[0] + (
        '[[device]]\nid = "printer"\ndriver = "escpos"\n'
        '[device.options]\ntransport = { type = "tcp", host = "127.0.0.1", port = 1 }\n'
    )
    kiosk = '[[station]]\nkind = "kiosk"\nid = "k"\nprinter = "printer"\n'
    options = f'layout = "{folder}/own.toml"\nprofile = "NT-5890K"\ncolumns = 48\n'
    path = folder / "p.toml"
    path.write_text(profile + options + kiosk)
    process = paihao("--check", "--config", str(path))
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 2 and "4 个问题" in said
    assert all(part in said for part in ("device 'printer'", "line 2", "servce", "line 3", "columns = 48"))
    path.write_text(profile + options.replace("NT-5890K", "no-such") + kiosk)
    assert "no-such" in paihao("--check", "--config", str(path)).communicate(timeout=60)[1]
    path.write_text(profile + 'layout = "large"\ncolumns = 48\n' + kiosk)
    process = paihao("--check", "--config", str(path))
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0


def test_a_counter_node_loads_nothing_heavy(folder: Path) -> None:
    shutil.copy(PROFILES / "counter.toml", folder / "p.toml")
    script = (
        "import sys; from device.command import main; main(['--check', '--config', sys.argv[1]]);"
        "from device.profile import load_profile; from device.agent import Agent; import asyncio\n"
        "async def make(): Agent(load_profile(sys.argv[1]))\n"
        "asyncio.run(make()); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder / "p.toml")],
        cwd=ROOM, text=True, capture_output=True, check=True,
    )  # fmt: skip
    loaded = {module.partition(".")[0] for module in done.stdout.split()}
    assert not loaded & {
        "escpos", "PIL", "numpy", "pydantic", "typer", "rich", "fastapi", "sqlalchemy", "evdev", "pygame",
        "nicegui", "hall", "simulator", "importlib_metadata",
    }  # fmt: skip
    assert "device.stations.kiosk" not in done.stdout
