"""Decisions about ratings, reports of calls, and what a node sent that nobody can read."""

from __future__ import annotations

from typing import Any

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.refusals import alarm
from hall.queue.state import State


def rate(state: State, command: cmd.Rate) -> list[ev.Event]:
    prompt = state.prompts.get(command.prompt)
    if prompt is None or prompt.ticket != command.ticket:
        return [
            ev.RatingUnmatched(
                at=command.at,
                command=command.id,
                prompt=command.prompt,
                ticket=command.ticket,
                counter=command.counter,
                grade=command.grade,
            )
        ]
    if prompt.result == "rated":
        return [
            ev.RatingRepeated(
                at=command.at,
                command=command.id,
                prompt=command.prompt,
                ticket=command.ticket,
                grade=command.grade,
            )
        ]
    return [
        ev.RatingGiven(
            at=command.at,
            command=command.id,
            prompt=command.prompt,
            ticket=prompt.ticket,
            service=prompt.service,
            counter=prompt.counter,
            clerk=prompt.clerk,
            grade=command.grade,
            business_date=prompt.business_date,
            late=prompt.result == "unrated",
        )
    ]


def give_reasons(state: State, command: cmd.GiveReasons) -> list[ev.Event]:
    """They count once, and only under the grade that the service got."""
    prompt = state.prompts.get(command.prompt)
    why = None
    if prompt is None or prompt.ticket != command.ticket:
        why = "prompt"
    elif prompt.result != "rated" or prompt.grade != command.grade:
        why = "grade"
    elif prompt.reasons:
        why = "again"
    given: dict[str, Any] = {
        "at": command.at,
        "command": command.id,
        "prompt": command.prompt,
        "ticket": command.ticket,
        "counter": command.counter,
        "grade": command.grade,
        "version": command.version,
        "reasons": tuple(dict.fromkeys(command.reasons)),
    }
    return [ev.ReasonsGiven(**given) if why is None else ev.ReasonsUnmatched(**given, why=why)]


def leave_unrated(state: State, command: cmd.LeaveUnrated) -> list[ev.Event]:
    prompt = state.prompts.get(command.prompt)
    if prompt is None or prompt.result != "open" or prompt.ticket != command.ticket:
        return []
    return [
        ev.RatingMissed(
            at=command.at,
            command=command.id,
            prompt=command.prompt,
            ticket=command.ticket,
            counter=prompt.counter,
            reason=command.reason,
        )
    ]


def report_call(state: State, command: cmd.ReportCall) -> list[ev.Event]:
    return [
        ev.CallReported(
            at=command.at,
            command=command.id,
            node=command.node,
            call=command.call,
            device=command.device,
            how=command.how,
            outcome=command.outcome,
            code=command.code,
        )
    ]


def note_unknown(state: State, command: cmd.NoteUnknown) -> list[ev.Event]:
    return [
        ev.NotUnderstood(
            at=command.at,
            command=command.id,
            node=command.node,
            stream=command.stream,
            seq=command.seq,
            kind=command.kind,
            reason=command.reason,
        )
    ]


def note_gap(state: State, command: cmd.NoteGap) -> list[ev.Event]:
    return [
        ev.StreamGap(
            at=command.at,
            command=command.id,
            node=command.node,
            stream=command.stream,
            first=command.first,
            last=command.last,
        ),
        *alarm(
            state,
            command,
            "hall.events_lost",
            command.node,
            {"first": str(command.first), "last": str(command.last)},
        ),
    ]
