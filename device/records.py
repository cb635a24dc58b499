"""The transactions of a node's storage: what is committed together. All of it blocks, in the storage thread.

Opened when first used and again after an I/O error, so that a disk that is back is used again.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec

from device.clock import Clock
from device.database import Database, Row, SetAsideError, StorageError, machine_identity
from wire.codec import decode, encode
from wire.kinds import EVENTS, KINDS
from wire.messages import (
    CommandResult,
    GrantLease,
    Message,
    PromptRating,
    RatingUnanswered,
    TicketIssuedOffline,
    TicketPrinted,
)

logger = logging.getLogger(__name__)

IDLE_COMMITS: Final = 200
"""So many commits are worth a checkpoint when nothing happens."""
MOST_COMMITS: Final = 1000
"""So many force one: the WAL stays below about 16 MiB."""
KEPT_DAYS: Final = 2
"""How long a command's result and a paper's outcome are kept."""
NOTE: Final = "paper"
"""Key of the note of the newest paper."""

PaperEvent = TicketPrinted | TicketIssuedOffline


class Known(msgspec.Struct, frozen=True):
    """A command that was decided before: its result, None while it is open or when it was pruned."""

    row: Row | None


class OpenPrompt(msgspec.Struct, frozen=True):
    """A rating prompt that an earlier process was showing."""

    command: str
    prompt: PromptRating
    until: datetime


class Records:
    """`machine` None: this machine. `notice`: why the old file was set aside, until the next start."""

    def __init__(self, path: Path, session: str, clock: Clock, machine: str | None) -> None:
        self.path = path
        self._session = session
        self._clock = clock
        self._machine = machine
        self._opened: Database | None = None
        self._last_commits = 0
        self._printing: set[str] = set()
        """Tickets that this process has begun: after an I/O error they are unfinished, not interrupted."""
        self.notice: str | None = None

    @property
    def stream(self) -> str:
        """ "" while the file is not open; so are the numbers 0."""
        return self._opened.stream if self._opened is not None else ""

    @property
    def last_seq(self) -> int:
        return self._opened.last_seq if self._opened is not None else 0

    @property
    def acked(self) -> int:
        return self._opened.acked if self._opened is not None else 0

    def ack(self, through: int) -> None:
        """From the loop; written down with a later commit."""
        if self._opened is not None:
            self._opened.acked = through

    @property
    def database(self) -> Database:
        if self._opened is None:
            raise StorageError("agent.storage_fault", "not open")
        return self._opened

    def blocking_ready(self) -> None:
        if self._opened is not None:
            return
        machine = machine_identity() if self._machine is None else self._machine
        database = Database(self.path, machine)
        try:
            notice = database.open()
        except BaseException:
            database.abandon()
            raise
        self._opened = database
        if notice is not None:
            self.notice = notice
        with database.transaction():
            self._report_interrupted(database)

    def _report_interrupted(self, database: Database) -> None:
        now = self._clock.now()
        for row in database.unfinished_prints():
            if row.ticket in self._printing:
                continue
            logger.warning("ticket %s was being printed when the agent ended: unknown", row.ticket)
            database.append(kind=row.kind, body=row.body, session=self._session, at=now, command=row.command)
            database.connection.execute("UPDATE prints SET done=1 WHERE ticket=?", (row.ticket,))

    def blocking_close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def blocking_set_aside(self, error: SetAsideError) -> None:
        """The file turned out to be damaged while it was in use: go on in a new one."""
        if self._opened is not None:
            self._opened.begin_anew(error.why)
            self.notice = error.code

    def blocking_abandon(self) -> None:
        """After an I/O error: the next use opens the file again."""
        if self._opened is not None:
            self._opened.abandon()
            self._opened = None

    def blocking_tidy(self) -> None:
        database = self.database
        commits = database.commits_since_checkpoint
        quiet = commits == self._last_commits
        self._last_commits = commits
        if commits >= MOST_COMMITS or (quiet and commits >= IDLE_COMMITS):
            oldest = self._clock.now().timestamp() - KEPT_DAYS * 86400
            with database.transaction() as connection:
                connection.execute("DELETE FROM inbox WHERE at < ? AND seq IS NOT NULL", (oldest,))
                connection.execute("DELETE FROM prints WHERE at < ? AND done=1", (oldest,))
                day = date.fromtimestamp(max(0.0, oldest)).isoformat()
                connection.execute("DELETE FROM leases WHERE business_date < ?", (day,))
            database.checkpoint()
            self._last_commits = 0

    def blocking_begin_anew(self) -> None:
        self.database.begin_anew("old-copy")
        self.notice = "agent.storage_old_copy"

    def _append(self, body: Message, at: datetime, command: str | None = None) -> Row:
        return self.database.append(
            kind=KINDS[type(body)], body=encode(body), session=self._session, at=at, command=command
        )

    def blocking_add(
        self, bodies: tuple[Message, ...], command: str | None, paper: PaperEvent | None, at: datetime
    ) -> tuple[Row, ...]:
        last = len(bodies) - (paper is None)
        with self.database.transaction() as connection:
            rows = [self._append(body, at, command if n == last else None) for n, body in enumerate(bodies)]
            if paper is not None:
                rows.append(self._append(paper, at, command))
                connection.execute(
                    "UPDATE prints SET done=1, kind=?, body=? WHERE ticket=?",
                    (KINDS[type(paper)], encode(paper), paper.ticket),
                )
        if paper is not None:
            self._printing.discard(paper.ticket)
        return tuple(rows)

    def blocking_known(self, command: str) -> Known | None:
        connection = self.database.connection
        found = connection.execute("SELECT seq FROM inbox WHERE command=?", (command,)).fetchone()
        if found is None:
            return None
        row = connection.execute("SELECT seq, payload FROM outbox WHERE seq=?", found).fetchone()
        return Known(None if row is None else Row(*row))

    def blocking_rows_after(self, seq: int, limit: int) -> list[Row]:
        return [
            Row(*row)
            for row in self.database.connection.execute(
                "SELECT seq, payload FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            )
        ]

    def blocking_begin_print(
        self, paper: PaperEvent, command: str | None, note: bytes | None, at: datetime
    ) -> None:
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO prints VALUES(?, ?, ?, ?, ?, 0) ON CONFLICT(ticket) DO UPDATE SET "
                "at=excluded.at, command=excluded.command, kind=excluded.kind, body=excluded.body, done=0",
                (paper.ticket, at.timestamp(), command, KINDS[type(paper)], encode(paper)),
            )
            if note is not None:
                _keep(connection, NOTE, note)
        self._printing.add(paper.ticket)

    def blocking_outcome(self, ticket: str) -> PaperEvent | None:
        row = self.database.connection.execute(
            "SELECT kind, body FROM prints WHERE ticket=? AND done=1", (ticket,)
        ).fetchone()
        if row is None:
            return None
        body = decode(row[1], EVENTS[row[0]])
        return body if isinstance(body, TicketPrinted | TicketIssuedOffline) else None

    def blocking_grant(self, lease: GrantLease, epoch: int, command: str, at: datetime) -> tuple[Row, ...]:
        key = (lease.group, lease.business_date.isoformat())
        with self.database.transaction() as connection:
            # A restored coordinator may lease numbers again that it has forgotten: never have them twice.
            had = connection.execute(
                "SELECT max(last) FROM leases WHERE service_group=? AND business_date=? "
                "AND first <= ? AND last >= ?",
                (*key, lease.last, lease.first),
            ).fetchone()[0]
            connection.execute(
                "INSERT INTO leases VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*key, epoch, lease.first, lease.last, lease.first if had is None else had + 1),
            )
            return (self._append(CommandResult(command=command, outcome="done"), at, command),)

    def blocking_burn(
        self,
        group: str,
        day: date,
        make: Callable[[int, int], TicketIssuedOffline],
        note: Callable[[TicketIssuedOffline], bytes] | None,
        at: datetime,
    ) -> TicketIssuedOffline | None:
        with self.database.transaction() as connection:
            lease = connection.execute(
                "SELECT epoch, first, next FROM leases WHERE service_group=? AND business_date=? "
                "AND next <= last ORDER BY first LIMIT 1",
                (group, day.isoformat()),
            ).fetchone()
            if lease is None:
                return None
            epoch, first, number = lease
            connection.execute(
                "UPDATE leases SET next=? WHERE service_group=? AND business_date=? AND epoch=? AND first=?",
                (number + 1, group, day.isoformat(), epoch, first),
            )
            ticket = make(number, epoch)
            connection.execute(
                "INSERT INTO prints VALUES(?, ?, NULL, ?, ?, 0)",
                (ticket.ticket, at.timestamp(), KINDS[type(ticket)], encode(ticket)),
            )
            if note is not None:
                _keep(connection, NOTE, note(ticket))
        self._printing.add(ticket.ticket)
        return ticket

    def blocking_remaining(self, day: date) -> dict[str, int]:
        return dict(
            self.database.connection.execute(
                "SELECT service_group, sum(max(0, last - next + 1)) FROM leases WHERE business_date=? "
                "GROUP BY service_group",
                (day.isoformat(),),
            ).fetchall()
        )

    def blocking_open_prompt(
        self,
        command: str,
        prompt: PromptRating,
        until: datetime,
        replaced: RatingUnanswered | None,
        at: datetime,
    ) -> tuple[Row, ...]:
        rows: tuple[Row, ...] = ()
        with self.database.transaction() as connection:
            if replaced is not None:
                rows = (self._end_prompt(connection, replaced, replaced.prompt, at),)
            connection.execute(
                "INSERT INTO inbox VALUES(?, ?, NULL) ON CONFLICT DO NOTHING", (command, at.timestamp())
            )
            connection.execute(
                "INSERT OR REPLACE INTO prompts VALUES(?, ?, ?, ?)",
                (prompt.prompt, until.timestamp(), command, encode(prompt)),
            )
        return rows

    def blocking_end_prompt(self, body: Message, prompt: str, at: datetime) -> tuple[Row, ...]:
        with self.database.transaction() as connection:
            return (self._end_prompt(connection, body, prompt, at),)

    def _end_prompt(self, connection: sqlite3.Connection, body: Message, prompt: str, at: datetime) -> Row:
        found = connection.execute("SELECT command FROM prompts WHERE prompt=?", (prompt,)).fetchone()
        connection.execute("DELETE FROM prompts WHERE prompt=?", (prompt,))
        return self._append(body, at, found[0] if found else None)

    def blocking_open_prompts(self) -> list[OpenPrompt]:
        return [
            OpenPrompt(
                command,
                msgspec.json.decode(body, type=PromptRating),
                datetime.fromtimestamp(until, self._clock.now().tzinfo),
            )
            for command, body, until in self.database.connection.execute(
                "SELECT command, body, until FROM prompts ORDER BY until"
            )
        ]

    def blocking_keep(self, key: str, value: bytes) -> None:
        with self.database.transaction() as connection:
            _keep(connection, key, value)

    def blocking_kept(self, key: str) -> bytes | None:
        row = self.database.connection.execute("SELECT value FROM kept WHERE key=?", (key,)).fetchone()
        return None if row is None else bytes(row[0])


def _keep(connection: sqlite3.Connection, key: str, value: bytes) -> None:
    connection.execute("INSERT OR REPLACE INTO kept VALUES(?, ?)", (key, value))
