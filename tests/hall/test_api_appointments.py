"""Importing appointments and answering calls for help over the REST interface; what is kept of a person."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest
from sqlalchemy import String

from hall import api_appointments
from hall.api import Api
from hall.config import ApiTable, HallConfig, Token, load_config
from hall.coordinator import Coordinator
from hall.journal import EVENTS
from hall.queue import commands as cmd
from hall.runtime import new_id
from wire.messages import Masked

SHIPPED = Path(__file__).parents[2] / "firmware_config" / "hall" / "hall.toml"
KEY = bytes(range(32))
NUMBER, NAME, CODE = "11010119900307001X", "王小明", "YY-20488402"
"""Of nobody."""
PROOF = "0fa63f7b7af111ecf35eee6b6f9ca2bca136138203fe2c49676fa808dac99179"
"""Of NUMBER under KEY, the fixed vector of `tests/wire/test_proof.py`: what a kiosk sends."""
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
DAY = "2026-11-23"

Ask = Callable[..., Any]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "match.key"
    file.write_bytes(KEY)
    file.chmod(0o600)
    return file


@pytest.fixture
def config(tmp_path: Path, key_file: Path) -> HallConfig:
    config = load_config(SHIPPED)
    hall = msgspec.structs.replace(
        config.hall, storage=str(tmp_path / "hall.db"), match_key_file=str(key_file)
    )
    return msgspec.structs.replace(config, hall=hall)


@pytest.fixture
async def coordinator(config: HallConfig) -> AsyncIterator[Coordinator]:
    coordinator = Coordinator(config)
    coordinator.runtime.now = lambda: NOON
    await coordinator.runtime.start()
    yield coordinator
    await coordinator.runtime.stop()


@pytest.fixture
async def ask(coordinator: Coordinator) -> AsyncIterator[Ask]:
    transport = httpx.ASGITransport(app=Api(coordinator).app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:

        async def ask(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
            answer = await client.request(method, path, json=body, headers=headers)
            return answer.status_code, answer.json()

        yield ask


def row(**more: Any) -> dict[str, Any]:
    return {"id": "a1", "service": "id-card", "from": "12:00", "until": "12:30", "code": CODE} | more


async def check_in(coordinator: Coordinator, proof: str = PROOF) -> Any:
    return await coordinator.runtime.submit(
        cmd.CheckIn(id=new_id(), at=NOON, ticket=new_id(), proof=proof, node="kiosk-1", request=new_id())
    )


async def test_imported_then_checked_in_by_the_card(ask: Ask, coordinator: Coordinator) -> None:
    status, listed = await ask(
        "PUT",
        f"/appointments/{DAY}",
        [row(id="a2", code="K2", **{"from": "14:00", "until": "24:00"}), row(id_number=NUMBER, name=NAME)],
    )
    assert status == 200 and listed["date"] == DAY
    assert [(a["id"], a["from"], a["until"], a["name"]) for a in listed["appointments"]] == [
        ("a1", "12:00", "12:30", "王*明"),
        ("a2", "14:00", "24:00", None),
    ]
    decision = await check_in(coordinator)
    assert decision.code is None
    ticket = coordinator.runtime.state.tickets[decision.ticket]
    assert (ticket.service, ticket.priority, ticket.number) == ("id-card", "appointment", "B001")
    assert (await check_in(coordinator)).code == "appointment.printing"
    _, listed = await ask("GET", f"/appointments/{DAY}")
    first = listed["appointments"][0]
    assert (first["checked_in"], first["number"], first["ticket"]) == (True, "B001", ticket.ticket)


async def test_number_and_code_are_matched_however_they_are_written(
    ask: Ask, coordinator: Coordinator
) -> None:
    await ask("PUT", f"/appointments/{DAY}", [row(id_number=" 110101 19900307001x ", code=None)])
    assert (await check_in(coordinator)).code is None


async def test_nothing_of_a_person_is_kept_said_or_logged(
    ask: Ask, coordinator: Coordinator, config: HallConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [await ask("PUT", f"/appointments/{DAY}", [row(id_number=NUMBER, name=NAME)])]
    answers.append(await ask("PUT", f"/appointments/{DAY}", [row(id_number="9" + NUMBER[:16] + "K")]))
    answers.append(await ask("PUT", f"/appointments/{DAY}", [row(id_number=NUMBER, code="x" * 65)]))
    answers.append(await ask("PUT", f"/appointments/{DAY}", [row(id_number=NUMBER, name=7)]))
    assert [status for status, _ in answers] == [200, 400, 400, 400]
    await check_in(coordinator)
    answers.append(await ask("GET", f"/appointments/{DAY}"))
    with sqlite3.connect(config.hall.storage) as journal:
        kept = "\n".join(str(line) for line in journal.iterdump())
    assert "appointments_imported" in kept and PROOF in kept
    for secret in (NUMBER, NUMBER[:17], NAME, "小", CODE, CODE.replace("-", "")):
        for where in (kept, str(answers), caplog.text):
            assert secret not in where


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小明", "王*明"),
        (" 王明 ", "王*"),
        ("王", "*"),
        ("**", "*"),
        ("王*明", "王*"),
        ("\ufeff王小明", "王*明"),
        ("\u202e王小明\x00", "王*明"),
        ("阿卜杜拉·买买提", "阿******提"),
        ("X" * 64, "X********X"),
    ],
)
def test_a_name_is_kept_masked(name: str, shown: str) -> None:
    assert api_appointments.masked_name(name) == shown
    msgspec.convert(shown, Masked)


async def test_every_mistake_of_a_list_is_told_by_its_place(ask: Ask, coordinator: Coordinator) -> None:
    rows = [
        row(),
        row(service="none", priority="king"),
        row(id="a3", id_number="1" * 17 + "K", until="12:00"),
        row(id="a4", code=" "),
        row(id="a5", code=None),
        row(id="a6", **{"from": "03:59"}),
    ]
    status, told = await ask("PUT", f"/appointments/{DAY}", rows)
    assert (status, told["code"]) == (400, "hall.bad_request")
    problems = "\n".join(told["problems"])
    for part in (
        "[1].id: 重复",
        "[1].service:",
        "[1].priority:",
        "[2].id_number: 18",
        "[2].from:",
        "[3].code:",
    ):
        assert part in problems
    assert "[5].from: 早于营业日开始" in problems
    assert "[4].id_number, code: 至少要有一个" in problems and "[0]" not in problems
    assert coordinator.runtime.state.appointments == {}
    status, told = await ask("PUT", f"/appointments/{DAY}", [row(**{"from": "9:00", "surname": "王"})])
    assert status == 400 and len(told["problems"]) == 2


@pytest.mark.parametrize("number", ["123456789012345", "C12345678", "ABCDEF-1234567/9", "(护照) E1234"])
async def test_older_numbers_and_passes_are_taken_as_they_are(ask: Ask, number: str) -> None:
    assert (await ask("PUT", f"/appointments/{DAY}", [row(id_number=number)]))[0] == 200


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("2026-11-22", "appointment.date_past"),
        ("2027-03-01", "appointment.date_far"),
        ("20261123", "hall.bad_request"),
        ("2026-02-30", "hall.bad_request"),
        ("0001-01-01", "hall.bad_request"),
        ("9999-12-31", "hall.bad_request"),
    ],
)
async def test_a_wrong_date_is_refused(ask: Ask, path: str, code: str) -> None:
    assert (await ask("PUT", f"/appointments/{path}", [row(until="24:00")]))[1]["code"] == code


async def test_a_right_list_is_not_searched_for_mistakes(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        raise AssertionError("0.9 ms for each row, and 10,000 of them on the night before")

    monkeypatch.setattr("hall.api_appointments.convert", slow)
    assert (await ask("PUT", f"/appointments/{DAY}", [row()]))[0] == 200


async def test_a_list_beyond_all_bounds_is_refused_unread(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hall.api_appointments.MAX_APPOINTMENTS", 2)
    status, said = await ask("PUT", f"/appointments/{DAY}", [1, 2, 3])
    assert status == 400 and said["problems"] == ["太多 · 3 rows, at most 2"]


async def test_without_a_key_the_answer_says_so(
    config: HallConfig, coordinator: Coordinator, ask: Ask, key_file: Path
) -> None:
    key_file.chmod(0o644)
    status, told = await ask("PUT", f"/appointments/{DAY}", [row()])
    assert (status, told["code"]) == (503, "appointment.no_key") and "chmod 600" in told["detail"]
    key_file.unlink()
    assert (await ask("PUT", f"/appointments/{DAY}", [row()]))[1]["code"] == "appointment.no_key"
    key_file.write_bytes(KEY)
    key_file.chmod(0o600)
    assert (await ask("PUT", f"/appointments/{DAY}", [row()]))[0] == 200
    assert coordinator.projections.catalogue(1).appointments


async def test_a_hall_without_a_key_offers_no_check_in(tmp_path: Path) -> None:
    config = load_config(SHIPPED)
    hall = msgspec.structs.replace(config.hall, storage=str(tmp_path / "other.db"))
    coordinator = Coordinator(msgspec.structs.replace(config, hall=hall))
    catalogue = coordinator.projections.catalogue(1)
    assert not catalogue.appointments
    assert [p.priority for p in catalogue.priorities if not p.offered] == ["appointment"]


async def test_sent_again_under_its_key_it_changes_nothing(ask: Ask, coordinator: Coordinator) -> None:
    put = f"/appointments/{DAY}"
    await ask("PUT", put, [row()], **{"Idempotency-Key": "morning"})
    await ask("PUT", put, [row(id="b1")])
    assert (await ask("PUT", put, [row()], **{"Idempotency-Key": "morning"}))[0] == 200
    assert sorted(coordinator.runtime.state.appointments[date(2026, 11, 23)]) == ["b1"]


async def test_only_who_may_imports_and_sees_them(config: HallConfig) -> None:
    def token(name: str, *roles: Any) -> Token:
        return Token(name=name, sha256=hashlib.sha256(name.encode()).hexdigest(), roles=roles)

    tokens = (token("booking", "appointments"), token("wall", "read", "issue", "counter"))
    coordinator = Coordinator(msgspec.structs.replace(config, api=ApiTable(tokens=tokens)))
    coordinator.runtime.now = lambda: NOON
    await coordinator.runtime.start()
    transport = httpx.ASGITransport(app=Api(coordinator).app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:
        for name, status in (("booking", 200), ("wall", 403), ("nobody", 401)):
            headers = {"Authorization": f"Bearer {name}"}
            for method in ("PUT", "GET"):
                body = [row()] if method == "PUT" else None
                answer = await client.request(method, f"/appointments/{DAY}", json=body, headers=headers)
                assert answer.status_code == status
        plain = await client.put(
            f"/appointments/{DAY}",
            content="[]",
            headers={"Authorization": "Bearer booking", "Content-Type": "text/plain"},
        )
        assert plain.status_code == 400
    await coordinator.runtime.stop()


async def test_appointments_survive_a_restart_and_the_night(
    ask: Ask, coordinator: Coordinator, config: HallConfig
) -> None:
    tomorrow = "2026-11-24"
    await ask("PUT", f"/appointments/{tomorrow}", [row(id_number=NUMBER)])
    await coordinator.runtime.stop()
    again = Coordinator(config)
    again.runtime.now = lambda: NOON + timedelta(days=1)
    await again.runtime.start()
    decision = await again.runtime.submit(
        cmd.CheckIn(id="c", at=again.runtime.now(), ticket="t", proof=PROOF, node="kiosk-1", request="r")
    )
    assert decision.code is None
    start = again.runtime.state.appointments[date(2026, 11, 24)]["a1"].start
    assert f"{start.astimezone(ZoneInfo('Asia/Shanghai')):%H:%M}" == "12:00"
    await again.runtime.stop()


async def test_a_call_for_help_is_answered_and_ended_by_a_clerk(ask: Ask, coordinator: Coordinator) -> None:
    path = "/help/kiosk-1/front"
    status, told = await ask("POST", f"{path}/answer", {})
    assert (status, told["code"]) == (404, "kiosk.help_none")
    await coordinator.runtime.submit(cmd.AskHelp(id="h", at=NOON, node="kiosk-1", station="front"))
    (alarm,) = (await ask("GET", "/alarms"))[1]["alarms"]
    assert (alarm["code"], alarm["subject"]) == ("kiosk.help", "kiosk-1/front")
    assert "kiosk-1/front" in alarm["text"]["zh-CN"]
    status, told = await ask("POST", f"{path}/answer", {})
    assert (status, told["open"]) == (200, True) and told["answered_at"]
    status, told = await ask("POST", f"{path}/done", {})
    assert (status, told["open"]) == (200, False)
    assert (await ask("GET", "/alarms"))[1]["alarms"] == []


async def test_a_ticket_shows_its_rating_with_reasons(ask: Ask, coordinator: Coordinator) -> None:
    _, ticket = await ask("POST", "/tickets", {"service": "id-card"})
    await ask("POST", "/counters/1/keys", {"key": "next"})
    await ask("POST", "/counters/1/keys", {"key": "finish", "shown_ticket": ticket["ticket"]})
    (prompt,) = coordinator.runtime.state.prompts.values()
    about = {"prompt": prompt.prompt, "ticket": ticket["ticket"], "counter": "1", "grade": 2}
    await coordinator.runtime.submit(cmd.Rate(id="g", at=NOON, **about))
    await coordinator.runtime.submit(cmd.GiveReasons(id="w", at=NOON, version=1, reasons=("slow",), **about))
    _, shown = await ask("GET", f"/tickets/{ticket['ticket']}")
    (rating,) = shown["ratings"]
    assert (rating["result"], rating["grade"], rating["counter"]) == ("rated", 2, "1")
    assert (rating["reasons"], rating["reasons_version"]) == (["slow"], 1)


@pytest.mark.parametrize("node", ["Kiosk", "k%1f1", "k" * 65, "%E5%8F%A3"])
async def test_what_no_station_is_called_does_not_get_into_the_journal(
    ask: Ask, coordinator: Coordinator, node: str
) -> None:
    seq = coordinator.runtime.journal.seq
    status, told = await ask("POST", f"/help/{node}/front/answer", {})
    assert (status, told["code"]) == (404, "kiosk.help_none") and coordinator.runtime.journal.seq == seq


async def test_the_id_of_a_command_fits_its_column_and_stays_one_for_one_key(
    ask: Ask, coordinator: Coordinator
) -> None:
    """PostgreSQL refuses what is longer than the column, and the whole group of commands with it."""
    node, station, key = "n" * 64, "s" * 64, "k" * 100
    await coordinator.runtime.submit(cmd.AskHelp(id="h", at=NOON, node=node, station=station))
    path = f"/help/{node}/{station}/done"
    assert (await ask("POST", path, {}, **{"Idempotency-Key": key}))[0] == 200
    assert (await ask("POST", path, {}, **{"Idempotency-Key": key}))[0] == 200, "the answer of before"
    assert (await ask("POST", path, {}, **{"Idempotency-Key": key[1:]}))[0] == 404
    rows = await coordinator.runtime.journal.rows(0)
    column = EVENTS.c.command_id.type
    assert isinstance(column, String) and column.length is not None
    assert max(len(row.command_id) for row in rows) <= column.length


async def test_thousands_are_read_and_listed_beside_the_loop(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tap at a kiosk waits for the loop; 10,000 rows held it for a tenth of a second."""
    on_the_loop: list[bool] = []

    def noted(name: str) -> Callable[..., Any]:
        real = getattr(api_appointments, name)

        def called(*given: Any) -> Any:
            on_the_loop.append(threading.current_thread() is threading.main_thread())
            return real(*given)

        return called

    for name in ("_rows", "json_answer"):
        monkeypatch.setattr(api_appointments, name, noted(name))
    assert (await ask("PUT", f"/appointments/{DAY}", [row()]))[0] == 200
    _, listed = await ask("GET", f"/appointments/{DAY}")
    assert len(listed["appointments"]) == 1 and on_the_loop == [False] * 3
