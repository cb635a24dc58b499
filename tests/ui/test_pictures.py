"""The comparison of pictures finds what a person would call a change, and only that."""

from __future__ import annotations

import pygame
import pytest
from pictures import different, small
from PIL import Image, ImageChops
from screen_pages import SIZES

from ui.elements import Box, Grid, Page, Text, column
from ui.kiosk.parts import tile
from ui.layout import lay_out
from ui.paint import Painter
from ui.screen import Screen
from ui.theme import load_theme
from ui.widgets import KINDS


def picture(
    size: tuple[int, int], *, waiting: int = 12, word: str = "户口", kind: str = "plain"
) -> Image.Image:
    cells = [tile(f"{word}登记{n}", f"等候 {waiting if n == 3 else 7} 人", f"s{n}") for n in range(6)]
    fill, ink, line = KINDS[kind]
    notice = Box((Text("离线取号", colour=ink),), pad=2, fill=fill, line=line)
    body = column(Text("请选择", "title"), Grid(tuple(cells), 2, 2.0), notice, pad=3, gap=2)
    surface = pygame.Surface(size, 0, 32)
    Painter(surface).paint(lay_out(Page("p", body), Screen.of(size), load_theme("day")))
    return small(surface)


@pytest.mark.parametrize("size", SIZES)
def test_the_same_page_is_the_same(size: tuple[int, int]) -> None:
    assert not different(picture(size), picture(size))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("change", [{"waiting": 13}, {"waiting": 18}, {"word": "产口"}, {"kind": "warn"}])
def test_a_changed_digit_character_or_colour_is_found(
    size: tuple[int, int], change: dict[str, object]
) -> None:
    assert different(picture(size), picture(size, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", SIZES)
def test_shades_of_edges_are_forgiven(size: tuple[int, int]) -> None:
    """As another version of the renderer would draw them: every pixel a little lighter or darker."""
    one = picture(size)
    other = ImageChops.offset(one, 0, 0).point(lambda value: min(255, value + 9))
    assert not different(one, other)
