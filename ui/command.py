"""`paihao screen`: a screen program of this node."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Final

SOCKET: Final = Path("/run/paihao/screens.sock")
ENDING: Final = (signal.SIGTERM, signal.SIGINT)


def _size(words: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{2,5})[x×](\d{2,5})", words)
    if found is None:
        raise argparse.ArgumentTypeError("WIDTHxHEIGHT, such as 800x480")
    return int(found[1]), int(found[2])


def _end_on_signal() -> None:
    import pygame

    signal.sigwait(ENDING)
    pygame.event.post(pygame.event.Event(pygame.QUIT))


def main(arguments: list[str]) -> int:
    """Until the window is closed or SIGTERM; 1 when there is no display."""
    parser = argparse.ArgumentParser(prog="paihao screen", description="屏幕程序 · a screen program")
    parser.add_argument("screen", choices=("panel",), help="panel: 窗口上方显示屏 · over a counter")
    parser.add_argument("--station", required=True, help="the station's id in the node's profile")
    parser.add_argument("--socket", type=Path, default=SOCKET, help=f"the agent's (default {SOCKET})")
    parser.add_argument("--size", type=_size, help="a window of this size; else the whole display")
    parser.add_argument(
        "--turn",
        type=int,
        choices=(0, 90, 180, 270),
        default=0,
        help="degrees clockwise: a display on its side",
    )
    parser.add_argument("--language", choices=("zh-CN", "en"), default="zh-CN")
    options = parser.parse_args(arguments)

    import pygame

    from ui.link import Link
    from ui.panel import Panel
    from ui.turned import Turned
    from ui.window import open_window

    # SDL would put its own handlers there, which do not end the program.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        turned = Turned(open_window(f"排号 {options.station}", options.size), options.turn)
    except pygame.error as error:
        print(f"没有可用的显示屏 · no display: {error}", file=sys.stderr)
        return 1
    threading.Thread(target=_end_on_signal, name="signals", daemon=True).start()
    link = Link(options.socket, options.station, "panel")
    link.start()
    try:
        Panel(turned.surface, link, options.language, turned).run()
    finally:
        link.close()
        pygame.quit()
    return 0
