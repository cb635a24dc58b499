"""How long somebody may have to wait, as a range of minutes.

Two steps, both without a clock:

1. *How long a ticket takes a counter*, per service: the mean over the newest KEPT tickets of this date,
   whatever became of them (a no-show takes time as well), together with PRIOR tickets of the length that was
   usual on the dates before, or of `limits.typical_serve_s`. One that lay at a counter over noon counts at
   most LONGEST times the usual.
2. *How much stands before a ticket.* Every waiting ticket of another service is shared equally among the open
   counters of its service; one transferred to a counter is that counter's; whoever is at a counter is half
   done. On top of that the tickets of its own service are shared so that their last ones begin at the same
   time. That time is the wait.

The range is SPREAD standard deviations around it, with service times as irregular as their mean is long. Both
ends only grow with the wait, and by the way of sharing one more ticket never shortens a wait and one more
counter never lengthens it.

Rules that let priority classes go first: what somebody who comes now is told is for people without a class,
and counts those who are here. For a ticket that waits already the range reaches from "the classes always go
first" to "everybody in turn": where a rule has a ratio or a condition, the truth lies between.

Fair sharing is an approximation: a counter that is loaded by another service takes less than its equal share.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from math import ceil, floor, sqrt
from typing import Final

from hall.queue.policy import NORMAL
from hall.queue.state import Entry, QueueKey, State, Ticket

KEPT: Final = 20
"""Tickets of a service whose time at the counter is remembered."""
PRIOR: Final = 5
"""What is usual counts like this many tickets of today."""
LONGEST: Final = 4
"""A ticket counts as at most this many times the usual length."""
SPREAD: Final = 0.8
"""Standard deviations on either side. In simulated halls of 1 to 12 counters, a hundred mornings each, 82 to
99 of 100 people are then called within the range and 1 to 15 later: fewest where every counter serves every
service, most where 4 counters share 12 services (the tests do six mornings)."""
SHORTEST: Final = 3
"""Minutes: less is never given as the end of the range, a clerk has to reach for the key as well."""

Range = tuple[int, int]
Ahead = Callable[[QueueKey, list[Entry]], int]


def serve_s(state: State, service: str) -> float:
    """How long a ticket of `service` takes a counter, seconds."""
    served = state.served.get(service, ())
    return (PRIOR * _usual(state, service) + sum(served)) / (PRIOR + len(served))


def _usual(state: State, service: str) -> float:
    return state.typical.get(service) or state.policy.limits.typical_serve_s


def typical(state: State) -> dict[str, int]:
    """What the next business date takes over, for services that were served on this one or before."""
    return {
        service: max(1, round(serve_s(state, service)))
        for service in sorted({*state.typical, *state.served})
        if service in state.policy.services
    }


def after_serving(state: State, ticket: Ticket, seconds: float) -> None:
    """Remember that a ticket took a counter so long; for `apply`."""
    served = state.served.setdefault(ticket.service, [])
    served.append(int(min(max(0.0, seconds), LONGEST * _usual(state, ticket.service))))
    del served[:-KEPT]


class Waits:
    """The expected waits of one state.

    Args:
        ahead: How many of a queue stand before somebody; None: all of it, for somebody who comes now.
    """

    def __init__(self, state: State, ahead: Ahead | None = None) -> None:
        policy = state.policy
        self._usual = policy.limits.typical_serve_s
        self._serve = {service: serve_s(state, service) for service in policy.services}
        self._open: dict[str, list[str]] = {}
        """Service → the open counters that serve it."""
        self._work: dict[str, float] = {}
        """Open counter → seconds until it would take a ticket that comes now."""
        for counter in policy.counters.values():
            now = state.counters[counter.id]
            if now.state == "open":
                for service in counter.services:
                    self._open.setdefault(service, []).append(counter.id)
                there = state.tickets[now.ticket].service if now.ticket is not None else None
                self._work[counter.id] = self._one(there) / 2 if there is not None else 0.0
        waiting: dict[str, int] = {}
        for key, queue in state.queues.items():
            service, _, target = key
            n = len(queue) if ahead is None else ahead(key, queue)
            if target in self._work:
                self._work[target] += n * self._one(service)
            else:
                waiting[service] = waiting.get(service, 0) + n
        self._shares: dict[str, float] = {}
        """Service → what its tickets are to each of its open counters, seconds."""
        for service, n in waiting.items():
            counters = self._open.get(service)
            if n and counters:
                share = self._shares[service] = n * self._one(service) / len(counters)
                for id_ in counters:
                    self._work[id_] += share

    def _one(self, service: str) -> float:
        return self._serve.get(service, self._usual)

    def of(self, service: str) -> Range | None:
        """The range for the next ticket of `service`; None: no open counter serves it."""
        counters = self._open.get(service)
        if not counters:
            return None
        share = self._shares.get(service, 0.0)
        levels = sorted(self._work[id_] - share for id_ in counters)
        return _range(_poured(levels, share * len(counters)), self._one(service), len(counters))

    def at(self, counter: str, service: str) -> Range | None:
        """The range for the next ticket of `service` that waits for one counter; None: it is not open."""
        if counter not in self._work:
            return None
        return _range(self._work[counter], self._one(service), 1)


def expected(state: State, ticket: Ticket) -> Range | None:
    """The range for a ticket that waits already."""
    place = (ticket.issued_at, ticket.order, ticket.ticket)
    first = {class_ for rule in state.policy.rules for class_ in rule.call_from.priorities} - {NORMAL}
    mine = ticket.priority in first

    def in_turn(_: QueueKey, queue: list[Entry]) -> int:
        return bisect_left(queue, place)

    def by_class(key: QueueKey, queue: list[Entry]) -> int:
        if (key[1] in first) == mine:
            return bisect_left(queue, place)
        return 0 if mine else len(queue)

    found = []
    for ahead in (in_turn, by_class):
        waits = Waits(state, ahead)
        target = ticket.target
        range_ = waits.of(ticket.service) if target is None else waits.at(target, ticket.service)
        if range_ is None:
            return None
        found.append(range_)
    return min(low for low, _ in found), max(high for _, high in found)


def _poured(levels: list[float], load: float) -> float:
    """The level that `load` reaches when it is poured over counters with these `levels`, lowest first."""
    total = load
    for n, level in enumerate(levels):
        if n and total / n <= level:
            return total / n
        total += level
    return total / len(levels)


def _range(seconds: float, one: float, counters: int) -> Range:
    """`one`: what a ticket takes. n of them, each as irregular as that, vary by √n · one = √(wait · one).

    Several counters even that out. Only the later end says so: were the earlier one narrowed as well, one
    more counter could raise it.
    """
    spread = SPREAD * sqrt(max(0.0, seconds) * one)
    low = _down(max(0.0, seconds - spread) / 60)
    return low, max(_up((seconds + spread / sqrt(counters)) / 60), SHORTEST)


def _down(minutes: float) -> int:
    # What is a whole minute but for the last bits of a sum is that minute.
    minutes += 1e-6
    return floor(minutes) if minutes < 10 else floor(minutes / 5) * 5


def _up(minutes: float) -> int:
    minutes -= 1e-6
    return max(0, ceil(minutes) if minutes <= 10 else ceil(minutes / 5) * 5)
