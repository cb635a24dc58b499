"""What a node remembers across a crash: outbox, inbox, leases, papers and prompts; see `device.database`.

Every method is one transaction in the storage thread, and one fdatasync. What belongs together goes in
together: the event with the command that it answers, the number burned with the paper that it is for.
A full or failing disk raises StorageError and leaves `fault` set until something could be stored again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from device.clock import Clock
from device.database import Row, SetAsideError, StorageError, reported
from device.records import NOTE, Known, OpenPrompt, PaperEvent, Records
from wire.messages import GrantLease, Message, PromptRating, RatingUnanswered, TicketIssuedOffline

__all__ = ["Known", "OpenPrompt", "PaperEvent", "Row", "Storage", "StorageError"]

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

TIDY_S: Final = 5.0
"""How often the storage looks whether it can tidy up, or whether a fault is over."""


class Storage:
    """`session` is this process; `machine` tells a cloned card (None: this machine).

    Attributes:
        on_rows: Called on the loop with the new rows right after their commit.
        on_fault: Called on the loop with a code when storing begins to fail, with None when it works again.
    """

    def __init__(self, path: str | Path, session: str, clock: Clock, machine: str | None = None) -> None:
        self._records = Records(Path(path), session, clock, machine)
        self._clock = clock
        self._executor: ThreadPoolExecutor | None = None
        self._tidy_task: asyncio.Task[None] | None = None
        self.on_rows: Callable[[tuple[Row, ...]], None] | None = None
        self.on_fault: Callable[[str | None], None] | None = None
        self.fault: str | None = None

    @property
    def notice(self) -> str | None:
        """Why the old file was set aside, at the start or later; stays until the next start."""
        return self._records.notice

    @property
    def stream(self) -> str:
        """The stream of the outbox; "" while the file is not open."""
        return self._records.stream

    @property
    def last_seq(self) -> int:
        return self._records.last_seq

    @property
    def acked(self) -> int:
        """The coordinator has every event up to this one."""
        return self._records.acked

    # ---------------------------------------------------------------- life

    async def start(self) -> None:
        """Open the file; on a fault go on without (`fault` is set) and try again with every use."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="storage")
        try:
            await self._run(self._records.blocking_ready)
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
            await asyncio.get_running_loop().run_in_executor(self._executor, self._records.blocking_close)
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
        return self._published(
            await self._run(self._records.blocking_add, bodies, command, paper, self._now())
        )

    async def known(self, command: str) -> Known | None:
        """Whether this command was accepted before, and its result."""
        return await self._run(self._records.blocking_known, command)

    async def rows_after(self, seq: int, limit: int) -> list[Row]:
        return await self._run(self._records.blocking_rows_after, seq, limit)

    def ack(self, through: int) -> None:
        """The coordinator has everything up to `through` in its journal; may go back after a restore."""
        self._records.ack(through)

    # ---------------------------------------------------------------- papers

    async def begin_print(self, paper: PaperEvent, command: str | None, note: bytes | None = None) -> None:
        """Note a paper before its first byte; `paper` says what to report if nothing more is heard.

        `note`: what `paper_note` gives from then on, also to a later process.
        """
        await self._run(self._records.blocking_begin_print, paper, command, note, self._now())

    async def paper_note(self) -> bytes | None:
        """That of the newest paper that had one."""
        return await self.kept(NOTE)

    async def outcome(self, ticket: str) -> PaperEvent | None:
        """What became of a paper of the last days; None when it is unknown here or not finished."""
        return await self._run(self._records.blocking_outcome, ticket)

    # ---------------------------------------------------------------- leases

    async def grant(self, lease: GrantLease, epoch: int, command: str) -> None:
        """Keep numbers, without those of them that were burned before; with the command's result."""
        self._published(await self._run(self._records.blocking_grant, lease, epoch, command, self._now()))

    async def burn(
        self,
        group: str,
        day: date,
        make: Callable[[int, int], TicketIssuedOffline],
        note: Callable[[TicketIssuedOffline], bytes] | None = None,
    ) -> TicketIssuedOffline | None:
        """Take the next number for good and note its paper, in one commit.

        `make(number, epoch)` gives the event of the ticket with paper "unknown"; `note` of it is kept as by
        `begin_print`. None: no number is left.
        """
        return await self._run(self._records.blocking_burn, group, day, make, note, self._now())

    async def remaining(self, day: date) -> dict[str, int]:
        """Numbers left for `day`, per group."""
        return await self._run(self._records.blocking_remaining, day)

    # ---------------------------------------------------------------- prompts

    async def open_prompt(
        self, command: str, prompt: PromptRating, until: datetime, replaced: RatingUnanswered | None
    ) -> None:
        """Accept a prompt (and end the one that it replaces)."""
        self._published(
            await self._run(self._records.blocking_open_prompt, command, prompt, until, replaced, self._now())
        )

    async def end_prompt(self, body: Message, prompt: str) -> None:
        """Commit how a prompt ended, as the result of its command."""
        self._published(await self._run(self._records.blocking_end_prompt, body, prompt, self._now()))

    async def open_prompts(self) -> list[OpenPrompt]:
        return await self._run(self._records.blocking_open_prompts)

    # ---------------------------------------------------------------- things kept by name

    async def keep(self, key: str, value: bytes) -> None:
        await self._run(self._records.blocking_keep, key, value)

    async def kept(self, key: str) -> bytes | None:
        return await self._run(self._records.blocking_kept, key)

    async def begin_anew(self) -> None:
        """This file is an old copy (the coordinator has later events of its stream): a new stream."""
        await self._run(self._records.blocking_begin_anew)

    # ---------------------------------------------------------------- the thread

    async def _run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._executor is None:
            raise StorageError("agent.storage_fault", "not started")

        def guarded() -> R:
            with reported():
                self._records.blocking_ready()
                return work(*args, **kwargs)

        try:
            result = await asyncio.get_running_loop().run_in_executor(self._executor, guarded)
        except StorageError as error:
            if isinstance(error, SetAsideError):
                await self._set_aside(error)
            elif error.code == "agent.storage_fault":
                await asyncio.get_running_loop().run_in_executor(
                    self._executor, self._records.blocking_abandon
                )
            self._set_fault(error.code)
            raise
        if self.fault is not None:
            self._set_fault(None)
        return result

    async def _set_aside(self, error: SetAsideError) -> None:
        logger.error("the storage is damaged: %s; setting it aside and beginning a new stream", error)
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._executor, self._records.blocking_set_aside, error
            )
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
                    await self._run(self._records.blocking_tidy)
            except StorageError as error:
                logger.debug("tidying: %s", error)
