"""REST routes for appointments (预约): import the list of a date, and see it.

    PUT /api/v1/appointments/{date}   a list of {"id", "service", "from", "until",
                                      "name"?, "id_number"?, "code"?, "priority"?}
    GET /api/v1/appointments/{date}   masked

ID number and code become keyed hashes here, the name its masked form; the plain values are in this module
only while a request is answered, and in no message about what is wrong with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from unicodedata import category
from zoneinfo import ZoneInfo

import msgspec
from fastapi import Request, Response

from hall.api_requests import ApiError, json_answer, raw_body, submit
from hall.coordinator import Coordinator
from hall.queue import commands as cmd
from hall.queue.appointments import MAX_APPOINTMENTS
from hall.queue.state import Appointment, Ticket
from wire.checked_toml import TomlProblems, convert
from wire.messages import Id
from wire.proof import keyed_hash, normalised, read_key

MAX_BODY: Final = 8 * 1024 * 1024
MAX_PROBLEMS: Final = 50
"""Mistakes told of one list."""
NAME_STARS: Final = 8
"""A longer name is no longer where it is shown."""

Time = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]

_CARD = re.compile(r"[1-9][0-9]{16}[0-9X]")


class NewAppointment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`start` and `until`: local times of the date; "24:00" is its end."""

    id: Id
    service: Id
    start: Time = msgspec.field(name="from")
    until: Annotated[str, msgspec.Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z")]
    name: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    id_number: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    code: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    priority: Id | None = None


class AppointmentRoutes:
    """The handlers over one coordinator."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._policy = coordinator.policy
        self._runtime = coordinator.runtime
        self._key_file = coordinator.config.hall.match_key_file
        self._day_start = coordinator.config.hall.day_start

    async def put(self, request: Request) -> Response:
        """Import: those of the date that are not checked in are replaced."""
        key = self._key()
        day = _date(request)
        body = await raw_body(request, MAX_BODY)
        # Thousands of rows take a second: calls go on meanwhile.
        appointments = await asyncio.to_thread(self._blocking_read, day, key, body)
        await submit(
            self._runtime, request, cmd.ImportAppointments, business_date=day, appointments=appointments
        )
        return await self._listed(day)

    async def get(self, request: Request) -> Response:
        """Those of a date, without anything that could be matched."""
        day = _date(request)
        await self._runtime.settled()
        return await self._listed(day)

    def _blocking_read(self, day: date, key: bytes, body: bytes) -> tuple[Appointment, ...]:
        """Raises ApiError with every mistake."""
        rows = _rows(body)
        problems = self._check(rows)
        if problems:
            raise ApiError("hall.bad_request", problems=problems[:MAX_PROBLEMS])
        zone = ZoneInfo(self._policy.timezone)
        return tuple(
            Appointment(
                id=row.id,
                business_date=day,
                service=row.service,
                start=_at(day, row.start, zone),
                end=_at(day, row.until, zone),
                proofs=tuple(dict.fromkeys(keyed_hash(key, text) for text in _proving(row))),
                name=masked_name(row.name) if row.name else None,
                priority=row.priority,
            )
            for row in rows
        )

    def _key(self) -> bytes:
        if not self._key_file:
            raise ApiError("appointment.no_key", "[hall] match_key_file")
        try:
            return read_key(Path(self._key_file))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise ApiError("appointment.no_key", f"{self._key_file}: {why}") from error

    async def _listed(self, day: date) -> Response:
        state = self._runtime.state
        known = [(one, state.checked_in(one)) for one in state.appointments.get(day, {}).values()]
        return await asyncio.to_thread(self._blocking_list, day, known)

    def _blocking_list(self, day: date, known: list[tuple[Appointment, Ticket | None]]) -> Response:
        zone = ZoneInfo(self._policy.timezone)
        shown: list[dict[str, Any]] = []
        for appointment, ticket in sorted(known, key=lambda one: (one[0].start, one[0].id)):
            shown.append(
                {
                    "id": appointment.id,
                    "service": appointment.service,
                    "from": f"{appointment.start.astimezone(zone):%H:%M}",
                    "until": _until(day, appointment.end, zone),
                    "name": appointment.name,
                    "priority": appointment.priority,
                    "checked_in": ticket is not None,
                    "ticket": ticket.ticket if ticket is not None else None,
                    "number": ticket.number if ticket is not None else None,
                }
            )
        return json_answer({"date": day, "appointments": shown})

    def _check(self, rows: tuple[NewAppointment, ...]) -> list[str]:
        problems: list[str] = []
        seen: set[str] = set()
        for n, row in enumerate(rows):
            wrong: list[str] = []
            if row.id in seen:
                wrong.append("id: 重复 · is there twice")
            seen.add(row.id)
            if row.service not in self._policy.services:
                wrong.append("service: 不存在 · there is no such service")
            if row.priority is not None and row.priority not in self._policy.priorities:
                wrong.append("priority: 不存在 · there is no such class")
            if row.start < self._day_start:
                # Before that it is still the date before, on which nobody looks for it.
                wrong.append(f"from: 早于营业日开始 · before day_start, {self._day_start}")
            if row.start >= row.until:
                wrong.append("from: 不早于 until · is not before until")
            if not any(_proving(row)):
                wrong.append("id_number, code: 至少要有一个 · one is needed to check in")
            for field, text in (("id_number", row.id_number), ("code", row.code)):
                if text is not None and not normalised(text):
                    wrong.append(f"{field}: 是空的 · is empty")
            number = normalised(row.id_number or "")
            if len(number) == 18 and not _CARD.fullmatch(number):
                wrong.append("id_number: 18 位号码格式不对 · 18 characters, but no number of a card")
            problems += [f"[{n}].{text}" for text in wrong]
        return problems


def masked_name(name: str) -> str:
    """As citizens see it: 王*明, 王*; never the whole name. None of it where it has one character.

    Without what no eye sees: a mark of byte order that a table begins with, a turn of direction.
    """
    name = "".join(c for c in name if c != "*" and category(c) not in ("Cc", "Cf")).strip()
    if len(name) <= 1:
        return "*"
    last = name[-1] if len(name) > 2 else ""
    return name[0] + "*" * max(1, min(NAME_STARS, len(name) - 2)) + last


def _proving(row: NewAppointment) -> Iterable[str]:
    return (text for text in (row.id_number, row.code) if text is not None and normalised(text))


def _rows(body: bytes) -> tuple[NewAppointment, ...]:
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError("hall.bad_request", "not JSON") from error
    if isinstance(data, list) and len(data) > MAX_APPOINTMENTS:
        raise ApiError("hall.bad_request", problems=[f"太多 · {len(data)} rows, at most {MAX_APPOINTMENTS}"])
    with contextlib.suppress(msgspec.ValidationError):
        return msgspec.convert(data, tuple[NewAppointment, ...])
    # A hundred times as slow, but it tells every mistake.
    try:
        return convert(data, tuple[NewAppointment, ...])
    except TomlProblems as error:
        raise ApiError("hall.bad_request", problems=error.problems[:MAX_PROBLEMS]) from error


def _date(request: Request) -> date:
    text: str = request.path_params["date"]
    try:
        # Only the long form: what 20261123 and 2026-W48-1 mean is nobody's guess.
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise ApiError("hall.bad_request", "date: YYYY-MM-DD") from error
    if not 1970 <= day.year < 9999:
        # At the ends of the calendar a local midnight is no time in UTC.
        raise ApiError("hall.bad_request", "date: YYYY-MM-DD")
    return day


def _at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight + timedelta(hours=int(clock[:2]), minutes=int(clock[3:]))).astimezone(UTC)


def _until(day: date, end: datetime, zone: ZoneInfo) -> str:
    local = end.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == day else "24:00"
