from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ui import watchdog as module
from ui.watchdog import Watchdog


class Systemd:
    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(str(path))

    def heard(self) -> list[str]:
        said: list[str] = []
        while True:
            try:
                said.append(self.socket.recv(100).decode())
            except BlockingIOError:
                return said


@pytest.fixture
def systemd(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    path = tmp_path_factory.mktemp("n") / "notify"
    made = Systemd(path)
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    yield made
    made.socket.close()


def test_the_first_picture_means_ready_and_the_loop_means_alive(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    watchdog = Watchdog()
    watchdog.alive()
    assert systemd.heard() == [], "a loop without a picture is not alive"
    watchdog.drawn()
    watchdog.drawn()
    watchdog.alive()
    watchdog.alive()
    assert systemd.heard() == ["READY=1", "WATCHDOG=1"]
    now += 10 / module.SHARE - 0.01
    watchdog.alive()
    assert systemd.heard() == []
    now += 0.02
    watchdog.alive()
    watchdog.ending()
    assert systemd.heard() == ["WATCHDOG=1", "STOPPING=1"]


@pytest.mark.parametrize(("name", "value"), [("WATCHDOG_USEC", "soon"), ("WATCHDOG_PID", "1")])
def test_another_process_is_watched(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    watchdog = Watchdog()
    assert watchdog.limit_s is None
    watchdog.drawn()
    watchdog.alive()
    assert systemd.heard() == ["READY=1"]


def test_without_systemd_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    watchdog = Watchdog()
    watchdog.drawn()
    watchdog.alive()


def test_a_systemd_that_does_not_listen_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    Watchdog().drawn()
    assert "systemd cannot be told" in caplog.text
