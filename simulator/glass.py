"""A real screen program whose window stands in a web page: `python -m simulator.glass kiosk …`.

The program, its pages and its loop are those of `paihao screen`; only the display is a surface in memory.
Each picture that differs goes to the page's process with what can be touched on it, touches come back, over
one local socket::

    to the page:    length (4 bytes, big-endian) and JSON [[x, y, width, height, action, label], …] in pixels,
                    length and a PNG
    from the page:  lines "down x y", "move x y", "up x y" (0 … 1 of the width and height)
"""

from __future__ import annotations

import argparse
import io
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pygame

    from ui.runner import Runner
    from ui.wake import Wake

LEAST_S: Final = 0.08
"""Between two pictures: a page in a browser shows no more."""
LINE_LIMIT: Final = 200


def main(arguments: list[str]) -> int:
    """Until the page closes the socket."""
    parser = argparse.ArgumentParser(prog="simulator.glass")
    parser.add_argument("screen")
    parser.add_argument("--station", required=True)
    parser.add_argument("--socket", type=Path, required=True, help="the agent's")
    parser.add_argument("--glass", required=True, help="the page's")
    parser.add_argument("--size", required=True)
    parser.add_argument("--inches", type=float)
    parser.add_argument("--language", default="zh-CN")
    options = parser.parse_args(arguments)
    os.environ["SDL_VIDEODRIVER"] = os.environ["SDL_AUDIODRIVER"] = "dummy"

    from ui.command import SCREENS
    from ui.link import Link
    from ui.runner import Runner
    from ui.screen import Screen
    from ui.wake import Wake
    from ui.window import open_window

    wide, high = (int(part) for part in options.size.split("x"))
    page = socket.socket(socket.AF_UNIX)
    page.connect(options.glass)
    program = SCREENS[options.screen][1](options.language, None)
    wake = Wake()
    glass = Glass(open_window("", (wide, high)), page)
    link = Link(options.socket, options.station, program.role, wake.ring)
    runner = glass.runner = Runner(program, glass, link, wake, Screen.of((wide, high), options.inches))
    touching = (page, (wide, high), wake, runner.end)
    threading.Thread(target=_touches, args=touching, name="touches", daemon=True).start()
    threading.Thread(target=glass.send, name="pictures", daemon=True).start()
    link.start()
    try:
        runner.run()
    finally:
        link.close()
    return 0


class Glass:
    """A display of `ui.runner` that has no window: `send` hands its pictures to the page, in a thread."""

    def __init__(self, surface: pygame.Surface, page: socket.socket) -> None:
        self.surface = surface
        self.runner: Runner | None = None
        self._page = page
        self._changed = threading.Event()
        self._shown = (surface.copy(), b"[]")

    def update(self, changed: Sequence[pygame.Rect]) -> None:
        assert self.runner is not None
        found = [
            (*target.rect, target.action, target.label)
            for target in self.runner.layout.targets
            if not target.off
        ]
        self._shown = (self.surface.copy(), json.dumps(found).encode())
        self._changed.set()

    def event(self, event: pygame.event.Event) -> pygame.event.Event:
        return event

    def send(self) -> None:
        """Until the page has gone."""
        import pygame

        try:
            while self._changed.wait():
                self._changed.clear()
                picture, targets = self._shown
                file = io.BytesIO()
                pygame.image.save(picture, file, "glass.png")
                for part in (targets, file.getvalue()):
                    self._page.sendall(len(part).to_bytes(4, "big") + part)
                time.sleep(LEAST_S)
        except OSError:
            pass  # `_touches` ends the program


def _touches(page: socket.socket, size: tuple[int, int], wake: Wake, end: Callable[[], None]) -> None:
    """Lines of the page as events of the mouse."""
    import pygame

    kinds = {"down": pygame.MOUSEBUTTONDOWN, "move": pygame.MOUSEMOTION, "up": pygame.MOUSEBUTTONUP}
    with page.makefile("r", encoding="ascii") as lines:
        for line in iter(lambda: lines.readline(LINE_LIMIT), ""):
            what, x, y = line.split()
            place = (int(float(x) * size[0]), int(float(y) * size[1]))
            more = {"buttons": (1, 0, 0), "rel": (0, 0)} if what == "move" else {"button": 1}
            pygame.event.post(pygame.event.Event(kinds[what], pos=place, touch=False, **more))
            wake.ring()
    end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
