"""What was drawn and may be wanted again, within so many bytes: what was used longest ago goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import pygame


@dataclass(frozen=True, slots=True)
class Figures:
    """How a store of pictures does."""

    pictures: int
    bytes: int
    found: int
    made: int


class Pictures:
    """Surfaces by key, at most `limit` bytes of pixels together; a larger one is made and not kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, pygame.Surface] = OrderedDict()
        self._bytes = 0
        self._found = 0
        self._made = 0

    def get(self, key: Hashable, make: Callable[[], pygame.Surface]) -> pygame.Surface:
        """The picture of `key`, made if it is not there."""
        kept = self._kept.get(key)
        if kept is not None:
            self._found += 1
            self._kept.move_to_end(key)
            return kept
        self._made += 1
        made = make()
        size = _bytes(made)
        if size <= self._limit:
            self._kept[key] = made
            self._bytes += size
            while self._bytes > self._limit:
                self._bytes -= _bytes(self._kept.popitem(last=False)[1])
        return made

    def clear(self, limit: int) -> None:
        """Begin anew with another limit."""
        self._kept.clear()
        self._limit, self._bytes = limit, 0

    @property
    def figures(self) -> Figures:
        return Figures(len(self._kept), self._bytes, self._found, self._made)


def _bytes(surface: pygame.Surface) -> int:
    return surface.get_pitch() * surface.get_height()
