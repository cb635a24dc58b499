"""When numbers are given: days, hours and quotas, for the decision and for what screens say of it."""

from __future__ import annotations

from datetime import date, datetime

from hall.queue.policy import Policy, Service, in_spans
from hall.queue.rules import local_minute
from hall.queue.state import State


def hall_hours(policy: Policy, day: date) -> tuple[str, ...]:
    """The hall's spans on a business date; empty: none are said, or nothing is given on that day."""
    return policy.issue_times if _is_day(policy.issue_days, day) else ()


def is_day_of(policy: Policy, service: Service, day: date) -> bool:
    """Whether numbers for `service` are given on a business date at all."""
    return _is_day(service.days or policy.issue_days, day)


def hours_of(policy: Policy, service: Service, day: date) -> tuple[str, ...]:
    """The spans in which numbers for `service` are given on a business date; empty as in `hall_hours`."""
    if not is_day_of(policy, service, day):
        return ()
    return service.hours or policy.issue_times


def why_not(state: State, service: Service, at: datetime) -> str | None:
    """Why nobody can take a number for `service` now, as a key of the text catalogue; None: one can."""
    policy = state.policy
    assert state.business_date is not None
    if not service.open:
        return "ticket.service_closed"
    if not is_day_of(policy, service, state.business_date):
        return "ticket.out_of_hours" if service.days else "ticket.hall_closed"
    spans = service.hours or policy.issue_times
    if spans and not in_spans(local_minute(at, policy.timezone), spans):
        return "ticket.out_of_hours" if service.hours else "ticket.hall_closed"
    if left(state, service) == 0:
        return "ticket.quota_reached"
    return None


def left(state: State, service: Service) -> int | None:
    """What the service's quota still has on this date; None: it has none.

    A void or cancelled number gives its place back: nobody comes with it.
    """
    if service.quota is None:
        return None
    return max(0, service.quota - state.taken.get(service.id, 0))


def _is_day(days: tuple[int, ...], day: date) -> bool:
    return not days or day.isoweekday() in days
