"""Printed numbers: the next online counter and the blocks that kiosks issue from while cut off.

Per service group and business date: 1…lease_from-1, then from 10^digits on, are issued online;
lease_from…10^digits-1 are granted in blocks. A counter only grows; nothing is counted or searched for.
"""

from __future__ import annotations

import re

from hall.queue.policy import MAX_NUMBER, Policy
from hall.queue.state import State

_NUMBER = re.compile(r"([A-Z]*)([0-9]+)")


def next_number(state: State, group: str) -> int | None:
    """The next online counter of `group`; None when all are used up."""
    policy = state.policy
    n = state.numbers.get(group, 1)
    while True:
        if policy.leased(n):
            n = 10**policy.numbers.digits
        if n > MAX_NUMBER:
            return None
        if policy.number(group, n) not in state.used:
            return n
        n += 1


def decide_lease(state: State, group: str) -> tuple[int, int] | None:
    """The first and last number of the next block of `group`; None when the range is full."""
    policy = state.policy
    size = policy.numbers.lease_size
    top: int = 10**policy.numbers.digits
    first = max(state.lease_next.get(group, 0), policy.numbers.lease_from)
    while first + size <= top:
        used = [n for n in range(first, first + size) if policy.number(group, n) in state.used]
        if not used:
            return first, first + size - 1
        first = used[-1] + 1
    return None


def parse_number(number: str) -> tuple[str, int]:
    """Prefix and counter of a printed number; ("", 0) for a text that is none."""
    match = _NUMBER.fullmatch(number)
    return (match[1], int(match[2])) if match else ("", 0)


def group_of(policy: Policy, prefix: str) -> str | None:
    """The group whose numbers have this prefix."""
    return next((group.id for group in policy.groups.values() if group.prefix == prefix), None)
