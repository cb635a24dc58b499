"""A screen's side of the socket: whatever becomes of the agent, the program hears it, in order."""

from __future__ import annotations

import logging
import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ui import link as module
from ui.link import Link
from wire.screen_link import (
    MAX_LINE,
    PanelDrawn,
    PanelShow,
    ScreenHello,
    decode_to_agent,
    encode_line,
)

SOON_S = 30.0


def show(number: int) -> PanelShow:
    return PanelShow(show=number, wordings=("A005 3号窗口",))


class Screen:
    """A link and what its program hears."""

    def __init__(self, path: Path) -> None:
        self._rung = threading.Semaphore(0)
        self.link = Link(path, "counter-1", "panel", self._rung.release)

    def hears(self) -> object:
        """The next that comes, with the ring that tells of it."""
        assert self._rung.acquire(timeout=SOON_S), "nothing came"
        return self.link.next()


class Agent:
    def __init__(self, path: Path) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self._listening.settimeout(SOON_S)

    def accept(self) -> socket.socket:
        """The next connection, which begins with the hello."""
        line, _ = self._listening.accept()
        line.settimeout(SOON_S)
        assert decode_to_agent(_line(line)) == ScreenHello(station="counter-1", role="panel")
        return line

    def close(self) -> None:
        self._listening.close()


def _line(line: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\n"):
        part = line.recv(1)
        assert part, "closed"
        said += part
    return said


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s") / "screens.sock"


@pytest.fixture
def screen(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    made = Screen(path)
    made.link.start()
    yield made
    made.link.close()
    assert "link" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture
def agent(path: Path) -> Iterator[Agent]:
    made = Agent(path)
    yield made
    made.close()


def test_messages_are_heard_in_order_however_the_bytes_come(agent: Agent, screen: Screen) -> None:
    line = agent.accept()
    said = b"".join(encode_line(show(number)) for number in range(3))
    for byte in said:
        line.sendall(bytes([byte]))
    assert [screen.hears() for _ in range(3)] == [show(number) for number in range(3)]
    with pytest.raises(queue.Empty):
        screen.link.next()


def test_an_agent_that_goes_is_told_once_and_its_successor_is_found(agent: Agent, screen: Screen) -> None:
    line = agent.accept()
    line.sendall(encode_line(show(1))[:-5])  # it dies within a line
    line.close()
    assert screen.hears() is None
    again = agent.accept()
    again.sendall(encode_line(show(2)))
    assert screen.hears() == show(2)
    assert screen.link.send(PanelDrawn(show=2))
    assert decode_to_agent(_line(again)) == PanelDrawn(show=2)


def test_without_an_agent_nothing_is_said(screen: Screen) -> None:
    assert not screen.link.send(PanelDrawn(show=1))


@pytest.mark.parametrize("wrong", [b'{"type":"of_tomorrow"}\n', b"\xff\n", b"x" * (MAX_LINE + 1)])
def test_an_agent_that_is_not_understood_is_left_and_logged_once(
    wrong: bytes, agent: Agent, screen: Screen, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            line = agent.accept()
            try:
                line.sendall(wrong)
            except ConnectionError:
                pass  # it has gone before the last byte
            assert screen.hears() is None
            line.close()
        assert len(caplog.records) == 1


def test_an_agent_that_takes_nothing_is_left(agent: Agent, screen: Screen) -> None:
    line = agent.accept()
    line.sendall(encode_line(show(1)))
    assert screen.hears() == show(1)
    while screen.link.send(PanelDrawn(show=1)):
        pass  # until the socket is full
    assert screen.hears() is None
    agent.accept().sendall(encode_line(show(2)))
    assert screen.hears() == show(2)
