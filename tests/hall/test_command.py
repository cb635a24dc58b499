"""`paihao hall` as a process: clear errors, ready, a clean end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hall import command
from simulator.broker import Broker

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "firmware_config" / "hall" / "hall.toml"


def test_a_wrong_configuration_is_listed_in_both_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hall.toml"
    file.write_text(SHIPPED.read_text("utf-8").replace('zone = "west"', 'zone = "moon"'), "utf-8")
    assert command.main(["--config", str(file)]) == 2
    said = capsys.readouterr().err
    assert "配置有误" in said and "The configuration is wrong" in said
    assert said.count("'moon'") == 8


def test_the_shipped_configuration_passes_the_check() -> None:
    assert command.main(["--config", str(SHIPPED), "--check"]) == 0


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path / "broker")
    await broker.start()
    yield broker
    await broker.stop()


def start(
    folder: Path, broker_port: int, *, storage: str, api_port: int = 0, page: str = 'url = ""'
) -> subprocess.Popen[str]:
    """`page`: what stands in [rating_page]."""
    text = SHIPPED.read_text("utf-8").replace("/var/lib/paihao/hall.db", storage)
    text = re.sub(r"(?ms)^\[rating_page\]\n.*?(?=^\[)", f"[rating_page]\n{page}\n\n", text)
    text = text.replace("port = 1883", f"port = {broker_port}").replace("port = 8600", f"port = {api_port}")
    (folder / "hall.toml").write_text(text, "utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "paihao", "hall", "--config", str(folder / "hall.toml")],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "300000"},
    )


@pytest.mark.broker
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ready_watchdog_and_a_clean_end(tmp_path: Path, broker: Broker, number: int) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        process = start(tmp_path, broker.port, storage=str(tmp_path / "data" / "hall.db"))
        assert listening.recv(100) == b"READY=1"
        assert listening.recv(100) == b"WATCHDOG=1"
        assert listening.recv(100) == b"WATCHDOG=1"
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0, said
        assert "Traceback" not in said
        rest = {listening.recv(100) for _ in range(1)}
    assert rest <= {b"STOPPING=1", b"WATCHDOG=1"}


@pytest.mark.broker
def test_a_hall_begins_its_day_without_the_page_for_texts(tmp_path: Path, broker: Broker) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening,
    ):
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        port = taken.getsockname()[1]
        page = f'url = "http://hall.example:{port}"\nhost = "127.0.0.1"\nport = {port}'
        process = start(tmp_path, broker.port, storage=str(tmp_path / "hall.db"), page=page)
        assert listening.recv(100) == b"READY=1"
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert f"rating page: 127.0.0.1:{port}" in said and "Traceback" not in said


@pytest.mark.broker
def test_what_cannot_work_is_said_and_ends_with_1(tmp_path: Path, broker: Broker) -> None:
    (tmp_path / "file").write_text("")
    process = start(tmp_path, broker.port, storage=str(tmp_path / "file" / "hall.db"))
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "日志库无法写入" in said and "The journal cannot be written" in said
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(tmp_path, broker.port, storage=str(tmp_path / "hall.db"), api_port=port)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 1 and str(port) in said
    assert "Traceback" not in said
