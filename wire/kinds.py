"""Every kind of event and command, and the body that it has."""

from __future__ import annotations

from wire.kiosk_messages import CheckIn, HelpAnswered, HelpWanted, TicketEnquired, TicketFound
from wire.messages import (
    CallReported,
    CommandResult,
    GrantLease,
    KeyPressed,
    LeaseLow,
    Message,
    PrintTicket,
    PromptRating,
    Rated,
    RatingReasonsGiven,
    RatingUnanswered,
    RefuseTicket,
    TicketIssuedOffline,
    TicketPrinted,
    TicketRequested,
)

EVENTS: dict[str, type[Message]] = {
    "ticket_requested": TicketRequested,
    "ticket_printed": TicketPrinted,
    "ticket_issued_offline": TicketIssuedOffline,
    "check_in": CheckIn,
    "ticket_enquired": TicketEnquired,
    "help_wanted": HelpWanted,
    "key_pressed": KeyPressed,
    "rated": Rated,
    "rating_reasons_given": RatingReasonsGiven,
    "rating_unanswered": RatingUnanswered,
    "call_reported": CallReported,
    "lease_low": LeaseLow,
    "command_result": CommandResult,
}
"""Every event kind and its body."""

COMMANDS: dict[str, type[Message]] = {
    "print_ticket": PrintTicket,
    "refuse_ticket": RefuseTicket,
    "ticket_found": TicketFound,
    "help_answered": HelpAnswered,
    "grant_lease": GrantLease,
    "prompt_rating": PromptRating,
}
"""Every command kind and its body."""

KINDS: dict[type[Message], str] = {body: kind for table in (EVENTS, COMMANDS) for kind, body in table.items()}
"""The kind of a body, for writing an envelope."""
