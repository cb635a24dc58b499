"""Pictures of a screen in their folder: as many as are kept, each screen's its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pygame

from ui.snapshot import KEPT, save

AT = datetime(2026, 11, 23, 9, 41, 20)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_the_oldest_go_and_those_of_another_screen_stay(tmp_path: Path) -> None:
    surface = pygame.Surface((4, 4))
    other = save(surface, tmp_path, "board-hall-2", AT)
    for n in range(KEPT + 5):
        newest = save(surface, tmp_path, "board-hall", AT + timedelta(seconds=n))
    assert other is not None and other.exists() and newest is not None and newest.exists()
    assert len(names(tmp_path)) == KEPT + 1
    assert f"board-hall-{AT:%Y%m%dT%H%M%S.%f}.png" not in names(tmp_path)


def test_a_picture_that_is_asked_for_after_the_clock_went_back_is_there(tmp_path: Path) -> None:
    surface = pygame.Surface((4, 4))
    for n in range(KEPT):
        save(surface, tmp_path, "board-hall", AT + timedelta(seconds=n))
    asked = save(surface, tmp_path, "board-hall", AT - timedelta(days=300))
    assert asked is not None and asked.exists()
    assert len(names(tmp_path)) == KEPT
