"""One press per press: contacts bounce and people tremble. Pure; the time is given."""

from __future__ import annotations


class Debounce:
    """Takes each sighting of a key and says whether it is a new press.

    A key counts again after `window_s` without a sighting of it: a burst of repeats, however long, is one
    press. Keys do not hide each other. Holds one time per key.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._seen: dict[str, float] = {}

    def is_press(self, key: str, now: float) -> bool:
        """`now`: seconds of a monotonic clock."""
        last = self._seen.get(key)
        self._seen[key] = now
        return last is None or now - last >= self._window_s
