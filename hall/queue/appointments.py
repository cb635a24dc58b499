"""Decisions about appointments: the list of a date is imported, and people check in at a kiosk.

An appointment is found by a proof, the keyed hash of a card's number or of a code. It gives one number: only
when that number's paper failed, or the number was given back, another. Where somebody has several of one
date, the one that can be checked in now and is nearest in time counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue import papers
from hall.queue.refusals import RefusedError
from hall.queue.state import Appointment, State

MAX_AHEAD: Final = timedelta(days=90)
"""How far ahead a date may be imported."""
MAX_APPOINTMENTS: Final = 20_000
"""Known at once, over all dates: they are in memory, and in the event that opens a date."""


def import_(state: State, command: cmd.ImportAppointments) -> list[ev.Event]:
    today = state.business_date
    assert today is not None
    if command.business_date < today:
        raise RefusedError("appointment.date_past")
    if command.business_date - today > MAX_AHEAD:
        raise RefusedError("appointment.date_far")
    others = sum(len(known) for date, known in state.appointments.items() if date != command.business_date)
    kept = kept_at_import(state, command)
    new = tuple(appointment for appointment in command.appointments if appointment.id not in kept)
    if state.appointments.get(command.business_date) == {a.id: a for a in new} | kept:
        # Sent again every few minutes it would fill the journal, which is read whole at the next start.
        return []
    if others + len(kept) + len(new) > MAX_APPOINTMENTS:
        raise RefusedError("appointment.too_many")
    return [
        ev.AppointmentsImported(
            at=command.at,
            command=command.id,
            business_date=command.business_date,
            appointments=new,
        )
    ]


def kept_at_import(
    state: State, imported: cmd.ImportAppointments | ev.AppointmentsImported
) -> dict[str, Appointment]:
    """Those of the date that somebody has checked in for: an import does not change them."""
    known = state.appointments.get(imported.business_date, {})
    return {id_: known_one for id_, known_one in known.items() if state.checked_in(known_one) is not None}


def by_proof(state: State) -> dict[str, list[str]]:
    """Proof → the appointments of the business date that it checks in; for `apply`."""
    assert state.business_date is not None
    found: dict[str, list[str]] = {}
    for appointment in state.appointments.get(state.business_date, {}).values():
        for proof in appointment.proofs:
            found.setdefault(proof, []).append(appointment.id)
    return found


def check_in(state: State, command: cmd.CheckIn) -> list[ev.Event]:
    found = _found(state, command)
    _in_time(state, found, command.at)
    priority = found.priority or state.policy.appointments.priority
    return papers.issue(
        state,
        cmd.IssueTicket(
            id=command.id,
            at=command.at,
            ticket=command.ticket,
            service=found.service,
            priority=priority if priority in state.policy.priorities else None,
            source="appointment",
            node=command.node,
            request=command.request,
            requested_at=command.requested_at,
            paperless=command.paperless,
            name=command.name or found.name,
            appointment=found.id,
        ),
    )


def _found(state: State, command: cmd.CheckIn) -> Appointment:
    """The one to check in. Raises RefusedError where there is none, or only such as have a number."""
    assert state.business_date is not None
    of_today = state.appointments.get(state.business_date, {})
    mine = [of_today[id_] for id_ in state.proofs.get(command.proof, ())]
    if not mine:
        raise RefusedError("appointment.none")
    early, late = _margins(state)

    def preference(a: Appointment) -> tuple[bool, timedelta, datetime, str]:
        open_now = a.start - early <= command.at <= a.end + late and state.checked_in(a) is None
        return not open_now, _distance(a, command.at), a.start, a.id

    chosen = min(mine, key=preference)
    ticket = state.checked_in(chosen)
    if ticket is not None:
        # Without word of its paper it may come to nothing: nobody may be told to wait for its call.
        code = "appointment.printing" if ticket.state == "reserved" else "appointment.checked_in"
        raise RefusedError(code, ticket.ticket, {"number": ticket.number})
    return chosen


def _in_time(state: State, appointment: Appointment, at: datetime) -> None:
    early, late = _margins(state)
    if at < appointment.start - early:
        raise RefusedError("appointment.too_early", facts={"from": _clock(state, appointment.start - early)})
    if at > appointment.end + late:
        raise RefusedError("appointment.too_late", facts={"until": _clock(state, appointment.end + late)})


def _margins(state: State) -> tuple[timedelta, timedelta]:
    rules = state.policy.appointments
    return timedelta(minutes=rules.early_min), timedelta(minutes=rules.late_min)


def _distance(appointment: Appointment, at: datetime) -> timedelta:
    if at < appointment.start:
        return appointment.start - at
    return max(timedelta(0), at - appointment.end)


def _clock(state: State, at: datetime) -> str:
    """Local time of day; appointments begin and end on whole minutes."""
    return f"{at.astimezone(ZoneInfo(state.policy.timezone)):%H:%M}"
