"""Draws a layout on a surface, and of the next one only what differs."""

from __future__ import annotations

from typing import Final

import pygame

from ui import art, fonts
from ui.layout import Fill, Item, Layout, Rect, Words

WHOLE: Final = 0.6
"""When more than this share of the screen differs, all of it is drawn."""
JOINED: Final = 24
"""More changed rectangles than this are joined to one."""


class Painter:
    """Keeps what it drew last."""

    def __init__(self, surface: pygame.Surface) -> None:
        self._surface = surface
        self._drawn: Layout | None = None

    def forget(self) -> None:
        """The window was uncovered: the next picture is drawn whole."""
        self._drawn = None

    def paint(self, layout: Layout) -> list[pygame.Rect]:
        """Draw it; what has changed on the surface, for `pygame.display.update`. Nothing: []."""
        before, self._drawn = self._drawn, layout
        whole = self._surface.get_rect()
        if before is None or before.ground != layout.ground:
            changed = [whole]
        else:
            changed = _joined(_changed(before.items, layout.items), whole)
        for rect in changed:
            self._draw(layout, rect)
        return changed

    def _draw(self, layout: Layout, rect: pygame.Rect) -> None:
        self._surface.set_clip(rect)
        self._surface.fill(layout.ground)
        for item in layout.items:
            if rect.colliderect(item.rect):
                draw(self._surface, item)
        self._surface.set_clip(None)


def draw(surface: pygame.Surface, item: Item) -> None:
    """One item, where it says."""
    if isinstance(item, Fill):
        if item.colour is not None:
            pygame.draw.rect(surface, item.colour, item.rect, border_radius=item.radius)
        if item.line is not None and item.line_width:
            pygame.draw.rect(surface, item.line, item.rect, item.line_width, border_radius=item.radius)
    elif isinstance(item, Words):
        _draw_words(surface, item)
    else:
        picture = art.picture(item)
        surface.blit(picture, item.rect[:2])


def _draw_words(surface: pygame.Surface, item: Words) -> None:
    left, top, wide, _ = item.rect
    step = fonts.line_height(item.size)
    for n, words in enumerate(item.lines):
        if not words:
            continue
        picture = fonts.line(words, item.size, item.colour, item.strong)
        free = wide - picture.get_width()
        x = left + {"left": 0, "center": free // 2, "right": free}[item.align]
        surface.blit(picture, (x, top + n * step))


def _changed(before: list[Item], now: list[Item]) -> list[Rect]:
    """Rectangles of what has gone and of what has come."""
    old, new = set(before), set(now)
    return [item.rect for item in old ^ new]


def _joined(rects: list[Rect], whole: pygame.Rect) -> list[pygame.Rect]:
    """The same area in few rectangles that do not overlap, or all of the screen."""
    joined: list[pygame.Rect] = []
    for one in sorted(rects, key=lambda rect: (rect[1], rect[0])):
        rect = pygame.Rect(one).clip(whole)
        while (hit := rect.collidelist(joined)) != -1:
            rect = rect.union(joined.pop(hit))
        joined.append(rect)
    if len(joined) > JOINED:
        joined = [joined[0].unionall(joined[1:])]
    if sum(rect.w * rect.h for rect in joined) > WHOLE * whole.w * whole.h:
        return [whole]
    return joined
