"""A driver of another package: installed with pip, found by its entry point, checked, supervised, shown."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAMPLE = Path(__file__).parent / "sample"

PROFILE = """
hall = "h"
node = "counter-1"
storage = "{folder}/agent.db"
[broker]
host = "127.0.0.1"
port = 1
[[device]]
id = "strip"
driver = "acme_led"
options = {{ {more} transport = {{ type = "serial", path = "{folder}/strip" }} }}
[[station]]
kind = "counter"
id = "c"
counter = "1"
call_screen = "strip"
"""

SHOW = """
import asyncio, sys
from device.profile import load_profile
from drivers.call_screen.protocol import ScreenText
from drivers.table import build

async def main():
    device = load_profile(sys.argv[1]).devices[0]
    screen = build(device.driver, device.config)
    await screen.open()
    serving = asyncio.create_task(screen.serve())
    print(device.driver.__module__, await screen.show(ScreenText("请A005到3号窗口")))
    serving.cancel()
    await screen.close()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the sample package is installed, beside Paihao and not in its folder."""
    place = tmp_path_factory.mktemp("site")
    copy = tmp_path_factory.mktemp("source")
    subprocess.run(["cp", "-r", f"{SAMPLE}/.", str(copy)], check=True)  # building writes beside its source
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--no-build-isolation", "--disable-pip-version-check", "--target", str(place), str(copy)],
        check=True, timeout=120,
    )  # fmt: skip
    return os.environ | {"PYTHONPATH": str(place)}


@pytest.fixture
def strip(installed: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    fake = subprocess.Popen(
        [sys.executable, "-m", "acme_led.fake", "--pty", str(tmp_path / "strip")],
        cwd=ROOT, env=installed, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert fake.stdout is not None
    assert "FakeAcmeLed on" in fake.stdout.readline()
    yield fake
    fake.terminate()
    fake.communicate(timeout=20)


def profile(folder: Path, more: str = "") -> str:
    path = folder / "node.toml"
    path.write_text(PROFILE.format(folder=folder, more=more))
    return str(path)


def check(config: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "paihao", "agent", "--check", "--config", config]
    return subprocess.run(words, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=60)


def test_its_options_are_checked_like_those_of_our_own(installed: dict[str, str], tmp_path: Path) -> None:
    assert check(profile(tmp_path), installed).returncode == 0
    wrong = check(profile(tmp_path, "address = 100, colour = 1,"), installed)
    assert wrong.returncode == 2
    assert "device[0].options.address" in wrong.stderr and "device[0].options.colour" in wrong.stderr


def test_without_the_package_its_name_is_unknown(tmp_path: Path) -> None:
    done = check(profile(tmp_path), dict(os.environ))
    assert done.returncode == 2 and "acme_led" in done.stderr


def test_it_shows_a_call_on_its_own_fake(
    installed: dict[str, str], strip: subprocess.Popen[str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW, profile(tmp_path)],
        cwd=ROOT, env=installed, text=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "acme_led.driver" in done.stdout and "outcome='done'" in done.stdout
    assert strip.stdout is not None
    lines = [strip.stdout.readline() for _ in range(2)]
    assert "shows 请A005到3号窗口\n" in lines
