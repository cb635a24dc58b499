"""The SQLite file of a node: opening, setting aside, and the statements. All of it blocks.

WAL with synchronous=FULL: one commit is one fdatasync. The checkpoint never runs on the way of an event
(`checkpoint` is called when nothing happens), and it is followed by a small commit, so that the WAL's new
header is not synced on that way either.

A file that is damaged, was made on another machine (a cloned or moved card) or is an old copy is set aside
under another name and a new stream begins in a new file. What the old one had not delivered (events, papers
in the middle of printing) is taken over; its leases are not: their numbers may be in use elsewhere.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from wire.codec import decode, encode
from wire.messages import NodeEvent

logger = logging.getLogger(__name__)

SCHEMA_VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE kept(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox(seq INTEGER PRIMARY KEY, payload BLOB NOT NULL);
CREATE TABLE inbox(command TEXT PRIMARY KEY, at REAL NOT NULL, seq INTEGER) WITHOUT ROWID;
CREATE TABLE prints(
    ticket TEXT PRIMARY KEY, at REAL NOT NULL, command TEXT, kind TEXT NOT NULL, body BLOB NOT NULL,
    done INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE prompts(prompt TEXT PRIMARY KEY, until REAL NOT NULL, command TEXT NOT NULL, body BLOB NOT NULL)
    WITHOUT ROWID;
CREATE TABLE leases(
    service_group TEXT NOT NULL, business_date TEXT NOT NULL, epoch INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (service_group, business_date, epoch, first)
) WITHOUT ROWID;
"""

KEPT_ACKED_ROWS: Final = 2000
"""Acknowledged events that stay, for a coordinator that was restored from a backup and asks again."""
ACK_BATCH: Final = 100
"""How many acknowledged rows collect before a later insert writes that down and prunes."""
SET_ASIDE: Final = 3
"""How many files that were set aside are kept of each kind."""
_CORRUPT: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class StorageError(Exception):
    """Nothing was stored. `code` is a key of the text catalogue."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


class SetAsideError(StorageError):
    """The file cannot be gone on with; `why` is part of the name that it gets."""

    def __init__(self, why: Literal["corrupt", "other-machine", "old-copy"], detail: str = "") -> None:
        super().__init__("agent.storage_" + why.replace("-", "_"), detail)
        self.why = why


class Row(msgspec.Struct, frozen=True):
    """One event of the outbox, ready to publish."""

    seq: int
    payload: bytes


def machine_identity() -> str:
    """A hash that differs between machines: the machine id and, on a Pi, its board's serial number."""
    parts = []
    for path in ("/etc/machine-id", "/sys/firmware/devicetree/base/serial-number"):
        try:
            parts.append(Path(path).read_text("ascii", "replace").strip("\0\n "))
        except OSError:
            parts.append("")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def new_id() -> str:
    """A fresh id for an event, a stream, a session or a ticket."""
    return os.urandom(16).hex()


class Database:
    """One open file. Every method blocks and belongs to the storage thread.

    `acked` is the highest event that the coordinator has; written down lazily, with a later insert.
    """

    def __init__(self, path: Path, machine: str) -> None:
        self._path = path
        self._machine = machine
        self._lock: int | None = None
        self._connection: sqlite3.Connection | None = None
        self.stream = ""
        self.last_seq = 0
        self.acked = 0
        self._acked_kept = 0
        self.commits_since_checkpoint = 0

    # ---------------------------------------------------------------- opening and closing

    def open(self) -> str | None:
        """Open or make the file. Returns the code of why the old one was set aside, None when it was not.

        Raises StorageError.
        """
        with reported():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            try:
                if self._path.exists():
                    self._open_existing()
                    return None
            except SetAsideError as error:
                logger.error("%s: %s; setting it aside and beginning a new stream", self._path, error)
                self.begin_anew(error.why)
                return error.code
            self._make([], [])
        return None

    def close(self) -> None:
        """Write everything down and let go of the file."""
        if self._connection is not None:
            try:
                self.checkpoint()
            except StorageError as error:
                logger.warning("closing %s: %s", self._path, error)
        self.abandon()

    def abandon(self) -> None:
        """Let go of the file as it is."""
        try:
            self._disconnect()
        except sqlite3.Error as error:
            logger.warning("closing %s: %s", self._path, error)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def begin_anew(self, why: Literal["corrupt", "other-machine", "old-copy"]) -> None:
        """Set the file aside and go on in a new one with what was not delivered. Raises StorageError."""
        events, prints = self._salvage()
        self._disconnect()
        with reported():
            for suffix in ("-wal", ""):
                old = self._path.with_name(self._path.name + suffix)
                if old.exists():
                    old.rename(self._aside(why, 0, suffix, make_room=True))
            self._make(events, prints)

    def _aside(self, why: str, index: int, suffix: str, *, make_room: bool) -> Path:
        path = self._path.with_name(f"{self._path.name}.{why}-{index}{suffix}")
        if make_room and path.exists():
            if index + 1 >= SET_ASIDE:
                path.unlink()
            else:
                path.rename(self._aside(why, index + 1, suffix, make_room=True))
        return path

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = os.open(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise StorageError("agent.storage_in_use", str(self._path)) from error
        self._lock = lock

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=5.0, cached_statements=64)
        self._connection = connection
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA cache_size=-512")
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open_existing(self) -> None:
        try:
            connection = self._connect()
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise SetAsideError("corrupt", found)
            tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name='meta'").fetchone()[0]
            if not tables and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                # The process ended between making the file and its first commit.
                self._fill(connection, [], [])
                return
            self._load(connection)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF in _CORRUPT or isinstance(error, sqlite3.IntegrityError):
                raise SetAsideError("corrupt", str(error)) from error
            raise

    def _load(self, connection: sqlite3.Connection) -> None:
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        if meta.get("schema") != str(SCHEMA_VERSION):
            raise SetAsideError("corrupt", f"schema {meta.get('schema')}")
        self.stream = meta["stream"]
        self.acked = self._acked_kept = int(meta["acked"])
        self.last_seq = connection.execute("SELECT coalesce(max(seq), 0) FROM outbox").fetchone()[0]
        if meta["machine"] != self._machine:
            raise SetAsideError("other-machine", "made on another machine")

    def _make(self, events: list[NodeEvent], prints: list[PrintRow]) -> None:
        self._fill(self._connect(), events, prints)

    def _fill(self, connection: sqlite3.Connection, events: list[NodeEvent], prints: list[PrintRow]) -> None:
        self.stream, self.last_seq, self.acked, self._acked_kept = new_id(), 0, 0, 0
        with self.transaction():
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
            connection.executemany(
                "INSERT INTO meta VALUES(?, ?)",
                [
                    ("schema", str(SCHEMA_VERSION)),
                    ("stream", self.stream),
                    ("machine", self._machine),
                    ("acked", "0"),
                ],
            )
            for event in events:
                seq = self.last_seq + 1
                again = msgspec.structs.replace(event, stream=self.stream, seq=seq)
                connection.execute("INSERT INTO outbox VALUES(?, ?)", (seq, encode(again)))
                self.last_seq = seq
            for row in prints:
                connection.execute(
                    "INSERT INTO prints VALUES(?, ?, ?, ?, ?, 0)",
                    (row.ticket, row.at, row.command, row.kind, row.body),
                )

    def _salvage(self) -> tuple[list[NodeEvent], list[PrintRow]]:
        """Whatever can still be read of the events and papers that were not delivered."""
        events: list[NodeEvent] = []
        prints: list[PrintRow] = []
        if self._connection is None:
            return events, prints
        try:
            acked = int(self._connection.execute("SELECT value FROM meta WHERE key='acked'").fetchone()[0])
            for (payload,) in self._connection.execute(
                "SELECT payload FROM outbox WHERE seq > ? ORDER BY seq", (acked,)
            ):
                events.append(decode(payload, NodeEvent))
            prints = self.unfinished_prints()
        except (sqlite3.Error, ValueError, TypeError) as error:
            logger.error("could not read all of the old file: %s", error)
        logger.warning("took over %d undelivered events and %d papers", len(events), len(prints))
        return events, prints

    # ---------------------------------------------------------------- transactions

    @property
    def connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StorageError("agent.storage_fault", "not open")
        return self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """BEGIN … COMMIT; rolled back, and `last_seq` with it, when anything is raised."""
        connection, last_seq = self.connection, self.last_seq
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            self.last_seq = last_seq
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self.commits_since_checkpoint += 1

    def append(
        self, *, kind: str, body: bytes, session: str, at: datetime, command: str | None = None
    ) -> Row:
        """Within a transaction: one event, and the result of `command` if it is one."""
        connection = self.connection
        seq = self.last_seq + 1
        event = NodeEvent(
            id=new_id(),
            stream=self.stream,
            seq=seq,
            session=session,
            at=at,
            kind=kind,
            body=msgspec.Raw(body),
        )
        row = Row(seq, encode(event))
        connection.execute("INSERT INTO outbox VALUES(?, ?)", (seq, row.payload))
        self.last_seq = seq
        if command is not None:
            connection.execute(
                "INSERT INTO inbox VALUES(?, ?, ?) ON CONFLICT(command) DO UPDATE SET seq=excluded.seq",
                (command, at.timestamp(), seq),
            )
        if self.acked - self._acked_kept >= ACK_BATCH:
            self.keep_acked()
        return row

    def keep_acked(self) -> None:
        """Within a transaction: write down what was acknowledged and prune far behind it."""
        acked = min(self.acked, self.last_seq)
        self.connection.execute("UPDATE meta SET value=? WHERE key='acked'", (str(acked),))
        self.connection.execute(
            "DELETE FROM outbox WHERE seq <= ? AND seq < (SELECT max(seq) FROM outbox)",
            (acked - KEPT_ACKED_ROWS,),
        )
        self._acked_kept = acked

    def checkpoint(self) -> None:
        """Move the WAL into the file, and write one small commit so that its new header is on disk too."""
        if self.commits_since_checkpoint == 0:
            return
        with reported():
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            with self.transaction():
                self.keep_acked()
        self.commits_since_checkpoint = 0

    # ---------------------------------------------------------------- papers

    def unfinished_prints(self) -> list[PrintRow]:
        return [
            PrintRow(*row)
            for row in self.connection.execute(
                "SELECT ticket, at, command, kind, body FROM prints WHERE done=0 ORDER BY at, ticket"
            )
        ]


class PrintRow(msgspec.Struct, frozen=True):
    """A paper that was begun: the event to report with when nobody can say more than "unknown"."""

    ticket: str
    at: float
    command: str | None
    kind: str
    body: bytes


@contextmanager
def reported() -> Iterator[None]:
    """SQLite's and the file system's errors as StorageError."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _CORRUPT:
            raise SetAsideError("corrupt", str(error)) from error
        if code == sqlite3.SQLITE_FULL:
            raise StorageError("agent.disk_full", str(error)) from error
        raise StorageError("agent.storage_fault", str(error)) from error
    except OSError as error:
        code_name = "agent.disk_full" if error.errno in (28, 122) else "agent.storage_fault"
        raise StorageError(code_name, str(error)) from error
