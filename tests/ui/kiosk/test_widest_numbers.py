"""The widest numbers that a hall can print stand whole on every page with a number, in every mode."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import msgspec
import pages_kiosk
import pytest
from screen_pages import SIZES

from ui.layout import lay_out
from ui.screen import Screen
from ui.theme import load_theme
from wire.screen_link import TicketProgress

WITH_NUMBER = [
    name
    for name in pages_kiosk.PAGES
    if name.startswith(("kiosk-ticket", "kiosk-paperless", "kiosk-checkin-done"))
]


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut(size: tuple[int, int]) -> None:
    looked_at = 0
    screen = Screen.of(size)
    for name, (elder, low) in product(WITH_NUMBER, product((False, True), repeat=2)):
        kiosk = pages_kiosk.PAGES[name]("zh-CN")
        kiosk.modes = replace(kiosk.modes, elder=elder, low_reach=low and not screen.small)
        progress = getattr(kiosk.top, "progress", None)
        if not isinstance(progress, TicketProgress) or progress.number is None:
            continue
        for number in ("W888", "WWW888888"):
            kiosk.top.progress = msgspec.structs.replace(progress, number=number)
            page = kiosk.page(screen, 1000.0)
            laid = lay_out(page, screen, load_theme(page.theme or kiosk.theme))
            assert laid.problems == [], (name, elder, low, number)
            looked_at += 1
    assert looked_at > 20
