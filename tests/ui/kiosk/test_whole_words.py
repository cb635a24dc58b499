"""English words stand whole: a line breaks between them, on every page and every screen."""

from __future__ import annotations

import re

import pytest
from screen_pages import SIZES, every_page

from ui.elements import Box, Element, Grid, Text
from ui.items import Words
from ui.layout import lay_out
from ui.screen import Screen
from ui.theme import load_theme

PAGES = [shown for shown in every_page() if shown.role == "kiosk"]
LETTERS = re.compile(r"[A-Za-z]+")


def letters(element: Element) -> set[str]:
    if isinstance(element, Text):
        return set(LETTERS.findall(element.words))
    if isinstance(element, Box | Grid):
        return {word for child in element.children for word in letters(child)}
    return set()


@pytest.mark.parametrize("size", SIZES)
def test_no_word_is_torn(size: tuple[int, int]) -> None:
    screen = Screen.of(size)
    for shown in PAGES:
        program = shown.make("en")
        page = program.page(screen, getattr(program, "clock", 1000.0))
        whole = letters(page.body)
        for item in lay_out(page, screen, load_theme(page.theme or program.theme)).items:
            if isinstance(item, Words):
                assert set(LETTERS.findall("\n".join(item.lines))) <= whole, (shown.name, item.lines)
