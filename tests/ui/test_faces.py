"""Rare characters: another font, the same baseline, 〓 where there is none; pictures within their bytes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pygame
import pytest

from ui import faces, fonts
from ui.faces import Others
from ui.kept import Pictures

BUNDLED = Path(pygame.__file__).parent / "freesansbold.ttf"
"""A font that has Ӝ, which Noto Sans CJK lacks."""
NOWHERE = "\U0010fffd"
"""A character of private use: no font has it."""


@pytest.fixture
def other_font(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(faces, "SYSTEM", ())
    monkeypatch.setattr(fonts, "_others", None)
    fonts.use((str(BUNDLED),))
    monkeypatch.setattr(fonts, "_others", Others((BUNDLED,), ()))
    yield
    monkeypatch.undo()
    fonts.use(())


def inked(surface: pygame.Surface) -> pygame.Rect:
    return surface.get_bounding_rect(min_alpha=80)


def test_a_character_of_another_font_stands_on_the_same_line(other_font: None) -> None:
    assert not faces.has(faces.main(), "Ӝ")
    alone, mixed = fonts.line("H", 80, (0, 0, 0)), fonts.line("HӜH", 80, (0, 0, 0))
    assert mixed.get_height() == alone.get_height() == fonts.line_height(80)
    assert abs(inked(mixed).bottom - inked(alone).bottom) <= 1
    assert mixed.get_width() == fonts.line_size("HӜH", 80)[0]


def test_what_no_font_has_is_a_geta_and_told_once(other_font: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            shown = fonts.line(f"王{NOWHERE}", 40, (0, 0, 0))
    as_geta = fonts.line("王〓", 40, (0, 0, 0))
    assert pygame.image.tobytes(shown, "RGBA") == pygame.image.tobytes(as_geta, "RGBA")
    assert [record.getMessage() for record in caplog.records] == ["no font has U+10FFFD; 〓 stands for it"]


def test_a_folder_of_fonts_is_looked_into_and_what_is_no_font_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.ttf").write_bytes(b"no font")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.ttf").symlink_to(BUNDLED)
    others = Others((tmp_path, tmp_path / "missing"), ())
    found = others.font("Ӝ")
    assert found is not None and faces.has(found, "Ӝ")
    assert others.font(NOWHERE) is None


def test_pictures_are_kept_within_their_bytes() -> None:
    kept = Pictures(10_000)
    for n in range(50):
        kept.get(n, lambda: pygame.Surface((10, 10), pygame.SRCALPHA))
        assert kept.figures.bytes <= 10_000
    assert kept.figures.pictures == 25 and kept.figures.made == 50
    kept.get(49, lambda: pytest.fail("it is kept"))
    kept.get("large", lambda: pygame.Surface((100, 100), pygame.SRCALPHA))
    assert kept.figures.pictures == 25, "what is larger than all is not kept"


def test_a_small_screen_keeps_fewer_lines() -> None:
    """A panel's numbers, each called once, would fill the store of a large display for hours."""
    try:
        fonts.use((), 800 * 480)
        for n in range(600):
            fonts.line(f"A{n:03}", 80, (0, 0, 0))
        assert 0 < fonts.figures().bytes <= fonts.LINES_BYTES * 2 * 800 * 480 // fonts.FULL
        assert fonts.figures().pictures < 600
        kept = fonts.line("A599", 80, (0, 0, 0))
        assert fonts.line("A599", 80, (0, 0, 0)) is kept
    finally:
        fonts.use(())
