"""`decide(state, command) → events`: every decision of the queue. Changes nothing, reads no clock.

The decisions stand by subject in `keys`, `papers`, `appointments`, `ratings`, `texts`, `enquiries` and
`help_key`; the day and the clock are here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, cast

from hall.queue import appointments, enquiries, help_key, keys, papers, ratings, texts, waits
from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.refusals import AlreadyDecidedError, RefusedError, name_of, refusal
from hall.queue.state import OPEN, State

__all__ = ["AlreadyDecidedError", "RefusedError", "decide", "refusal"]

KEEP_PROMPTS: Final = timedelta(days=3)
"""How long a prompt without a grade is kept, so that a grade from a node that was cut off finds it."""

_ALARMS_OF_A_DAY: Final = (
    "hall.long_wait",
    "hall.number_mismatch",
    "hall.number_duplicate",
    "hall.ticket_flagged",
    "hall.lease_full",
    help_key.CODE,
)
"""Alarms about tickets of one date; the next date begins without them."""


def decide(state: State, command: cmd.Command) -> list[ev.Event]:
    """What follows from `command`. Empty only for commands of the clock (id "").

    Raises:
        RefusedError: it may not be done; `refusal` makes the event that records it.
        AlreadyDecidedError: its id is known.
    """
    if command.id:
        outcome = state.outcome(command.id)
        if outcome is not None:
            raise AlreadyDecidedError(outcome)
    if state.business_date is None and not isinstance(command, cmd.OpenDay):
        raise RefusedError("hall.not_open_yet")
    events: list[ev.Event] = _DECIDE[type(command)](state, command)
    if not events and command.id:
        return [
            ev.NothingToDo(
                at=command.at,
                command=command.id,
                what=name_of(command),
                ticket=getattr(command, "ticket", None),
            )
        ]
    return events


def _open_day(state: State, command: cmd.OpenDay) -> list[ev.Event]:
    if state.business_date is not None and command.business_date <= state.business_date:
        if command.business_date == state.business_date:
            return []
        raise RefusedError("hall.date_back")
    events: list[ev.Event] = [
        ev.TicketExpired(
            at=command.at,
            command=command.id,
            ticket=ticket.ticket,
            number=ticket.number,
            was=ticket.state,
        )
        for ticket in state.tickets.values()
        if ticket.state in OPEN
    ]
    written_about = texts.still_open(state, command.business_date)
    events.append(
        ev.DayOpened(
            at=command.at,
            command=command.id,
            business_date=command.business_date,
            prompts=tuple(
                prompt
                for prompt in state.prompts.values()
                if (prompt.result != "rated" and command.at - prompt.asked_at < KEEP_PROMPTS)
                or prompt.prompt in written_about
            ),
            alarms=tuple(alarm for alarm in state.alarms.values() if alarm.code not in _ALARMS_OF_A_DAY),
            appointments=tuple(
                appointment
                for date, known in state.appointments.items()
                for appointment in known.values()
                if date >= command.business_date
            ),
            typical=waits.typical(state),
        )
    )
    return events


def _tick(state: State, command: cmd.Tick) -> list[ev.Event]:
    at = command.at
    limits = state.policy.limits
    events: list[ev.Event] = []
    for ticket_id, until in state.reserved.items():
        if until <= at:
            ticket = state.tickets[ticket_id]
            events.append(ev.TicketVoided(at=at, ticket=ticket_id, number=ticket.number, reason="timeout"))
    for prompt_id, until in state.open_prompts.items():
        if until <= at:
            prompt = state.prompts[prompt_id]
            events.append(
                ev.RatingMissed(
                    at=at, prompt=prompt_id, ticket=prompt.ticket, counter=prompt.counter, reason="expired"
                )
            )
    if limits.serving_after_s is not None:
        for counter in state.counters.values():
            current = state.tickets[counter.ticket] if counter.ticket is not None else None
            if (
                current is not None
                and current.state == "called"
                and current.called_at is not None
                and at >= current.called_at + timedelta(seconds=limits.serving_after_s)
            ):
                events.append(ev.TicketServing(at=at, ticket=current.ticket, counter=counter.counter))
    events += _long_waits(state, command)
    return events


def _long_waits(state: State, command: cmd.Tick) -> list[ev.Event]:
    oldest: dict[str, Any] = {}
    for (service, _, _), queue in state.queues.items():
        if service not in oldest or queue[0] < oldest[service]:
            oldest[service] = queue[0]
    since = command.at - timedelta(seconds=state.policy.limits.long_wait_s)
    long = {service: entry for service, entry in oldest.items() if entry[0] <= since}
    events: list[ev.Event] = [
        ev.AlarmRaised(
            at=command.at,
            code="hall.long_wait",
            subject=service,
            facts={"number": state.tickets[entry[2]].number},
        )
        for service, entry in long.items()
        if ("hall.long_wait", service) not in state.alarms
    ]
    events += [
        ev.AlarmCleared(at=command.at, code=code, subject=subject)
        for code, subject in state.alarms
        if code == "hall.long_wait" and subject not in long
    ]
    return events


def _set_alarms(state: State, command: cmd.SetAlarms) -> list[ev.Event]:
    events: list[ev.Event] = [
        ev.AlarmRaised(
            at=command.at, command=command.id, code=alarm.code, subject=alarm.subject, facts=alarm.facts
        )
        for alarm in command.raised
        if (alarm.code, alarm.subject) not in state.alarms
    ]
    events += [
        ev.AlarmCleared(at=command.at, command=command.id, code=code, subject=subject)
        for code, subject in command.cleared
        if (code, subject) in state.alarms
    ]
    return events


_DECIDE: Final = cast(
    "dict[type[cmd.Command], Callable[[State, Any], list[ev.Event]]]",
    {
        cmd.OpenDay: _open_day,
        cmd.Tick: _tick,
        cmd.IssueTicket: papers.issue,
        cmd.RecordPaper: papers.record_paper,
        cmd.MergeTicket: papers.merge,
        cmd.PressKey: keys.press,
        cmd.CancelTicket: papers.cancel,
        cmd.ReprintTicket: papers.reprint,
        cmd.EnquireTicket: enquiries.enquire,
        cmd.ImportAppointments: appointments.import_,
        cmd.CheckIn: appointments.check_in,
        cmd.AskHelp: help_key.ask,
        cmd.AnswerHelp: help_key.answer,
        cmd.Rate: ratings.rate,
        cmd.GiveReasons: ratings.give_reasons,
        cmd.GiveText: texts.give,
        cmd.LeaveUnrated: ratings.leave_unrated,
        cmd.ReportCall: ratings.report_call,
        cmd.GrantLease: papers.grant_lease,
        cmd.EndCommand: papers.end_command,
        cmd.SetClerk: keys.set_clerk,
        cmd.SetAlarms: _set_alarms,
        cmd.SkipNumbers: papers.skip,
        cmd.NoteUnknown: ratings.note_unknown,
        cmd.NoteGap: ratings.note_gap,
    },
)
