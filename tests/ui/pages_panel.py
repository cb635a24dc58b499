"""Every page of the plain panel over a counter."""

from __future__ import annotations

from collections.abc import Callable

from ui.panel import Panel
from wire.screen_link import PanelShow

START = 1000.0
CALL = {
    "zh-CN": ("请A005号到\n3号综合服务窗口", "A005 3号窗口"),
    "en": ("Number A005 please to\ncounter 3, general services", "A005 counter 3"),
}
PAUSED = {"zh-CN": ("暂停服务\n请稍候", "暂停服务"), "en": ("Closed for a moment",)}


def panel(language: str, show: PanelShow | None) -> Panel:
    made = Panel(language)
    made.said(show, START)
    return made


PAGES: dict[str, Callable[[str], Panel]] = {
    "away": lambda language: panel(language, None),
    "call": lambda language: panel(language, PanelShow(show=1, wordings=CALL[language])),
    "call-flashing": lambda language: panel(language, PanelShow(show=1, wordings=CALL[language], flash=True)),
    "serving": lambda language: panel(language, PanelShow(show=2, wordings=("A005",), colour="green")),
    "paused": lambda language: panel(language, PanelShow(show=3, wordings=PAUSED[language], colour="yellow")),
}
CLOCKS = {"call-flashing": START + 0.6}
ABOUT = {
    "away": "The agent is away: no old call stands there.",
    "call": "A call, broken where its wording says.",
    "call-flashing": "The other half second of a flashing call.",
    "serving": "The number that is being served.",
    "paused": "A counter that is paused.",
}
WAYS: dict[str, list[str]] = {}
"""Nobody touches a panel."""
