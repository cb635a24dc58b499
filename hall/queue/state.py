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

ON_SCREEN: Final = "ticket.on_screen"
"""The code of a paperless ticket's result: the citizen saw the number, there is no paper."""

MAX_DECIDED: Final = 100_000
"""Command ids remembered per generation; two generations are kept, so at least this many."""

QueueKey = tuple[str, str, str]
"""(service, priority or "", counter that it was transferred to or "")."""

Entry = tuple[datetime, int, str]
"""(issued at, running number of the day, ticket): sorts by waiting time."""


class Ticket(msgspec.Struct, kw_only=True, gc=False):
    """One number of the day. `order` counts the tickets of the day from 1.

    `taken_for`: the service whose quota it counts to, also after a transfer. `paperless`: the citizen has the
    number from the screen and no paper of it is known. `name`: masked.
    """

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
    appointment: str | None = None
    taken_for: str = ""
    paperless: bool = False
    name: str | None = None


class Appointment(msgspec.Struct, kw_only=True, gc=False):
    """Somebody is expected between `start` and `end` (UTC) of a business date.

    `proofs`: keyed hashes of the ID number and the code, one of which checks in. `name`: masked. `ticket`:
    the number that was given for it last.
    """

    id: str
    business_date: date
    service: str
    start: datetime
    end: datetime
    proofs: tuple[str, ...]
    name: str | None = None
    priority: str | None = None
    ticket: str | None = None


class CounterNow(msgspec.Struct, kw_only=True):
    """A counter: at most one current `ticket`. `ratios` counts calls in a row per rule with a ratio."""

    counter: str
    state: Literal["open", "paused", "closed"] = "closed"
    ticket: str | None = None
    clerk: str | None = None
    parked: list[str] = []
    ratios: dict[str, int] = {}


class Prompt(msgspec.Struct, kw_only=True):
    """A request for one grade. It outlives its business date until it is answered or has expired.

    `page`: the end of the address where a text can be written; "": nowhere. `text`: what was written.
    """

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
    reasons: tuple[str, ...] = ()
    reasons_version: int | None = None
    page: str = ""
    text: str | None = None
    text_at: datetime | None = None


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
    taken: dict[str, int] = {}
    """Service → numbers of this date that count to its quota: all that are neither void nor cancelled."""
    served: dict[str, list[int]] = {}
    """Service → how long its newest tickets took a counter, seconds; at most `waits.KEPT`."""
    typical: dict[str, int] = {}
    """Service → how long a ticket took a counter on the dates before, seconds."""
    counters: dict[str, CounterNow] = {}
    prompts: dict[str, Prompt] = {}
    open_prompts: dict[str, datetime] = {}
    pages: dict[str, str] = {}
    """Page for a text → its prompt."""
    texts: int = 0
    """Texts that were written on this date."""
    appointments: dict[date, dict[str, Appointment]] = {}
    """Date → those of it by id; of this business date and later ones."""
    proofs: dict[str, list[str]] = {}
    """Proof → the appointments of this business date that it checks in, by id."""
    alarms: dict[tuple[str, str], Alarm] = {}
    missed: list[str] = []
    decided: dict[str, Outcome] = {}
    decided_before: dict[str, Outcome] = {}

    def outcome(self, command: str) -> Outcome | None:
        """What was decided about a command id, None when it was not decided yet."""
        return self.decided.get(command) or self.decided_before.get(command)

    def checked_in(self, appointment: Appointment) -> Ticket | None:
        """The number that holds for the appointment; None: it can be checked in (again)."""
        ticket = self.tickets.get(appointment.ticket) if appointment.ticket is not None else None
        return ticket if ticket is not None and ticket.state not in ("void", "cancelled") else None

    def replaced(self, ticket: Ticket) -> bool:
        """Whether another number was given for the appointment of this one, which must not come back."""
        if ticket.appointment is None or self.business_date is None:
            return False
        appointment = self.appointments.get(self.business_date, {}).get(ticket.appointment)
        other = self.checked_in(appointment) if appointment is not None else None
        return other is not None and other.ticket != ticket.ticket


def empty(policy: Policy) -> State:
    """The state before any business date was opened."""
    return State(policy=policy, counters={c: CounterNow(counter=c) for c in policy.counters})
