"""What the hall has configured about its queue: services, counters, priorities, rules and limits.

The same structs are the tables of `hall.toml` (`hall.config`), so that a rule reads in the file as it is
applied. Nothing here changes while a business date runs; a replay may use another policy.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from wire.messages import Id, LocalText

NORMAL: Final = "normal"
"""How a rule names tickets without a priority class; no class may have this id."""

MAX_NUMBER: Final = 999_999
"""The greatest counter of a printed number (`wire.messages.Number` has at most six digits)."""

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Span = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-4]):[0-5][0-9]\Z")]
"""Local time of day, e.g. "08:30-12:00"; the end is not part of it."""
Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]
"""1 Monday … 7 Sunday."""
HoursOn = dict[str, tuple[str, ...]]
"""Spans of single days: a weekday "1"…"7" or a date "2026-10-01" → as in `Span`, none: nothing is given then.
What stands in it is checked by `hall.config`; what it means stands in `hall.queue.hours`."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Group(_Table, frozen=True, kw_only=True):
    """Services that share a number prefix and a page of the kiosk."""

    id: Id
    name: LocalText
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{0,3}\Z")]


class Service(_Table, frozen=True, kw_only=True):
    """A matter that a citizen takes a number for. `open` False: shown, no numbers.

    `quota`: how many numbers a business date has; None: no limit. `hours`, `days`: when numbers are given,
    in place of the hall's `issue_times` and `issue_days`; empty: the hall's. `hours_on`: on single weekdays
    and dates. `keywords`, `initials`: for the search at the kiosk; without `initials` they are made of the
    Chinese name.
    """

    id: Id
    name: LocalText
    group: Id
    zone: Id
    open: bool = True
    quota: Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMBER)] | None = None
    hours: tuple[Span, ...] = ()
    days: tuple[Weekday, ...] = ()
    hours_on: HoursOn = {}
    keywords: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=24)], ...] = ()
    initials: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{1,64}\Z")] | None = None


class Zone(_Table, frozen=True, kw_only=True):
    """An area with its own voice. `directions` stand on the ticket."""

    id: Id
    name: LocalText
    directions: LocalText
    floor: LocalText = {}


class Counter(_Table, frozen=True, kw_only=True):
    """A 窗口. `clerk` sits there when the day opens; `transfer_to` is used by keypads that name no target.

    `hours`: shown on its screen; empty: the hall's of the day.
    """

    id: Id
    name: LocalText
    zone: Id
    services: tuple[Id, ...]
    clerk: Id | None = None
    transfer_to: Id | None = None
    hours: tuple[Span, ...] = ()


class Priority(_Table, frozen=True, kw_only=True):
    """A priority class. `minimum_age`: a card that shows this age offers it by itself.

    `needs_card`: only such a card gives it; a tap alone does not.
    """

    id: Id
    name: LocalText
    minimum_age: Annotated[int, msgspec.Meta(ge=0, le=150)] | None = None
    needs_card: bool = False


class When(_Table, frozen=True, kw_only=True):
    """All that is given must hold. Empty: always. Waiting is counted over the rule's `call_from`."""

    counters: tuple[Id, ...] = ()
    zones: tuple[Id, ...] = ()
    times: tuple[Span, ...] = ()
    waiting_at_least: Annotated[int, msgspec.Meta(ge=0)] = 0
    longest_wait_at_least_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class CallFrom(_Table, frozen=True, kw_only=True):
    """Which tickets a rule calls; empty: any. `"normal"` means tickets without a priority class."""

    services: tuple[Id, ...] = ()
    priorities: tuple[Id, ...] = ()


class Appointments(_Table, frozen=True, kw_only=True):
    """Who has an appointment may check in from `early_min` before its time until `late_min` after its end.

    `priority`: the class that the number gets, where the appointment names none; kiosks do not offer it.
    """

    early_min: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 30
    late_min: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 15
    priority: Id | None = None


class Rule(_Table, frozen=True, kw_only=True):
    """WHEN … CALL FROM … RATIO. `ratio` n: at most n in a row per counter while others wait as well.

    `name` is shown to people where a call says why.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    when: When = When()
    call_from: CallFrom = CallFrom()
    ratio: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None


class Numbers(_Table, frozen=True, kw_only=True):
    """Printed numbers: `digits` at least; `lease_from`…10^digits-1 are granted to kiosks in blocks.

    Online numbers run 1…lease_from-1 and then go on from 10^digits.
    """

    digits: Annotated[int, msgspec.Meta(ge=2, le=5)] = 3
    lease_from: Annotated[int, msgspec.Meta(ge=2)] = 600
    lease_size: Annotated[int, msgspec.Meta(ge=1)] = 40


class Limits(_Table, frozen=True, kw_only=True):
    """Times and counts of the queue, seconds unless named otherwise."""

    recalls_before_no_show: Annotated[int, msgspec.Meta(ge=0, le=20)] = 1
    next_pause_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 1.0
    """*Next* sooner after the counter's last call is a key pressed twice, and refused."""
    recall_pause_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.2
    """A recall sooner after the call before it is a key pressed twice, and refused."""
    key_deadline_s: Seconds = 10.0
    """A keypad's key that arrives later is refused: the clerk may have gone, or pressed another since."""
    starvation_bound_s: Seconds = 2700.0
    long_wait_s: Seconds = 1800.0
    serving_after_s: Seconds | None = None
    """A called ticket counts as being served after this time; None: only `finish` and `next` end a call."""
    request_timeout_s: Seconds = 60.0
    """A kiosk's request older than this is refused: nobody waits for the paper any more."""
    print_deadline_s: Seconds = 20.0
    reservation_timeout_s: Seconds = 120.0
    """A reserved number without a paper result becomes void after this time."""
    typical_serve_s: Seconds = 480.0
    """How long a ticket takes a counter, until a service has been served often enough to know."""
    rating_timeout_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 30.0
    rating_deadline_s: Seconds = 20.0
    """A prompt that has not reached its keypad by then is not shown any more."""
    rating_grace_s: Seconds = 300.0
    """How long after its end a prompt waits for the node's word before it counts as unrated."""
    call_deadline_s: Seconds = 20.0
    call_report_timeout_s: Seconds = 40.0
    missed_shown: Annotated[int, msgspec.Meta(ge=0, le=50)] = 8
    board_calls: Annotated[int, msgspec.Meta(ge=1, le=50)] = 12
    """Of each zone."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Everything above, looked up by id. `issue_times`, `issue_days` empty: numbers are given at any time,
    on every day, but for `hours_on`. `call_by_name` False: names that kiosks send are dropped before the
    journal.
    `rating_texts`: after a service a text about it can be written on the hall's own page.
    """

    groups: dict[str, Group]
    services: dict[str, Service]
    zones: dict[str, Zone]
    counters: dict[str, Counter]
    priorities: dict[str, Priority]
    rules: tuple[Rule, ...] = ()
    numbers: Numbers = Numbers()
    limits: Limits = Limits()
    timezone: str = "Asia/Shanghai"
    issue_times: tuple[str, ...] = ()
    appointments: Appointments = Appointments()
    issue_days: tuple[int, ...] = ()
    hours_on: HoursOn = {}
    call_by_name: bool = False
    rating_texts: bool = False

    def number(self, group: str, n: int) -> str:
        """The printed number of counter `n` in `group`, e.g. A005."""
        return f"{self.groups[group].prefix}{n:0{self.numbers.digits}d}"

    def leased(self, n: int) -> bool:
        """Whether counter `n` belongs to the range of the leases."""
        top: int = 10**self.numbers.digits
        return self.numbers.lease_from <= n < top


def in_spans(minute: int, spans: tuple[str, ...]) -> bool:
    """Whether `minute` of the local day (0…1439) lies in one of `spans`; a span may cross midnight."""
    for span in spans:
        start, end = (int(part[:2]) * 60 + int(part[3:]) for part in span.split("-"))
        if start <= end:
            if start <= minute < end:
                return True
        elif minute >= start or minute < end:
            return True
    return False
