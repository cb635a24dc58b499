"""The journal: every event, in order, each with the hash of the one before it. Nothing else is kept.

    events  seq · at · epoch · business_date · type · command_id · body · prev_hash · hash
    cursors node · stream · through      (in the same transaction as the events that came of it)
    facts   name · value                 (hall, epoch, schema)

`hash` is SHA-256 over the previous hash, the columns before the body and the body (JSON as it stands), so a
row that was changed, taken out or put in shows. SQLite runs in WAL with `synchronous=FULL`: after
`_blocking_commit` has returned the rows survive a loss of power. The statements are plain SQLAlchemy Core
and raw parameter rows, so PostgreSQL works with another URL.

All methods named `_blocking_*` run in one single-worker executor, which owns the connection.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    create_engine,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from hall.queue import events as ev

R = TypeVar("R")

SCHEMA: Final = "1"
FIRST_HASH: Final = bytes(32)
"""The previous hash of row 1."""

_PAGE: Final = 2000
"""Rows read at once."""

_LONG = BigInteger().with_variant(Integer, "sqlite")
_tables = MetaData()
EVENTS: Final = Table(
    "events",
    _tables,
    Column("seq", _LONG, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("business_date", String(10), nullable=False),
    Column("type", String(32), nullable=False),
    Column("command_id", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("prev_hash", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
_DAYS = EVENTS.c.type == "day_opened"
Index("events_days", EVENTS.c.seq, sqlite_where=_DAYS, postgresql_where=_DAYS)
CURSORS: Final = Table(
    "cursors",
    _tables,
    Column("node", String(64), primary_key=True),
    Column("stream", String(64), primary_key=True),
    Column("through", _LONG, nullable=False),
)
FACTS: Final = Table(
    "facts",
    _tables,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)


class JournalError(Exception):
    """The journal cannot be used; `code` is a key of the text catalogue."""

    code = "hall.journal_failed"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        if code is not None:
            self.code = code


class ChainBrokenError(JournalError):
    """Row `seq` does not follow from the row before it: the journal was changed."""

    code = "hall.journal_changed"

    def __init__(self, seq: int, detail: str) -> None:
        super().__init__(f"row {seq}: {detail}")
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the journal."""

    seq: int
    at: str
    epoch: int
    business_date: str
    type: str
    command_id: str
    body: str
    prev_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Start:
    """What a coordinator begins with: the events since the day was opened, and every node's cursor."""

    events: list[ev.Event]
    cursors: dict[tuple[str, str], int]
    epoch: int
    """The epoch of the last start, 0 for a new journal."""


def row_hash(
    prev: bytes, seq: int, at: str, epoch: int, date_: str, type_: str, command: str, body: str
) -> bytes:
    """The hash of a row; the separator stands in none of the columns before the body."""
    head = f"{seq}\x1f{at}\x1f{epoch}\x1f{date_}\x1f{type_}\x1f{command}\x1f"
    return hashlib.sha256(prev + head.encode() + body.encode()).digest()


def check_row(row: Row, prev: bytes, seq: int) -> None:
    """Raises ChainBrokenError when `row` is not row `seq` after the hash `prev`."""
    if row.seq != seq:
        raise ChainBrokenError(seq, f"missing, the next one is {row.seq}")
    if row.prev_hash != prev:
        raise ChainBrokenError(seq, "the row before it was changed or replaced")
    expected = row_hash(
        prev, row.seq, row.at, row.epoch, row.business_date, row.type, row.command_id, row.body
    )
    if row.hash != expected:
        raise ChainBrokenError(seq, "its content was changed")


class Journal:
    """One journal, for one writer. `url` is a path of an SQLite file or an SQLAlchemy URL."""

    def __init__(self, url: str) -> None:
        self._path = None if "://" in url else Path(url)
        self._url = url if self._path is None else f"sqlite:///{self._path}"
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._lock: int | None = None
        self._insert, self._positional = "", True
        self._stopped = False
        self.seq = 0
        self.last_hash = FIRST_HASH
        self.commits = 0

    async def start(self, hall: str) -> Start:
        """Open or create the journal of `hall` and read the present day. Raises JournalError."""
        return await self._run(self._blocking_start, hall)

    async def reload(self) -> Start:
        """Open again after a failed commit and read what really is on disk. Raises JournalError."""
        return await self._run(self._blocking_reload)

    async def commit(self, rows: Sequence[tuple[Any, ...]], cursors: Sequence[tuple[str, str, int]]) -> None:
        """One durable transaction. Raises JournalError: then nothing of it may be told to anybody."""
        await self._run(self._blocking_commit, rows, cursors)

    async def store_epoch(self, epoch: int) -> None:
        """Keep the epoch of this start. Raises JournalError."""
        await self._run(self._blocking_store, {"epoch": str(epoch)})

    @property
    def is_open(self) -> bool:
        """False before the start and after a `reload` that could not open it again."""
        return self._connection is not None

    async def round_trip(self) -> None:
        """A real question to the database, through the writing thread. Raises JournalError."""
        await self._run(self._blocking_round_trip)

    async def rows(self, since: int, limit: int = _PAGE) -> list[Row]:
        """Up to `limit` rows with seq > `since`. Raises JournalError."""
        return await self._run(self._blocking_rows, since, limit)

    async def stop(self) -> None:
        """Close; safe at any time and more than once."""
        if self._stopped:
            return
        self._stopped = True
        await self._run(self._blocking_close)
        self._executor.shutdown(wait=False)

    async def _run(self, function: Callable[..., R], *arguments: Any) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    def new_rows(self, events: Sequence[ev.Event], epoch: int, business_date: str) -> list[tuple[Any, ...]]:
        """Rows for `events` behind all rows made before; the caller commits them in this order."""
        rows: list[tuple[Any, ...]] = []
        seq, prev = self.seq, self.last_hash
        for item in events:
            seq += 1
            if type(item) is ev.DayOpened:
                business_date = item.business_date.isoformat()
            at = item.at.isoformat()
            kind = ev.kind(item)
            body = ev.encode(item).decode()
            hash_ = row_hash(prev, seq, at, epoch, business_date, kind, item.command, body)
            rows.append((seq, at, epoch, business_date, kind, item.command, body, prev, hash_))
            prev = hash_
        self.seq, self.last_hash = seq, prev
        return rows

    # ------------------------------------------------------------ in the executor

    def _blocking_start(self, hall: str) -> Start:
        try:
            self._blocking_open()
            facts = self._blocking_facts()
            if facts.get("hall", hall) != hall:
                raise JournalError(
                    f"this is the journal of hall {facts['hall']!r}", code="hall.journal_other"
                )
            if facts.get("schema", SCHEMA) != SCHEMA:
                raise JournalError(f"schema {facts['schema']!r}", code="hall.journal_newer")
            self._blocking_store({"hall": hall, "schema": SCHEMA})
            return self._blocking_load()
        except (SQLAlchemyError, OSError) as error:
            raise JournalError(_short(error)) from error

    def _blocking_reload(self) -> Start:
        try:
            self._blocking_disconnect()
            self._blocking_connect()
            return self._blocking_load()
        except (SQLAlchemyError, OSError) as error:
            raise JournalError(_short(error)) from error

    def _blocking_open(self) -> None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(f"{self._path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise JournalError(str(self._path), code="hall.journal_in_use") from error
        self._blocking_connect()
        assert self._engine is not None and self._connection is not None
        _tables.create_all(self._connection)
        self._connection.commit()
        self._insert, self._positional = insert_statement(self._engine.dialect)
        if self._path is not None and self._path.exists():
            self._path.chmod(0o600)

    def _blocking_connect(self) -> None:
        self._engine = open_engine(self._url)
        self._connection = self._engine.connect()
        if self._engine.dialect.name == "postgresql":
            locked = self._connection.execute(text("select pg_try_advisory_lock(723110)")).scalar()
            self._connection.commit()
            if not locked:
                raise JournalError(self._engine.url.render_as_string(), code="hall.journal_in_use")

    def _blocking_disconnect(self) -> None:
        connection, self._connection = self._connection, None
        engine, self._engine = self._engine, None
        if connection is not None:
            try:
                connection.close()
            except SQLAlchemyError:
                connection.invalidate()
        if engine is not None:
            engine.dispose()

    def _blocking_close(self) -> None:
        self._blocking_disconnect()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _connected(self) -> Connection:
        if self._connection is None:
            raise JournalError("not open")
        return self._connection

    def _blocking_facts(self) -> dict[str, str]:
        connection = self._connected()
        rows = connection.execute(select(FACTS.c.name, FACTS.c.value))
        facts = {row.name: row.value for row in rows}
        connection.rollback()
        return facts

    def _blocking_store(self, facts: dict[str, str]) -> None:
        connection = self._connected()
        try:
            for name, value in facts.items():
                changed = connection.execute(
                    FACTS.update().where(FACTS.c.name == bindparam("key")).values(value=value), {"key": name}
                )
                if not changed.rowcount:
                    connection.execute(insert(FACTS).values(name=name, value=value))
            connection.commit()
        except SQLAlchemyError as error:
            _blocking_rollback(connection)
            raise JournalError(_short(error)) from error

    def _blocking_load(self) -> Start:
        connection = self._connected()
        opened = connection.execute(select(EVENTS.c.seq).where(_DAYS).order_by(EVENTS.c.seq.desc())).scalar()
        since = (opened or 1) - 1
        prev = FIRST_HASH
        if since:
            before = connection.execute(select(EVENTS.c.hash).where(EVENTS.c.seq == since)).scalar()
            if before is None:
                raise ChainBrokenError(since, "missing")
            prev = bytes(before)
        events: list[ev.Event] = []
        seq = since
        for row in read_rows(connection, since):
            check_row(row, prev, seq + 1)
            try:
                events.append(ev.decode(row.body))
            except msgspec.DecodeError as error:
                detail = f"row {row.seq}: {row.type}: {error}"
                raise JournalError(detail, code="hall.journal_newer") from error
            seq, prev = row.seq, row.hash
        cursors = {(row.node, row.stream): int(row.through) for row in connection.execute(select(CURSORS))}
        connection.rollback()
        self.seq, self.last_hash = seq, prev
        return Start(events, cursors, int(self._blocking_facts().get("epoch", "0")))

    def _blocking_commit(
        self, rows: Sequence[tuple[Any, ...]], cursors: Sequence[tuple[str, str, int]]
    ) -> None:
        connection = self._connected()
        try:
            if rows:
                connection.exec_driver_sql(self._insert, self._parameters(rows))
            for node, stream, through in cursors:
                changed = connection.execute(_CURSOR_UPDATE, {"n": node, "s": stream, "t": through})
                if not changed.rowcount:
                    connection.execute(_CURSOR_INSERT, {"node": node, "stream": stream, "through": through})
            connection.commit()
            self.commits += 1
        except Exception as error:
            # Also what the database's driver itself refuses: the writer must outlive every row.
            _blocking_rollback(connection)
            raise JournalError(_short(error)) from error

    def _parameters(self, rows: Sequence[tuple[Any, ...]]) -> Any:
        if self._positional:
            return list(rows)
        names = [column.name for column in EVENTS.columns]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _blocking_round_trip(self) -> None:
        connection = self._connected()
        try:
            connection.execute(select(FACTS.c.value).where(FACTS.c.name == "epoch")).scalar()
            connection.rollback()
        except SQLAlchemyError as error:
            raise JournalError(_short(error)) from error

    def _blocking_rows(self, since: int, limit: int) -> list[Row]:
        connection = self._connected()
        try:
            found = connection.execute(
                select(EVENTS).where(EVENTS.c.seq > since).order_by(EVENTS.c.seq).limit(limit)
            )
            rows = [Row(*row) for row in found]
            connection.rollback()
            return rows
        except SQLAlchemyError as error:
            raise JournalError(_short(error)) from error


def _blocking_rollback(connection: Connection) -> None:
    """After a statement or a commit that failed: without it the connection refuses every other one."""
    try:
        connection.rollback()
    except SQLAlchemyError:
        connection.invalidate()


_CURSOR_UPDATE = (
    CURSORS.update()
    .where(CURSORS.c.node == bindparam("n"), CURSORS.c.stream == bindparam("s"))
    .values(through=bindparam("t"))
)
_CURSOR_INSERT = insert(CURSORS)


def insert_statement(dialect: Dialect) -> tuple[str, bool]:
    """The raw statement that writes a row, and whether its parameters are given in the order of columns."""
    compiled = insert(EVENTS).compile(dialect=dialect)
    positional = bool(getattr(compiled, "positional", False))
    if positional:
        assert getattr(compiled, "positiontup", None) == [column.name for column in EVENTS.columns]
    return str(compiled), positional


def open_engine(url: str) -> Engine:
    """An engine for a journal; SQLite gets WAL and FULL."""
    sqlite = url.startswith("sqlite")
    engine = create_engine(
        url, poolclass=StaticPool, connect_args={"check_same_thread": False} if sqlite else {}
    )
    if sqlite:

        @event.listens_for(engine, "connect")
        def _pragmas(connection: Any, _: Any) -> None:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
                connection.execute(f"pragma {pragma}").fetchall()

    return engine


def read_rows(connection: Connection, since: int = 0) -> Iterator[Row]:
    """All rows with seq > `since` in order, a page at a time."""
    while True:
        page = [
            Row(*row)
            for row in connection.execute(
                select(EVENTS).where(EVENTS.c.seq > since).order_by(EVENTS.c.seq).limit(_PAGE)
            )
        ]
        yield from page
        if len(page) < _PAGE:
            return
        since = page[-1].seq


def verify(connection: Connection) -> tuple[int, bytes]:
    """Check the whole chain; the number of rows and the last hash. Raises ChainBrokenError, JournalError.

    Rows taken off the end leave a whole chain: compare the last hash with one noted elsewhere.
    """
    seq, prev = 0, FIRST_HASH
    for row in read_rows(connection):
        check_row(row, prev, seq + 1)
        try:
            item = ev.decode(row.body)
        except msgspec.DecodeError as error:
            raise JournalError(f"row {row.seq}: {row.type}: {error}", code="hall.journal_newer") from error
        if (item.at.isoformat(), ev.kind(item), item.command) != (row.at, row.type, row.command_id):
            raise ChainBrokenError(row.seq, "its columns say something else than its body")
        seq, prev = row.seq, row.hash
    return seq, prev


def export_line(row: Row) -> bytes:
    """One line of JSON for an export, without its line end."""
    return msgspec.json.encode(
        {
            "seq": row.seq,
            "at": row.at,
            "epoch": row.epoch,
            "business_date": row.business_date,
            "type": row.type,
            "command_id": row.command_id,
            "body": msgspec.Raw(row.body.encode()),
            "prev_hash": row.prev_hash.hex(),
            "hash": row.hash.hex(),
        }
    )


def _short(error: Exception) -> str:
    """The database's own words, without statement and parameters (they hold the events)."""
    return str(getattr(error, "orig", None) or error)[:300]
