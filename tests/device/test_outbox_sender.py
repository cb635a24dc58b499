from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device import outbox_sender
from device.database import Row, SetAsideError, StorageError
from device.outbox_sender import IN_FLIGHT, OldCopyError, OutboxSender
from device.storage import Storage
from wire.codec import decode
from wire.messages import CoordinatorAck, KeyPressed, NodeEvent

PRESS = KeyPressed(counter="1", key="next")


class Line:
    """What was published; `open` False takes nothing."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.open = True

    def publish(self, payload: bytes) -> bool:
        if self.open:
            self.sent.append(decode(payload, NodeEvent).seq)
        return self.open


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def sender(storage: Storage, line: Line) -> AsyncIterator[OutboxSender]:
    made = OutboxSender(storage, line.publish)
    storage.on_rows = made.on_rows
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.wait([running])


def ack(storage: Storage, through: int, resend: bool = False) -> CoordinatorAck:
    return CoordinatorAck(stream=storage.stream, through=through, epoch=1, resend=resend)


async def until(line: Line, seq: int) -> None:
    async with asyncio.timeout(5):
        while not line.sent or line.sent[-1] != seq:
            await asyncio.sleep(0.001)


async def test_a_row_is_sent_in_the_step_of_its_commit(
    storage: Storage, sender: OutboxSender, line: Line
) -> None:
    sender.set_online(True)
    await storage.add(PRESS)
    assert line.sent == [1]
    await storage.add(PRESS, PRESS)
    assert line.sent == [1, 2, 3]


async def test_nothing_is_sent_while_the_coordinator_is_away_and_all_of_it_after(
    storage: Storage, sender: OutboxSender, line: Line
) -> None:
    for _ in range(3):
        await storage.add(PRESS)
    assert line.sent == []
    sender.set_online(True)
    await until(line, 3)
    assert line.sent == [1, 2, 3]


async def test_no_more_is_under_way_than_allowed(storage: Storage, sender: OutboxSender, line: Line) -> None:
    sender.set_online(True)
    for _ in range(IN_FLIGHT + 30):
        await storage.add(PRESS)
    await storage.ping()
    assert line.sent == list(range(1, IN_FLIGHT + 1))
    sender.on_ack(ack(storage, 10))
    await until(line, IN_FLIGHT + 10)
    sender.on_ack(ack(storage, IN_FLIGHT + 10))
    await until(line, IN_FLIGHT + 30)
    assert line.sent == list(range(1, IN_FLIGHT + 31))


async def test_a_reconnect_sends_what_is_not_acknowledged_again(
    storage: Storage, sender: OutboxSender, line: Line
) -> None:
    sender.set_online(True)
    for _ in range(4):
        await storage.add(PRESS)
    sender.on_ack(ack(storage, 2))
    sender.set_online(False)
    sender.set_online(True)
    async with asyncio.timeout(5):
        while len(line.sent) < 6:
            await asyncio.sleep(0.001)
    assert line.sent == [1, 2, 3, 4, 3, 4]


async def test_without_progress_it_is_sent_again(
    storage: Storage, sender: OutboxSender, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_sender, "NO_PROGRESS_S", 0.0)
    sender.set_online(True)
    await storage.add(PRESS)
    async with asyncio.timeout(5):
        while line.sent != [1, 1]:
            await asyncio.sleep(0.01)


async def test_acks_of_another_stream_mean_nothing_and_of_a_later_seq_an_old_copy(
    storage: Storage, sender: OutboxSender
) -> None:
    await storage.add(PRESS)
    sender.on_ack(CoordinatorAck(stream="other", through=99, epoch=1))
    assert storage.acked == 0
    with pytest.raises(OldCopyError):
        sender.on_ack(ack(storage, 2))
    sender.on_ack(ack(storage, 1))
    sender.on_ack(ack(storage, 0))
    assert storage.acked == 1, "acks are cumulative"


async def test_an_ack_while_the_file_is_let_go_of_is_no_old_copy(
    storage: Storage, sender: OutboxSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage thread abandons the file after an I/O error at any moment between two lines of the loop."""
    await storage.add(PRESS)
    of_the_file, opened = ack(storage, 1), storage._records._opened

    def let_go(self: Storage) -> int:
        self._records._opened = None
        return 0

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "last_seq", property(let_go))
        sender.on_ack(of_the_file)
    storage._records._opened = opened
    assert storage.acked == 0, "and it is acknowledged again"


async def test_what_was_pruned_does_not_hold_up_what_is_there(
    storage: Storage, sender: OutboxSender, line: Line
) -> None:
    for _ in range(6):
        await storage.add(PRESS)
    await storage._run(
        lambda: storage._records.database.connection.execute("DELETE FROM outbox WHERE seq < 4")
    )
    sender.set_online(True)
    await until(line, 6)
    assert line.sent == [4, 5, 6]


async def test_after_a_file_was_set_aside_its_undelivered_events_and_new_ones_are_sent(
    storage: Storage, sender: OutboxSender, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> None:
        raise SetAsideError("corrupt", "database disk image is malformed")

    sender.set_online(True)
    for _ in range(9):
        await storage.add(PRESS)
    sender.on_ack(ack(storage, 5))
    stream = storage.stream
    with monkeypatch.context() as patch:
        patch.setattr(storage._records, "blocking_add", damaged)
        with pytest.raises(StorageError):
            await storage.add(PRESS)
    assert storage.stream != stream and storage.notice == "agent.storage_corrupt"
    line.sent.clear()
    await storage.add(PRESS)
    await until(line, storage.last_seq)
    assert line.sent == list(range(1, storage.last_seq + 1))


STEPS = st.lists(
    st.sampled_from(["add", "drop", "off", "on", "ack", "resend", "restore", "closed", "open"]), max_size=40
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_whatever_is_lost_on_the_way_the_coordinator_ends_with_every_event_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    from device.clock import Clock

    storage = Storage(tmp_path_factory.mktemp("outbox") / "agent.db", "s", Clock(), "this")
    await storage.start()
    applied: list[int] = []
    way = {"drop": False, "open": True}

    def publish(payload: bytes) -> bool:
        """The way to the coordinator, which loses messages; it takes the next of the stream only."""
        if not way["open"]:
            return False
        seq = decode(payload, NodeEvent).seq
        if not way["drop"] and seq == len(applied) + 1:
            applied.append(seq)
        return True

    sender = OutboxSender(storage, publish)
    storage.on_rows = sender.on_rows
    running = asyncio.create_task(sender.run())
    try:
        for step in steps:
            way["drop"] = step == "drop"
            match step:
                case "add" | "drop":
                    rows: tuple[Row, ...] = await storage.add(PRESS)
                    assert rows[0].seq == storage.last_seq
                case "on" | "off":
                    sender.set_online(step == "on")
                case "closed" | "open":
                    way["open"] = step == "open"
                case "restore":
                    del applied[len(applied) // 2 :]
            if step in ("ack", "resend", "restore"):
                sender.on_ack(ack(storage, len(applied), resend=step != "ack"))
            await storage.ping()
        way |= {"drop": False, "open": True}
        sender.set_online(False)
        storage.ack(len(applied))  # what the ack of a coordinator that asks again says
        sender.set_online(True)
        async with asyncio.timeout(5):
            while len(applied) < storage.last_seq:
                sender.on_ack(ack(storage, len(applied)))
                await asyncio.sleep(0.001)
        assert applied == list(range(1, storage.last_seq + 1))
    finally:
        running.cancel()
        await asyncio.wait([running])
        await storage.stop()
