"""Node events as commands of the queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from hall.queue import commands as cmd
from hall.runtime import new_id
from wire.kiosk_messages import CheckIn, HelpWanted, TicketEnquired
from wire.messages import (
    CallReported,
    CommandResult,
    KeyPressed,
    LeaseLow,
    Message,
    NodeEvent,
    Rated,
    RatingReasonsGiven,
    RatingUnanswered,
    TicketIssuedOffline,
    TicketPrinted,
    TicketRequested,
)


def to_command(
    node: str,
    event: NodeEvent,
    body: Message | None,
    *,
    at: datetime,
    epoch: int,
    date_of: Callable[[datetime], date],
) -> cmd.Command:
    """The command that an event asks for. `body` None: it could not be read, which is recorded as well.

    Args:
        at: When it arrived, UTC.
        date_of: The business date of a moment.
    """
    id_ = f"{node}:{event.id}"
    match body:
        case TicketRequested():
            return cmd.IssueTicket(
                id=id_,
                at=at,
                ticket=new_id(),
                service=body.service,
                priority=body.priority,
                source="kiosk",
                node=node,
                request=body.request,
                requested_at=_utc(event.at),
                paperless=body.paperless,
                name=body.name,
            )
        case CheckIn():
            return cmd.CheckIn(
                id=id_,
                at=at,
                ticket=new_id(),
                proof=body.proof,
                node=node,
                request=body.request,
                requested_at=_utc(event.at),
                paperless=body.paperless,
                name=body.name,
            )
        case HelpWanted():
            return cmd.AskHelp(
                id=id_,
                at=at,
                node=node,
                station=body.station,
                wanted=body.wanted,
                asked_at=_utc(event.at),
            )
        case TicketEnquired():
            return cmd.EnquireTicket(id=id_, at=at, node=node, request=body.request, ticket=body.ticket)
        case TicketPrinted():
            return cmd.RecordPaper(
                id=id_,
                at=at,
                node=node,
                ticket=body.ticket,
                number=body.number,
                paper=body.paper,
                business_date=date_of(event.at),
                printed_at=_utc(event.at),
                code=body.code,
            )
        case TicketIssuedOffline():
            return cmd.MergeTicket(
                id=id_,
                at=at,
                node=node,
                ticket=body.ticket,
                number=body.number,
                service=body.service,
                business_date=body.business_date,
                lease_epoch=body.lease_epoch,
                issued_at=_utc(body.issued_at),
                paper=body.paper,
                priority=body.priority,
                code=body.code,
            )
        case KeyPressed():
            return cmd.PressKey(
                id=id_,
                at=at,
                counter=body.counter,
                key=body.key,
                call=new_id(),
                prompt=new_id(),
                page=new_id(),
                shown_ticket=body.shown_ticket,
                target=body.target,
                source=node,
                pressed_at=_utc(event.at),
            )
        case Rated():
            return cmd.Rate(
                id=id_, at=at, prompt=body.prompt, ticket=body.ticket, counter=body.counter, grade=body.grade
            )
        case RatingReasonsGiven():
            return cmd.GiveReasons(
                id=id_,
                at=at,
                prompt=body.prompt,
                ticket=body.ticket,
                counter=body.counter,
                grade=body.grade,
                version=body.version,
                reasons=body.reasons,
            )
        case RatingUnanswered():
            return cmd.LeaveUnrated(
                id=id_,
                at=at,
                prompt=body.prompt,
                ticket=body.ticket,
                counter=body.counter,
                reason=body.reason,
            )
        case CallReported():
            return cmd.ReportCall(
                id=id_,
                at=at,
                node=node,
                call=body.call,
                device=body.device,
                how=body.how,
                outcome=body.outcome,
                code=body.code,
            )
        case LeaseLow():
            return cmd.GrantLease(
                id=id_,
                at=at,
                node=node,
                group=body.group,
                business_date=body.business_date,
                epoch=epoch,
                more=True,
            )
        case CommandResult():
            return cmd.EndCommand(
                id=id_, at=at, node=node, command=body.command, outcome=body.outcome, code=body.code
            )
        case _:
            return cmd.NoteUnknown(
                id=id_,
                at=at,
                node=node,
                stream=event.stream,
                seq=event.seq,
                kind=event.kind[:64],
                reason="malformed body" if body is None else "not a node's event",
            )


def _utc(at: datetime) -> datetime:
    """A time of the wire in UTC; one without an offset is taken for UTC, one out of range for the Epoch."""
    try:
        return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except OverflowError:
        return datetime.fromtimestamp(0, UTC)
