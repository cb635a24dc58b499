"""Which ticket next at a counter, and why.

The order of decisions:

1. *Starvation*: of the tickets that wait longer than `starvation_bound_s`, the longest waiting one.
2. The *rules* in order: the first whose `when` holds, that has a ticket in `call_from`, and that is not
   over its `ratio` while somebody else waits; of its tickets the longest waiting one.
3. The *longest wait* of all.

Waiting time counts from the issue of the number, also after a transfer. A counter may call the tickets of
its services, and those transferred to it; a ticket transferred to a counter that is not open, and waiting
beyond the bound, may be called by every counter of its service.

A ratio counts per counter: after n calls in a row by a rule, its tickets stand back for one call.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hall.queue.events import Skipped, Why
from hall.queue.policy import NORMAL, CallFrom, Counter, Rule, in_spans
from hall.queue.state import Entry, QueueKey, State

Queue = tuple[QueueKey, list[Entry]]

_zones: dict[str, ZoneInfo] = {}


def local_minute(at: datetime, timezone: str) -> int:
    """Minute of the local day, 0…1439."""
    zone = _zones.get(timezone)
    if zone is None:
        zone = _zones[timezone] = ZoneInfo(timezone)
    local = at.astimezone(zone)
    return local.hour * 60 + local.minute


def choose(state: State, counter_id: str, at: datetime) -> tuple[str, Why] | None:
    """The ticket that `counter_id` calls next and the reason; None when it has nobody to call."""
    counter = state.policy.counters[counter_id]
    bound = state.policy.limits.starvation_bound_s
    overdue_before = at - timedelta(seconds=bound)
    queues = _callable_queues(state, counter, overdue_before)
    if not queues:
        return None
    waiting = sum(len(queue) for _, queue in queues)
    oldest = min(queue[0] for _, queue in queues)

    if oldest[0] <= overdue_before:
        return oldest[2], Why(kind="starvation", wait_s=_seconds(at, oldest), waiting=waiting)

    skipped: list[Skipped] = []
    ratios = state.counters[counter_id].ratios
    eligible = queues
    for index, rule in enumerate(state.policy.rules, 1):
        chosen, others = _split(eligible, rule.call_from)
        reason = _unmet(state, rule, counter, chosen, at)
        position = ratios.get(rule.name, 0) + 1
        if reason is None and rule.ratio is not None and position > rule.ratio:
            if others:
                reason = "ratio"
                eligible = others
            else:
                position = rule.ratio
        if reason is not None:
            skipped.append(Skipped(rule=rule.name, reason=reason))
            continue
        first = min(queue[0] for _, queue in chosen)
        return first[2], Why(
            kind="rule",
            wait_s=_seconds(at, first),
            waiting=waiting,
            rule=rule.name,
            index=index,
            position=position if rule.ratio is not None else 0,
            ratio=rule.ratio or 0,
            skipped=tuple(skipped),
            longer=_longer(state, queues, first),
        )
    oldest = min(queue[0] for _, queue in eligible)
    return oldest[2], Why(
        kind="longest_wait",
        wait_s=_seconds(at, oldest),
        waiting=waiting,
        skipped=tuple(skipped),
        longer=_longer(state, queues, oldest),
    )


def next_ratios(ratios: dict[str, int], why: Why) -> dict[str, int]:
    """The counts of a counter after a call: rules that it passed over start again, the deciding one goes on.

    A rule that gave way, had nobody or did not hold let somebody else go first: its row has ended.
    """
    after = dict(ratios)
    for skip in why.skipped:
        after.pop(skip.rule, None)
    if why.rule is not None and why.ratio:
        after[why.rule] = why.position
    return after


def _callable_queues(state: State, counter: Counter, overdue_before: datetime) -> list[Queue]:
    found: list[Queue] = []
    for key, queue in state.queues.items():
        service, _, target = key
        if target == counter.id:
            found.append((key, queue))
        elif service in counter.services:
            if not target:
                found.append((key, queue))
            elif queue[0][0] <= overdue_before:
                there = state.counters.get(target)
                if there is None or there.state != "open":
                    found.append((key, queue))
    return found


def _split(queues: list[Queue], call_from: CallFrom) -> tuple[list[Queue], list[Queue]]:
    """The queues that a rule calls from, and the others."""
    inside: list[Queue] = []
    outside: list[Queue] = []
    for queue in queues:
        service, priority, _ = queue[0]
        matches = (not call_from.services or service in call_from.services) and (
            not call_from.priorities or (priority or NORMAL) in call_from.priorities
        )
        (inside if matches else outside).append(queue)
    return inside, outside


def _unmet(state: State, rule: Rule, counter: Counter, chosen: list[Queue], at: datetime) -> str | None:
    """The first condition of `rule` that does not hold, None when all do."""
    when = rule.when
    checks: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("counter", lambda: not when.counters or counter.id in when.counters),
        ("zone", lambda: not when.zones or counter.zone in when.zones),
        ("time", lambda: not when.times or in_spans(local_minute(at, state.policy.timezone), when.times)),
        ("nobody", lambda: bool(chosen)),
        ("waiting", lambda: sum(len(queue) for _, queue in chosen) >= when.waiting_at_least),
        (
            "wait",
            lambda: _seconds(at, min(queue[0] for _, queue in chosen)) >= when.longest_wait_at_least_s,
        ),
    )
    for reason, holds in checks:
        if not holds():
            return reason
    return None


def _longer(state: State, queues: list[Queue], chosen: Entry) -> tuple[str, ...]:
    """Numbers of at most five tickets that had waited longer than the chosen one."""
    older: list[Entry] = []
    for _, queue in queues:
        for entry in queue[:5]:
            if entry >= chosen:
                break
            older.append(entry)
    return tuple(state.tickets[entry[2]].number for entry in sorted(older)[:5])


def _seconds(at: datetime, entry: Entry) -> int:
    return max(0, int((at - entry[0]).total_seconds()))
