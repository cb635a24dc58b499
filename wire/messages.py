"""Typed messages of the MQTT contract: one struct per topic, one struct per event and command kind.

All messages are JSON objects. Readers ignore fields that they do not know; a breaking change gets a new
topic root. Times are RFC 3339 with an offset. Texts that people read are `LocalText`, one entry per
language. An event or a command is an *envelope* whose `body` is read after the envelope, so that an
unknown kind can still be acknowledged and counted (see `wire.codec`).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,64}\Z")]
"""An identifier in a topic: hall, node, device, counter, service, ticket, event, command."""

LocalText = dict[str, str]
"""The same text per language tag, e.g. {"zh-CN": "综合窗口", "en": "General counter"}; never empty."""

Number = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{0,3}[0-9]{1,6}\Z")]
"""A printed number such as A005: the prefix of the service group and a counter that restarts daily."""

Grade = Annotated[int, msgspec.Meta(ge=1, le=5)]
"""1 非常不满意 … 5 非常满意."""

Key = Literal["next", "recall", "no_show", "transfer", "park", "unpark", "finish", "pause", "open", "close"]
"""What a clerk can press. `unpark` calls back the longest parked ticket of that counter."""

Masked = Annotated[str, msgspec.Meta(pattern=r"^[^*]{0,2}\*+[^*]{0,2}\Z", max_length=32)]
"""A name of which at most four characters stand, such as 王*明; never the whole one."""

PaperOutcome = Literal["confirmed", "failed", "unknown"]
"""What is known of a ticket's paper: out whole, not out, or the printer did not say."""

Health = Literal["ok", "degraded", "fault", "missing", "unknown"]
"""A device: works; works with a warning; answers but cannot work; does not answer; not tried yet."""

DeviceKind = Literal[
    "ticket_printer", "call_screen", "keypad", "card_reader", "voice", "light", "screen", "storage"
]
"""`storage` is the node's own disk: a full one is seen where every fault is seen."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all that travels on the wire."""


# ---------------------------------------------------------------- retained state, one writer each


class CoordinatorState(Message, frozen=True, kw_only=True):
    """`coordinator/state`, retained; also the heartbeat (every 3 s) and, as `lost`, the will.

    `day_ends`: when the business date ends, for nodes that are cut off by then.
    """

    state: Literal["online", "offline", "lost"]
    session: Id
    epoch: int
    business_date: date | None = None
    at: datetime | None = None
    day_ends: datetime | None = None


class CoordinatorNumbers(Message, frozen=True, kw_only=True):
    """`coordinator/numbers`, retained, no will: the greatest numbers given out on this date, per group.

    A coordinator whose journal was restored from a backup reads them and never gives those numbers again.
    """

    business_date: date
    issued: dict[Id, int]
    leased: dict[Id, int]


class NodeState(Message, frozen=True, kw_only=True):
    """`node/{node}/state`, retained; `lost` is the will. A will of another session is ignored."""

    state: Literal["online", "offline", "lost"]
    session: Id
    at: datetime | None = None


class DeviceDescription(Message, frozen=True, kw_only=True):
    device: Id
    kind: DeviceKind
    driver: str
    counter: Id | None = None
    zone: Id | None = None


class NodeDescription(Message, frozen=True, kw_only=True):
    """`node/{node}/description`, retained. `stations` names what the node does: kiosk, counter, board."""

    model: str
    software: str
    stations: tuple[str, ...]
    devices: tuple[DeviceDescription, ...]
    counters: tuple[Id, ...] = ()
    zones: tuple[Id, ...] = ()
    config_revision: int = 0


class DeviceState(Message, frozen=True, kw_only=True):
    """`node/{node}/device/{device}/state`, retained. `code` is a key of the text catalogue (`wire.texts`)."""

    device: Id
    kind: DeviceKind
    health: Health
    code: str | None = None
    facts: dict[str, str | int | float | bool | None] = {}
    since: datetime | None = None
    seen_at: datetime | None = None


class CounterClerk(Message, frozen=True, kw_only=True):
    """Who sits at a counter, as the hall lets citizens see it. `name` is empty where names are not shown.

    `photo`: a picture of topic `picture/{picture}`.
    """

    number: Annotated[str, msgspec.Meta(max_length=16)]
    name: LocalText = {}
    photo: Id | None = None


class CounterState(Message, frozen=True, kw_only=True):
    """`counter/{counter}`, retained: what the counter's screen shows. Newer is greater (epoch, rev)."""

    epoch: int
    rev: int
    counter: Id
    name: LocalText
    zone: Id
    state: Literal["closed", "open", "paused", "called", "serving"]
    number: Number | None = None
    ticket: Id | None = None
    call: Id | None = None
    service_name: LocalText | None = None
    called_at: datetime | None = None
    waiting: int = 0
    parked: int = 0
    clerk: CounterClerk | None = None
    hours: tuple[str, ...] = ()
    business_date: date | None = None


class BoardCall(Message, frozen=True, kw_only=True):
    number: Number
    counter: Id
    counter_name: LocalText
    call: Id
    called_at: datetime
    state: Literal["called", "serving", "finished", "no_show"]
    name: Masked | None = None
    zone: Id | None = None


class BoardService(Message, frozen=True, kw_only=True):
    """`wait_min`: from … to minutes that somebody who takes a number now may expect; None: not known.

    `available`: whether a number can be taken now, and why not. `left`: what the day's quota still has.
    `hours`: of this service today, where they are not the hall's. `today` False: no numbers are given on this
    business date at all, whatever the hall's hours are. `again`: the next business date on which some are
    given, once the hours of this one are over; None: they are not, or nobody knows.
    """

    service: Id
    name: LocalText
    waiting: int
    zone: Id
    available: Literal["open", "closed", "out_of_hours", "quota_reached"] = "open"
    wait_min: tuple[int, int] | None = None
    left: int | None = None
    hours: tuple[str, ...] = ()
    today: bool = True
    again: date | None = None


class Board(Message, frozen=True, kw_only=True):
    """`board`, retained: what the hall display shows, newest call first. Newer is greater (epoch, rev).

    `zone_names`: by id, for a display of one zone.
    """

    epoch: int
    rev: int
    business_date: date
    calls: tuple[BoardCall, ...]
    services: tuple[BoardService, ...]
    missed: tuple[Number, ...] = ()
    announcements: tuple[LocalText, ...] = ()
    hours: tuple[str, ...] = ()
    hall_name: LocalText = {}
    zone_names: dict[Id, LocalText] = {}


class CatalogueService(Message, frozen=True, kw_only=True):
    """`initials`: of the name's pinyin, such as `sbdj` for 社保登记; `keywords`: other words for it."""

    service: Id
    name: LocalText
    group: Id
    zone: Id
    counters: tuple[LocalText, ...]
    open: bool = True
    initials: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{0,64}\Z")] = ""
    keywords: tuple[str, ...] = ()


class CatalogueGroup(Message, frozen=True, kw_only=True):
    """A service group shares a number prefix and the kiosk's first page."""

    group: Id
    name: LocalText
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{0,3}\Z")]


class PriorityClass(Message, frozen=True, kw_only=True):
    """`minimum_age`: a card that shows this age offers the class by itself; None = only by choice.

    `needs_card`: it cannot be chosen without a card that shows the age. `offered` False: it is given by the
    hall (to people with an appointment) and stands on the ticket; a kiosk does not offer it.
    """

    priority: Id
    name: LocalText
    minimum_age: int | None = None
    needs_card: bool = False
    offered: bool = True


class Zone(Message, frozen=True, kw_only=True):
    zone: Id
    name: LocalText
    directions: LocalText
    floor: LocalText = {}


class Catalogue(Message, frozen=True, kw_only=True):
    """`catalogue`, retained: what a kiosk offers and prints. Kept by the node for work without the hall.

    `call_by_name`: a number taken with a card carries the masked name, which the hall display shows.
    `appointments`: the hall has such as can be checked in at a kiosk.
    """

    epoch: int
    rev: int
    hall_name: LocalText
    services: tuple[CatalogueService, ...]
    groups: tuple[CatalogueGroup, ...]
    priorities: tuple[PriorityClass, ...]
    zones: tuple[Zone, ...]
    number_digits: int = 3
    ticket_url: str = ""
    ticket_notes: LocalText = {}
    call_by_name: bool = False
    appointments: bool = False


class NodeConfig(Message, frozen=True, kw_only=True):
    """`config/{node}`, retained: desired profile (TOML text), Ed25519 signature (base64) over it."""

    revision: int
    profile: str
    signature: str


class Call(Message, frozen=True, kw_only=True):
    """`call`, not retained, expires: say it and flash it now; after `deadline` it is dropped."""

    call: Id
    epoch: int
    number: Number
    counter: Id
    counter_name: LocalText
    zone: Id
    deadline: datetime
    attempt: int = 1
    repeat: int = 2
    languages: tuple[str, ...] = ("zh-CN",)


class CoordinatorAck(Message, frozen=True, kw_only=True):
    """`coordinator/ack/{node}`: every event of this stream up to `through` is in the journal.

    `resend` asks for everything after `through` again (a gap, or a coordinator restored from a backup).
    """

    stream: Id
    through: int
    epoch: int
    resend: bool = False


# ---------------------------------------------------------------- envelopes


class NodeEvent(Message, frozen=True, kw_only=True):
    """`node/{node}/event`: `seq` counts from 1 without gaps in a `stream` (one outbox file's life)."""

    id: Id
    stream: Id
    seq: Annotated[int, msgspec.Meta(ge=1)]
    session: Id
    at: datetime
    kind: str
    body: msgspec.Raw


class NodeCommand(Message, frozen=True, kw_only=True):
    """`node/{node}/command`: after `deadline` the node answers `expired` and does nothing.

    A command whose id was decided before is answered with the stored result.
    """

    id: Id
    epoch: int
    at: datetime
    deadline: datetime
    kind: str
    body: msgspec.Raw


# ---------------------------------------------------------------- event bodies, node → hall


class TicketRequested(Message, frozen=True, kw_only=True):
    """A citizen chose a service at the kiosk; answered by `print_ticket` or `refuse_ticket`.

    `paperless`: the printer cannot print and the citizen takes the number from the screen. `name` only where
    the catalogue says `call_by_name` and a card was laid down.
    """

    request: Id
    service: Id
    priority: Id | None = None
    language: str = "zh-CN"
    paperless: bool = False
    name: Masked | None = None


class TicketPrinted(Message, frozen=True, kw_only=True):
    """The paper of a reserved ticket: its result for `print_ticket` or for a reprint.

    A paperless one is `confirmed` with the code `ticket.on_screen` when the citizen saw the number.
    """

    ticket: Id
    number: Number
    paper: PaperOutcome
    code: str | None = None


class TicketIssuedOffline(Message, frozen=True, kw_only=True):
    """A number of this kiosk's lease was used while the coordinator was away."""

    ticket: Id
    number: Number
    service: Id
    business_date: date
    lease_epoch: int
    issued_at: datetime
    paper: PaperOutcome
    priority: Id | None = None
    code: str | None = None


class KeyPressed(Message, frozen=True, kw_only=True):
    """A clerk's key. `press` is the id of the press: repeated or bounced presses never reach here.

    `shown_ticket` is what the counter showed when the key was pressed: the coordinator decides against
    it, so a key that arrives late cannot act on another ticket.
    """

    counter: Id
    key: Key
    shown_ticket: Id | None = None
    target: Id | None = None


class Rated(Message, frozen=True, kw_only=True):
    prompt: Id
    ticket: Id
    counter: Id
    grade: Grade


class RatingReasonsGiven(Message, frozen=True, kw_only=True):
    """Reasons that a citizen touched after the grade. `version`: of the catalogue `rating_reasons`."""

    prompt: Id
    ticket: Id
    counter: Id
    grade: Grade
    version: int
    reasons: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=16)]


class RatingUnanswered(Message, frozen=True, kw_only=True):
    """A prompt ended without a key: recorded as unrated, never as a grade."""

    prompt: Id
    ticket: Id
    counter: Id
    reason: Literal["timeout", "device_missing", "expired", "replaced", "restarted"]


class CallReported(Message, frozen=True, kw_only=True):
    """What a device really did with a call."""

    call: Id
    device: Id
    how: Literal["shown", "heard"]
    outcome: Literal["done", "failed", "expired", "superseded"]
    code: str | None = None


class LeaseLow(Message, frozen=True, kw_only=True):
    """The kiosk's lease of a group has `remaining` numbers; answered by `grant_lease`."""

    group: Id
    business_date: date
    remaining: int


class CommandResult(Message, frozen=True, kw_only=True):
    """The end of a command that has no event of its own."""

    command: Id
    outcome: Literal["done", "expired", "failed", "not_understood"]
    code: str | None = None


# ---------------------------------------------------------------- command bodies, hall → node


class PrintTicket(Message, frozen=True, kw_only=True):
    """Print this ticket; answered by `ticket_printed`. `request` is None for a reprint.

    `paperless`: show it on the kiosk's screen in place of printing.
    """

    ticket: Id
    number: Number
    service: Id
    request: Id | None
    issued_at: datetime
    waiting_ahead: int
    priority: Id | None = None
    reprint: bool = False
    paperless: bool = False


class RefuseTicket(Message, frozen=True, kw_only=True):
    """`code` is a key of the text catalogue, such as `ticket.service_closed`; `facts` fill its text.

    E.g. `{"from": "09:30"}` for `appointment.too_early`: "{from}" stands in the text.
    """

    request: Id
    code: str
    facts: dict[Id, str] = {}


class GrantLease(Message, frozen=True, kw_only=True):
    """Numbers `first`…`last` of the group are this kiosk's for the date. Answered by `command_result`."""

    group: Id
    business_date: date
    first: int
    last: int


class PromptRating(Message, frozen=True, kw_only=True):
    """Light the rating keypad of `counter`; answered by `rated` or `rating_unanswered`.

    `url`: where a text can be written on a phone, for a QR code; "" where the hall has no such page.
    """

    prompt: Id
    ticket: Id
    number: Number
    counter: Id
    service_name: LocalText
    timeout_s: float = 30.0
    url: str = ""
