"""A picture with nothing on it is found, and memory that grows."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import pygame
from screen_day import growth
from screen_probe import what_is_wrong

from ui.elements import Page, Text, column
from ui.items import Layout
from ui.layout import lay_out
from ui.paint import Painter
from ui.screen import Screen
from ui.theme import load_theme

SIZE = (800, 480)


def drawn(*words: Text) -> tuple[Layout, pygame.Surface]:
    pygame.display.init()
    surface = pygame.Surface(SIZE)
    layout = lay_out(Page("test", column(*words)), Screen.of(SIZE), load_theme("day"))
    Painter(surface).paint(layout)
    return layout, surface


def test_a_page_with_words_is_not_blank() -> None:
    assert what_is_wrong(*drawn(Text("请触摸屏幕取号")), pixels=True) == ""


def test_a_page_without_words_is_blank() -> None:
    assert what_is_wrong(*drawn(), pixels=False) == "no words"
    assert what_is_wrong(*drawn(Text("")), pixels=False) == "no words"


def test_words_that_were_not_drawn_are_missed() -> None:
    layout, surface = drawn(Text("请触摸屏幕取号"))
    surface.fill(layout.ground)
    assert "not to be seen" in what_is_wrong(layout, surface, pixels=True)


def test_words_in_the_colour_of_the_ground_are_missed() -> None:
    assert "not to be seen" in what_is_wrong(*drawn(Text("请触摸屏幕取号", colour="ground")), pixels=True)


@pytest.mark.parametrize(
    ("samples", "grown"),
    [
        ([50.0] * 20 + [60.0] * 80, 0.0),
        ([60.0 + n * 0.1 for n in range(100)], 7.0),
    ],
)
def test_growth_is_counted_after_the_caches_have_filled(samples: list[float], grown: float) -> None:
    assert growth(samples) == pytest.approx(grown, abs=0.2)
