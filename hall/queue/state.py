"""The state of one business date: what `decide` reads and `apply` changes. Plain data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, Literal

import msgspec

from hall.queue.policy import Policy

TicketState = Literal[
    "reserved",
    "waiting",
    "called",
    "serving",
    "finished",
    "void",
    "no_show",
    "parked",
    "transferred",
    "cancelled",
    "expired",
]
"""`transferred` waits like `waiting`, for its new service or counter, at its old place by time."""

QUEUED: Final = ("waiting", "transferred")
AT_COUNTER: Final = ("called", "serving")
OPEN: Final = ("reserved", *QUEUED, *AT_COUNTER, "parked")
"""States that a new business date ends with `expired`."""

MAX_DECIDED: Final = 100_000
"""Command ids remembered per generation; two generations are kept, so at least this many."""

QueueKey = tuple[str, str, str]
"""(service, priority or "", counter that it was transferred to or "")."""

Entry = tuple[datetime, int, str]
"""(issued at, running number of the day, ticket): sorts by waiting time."""


class Ticket(msgspec.Struct, kw_only=True, gc=False):
    """One number of the day. `order` counts the tickets of the day from 1."""

    ticket: str
    order: int
    number: str
    group: str
    service: str
    priority: str | None
    state: TicketState
    source: str
    issued_at: datetime
    node: str | None = None
    request: str | None = None
    paper: str | None = None
    reserved_until: datetime | None = None
    target: str | None = None
    counter: str | None = None
    call: str | None = None
    attempt: int = 0
    called_at: datetime | None = None
    last_call_at: datetime | None = None
    ended_at: datetime | None = None
    reprints: int = 0


class CounterNow(msgspec.Struct, kw_only=True):
    """A counter: at most one current `ticket`. `ratios` counts calls in a row per rule with a ratio."""

    counter: str
    state: Literal["open", "paused", "closed"] = "closed"
    ticket: str | None = None
    clerk: str | None = None
    parked: list[str] = []
    ratios: dict[str, int] = {}


class Prompt(msgspec.Struct, kw_only=True):
    """A request for one grade. It outlives its business date until it is answered or has expired."""

    prompt: str
    ticket: str
    number: str
    service: str
    counter: str
    clerk: str | None
    business_date: date
    asked_at: datetime
    expires_at: datetime
    result: Literal["open", "unrated", "rated"] = "open"
    grade: int | None = None


class Lease(msgspec.Struct, kw_only=True):
    """Numbers `first`…`last` of `group` that `node` may issue while cut off.

    `answered`: the node said what it did with them.
    """

    command: str
    group: str
    node: str
    first: int
    last: int
    epoch: int
    granted_at: datetime
    answered: bool = False


class Alarm(msgspec.Struct, kw_only=True):
    """Something a person must look at. `code` is a key of the text catalogue; one per (code, subject)."""

    code: str
    subject: str
    raised_at: datetime
    facts: dict[str, str] = {}


class Outcome(msgspec.Struct, kw_only=True, gc=False):
    """What became of a command: refused with `code`, or done and about `ticket`."""

    code: str | None = None
    ticket: str | None = None


class State(msgspec.Struct, kw_only=True):
    """Everything of one business date. Changed by `hall.queue.apply` only."""

    policy: Policy
    business_date: date | None = None
    opened_at: datetime | None = None
    tickets: dict[str, Ticket] = {}
    orders: int = 0
    used: dict[str, str] = {}
    """Printed number → the ticket that had it first, for the whole date."""
    numbers: dict[str, int] = {}
    """Group → the next online counter."""
    lease_next: dict[str, int] = {}
    """Group → the next number of the lease range that is in no block yet."""
    leases: list[Lease] = []
    queues: dict[QueueKey, list[Entry]] = {}
    waiting: dict[str, int] = {}
    """Service → how many tickets are queued for it."""
    reserved: dict[str, datetime] = {}
    counters: dict[str, CounterNow] = {}
    prompts: dict[str, Prompt] = {}
    open_prompts: dict[str, datetime] = {}
    alarms: dict[tuple[str, str], Alarm] = {}
    missed: list[str] = []
    decided: dict[str, Outcome] = {}
    decided_before: dict[str, Outcome] = {}

    def outcome(self, command: str) -> Outcome | None:
        """What was decided about a command id, None when it was not decided yet."""
        return self.decided.get(command) or self.decided_before.get(command)


def empty(policy: Policy) -> State:
    """The state before any business date was opened."""
    return State(policy=policy, counters={c: CounterNow(counter=c) for c in policy.counters})
