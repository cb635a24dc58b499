"""What people do with keys: press, hold, press twice, hold two to lock, and what worn contacts add to it.

A pure state machine; times are seconds of a monotonic clock and are given. A key goes through::

    up ──down──► down ──up──► up         contacts: after a change nothing counts for `settle_ms`, then
                                         what the contact says is taken

    a plain key is a press at once when it goes down
    with `long`     a press when it comes up before `long_ms`, else the long name while it is held
    with `double`   the double name at the second press, else a press `double_ms` after the first
    in `lock`       a press when it comes up or CHORD_S after; with the other key down too, no press

A key counts again `debounce_ms` after the last that was seen of it, so that a burst of repeats, however long,
is one press; keys do not hide each other. A key that is down for `stuck_s` is told. Whatever was down when
the line was opened is no press.
"""

from __future__ import annotations

from math import inf
from typing import Annotated, Final, Literal

import msgspec

CHORD_S: Final = 0.15
"""Two keys of `lock` that go down within this time belong together."""

REPEATS_S: Final = 0.5
"""A keypad that repeats a key while it is held does so more often than this."""

Names = Annotated[dict[str, str], msgspec.Meta(max_length=64)]


class GestureConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`long` and `double`: key → the name that it gives then. `lock`: two keys that lock and unlock the
    keypad when they are held together for `lock_ms`. Long presses end before a press is too old to count."""

    debounce_ms: Annotated[int, msgspec.Meta(ge=0, le=5000)] = 250
    settle_ms: Annotated[int, msgspec.Meta(ge=0, le=500)] = 25
    long: Names = {}
    long_ms: Annotated[int, msgspec.Meta(ge=200, le=1500)] = 800
    double: Names = {}
    double_ms: Annotated[int, msgspec.Meta(ge=100, le=1000)] = 350
    lock: tuple[str, str] | None = None
    lock_ms: Annotated[int, msgspec.Meta(ge=300, le=10_000)] = 2000
    stuck_s: Annotated[float, msgspec.Meta(ge=3, le=600)] = 30.0

    def problems(self, keys: frozenset[str], *, releases: bool = True) -> list[str]:
        """What does not fit a keypad with these keys, one sentence each. `releases`: it tells when a key
        comes up."""
        found = []
        used = {*self.long, *self.double, *(self.lock or ())}
        if unknown := sorted(used - keys):
            found.append(f"没有这些键 · no such keys: {', '.join(unknown)}")
        if self.lock is not None and self.lock[0] == self.lock[1]:
            found.append("lock: 需要两个不同的键 · needs two different keys")
        if both := sorted(set(self.double) & set(self.lock or ())):
            found.append(f"lock: 不能兼作双击键 · cannot be double keys, too: {', '.join(both)}")
        if not releases and (self.long or self.lock):
            found.append("long, lock: 此按键器不报告松键 · this keypad does not tell when a key comes up")
        return found


class Gesture(msgspec.Struct, frozen=True):
    """`press`: key is the name to act on, `at` when it began. `refused`: a key of a locked keypad.
    `locked`, `unlocked`: by its keys. `stuck`, `freed`: a contact."""

    kind: Literal["press", "refused", "locked", "unlocked", "stuck", "freed"]
    key: str
    at: float


class _Key(msgspec.Struct):
    raw: bool = False
    """What the contact says."""
    down: bool = False
    """What is taken for true."""
    settled_at: float = -inf
    """Until then changes do not count."""
    seen_at: float = -inf
    """Of any sign of the key."""
    began: float = 0.0
    """Of the press that is not decided yet."""
    waits: Literal["", "long", "second", "chord", "lock"] = ""
    until: float = inf
    stuck_at: float = inf
    stuck: bool = False
    run_at: float = inf
    """Without releases: when the repeats of the key began."""
    free_at: float = inf
    """Without releases: when a stuck key that is not seen again counts as free."""


class Gestures:
    """The keys of one keypad. Every method returns what came of it, in order."""

    def __init__(self, config: GestureConfig, *, locked: bool = False) -> None:
        self.locked = locked
        self._config = config
        self._settle = config.settle_ms / 1000
        self._again = config.debounce_ms / 1000
        self._keys: dict[str, _Key] = {}

    @property
    def deadline(self) -> float:
        """When `tick` has something to do; inf: not before the next key."""
        return min((_due(key) for key in self._keys.values()), default=inf)

    @property
    def stuck(self) -> list[str]:
        """Keys that are held down for too long."""
        return sorted(name for name, key in self._keys.items() if key.stuck)

    def down(self, name: str, now: float) -> list[Gesture]:
        """A contact closed."""
        return self._contact(name, True, now)

    def up(self, name: str, now: float) -> list[Gesture]:
        """A contact opened."""
        return self._contact(name, False, now)

    def tap(self, name: str, now: float) -> list[Gesture]:
        """A keypad that tells no releases said a key."""
        found = self.tick(now)
        key = self._keys.setdefault(name, _Key())
        if now - key.seen_at >= max(self._again, REPEATS_S):
            key.run_at = now
        elif now - key.run_at >= self._config.stuck_s and not key.stuck:
            key.stuck = True
            found.append(Gesture("stuck", name, now))
        if key.stuck:
            key.free_at = now + max(self._again, REPEATS_S)
        if name not in self._config.double or now >= key.settled_at:
            key.settled_at = now + self._settle
            self._pressed(name, key, now, found)
            self._released(name, key, now, found)
        key.seen_at = now
        return found

    def repeated(self, name: str, now: float) -> None:
        """A keypad that tells no releases says a key that was down before: no press; it may be stuck."""
        key = self._keys.setdefault(name, _Key())
        if now - key.seen_at >= max(self._again, REPEATS_S):
            key.run_at = now
        key.seen_at = now

    def tick(self, now: float) -> list[Gesture]:
        """Time passed."""
        found: list[Gesture] = []
        while True:
            name, key = min(self._keys.items(), key=lambda item: _due(item[1]), default=("", None))
            if key is None or (due := _due(key)) > now or due == inf:
                return found
            if key.raw != key.down and key.settled_at <= due:
                self._change(name, key, key.raw, key.settled_at, found)
            elif key.until <= due:
                self._run_out(name, key, found)
            elif key.free_at <= due:
                key.stuck, key.free_at = False, inf
                found.append(Gesture("freed", name, due))
            else:
                key.stuck, key.stuck_at = True, inf
                found.append(Gesture("stuck", name, due))

    def held(self, names: set[str], now: float) -> None:
        """These were down when the line was opened: no presses, but they may be stuck."""
        for name in names:
            self._keys[name] = _Key(True, True, now, now, stuck_at=now + self._config.stuck_s)

    def clear(self) -> list[Gesture]:
        """The line was lost: no key is down, nothing is half pressed."""
        freed = [Gesture("freed", name, key.seen_at) for name, key in self._keys.items() if key.stuck]
        for key in self._keys.values():
            key.raw = key.down = key.stuck = False
            key.waits, key.until, key.stuck_at, key.free_at = "", inf, inf, inf
        return freed

    # ------------------------------------------------------------ inside

    def _contact(self, name: str, down: bool, now: float) -> list[Gesture]:
        found = self.tick(now)
        key = self._keys.setdefault(name, _Key())
        if down and key.raw and key.down and now - key.seen_at >= max(self._again, REPEATS_S):
            self._change(name, key, False, key.seen_at, found)  # its release was lost on the line
        key.raw = down
        if key.down != down and now >= key.settled_at:
            self._change(name, key, down, now, found)
        key.seen_at = now
        return found

    def _change(self, name: str, key: _Key, down: bool, now: float, found: list[Gesture]) -> None:
        key.down = down
        key.settled_at = now + self._settle
        if down:
            key.stuck_at = now + self._config.stuck_s
            self._pressed(name, key, now, found)
        else:
            key.stuck_at = inf
            if key.stuck:
                key.stuck = False
                found.append(Gesture("freed", name, now))
            self._released(name, key, now, found)
        key.seen_at = now

    def _pressed(self, name: str, key: _Key, now: float, found: list[Gesture]) -> None:
        if key.waits == "second":
            key.waits, key.until = "", inf
            self._give(self._config.double[name], key.began, found)
            return
        if now - key.seen_at < self._again:
            return
        key.began = now
        lock = self._config.lock
        if lock is not None and name in lock:
            other = self._keys.get(lock[1] if name == lock[0] else lock[0])
            if other is not None and other.down and other.waits == "chord":
                for one in (key, other):
                    one.waits, one.until = "lock", inf
                key.until = now + self._config.lock_ms / 1000
            else:
                key.waits, key.until = "chord", now + CHORD_S
        elif name in self._config.long:
            key.waits, key.until = "long", now + self._config.long_ms / 1000
        elif name in self._config.double:
            key.waits, key.until = "second", now + self._config.double_ms / 1000
        else:
            self._give(name, now, found)

    def _released(self, name: str, key: _Key, now: float, found: list[Gesture]) -> None:
        waits = key.waits
        if waits == "second" or not waits:
            return
        key.waits, key.until = "", inf
        if waits == "lock":
            for other in self._config.lock or ():
                if (one := self._keys.get(other)) is not None and one.waits == "lock":
                    one.waits, one.until = "", inf
        elif name in self._config.double and now < key.began + self._config.double_ms / 1000:
            key.waits, key.until = "second", key.began + self._config.double_ms / 1000
        else:
            self._give(name, key.began, found)

    def _run_out(self, name: str, key: _Key, found: list[Gesture]) -> None:
        waits, at = key.waits, key.until
        key.waits, key.until = "", inf
        match waits:
            case "chord" if name in self._config.long and key.down:
                key.waits, key.until = "long", key.began + self._config.long_ms / 1000
            case "long":
                self._give(self._config.long[name], key.began, found)
            case "lock":
                for other in self._config.lock or ():
                    self._keys[other].waits, self._keys[other].until = "", inf
                self.locked = not self.locked
                found.append(Gesture("locked" if self.locked else "unlocked", name, at))
            case _:
                self._give(name, key.began, found)

    def _give(self, name: str, at: float, found: list[Gesture]) -> None:
        found.append(Gesture("refused" if self.locked else "press", name, at))


def _due(key: _Key) -> float:
    """When something happens to the key by itself."""
    settled = key.settled_at if key.raw != key.down else inf
    return min(settled, key.until, key.stuck_at, key.free_at)
