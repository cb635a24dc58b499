"""Decisions about questions: how does this ticket stand?"""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from typing import Final

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.state import AT_COUNTER, QUEUED, State, Ticket
from hall.queue.waits import expected

ANSWER_S: Final = 10.0
"""How long somebody waits at the kiosk for the answer."""

_SHOWN: Final = {"reserved": "waiting", "transferred": "waiting", "cancelled": "void", "expired": "void"}
"""States as a citizen is told them, where they are not the same: who holds a ticket has its paper."""


def enquire(state: State, command: cmd.EnquireTicket) -> list[ev.Event]:
    ticket = state.tickets.get(command.ticket)
    answer = ev.TicketEnquired(
        at=command.at,
        command=command.id,
        node=command.node,
        request=command.request,
        ticket=command.ticket,
        answer_by=command.at + timedelta(seconds=ANSWER_S),
        code="ticket.unknown" if ticket is None else None,
        number=ticket.number if ticket is not None else None,
        state=_SHOWN.get(ticket.state, ticket.state) if ticket is not None else None,
        service=ticket.service if ticket is not None else None,
        counter=_counter(ticket) if ticket is not None else None,
        ahead=_ahead(state, ticket) if ticket is not None else None,
        wait_min=expected(state, ticket) if ticket is not None and ticket.state in QUEUED else None,
    )
    return [answer]


def _counter(ticket: Ticket) -> str | None:
    """Where to go: the counter that has called it, parked it or missed it, or that it was sent to."""
    if ticket.state in QUEUED:
        return ticket.target
    return ticket.counter if ticket.state in (*AT_COUNTER, "parked", "no_show") else None


def _ahead(state: State, ticket: Ticket) -> int | None:
    """How many wait before it: for its service, or for the counter that it was sent to."""
    if ticket.state not in QUEUED:
        return None
    place = (ticket.issued_at, ticket.order, ticket.ticket)
    return sum(
        bisect_left(queue, place)
        for (service, _, target), queue in state.queues.items()
        if (target == ticket.target if ticket.target is not None else service == ticket.service)
    )
