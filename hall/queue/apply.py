"""`apply(state, event) → state`: how an event changes the state. Never refuses, never decides.

The state given in is changed and handed back; the caller gives the old one up. Replaying the events of a
day on `empty(policy)` gives the same state again.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, Final, cast

from hall.queue import events as ev
from hall.queue import help_key
from hall.queue.appointments import by_proof, kept_at_import
from hall.queue.places import join, leave, note_time, take
from hall.queue.rules import next_ratios
from hall.queue.state import (
    MAX_DECIDED,
    ON_SCREEN,
    Alarm,
    CounterNow,
    Lease,
    Outcome,
    Prompt,
    State,
    Ticket,
    TicketState,
)


def apply(state: State, event: ev.Event) -> State:
    """The state after `event`. Changes and returns `state` itself."""
    change = _CHANGES.get(type(event))
    if change is not None:
        change(state, event)
    if event.command:
        _remember(state, event)
    return state


def _remember(state: State, event: ev.Event) -> None:
    code = event.code if isinstance(event, ev.Refused) else None
    ticket = getattr(event, "ticket", None)
    known = state.decided.get(event.command)
    if known is not None:
        if ticket is not None:
            known.ticket = ticket
        return
    if len(state.decided) >= MAX_DECIDED:
        state.decided_before = state.decided
        state.decided = {}
    state.decided[event.command] = Outcome(code=code, ticket=ticket)


def _counter(state: State, counter: str) -> CounterNow:
    """A counter that an old journal names and the present configuration does not is kept as well."""
    return state.counters.setdefault(counter, CounterNow(counter=counter))


# ---------------------------------------------------------------- one function per kind


def _day_opened(state: State, event: ev.DayOpened) -> None:
    state.business_date = event.business_date
    state.opened_at = event.at
    state.tickets = {}
    state.orders = 0
    state.used = {}
    state.numbers = {}
    state.lease_next = {}
    state.leases = []
    state.queues = {}
    state.waiting = {}
    state.reserved = {}
    state.taken = {}
    state.served = {}
    state.typical = dict(event.typical)
    state.missed = []
    state.decided = {}
    state.decided_before = {}
    state.counters = {
        counter.id: CounterNow(counter=counter.id, clerk=counter.clerk)
        for counter in state.policy.counters.values()
    }
    state.prompts = {prompt.prompt: copy(prompt) for prompt in event.prompts}
    state.open_prompts = {p.prompt: p.expires_at for p in event.prompts if p.result == "open"}
    state.pages = {p.page: p.prompt for p in event.prompts if p.page}
    state.texts = 0
    state.alarms = {(alarm.code, alarm.subject): copy(alarm) for alarm in event.alarms}
    state.appointments = {}
    for appointment in event.appointments:
        of_date = state.appointments.setdefault(appointment.business_date, {})
        of_date[appointment.id] = copy(appointment)
        of_date[appointment.id].ticket = None
    state.proofs = by_proof(state)


def _ticket_expired(state: State, event: ev.TicketExpired) -> None:
    ticket = state.tickets[event.ticket]
    leave(state, ticket)
    ticket.state = "expired"
    ticket.ended_at = event.at


def _ticket_issued(state: State, event: ev.TicketIssued) -> None:
    state.orders += 1
    ticket = Ticket(
        ticket=event.ticket,
        order=state.orders,
        number=event.number,
        group=event.group,
        service=event.service,
        priority=event.priority,
        state="reserved",
        source=event.source,
        issued_at=event.at,
        node=event.node,
        request=event.request,
        reserved_until=event.reserved_until,
        taken_for=event.service,
        paperless=event.paperless,
        name=event.name,
        appointment=event.appointment,
    )
    state.tickets[event.ticket] = ticket
    take(state, ticket, 1)
    _check_in(state, ticket)
    state.used[event.number] = event.ticket
    state.numbers[event.group] = event.n + 1
    if event.state == "waiting":
        join(state, ticket)
    elif event.reserved_until is not None:
        state.reserved[event.ticket] = event.reserved_until


def _paper_recorded(state: State, event: ev.PaperRecorded) -> None:
    ticket = state.tickets.get(event.ticket)
    if ticket is None:
        return
    if ticket.paper != "confirmed":
        ticket.paper = event.paper
    if event.paper == "confirmed" and event.code != ON_SCREEN:
        ticket.paperless = False
    if event.becomes is not None:
        was_void = ticket.state == "void"
        leave(state, ticket)
        if event.becomes == "waiting":
            ticket.ended_at = None
            join(state, ticket)
            if was_void:
                take(state, ticket, 1)
                _check_in(state, ticket)
        else:
            _void(state, ticket, event)


def _check_in(state: State, ticket: Ticket) -> None:
    """The number holds for its appointment, where that still stands (an import may have taken it away)."""
    if ticket.appointment is not None and state.business_date is not None:
        appointment = state.appointments.get(state.business_date, {}).get(ticket.appointment)
        if appointment is not None:
            appointment.ticket = ticket.ticket


def _ticket_voided(state: State, event: ev.TicketVoided) -> None:
    ticket = state.tickets[event.ticket]
    leave(state, ticket)
    _void(state, ticket, event)


def _void(state: State, ticket: Ticket, event: ev.Event) -> None:
    ticket.state = "void"
    ticket.ended_at = event.at
    take(state, ticket, -1)


def _ticket_merged(state: State, event: ev.TicketMerged) -> None:
    if not event.joins or event.ticket in state.tickets:
        return
    state.orders += 1
    ticket = Ticket(
        ticket=event.ticket,
        order=state.orders,
        number=event.number,
        group=event.group,
        service=event.service,
        priority=event.priority,
        state="void",
        source="kiosk_offline",
        issued_at=event.issued_at,
        node=event.node,
        paper=event.paper,
        taken_for=event.service,
        paperless=event.code == ON_SCREEN,
    )
    state.tickets[event.ticket] = ticket
    state.used.setdefault(event.number, event.ticket)
    policy = state.policy
    if "foreign" in event.flags and policy.leased(event.n) and event.group in policy.groups:
        # Of a lease that this journal has forgotten: what is left of that block must go to nobody else.
        behind = event.n + policy.numbers.lease_size
        state.lease_next[event.group] = max(state.lease_next.get(event.group, 0), behind)
    if event.paper == "failed":
        ticket.ended_at = event.at
    else:
        take(state, ticket, 1)
        join(state, ticket)


def _ticket_called(state: State, event: ev.TicketCalled) -> None:
    ticket = state.tickets[event.ticket]
    leave(state, ticket)
    ticket.state = "called"
    ticket.counter = event.counter
    ticket.call = event.call
    ticket.attempt = event.attempt
    ticket.called_at = event.at
    ticket.last_call_at = event.at
    ticket.ended_at = None
    counter = _counter(state, event.counter)
    counter.ticket = event.ticket
    counter.ratios = next_ratios(counter.ratios, event.why)


def _ticket_recalled(state: State, event: ev.TicketRecalled) -> None:
    ticket = state.tickets[event.ticket]
    ticket.state = "called"
    ticket.call = event.call
    ticket.attempt = event.attempt
    ticket.last_call_at = event.at


def _ticket_serving(state: State, event: ev.TicketServing) -> None:
    state.tickets[event.ticket].state = "serving"


def _ticket_finished(state: State, event: ev.TicketFinished) -> None:
    note_time(state, state.tickets[event.ticket], event)
    _end(state, event.ticket, "finished", event)


def _ticket_no_show(state: State, event: ev.TicketNoShow) -> None:
    note_time(state, state.tickets[event.ticket], event)
    _end(state, event.ticket, "no_show", event)
    state.missed.append(event.ticket)


def _ticket_cancelled(state: State, event: ev.TicketCancelled) -> None:
    _end(state, event.ticket, "cancelled", event)
    take(state, state.tickets[event.ticket], -1)


def _end(state: State, ticket_id: str, as_: TicketState, event: ev.Event) -> None:
    ticket = state.tickets[ticket_id]
    leave(state, ticket)
    ticket.state = as_
    ticket.ended_at = event.at


def _ticket_parked(state: State, event: ev.TicketParked) -> None:
    ticket = state.tickets[event.ticket]
    note_time(state, ticket, event)
    leave(state, ticket)
    ticket.state = "parked"
    _counter(state, event.counter).parked.append(event.ticket)


def _ticket_transferred(state: State, event: ev.TicketTransferred) -> None:
    ticket = state.tickets[event.ticket]
    note_time(state, ticket, event)
    leave(state, ticket)
    ticket.counter = None
    ticket.call = None
    ticket.called_at = None
    ticket.attempt = 0
    ticket.service = event.service
    ticket.target = event.target
    join(state, ticket, "transferred")


def _reprint_asked(state: State, event: ev.ReprintAsked) -> None:
    state.tickets[event.ticket].reprints = event.count


def _counter_changed(state: State, event: ev.CounterChanged) -> None:
    _counter(state, event.counter).state = event.state  # type: ignore[assignment]


def _clerk_changed(state: State, event: ev.ClerkChanged) -> None:
    _counter(state, event.counter).clerk = event.clerk


def _rating_prompted(state: State, event: ev.RatingPrompted) -> None:
    assert state.business_date is not None
    state.prompts[event.prompt] = Prompt(
        prompt=event.prompt,
        ticket=event.ticket,
        number=event.number,
        service=event.service,
        counter=event.counter,
        clerk=event.clerk,
        business_date=state.business_date,
        asked_at=event.at,
        expires_at=event.expires_at,
        page=event.page,
    )
    state.open_prompts[event.prompt] = event.expires_at
    if event.page:
        state.pages[event.page] = event.prompt


def _rating_given(state: State, event: ev.RatingGiven) -> None:
    prompt = state.prompts[event.prompt]
    prompt.result = "rated"
    prompt.grade = event.grade
    state.open_prompts.pop(event.prompt, None)


def _rating_missed(state: State, event: ev.RatingMissed) -> None:
    prompt = state.prompts.get(event.prompt)
    if prompt is not None and prompt.result == "open":
        prompt.result = "unrated"
    state.open_prompts.pop(event.prompt, None)


def _reasons_given(state: State, event: ev.ReasonsGiven) -> None:
    prompt = state.prompts[event.prompt]
    prompt.reasons = event.reasons
    prompt.reasons_version = event.version


def _text_given(state: State, event: ev.TextGiven) -> None:
    prompt = state.prompts[event.prompt]
    prompt.text = event.text
    prompt.text_at = event.at
    state.texts += 1


def _appointments_imported(state: State, event: ev.AppointmentsImported) -> None:
    kept = kept_at_import(state, event)
    new = {appointment.id: copy(appointment) for appointment in event.appointments}
    state.appointments[event.business_date] = new | kept
    if event.business_date == state.business_date:
        state.proofs = by_proof(state)


def _help_answered(state: State, event: ev.HelpAnswered) -> None:
    known = state.alarms.get((help_key.CODE, help_key.subject_of(event.node, event.station)))
    if known is not None:
        known.facts = known.facts | {help_key.ANSWERED: event.at.isoformat()}


def _lease_granted(state: State, event: ev.LeaseGranted) -> None:
    state.leases.append(
        Lease(
            command=event.lease,
            group=event.group,
            node=event.node,
            first=event.first,
            last=event.last,
            epoch=event.epoch,
            granted_at=event.at,
        )
    )
    state.lease_next[event.group] = event.last + 1


def _command_ended(state: State, event: ev.CommandEnded) -> None:
    for lease in state.leases:
        if lease.command == event.ended and lease.node == event.node:
            lease.answered = True


def _numbers_skipped(state: State, event: ev.NumbersSkipped) -> None:
    for group, n in event.online.items():
        state.numbers[group] = max(state.numbers.get(group, 1), n + 1)
    for group, n in event.leases.items():
        state.lease_next[group] = max(state.lease_next.get(group, 0), n + 1)


def _alarm_raised(state: State, event: ev.AlarmRaised) -> None:
    state.alarms[event.code, event.subject] = Alarm(
        code=event.code, subject=event.subject, raised_at=event.at, facts=event.facts
    )


def _alarm_cleared(state: State, event: ev.AlarmCleared) -> None:
    state.alarms.pop((event.code, event.subject), None)


_CHANGES: Final = cast(
    "dict[type[ev.Event], Callable[[State, Any], None]]",
    {
        ev.DayOpened: _day_opened,
        ev.TicketExpired: _ticket_expired,
        ev.TicketIssued: _ticket_issued,
        ev.PaperRecorded: _paper_recorded,
        ev.TicketVoided: _ticket_voided,
        ev.TicketMerged: _ticket_merged,
        ev.TicketCalled: _ticket_called,
        ev.TicketRecalled: _ticket_recalled,
        ev.TicketServing: _ticket_serving,
        ev.TicketFinished: _ticket_finished,
        ev.TicketNoShow: _ticket_no_show,
        ev.TicketParked: _ticket_parked,
        ev.TicketTransferred: _ticket_transferred,
        ev.TicketCancelled: _ticket_cancelled,
        ev.ReprintAsked: _reprint_asked,
        ev.CounterChanged: _counter_changed,
        ev.ClerkChanged: _clerk_changed,
        ev.RatingPrompted: _rating_prompted,
        ev.RatingGiven: _rating_given,
        ev.RatingMissed: _rating_missed,
        ev.ReasonsGiven: _reasons_given,
        ev.TextGiven: _text_given,
        ev.AppointmentsImported: _appointments_imported,
        ev.HelpAnswered: _help_answered,
        ev.LeaseGranted: _lease_granted,
        ev.CommandEnded: _command_ended,
        ev.NumbersSkipped: _numbers_skipped,
        ev.AlarmRaised: _alarm_raised,
        ev.AlarmCleared: _alarm_cleared,
    },
)
