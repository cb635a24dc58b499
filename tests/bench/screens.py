"""Screens: a message or a touch → its picture on the display; idle CPU, memory, start-up.

**Picture**: the real loop, program and link at 1920×1080 in a window of Xvfb. A thread at the other end of
the socket writes a message, or lifts a finger by the X server; the time is taken when `pygame.display.update`
has returned (the X server has answered). Between any two of ours the *floor* takes its turn on the same
window: a bare loop that reads a line from a socket, blits one ready cell and updates its rectangle.

**Start, idle**: each program as `paihao screen …` on its own, with an agent that has said everything and is
silent; started some times, then left alone.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
from results import ROOT, Results, percentile

sys.path.insert(0, str(ROOT / "tests" / "ui"))

SIZE = (1920, 1080)
FRAME_MS = 16.7
IDLE_AIM = 0.5
MEMORY_AIM = 120.0
TOUCH = "a touch"
"""To the services of a group, and back."""
CHANGES = (
    ("board", "a call"),
    ("board", "one number waiting"),
    ("kiosk", "numbers waiting"),
    ("kiosk", TOUCH),
)
STARTS = 10


@contextmanager
def display(folder: Path) -> Iterator[Any]:
    """An X server of our own, which programs started from here use."""
    from x_server import XServer

    server = XServer(folder, SIZE)
    os.environ |= {"DISPLAY": server.name, "SDL_VIDEODRIVER": "x11"}
    try:
        yield server
    finally:
        server.close()


class Agent:
    """The other end of the socket: tells `messages` to whoever comes, then what it is asked to."""

    def __init__(self, path: Path, messages: list[Any]) -> None:
        from wire.screen_link import encode_line

        self._lines = b"".join(encode_line(message) for message in messages)
        self._encode = encode_line
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._line: socket.socket | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            line.sendall(self._lines)
            self._line = line

    def tell(self, message: Any) -> None:
        assert self._line is not None
        self._line.sendall(self._encode(message))

    def close(self) -> None:
        self._server.close()


def worlds() -> dict[str, list[Any]]:
    """What an agent says at first, per program: the same data as the pages of tests/ui."""
    import pages_board
    import pages_counter
    import pages_kiosk

    from wire.screen_link import BoardShown, CounterShown, PanelShow, RatingShown, TimeShown

    clock = TimeShown(at=pages_board.AT, trusted=True)
    return {
        "kiosk": [clock, pages_kiosk.GUIDES, pages_kiosk.STATE],
        "board": [clock, BoardShown(board=pages_board.FULL, stale=False)],
        "counter": [
            clock,
            CounterShown(counter=pages_counter.counter("serving", "A005"), prompt=None, stale=False),
        ],
        "rating": [clock, RatingShown()],
        "panel": [PanelShow(show=1, wordings=("请A005号到\n3号综合服务窗口",))],
    }


def changes(role: str, kind: str) -> Callable[[int], Any]:
    """The n-th message of a kind of change."""
    import pages_board
    import pages_kiosk

    from wire.screen_link import BoardShown

    full = pages_board.FULL
    if (role, kind) == ("board", "a call"):
        call = full.calls[0]
        fresh = [msgspec.structs.replace(call, number=f"A{n:03}", call=f"call-{n}") for n in range(1000)]
        return lambda n: BoardShown(
            board=msgspec.structs.replace(full, rev=n + 2, calls=(fresh[n], *full.calls[:-1])), stale=False
        )
    if (role, kind) == ("board", "one number waiting"):
        first = full.services[0]
        return lambda n: BoardShown(
            board=msgspec.structs.replace(
                full,
                rev=n + 2,
                services=(msgspec.structs.replace(first, waiting=n % 90), *full.services[1:]),
            ),
            stale=False,
        )
    state = pages_kiosk.STATE
    assert state.board is not None
    services = state.board.services
    return lambda n: msgspec.structs.replace(
        state,
        board=msgspec.structs.replace(
            state.board, services=tuple(msgspec.structs.replace(one, waiting=n % 90) for one in services)
        ),
    )


class Floor:
    """A line from a socket, one ready cell, its rectangle."""

    def __init__(self, surface: Any) -> None:
        import pygame

        from ui import fonts

        self._surface = surface
        self._near, self._far = socket.socketpair()
        self._cells = [fonts.line(f"A{n:03}", 60, (255, 255, 255)) for n in range(10)]
        self._place = pygame.Rect(40, 40, 300, 90)

    def once(self, n: int) -> float:
        """Seconds from the message to the picture."""
        import pygame

        begun = 0.0

        def write() -> None:
            nonlocal begun
            begun = time.perf_counter()
            self._far.sendall(b'{"type":"cell"}\n')

        writer = threading.Timer(0.002, write)
        writer.start()
        self._near.recv(4096)
        self._surface.fill((6, 24, 44), self._place)
        self._surface.blit(self._cells[n % 10], self._place)
        pygame.display.update(self._place)
        return time.perf_counter() - begun


def measure(role: str, kind: str, folder: Path, server: Any, n: int) -> tuple[list[float], list[float]]:
    """Ours and the floor's, in turn. Run in a process of its own, with `server`'s display."""
    from ui.command import SCREENS
    from ui.link import Link
    from ui.runner import Runner
    from ui.screen import Screen
    from ui.turned import Turned
    from ui.wake import Wake
    from ui.window import open_handles, open_window, window_handles

    before = open_handles()
    surface = open_window("bench", SIZE)
    handles = window_handles(before)
    path = folder / "bench.sock"
    agent = Agent(path, worlds()[role])
    wake = Wake()
    program = SCREENS[role][1]("zh-CN", None)
    link = Link(path, "bench", program.role, wake.ring)
    runner = Runner(program, Turned(surface, 0), link, wake, Screen.of(SIZE), handles=handles)
    drawn: list[float] = []
    told: list[Any] = []
    hear, touched = program.said, program.touched

    def said(message: Any, now: float) -> None:
        hear(message, now)
        told.append(message)

    def touch(action: str, now: float) -> bool:
        told.append(action)
        return touched(action, now)

    def shown(page: Any, now: float) -> None:
        if told:  # a picture of a beat in between is not the one that is waited for
            drawn.append(time.perf_counter())

    program.said, program.touched, program.shown = said, touch, shown  # type: ignore[method-assign]
    link.start()
    runner.draw()
    wake.watch(handles)
    turn(runner, 2)
    if role == "kiosk":
        touched("start", time.monotonic())
        runner.draw()
    floor = Floor(surface)
    if kind == TOUCH:
        cause = fingers(runner, server)
    else:
        message_of = changes(role, kind)

        def cause(k: int) -> Callable[[], None]:
            message = message_of(k)
            return lambda: agent.tell(message)

    ours, theirs = [], []
    for k in range(n + 20):
        begun = 0.0
        happen = cause(k)

        def begin(happen: Callable[[], None] = happen) -> None:
            nonlocal begun
            begun = time.perf_counter()
            happen()

        told.clear()
        drawn.clear()
        threading.Timer(0.002, begin).start()
        while not drawn:
            runner.step()
        if k >= 20:
            ours.append(drawn[0] - begun)
        cell = floor.once(k)
        if k >= 20:
            theirs.append(cell)
    link.close()
    agent.close()
    return ours, theirs


def turn(runner: Any, seconds: float) -> None:
    """Let the loop turn for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        runner.step()


def fingers(runner: Any, server: Any) -> Callable[[int], Callable[[], None]]:
    """The n-th touch: a finger lies on the target already, and is lifted."""
    from x_server import MOTION, PRESS, RELEASE

    def cause(n: int) -> Callable[[], None]:
        turn(runner, 0.35)  # a touch right after a new page means nothing
        wanted = "group:general" if n % 2 == 0 else "back"
        (rect,) = [target.rect for target in runner.layout.targets if target.action == wanted]
        server.finger(MOTION, 0, rect[0] + rect[2] // 2, rect[1] + rect[3] // 2)
        server.finger(PRESS, 1)
        turn(runner, 0.1)
        return lambda: server.finger(RELEASE, 1)

    return cause


async def run(results: Results, folder: Path, *, quick: bool) -> None:
    n = 60 if quick else 300
    for role, kind in CHANGES:
        # A touch takes two seconds: the loop sleeps on while the finger waits.
        ours, floor = await asyncio.to_thread(_apart, role, kind, n if kind != TOUCH else n // 5)
        results.compare(f"{role}, {kind} → picture", ours, floor)
        more = (statistics.median(ours) - statistics.median(floor)) * 1000
        results.add(
            f"{role}, {kind}: more than the floor", more, "ms", n=len(ours),
            aim=FRAME_MS, met=more <= FRAME_MS,
            p99=(percentile(ours, 0.99) - percentile(floor, 0.99)) * 1000,
        )  # fmt: skip
    with display(folder):
        for role, messages in worlds().items():
            await asyncio.to_thread(_starts, results, folder, role, messages, 2 if quick else STARTS)
            await asyncio.to_thread(_idle, results, folder, role, messages, 10.0 if quick else 60.0)


def _apart(role: str, kind: str, n: int) -> tuple[list[float], list[float]]:
    """`measure` in a fresh process: each begins with nothing kept."""
    made = subprocess.run(
        [sys.executable, __file__, role, kind, str(n)], capture_output=True, check=True, cwd=ROOT
    )
    ours, floor = msgspec.json.decode(made.stdout.splitlines()[-1])
    return ours, floor


@contextmanager
def _program(folder: Path, role: str, messages: list[Any]) -> Iterator[tuple[int, float]]:
    """`paihao screen` with its first picture: process, and seconds since it was started."""
    path = folder / f"{role}.sock"
    agent = Agent(path, messages)
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ready.bind(str(folder / f"{role}.ready"))
    ready.settimeout(30)
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "paihao", "screen", role, "--station", "s", "--socket", str(path),
         "--size", "1920x1080", "--pictures", str(folder)],
        cwd=ROOT, env=os.environ | {"NOTIFY_SOCKET": str(folder / f"{role}.ready")},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        ready.recv(64)
        yield process.pid, time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait(20)
        ready.close()
        agent.close()
        for file in (path, folder / f"{role}.ready"):
            file.unlink()


def _starts(results: Results, folder: Path, role: str, messages: list[Any], n: int) -> None:
    taken = []
    for _ in range(n):
        with _program(folder, role, messages) as (_, seconds):
            taken.append(seconds)
    results.add(
        f"{role}: start → first picture", statistics.median(taken) * 1000, "ms", n=n,
        least=min(taken) * 1000, most=max(taken) * 1000,
    )  # fmt: skip


def _idle(results: Results, folder: Path, role: str, messages: list[Any], seconds: float) -> None:
    with _program(folder, role, messages) as (pid, _):
        time.sleep(5)
        seen = psutil.Process(pid)
        before, switches = seen.cpu_times(), seen.num_ctx_switches().voluntary
        time.sleep(seconds)
        after = seen.cpu_times()
        used = (after.user + after.system - before.user - before.system) / seconds * 100
        woken = (seen.num_ctx_switches().voluntary - switches) / seconds
        results.add(
            f"{role}: idle CPU of a core", used, "%", aim=IDLE_AIM, met=used <= IDLE_AIM, seconds=seconds,
            wakes_a_second=woken,
        )  # fmt: skip
        memory = seen.memory_full_info()
        rss = memory.rss / 1e6
        results.add(
            f"{role}: memory (RSS)", rss, "MB", aim=MEMORY_AIM, met=rss <= MEMORY_AIM, pss=memory.pss / 1e6
        )


if __name__ == "__main__":
    import tempfile

    import pygame

    with tempfile.TemporaryDirectory(prefix="paihao-bench-") as made, display(Path(made)) as x:
        figures = measure(sys.argv[1], sys.argv[2], Path(made), x, int(sys.argv[3]))
        pygame.quit()  # the window goes before its X server
    print(msgspec.json.encode(figures).decode())
