from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device import database
from device.clock import Clock
from device.database import StorageError
from device.storage import Storage
from wire.codec import decode, event_body
from wire.messages import (
    CommandResult,
    GrantLease,
    KeyPressed,
    NodeEvent,
    PromptRating,
    Rated,
    RatingUnanswered,
    TicketIssuedOffline,
    TicketPrinted,
)

OpenStorage = Callable[..., Awaitable[Storage]]
START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DAY = START.date()
PRESS = KeyPressed(counter="1", key="next")


def offline(number: int, epoch: int) -> TicketIssuedOffline:
    return TicketIssuedOffline(
        ticket=f"t-{number}",
        number=f"A{number:03}",
        service="s",
        business_date=DAY,
        lease_epoch=epoch,
        issued_at=START,
        paper="unknown",
        code="ticket.interrupted",
    )


async def events(storage: Storage, after: int = 0) -> list[NodeEvent]:
    return [decode(row.payload, NodeEvent) for row in await storage.rows_after(after, 10_000)]


async def test_events_are_numbered_without_gaps_across_restarts(open_storage: OpenStorage) -> None:
    storage = await open_storage()
    stream = storage.stream
    for _ in range(3):
        await storage.add(PRESS)
    await storage.stop()
    storage = await open_storage()
    await storage.add(PRESS, PRESS)
    found = await events(storage)
    assert [e.seq for e in found] == [1, 2, 3, 4, 5]
    assert {e.stream for e in found} == {stream}
    assert len({e.id for e in found}) == 5


async def test_acked_rows_go_with_a_later_insert_and_the_newest_stay(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "KEPT_ACKED_ROWS", 10)
    for _ in range(130):
        await storage.add(PRESS)
    storage.ack(120)
    assert len(await events(storage)) == 130
    await storage.add(PRESS)
    assert [e.seq for e in await events(storage)] == list(range(111, 132))


async def test_the_last_row_stays_so_that_numbering_goes_on(
    open_storage: OpenStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "KEPT_ACKED_ROWS", 0)
    storage = await open_storage()
    for _ in range(150):
        await storage.add(PRESS)
    storage.ack(150)
    await storage.stop()
    storage = await open_storage()
    assert storage.acked == 150
    assert [row.seq for row in await storage.add(PRESS)] == [151]


async def test_a_result_is_known_by_its_command(open_storage: OpenStorage) -> None:
    storage = await open_storage()
    assert await storage.known("c-1") is None
    (row,) = await storage.add(CommandResult(command="c-1", outcome="done"), command="c-1")
    await storage.stop()
    storage = await open_storage()
    known = await storage.known("c-1")
    assert known is not None and known.row == row


async def test_numbers_of_a_lease_are_burned_once_and_in_order(storage: Storage) -> None:
    await storage.grant(GrantLease(group="g", business_date=DAY, first=7, last=9), 4, "c-1")
    assert await storage.remaining(DAY) == {"g": 3}
    burned = [await storage.burn("g", DAY, offline) for _ in range(4)]
    assert [b.number if b else None for b in burned] == ["A007", "A008", "A009", None]
    assert await storage.burn("other", DAY, offline) is None
    assert await storage.burn("g", DAY + timedelta(1), offline) is None
    assert await storage.remaining(DAY) == {"g": 0}


async def test_a_number_that_was_burned_is_not_in_a_range_that_is_leased_again(storage: Storage) -> None:
    await storage.grant(GrantLease(group="g", business_date=DAY, first=1, last=9), 4, "c-1")
    for _ in range(3):
        await storage.burn("g", DAY, offline)
    await storage.grant(GrantLease(group="g", business_date=DAY, first=1, last=12), 5, "c-2")
    await storage.grant(GrantLease(group="g", business_date=DAY, first=20, last=20), 5, "c-3")
    numbers = []
    while burned := await storage.burn("g", DAY, offline):
        numbers.append(burned.number)
    assert numbers == [f"A{n:03}" for n in (4, 5, 6, 7, 8, 9, 10, 11, 12, 20)]


async def test_a_paper_in_the_middle_is_unknown_after_a_restart_and_answers_its_command(
    open_storage: OpenStorage,
) -> None:
    storage = await open_storage()
    await storage.grant(GrantLease(group="g", business_date=DAY, first=1, last=2), 1, "c-0")
    begun = TicketPrinted(ticket="t", number="A900", paper="unknown", code="ticket.interrupted")
    await storage.begin_print(begun, "c-1")
    await storage.burn("g", DAY, offline)
    await storage.stop()
    storage = await open_storage()
    found = (await events(storage))[1:]
    assert [event_body(e) for e in found] == [begun, offline(1, 1)]
    assert (await storage.known("c-1")) is not None
    await storage.stop()
    storage = await open_storage()
    assert len(await events(storage)) == 3


async def test_a_paper_that_is_still_in_the_printer_is_not_unknown_when_the_disk_comes_back(
    open_storage: OpenStorage,
) -> None:
    storage = await open_storage()
    await storage.grant(GrantLease(group="g", business_date=DAY, first=1, last=2), 1, "c-0")
    begun = TicketPrinted(ticket="t", number="A900", paper="unknown", code="ticket.interrupted")
    await storage.begin_print(begun, "c-1")
    await storage.burn("g", DAY, offline)

    def fails() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StorageError):
        await storage._run(fails)
    assert await storage.known("c-1") is None, "the file was opened again; the paper has no result yet"
    failed = TicketPrinted(ticket="t", number="A900", paper="failed", code="printer.paper_out")
    await storage.add(paper=failed, command="c-1")
    assert [event_body(e) for e in (await events(storage))[1:]] == [failed]
    await storage.stop()
    storage = await open_storage()
    assert [event_body(e) for e in (await events(storage))[1:]] == [failed, offline(1, 1)]


async def test_a_finished_paper_has_its_outcome_kept(open_storage: OpenStorage) -> None:
    storage = await open_storage()
    begun = TicketPrinted(ticket="t", number="A001", paper="unknown")
    await storage.begin_print(begun, "c-1")
    assert await storage.outcome("t") is None
    done = TicketPrinted(ticket="t", number="A001", paper="confirmed")
    await storage.add(paper=done, command="c-1")
    await storage.stop()
    storage = await open_storage()
    assert await storage.outcome("t") == done
    assert len(await events(storage)) == 1


async def test_prompts_stay_open_across_a_restart_until_they_end(open_storage: OpenStorage) -> None:
    storage = await open_storage()
    first, second = (
        PromptRating(prompt=f"p-{n}", ticket=f"t-{n}", number="A001", counter="1", service_name={"en": "x"})
        for n in (1, 2)
    )
    await storage.open_prompt("c-1", first, START + timedelta(seconds=30), None)
    replaced = RatingUnanswered(prompt="p-1", ticket="t-1", counter="1", reason="replaced")
    await storage.open_prompt("c-2", second, START + timedelta(seconds=60), replaced)
    await storage.stop()
    storage = await open_storage()
    (open_,) = await storage.open_prompts()
    assert (open_.command, open_.prompt, open_.until) == ("c-2", second, START + timedelta(seconds=60))
    rated = Rated(prompt="p-2", ticket="t-2", counter="1", grade=5)
    await storage.end_prompt(rated, "p-2")
    assert [event_body(e) for e in await events(storage)] == [replaced, rated]
    for command in ("c-1", "c-2"):
        known = await storage.known(command)
        assert known is not None and known.row is not None
    assert await storage.open_prompts() == []


async def test_a_cloned_card_begins_a_new_stream_without_leases_and_keeps_what_was_not_delivered(
    open_storage: OpenStorage, tmp_path: Path
) -> None:
    storage = await open_storage()
    await storage.grant(GrantLease(group="g", business_date=DAY, first=1, last=9), 1, "c-1")
    await storage.add(PRESS)
    stream, before = storage.stream, await events(storage)
    await storage.stop()
    storage = await open_storage(machine="another")
    assert storage.notice == "agent.storage_other_machine"
    assert storage.stream != stream
    assert await storage.burn("g", DAY, offline) is None
    after = await events(storage)
    assert [(e.seq, e.id, e.kind, e.stream) for e in after] == [
        (e.seq, e.id, e.kind, storage.stream) for e in before
    ]
    assert (tmp_path / "agent.db.other-machine-0").exists()


@pytest.mark.parametrize("damage", ["garbage", "zero page", "empty header"])
async def test_a_damaged_file_is_set_aside_and_a_new_stream_begins(
    open_storage: OpenStorage, tmp_path: Path, damage: str
) -> None:
    storage = await open_storage()
    for _ in range(300):
        await storage.add(PRESS)
    stream = storage.stream
    await storage.stop()
    path = tmp_path / "agent.db"
    content = bytearray(path.read_bytes())
    if damage == "garbage":
        content[:] = b"no database at all" * 100
    elif damage == "zero page":
        content[4096 * 5 : 4096 * 6] = bytes(4096)
    else:
        content[:100] = bytes(100)
    path.write_bytes(content)
    storage = await open_storage()
    assert storage.notice == "agent.storage_corrupt" and storage.fault is None
    assert storage.stream != stream
    assert (tmp_path / "agent.db.corrupt-0").exists()
    await storage.add(PRESS)


async def test_files_set_aside_do_not_pile_up(open_storage: OpenStorage, tmp_path: Path) -> None:
    for n in range(6):
        (tmp_path / "agent.db").write_bytes(b"garbage %d" % n * 1000)
        await (await open_storage()).stop()
    assert [(tmp_path / f"agent.db.corrupt-{n}").exists() for n in range(4)] == [True, True, True, False]
    assert (tmp_path / "agent.db.corrupt-0").read_bytes().startswith(b"garbage 5")


async def test_a_full_disk_refuses_visibly_and_works_again_when_there_is_room(storage: Storage) -> None:
    faults: list[str | None] = []
    storage.on_fault = faults.append
    connection = storage._records.database.connection
    (pages,) = await storage._run(lambda: connection.execute("PRAGMA page_count").fetchone())
    await storage._run(lambda: connection.execute(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(StorageError) as caught:
        for _ in range(100):
            await storage.add(PRESS)
    assert caught.value.code == "agent.disk_full" == storage.fault
    last = storage.last_seq
    await storage._run(lambda: connection.execute(f"PRAGMA max_page_count={pages + 100}"))
    (row,) = await storage.add(PRESS)
    assert row.seq == last + 1
    assert faults[0] == "agent.disk_full" and faults[-1] is None


async def test_a_place_that_cannot_be_written_is_a_fault_and_not_the_end(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "file").write_text("")
    storage = Storage(tmp_path / "file" / "agent.db", "session-1", clock, "this")
    await storage.start()
    assert storage.fault == "agent.storage_fault"
    with pytest.raises(StorageError):
        await storage.add(PRESS)
    (tmp_path / "file").unlink()
    assert len(await storage.add(PRESS)) == 1
    assert storage.fault is None
    await storage.stop()


async def test_two_agents_do_not_share_a_file(open_storage: OpenStorage) -> None:
    await open_storage()
    second = await open_storage()
    assert second.fault == "agent.storage_in_use"


async def test_an_old_copy_of_the_file_begins_a_new_stream(open_storage: OpenStorage, tmp_path: Path) -> None:
    storage = await open_storage()
    await storage.grant(GrantLease(group="g", business_date=DAY, first=1, last=9), 1, "c-1")
    await storage.stop()
    shutil.copy(tmp_path / "agent.db", tmp_path / "copy.db")
    storage = await open_storage(name="copy.db")
    stream = storage.stream
    await storage.begin_anew()
    assert storage.stream != stream and storage.notice == "agent.storage_old_copy"
    assert await storage.burn("g", DAY, offline) is None
    assert len(await events(storage)) == 1


async def test_a_checkpoint_keeps_everything(storage: Storage) -> None:
    for _ in range(250):
        await storage.add(PRESS)
    await storage._run(storage._records.blocking_tidy)
    await storage._run(storage._records.blocking_tidy)
    assert storage._records.database.commits_since_checkpoint == 0
    await storage.add(PRESS)
    assert [e.seq for e in await events(storage)] == list(range(1, 252))
