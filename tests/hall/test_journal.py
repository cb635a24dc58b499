"""The journal: what was answered is there after a kill, changes show, groups share a commit."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hall import journal_command
from hall.journal import ChainBrokenError, Journal, JournalError
from hall.queue import events as ev
from hall.runtime import Runtime, Source, first_epoch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def runtime(tmp_path: Path, policy: Any) -> Runtime:
    return Runtime("h", policy, str(tmp_path / "hall.db"))


def test_a_new_journal_begins_above_every_epoch_before_it() -> None:
    began = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert first_epoch(began + timedelta(days=1)) > first_epoch(began) + 1000
    assert first_epoch(datetime(1970, 1, 1, tzinfo=UTC)) == 1


async def test_a_restart_finds_the_same_state_in_a_new_epoch(runtime: Runtime, policy: Any) -> None:
    await runtime.start()
    first = await runtime.issue("id-card")
    await runtime.issue("tax", "elderly")
    await runtime.press("1", "next", None)
    before, epoch = runtime.state, runtime.epoch
    await runtime.stop()
    again = Runtime("h", policy, str(runtime.journal._path))
    await again.start()
    assert again.state == before
    assert again.epoch == epoch + 1
    repeated = await again.issue("id-card", command_id=first.ticket)
    assert repeated.repeated and repeated.ticket == first.ticket
    await again.stop()


async def test_everything_pending_shares_one_commit(runtime: Runtime) -> None:
    await runtime.start()
    commits = runtime.journal.commits
    decisions = await asyncio.gather(*(runtime.issue("id-card") for _ in range(200)))
    assert runtime.journal.commits == commits + 1
    numbers = {runtime.state.tickets[d.ticket].number for d in decisions if d.ticket}
    assert len(numbers) == 200
    await runtime.stop()


async def test_the_same_id_in_one_group_is_decided_once(runtime: Runtime) -> None:
    await runtime.start()
    decisions = await asyncio.gather(*(runtime.issue("id-card", command_id="one") for _ in range(5)))
    assert len({d.ticket for d in decisions}) == 1
    assert [d.repeated for d in decisions] == [False, True, True, True, True]
    await runtime.stop()


async def test_two_counters_racing_never_call_one_ticket(runtime: Runtime) -> None:
    await runtime.start()
    for _ in range(50):
        await runtime.issue("id-card")
    shown: dict[str, str | None] = {"1": None, "2": None, "3": None}
    called: list[str] = []
    for _ in range(20):
        presses = [(c, s) for c, s in shown.items() for _ in range(2)]
        decisions = await asyncio.gather(*(runtime.press(c, "next", s) for c, s in presses))
        for (counter, _), decision in zip(presses, decisions, strict=True):
            if decision.code is None:
                shown[counter] = runtime.state.counters[counter].ticket
        called += [e.ticket for d in decisions for e in d.events if isinstance(e, ev.TicketCalled)]
    assert len(called) == len(set(called)) == 50
    await runtime.stop()


async def test_nothing_is_answered_before_the_commit(runtime: Runtime, monkeypatch: Any) -> None:
    await runtime.start()
    commit, release = runtime.journal.commit, asyncio.Event()

    async def slow(*arguments: Any) -> None:
        await release.wait()
        await commit(*arguments)

    told: list[Any] = []
    runtime.on_committed = told.append
    monkeypatch.setattr(runtime.journal, "commit", slow)
    issue = asyncio.create_task(runtime.issue("id-card"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not runtime.is_settled and not issue.done() and not told
    release.set()
    await issue
    assert len(told) == 1
    await runtime.stop()


async def test_a_failed_commit_is_refused_visibly_and_memory_goes_back(
    runtime: Runtime, monkeypatch: Any
) -> None:
    await runtime.start()
    kept = await runtime.issue("id-card")
    commit = runtime.journal._blocking_commit
    store = runtime.journal._blocking_store

    def full(*_: Any) -> None:
        raise JournalError("database or disk is full")

    monkeypatch.setattr(runtime.journal, "_blocking_commit", full)
    monkeypatch.setattr(runtime.journal, "_blocking_store", full)
    with pytest.raises(JournalError) as caught:
        await runtime.issue("id-card")
    assert caught.value.code == "hall.journal_failed"
    assert not runtime.healthy
    with pytest.raises(JournalError):
        await runtime.issue("id-card")
    assert not await runtime.probe()
    monkeypatch.setattr(runtime.journal, "_blocking_commit", commit)
    monkeypatch.setattr(runtime.journal, "_blocking_store", store)
    assert await runtime.probe()
    assert list(runtime.state.tickets) == [kept.ticket]
    again = await runtime.issue("id-card")
    assert again.ticket is not None
    assert runtime.state.tickets[again.ticket].number == "A002", "the refused number was never told"
    await runtime.stop()


async def test_a_full_disk_refuses_and_loses_nothing(runtime: Runtime, policy: Any) -> None:
    """A real SQLITE_FULL, by a limit on the pages of the file."""
    await runtime.start()
    issued = 0
    await runtime.journal._run(_limit_pages, runtime.journal, 40)
    with pytest.raises(JournalError, match="full"):
        while True:
            await runtime.issue("id-card")
            issued += 1
    assert issued > 10
    await runtime.settled()
    assert len(runtime.state.tickets) == issued
    assert runtime.healthy is True, "reopened without the limit, it works again"
    await runtime.issue("id-card")
    await runtime.stop()
    assert journal_command.main(["verify", str(runtime.journal._path)]) == 0


def _limit_pages(journal: Journal, pages: int) -> None:
    assert journal._connection is not None
    journal._connection.exec_driver_sql(f"pragma max_page_count={pages}")
    journal._connection.rollback()


async def fill(runtime: Runtime) -> Path:
    await runtime.start()
    for service in ("id-card", "tax", "house"):
        await runtime.issue(service)
    await runtime.press("1", "next", None)
    await runtime.stop()
    path = runtime.journal._path
    assert path is not None
    return path


@pytest.mark.parametrize(
    "change",
    [
        "update events set body = replace(body, 'A001', 'A009') where seq = 2",
        "update events set at = '2026-01-01T00:00:00+00:00' where seq = 2",
        "update events set command_id = 'x' where seq = 3",
        "update events set epoch = 7 where seq = 4",
        "update events set hash = zeroblob(32) where seq = 2",
        "delete from events where seq = 3",
        "update events set seq = seq + 1 where seq = 6",
    ],
)
async def test_a_changed_row_is_found(
    runtime: Runtime, policy: Any, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await fill(runtime)
    assert journal_command.main(["verify", str(path)]) == 0
    with sqlite3.connect(path) as db:
        assert db.execute(change).rowcount == 1
    db.close()
    assert journal_command.main(["verify", str(path)]) == 1
    assert "journal was changed" in capsys.readouterr().err
    with pytest.raises(ChainBrokenError):
        await Runtime("h", policy, str(path)).start()


async def test_a_row_with_a_right_hash_but_other_columns_is_found(runtime: Runtime) -> None:
    from hall.journal import row_hash

    path = await fill(runtime)
    with sqlite3.connect(path) as db:
        row = list(db.execute("select * from events where seq = 5").fetchone())
        row[4] = "ticket_finished"
        forged = row_hash(row[7], *row[:7])
        db.execute("update events set type = ?, hash = ? where seq = 5", (row[4], forged))
    db.close()
    assert journal_command.main(["verify", str(path)]) == 1


async def test_the_export_is_one_json_object_a_line(
    runtime: Runtime, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = await fill(runtime)
    assert journal_command.main(["export", str(path), "--since", "1"]) == 0
    lines = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [line["seq"] for line in lines] == list(range(2, 2 + len(lines)))
    assert lines[0]["type"] == lines[0]["body"]["type"] == "ticket_issued"
    assert lines[1]["prev_hash"] == lines[0]["hash"]


async def test_the_configuration_names_the_journal(runtime: Runtime, tmp_path: Path) -> None:
    path = await fill(runtime)
    shipped = (ROOT / "firmware_config" / "hall" / "hall.toml").read_text("utf-8")
    file = tmp_path / "hall.toml"
    file.write_text(shipped.replace("/var/lib/paihao/hall.db", str(path)), "utf-8")
    assert journal_command.main(["verify", "--config", str(file)]) == 0
    file.write_text(file.read_text("utf-8") + '\n[[playlist]]\nitem = "x"\npicture = "gone.png"\n', "utf-8")
    assert journal_command.main(["verify", "--config", str(file)]) == 0, "no picture is needed for that"
    file.write_text("[hall]\n", "utf-8")
    assert journal_command.main(["verify", "--config", str(file)]) == 2


def test_a_missing_or_foreign_file_is_a_clear_error(tmp_path: Path, capsys: Any) -> None:
    assert journal_command.main(["verify", str(tmp_path / "none.db")]) == 1
    (tmp_path / "text.db").write_text("not a database, but long enough to be read as one" * 50)
    assert journal_command.main(["verify", str(tmp_path / "text.db")]) == 1
    assert "none.db" in capsys.readouterr().err


async def test_one_journal_one_writer_one_hall(runtime: Runtime, policy: Any) -> None:
    await runtime.start()
    path = str(runtime.journal._path)
    with pytest.raises(JournalError) as caught:
        await Runtime("h", policy, path).start()
    assert caught.value.code == "hall.journal_in_use"
    await runtime.stop()
    with pytest.raises(JournalError) as caught:
        await Runtime("other", policy, path).start()
    assert caught.value.code == "hall.journal_other"


async def test_events_of_a_node_count_once_and_in_order(runtime: Runtime) -> None:
    from hall.queue import commands as cmd

    await runtime.start()
    acks: list[Any] = []
    runtime.on_committed = lambda committed: acks.append(committed.acks)
    done: list[int] = []

    def take(seq: int, stream: str = "s1") -> None:
        command = cmd.IssueTicket(
            id=f"{stream}-{seq}", at=runtime.now(), ticket=f"t{stream}{seq}", service="tax"
        )
        runtime.take(command, Source("k", stream, seq), lambda: done.append(seq))

    async def flush() -> Any:
        await runtime.issue("id-card")
        return acks[-1].get(("k", "s1"))

    take(1)
    assert await flush() == (1, False)
    take(1)
    assert await flush() == (1, False), "a repeat is acknowledged again and not decided"
    take(3)
    assert await flush() == (1, True), "a gap is asked for"
    take(2)
    take(3)
    assert await flush() == (3, False)
    assert [t for t in runtime.state.tickets if t.startswith("ts1")] == ["ts11", "ts12", "ts13"]
    assert done == [1, 1, 3, 2, 3]
    await runtime.stop()


async def test_a_gap_that_cannot_be_filled_does_not_block_the_stream(runtime: Runtime, policy: Any) -> None:
    from datetime import timedelta

    from hall.queue import commands as cmd

    await runtime.start()
    clock = runtime.now()
    runtime.now = lambda: clock
    for asked in range(1, 5):
        for seq in (5, 6):
            command = cmd.IssueTicket(id=f"e{seq}", at=clock, ticket=f"t{seq}", service="tax")
            runtime.take(command, Source("k", "s", seq), lambda: None)
        await runtime.issue("id-card")
        assert ("t5" in runtime.state.tickets) == (asked == 4)
        assert ("t6" in runtime.state.tickets) == (asked == 4)
        clock += timedelta(seconds=1)
        assert runtime.gaps_due(clock) == ({("k", "s"): (0, True)} if asked < 4 else {})
        assert not runtime.gaps_due(clock)
    assert ("hall.events_lost", "k") in runtime.state.alarms
    await runtime.stop()


async def test_a_seq_beyond_all_numbers_is_never_believed(runtime: Runtime) -> None:
    """It would not fit into the database: one node could stop the journal for all."""
    from datetime import timedelta

    from hall.queue import commands as cmd

    await runtime.start()
    clock = runtime.now()
    runtime.now = lambda: clock
    for seq in (2**63, 2**53 + 1):
        for n in range(6):
            note = cmd.NoteUnknown(
                id=f"{seq}-{n}", at=clock, node="k", stream="s", seq=seq, kind="x", reason="x"
            )
            runtime.take(note, Source("k", "s", seq), lambda: None)
            assert (await asyncio.wait_for(runtime.issue("id-card"), 5)).code is None
            clock += timedelta(seconds=1)
            runtime.gaps_due(clock)
    assert runtime.cursors.get(("k", "s"), 0) == 0
    await runtime.stop()


async def test_gaps_that_are_never_closed_are_bounded(runtime: Runtime) -> None:
    from hall.queue import commands as cmd

    await runtime.start()
    for n in range(3_000):
        note = cmd.NoteUnknown(
            id=f"e{n}", at=runtime.now(), node="k", stream=f"s{n}", seq=5, kind="x", reason="x"
        )
        runtime.take(note, Source("k", f"s{n}", 5), lambda: None)
    await runtime.issue("id-card")
    assert len(runtime._gaps) <= 1_000
    await runtime.stop()


async def test_a_writer_that_died_ends_the_stop_as_well(runtime: Runtime) -> None:
    await runtime.start()
    assert runtime.writer is not None
    runtime.writer.cancel()
    await asyncio.wait([runtime.writer])
    refused = asyncio.create_task(runtime.issue("id-card"))
    await asyncio.sleep(0)
    await asyncio.wait_for(runtime.stop(), 5)
    with pytest.raises(JournalError):
        await refused


CHILD = """
import asyncio, sys
sys.path.insert(0, {root!r})
import importlib.util
spec = importlib.util.spec_from_file_location("hall_conftest", {conftest!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from hall.runtime import Runtime

async def main():
    runtime = Runtime("h", module.make_policy(), {path!r})
    await runtime.start()
    async def caller():
        while True:
            decision = await runtime.issue("id-card")
            sys.stdout.write(runtime.state.tickets[decision.ticket].number + "\\n")
            sys.stdout.flush()
    await asyncio.gather(*(caller() for _ in range(8)))

asyncio.run(main())
"""


def test_what_was_answered_survives_kill_minus_nine(tmp_path: Path, policy: Any) -> None:
    path = str(tmp_path / "hall.db")
    code = CHILD.format(root=str(ROOT), conftest=str(Path(__file__).with_name("conftest.py")), path=path)
    answered: list[str] = []
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        answered += [child.stdout.readline().strip() for _ in range(150)]
        os.kill(child.pid, signal.SIGKILL)
        rest, _ = child.communicate()
        answered += [line for line in rest.split("\n")[:-1] if line]
    assert len(answered) == len(set(answered))
    assert journal_command.main(["verify", path]) == 0

    async def numbers() -> set[str]:
        runtime = Runtime("h", policy, path)
        await runtime.start()
        await runtime.stop()
        return {ticket.number for ticket in runtime.state.tickets.values()}

    assert set(answered) <= asyncio.run(numbers())


async def test_a_journal_that_could_not_be_opened_again_is_tried_again(
    runtime: Runtime, monkeypatch: Any
) -> None:
    """A disk so full that SQLite cannot even make its shared memory file."""
    await runtime.start()
    kept = await runtime.issue("id-card")

    def gone(_url: str) -> Any:
        raise OSError("unable to open database file")

    def full(*_: Any) -> None:
        raise JournalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("hall.journal.open_engine", gone)
        broken.setattr(runtime.journal, "_blocking_commit", full)
        with pytest.raises(JournalError):
            await runtime.issue("id-card")
        await runtime.settled()
        assert not await runtime.probe()
    assert await runtime.probe()
    await runtime.issue("id-card")
    assert next(iter(runtime.state.tickets)) == kept.ticket and len(runtime.state.tickets) == 2
    await runtime.stop()


async def test_a_commit_of_the_epoch_that_failed_can_be_repeated(runtime: Runtime) -> None:
    await runtime.start()
    connection = runtime.journal._connection
    assert connection is not None
    calls = [sqlite3.OperationalError("disk I/O error")]

    def commit(dbapi_connection: Any) -> None:
        if calls:
            raise calls.pop()
        dbapi_connection.commit()

    connection.engine.dialect.do_commit = commit  # type: ignore[method-assign]
    with pytest.raises(JournalError, match="I/O"):
        await runtime.journal.store_epoch(7)
    await runtime.journal.store_epoch(8)
    await runtime.stop()


async def test_the_journal_is_read_again_once_however_many_ask(runtime: Runtime, monkeypatch: Any) -> None:
    """Heartbeat, watchdog and /health probe at once: the later ones must not undo what was decided since."""
    await runtime.start()
    reload = runtime.journal.reload
    reloads: list[int] = []

    async def counted() -> Any:
        reloads.append(1)
        return await reload()

    monkeypatch.setattr(runtime.journal, "reload", counted)
    runtime.healthy = False
    assert all(await asyncio.gather(*(runtime.probe() for _ in range(5))))
    assert len(reloads) == 1
    await runtime.stop()


async def test_what_the_database_cannot_store_does_not_stop_the_journal(runtime: Runtime) -> None:
    await runtime.start()
    with pytest.raises(JournalError):
        await runtime.journal.commit([], [("node", "stream", 2**63)])
    await runtime.issue("id-card")
    await runtime.stop()
