"""A screen's side of the agent's socket (`wire.screen_link`): a thread that reads.

The thread connects again for ever, and rings when something has come, so that the program can sleep.
"""

from __future__ import annotations

import logging
import queue
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from wire.codec import BadMessageError
from wire.screen_link import (
    MAX_LINE,
    LinkMessage,
    ScreenHello,
    ScreenRole,
    decode_to_screen,
    encode_line,
)

log = logging.getLogger(__name__)

Said: TypeAlias = LinkMessage | None
"""What the agent said; None: it is gone."""
KEPT: Final = 1024
"""Messages that wait for the program; beyond that the agent waits."""
RETRY_S: Final = 0.3
"""Between two attempts to reach the agent: its restart must not be seen for long."""
SEND_S: Final = 1.0
"""An agent that takes no line for so long is left."""


class Link:
    """`start`, then `next`; `send` from the program's thread. `close` ends the thread.

    `ring` is called from the thread whenever there is something for `next`.
    """

    def __init__(self, path: Path, station: str, role: ScreenRole, ring: Callable[[], None]) -> None:
        self._path = path
        self._ring = ring
        self._hello = encode_line(ScreenHello(station=station, role=role))
        self._socket: socket.socket | None = None
        self._sending = threading.Lock()
        self._ending = threading.Event()
        self._told: set[str] = set()
        """Of the few things that can be wrong with a line."""
        self._heard: queue.Queue[Said] = queue.Queue(KEPT)
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._drop()
        self._thread.join(2)

    def next(self) -> Said:
        """What was said and not yet heard. Raises queue.Empty when there is nothing."""
        return self._heard.get_nowait()

    def send(self, message: LinkMessage) -> bool:
        """False when no agent is there: nothing was said."""
        with self._sending:
            if self._socket is None:
                return False
            try:
                self._socket.sendall(encode_line(message))
            except OSError as error:
                log.debug("agent: %s", error)
                _shut(self._socket)  # half a line may be out: begin anew
                return False
            return True

    # ---------------------------------------------------------------- the thread

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._connect()
                self._read()
            except BadMessageError as error:
                self._not_understood(str(error))
            except OSError as error:
                log.debug("agent: %s", error)
            if self._drop():
                self._post(None)
            self._ending.wait(RETRY_S)

    def _not_understood(self, why: str) -> None:
        """Once: it comes again with every attempt."""
        if why not in self._told:
            self._told.add(why)
            log.warning("the agent is not understood, is it of another version? %s", why)

    def _connect(self) -> None:
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(str(self._path))
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(SEND_S))
            line.sendall(self._hello)
        except OSError:
            line.close()
            raise
        self._socket = line

    def _read(self) -> None:
        held = b""
        line = self._socket
        while line is not None and (data := line.recv(65536)):
            *whole, held = (held + data).split(b"\n")
            if len(held) > MAX_LINE:
                raise BadMessageError(f"a line longer than {MAX_LINE} bytes")
            for each in whole:
                self._post(decode_to_screen(each))

    def _post(self, said: Said) -> None:
        while not self._ending.is_set():
            try:
                self._heard.put(said, timeout=SEND_S)
                self._ring()
                return
            except queue.Full:
                pass  # the program is busy; it wants every change

    def _drop(self) -> bool:
        """Whether there was a connection."""
        with self._sending:
            line, self._socket = self._socket, None
        if line is None:
            return False
        _shut(line)
        line.close()
        return True


def _shut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the agent was first


def _timeval(seconds: float) -> bytes:
    return struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000))
