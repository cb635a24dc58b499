"""The queue at work: one task that decides in order, commits in groups, and only then tells anybody.

    runtime = Runtime("xian-1", policy, "hall.db")
    await runtime.start()
    decision = await runtime.issue("id-card")       # durable when it returns

Everything that is pending is decided against the state in memory, written in ONE transaction by the
journal's thread, and answered after the commit. While a commit runs, memory is ahead of the disk: readers
wait for `settled`. When a commit fails (disk full), every command of the group gets JournalError, the
state is thrown away and read again from the journal, and commands are refused until a write succeeds.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hall.journal import Journal, JournalError
from hall.queue import commands as cmd
from hall.queue import events as ev
from hall.queue.apply import apply
from hall.queue.decide import AlreadyDecidedError, RefusedError, decide, refusal
from hall.queue.policy import Policy
from hall.queue.state import State, Ticket, empty
from wire.messages import Key

logger = logging.getLogger(__name__)

MAX_PENDING: Final = 20_000
"""Commands that wait to be decided; further ones are refused with `hall.busy`."""

MAX_GROUP: Final = 1_000
"""Commands in one transaction."""

MAX_SEQ: Final = 2**53
"""A seq of a node beyond this is nonsense: it is asked for again like every gap, and never believed."""

MAX_GAPS: Final = 1_000
"""Streams with a gap remembered at once; the oldest is forgotten until its next event shows it again."""

GAP_S: Final = 1.0
GAP_ASKS: Final = 30
GAP_ANSWERS: Final = 3
"""A gap in a node's stream is asked for every GAP_S, at most GAP_ASKS times by the clock. When the node has
answered GAP_ANSWERS of these and always begun behind the gap, its events are lost: a journal restored from a
backup misses what the node was told it may forget. Fewer could be the broker delivering something again."""


def new_id() -> str:
    """20 hex digits: cannot be guessed, may stand in a topic and in the address on a ticket."""
    return os.urandom(10).hex()


def first_epoch(at: datetime) -> int:
    """The epoch of a new journal: minutes since 2026, more than a journal before it ever had starts.

    Nodes that ran under a hall server that was replaced take only greater epochs.
    """
    return max(1, int((at - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds()) // 60)


def business_date_of(at: datetime, timezone: str, day_start_minute: int) -> date:
    """The business date of a moment: it runs from `day_start_minute` of the local day to the next one's."""
    return (at.astimezone(ZoneInfo(timezone)) - timedelta(minutes=day_start_minute)).date()


def end_of(day: date, timezone: str, day_start_minute: int) -> datetime:
    """When a business date ends, UTC."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(timezone))
    return (midnight + timedelta(minutes=day_start_minute)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a command, durable. `code` None: done. `repeated`: its id had been decided before."""

    code: str | None
    ticket: str | None
    events: tuple[ev.Event, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where a node's event stands in its stream."""

    node: str
    stream: str
    seq: int


@dataclass(slots=True)
class _Pending:
    command: cmd.Command
    future: asyncio.Future[Decision] | None = None
    source: Source | None = None
    done: Callable[[], None] | None = None


@dataclass(slots=True)
class _Gap:
    """`answered` is the last ask that was answered from `lowest` on, `answers` how many were."""

    through: int
    lowest: int
    asked_at: datetime
    asks: int = 1
    answered: int = 0
    answers: int = 0


@dataclass(slots=True)
class Committed:
    """One group that is on disk. `acks`: (node, stream) → (through, ask for the rest again)."""

    events: list[ev.Event] = field(default_factory=list)
    acks: dict[tuple[str, str], tuple[int, bool]] = field(default_factory=dict)


class Runtime:
    """See the module. Used from one event loop.

    Args:
        hall: The hall's id; a journal belongs to one hall.
        journal: A path, or an SQLAlchemy URL.
        now: The clock, UTC.
        day_start_minute: When a business date begins, local time.
    """

    def __init__(
        self,
        hall: str,
        policy: Policy,
        journal: str,
        *,
        day_start_minute: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.hall = hall
        self.policy = policy
        self.journal = Journal(journal)
        self.now = now
        self.day_start_minute = day_start_minute
        self.state: State = empty(policy)
        self.epoch = 0
        self.stored_epoch = 0
        self.cursors: dict[tuple[str, str], int] = {}
        self.healthy = True
        self.on_replayed: Callable[[list[ev.Event]], None] | None = None
        self.on_committed: Callable[[Committed], None] | None = None
        self.on_broken: Callable[[], None] | None = None
        self.counts = {"commands": 0, "groups": 0, "refused": 0, "repeated": 0, "duplicates": 0, "gaps": 0}
        self._gaps: dict[tuple[str, str], _Gap] = {}
        self._pending: deque[_Pending] = deque()
        self._wake = asyncio.Event()
        self._committing: asyncio.Future[None] | None = None
        self._recovering = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the journal, replay the present day, take a new epoch, open the business date.

        Raises JournalError.
        """
        start = await self.journal.start(self.hall)
        self._rebuild(start.events)
        self.cursors = start.cursors
        self.stored_epoch = start.epoch
        await self.raise_epoch(start.epoch + 1 if start.epoch else first_epoch(self.now()))
        self._task = asyncio.create_task(self._write(), name="journal writer")
        await self.open_day()

    async def stop(self) -> None:
        """Finish what is pending, then close the journal."""
        task, self._task = self._task, None
        if task is not None:
            while self._pending and self.healthy and not task.done():
                await asyncio.sleep(0)
                await self.settled()
            await self.settled()
            task.cancel()
            await asyncio.wait([task])
        for item in self._pending:
            self._fail(item, JournalError("stopping", code="hall.stopping"))
        self._pending.clear()
        await self.journal.stop()

    @property
    def writer(self) -> asyncio.Task[None] | None:
        """The task that decides and commits; when it ends by itself nothing is decided any more."""
        return self._task

    async def raise_epoch(self, epoch: int) -> None:
        """Work as `epoch` from now on; it is stored first. Raises JournalError."""
        await self.journal.store_epoch(epoch)
        self.epoch = epoch

    async def open_day(self) -> bool:
        """Open the business date of now if it is not open. True: a new one was opened."""
        at = self.now()
        today = business_date_of(at, self.policy.timezone, self.day_start_minute)
        if self.state.business_date == today:
            return False
        decision = await self.submit(cmd.OpenDay(id=f"day-{today:%Y%m%d}", at=at, business_date=today))
        return decision.code is None and not decision.repeated

    # ------------------------------------------------------------ asking

    async def submit(self, command: cmd.Command) -> Decision:
        """Decide `command`; returns when it is on disk. Raises JournalError when it is not."""
        future: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._enqueue(_Pending(command, future))
        return await future

    def take(self, command: cmd.Command, source: Source, done: Callable[[], None]) -> None:
        """Decide a node's event in its stream's order; `done` is called when it needs no more care.

        Raises JournalError while commands are refused; the node is asked for it again later.
        """
        self._enqueue(_Pending(command, source=source, done=done))

    def post(self, command: cmd.Command) -> None:
        """Decide `command` without waiting; dropped while commands are refused (for the clock)."""
        try:
            self._enqueue(_Pending(command))
        except JournalError:
            pass

    async def issue(
        self,
        service: str,
        priority: str | None = None,
        *,
        source: str = "api",
        name: str | None = None,
        command_id: str | None = None,
    ) -> Decision:
        """A number without a kiosk: it waits at once. `name`: masked. Raises JournalError."""
        ticket = new_id()
        return await self.submit(
            cmd.IssueTicket(
                id=command_id or ticket,
                at=self.now(),
                ticket=ticket,
                service=service,
                priority=priority,
                source=source,
                name=name,
            )
        )

    async def press(
        self,
        counter: str,
        key: Key,
        shown_ticket: str | None,
        target: str | None = None,
        *,
        command_id: str | None = None,
    ) -> Decision:
        """A clerk's key from elsewhere than a node. Raises JournalError."""
        return await self.submit(
            cmd.PressKey(
                id=command_id or new_id(),
                at=self.now(),
                counter=counter,
                key=key,
                call=new_id(),
                prompt=new_id(),
                page=new_id(),
                shown_ticket=shown_ticket,
                target=target,
            )
        )

    def ticket(self, decision: Decision) -> Ticket | None:
        """The ticket that a decision is about."""
        return self.state.tickets.get(decision.ticket) if decision.ticket is not None else None

    async def settled(self) -> None:
        """Returns when the state in memory is the state on disk."""
        while self._committing is not None:
            await asyncio.wait([self._committing])

    @property
    def is_settled(self) -> bool:
        return self._committing is None

    async def probe(self) -> bool:
        """A round trip through the journal's thread; while commands are refused, a real write.

        True: the journal works.
        """
        try:
            if self.healthy:
                await self.journal.round_trip()
            else:
                if self.journal.is_open:
                    # Cheap: while the disk stays full not everything is read again and again.
                    await self.journal.store_epoch(self.epoch)
                await self._recover()
        except JournalError as error:
            logger.warning("journal: %s", error)
            return False
        return self.healthy

    def resend_all(self) -> dict[tuple[str, str], tuple[int, bool]]:
        """Acks that ask every node for what follows its cursor, after something was thrown away."""
        return {key: (through, True) for key, through in self.cursors.items()}

    # ------------------------------------------------------------ the writer

    def _enqueue(self, item: _Pending) -> None:
        if self._task is None:
            raise JournalError("not running", code="hall.stopping")
        if not self.healthy:
            raise JournalError("refused until the journal can be written again")
        if len(self._pending) >= MAX_PENDING:
            raise JournalError("too many commands are waiting", code="hall.busy")
        self._pending.append(item)
        self._wake.set()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending and self.healthy:
                group = [self._pending.popleft() for _ in range(min(len(self._pending), MAX_GROUP))]
                self._committing = asyncio.get_running_loop().create_future()
                try:
                    await self._write_group(group)
                finally:
                    committing, self._committing = self._committing, None
                    if not committing.done():
                        committing.set_result(None)

    async def _write_group(self, group: list[_Pending]) -> None:
        opened = self.state.business_date
        committed = Committed()
        decisions: list[Decision] = []
        cursors: dict[tuple[str, str], int] = {}
        try:
            for item in group:
                if item.source is not None and not self._in_order(item, committed, cursors, decisions):
                    continue
                decisions.append(self._decide(item.command, committed.events))
        except Exception as error:
            # An event that cannot be applied must not get into the journal: it could never be replayed.
            logger.exception("deciding a group of %d commands", len(group))
            await self._give_up(group, JournalError(type(error).__name__, code="hall.internal"))
            return
        rows = self.journal.new_rows(committed.events, self.epoch, opened.isoformat() if opened else "")
        if rows or cursors:
            try:
                await self.journal.commit(
                    rows, [(node, stream, through) for (node, stream), through in cursors.items()]
                )
            except JournalError as error:
                logger.error("a group of %d commands was not written: %s", len(group), error)
                await self._give_up(group, error)
                return
        self.counts["groups"] += 1
        self.counts["commands"] += len(group)
        self._tell(committed)
        for item, decision in zip(group, decisions, strict=True):
            if item.future is not None and not item.future.done():
                item.future.set_result(decision)
            if item.done is not None:
                item.done()

    def _tell(self, committed: Committed) -> None:
        if self.on_committed is not None and (committed.events or committed.acks):
            try:
                self.on_committed(committed)
            except Exception:
                # What is on disk stays decided, whoever failed to tell others about it.
                logger.exception("publishing what was committed")

    def _decide(self, command: cmd.Command, events: list[ev.Event]) -> Decision:
        try:
            new = decide(self.state, command)
        except AlreadyDecidedError as known:
            self.counts["repeated"] += 1
            return Decision(known.outcome.code, known.outcome.ticket, repeated=True)
        except RefusedError as error:
            self.counts["refused"] += 1
            if not command.id:
                return Decision(error.code, error.ticket)
            new = [refusal(command, error)]
        except Exception:
            # A mistake in a decision must not stop the other commands, nor come back with the next resend.
            logger.exception("deciding %s %s", type(command).__name__, command.id)
            if not command.id:
                return Decision("hall.internal", None)
            new = [refusal(command, RefusedError("hall.internal"))]
        for item in new:
            self.state = apply(self.state, item)
        events += new
        outcome = self.state.outcome(command.id) if command.id else None
        if outcome is None:
            return Decision(None, None, tuple(new))
        return Decision(outcome.code, outcome.ticket, tuple(new))

    def _in_order(
        self,
        item: _Pending,
        committed: Committed,
        cursors: dict[tuple[str, str], int],
        decisions: list[Decision],
    ) -> bool:
        """Whether a node's event is the next of its stream; the cursor then moves to it."""
        assert item.source is not None
        node, stream, seq = item.source.node, item.source.stream, item.source.seq
        key = (node, stream)
        through = self.cursors.get(key, 0)
        if seq > through + 1:
            if not self._gap_is_lost(key, through, seq, committed):
                decisions.append(Decision("hall.gap", None))
                return False
            note = cmd.NoteGap(
                id=f"gap:{node}:{stream}:{seq}",
                at=self.now(),
                node=node,
                stream=stream,
                first=through + 1,
                last=seq - 1,
            )
            self._decide(note, committed.events)
        elif seq <= through:
            self.counts["duplicates"] += 1
            committed.acks.setdefault(key, (through, False))
            decisions.append(Decision(None, None, repeated=True))
            return False
        self._gaps.pop(key, None)
        self.cursors[key] = cursors[key] = seq
        committed.acks[key] = (seq, False)
        return True

    def _gap_is_lost(self, key: tuple[str, str], through: int, seq: int, committed: Committed) -> bool:
        """Ask for what is missing; True when the node answered often enough and always began at `seq`."""
        at = self.now()
        gap = self._gaps.get(key)
        if gap is None or gap.through != through:
            while len(self._gaps) >= MAX_GAPS:
                del self._gaps[next(iter(self._gaps))]
            self._gaps[key] = _Gap(through, seq, at)
            self.counts["gaps"] += 1
            committed.acks[key] = (through, True)
            return False
        if seq < gap.lowest:
            gap.lowest, gap.answers = seq, 0
        if seq == gap.lowest and gap.asks > gap.answered:
            gap.answered = gap.asks
            gap.answers += 1
            if gap.answers >= GAP_ANSWERS and seq <= MAX_SEQ:
                logger.error(
                    "%s: events %d to %d of stream %s are lost", key[0], through + 1, seq - 1, key[1]
                )
                return True
        if at - gap.asked_at >= timedelta(seconds=GAP_S):
            gap.asks += 1
            gap.asked_at = at
            committed.acks[key] = (through, True)
        return False

    def gaps_due(self, at: datetime) -> dict[tuple[str, str], tuple[int, bool]]:
        """Acks that ask again for what is missing in the nodes' streams; for the clock, every second."""
        acks: dict[tuple[str, str], tuple[int, bool]] = {}
        for key, gap in self._gaps.items():
            if gap.asks < GAP_ASKS and at - gap.asked_at >= timedelta(seconds=GAP_S):
                gap.asks += 1
                gap.asked_at = at
                acks[key] = (gap.through, True)
        return acks

    # ------------------------------------------------------------ when a commit fails

    async def _give_up(self, group: list[_Pending], error: JournalError) -> None:
        self.healthy = False
        for item in [*group, *self._pending]:
            self._fail(item, error)
        self._pending.clear()
        try:
            await self._recover()
        except JournalError as again:
            logger.error("the journal cannot be used again yet: %s", again)
            if self.on_broken is not None:
                self.on_broken()

    def _fail(self, item: _Pending, error: JournalError) -> None:
        if item.future is not None and not item.future.done():
            item.future.set_exception(JournalError(str(error), code=error.code))
        if item.done is not None:
            item.done()

    async def _recover(self) -> None:
        """Read the journal again, and be healthy only if it can be written. Raises JournalError."""
        async with self._recovering:
            if self.healthy:
                # Somebody else was first; what has been decided since must not be thrown away.
                return
            start = await self.journal.reload()
            self._rebuild(start.events)
            self.cursors = start.cursors
            self._gaps.clear()
            await self.journal.store_epoch(self.epoch)
            self.healthy = True
            logger.warning("the journal can be written again")
            self._tell(Committed(acks=self.resend_all()))

    def _rebuild(self, events: list[ev.Event]) -> None:
        state = empty(self.policy)
        for item in events:
            state = apply(state, item)
        self.state = state
        if self.on_replayed is not None:
            self.on_replayed(events)
