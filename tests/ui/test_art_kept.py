"""Pictures that are kept: each kind in its own store, so that what is shown once pushes nothing out."""

from __future__ import annotations

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

from pathlib import Path

import pygame

from ui import art
from ui.elements import ABOUT
from ui.items import Drawing
from ui.paint import draw

COLOUR = (200, 30, 30)


def test_many_codes_leave_the_other_pictures_where_they_are() -> None:
    icon = Drawing((0, 0, 100, 100), "card", (0, 0, 0), ())
    kept = art.picture(icon)
    before = art._icons.figures.bytes
    for n in range(40):
        art.picture(Drawing((0, 0, 400, 400), "qr", (0, 0, 0), (f"https://hall.example/t/{n}",)))
    assert art.picture(icon) is kept
    assert art._icons.figures.bytes == before
    assert 0 < art._codes.figures.bytes <= art.CODES_BYTES


def _poster(tmp_path: Path, size: tuple[int, int]) -> str:
    surface = pygame.Surface(size)
    surface.fill(COLOUR)
    file = str(tmp_path / "poster.png")
    pygame.image.save(surface, file)
    pygame.display.set_mode((64, 64))  # a picture takes the display's format
    return file


def test_a_place_that_is_a_pixel_wider_shows_the_same_picture(tmp_path: Path) -> None:
    file = _poster(tmp_path, (1280, 720))
    first = art.picture(Drawing((0, 0, 681, 652), "file", (0, 0, 0), (file, ABOUT)))
    made = art._files.figures.made
    assert all(
        art.picture(Drawing((0, 0, wide, 653), "file", (0, 0, 0), (file, ABOUT))) is first
        for wide in (681, 682, 683, 684)
    )
    assert art._files.figures.made == made


def test_a_picture_stands_whole_in_the_middle_of_its_place(tmp_path: Path) -> None:
    """In places of any size, and nearly as large as they are."""
    file = _poster(tmp_path, (300, 400))
    for wide, high in ((683, 653), (200, 719), (37, 53), (5, 3)):
        surface = pygame.Surface((wide + 40, high + 40))
        draw(surface, Drawing((20, 20, wide, high), "file", (0, 0, 0), (file, ABOUT)))
        seen = pygame.mask.from_threshold(surface, COLOUR, (40, 40, 40)).get_bounding_rects()
        assert len(seen) == 1
        place = pygame.Rect(20, 20, wide, high)
        assert place.contains(seen[0])
        assert abs(seen[0].centerx - place.centerx) <= 1 and abs(seen[0].centery - place.centery) <= 1
        scale = min(wide / 300, high / 400)
        assert seen[0].h >= 400 * scale * 63 / 64 - 2


def test_a_file_that_has_gone_draws_nothing(tmp_path: Path) -> None:
    surface = pygame.Surface((100, 100))
    draw(surface, Drawing((0, 0, 100, 100), "file", (0, 0, 0), (str(tmp_path / "none.png"),)))
    assert pygame.mask.from_threshold(surface, (0, 0, 0), (1, 1, 1)).count() == 100 * 100


def test_a_picture_that_was_gone_for_a_while_is_shown_again(tmp_path: Path) -> None:
    item = Drawing((0, 0, 30, 30), "file", (0, 0, 0), (str(tmp_path / "poster.png"),))
    assert art.picture(item).get_size() == (1, 1)
    (tmp_path / "poster.png").write_bytes(b"no picture")
    assert art.picture(item).get_size() == (1, 1)
    _poster(tmp_path, (300, 300))
    assert art.picture(item).get_size() == (30, 30)
