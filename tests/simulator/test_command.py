"""What stops the demo is one clear line."""

import fcntl
import socket
from pathlib import Path

import pytest

from simulator.command import LOCK, main


def test_a_port_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--folder", str(tmp_path), "--port", str(port)]) == 1
    said = capsys.readouterr().err
    assert f"port {port} cannot be used" in said and said.count("\n") == 1


def test_a_port_that_is_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAIHAO_DEMO_PORT", "eighty")
    assert main(["--folder", str(tmp_path)]) == 1
    assert "PAIHAO_DEMO_PORT is no port number: 'eighty'" in capsys.readouterr().err


def test_a_folder_that_another_demo_uses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["--folder", str(tmp_path), "--port", "0"]) == 1
    assert "another demo runs in" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--folder", str(tmp_path / "file" / "demo"), "--port", "0"]) == 1
    said = capsys.readouterr().err
    assert "cannot be used" in said and said.count("\n") == 1
