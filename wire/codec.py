"""Bytes to messages and back, for MQTT payloads.

Decoding is strict about types and sizes and lax about unknown fields. Every failure is one
`BadMessageError` with a short reason and no payload in it.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Final, TypeVar

import msgspec

from wire.kinds import COMMANDS, EVENTS, KINDS
from wire.messages import Message, NodeCommand, NodeEvent

MAX_PAYLOAD: Final = 256 * 1024
"""Bytes; a longer payload is refused unread. The catalogue of a large hall is about 60 KiB."""

M = TypeVar("M", bound=Message)

_encoder = msgspec.json.Encoder()


class BadMessageError(ValueError):
    """A payload that is not a message of the contract. `reason` is short and has no payload in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownKindError(BadMessageError):
    """A well-formed envelope of a kind that this version does not know."""


@cache
def _decoder(message: type[M]) -> msgspec.json.Decoder[M]:
    return msgspec.json.Decoder(message)


def encode(message: Message) -> bytes:
    """JSON bytes of a message."""
    return _encoder.encode(message)


def decode(payload: bytes, message: type[M]) -> M:
    """The message in `payload`. Raises BadMessageError."""
    if len(payload) > MAX_PAYLOAD:
        raise BadMessageError(f"{len(payload)} bytes, at most {MAX_PAYLOAD}")
    try:
        decoded: M = _decoder(message).decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(f"not a {message.__name__}: {type(error).__name__}") from error
    return decoded


def _body(kind: str, raw: msgspec.Raw, table: dict[str, type[Message]]) -> Message:
    if kind not in table:
        raise UnknownKindError(f"unknown kind {kind[:64]!r}")
    return decode(bytes(raw), table[kind])


def event_body(event: NodeEvent) -> Message:
    """The typed body of an event. Raises UnknownKindError, BadMessageError."""
    return _body(event.kind, event.body, EVENTS)


def command_body(command: NodeCommand) -> Message:
    """The typed body of a command. Raises UnknownKindError, BadMessageError."""
    return _body(command.kind, command.body, COMMANDS)


def event(body: Message, *, id: str, stream: str, seq: int, session: str, at: datetime) -> NodeEvent:
    """The envelope around an event body."""
    return NodeEvent(
        id=id, stream=stream, seq=seq, session=session, at=at, kind=KINDS[type(body)], body=_raw(body)
    )


def command(body: Message, *, id: str, epoch: int, at: datetime, deadline: datetime) -> NodeCommand:
    """The envelope around a command body."""
    return NodeCommand(id=id, epoch=epoch, at=at, deadline=deadline, kind=KINDS[type(body)], body=_raw(body))


def _raw(body: Message) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(body))
