"""What can be asked of the queue. Every time and every new id that a decision needs is in the command."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from hall.queue.state import Alarm, Appointment
from wire.messages import Key, PaperOutcome


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Base. `id`: the same id is decided once; "" only for commands of the clock. `at`: UTC."""

    id: str
    at: datetime


class OpenDay(Command, frozen=True, kw_only=True):
    business_date: date


class Tick(Command, frozen=True, kw_only=True):
    """Time has passed: reservations and prompts run out, waits become long. `id` is ""."""


class IssueTicket(Command, frozen=True, kw_only=True):
    """A citizen wants a number. With `node` (a kiosk) it is reserved until the paper is out.

    `paperless`: the kiosk shows it in place of printing. `name`: masked; dropped where the hall does not call
    by name. `appointment`: the one that is checked in with it; neither hours nor quotas hold for it.
    """

    ticket: str
    service: str
    priority: str | None = None
    source: str = "api"
    node: str | None = None
    request: str | None = None
    requested_at: datetime | None = None
    paperless: bool = False
    name: str | None = None
    appointment: str | None = None


class RecordPaper(Command, frozen=True, kw_only=True):
    """What became of a ticket's paper. `business_date` is that of the moment at the node."""

    node: str
    ticket: str
    number: str
    paper: PaperOutcome
    business_date: date
    printed_at: datetime
    code: str | None = None


class MergeTicket(Command, frozen=True, kw_only=True):
    """A number that a kiosk issued from its lease while it was cut off."""

    node: str
    ticket: str
    number: str
    service: str
    business_date: date
    lease_epoch: int
    issued_at: datetime
    paper: PaperOutcome
    priority: str | None = None
    code: str | None = None


class PressKey(Command, frozen=True, kw_only=True):
    """A clerk's key. `call`, `prompt` and `page` are the ids of what may come of it; `pressed_at` is by the
    node's clock, None for a key of the browser, whose sender waits for the answer."""

    counter: str
    key: Key
    call: str
    prompt: str
    page: str = ""
    shown_ticket: str | None = None
    target: str | None = None
    source: str = "api"
    pressed_at: datetime | None = None


class CancelTicket(Command, frozen=True, kw_only=True):
    """The citizen gives the number back."""

    ticket: str


class ReprintTicket(Command, frozen=True, kw_only=True):
    """Print the paper again, same number; at `node`, or where it was printed."""

    ticket: str
    node: str | None = None


class EnquireTicket(Command, frozen=True, kw_only=True):
    """Somebody at a kiosk asks how a ticket stands."""

    node: str
    request: str
    ticket: str


class ImportAppointments(Command, frozen=True, kw_only=True):
    """All that are expected on a date, in place of those that are not checked in yet."""

    business_date: date
    appointments: tuple[Appointment, ...]


class CheckIn(Command, frozen=True, kw_only=True):
    """Somebody with an appointment is at a kiosk. `proof`: keyed hash of a card or a code."""

    ticket: str
    proof: str
    node: str
    request: str
    requested_at: datetime | None = None
    paperless: bool = False
    name: str | None = None


class AskHelp(Command, frozen=True, kw_only=True):
    """The help key of a station; `wanted` False: it was taken back. `asked_at`: by the node's clock."""

    node: str
    station: str
    wanted: bool = True
    asked_at: datetime | None = None


class AnswerHelp(Command, frozen=True, kw_only=True):
    """Somebody is coming, or (`over`) has been there. `answer`: the id of the command that tells the node."""

    node: str
    station: str
    answer: str
    over: bool = False


class Rate(Command, frozen=True, kw_only=True):
    prompt: str
    ticket: str
    counter: str
    grade: int


class GiveReasons(Command, frozen=True, kw_only=True):
    """What a citizen touched after the grade; `version` of the catalogue of reasons."""

    prompt: str
    ticket: str
    counter: str
    grade: int
    version: int
    reasons: tuple[str, ...]


class GiveText(Command, frozen=True, kw_only=True):
    """What a citizen wrote on the page of a prompt. `text`: as `hall.queue.texts.cleaned` leaves it."""

    prompt: str
    text: str


class LeaveUnrated(Command, frozen=True, kw_only=True):
    prompt: str
    ticket: str
    counter: str
    reason: str


class ReportCall(Command, frozen=True, kw_only=True):
    node: str
    call: str
    device: str
    how: str
    outcome: str
    code: str | None = None


class GrantLease(Command, frozen=True, kw_only=True):
    """Give `node` a block of `group`. `more`: it asked for one; else only if it has none yet."""

    node: str
    group: str
    business_date: date
    epoch: int
    more: bool = False


class EndCommand(Command, frozen=True, kw_only=True):
    """A node's answer to a command that has no event of its own."""

    node: str
    command: str
    outcome: str
    code: str | None = None


class SetClerk(Command, frozen=True, kw_only=True):
    """Who sits at the counter; None: nobody."""

    counter: str
    clerk: str | None


class SetAlarms(Command, frozen=True, kw_only=True):
    """Raise and clear; what is so already changes nothing. `id` is ""."""

    raised: tuple[Alarm, ...] = ()
    cleared: tuple[tuple[str, str], ...] = ()


class SkipNumbers(Command, frozen=True, kw_only=True):
    """A restored journal is older than what was printed: never issue up to these counters again."""

    online: dict[str, int] = {}
    leases: dict[str, int] = {}


class NoteUnknown(Command, frozen=True, kw_only=True):
    """A node's event that this version cannot read."""

    node: str
    stream: str
    seq: int
    kind: str
    reason: str


class NoteGap(Command, frozen=True, kw_only=True):
    """Events `first`…`last` of a node's stream cannot be had any more."""

    node: str
    stream: str
    first: int
    last: int
