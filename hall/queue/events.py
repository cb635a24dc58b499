"""What has happened: the only thing the journal keeps, and all that the state is made of.

One struct per kind; `type` in JSON is the name in snake_case. Fields may be added with a default; a field
is never renamed or taken away, so that old journals replay.
"""

from __future__ import annotations

import re
from datetime import date, datetime

import msgspec

from hall.queue.state import Alarm, Appointment, Prompt


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Event(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=_snake, omit_defaults=True, gc=False
):
    """Base. `at` is UTC; `command` is the id of what was asked, "" for the clock."""

    at: datetime
    command: str = ""


class DayOpened(Event, frozen=True, kw_only=True):
    """A business date begins, numbers start again. What is not over is taken over from before.

    `typical`: service → how long a ticket took a counter until now, seconds.
    """

    business_date: date
    prompts: tuple[Prompt, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    typical: dict[str, int] = {}


class TicketExpired(Event, frozen=True, kw_only=True):
    """Still open when its business date ended."""

    ticket: str
    number: str
    was: str


class TicketIssued(Event, frozen=True, kw_only=True):
    """`state` is reserved (a kiosk prints it) or waiting. `ahead`: people before it for that service.

    `paperless`: the kiosk shows it in place of printing. `name`: masked, only where the hall calls by name.
    """

    ticket: str
    number: str
    n: int
    group: str
    service: str
    state: str
    source: str
    ahead: int
    priority: str | None = None
    node: str | None = None
    request: str | None = None
    print_by: datetime | None = None
    reserved_until: datetime | None = None
    appointment: str | None = None
    paperless: bool = False
    name: str | None = None


class PaperRecorded(Event, frozen=True, kw_only=True):
    """`becomes` None: the ticket stays what it is."""

    node: str
    ticket: str
    number: str
    paper: str
    becomes: str | None = None
    code: str | None = None


class TicketVoided(Event, frozen=True, kw_only=True):
    """`reason`: timeout (no word from the node), expired or failed (the node never printed it)."""

    ticket: str
    number: str
    reason: str


class TicketMerged(Event, frozen=True, kw_only=True):
    """A paper from a kiosk that this hall had not issued itself. `joins` False: only recorded.

    `flags`: other_date, foreign (not of a lease of that node), duplicate (number used before),
    unknown_service, unknown_ticket (paper of a ticket that this journal never had), clock.
    """

    node: str
    ticket: str
    number: str
    n: int
    group: str
    service: str
    business_date: date
    issued_at: datetime
    paper: str
    joins: bool
    lease_epoch: int = 0
    priority: str | None = None
    code: str | None = None
    flags: tuple[str, ...] = ()


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that did not decide, and why: counter, zone, time, waiting, wait, nobody, ratio."""

    rule: str
    reason: str


class Why(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why this ticket: starvation, rule, longest_wait, unparked, returned.

    `index` counts rules from 1; `position` of `ratio` is the call's place in the row of that rule.
    `longer` are numbers that had waited longer (at most 5) and `waiting` all that the counter could call.
    """

    kind: str
    wait_s: int = 0
    waiting: int = 0
    rule: str | None = None
    index: int = 0
    position: int = 0
    ratio: int = 0
    skipped: tuple[Skipped, ...] = ()
    longer: tuple[str, ...] = ()


class TicketCalled(Event, frozen=True, kw_only=True):
    ticket: str
    number: str
    service: str
    counter: str
    call: str
    deadline: datetime
    why: Why
    clerk: str | None = None
    attempt: int = 1


class TicketRecalled(Event, frozen=True, kw_only=True):
    ticket: str
    number: str
    counter: str
    call: str
    deadline: datetime
    attempt: int


class TicketServing(Event, frozen=True, kw_only=True):
    ticket: str
    counter: str


class TicketFinished(Event, frozen=True, kw_only=True):
    """`serve_s` counts from the first call, `wait_s` from the issue to it."""

    ticket: str
    number: str
    service: str
    counter: str
    wait_s: int
    serve_s: int
    clerk: str | None = None


class TicketNoShow(Event, frozen=True, kw_only=True):
    ticket: str
    number: str
    counter: str
    attempts: int


class TicketParked(Event, frozen=True, kw_only=True):
    ticket: str
    counter: str


class TicketTransferred(Event, frozen=True, kw_only=True):
    """Waits for `service` again, at `target` only if that is not None."""

    ticket: str
    counter: str
    service: str
    target: str | None = None


class TicketCancelled(Event, frozen=True, kw_only=True):
    ticket: str
    number: str


class ReprintAsked(Event, frozen=True, kw_only=True):
    ticket: str
    number: str
    node: str
    service: str
    issued_at: datetime
    print_by: datetime
    count: int
    ahead: int
    priority: str | None = None


class TicketEnquired(Event, frozen=True, kw_only=True):
    """Somebody asked at `node` how a ticket stands, and what was answered.

    `code`: why there is nothing to tell; all else is None then. `state` is in the words of the wire;
    `service` the one it waits for, `counter` where it was called or has to go. `wait_min`: from … to minutes.
    """

    node: str
    request: str
    ticket: str
    answer_by: datetime
    code: str | None = None
    number: str | None = None
    state: str | None = None
    service: str | None = None
    counter: str | None = None
    ahead: int | None = None
    wait_min: tuple[int, int] | None = None


class CounterChanged(Event, frozen=True, kw_only=True):
    counter: str
    state: str


class ClerkChanged(Event, frozen=True, kw_only=True):
    counter: str
    clerk: str | None = None


class RatingPrompted(Event, frozen=True, kw_only=True):
    """`answer_by`: later the keypad is not lit any more; `expires_at`: later it counts as unrated.

    `page`: cannot be guessed; whoever has it may write one text about the service. "": nobody.
    """

    prompt: str
    ticket: str
    number: str
    service: str
    counter: str
    answer_by: datetime
    expires_at: datetime
    clerk: str | None = None
    page: str = ""


class RatingGiven(Event, frozen=True, kw_only=True):
    """The one grade of a service. `late`: it had counted as unrated."""

    prompt: str
    ticket: str
    service: str
    counter: str
    grade: int
    business_date: date
    clerk: str | None = None
    late: bool = False


class RatingRepeated(Event, frozen=True, kw_only=True):
    """A second grade for a rated service: kept for the record, changes nothing."""

    prompt: str
    ticket: str
    grade: int


class RatingUnmatched(Event, frozen=True, kw_only=True):
    """A grade whose prompt this journal does not know (or knows for another ticket): kept as it came."""

    prompt: str
    ticket: str
    counter: str
    grade: int


class ReasonsGiven(Event, frozen=True, kw_only=True):
    """Why the grade, in ids of the catalogue of reasons `version`."""

    prompt: str
    ticket: str
    counter: str
    grade: int
    version: int
    reasons: tuple[str, ...]


class ReasonsUnmatched(Event, frozen=True, kw_only=True):
    """Reasons that belong to no grade that this journal knows: kept as they came.

    `why`: prompt (not known, or of another ticket), grade (not rated so), again (it has reasons already).
    """

    prompt: str
    ticket: str
    counter: str
    grade: int
    version: int
    reasons: tuple[str, ...]
    why: str


class TextGiven(Event, frozen=True, kw_only=True):
    """The one text about a service, in the citizen's words."""

    prompt: str
    ticket: str
    service: str
    counter: str
    text: str
    business_date: date
    clerk: str | None = None


class RatingMissed(Event, frozen=True, kw_only=True):
    """Unrated; never a grade."""

    prompt: str
    ticket: str
    counter: str
    reason: str


class CallReported(Event, frozen=True, kw_only=True):
    node: str
    call: str
    device: str
    how: str
    outcome: str
    code: str | None = None


class LeaseGranted(Event, frozen=True, kw_only=True):
    """`lease` is the id of the command that tells the node."""

    lease: str
    node: str
    group: str
    business_date: date
    first: int
    last: int
    epoch: int


class CommandEnded(Event, frozen=True, kw_only=True):
    """A node's answer to the command `ended`."""

    node: str
    ended: str
    outcome: str
    code: str | None = None


class NumbersSkipped(Event, frozen=True, kw_only=True):
    online: dict[str, int] = {}
    leases: dict[str, int] = {}


class AlarmRaised(Event, frozen=True, kw_only=True):
    code: str
    subject: str
    facts: dict[str, str] = {}


class AlarmCleared(Event, frozen=True, kw_only=True):
    code: str
    subject: str


class AppointmentsImported(Event, frozen=True, kw_only=True):
    """Those of a date that are not checked in are these now."""

    business_date: date
    appointments: tuple[Appointment, ...] = ()


class HelpAnswered(Event, frozen=True, kw_only=True):
    """Somebody is coming to a station that asked for help, or has been there. `answer`: as in the command."""

    node: str
    station: str
    answer: str
    answer_by: datetime
    over: bool = False


class Refused(Event, frozen=True, kw_only=True):
    """A command that was decided against. `node` and `request`: a citizen at a kiosk waits for the answer.

    `facts` fill the text of `code`.
    """

    code: str
    what: str
    node: str | None = None
    request: str | None = None
    counter: str | None = None
    ticket: str | None = None
    facts: dict[str, str] = {}


class NothingToDo(Event, frozen=True, kw_only=True):
    """A command that changes nothing; its id is remembered."""

    what: str
    ticket: str | None = None


class NotUnderstood(Event, frozen=True, kw_only=True):
    node: str
    stream: str
    seq: int
    kind: str
    reason: str


class StreamGap(Event, frozen=True, kw_only=True):
    """Events of a node that were lost for good, or were in a journal that a backup replaced."""

    node: str
    stream: str
    first: int
    last: int


AnyEvent = (
    DayOpened
    | TicketExpired
    | TicketIssued
    | PaperRecorded
    | TicketVoided
    | TicketMerged
    | TicketCalled
    | TicketRecalled
    | TicketServing
    | TicketFinished
    | TicketNoShow
    | TicketParked
    | TicketTransferred
    | TicketCancelled
    | ReprintAsked
    | TicketEnquired
    | CounterChanged
    | ClerkChanged
    | RatingPrompted
    | RatingGiven
    | RatingRepeated
    | RatingUnmatched
    | ReasonsGiven
    | ReasonsUnmatched
    | TextGiven
    | RatingMissed
    | CallReported
    | LeaseGranted
    | CommandEnded
    | NumbersSkipped
    | AppointmentsImported
    | HelpAnswered
    | AlarmRaised
    | AlarmCleared
    | Refused
    | NothingToDo
    | NotUnderstood
    | StreamGap
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """JSON bytes of an event, the body of its journal row."""
    return _encoder.encode(event)


def decode(body: bytes | str) -> Event:
    """Raises msgspec.DecodeError for a body that is no event of this version."""
    return _decoder.decode(body)


def kind(event: Event) -> str:
    """The `type` of an event."""
    return str(event.__struct_config__.tag)
