from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, get_args

import pytest

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import pygame

from ui.turned import Turn, Turned

WIDE, HIGH = 60, 40
RED = (255, 0, 0)


@pytest.fixture
def window() -> Iterator[pygame.Surface]:
    pygame.display.init()
    yield pygame.display.set_mode((WIDE, HIGH))
    pygame.display.quit()


def where(surface: pygame.Surface, colour: tuple[int, int, int]) -> pygame.Rect:
    """The rectangle that has this colour."""
    mask = pygame.mask.from_threshold(surface, colour, (1, 1, 1, 255))
    (rect,) = mask.get_bounding_rects()
    assert mask.count() == rect.w * rect.h
    return rect


@pytest.mark.parametrize(
    ("turn", "corner"), [(0, (0, 0)), (90, (WIDE - 3, 0)), (180, (WIDE - 5, HIGH - 3)), (270, (0, HIGH - 5))]
)
def test_the_top_left_of_the_picture_is_where_the_display_has_its_own(
    window: pygame.Surface, turn: Turn, corner: tuple[int, int]
) -> None:
    turned = Turned(window, turn)
    assert turned.surface.get_size() == ((WIDE, HIGH) if turn in (0, 180) else (HIGH, WIDE))
    part = pygame.Rect(0, 0, 5, 3)
    turned.surface.fill(RED, part)
    turned.update([part])
    found = where(window, RED)
    assert found.topleft == corner
    assert found.size == ((5, 3) if turn in (0, 180) else (3, 5))


@pytest.mark.parametrize("turn", get_args(Turn))
def test_only_what_changed_is_handed_over(
    window: pygame.Surface, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    updated: list[pygame.Rect] = []
    turned = Turned(window, turn)
    monkeypatch.setattr(pygame.display, "update", updated.extend)
    part = pygame.Rect(7, 9, 11, 4)
    turned.surface.fill(RED, part)
    turned.update([part])
    assert updated == [where(window, RED)]


@pytest.mark.parametrize("turn", get_args(Turn))
def test_a_touch_on_the_glass_is_the_touch_on_the_picture(window: pygame.Surface, turn: Turn) -> None:
    turned = Turned(window, turn)
    part = pygame.Rect(7, 9, 1, 1)
    turned.surface.fill(RED, part)
    turned.update([part])
    glass = where(window, RED)
    finger: dict[str, Any] = {"x": (glass.x + 0.5) / WIDE, "y": (glass.y + 0.5) / HIGH, "finger_id": 4}
    touch = turned.event(pygame.event.Event(pygame.FINGERDOWN, finger))
    wide, high = turned.surface.get_size()
    assert (int(touch.x * wide), int(touch.y * high), touch.finger_id) == (7, 9, 4)
    click = turned.event(pygame.event.Event(pygame.MOUSEBUTTONDOWN, {"pos": glass.topleft, "button": 1}))
    assert (click.pos, click.button) == ((7, 9), 1)


def test_other_events_stay_what_they_are(window: pygame.Surface) -> None:
    key = pygame.event.Event(pygame.KEYDOWN, {"key": pygame.K_UP})
    assert Turned(window, 90).event(key) is key
