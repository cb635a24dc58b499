"""`paihao screen`: a screen program of this node, and what a technician asks of one."""

from __future__ import annotations

import argparse
import logging
import re
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ui import snapshot
from wire.texts import LANGUAGES, available

if TYPE_CHECKING:
    from ui.program import Program
    from ui.theme import Theme

SOCKET: Final = Path("/run/paihao/screens.sock")
ENDING: Final = (signal.SIGTERM, signal.SIGINT)
VOLUME: Final = 30


def main(arguments: list[str]) -> int:
    """A program: until the window is closed or SIGTERM; 1 when there is no display."""
    options = _parser().parse_args(arguments)
    if options.screen == "shot":
        return _shot(options.pictures)
    if options.screen == "theme":
        return 0 if _theme(options.file) is not None else 1
    return _show(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="paihao screen", description="屏幕程序 · a screen program")
    screens = parser.add_subparsers(dest="screen", required=True)
    for name, (words, _) in SCREENS.items():
        _options(screens.add_parser(name, help=words, description=words))
    shot = screens.add_parser("shot", help="截取本机各屏画面 · pictures of what this node's screens show")
    shot.add_argument("--pictures", type=Path, default=snapshot.FOLDER, metavar="FOLDER")
    theme = screens.add_parser("theme", help="检查主题文件 · check a theme file")
    theme.add_argument("file")
    return parser


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--station", required=True, help="the station's id in the node's profile")
    parser.add_argument("--socket", type=Path, default=SOCKET, help=f"the agent's (default {SOCKET})")
    parser.add_argument("--size", type=_size, help="a window of this size; else the whole display")
    parser.add_argument(
        "--inches", type=_number(2, 200), help="diagonal of the display; else reckoned from the pixels"
    )
    parser.add_argument(
        "--turn", type=int, choices=(0, 90, 180, 270), default=0,
        help="degrees clockwise: a display on its side",
    )  # fmt: skip
    parser.add_argument("--theme", help="day, contrast, board, panel, or a file; else the program's own")
    languages = " ".join(f"{code} ({name})" for code, name in available().items())
    parser.add_argument("--language", type=_language, default=LANGUAGES[0], help=languages)
    parser.add_argument(
        "--volume", type=_number(0, 100), default=VOLUME, help=f"of sounds, 0 to 100 (default {VOLUME})"
    )
    parser.add_argument(
        "--pictures", type=Path, default=snapshot.FOLDER, metavar="FOLDER",
        help=f"where SIGUSR1 writes a picture of the screen (default {snapshot.FOLDER})",
    )  # fmt: skip


def _size(words: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{2,5})[x×](\d{2,5})", words)
    if found is None:
        raise argparse.ArgumentTypeError("WIDTHxHEIGHT, such as 800x480")
    return int(found[1]), int(found[2])


def _number(least: float, most: float) -> Callable[[str], float]:
    def number(words: str) -> float:
        value = float(words)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{least} to {most}")
        return value

    return number


def _language(words: str) -> str:
    for code in words.split("+"):
        if code not in available():
            raise argparse.ArgumentTypeError(f"one of {', '.join(available())}, or two joined by +")
    return words


def _show(options: argparse.Namespace) -> int:
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    theme = _theme(options.theme) if options.theme else None
    if options.theme and theme is None:  # a hall cannot do without its screens because of their colours
        print("改用程序自带的外观 · the program's own look is shown", file=sys.stderr)
    program = SCREENS[options.screen][1](options.language, theme)
    if theme is not None:
        program.hall_name = theme.file.hall_name

    from ui.heap import large_blocks_apart

    large_blocks_apart()

    import pygame

    from ui.link import Link
    from ui.runner import Runner
    from ui.screen import Screen
    from ui.sounds import Sounds
    from ui.turned import Turned
    from ui.wake import Wake
    from ui.window import open_handles, open_window, window_handles

    # SDL would put its own handlers there, which do not end the program.
    signal.pthread_sigmask(signal.SIG_BLOCK, (*ENDING, signal.SIGUSR1))
    before = open_handles()
    try:
        display = Turned(open_window(f"排号 {options.station}", options.size), options.turn)
    except pygame.error as error:
        print(f"没有可用的显示屏 · no display: {error}", file=sys.stderr)
        return 1
    handles = window_handles(before)  # before the agent's socket, which is none of the window's, is opened
    wake = Wake()
    link = Link(options.socket, options.station, program.role, wake.ring)
    sounds = Sounds(options.volume if program.touched_by_people else 0)
    screen = Screen.of(display.surface.get_size(), options.inches)
    runner = Runner(
        program, display, link, wake, screen,
        theme=theme.name if theme is not None else None, sounds=sounds, handles=handles,
    )  # fmt: skip
    name = f"{options.screen}-{options.station}"

    def take(surface: pygame.Surface) -> None:
        snapshot.save(surface, options.pictures, name, datetime.now())

    def on_signals() -> None:
        while signal.sigwait((*ENDING, signal.SIGUSR1)) == signal.SIGUSR1:
            runner.snapshot(take)
        runner.end()

    threading.Thread(target=on_signals, name="signals", daemon=True).start()
    link.start()
    sounds.start()
    try:
        runner.run()
    finally:
        link.close()
        sounds.close()
        pygame.quit()
    return 0


def _theme(name: str) -> Theme | None:
    """The theme; None when it is not as it must be, which is printed."""
    from ui.theme import load_theme
    from wire.checked_toml import TomlProblems

    try:
        return load_theme(name)
    except (TomlProblems, OSError) as error:
        problems = error.problems if isinstance(error, TomlProblems) else [f"{name}: {error}"]
        for problem in problems:
            print(problem, file=sys.stderr)
        return None


def _shot(folder: Path) -> int:
    """Ask every screen of this node for a picture; prints the files."""
    from ui.shot import shoot

    made = shoot(folder)
    for file in made:
        print(file)
    if not made:
        print("没有屏幕程序在运行 · no screen program is running", file=sys.stderr)
    return 0 if made else 1


def _kiosk(language: str, theme: Theme | None) -> Program:
    from ui.kiosk.kiosk import Kiosk

    return Kiosk(language=_first(language), logo=theme.file.logo if theme is not None else None)


def _board(language: str, theme: Theme | None) -> Program:
    from ui.board.program import HallDisplay

    return HallDisplay(language)


def _counter(language: str, theme: Theme | None) -> Program:
    from ui.counter_panel import CounterPanel

    return CounterPanel(language)


def _rating(language: str, theme: Theme | None) -> Program:
    from ui.rating.program import RatingPanel

    return RatingPanel(_first(language))


def _panel(language: str, theme: Theme | None) -> Program:
    from ui.panel import Panel

    return Panel(_first(language))


def _first(languages: str) -> str:
    """Of two that are joined: what one reads and touches has one."""
    return languages.partition("+")[0]


SCREENS: Final[dict[str, tuple[str, Callable[[str, Theme | None], Program]]]] = {
    "kiosk": ("取号机 · the kiosk where numbers are taken", _kiosk),
    "board": ("综合屏 · the hall display", _board),
    "counter": ("窗口屏 · the panel over a counter", _counter),
    "rating": ("评价器 · the rating panel", _rating),
    "panel": ("窗口上方的纯文字屏 · plain text over a counter", _panel),
}
