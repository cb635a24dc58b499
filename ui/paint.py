"""Draws a layout on a surface, and of the next one only what differs."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

import pygame

from ui import art, fonts
from ui.items import Fill, Item, Layout, Rect, Words

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
            _draw_border(surface, item)
    elif isinstance(item, Words):
        _draw_words(surface, item)
    else:
        picture = art.picture(item)
        surface.blit(picture, picture.get_rect(center=pygame.Rect(item.rect).center))


def _draw_border(surface: pygame.Surface, item: Fill) -> None:
    assert item.line is not None
    if item.radius and 2 * item.line_width < min(item.rect[2:]):
        pygame.draw.rect(surface, item.line, item.rect, item.line_width, border_radius=item.radius)
        return
    # pygame draws a border without round corners at the edges of the clip, where none is.
    rect, wide = pygame.Rect(item.rect), item.line_width
    for side in (
        (rect.left, rect.top, rect.w, wide), (rect.left, rect.bottom - wide, rect.w, wide),
        (rect.left, rect.top, wide, rect.h), (rect.right - wide, rect.top, wide, rect.h),
    ):  # fmt: skip
        surface.fill(item.line, rect.clip(side))


def _draw_words(surface: pygame.Surface, item: Words) -> None:
    left, top, wide, _ = item.rect
    step = fonts.line_height(item.size)
    for n, words in enumerate(item.lines):
        if not words:
            continue
        picture = fonts.line(words, item.size, item.colour, item.strong)
        free = wide - picture.get_width()
        x = left + {"left": 0, "center": free // 2, "right": free}[item.align]
        # A text of a page with problems can be wider than its place, and must not leave traces beside it.
        surface.blit(picture, (max(left, x), top + n * step), (0, 0, wide, picture.get_height()))


def _changed(before: list[Item], now: list[Item]) -> list[Rect]:
    """Rectangles outside of which both have the same items in the same order."""
    start, most = 0, min(len(before), len(now))
    while start < most and before[start] == now[start]:
        start += 1
    end = 0
    while end < most - start and before[-1 - end] == now[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], now[start : len(now) - end]
    places: dict[Item, list[int]] = {}
    for n in range(len(old) - 1, -1, -1):
        places.setdefault(old[n], []).append(n)
    pairs = [(found.pop(), n) for n, item in enumerate(new) if (found := places.get(item))]
    kept = _rising(pairs)
    gone = set(range(len(old))) - {one for one, _ in kept}
    come = set(range(len(new))) - {other for _, other in kept}
    return [old[n].rect for n in gone] + [new[n].rect for n in come]


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs, in their order, whose first numbers rise."""
    ends: list[int] = []
    chain: list[int] = []
    before: list[int] = []
    for n, (value, _) in enumerate(pairs):
        place = bisect_left(ends, value)
        if place == len(ends):
            ends.append(value)
            chain.append(n)
        else:
            ends[place] = value
            chain[place] = n
        before.append(chain[place - 1] if place else -1)
    run = []
    at = chain[-1] if chain else -1
    while at >= 0:
        run.append(pairs[at])
        at = before[at]
    return run


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
