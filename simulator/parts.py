"""The programs of a hall as child processes, watched over the way systemd does it on real machines.

A `Part` is started with a notify socket (`sd_notify(3)`): READY=1 makes it ready, WATCHDOG=1 has to come
in time once it was ready. A part that ends or hangs is started again after a short delay. No part can
outlive this process: each asks the kernel to be killed when its parent dies, and has its own process
group so that Ctrl-C reaches only us and we stop the parts in order.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Literal

log = logging.getLogger(__name__)

PartState = Literal["stopped", "starting", "ready", "waiting"]
"""`waiting`: it ended by itself or was killed, and is started again after the delay."""

RESTART_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 5.0
STOP_TIMEOUT_S: Final = 8.0
WATCHDOG_S: Final = 15.0
LOG_LIMIT: Final = 16 << 20
"""Bytes of a part's log; a longer one is begun anew when the part starts."""

_PR_SET_PDEATHSIG: Final = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """To run in a child before exec: SIGKILL when `parent` (a process id) dies; at once if it has already."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Part:
    """One supervised program. `on_change` is called when `state`, `pid` or `starts` changed."""

    def __init__(
        self,
        name: str,
        command: list[str],
        folder: Path,
        *,
        sockets: Path | None = None,
        environment: dict[str, str] | None = None,
        restart_delay_s: float = RESTART_DELAY_S,
        longest_delay_s: float = LONGEST_DELAY_S,
        watchdog_s: float = WATCHDOG_S,
        probe: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """`folder` takes the log, `sockets` (or else `folder`) the notify socket: its path must be short.

        `probe`: for a program that knows no sd_notify; it is ready when this answers True.
        """
        self.name = name
        self.command = command
        self.log_path = folder / f"{name}.log"
        self.state: PartState = "stopped"
        self.starts = 0
        self.kills = 0
        self.last_exit: int | None = None
        self.on_change: Callable[[], None] | None = None
        self._socket_path = (sockets or folder) / f"{name}.notify"
        self._environment = environment or {}
        self._restart_delay_s = restart_delay_s
        self._longest_delay_s = longest_delay_s
        self._watchdog_s = watchdog_s
        self._probe = probe
        self._notifies = probe is None
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None
        self._fed_at = 0.0
        self._stopping = False
        self._changed = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start it and keep it running; nothing when it runs."""
        if self._task is not None:
            return
        self._stopping = False
        if self._notifies:
            self._open_socket()
        self._task = asyncio.create_task(self._keep_running(), name=f"part {self.name}")

    async def wait_ready(self, timeout: float = 30.0, *, starts: int = 1) -> None:
        """Returns when it is ready and was started at least `starts` times.

        Raises TimeoutError with the newest line of its log.
        """
        try:
            async with asyncio.timeout(timeout):
                while self.state != "ready" or self.starts < starts:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise TimeoutError(
                f"{self.name} is not ready after {timeout:.0f} s: {self.last_line()}"
            ) from error

    async def stop(self, timeout: float = STOP_TIMEOUT_S) -> None:
        """SIGTERM, then SIGKILL after `timeout` seconds; not started again. Safe at any time."""
        self._stopping = True
        task, self._task = self._task, None
        process = self._process
        if process is not None:
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)
            try:
                await asyncio.wait_for(asyncio.shield(process.wait()), timeout)
            except TimeoutError:
                log.warning("%s did not stop in %.0f s and is killed", self.name, timeout)
                self._signal(signal.SIGKILL)
                await process.wait()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._process = None
        self._close_socket()
        self._set("stopped")

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal, kill -9 by default; the part is started again when it ends from it."""
        if self._process is not None and self._process.returncode is None:
            self.kills += 1
            self._signal(number)

    async def restart(self) -> None:
        """Stop cleanly and start again."""
        await self.stop()
        await self.start()

    def last_line(self) -> str:
        """The newest line of its log, "" when there is none."""
        try:
            with self.log_path.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - 4096))
                lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
        except OSError:
            return ""
        return lines[-1] if lines else ""

    def _signal(self, number: int) -> None:
        try:
            if self._process is not None and self._process.returncode is None:
                self._process.send_signal(number)
        except ProcessLookupError:
            pass  # it ended just now

    def _set(self, state: PartState) -> None:
        self.state = state
        self._changed.set()
        if self.on_change is not None:
            self.on_change()

    async def _keep_running(self) -> None:
        loop = asyncio.get_running_loop()
        delay = self._restart_delay_s
        while not self._stopping:
            began = loop.time()
            try:
                await self._run_once()
            except OSError as error:
                # No process or log to be had just now: that is no reason to give the part up.
                log.warning("%s cannot be started: %s", self.name, error)
            if self._stopping:
                return
            # a part that ends at once again and again must not eat the machine
            delay = (
                min(delay * 2, self._longest_delay_s)
                if loop.time() - began < LONGEST_DELAY_S
                else self._restart_delay_s
            )
            self._set("waiting")
            await asyncio.sleep(delay)

    async def _run_once(self) -> None:
        loop = asyncio.get_running_loop()
        parent = os.getpid()
        environment = os.environ | self._environment
        environment.pop("WATCHDOG_PID", None)
        if self._notifies:
            environment |= {
                "NOTIFY_SOCKET": str(self._socket_path),
                "WATCHDOG_USEC": str(int(self._watchdog_s * 1e6)),
            }
        else:
            environment.pop("NOTIFY_SOCKET", None)
            environment.pop("WATCHDOG_USEC", None)
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_LIMIT:
            self.log_path.unlink()
        with self.log_path.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent),
            )
        self.starts += 1
        self._fed_at = loop.time()
        self._set("starting")
        watching = self._ask(self._probe) if self._probe is not None else self._watch()
        watch = asyncio.create_task(watching, name=f"watchdog {self.name}")
        try:
            self.last_exit = await self._process.wait()
        finally:
            watch.cancel()
        if not self._stopping:
            log.debug("%s ended with %s", self.name, self.last_exit)
            self._process = None

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            left = self._fed_at + self._watchdog_s - loop.time()
            if left <= 0 and self.state == "ready":
                log.warning("%s hangs: no sign of life for %.0f s, killed", self.name, self._watchdog_s)
                self._signal(signal.SIGKILL)
                return
            await asyncio.sleep(max(left, 0.5))

    async def _ask(self, probe: Callable[[], Awaitable[bool]]) -> None:
        while not await probe():  # noqa: ASYNC110  (another program: nothing to await)
            await asyncio.sleep(0.05)
        self._set("ready")

    def _open_socket(self) -> None:
        self._close_socket()
        self._socket_path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._socket.bind(str(self._socket_path))
        asyncio.get_running_loop().add_reader(self._socket, self._notified)

    def _close_socket(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
            self._socket_path.unlink(missing_ok=True)

    def _notified(self) -> None:
        if self._socket is None:
            return
        try:
            words = self._socket.recv(4096).split(b"\n")
        except OSError:
            return
        self._fed_at = asyncio.get_running_loop().time()
        if b"READY=1" in words and self.state == "starting":
            self._set("ready")
