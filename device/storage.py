"""What a node remembers across a crash: outbox, inbox, leases, papers and prompts; see `device.database`.

Every method is one transaction in the storage thread, and one fdatasync. What belongs together goes in
together: the event with the command that it answers, the number burned with the paper that it is for.
A full or failing disk raises StorageError and leaves `fault` set until something could be stored again.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import msgspec

from device.clock import Clock
from device.database import Database, Row, SetAsideError, StorageError, machine_identity, reported
from wire.codec import decode, encode
from wire.messages import (
    EVENTS,
    KINDS,
    CommandResult,
    GrantLease,
    Message,
    PromptRating,
    RatingUnanswered,
    TicketIssuedOffline,
    TicketPrinted,
)

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

TIDY_S: Final = 5.0
"""How often the storage looks whether it can tidy up."""
IDLE_COMMITS: Final = 200
"""So many commits are worth a checkpoint when nothing happened for TIDY_S."""
MOST_COMMITS: Final = 1000
"""So many force one: the WAL stays below about 16 MiB."""
KEPT_DAYS: Final = 2
"""How long a command's result and a paper's outcome are kept."""

PaperEvent = TicketPrinted | TicketIssuedOffline


class Known(msgspec.Struct, frozen=True):
    """A command that was decided before: its result, None while it is open or when it was pruned."""

    row: Row | None


class OpenPrompt(msgspec.Struct, frozen=True):
    """A rating prompt that an earlier process was showing."""

    command: str
    prompt: PromptRating
    until: datetime


class Storage:
    """`session` is this process; `machine` tells a cloned card (None: this machine).

    Attributes:
        on_rows: Called on the loop with the new rows right after their commit.
        on_fault: Called on the loop with a code when storing begins to fail, with None when it works again.
    """

    def __init__(self, path: str | Path, session: str, clock: Clock, machine: str | None = None) -> None:
        self._path = Path(path)
        self._session = session
        self._clock = clock
        self._machine = machine
        self._database: Database | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._tidy_task: asyncio.Task[None] | None = None
        self._acked = 0
        self._last_commits = 0
        self.on_rows: Callable[[tuple[Row, ...]], None] | None = None
        self.on_fault: Callable[[str | None], None] | None = None
        self.fault: str | None = None
        self.notice: str | None = None
        """Why the old file was set aside at the start or later; stays until the next start."""

    @property
    def stream(self) -> str:
        return self._database.stream if self._database is not None else ""

    @property
    def last_seq(self) -> int:
        return self._database.last_seq if self._database is not None else 0

    @property
    def acked(self) -> int:
        return self._acked

    # ---------------------------------------------------------------- life

    async def start(self) -> None:
        """Open the file; on a fault go on without (`fault` is set) and try again with every use."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="storage")
        try:
            await self._run(self._blocking_ready)
        except StorageError as error:
            logger.error("no storage: %s", error)
        self._tidy_task = asyncio.create_task(self._tidy(), name="storage tidy")

    async def stop(self) -> None:
        """Write everything down and close."""
        if self._tidy_task is not None:
            self._tidy_task.cancel()
            await asyncio.wait([self._tidy_task])
            self._tidy_task = None
        if self._executor is not None:
            await asyncio.get_running_loop().run_in_executor(self._executor, self._blocking_close)
            self._executor.shutdown(wait=False)
            self._executor = None

    async def ping(self) -> None:
        """Returns when the storage thread is alive and through with its work."""
        if self._executor is not None:
            await asyncio.get_running_loop().run_in_executor(self._executor, int)

    # ---------------------------------------------------------------- outbox and inbox

    async def add(
        self, *bodies: Message, command: str | None = None, paper: PaperEvent | None = None
    ) -> tuple[Row, ...]:
        """Commit events; returns their rows, which `on_rows` has got already.

        Args:
            command: The last event is the result of this command.
            paper: The outcome of a paper that was begun: an event as well, the last one.
        """
        return self._published(await self._run(self._blocking_add, bodies, command, paper, self._now()))

    async def known(self, command: str) -> Known | None:
        """Whether this command was accepted before, and its result."""
        return await self._run(self._blocking_known, command)

    async def rows_after(self, seq: int, limit: int) -> list[Row]:
        return await self._run(self._blocking_rows_after, seq, limit)

    def ack(self, through: int) -> None:
        """The coordinator has everything up to `through` in its journal; may go back after a restore."""
        self._acked = through
        if self._database is not None:
            self._database.acked = through

    # ---------------------------------------------------------------- papers

    async def begin_print(self, paper: PaperEvent, command: str | None) -> None:
        """Note a paper before its first byte; `paper` says what to report if nothing more is heard."""
        await self._run(self._blocking_begin_print, paper, command, self._now())

    async def outcome(self, ticket: str) -> PaperEvent | None:
        """What became of a paper of the last days; None when it is unknown here or not finished."""
        return await self._run(self._blocking_outcome, ticket)

    # ---------------------------------------------------------------- leases

    async def grant(self, lease: GrantLease, epoch: int, command: str) -> None:
        """Keep numbers, without those of them that were burned before; with the command's result."""
        self._published(await self._run(self._blocking_grant, lease, epoch, command, self._now()))

    async def burn(
        self, group: str, day: date, make: Callable[[int, int], TicketIssuedOffline]
    ) -> TicketIssuedOffline | None:
        """Take the next number for good and note its paper, in one commit.

        `make(number, epoch)` gives the event of the ticket with paper "unknown". None: no number is left.
        """
        return await self._run(self._blocking_burn, group, day, make, self._now())

    async def remaining(self, day: date) -> dict[str, int]:
        """Numbers left for `day`, per group."""
        return await self._run(self._blocking_remaining, day)

    # ---------------------------------------------------------------- prompts

    async def open_prompt(
        self, command: str, prompt: PromptRating, until: datetime, replaced: RatingUnanswered | None
    ) -> None:
        """Accept a prompt (and end the one that it replaces)."""
        self._published(
            await self._run(self._blocking_open_prompt, command, prompt, until, replaced, self._now())
        )

    async def end_prompt(self, body: Message, prompt: str) -> None:
        """Commit how a prompt ended, as the result of its command."""
        self._published(await self._run(self._blocking_end_prompt, body, prompt, self._now()))

    async def open_prompts(self) -> list[OpenPrompt]:
        return await self._run(self._blocking_open_prompts)

    # ---------------------------------------------------------------- things kept by name

    async def keep(self, key: str, value: bytes) -> None:
        await self._run(self._blocking_keep, key, value)

    async def kept(self, key: str) -> bytes | None:
        return await self._run(self._blocking_kept, key)

    async def begin_anew(self) -> None:
        """This file is an old copy (the coordinator has later events of its stream): a new stream."""
        await self._run(self._blocking_begin_anew)

    # ---------------------------------------------------------------- the thread

    async def _run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._executor is None:
            raise StorageError("agent.storage_fault", "not started")

        def guarded() -> R:
            with reported():
                self._blocking_ready()
                return work(*args, **kwargs)

        try:
            result = await asyncio.get_running_loop().run_in_executor(self._executor, guarded)
        except StorageError as error:
            if isinstance(error, SetAsideError):
                await self._set_aside(error)
            elif error.code == "agent.storage_fault":
                await asyncio.get_running_loop().run_in_executor(self._executor, self._blocking_abandon)
            self._set_fault(error.code)
            raise
        if self.fault is not None:
            self._set_fault(None)
        return result

    async def _set_aside(self, error: SetAsideError) -> None:
        logger.error("%s is damaged: %s; setting it aside and beginning a new stream", self._path, error)
        database = self._database
        if database is None or self._executor is None:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, database.begin_anew, error.why)
            self.notice, self._acked = error.code, 0
        except StorageError as again:
            logger.error("no new file either: %s", again)

    def _set_fault(self, code: str | None) -> None:
        if code == self.fault:
            return
        if code is not None:
            logger.error("storing fails: %s", code)
        else:
            logger.info("storing works again")
        self.fault = code
        if self.on_fault is not None:
            self.on_fault(code)

    def _now(self) -> datetime:
        return self._clock.now()

    def _published(self, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        if rows and self.on_rows is not None:
            self.on_rows(rows)
        return rows

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_S)
            try:
                if self.fault is not None:
                    await self.keep("probe", b"")
                else:
                    await self._run(self._blocking_tidy)
            except StorageError as error:
                logger.debug("tidying: %s", error)

    @property
    def _open(self) -> Database:
        if self._database is None:
            raise StorageError("agent.storage_fault", "not open")
        return self._database

    def _blocking_ready(self) -> None:
        if self._database is not None:
            return
        database = Database(self._path, machine_identity() if self._machine is None else self._machine)
        try:
            notice = database.open()
        except BaseException:
            database.abandon()
            raise
        self._database, self._acked = database, database.acked
        if notice is not None:
            self.notice = notice
        with database.transaction():
            self._report_interrupted(database)

    def _report_interrupted(self, database: Database) -> None:
        now = self._now()
        for row in database.unfinished_prints():
            logger.warning("ticket %s was being printed when the agent ended: unknown", row.ticket)
            database.append(kind=row.kind, body=row.body, session=self._session, at=now, command=row.command)
            database.connection.execute("UPDATE prints SET done=1 WHERE ticket=?", (row.ticket,))

    def _blocking_close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _blocking_abandon(self) -> None:
        """After an I/O error: the next use opens the file again."""
        if self._database is not None:
            self._database.abandon()
            self._database = None

    def _blocking_tidy(self) -> None:
        database = self._open
        commits = database.commits_since_checkpoint
        quiet = commits == self._last_commits
        self._last_commits = commits
        if commits >= MOST_COMMITS or (quiet and commits >= IDLE_COMMITS):
            oldest = self._now().timestamp() - KEPT_DAYS * 86400
            with database.transaction() as connection:
                connection.execute("DELETE FROM inbox WHERE at < ? AND seq IS NOT NULL", (oldest,))
                connection.execute("DELETE FROM prints WHERE at < ? AND done=1", (oldest,))
                day = date.fromtimestamp(max(0.0, oldest)).isoformat()
                connection.execute("DELETE FROM leases WHERE business_date < ?", (day,))
            database.checkpoint()
            self._last_commits = 0

    def _blocking_begin_anew(self) -> None:
        self._open.begin_anew("old-copy")
        self.notice, self._acked = "agent.storage_old_copy", 0

    def _append(self, body: Message, at: datetime, command: str | None = None) -> Row:
        return self._open.append(
            kind=KINDS[type(body)], body=encode(body), session=self._session, at=at, command=command
        )

    def _blocking_add(
        self, bodies: tuple[Message, ...], command: str | None, paper: PaperEvent | None, at: datetime
    ) -> tuple[Row, ...]:
        last = len(bodies) - (paper is None)
        with self._open.transaction() as connection:
            rows = [self._append(body, at, command if n == last else None) for n, body in enumerate(bodies)]
            if paper is not None:
                rows.append(self._append(paper, at, command))
                connection.execute(
                    "UPDATE prints SET done=1, kind=?, body=? WHERE ticket=?",
                    (KINDS[type(paper)], encode(paper), paper.ticket),
                )
        return tuple(rows)

    def _blocking_known(self, command: str) -> Known | None:
        connection = self._open.connection
        found = connection.execute("SELECT seq FROM inbox WHERE command=?", (command,)).fetchone()
        if found is None:
            return None
        row = connection.execute("SELECT seq, payload FROM outbox WHERE seq=?", found).fetchone()
        return Known(None if row is None else Row(*row))

    def _blocking_rows_after(self, seq: int, limit: int) -> list[Row]:
        return [
            Row(*row)
            for row in self._open.connection.execute(
                "SELECT seq, payload FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            )
        ]

    def _blocking_begin_print(self, paper: PaperEvent, command: str | None, at: datetime) -> None:
        with self._open.transaction() as connection:
            connection.execute(
                "INSERT INTO prints VALUES(?, ?, ?, ?, ?, 0) ON CONFLICT(ticket) DO UPDATE SET "
                "at=excluded.at, command=excluded.command, kind=excluded.kind, body=excluded.body, done=0",
                (paper.ticket, at.timestamp(), command, KINDS[type(paper)], encode(paper)),
            )

    def _blocking_outcome(self, ticket: str) -> PaperEvent | None:
        row = self._open.connection.execute(
            "SELECT kind, body FROM prints WHERE ticket=? AND done=1", (ticket,)
        ).fetchone()
        if row is None:
            return None
        body = decode(row[1], EVENTS[row[0]])
        return body if isinstance(body, TicketPrinted | TicketIssuedOffline) else None

    def _blocking_grant(self, lease: GrantLease, epoch: int, command: str, at: datetime) -> tuple[Row, ...]:
        key = (lease.group, lease.business_date.isoformat())
        with self._open.transaction() as connection:
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

    def _blocking_burn(
        self, group: str, day: date, make: Callable[[int, int], TicketIssuedOffline], at: datetime
    ) -> TicketIssuedOffline | None:
        with self._open.transaction() as connection:
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
        return ticket

    def _blocking_remaining(self, day: date) -> dict[str, int]:
        return dict(
            self._open.connection.execute(
                "SELECT service_group, sum(max(0, last - next + 1)) FROM leases WHERE business_date=? "
                "GROUP BY service_group",
                (day.isoformat(),),
            ).fetchall()
        )

    def _blocking_open_prompt(
        self,
        command: str,
        prompt: PromptRating,
        until: datetime,
        replaced: RatingUnanswered | None,
        at: datetime,
    ) -> tuple[Row, ...]:
        rows: tuple[Row, ...] = ()
        with self._open.transaction() as connection:
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

    def _blocking_end_prompt(self, body: Message, prompt: str, at: datetime) -> tuple[Row, ...]:
        with self._open.transaction() as connection:
            return (self._end_prompt(connection, body, prompt, at),)

    def _end_prompt(self, connection: sqlite3.Connection, body: Message, prompt: str, at: datetime) -> Row:
        found = connection.execute("SELECT command FROM prompts WHERE prompt=?", (prompt,)).fetchone()
        connection.execute("DELETE FROM prompts WHERE prompt=?", (prompt,))
        return self._append(body, at, found[0] if found else None)

    def _blocking_open_prompts(self) -> list[OpenPrompt]:
        return [
            OpenPrompt(
                command,
                msgspec.json.decode(body, type=PromptRating),
                datetime.fromtimestamp(until, self._now().tzinfo),
            )
            for command, body, until in self._open.connection.execute(
                "SELECT command, body, until FROM prompts ORDER BY until"
            )
        ]

    def _blocking_keep(self, key: str, value: bytes) -> None:
        with self._open.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO kept VALUES(?, ?)", (key, value))

    def _blocking_kept(self, key: str) -> bytes | None:
        row = self._open.connection.execute("SELECT value FROM kept WHERE key=?", (key,)).fetchone()
        return None if row is None else bytes(row[0])
