"""The hall's name of a theme stands on a screen until the hall has told its own."""

from __future__ import annotations

from typing import Any, cast

from ui.command import SCREENS
from ui.items import Words
from ui.layout import lay_out
from ui.screen import Screen
from ui.theme import load_theme
from wire.samples import SAMPLES
from wire.screen_link import BoardShown


def words(program: Any) -> str:
    page = program.page(Screen.of((1920, 1080)), 1000.0)
    laid = lay_out(page, Screen.of((1920, 1080)), load_theme(page.theme or program.theme))
    return " ".join(line for item in laid.items if isinstance(item, Words) for line in item.lines)


def test_until_the_hall_has_told_its_name() -> None:
    for screen in ("kiosk", "board"):
        program = SCREENS[screen][1]("zh-CN", None)
        assert "清河大厅" not in words(program)
        program.hall_name = {"zh-CN": "清河大厅"}
        assert "清河大厅" in words(program)
    program.said(BoardShown(board=cast(Any, SAMPLES["board"]), stale=False), 1000.0)
    assert "清河大厅" not in words(program) and "新安区政务服务中心" in words(program)
