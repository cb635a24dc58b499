"""The announcement queue: one at a time, urgent first, nothing late, nothing lost without a word."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from drivers.voice.protocol import Announcement
from drivers.voice.queue import AnnouncementQueue

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def call(number: str, priority: int = 0) -> Announcement:
    return Announcement("c", number, {}, LATER, priority=priority)


def spoken(queue: AnnouncementQueue, now: float = 0) -> list[str]:
    order = []
    while (first := queue.first()) is not None and queue.begin(first.key, now):
        order.append(first.announcement.number)
        queue.end()
    return order


def test_urgent_ones_first_then_in_order_of_arrival() -> None:
    queue = AnnouncementQueue()
    for number, priority in (("A1", 0), ("A2", 5), ("A3", 0), ("A4", 5)):
        queue.put(call(number, priority), 10, 0)
    assert spoken(queue) == ["A2", "A4", "A1", "A3"]


def test_a_newer_call_of_the_same_number_takes_the_older_ones_place() -> None:
    queue = AnnouncementQueue()
    first, _ = queue.put(call("A1"), 10, 0)
    queue.put(call("A2"), 10, 0)
    _, dropped = queue.put(call("A1"), 10, 0)
    assert [(key, result.outcome) for key, result in dropped] == [(first, "superseded")]
    assert spoken(queue) == ["A1", "A2"]


def test_one_that_has_begun_is_not_superseded() -> None:
    queue = AnnouncementQueue()
    first, _ = queue.put(call("A1"), 10, 0)
    assert queue.begin(first, 0)
    _, dropped = queue.put(call("A1"), 10, 0)
    assert not dropped
    assert queue.first() is None
    queue.end()
    assert spoken(queue) == ["A1"]


def test_nothing_begins_at_or_after_its_deadline() -> None:
    queue = AnnouncementQueue()
    key, _ = queue.put(call("A1"), 10, 0)
    assert not queue.begin(key, 10)
    assert queue.expire(9.9) == []
    assert [(gone, result.outcome) for gone, result in queue.expire(10)] == [(key, "expired")]
    late, dropped = queue.put(call("A2"), 10, 10)
    assert [(gone, result.outcome) for gone, result in dropped] == [(late, "expired")]


def test_a_late_call_does_not_supersede_one_in_time() -> None:
    queue = AnnouncementQueue()
    queue.put(call("A1"), 10, 0)
    queue.put(call("A1"), 1, 2)
    assert spoken(queue) == ["A1"]


def test_when_full_the_least_urgent_goes() -> None:
    queue = AnnouncementQueue(limit=2)
    queue.put(call("A1"), 10, 0)
    second, _ = queue.put(call("A2"), 10, 0)
    _, dropped = queue.put(call("A3", 1), 10, 0)
    assert [(key, result.outcome, result.code) for key, result in dropped] == [
        (second, "failed", "voice.queue_full")
    ]
    assert spoken(queue) == ["A3", "A1"]


class Queue(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.queue = AnnouncementQueue(limit=5)
        self.now = 0.0
        self.alive: dict[int, tuple[str, int, float]] = {}
        self.ended: list[int] = []

    def _drop(self, dropped: list[tuple[int, object]]) -> None:
        for key, _ in dropped:
            del self.alive[key]
            self.ended.append(key)

    @rule(number=st.sampled_from("ABCDEFGH"), priority=st.integers(0, 2), left=st.integers(-1, 8))
    def put(self, number: str, priority: int, left: int) -> None:
        key, dropped = self.queue.put(call(number, priority), self.now + left, self.now)
        self.alive[key] = (number, priority, self.now + left)
        self._drop(dropped)

    @rule(step=st.integers(0, 4))
    def wait(self, step: int) -> None:
        self.now += step

    @rule()
    def expire(self) -> None:
        self._drop(self.queue.expire(self.now))

    @rule()
    def begin_and_perhaps_overlap(self) -> None:
        busy = self.queue.speaking
        for key in list(self.alive):
            if self.queue.begin(key, self.now):
                assert busy is None
                _, priority, deadline = self.alive.pop(key)
                assert self.now < deadline
                assert all(other[1] <= priority for other in self.alive.values())
                self.ended.append(key)
                busy = key

    @rule()
    def end(self) -> None:
        self.queue.end()

    @invariant()
    def all_are_accounted_for(self) -> None:
        assert len(self.queue) == len(self.alive) <= 5
        assert len(set(self.ended)) == len(self.ended)
        numbers = [number for number, _, _ in self.alive.values()]
        assert len(set(numbers)) == len(numbers)


Queue.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnySequence = Queue.TestCase
