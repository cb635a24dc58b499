"""What a kiosk asks of the hall beside a number: check-in, enquiry, help; and the answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from wire.messages import Id, LocalText, Masked, Message, Number

Proof = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""HMAC-SHA-256 in hex, under the hall's key, of an ID number or of an appointment's code."""


class CheckIn(Message, frozen=True, kw_only=True):
    """Somebody with an appointment is there; answered by `print_ticket` or `refuse_ticket`, like a tap.

    `proof`: of the card that was laid down or of the code that was scanned or typed.
    """

    request: Id
    proof: Proof
    language: str = "zh-CN"
    paperless: bool = False
    name: Masked | None = None


class TicketEnquired(Message, frozen=True, kw_only=True):
    """Somebody held a ticket before the scanner: how does it stand? Answered by `ticket_found`."""

    request: Id
    ticket: Id


class HelpWanted(Message, frozen=True, kw_only=True):
    """The help key of a station; `wanted` False: it was taken back. Answered by `help_answered`."""

    station: Id
    wanted: bool = True


class TicketFound(Message, frozen=True, kw_only=True):
    """How a ticket stands. `code`: why there is nothing to tell (`ticket.unknown`); all else is None then."""

    request: Id
    ticket: Id
    code: str | None = None
    number: Number | None = None
    state: Literal["waiting", "called", "serving", "parked", "no_show", "finished", "void"] | None = None
    service_name: LocalText | None = None
    zone: Id | None = None
    counter_name: LocalText | None = None
    ahead: int | None = None
    wait_min: tuple[int, int] | None = None


class HelpAnswered(Message, frozen=True, kw_only=True):
    """Somebody of the hall has seen the call for help and is coming; `over`: has been there, it is done."""

    station: Id
    over: bool = False
