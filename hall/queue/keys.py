"""Decisions about a clerk's keys.

Keys, in words:

- `next` ends the current ticket as finished (the citizen was served) and calls the next one. A closed or
  paused counter is opened by it.
- `recall` says the current ticket again. `no_show` is allowed after `recalls_before_no_show` recalls, and
  leaves the counter free. `finish` ends without calling. `park` lays the current ticket aside, `unpark`
  calls back the longest parked one (or `target`: a parked or missed ticket).
- `transfer` sends the current ticket to `target`, a counter or a service, at its old place by time.
- A recall within `recall_pause_s`, a next within `next_pause_s` of the last call is a key pressed twice.
- A key that arrives `key_deadline_s` after it was pressed does nothing: it waited for a coordinator that was
  away, and a call now would send a citizen to an empty counter.
- A key acts only on the ticket that the clerk saw: where `shown_ticket` is not the counter's current
  ticket the press is refused as stale, so a key pressed twice acts once.
- `open`, `pause`, `close` set the counter; the last two not while a ticket is there.

A ticket served ends with one request for a rating. Being called is followed by `serving` after
`serving_after_s`, where that is set; both count as being at the counter.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.refusals import RefusedError, known_ticket
from hall.queue.rules import choose
from hall.queue.state import CounterNow, State, Ticket

CLOCKS_FROM: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""A node's time before this is of a clock that was never set: it says nothing about lateness."""


def press(state: State, command: cmd.PressKey) -> list[ev.Event]:
    counter = state.counters.get(command.counter)
    if counter is None or command.counter not in state.policy.counters:
        raise RefusedError("hall.counter_unknown")
    late = timedelta(seconds=state.policy.limits.key_deadline_s)
    if command.pressed_at is not None and CLOCKS_FROM <= command.pressed_at < command.at - late:
        raise RefusedError("hall.key_late", counter.ticket)
    current = state.tickets[counter.ticket] if counter.ticket is not None else None
    if command.key in ("open", "pause", "close"):
        wanted = {"open": "open", "pause": "paused", "close": "closed"}[command.key]
        if current is not None and command.key != "open":
            raise RefusedError("hall.counter_busy", current.ticket)
        return [] if counter.state == wanted else _set_counter(command, wanted)
    if command.shown_ticket != counter.ticket:
        raise RefusedError("hall.key_stale", counter.ticket)
    return _KEYS[command.key](state, command, counter, current)


def _set_counter(command: cmd.PressKey, wanted: str) -> list[ev.Event]:
    return [ev.CounterChanged(at=command.at, command=command.id, counter=command.counter, state=wanted)]


def _next(state: State, command: cmd.PressKey, counter: CounterNow, current: Ticket | None) -> list[ev.Event]:
    if current is not None and _called_within(current, command, state.policy.limits.next_pause_s):
        raise RefusedError("hall.next_soon", current.ticket)
    chosen = choose(state, command.counter, command.at)
    if chosen is None and current is None:
        raise RefusedError("hall.nobody_waiting")
    events: list[ev.Event] = [] if counter.state == "open" else _set_counter(command, "open")
    if current is not None:
        events += _finished(state, command, counter, current)
    if chosen is not None:
        events.append(_called(state, command, counter, state.tickets[chosen[0]], chosen[1]))
    return events


def _called(
    state: State, command: cmd.PressKey, counter: CounterNow, ticket: Ticket, why: ev.Why
) -> ev.TicketCalled:
    return ev.TicketCalled(
        at=command.at,
        command=command.id,
        ticket=ticket.ticket,
        number=ticket.number,
        service=ticket.service,
        counter=command.counter,
        clerk=counter.clerk,
        call=command.call,
        deadline=command.at + timedelta(seconds=state.policy.limits.call_deadline_s),
        why=why,
    )


def _finished(state: State, command: cmd.PressKey, counter: CounterNow, ticket: Ticket) -> list[ev.Event]:
    limits = state.policy.limits
    called_at = ticket.called_at or command.at
    answer_by = command.at + timedelta(seconds=limits.rating_deadline_s)
    return [
        ev.TicketFinished(
            at=command.at,
            command=command.id,
            ticket=ticket.ticket,
            number=ticket.number,
            service=ticket.service,
            counter=command.counter,
            clerk=counter.clerk,
            wait_s=max(0, int((called_at - ticket.issued_at).total_seconds())),
            serve_s=max(0, int((command.at - called_at).total_seconds())),
        ),
        ev.RatingPrompted(
            at=command.at,
            command=command.id,
            prompt=command.prompt,
            page=command.page if state.policy.rating_texts else "",
            ticket=ticket.ticket,
            number=ticket.number,
            service=ticket.service,
            counter=command.counter,
            clerk=counter.clerk,
            answer_by=answer_by,
            expires_at=answer_by + timedelta(seconds=limits.rating_timeout_s + limits.rating_grace_s),
        ),
    ]


def _called_within(ticket: Ticket, command: cmd.PressKey, seconds: float) -> bool:
    """Whether the ticket's last call was less than `seconds` before the press."""
    called = ticket.last_call_at
    return called is not None and timedelta(0) <= command.at - called < timedelta(seconds=seconds)


def _current(current: Ticket | None) -> Ticket:
    if current is None:
        raise RefusedError("hall.no_ticket_here")
    return current


def _recall(
    state: State, command: cmd.PressKey, counter: CounterNow, current: Ticket | None
) -> list[ev.Event]:
    ticket = _current(current)
    if _called_within(ticket, command, state.policy.limits.recall_pause_s):
        raise RefusedError("hall.recall_soon", ticket.ticket)
    return [
        ev.TicketRecalled(
            at=command.at,
            command=command.id,
            ticket=ticket.ticket,
            number=ticket.number,
            counter=command.counter,
            call=command.call,
            deadline=command.at + timedelta(seconds=state.policy.limits.call_deadline_s),
            attempt=ticket.attempt + 1,
        )
    ]


def _no_show(
    state: State, command: cmd.PressKey, counter: CounterNow, current: Ticket | None
) -> list[ev.Event]:
    ticket = _current(current)
    if ticket.attempt - 1 < state.policy.limits.recalls_before_no_show:
        raise RefusedError("hall.recall_first", ticket.ticket)
    return [
        ev.TicketNoShow(
            at=command.at,
            command=command.id,
            ticket=ticket.ticket,
            number=ticket.number,
            counter=command.counter,
            attempts=ticket.attempt,
        )
    ]


def _transfer(
    state: State, command: cmd.PressKey, counter: CounterNow, current: Ticket | None
) -> list[ev.Event]:
    ticket = _current(current)
    policy = state.policy
    target = command.target or policy.counters[command.counter].transfer_to
    if target is None or target == command.counter:
        raise RefusedError("hall.transfer_target", ticket.ticket)
    if target in policy.counters:
        service, to_counter = ticket.service, target
    elif target in policy.services:
        service, to_counter = target, None
    else:
        raise RefusedError("hall.transfer_target", ticket.ticket)
    return [
        ev.TicketTransferred(
            at=command.at,
            command=command.id,
            ticket=ticket.ticket,
            counter=command.counter,
            service=service,
            target=to_counter,
        )
    ]


def _park(state: State, command: cmd.PressKey, counter: CounterNow, current: Ticket | None) -> list[ev.Event]:
    ticket = _current(current)
    return [ev.TicketParked(at=command.at, command=command.id, ticket=ticket.ticket, counter=command.counter)]


def _unpark(
    state: State, command: cmd.PressKey, counter: CounterNow, current: Ticket | None
) -> list[ev.Event]:
    if current is not None:
        raise RefusedError("hall.counter_busy", current.ticket)
    target = command.target or (counter.parked[0] if counter.parked else None)
    if target is None:
        raise RefusedError("hall.nobody_parked")
    ticket = known_ticket(state, target)
    if ticket.state not in ("parked", "no_show"):
        raise RefusedError("hall.not_parked", ticket.ticket)
    if ticket.state == "parked" and ticket.counter != command.counter:
        raise RefusedError("hall.parked_elsewhere", ticket.ticket)
    why = ev.Why(
        kind="unparked" if ticket.state == "parked" else "returned",
        wait_s=max(0, int((command.at - ticket.issued_at).total_seconds())),
        waiting=len(counter.parked),
    )
    events: list[ev.Event] = [] if counter.state == "open" else _set_counter(command, "open")
    return [*events, _called(state, command, counter, ticket, why)]


def _finish(
    state: State, command: cmd.PressKey, counter: CounterNow, current: Ticket | None
) -> list[ev.Event]:
    return _finished(state, command, counter, _current(current))


def set_clerk(state: State, command: cmd.SetClerk) -> list[ev.Event]:
    if command.counter not in state.policy.counters:
        raise RefusedError("hall.counter_unknown")
    if state.counters[command.counter].clerk == command.clerk:
        return []
    return [ev.ClerkChanged(at=command.at, command=command.id, counter=command.counter, clerk=command.clerk)]


_KEYS: Final[dict[str, Callable[[State, cmd.PressKey, CounterNow, Ticket | None], list[ev.Event]]]] = {
    "next": _next,
    "recall": _recall,
    "no_show": _no_show,
    "transfer": _transfer,
    "park": _park,
    "unpark": _unpark,
    "finish": _finish,
}
