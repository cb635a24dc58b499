"""Where a ticket is: in a queue, at a counter, parked, missed; and what that counts for. For `apply` only."""

from __future__ import annotations

from bisect import bisect_left, insort

from hall.queue import events as ev
from hall.queue import waits
from hall.queue.state import QUEUED, QueueKey, State, Ticket, TicketState


def _key(ticket: Ticket) -> QueueKey:
    return (ticket.service, ticket.priority or "", ticket.target or "")


def join(state: State, ticket: Ticket, as_: TicketState = "waiting") -> None:
    """Into its queue, at its place by the time of issue."""
    ticket.state = as_
    entry = (ticket.issued_at, ticket.order, ticket.ticket)
    queue = state.queues.get(_key(ticket))
    if queue is None:
        state.queues[_key(ticket)] = [entry]
    elif queue[-1] < entry:
        queue.append(entry)
    else:
        insort(queue, entry)
    state.waiting[ticket.service] = state.waiting.get(ticket.service, 0) + 1


def leave(state: State, ticket: Ticket) -> None:
    """Out of wherever it is: queue, reservation, counter, parked, missed."""
    if ticket.state in QUEUED:
        queue = state.queues[_key(ticket)]
        entry = (ticket.issued_at, ticket.order, ticket.ticket)
        del queue[bisect_left(queue, entry)]
        if not queue:
            del state.queues[_key(ticket)]
        state.waiting[ticket.service] -= 1
    elif ticket.state == "reserved":
        state.reserved.pop(ticket.ticket, None)
    elif ticket.state in ("called", "serving") and ticket.counter is not None:
        counter = state.counters[ticket.counter]
        if counter.ticket == ticket.ticket:
            counter.ticket = None
    elif ticket.state == "parked" and ticket.counter is not None:
        state.counters[ticket.counter].parked.remove(ticket.ticket)
    elif ticket.state == "no_show" and ticket.ticket in state.missed:
        state.missed.remove(ticket.ticket)


def take(state: State, ticket: Ticket, by: int) -> None:
    """A number counts to the quota of its service from now on (1), or no more (-1)."""
    state.taken[ticket.taken_for] = state.taken.get(ticket.taken_for, 0) + by


def note_time(state: State, ticket: Ticket, event: ev.Event) -> None:
    """The ticket leaves a counter: remember how long it took."""
    if ticket.called_at is not None:
        waits.after_serving(state, ticket, (event.at - ticket.called_at).total_seconds())
