"""When numbers are given: days, hours and quotas, for the decision and for what screens say of it.

A business date asks, in this order, and the first that says something holds:

1. the service's `hours_on` of this date: spans, or none: nothing is given;
2. the hall's `hours_on` of this date, where it is empty: the hall is closed, and with it every service;
3. whether the service works on this day: its `hours_on` of the weekday, its `days`, the hall's `hours_on` of
   the date (so a working Saturday is a day of the hall), of the weekday, its `issue_days`. A service that
   names days of its own keeps them, also on a working Saturday;
4. and then when: the hall's `hours_on` of the date, the service's `hours_on` of the weekday, its `hours`, the
   hall's `hours_on` of the weekday, its `issue_times`.

Spans that cross midnight belong to the business date in which they begin.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hall.queue.policy import Counter, Policy, Service, in_spans
from hall.queue.rules import local_minute
from hall.queue.state import State

AHEAD: Final = 62
"""How many days are looked at for the next one on which numbers are given; longer no hall rests."""


def given(policy: Policy, day: date, service: Service | None = None) -> tuple[str, ...] | None:
    """The spans of a business date, of the hall or of a service; (): at any time; None: nothing is given."""
    on_date, weekday = day.isoformat(), str(day.isoweekday())
    hall, own = policy.hours_on, service.hours_on if service is not None else {}
    if on_date in own:
        return own[on_date] or None
    if on_date in hall and not hall[on_date]:
        return None
    if weekday in own:
        works = bool(own[weekday])
    elif service is not None and service.days:
        works = day.isoweekday() in service.days
    elif on_date in hall:
        works = True
    elif weekday in hall:
        works = bool(hall[weekday])
    else:
        works = not policy.issue_days or day.isoweekday() in policy.issue_days
    if not works:
        return None
    usual = service.hours if service is not None else ()
    return hall.get(on_date) or own.get(weekday) or usual or hall.get(weekday) or policy.issue_times


def hall_hours(policy: Policy, day: date) -> tuple[str, ...]:
    """The hall's spans on a business date; empty: none are said, or nothing is given on that day."""
    return given(policy, day) or ()


def is_day_of(policy: Policy, service: Service, day: date) -> bool:
    """Whether numbers for `service` are given on a business date at all."""
    return given(policy, day, service) is not None


def hours_of(policy: Policy, service: Service, day: date) -> tuple[str, ...]:
    """The spans in which numbers for `service` are given on a business date; empty as in `hall_hours`."""
    return given(policy, day, service) or ()


def counter_hours(policy: Policy, counter: Counter, day: date) -> tuple[str, ...]:
    """What a counter's screen says of a business date; empty: nothing, as when none of its services is given.

    A date of the hall goes before the counter's own `hours`, as with services.
    """
    found = {given(policy, day, policy.services[service]) for service in counter.services} - {None}
    if not found:
        return ()
    said = policy.hours_on.get(day.isoformat()) or counter.hours or hall_hours(policy, day)
    return said or (found.pop() or () if len(found) == 1 else ())


def why_not(state: State, service: Service, at: datetime) -> str | None:
    """Why nobody can take a number for `service` now, as a key of the text catalogue; None: one can."""
    policy = state.policy
    assert state.business_date is not None
    if not service.open:
        return "ticket.service_closed"
    spans = given(policy, state.business_date, service)
    if spans is None or (spans and not in_spans(local_minute(at, policy.timezone), spans)):
        own = spans != given(policy, state.business_date)
        return "ticket.out_of_hours" if own else "ticket.hall_closed"
    if left(state, service) == 0:
        return "ticket.quota_reached"
    return None


def again(state: State, service: Service, at: datetime) -> date | None:
    """The next business date on which numbers for `service` are given, where this one has no more hours to
    come; None: it has, or there is no such date soon, or one can be taken now."""
    policy, day = state.policy, state.business_date
    assert day is not None
    if why_not(state, service, at) not in ("ticket.out_of_hours", "ticket.hall_closed"):
        return None
    now = at.astimezone(ZoneInfo(policy.timezone))
    if now.date() <= day and any(span[:5] > f"{now:%H:%M}" for span in hours_of(policy, service, day)):
        return None
    days = (day + timedelta(days=n) for n in range(1, AHEAD + 1))
    return next((one for one in days if is_day_of(policy, service, one)), None)


def left(state: State, service: Service) -> int | None:
    """What the service's quota still has on this date; None: it has none.

    A void or cancelled number gives its place back: nobody comes with it.
    """
    if service.quota is None:
        return None
    return max(0, service.quota - state.taken.get(service.id, 0))
