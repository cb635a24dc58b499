"""Which handles tell of the window's events."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from ui.window import device_handles, open_handles, window_handles


def test_what_was_opened_since_is_the_window_s() -> None:
    """Also the first one, which has the number by which the list before was read."""
    before = open_handles()
    one, other = socket.socketpair()
    with one, other:
        assert window_handles(before) == {one.fileno(), other.fileno()}
        assert window_handles(open_handles()) == frozenset()


def test_a_number_that_is_used_again_is_another_handle(tmp_path: Path) -> None:
    file = os.open(tmp_path / "log", os.O_CREAT)
    before = open_handles()
    os.close(file)
    with socket.socket() as line:
        assert line.fileno() == file
        assert window_handles(before) == {line.fileno()}


def test_files_and_pipes_are_not_the_window_s(tmp_path: Path) -> None:
    before = open_handles()
    with (tmp_path / "log").open("w"), Path(os.devnull).open():
        assert not window_handles(before)
        assert not device_handles()
