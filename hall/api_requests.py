"""What every route of the REST interface shares: bodies, ids of commands, answers, errors."""

from __future__ import annotations

import hashlib
from typing import Any, Final, TypeVar

import msgspec
from fastapi import Request, Response

from hall.queue import commands as cmd
from hall.runtime import Decision, Runtime, new_id
from wire.texts import LANGUAGES, text, texts

MAX_BODY: Final = 16 * 1024
MAX_KEY: Final = 100
"""Characters of an Idempotency-Key."""
MAX_COMMAND: Final = 200
"""Characters of a command's id: the width of its column in the journal."""

B = TypeVar("B", bound=msgspec.Struct)

_STATUS: Final = {
    "hall.unauthorised": 401,
    "hall.forbidden": 403,
    "hall.not_found": 404,
    "ticket.unknown": 404,
    "hall.counter_unknown": 404,
    "hall.bad_request": 400,
    "ticket.service_unknown": 400,
    "ticket.priority_unknown": 400,
    "hall.busy": 503,
    "hall.stopping": 503,
    "hall.journal_failed": 503,
    "hall.not_open_yet": 503,
    "hall.internal": 500,
    "appointment.no_key": 503,
    "kiosk.help_none": 404,
}
"""Every other code is 409: the request is right, the queue says no."""


class ApiError(Exception):
    """An answer that says no. `code` is a key of the text catalogue; `problems`: every mistake of a list."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        ticket: str | None = None,
        problems: list[str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.ticket = ticket
        self.problems = problems


_encode = msgspec.json.Encoder().encode


def json_answer(content: Any, status: int = 200) -> Response:
    """`content` as JSON."""
    return Response(_encode(content), status, media_type="application/json")


def local_text(code: str, **values: object) -> dict[str, str]:
    """The text of `code` in every language."""
    return {language: text(code, language, **values) for language in LANGUAGES}


def error_answer(error: ApiError) -> Response:
    """The answer that says no, with its status."""
    known = error.code if error.code in texts(LANGUAGES[0]) else "hall.internal"
    content: dict[str, Any] = {"code": error.code, "text": local_text(known)}
    if error.detail:
        content["detail"] = error.detail
    if error.ticket is not None:
        content["ticket"] = error.ticket
    if error.problems:
        content["problems"] = error.problems
    headers = {"WWW-Authenticate": "Bearer"} if error.code == "hall.unauthorised" else None
    return Response(
        _encode(content), _STATUS.get(error.code, 409), headers=headers, media_type="application/json"
    )


async def raw_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """Raises ApiError for more than `limit` bytes."""
    length = request.headers.get("content-length")
    if length is not None and (not length.isdigit() or int(length) > limit):
        raise ApiError("hall.bad_request", f"at most {limit} bytes")
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise ApiError("hall.bad_request", f"at most {limit} bytes")
        parts.append(part)
    return b"".join(parts)


async def decoded_body(request: Request, decoder: msgspec.json.Decoder[B]) -> B:
    """The decoded body. Raises ApiError."""
    try:
        return decoder.decode(await raw_body(request))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError("hall.bad_request", str(error)[:200]) from error


def command_id(request: Request) -> str | None:
    """The id of the command that an Idempotency-Key stands for; None without one."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        raise ApiError("hall.bad_request", f"Idempotency-Key: 1 to {MAX_KEY} printable ASCII characters")
    # Each client has keys of its own: two that both count from 1 must not be given one ticket.
    path = request.url.path.removeprefix("/api/v1")
    id_ = f"api:{request.state.client}:{path}:{key}"
    if len(id_) > MAX_COMMAND:
        id_ = f"api:{request.state.client}:{hashlib.sha256(id_.encode()).hexdigest()}"
    return id_


def done(decision: Decision) -> Decision:
    """Raises ApiError for a command that was refused."""
    if decision.code is not None:
        raise ApiError(decision.code, ticket=decision.ticket)
    return decision


async def submit(runtime: Runtime, request: Request, kind: type[cmd.Command], **fields: Any) -> Decision:
    """Have a command decided under the request's Idempotency-Key. Raises ApiError, JournalError."""
    id_ = command_id(request) or new_id()
    return done(await runtime.submit(kind(id=id_, at=runtime.now(), **fields)))
