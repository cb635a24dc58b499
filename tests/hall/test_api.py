"""The REST interface over real HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hall.api import Api
from hall.config import ApiTable, HallConfig, Token, load_config
from hall.coordinator import Coordinator
from hall.server import ApiServer

SHIPPED = Path(__file__).parents[2] / "firmware_config" / "hall" / "hall.toml"
Ask = Callable[..., Any]


@pytest.fixture
def config(tmp_path: Path) -> HallConfig:
    config = load_config(SHIPPED)
    return msgspec.structs.replace(
        config, hall=msgspec.structs.replace(config.hall, storage=str(tmp_path / "hall.db"))
    )


@pytest.fixture
async def coordinator(config: HallConfig) -> AsyncIterator[Coordinator]:
    """Without a broker: the queue and the interface need none."""
    coordinator = Coordinator(config)
    await coordinator.runtime.start()
    yield coordinator
    await coordinator.runtime.stop()


@pytest.fixture
async def ask(coordinator: Coordinator) -> AsyncIterator[Ask]:
    server = ApiServer(Api(coordinator).app, "127.0.0.1", 0)
    await server.start()

    def blocking(method: str, path: str, body: Any, headers: dict[str, str], raw: bool) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        given = {"Content-Type": "application/json"} | headers
        content = body if isinstance(body, bytes) else (json.dumps(body) if body is not None else None)
        connection.request(method, "/api/v1" + path, content, {k: v for k, v in given.items() if v})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data if raw else json.loads(data)

    async def ask(
        method: str, path: str, body: Any = None, *, raw: bool = False, **headers: str
    ) -> tuple[int, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await asyncio.to_thread(blocking, method, path, body, named, raw)

    yield ask
    await server.stop()


async def test_a_ticket_the_whole_way(ask: Ask) -> None:
    status, ticket = await ask("POST", "/tickets", {"service": "id-card", "source": "phone"})
    assert (status, ticket["number"], ticket["state"], ticket["waiting_ahead"]) == (201, "B001", "waiting", 0)
    status, counter = await ask("POST", "/counters/2/keys", {"key": "next"})
    assert (status, counter["number"], counter["state"]) == (200, "B001", "called")
    status, known = await ask("GET", f"/tickets/{ticket['ticket']}")
    assert (known["state"], known["counter"]) == ("called", "2")
    _, why = await ask("GET", f"/tickets/{ticket['ticket']}/why")
    assert why["calls"][0]["why"]["kind"] == "longest_wait"
    assert "B001" in why["calls"][0]["text"]["zh-CN"][0] and "等候最久" in why["calls"][0]["text"]["zh-CN"][0]
    _, board = await ask("GET", "/board")
    assert board["calls"][0]["number"] == "B001"
    status, after = await ask("POST", "/counters/2/keys", {"key": "finish", "shown_ticket": ticket["ticket"]})
    assert (status, after["ticket"], after["state"]) == (200, None, "open")
    _, state = await ask("GET", "/state")
    assert state["tickets"] == {"finished": 1} and state["ratings"]["open"] == 1


async def test_a_name_is_masked_and_kept_where_the_hall_calls_by_name(
    ask: Ask, coordinator: Coordinator
) -> None:
    status, error = await ask("POST", "/tickets", {"service": "id-card", "name": "王小明"})
    assert (status, error["code"]) == (400, "hall.bad_request") and "王" not in json.dumps(error)
    masked = {"service": "id-card", "name": "王*明"}
    status, ticket = await ask("POST", "/tickets", masked)
    assert status == 201 and coordinator.runtime.state.tickets[ticket["ticket"]].name is None
    state = coordinator.runtime.state
    state.policy = msgspec.structs.replace(state.policy, call_by_name=True)
    status, ticket = await ask("POST", "/tickets", masked)
    assert status == 201 and state.tickets[ticket["ticket"]].name == "王*明"


async def test_the_board_says_beforehand_what_is_refused(ask: Ask, coordinator: Coordinator) -> None:
    policy = coordinator.policy
    services = policy.services
    services["tax"] = msgspec.structs.replace(services["tax"], quota=1)
    assert (await ask("POST", "/tickets", {"service": "tax"}))[0] == 201
    _, board = await ask("GET", "/board")
    shown = {service["service"]: service for service in board["services"]}
    assert (shown["tax"]["available"], shown["tax"]["left"]) == ("quota_reached", 0)
    status, error = await ask("POST", "/tickets", {"service": "tax"})
    assert (status, error["code"]) == (409, "ticket.quota_reached")
    assert all(error["text"][language] for language in ("zh-CN", "en"))


async def test_the_same_key_issues_one_ticket(ask: Ask) -> None:
    first = await ask("POST", "/tickets", {"service": "tax"}, Idempotency_Key="K-1")
    again = await ask("POST", "/tickets", {"service": "tax"}, Idempotency_Key="K-1")
    other = await ask("POST", "/tickets", {"service": "tax"}, Idempotency_Key="K-2")
    assert (first[0], again[0]) == (201, 200)
    assert first[1]["ticket"] == again[1]["ticket"] != other[1]["ticket"]


async def test_a_repeated_press_acts_once(ask: Ask) -> None:
    for _ in range(3):
        await ask("POST", "/tickets", {"service": "tax"})
    _, first = await ask("POST", "/counters/4/keys", {"key": "next"}, Idempotency_Key="press-1")
    _, again = await ask("POST", "/counters/4/keys", {"key": "next"}, Idempotency_Key="press-1")
    assert first["ticket"] == again["ticket"] and again["repeated"]
    status, stale = await ask("POST", "/counters/4/keys", {"key": "next"})
    assert (status, stale["code"], stale["ticket"]) == (409, "hall.key_stale", first["ticket"])


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/tickets", {"service": "none"}, 400, "ticket.service_unknown"),
        ("/tickets", {"service": "tax", "priority": "king"}, 400, "ticket.priority_unknown"),
        ("/tickets", {"service": "tax", "extra": 1}, 400, "hall.bad_request"),
        ("/tickets", {}, 400, "hall.bad_request"),
        ("/tickets", b"{", 400, "hall.bad_request"),
        ("/tickets", b"\xff", 400, "hall.bad_request"),
        ("/tickets", b"[" * 9000, 400, "hall.bad_request"),
        ("/tickets", b" " * 20_000, 400, "hall.bad_request"),
        ("/counters/9/keys", {"key": "next"}, 404, "hall.counter_unknown"),
        ("/counters/1/keys", {"key": "dance"}, 400, "hall.bad_request"),
        ("/counters/1/keys", {"key": "next"}, 409, "hall.nobody_waiting"),
        ("/tickets/none/cancel", {}, 404, "ticket.unknown"),
        ("/nothing", {}, 404, "hall.not_found"),
    ],
)
async def test_errors_have_a_code_and_both_languages(
    ask: Ask, path: str, body: Any, status: int, code: str
) -> None:
    got, error = await ask("POST", path, body)
    assert (got, error["code"]) == (status, code)
    assert set(error["text"]) == {"zh-CN", "en"} and all(error["text"].values())


async def test_a_form_of_another_site_can_press_nothing(ask: Ask) -> None:
    status, error = await ask(
        "POST", "/counters/1/keys", b'{"key":"open"}', Content_Type="text/plain;charset=UTF-8"
    )
    assert (status, error["code"]) == (400, "hall.bad_request")
    status, _ = await ask("GET", "/state", Host="evil.example:8600")
    assert status == 403


async def test_wrong_methods_and_keys(ask: Ask) -> None:
    assert (await ask("DELETE", "/tickets"))[0] == 405
    assert (await ask("POST", "/tickets", {"service": "tax"}, Idempotency_Key="x" * 200))[0] == 400


async def test_cancel_and_clerk(ask: Ask, coordinator: Coordinator) -> None:
    _, ticket = await ask("POST", "/tickets", {"service": "tax"})
    status, cancelled = await ask("POST", f"/tickets/{ticket['ticket']}/cancel", {})
    assert (status, cancelled["state"]) == (200, "cancelled")
    assert (await ask("POST", f"/tickets/{ticket['ticket']}/cancel", {}))[0] == 409
    _, counter = await ask("POST", "/counters/1/clerk", {"clerk": "clerk-77"})
    assert counter["clerk"] == "clerk-77"
    assert (await ask("POST", f"/tickets/{ticket['ticket']}/reprint", {}))[1]["code"] == "ticket.no_printer"
    for path in ("/counters", "/catalogue", "/alarms", "/nodes"):
        assert (await ask("GET", path))[0] == 200


async def test_the_journal_is_streamed_as_lines(ask: Ask, coordinator: Coordinator) -> None:
    for _ in range(5):
        await ask("POST", "/tickets", {"service": "tax"})
    status, data = await ask("GET", "/journal?since=2", raw=True)
    lines = [json.loads(line) for line in data.splitlines()]
    assert status == 200 and [line["seq"] for line in lines] == [3, 4, 5, 6]
    assert (await ask("GET", "/journal?since=x"))[0] == 400


async def test_an_export_ends_although_the_hall_goes_on(
    ask: Ask, coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = coordinator.runtime
    rows = runtime.journal.rows

    async def one_and_meanwhile_another(since: int) -> Any:
        page = await rows(since, 1)
        await runtime.issue("tax")
        return page

    monkeypatch.setattr(runtime.journal, "rows", one_and_meanwhile_another)
    monkeypatch.setattr(type(runtime), "is_settled", property(lambda _: False))
    last = runtime.journal.seq
    status, data = await ask("GET", "/journal", raw=True)
    assert status == 200
    assert [json.loads(line)["seq"] for line in data.splitlines()] == list(range(1, last + 1))


async def test_health_says_what_is_missing(ask: Ask) -> None:
    status, health = await ask("GET", "/health")
    assert (status, health) == (503, {"healthy": False, "journal": True, "broker": False})


class TestTokens:
    @pytest.fixture
    def config(self, config: HallConfig) -> HallConfig:
        def token(name: str, *roles: Any) -> Token:
            return Token(name=name, sha256=hashlib.sha256(name.encode()).hexdigest(), roles=roles)

        tokens = (token("issuer", "issue"), token("boss", "admin"))
        return msgspec.structs.replace(config, api=ApiTable(tokens=tokens))

    async def test_who_may_do_what(self, ask: Ask) -> None:
        assert (await ask("POST", "/tickets", {"service": "tax"}))[0] == 401
        assert (await ask("POST", "/tickets", {"service": "tax"}, Authorization="Bearer wrong"))[0] == 401
        issued = await ask("POST", "/tickets", {"service": "tax"}, Authorization="Bearer issuer")
        assert issued[0] == 201
        assert (await ask("GET", "/state", Authorization="Bearer issuer"))[0] == 403
        assert (await ask("GET", "/journal", raw=True, Authorization="Bearer issuer"))[0] == 403
        assert (await ask("GET", "/state", Authorization="Bearer boss"))[0] == 200
        assert (await ask("GET", "/health"))[0] == 503

    async def test_the_keys_of_one_client_are_not_those_of_another(self, ask: Ask) -> None:
        """Two business systems that both count from 1 would have sent two citizens with one number."""
        numbers = set()
        for client in ("issuer", "boss"):
            for status in (201, 200):
                answer = await ask(
                    "POST",
                    "/tickets",
                    {"service": "tax"},
                    Authorization=f"Bearer {client}",
                    Idempotency_Key="1",
                )
                assert answer[0] == status
                numbers.add(answer[1]["number"])
        assert len(numbers) == 2
