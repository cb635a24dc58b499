"""Which page of the playlist stands now: dates, weekdays and times of day, one page after the other.

Pure: no clock and no file is read here. Hall displays and the kiosk's attract page use the same.
"""

from __future__ import annotations

from datetime import datetime
from math import inf

from ui.hall_time import minute_of, spans, to_minute
from wire.screen_link import ShownPicture
from wire.shown import PlaylistItem


def has_times(item: PlaylistItem) -> bool:
    """Whether it is for some days or hours only."""
    return bool(item.first or item.last or item.weekdays or item.times)


def fits(item: PlaylistItem, at: datetime | None) -> bool:
    """Whether it is to be shown at that local time. `at` None, no clock to trust: if it is for always."""
    if at is None:
        return not has_times(item)
    day = at.date()
    if (item.first is not None and day < item.first) or (item.last is not None and day > item.last):
        return False
    if item.weekdays and at.isoweekday() not in item.weekdays:
        return False
    return not item.times or any(first <= minute_of(at) < last for first, last in spans(item.times))


def can_be_drawn(page: ShownPicture) -> bool:
    """Whether there is something on it: its text, or a picture that has come."""
    return page.file is not None or any(page.item.text.values())


class Playing:
    """Goes through a playlist. `step` at every change and at `due`; `page` is what stands now."""

    def __init__(self) -> None:
        self._pages: tuple[ShownPicture, ...] = ()
        self._place: int | None = None
        self._since = 0.0
        self._turning = False
        self._minute = inf

    @property
    def page(self) -> ShownPicture | None:
        """None: there is nothing for this time."""
        return self._pages[self._place] if self._place is not None else None

    def follow(self, pages: tuple[ShownPicture, ...], now: float, at: datetime | None) -> None:
        """Another playlist; a page that is also in the new one goes on."""
        standing = self.page.item if self.page is not None else None
        self._pages = pages
        self._place = next((n for n, page in enumerate(pages) if page.item == standing), None)
        self.step(now, at)

    def step(self, now: float, at: datetime | None) -> None:
        """Go on if the page's seconds have passed, or if this is not its time any more."""
        fitting = [n for n, page in enumerate(self._pages) if can_be_drawn(page) and fits(page.item, at)]
        self._turning = len(fitting) > 1
        timed = any(has_times(page.item) for page in self._pages)
        self._minute = now + to_minute(at) if timed and at is not None else inf
        if self._place in fitting and not (self._turning and now >= self._ends()):
            return
        before = self._place if self._place is not None else -1
        self._place = next((n for n in fitting if n > before), fitting[0] if fitting else None)
        self._since = now

    def due(self) -> float:
        """When `step` has something to do: a page ends, or the minute does and others may have their time."""
        return min(self._ends() if self._turning else inf, self._minute)

    def _ends(self) -> float:
        page = self.page
        return self._since + page.item.seconds if page is not None else inf
