"""Decisions about numbers and their paper: issue, print results, merges, leases, cancel, reprint."""

from __future__ import annotations

from datetime import timedelta

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue import hours
from hall.queue.numbers import decide_lease, group_of, next_number, parse_number
from hall.queue.policy import Service
from hall.queue.refusals import RefusedError, alarm, known_ticket, refusal
from hall.queue.state import OPEN, QUEUED, State


def issue(state: State, command: cmd.IssueTicket) -> list[ev.Event]:
    policy = state.policy
    service = policy.services.get(command.service)
    if service is None:
        raise RefusedError("ticket.service_unknown")
    if command.priority is not None and command.priority not in policy.priorities:
        raise RefusedError("ticket.priority_unknown")
    _may_issue(state, service, command)
    if command.ticket in state.tickets:
        raise RefusedError("ticket.exists")
    if command.requested_at is not None:
        # A clock that is more than a day off says nothing about how long the request took.
        late = (command.at - command.requested_at).total_seconds()
        if policy.limits.request_timeout_s < late < 86_400:
            raise RefusedError("ticket.request_late")
    n = next_number(state, service.group)
    if n is None:
        raise RefusedError("ticket.numbers_full")
    reserve = command.node is not None
    limits = policy.limits
    return [
        ev.TicketIssued(
            at=command.at,
            command=command.id,
            ticket=command.ticket,
            number=policy.number(service.group, n),
            n=n,
            group=service.group,
            service=service.id,
            priority=command.priority,
            state="reserved" if reserve else "waiting",
            source=command.source,
            node=command.node,
            request=command.request,
            ahead=state.waiting.get(service.id, 0),
            print_by=command.at + timedelta(seconds=limits.print_deadline_s) if reserve else None,
            reserved_until=command.at + timedelta(seconds=limits.reservation_timeout_s) if reserve else None,
            paperless=command.paperless and reserve,
            name=command.name if policy.call_by_name else None,
            appointment=command.appointment,
        )
    ]


def _may_issue(state: State, service: Service, command: cmd.IssueTicket) -> None:
    """Raises RefusedError when no number is given for the service now."""
    if command.appointment is not None:
        # The hall has promised this hour and this place.
        closed = None if service.open else "ticket.service_closed"
    else:
        closed = hours.why_not(state, service, command.at)
        if command.source == "kiosk" and command.priority == state.policy.appointments.priority is not None:
            closed = "ticket.priority_unknown"
    if closed is not None:
        raise RefusedError(closed)


def record_paper(state: State, command: cmd.RecordPaper) -> list[ev.Event]:
    ticket = state.tickets.get(command.ticket)
    if ticket is None:
        return _adopt(state, command)
    if ticket.number != command.number:
        return [
            *_paper(command, None),
            *alarm(
                state,
                command,
                "hall.number_mismatch",
                ticket.number,
                {"printed": command.number, "node": command.node},
            ),
        ]
    becomes: str | None = None
    if ticket.state == "reserved":
        becomes = "void" if command.paper == "failed" else "waiting"
    elif ticket.state == "void" and command.paper != "failed" and not state.replaced(ticket):
        becomes = "waiting"
    return _paper(command, becomes)


def _paper(command: cmd.RecordPaper, becomes: str | None) -> list[ev.Event]:
    return [
        ev.PaperRecorded(
            at=command.at,
            command=command.id,
            node=command.node,
            ticket=command.ticket,
            number=command.number,
            paper=command.paper,
            becomes=becomes,
            code=command.code,
        )
    ]


def _adopt(state: State, command: cmd.RecordPaper) -> list[ev.Event]:
    """A paper of a ticket that this journal does not have: yesterday's, or lost with a restored backup."""
    if command.business_date != state.business_date or command.paper == "failed":
        return _paper(command, None)
    as_merge = cmd.MergeTicket(
        id=command.id,
        at=command.at,
        node=command.node,
        ticket=command.ticket,
        number=command.number,
        service="",
        business_date=command.business_date,
        lease_epoch=0,
        issued_at=command.printed_at,
        paper=command.paper,
        code=command.code,
    )
    return _merged(state, as_merge, ("unknown_ticket",))


def merge(state: State, command: cmd.MergeTicket) -> list[ev.Event]:
    return _merged(state, command, ())


def _merged(state: State, command: cmd.MergeTicket, flags: tuple[str, ...]) -> list[ev.Event]:
    policy = state.policy
    assert state.business_date is not None
    if command.ticket in state.tickets:
        return []
    joins = command.business_date == state.business_date
    prefix, n = parse_number(command.number)
    service = policy.services.get(command.service)
    if service is None:
        group = group_of(policy, prefix)
        service = next((s for s in policy.services.values() if s.group == group), None) or next(
            iter(policy.services.values())
        )
        if command.service:
            flags += ("unknown_service",)
    if not joins:
        flags += ("other_date",)
    elif "unknown_ticket" not in flags and not any(
        lease.node == command.node
        and lease.first <= n <= lease.last
        and lease.group == group_of(policy, prefix)
        for lease in state.leases
    ):
        flags += ("foreign",)
    if joins and command.number in state.used:
        flags += ("duplicate",)
    issued_at = command.issued_at
    if joins and state.opened_at is not None and not state.opened_at <= issued_at <= command.at:
        if issued_at < state.opened_at - timedelta(days=1) or issued_at > command.at + timedelta(minutes=5):
            flags += ("clock",)
        issued_at = min(max(issued_at, state.opened_at), command.at)
    events: list[ev.Event] = [
        ev.TicketMerged(
            at=command.at,
            command=command.id,
            node=command.node,
            ticket=command.ticket,
            number=command.number,
            n=n,
            group=service.group,
            service=service.id,
            business_date=command.business_date,
            issued_at=issued_at,
            paper=command.paper,
            joins=joins,
            lease_epoch=command.lease_epoch,
            priority=command.priority if command.priority in policy.priorities else None,
            code=command.code,
            flags=flags,
        )
    ]
    if flags:
        code = "hall.number_duplicate" if "duplicate" in flags else "hall.ticket_flagged"
        events += alarm(
            state, command, code, command.number, {"node": command.node, "flags": " ".join(flags)}
        )
    return events


def end_command(state: State, command: cmd.EndCommand) -> list[ev.Event]:
    ended = ev.CommandEnded(
        at=command.at,
        command=command.id,
        node=command.node,
        ended=command.command,
        outcome=command.outcome,
        code=command.code,
    )
    events: list[ev.Event] = [ended]
    kind, _, about = command.command.partition("-")
    if command.outcome == "done":
        return events
    if kind == "print":
        ticket = state.tickets.get(about)
        if ticket is not None and ticket.state == "reserved" and ticket.node == command.node:
            events.append(
                ev.TicketVoided(
                    at=command.at,
                    command=command.id,
                    ticket=about,
                    number=ticket.number,
                    reason=command.outcome,
                )
            )
    elif kind == "rate" and about in state.open_prompts:
        prompt = state.prompts[about]
        events.append(
            ev.RatingMissed(
                at=command.at,
                command=command.id,
                prompt=about,
                ticket=prompt.ticket,
                counter=prompt.counter,
                reason=command.outcome,
            )
        )
    return events


def cancel(state: State, command: cmd.CancelTicket) -> list[ev.Event]:
    ticket = known_ticket(state, command.ticket)
    if ticket.state not in ("reserved", *QUEUED, "parked"):
        raise RefusedError("ticket.not_open", ticket.ticket)
    return [ev.TicketCancelled(at=command.at, command=command.id, ticket=ticket.ticket, number=ticket.number)]


def reprint(state: State, command: cmd.ReprintTicket) -> list[ev.Event]:
    ticket = known_ticket(state, command.ticket)
    node = command.node or ticket.node
    if node is None:
        raise RefusedError("ticket.no_printer", ticket.ticket)
    if ticket.state not in ("void", *OPEN, "no_show") or state.replaced(ticket):
        raise RefusedError("ticket.not_open", ticket.ticket)
    return [
        ev.ReprintAsked(
            at=command.at,
            command=command.id,
            ticket=ticket.ticket,
            number=ticket.number,
            node=node,
            service=ticket.service,
            issued_at=ticket.issued_at,
            priority=ticket.priority,
            print_by=command.at + timedelta(seconds=state.policy.limits.print_deadline_s),
            count=ticket.reprints + 1,
            ahead=state.waiting.get(ticket.service, 0),
        )
    ]


def grant_lease(state: State, command: cmd.GrantLease) -> list[ev.Event]:
    if command.group not in state.policy.groups:
        raise RefusedError("hall.group_unknown")
    if command.business_date != state.business_date:
        raise RefusedError("hall.lease_date")
    mine = [e for e in state.leases if e.node == command.node and e.group == command.group]
    if mine and (not command.more or not mine[-1].answered):
        # It has one, or one is on its way: dispatch sends that again.
        return []
    block = decide_lease(state, command.group)
    if block is None:
        return [
            refusal(command, RefusedError("hall.lease_full")),
            *alarm(state, command, "hall.lease_full", command.group, {"node": command.node}),
        ]
    first, last = block
    return [
        ev.LeaseGranted(
            at=command.at,
            command=command.id,
            lease=f"lease-{command.business_date:%Y%m%d}-{first}-{command.group}",
            node=command.node,
            group=command.group,
            business_date=command.business_date,
            first=first,
            last=last,
            epoch=command.epoch,
        )
    ]


def skip(state: State, command: cmd.SkipNumbers) -> list[ev.Event]:
    known = state.policy.groups
    return [
        ev.NumbersSkipped(
            at=command.at,
            command=command.id,
            online={group: n for group, n in command.online.items() if group in known},
            leases={group: n for group, n in command.leases.items() if group in known},
        )
    ]
