"""The REST interface: take numbers, press keys, see everything, read the journal.

    POST /api/v1/tickets                       {"service", "priority"?, "source"?, "name"?}   Idempotency-Key
    GET  /api/v1/tickets/{ticket}              …/why   why it was called
    POST /api/v1/tickets/{ticket}/cancel       …/reprint {"node"?}
    POST /api/v1/counters/{counter}/keys       {"key", "shown_ticket"?, "target"?}   Idempotency-Key
    POST /api/v1/counters/{counter}/clerk      {"clerk"}
    PUT  /api/v1/appointments/{date}           GET: masked   see `hall.api_appointments`
    POST /api/v1/help/{node}/{station}/answer  …/done   see `hall.api_help`
    GET  /api/v1/state  /counters  /board  /catalogue  /alarms  /nodes  /health
    GET  /api/v1/journal?since=0               NDJSON, streamed

Errors are {"code", "text": {"zh-CN", "en"}}; codes are keys of the text catalogue. A body must be
`application/json`, so that no page of another site can press a key. With tokens configured every request
but /health needs `Authorization: Bearer …`; without, the server listens on loopback and answers only
requests addressed to a loopback name.

Bodies are decoded and answers encoded by msgspec; the handlers take the raw request because issuing a
number has to be quick.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from hall.api_appointments import AppointmentRoutes
from hall.api_help import HelpRoutes
from hall.api_requests import (
    ApiError,
    command_id,
    decoded_body,
    done,
    error_answer,
    json_answer,
    local_text,
    submit,
)
from hall.config import Role, Token
from hall.coordinator import Coordinator
from hall.journal import JournalError, export_line
from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.state import Prompt, Ticket
from hall.why import explain
from wire.messages import Id, Key, Masked
from wire.texts import LANGUAGES

logger = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]


class NewTicket(msgspec.Struct, forbid_unknown_fields=True):
    service: Id
    priority: Id | None = None
    source: Literal["api", "phone", "desk", "appointment"] = "api"
    name: Masked | None = None


class PressedKey(msgspec.Struct, forbid_unknown_fields=True):
    key: Key
    shown_ticket: Id | None = None
    target: Id | None = None


class NewClerk(msgspec.Struct, forbid_unknown_fields=True):
    clerk: Id | None


class NewReprint(msgspec.Struct, forbid_unknown_fields=True):
    node: Id | None = None


_new_ticket = msgspec.json.Decoder(NewTicket)


class Api:
    """The handlers over one coordinator; `app` is what uvicorn serves."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator
        self._runtime = coordinator.runtime
        self._tokens = coordinator.config.api.tokens
        appointments, help_ = AppointmentRoutes(coordinator), HelpRoutes(coordinator)
        self.app = FastAPI(
            title="Paihao",
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
        )
        for method, path, role, handler in (
            ("POST", "/tickets", "issue", self._issue),
            ("GET", "/tickets/{ticket}", "read", self._ticket),
            ("GET", "/tickets/{ticket}/why", "read", self._why),
            ("POST", "/tickets/{ticket}/cancel", "issue", self._cancel),
            ("POST", "/tickets/{ticket}/reprint", "issue", self._reprint),
            ("POST", "/counters/{counter}/keys", "counter", self._press),
            ("POST", "/counters/{counter}/clerk", "counter", self._clerk),
            ("PUT", "/appointments/{date}", "appointments", appointments.put),
            ("GET", "/appointments/{date}", "appointments", appointments.get),
            ("POST", "/help/{node}/{station}/answer", "counter", help_.answer),
            ("POST", "/help/{node}/{station}/done", "counter", help_.done),
            ("GET", "/ratings", "read", self._all_ratings),
            ("GET", "/state", "read", self._state),
            ("GET", "/counters", "read", self._counters),
            ("GET", "/board", "read", self._board),
            ("GET", "/catalogue", "read", self._catalogue),
            ("GET", "/alarms", "read", self._alarms),
            ("GET", "/nodes", "read", self._nodes),
            ("GET", "/journal", "admin", self._journal),
            ("GET", "/health", None, self._health),
        ):
            self.app.add_route(f"/api/v1{path}", self._guarded(handler, role), methods=[method])  # type: ignore[arg-type]
        self.app.add_exception_handler(HTTPException, self._http_error)
        self.app.add_exception_handler(Exception, self._unexpected)

    # ------------------------------------------------------------ who may, and errors

    def _guarded(self, handler: Handler, role: Role | None) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                if role is not None:
                    self._authorise(request, role)
                if request.method in ("POST", "PUT"):
                    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                    if kind != "application/json":
                        raise ApiError("hall.bad_request", "Content-Type must be application/json")
                return await handler(request)
            except ApiError as error:
                return error_answer(error)
            except JournalError as error:
                return error_answer(ApiError(error.code))

        return guarded

    def _authorise(self, request: Request, role: Role) -> None:
        """Raises ApiError; notes in `request.state.client` whose keys these are."""
        request.state.client = "local"
        if not self._tokens:
            # Without tokens only this machine may ask; a page that was led here by DNS may not.
            host = request.headers.get("host", "").rsplit(":", 1)[0].strip("[]").lower()
            if host not in ("127.0.0.1", "localhost", "::1", ""):
                raise ApiError("hall.forbidden", "not a loopback name")
            return
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        token = self._token(given.strip()) if kind.lower() == "bearer" else None
        if token is None:
            raise ApiError("hall.unauthorised")
        if role not in token.roles and "admin" not in token.roles:
            raise ApiError("hall.forbidden")
        request.state.client = token.sha256[:8]

    def _token(self, given: str) -> Token | None:
        digest = hashlib.sha256(given.encode()).hexdigest()
        found = None
        for token in self._tokens:
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found

    async def _http_error(self, request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        code = "hall.not_found" if status == 404 else "hall.bad_request"
        answer = error_answer(ApiError(code))
        answer.status_code = status
        return answer

    async def _unexpected(self, request: Request, error: Exception) -> Response:
        logger.error("%s %s: %s", request.method, request.url.path, type(error).__name__)
        return error_answer(ApiError("hall.internal"))

    # ------------------------------------------------------------ tickets

    async def _issue(self, request: Request) -> Response:
        body = await decoded_body(request, _new_ticket)
        decision = done(
            await self._runtime.issue(
                body.service,
                body.priority,
                source=body.source,
                name=body.name,
                command_id=command_id(request),
            )
        )
        ticket = self._runtime.ticket(decision)
        if ticket is None:
            raise ApiError("ticket.unknown")
        content = self._shown(ticket)
        for event in decision.events:
            if type(event) is ev.TicketIssued:
                content["waiting_ahead"] = event.ahead
        return json_answer(content, 200 if decision.repeated else 201)

    def _shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "ticket": ticket.ticket,
            "number": ticket.number,
            "service": ticket.service,
            "priority": ticket.priority,
            "state": ticket.state,
            "business_date": self._runtime.state.business_date,
            "issued_at": ticket.issued_at,
            "paper": ticket.paper,
            "paperless": ticket.paperless,
            "counter": ticket.counter,
            "target": ticket.target,
            "attempt": ticket.attempt,
            "called_at": ticket.called_at,
            "ended_at": ticket.ended_at,
        }

    async def _known(self, request: Request) -> Ticket:
        await self._runtime.settled()
        ticket = self._runtime.state.tickets.get(request.path_params["ticket"])
        if ticket is None:
            raise ApiError("ticket.unknown")
        return ticket

    async def _ticket(self, request: Request) -> Response:
        ticket = await self._known(request)
        return json_answer(self._shown(ticket) | {"ratings": self._ratings(ticket)})

    def _ratings(self, ticket: Ticket) -> list[dict[str, Any]]:
        """What was asked after each service of the ticket, and what the citizen said."""
        prompts = self._runtime.state.prompts.values()
        return [_rating(prompt) for prompt in prompts if prompt.ticket == ticket.ticket]

    async def _all_ratings(self, request: Request) -> Response:
        await self._runtime.settled()
        return json_answer(
            {
                "ratings": [
                    {
                        "ticket": prompt.ticket,
                        "number": prompt.number,
                        "service": prompt.service,
                        "business_date": prompt.business_date,
                    }
                    | _rating(prompt)
                    for prompt in self._runtime.state.prompts.values()
                ]
            }
        )

    async def _why(self, request: Request) -> Response:
        ticket = await self._known(request)
        calls = self._coordinator.calls_of(ticket.ticket)
        return json_answer(
            {
                "ticket": ticket.ticket,
                "number": ticket.number,
                "calls": [
                    {
                        "at": call.at,
                        "counter": call.counter,
                        "why": call.why,
                        "text": {
                            language: explain(call.why, call.number, language) for language in LANGUAGES
                        },
                    }
                    for call in calls
                ],
            }
        )

    async def _cancel(self, request: Request) -> Response:
        ticket = await self._known(request)
        await submit(self._runtime, request, cmd.CancelTicket, ticket=ticket.ticket)
        return json_answer(self._shown(ticket))

    async def _reprint(self, request: Request) -> Response:
        body = await decoded_body(request, msgspec.json.Decoder(NewReprint))
        ticket = await self._known(request)
        await submit(self._runtime, request, cmd.ReprintTicket, ticket=ticket.ticket, node=body.node)
        return json_answer(self._shown(ticket), 202)

    # ------------------------------------------------------------ counters

    async def _press(self, request: Request) -> Response:
        body = await decoded_body(request, msgspec.json.Decoder(PressedKey))
        counter = self._known_counter(request)
        decision = done(
            await self._runtime.press(
                counter,
                body.key,
                body.shown_ticket,
                body.target,
                command_id=command_id(request),
            )
        )
        content = self._counter(counter)
        content["repeated"] = decision.repeated
        return json_answer(content)

    def _known_counter(self, request: Request) -> str:
        counter: str = request.path_params["counter"]
        if counter not in self._coordinator.policy.counters:
            raise ApiError("hall.counter_unknown")
        return counter

    def _counter(self, counter: str) -> dict[str, Any]:
        runtime = self._runtime
        shown = self._coordinator.projections.counter(counter, runtime.state, runtime.epoch)
        content: dict[str, Any] = msgspec.to_builtins(shown, builtin_types=())
        now = runtime.state.counters[counter]
        content["clerk"] = now.clerk
        content["services"] = self._coordinator.policy.counters[counter].services
        content["parked_tickets"] = [
            {"ticket": ticket, "number": runtime.state.tickets[ticket].number} for ticket in now.parked
        ]
        return content

    async def _clerk(self, request: Request) -> Response:
        body = await decoded_body(request, msgspec.json.Decoder(NewClerk))
        counter = self._known_counter(request)
        await submit(self._runtime, request, cmd.SetClerk, counter=counter, clerk=body.clerk)
        return json_answer(self._counter(counter))

    # ------------------------------------------------------------ what is shown

    async def _state(self, request: Request) -> Response:
        await self._runtime.settled()
        state = self._runtime.state
        counts: dict[str, int] = {}
        for ticket in state.tickets.values():
            counts[ticket.state] = counts.get(ticket.state, 0) + 1
        return json_answer(
            {
                "hall": self._coordinator.hall,
                "business_date": state.business_date,
                "epoch": self._runtime.epoch,
                "seq": self._runtime.journal.seq,
                "tickets": counts,
                "waiting": {service: n for service, n in state.waiting.items() if n},
                "ratings": {
                    result: sum(
                        prompt.result == result and prompt.business_date == state.business_date
                        for prompt in state.prompts.values()
                    )
                    for result in ("open", "rated", "unrated")
                },
                "missed": [state.tickets[ticket].number for ticket in state.missed],
                "leases": state.leases,
                "counts": self._runtime.counts,
                "bad_messages": self._coordinator.intake.bad,
            }
        )

    async def _counters(self, request: Request) -> Response:
        await self._runtime.settled()
        return json_answer(
            {"counters": [self._counter(counter) for counter in self._coordinator.policy.counters]}
        )

    async def _board(self, request: Request) -> Response:
        await self._runtime.settled()
        board = self._coordinator.projections.board(
            self._runtime.state, self._runtime.epoch, self._runtime.now()
        )
        return json_answer(board)

    async def _catalogue(self, request: Request) -> Response:
        return json_answer(self._coordinator.projections.catalogue(self._runtime.epoch))

    async def _alarms(self, request: Request) -> Response:
        await self._runtime.settled()
        return json_answer(
            {
                "alarms": [
                    {
                        "code": alarm.code,
                        "subject": alarm.subject,
                        "raised_at": alarm.raised_at,
                        "facts": alarm.facts,
                        "text": local_text(alarm.code, subject=alarm.subject),
                    }
                    for alarm in self._runtime.state.alarms.values()
                ]
            }
        )

    async def _nodes(self, request: Request) -> Response:
        return json_answer({"nodes": list(self._coordinator.nodes.all.values())})

    async def _health(self, request: Request) -> Response:
        journal = await self._runtime.probe()
        healthy = journal and self._coordinator.connected
        content = {"healthy": healthy, "journal": journal, "broker": self._coordinator.connected}
        return json_answer(content, 200 if healthy else 503)

    async def _journal(self, request: Request) -> Response:
        since = request.query_params.get("since", "0")
        if not since.isdecimal() or not since.isascii() or len(since) > 18:
            raise ApiError("hall.bad_request", "since: the seq of a row")
        # Not to the end: while the hall works that moves away. What is not committed yet may never be there.
        last = self._runtime.journal.seq
        first_page = await self._runtime.journal.rows(int(since))

        async def lines() -> AsyncIterator[bytes]:
            page = first_page
            while page:
                yield b"".join(export_line(row) + b"\n" for row in page)
                if page[-1].seq >= last:
                    return
                page = await self._runtime.journal.rows(page[-1].seq)

        return StreamingResponse(lines(), media_type="application/x-ndjson")


def _rating(prompt: Prompt) -> dict[str, Any]:
    """What was asked, and what the citizen said; not its page: whoever reads writes no texts."""
    return {
        "prompt": prompt.prompt,
        "counter": prompt.counter,
        "clerk": prompt.clerk,
        "asked_at": prompt.asked_at,
        "result": prompt.result,
        "grade": prompt.grade,
        "reasons": prompt.reasons,
        "reasons_version": prompt.reasons_version,
        "text": prompt.text,
        "text_at": prompt.text_at,
    }
