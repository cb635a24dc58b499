"""Decisions about the help key of a kiosk: one alarm for a station, until somebody has been there."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.refusals import RefusedError
from hall.queue.state import State

CODE: Final = "kiosk.help"
ANSWERED: Final = "answered"
"""A fact of the alarm: since when somebody is on the way."""
WAITS: Final = timedelta(minutes=10)
"""How long somebody waits for help; the kiosk's screen forgets the call as well."""
TELL: Final = timedelta(minutes=2)
"""How long the node is told; later the citizen sees for himself."""


def subject_of(node: str, station: str) -> str:
    """What the alarm is about."""
    return f"{node}/{station}"


def ask(state: State, command: cmd.AskHelp) -> list[ev.Event]:
    subject = subject_of(command.node, command.station)
    if not command.wanted:
        return _over(state, command, subject)
    standing = state.alarms.get((CODE, subject))
    if standing is not None and ANSWERED not in standing.facts:
        return []
    if command.asked_at is not None and WAITS < command.at - command.asked_at < timedelta(days=1):
        # The node was cut off, and nobody stands there any more. A clock a day off says nothing of that.
        return []
    # Where it was answered, the kiosk had stopped waiting: somebody else asks, or nobody came.
    return [
        ev.AlarmRaised(
            at=command.at,
            command=command.id,
            code=CODE,
            subject=subject,
            facts={"node": command.node, "station": command.station},
        )
    ]


def answer(state: State, command: cmd.AnswerHelp) -> list[ev.Event]:
    subject = subject_of(command.node, command.station)
    standing = state.alarms.get((CODE, subject))
    if standing is None:
        raise RefusedError("kiosk.help_none")
    if not command.over and ANSWERED in standing.facts:
        # Two clerks answer one call: the citizen is told once.
        return []
    return [
        ev.HelpAnswered(
            at=command.at,
            command=command.id,
            node=command.node,
            station=command.station,
            answer=command.answer,
            answer_by=command.at + TELL,
            over=command.over,
        ),
        *(_over(state, command, subject) if command.over else ()),
    ]


def _over(state: State, command: cmd.Command, subject: str) -> list[ev.Event]:
    if (CODE, subject) not in state.alarms:
        return []
    return [ev.AlarmCleared(at=command.at, command=command.id, code=CODE, subject=subject)]
