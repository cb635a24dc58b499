"""Saying no to a command, and raising an alarm beside a decision."""

from __future__ import annotations

from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.state import Outcome, State, Ticket


class RefusedError(Exception):
    """A command that may not be done now. `code` is a key of the text catalogue; `facts` fill its text."""

    def __init__(self, code: str, ticket: str | None = None, facts: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.ticket = ticket
        self.facts = facts or {}


class AlreadyDecidedError(Exception):
    """The command's id was decided before, with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.code or "done")
        self.outcome = outcome


def refusal(command: cmd.Command, error: RefusedError) -> ev.Refused:
    """The event that records a refused command, so that it is decided only once."""
    return ev.Refused(
        at=command.at,
        command=command.id,
        code=error.code,
        what=name_of(command),
        node=getattr(command, "node", None),
        request=getattr(command, "request", None),
        counter=getattr(command, "counter", None),
        ticket=error.ticket,
        facts=error.facts,
    )


def name_of(command: cmd.Command) -> str:
    """The kind of a command, for the record."""
    return type(command).__name__


def known_ticket(state: State, ticket_id: str) -> Ticket:
    """Raises RefusedError for a ticket that this date does not have."""
    ticket = state.tickets.get(ticket_id)
    if ticket is None:
        raise RefusedError("ticket.unknown")
    return ticket


def alarm(
    state: State, command: cmd.Command, code: str, subject: str, facts: dict[str, str]
) -> list[ev.Event]:
    """The event that raises an alarm beside a decision; none where it stands already."""
    if (code, subject) in state.alarms:
        return []
    return [ev.AlarmRaised(at=command.at, command=command.id, code=code, subject=subject, facts=facts)]
