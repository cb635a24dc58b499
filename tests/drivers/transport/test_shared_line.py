"""Several drivers on one line: all hear everything, writes stay whole, one at a time asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.errors import ConfigError, LineLostError, WriteStalledError
from drivers.transport.fake import FakeDevice, PtyLine, TcpLine
from drivers.transport.serial import SerialConfig
from drivers.transport.shared import KEPT, SharedEnd
from drivers.transport.table import transport
from drivers.transport.tcp import TcpConfig
from drivers.transport.transport import Transport


class Echo(FakeDevice):
    """Says again what it hears, after `pause` turns of the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.got = bytearray()
        self.answers = True

    def received(self, data: bytes) -> None:
        self.got += data
        if self.answers:
            self.send(data)


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[PtyLine]:
    made = PtyLine(Echo(), tmp_path / "tty")
    await made.plug()
    yield made
    await made.unplug()


def ends(line: PtyLine, count: int) -> list[Transport]:
    return [transport(SerialConfig(path=str(line.path), shared=True)) for _ in range(count)]


async def read(end: Transport, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = await end.read(5)
        assert piece, "nothing came"
        data += piece
    return data


async def until(echo: Echo, count: int) -> None:
    async with asyncio.timeout(5):
        while len(echo.got) < count:
            await asyncio.sleep(0.001)


async def close(*made: Transport) -> None:
    for end in made:
        await end.close()


async def test_every_end_reads_every_byte(line: PtyLine) -> None:
    one, two = ends(line, 2)
    await one.open()
    await two.open()
    await one.write(b"hello")
    assert await read(one, 5) == await read(two, 5) == b"hello"
    await close(one, two)


async def test_the_line_is_open_while_any_end_is(line: PtyLine) -> None:
    one, two = ends(line, 2)
    await one.open()
    await two.open()
    await one.close()
    await two.write(b"still")
    assert await read(two, 5) == b"still"
    with pytest.raises(LineLostError):
        await one.write(b"x")
    await two.close()
    alone = transport(SerialConfig(path=str(line.path)))  # the exclusive lock is free again
    await alone.open()
    await alone.close()


async def test_all_hear_of_the_loss_and_any_opens_again(line: PtyLine) -> None:
    one, two = ends(line, 2)
    await one.open()
    await two.open()
    waiting = asyncio.create_task(two.read())
    await asyncio.sleep(0)
    await line.unplug()
    for reading in (one.read(5), waiting):
        with pytest.raises(LineLostError):
            await reading
    with pytest.raises(LineLostError):
        await two.open()
    await line.plug()
    await two.open()
    await one.open()  # was never closed by its driver
    await one.write(b"back")
    assert await read(two, 4) == b"back"
    await close(one, two)


async def test_turns_are_taken_one_after_another(line: PtyLine) -> None:
    made = ends(line, 5)
    for end in made:
        await end.open()
    talking = 0
    order: list[int] = []

    async def exchange(n: int, end: Transport) -> None:
        nonlocal talking
        async with end.turn():
            talking += 1
            assert talking == 1
            await end.write(bytes((n,)) * 10)
            while bytes((n,)) * 10 not in await end.read(5):
                pass
            order.append(n)
            talking -= 1

    await asyncio.gather(*(exchange(n, end) for n, end in enumerate(made)))
    assert order == [0, 1, 2, 3, 4]
    await close(*made)


async def test_a_turn_that_waited_for_a_line_that_went_is_refused(line: PtyLine) -> None:
    one, two = ends(line, 2)
    await one.open()
    await two.open()
    entered = asyncio.Event()

    async def second() -> None:
        entered.set()
        async with two.turn():
            raise AssertionError("the line is gone")

    async with one.turn():
        waiting = asyncio.create_task(second())
        await entered.wait()
        await line.unplug()
        with pytest.raises(LineLostError):
            await one.read(5)
    with pytest.raises(LineLostError):
        await waiting
    await close(one, two)


async def test_writes_of_two_ends_are_not_mixed(line: PtyLine) -> None:
    one, two = ends(line, 2)
    await one.open()
    await two.open()
    echo = line.device
    assert isinstance(echo, Echo)
    echo.answers = False
    line.faults.stop_after = 10
    writing = [asyncio.create_task(end.write(bytes((n,)) * 50_000)) for n, end in enumerate((one, two), 1)]
    await until(echo, 10)
    line.resume()
    await asyncio.gather(*writing)
    await until(echo, 100_000)
    assert bytes(echo.got) == b"\1" * 50_000 + b"\2" * 50_000
    await close(one, two)


async def test_a_stalled_line_stalls_the_next_writer_in_time(line: PtyLine) -> None:
    one, two = ends(line, 2)
    await one.open()
    await two.open()
    line.faults.stop_after = 1
    first = asyncio.create_task(one.write(bytes(8 << 20), 0.5))
    await asyncio.sleep(0)
    with pytest.raises(WriteStalledError) as stalled:
        await two.write(b"x", 0.05)
    assert stalled.value.written == 0
    with pytest.raises(WriteStalledError):
        await first
    await close(one, two)


async def test_an_end_that_never_reads_keeps_only_so_much(line: PtyLine) -> None:
    one, two = ends(line, 2)
    await one.open()
    await two.open()
    total = KEPT // 1000 * 1000 + 10_000
    for start in range(0, total, 1000):
        line.device.send(bytes((start // 1000 % 256,)) * 1000)
        assert len(await read(one, 1000)) == 1000
    assert isinstance(two, SharedEnd)
    left = await read(two, KEPT)
    assert left[-1000:] == bytes((total // 1000 - 1,)) * 1000
    assert await two.read(0.01) == b""
    await close(one, two)


async def test_other_settings_are_refused(line: PtyLine) -> None:
    first = transport(SerialConfig(path=str(line.path), shared=True))
    with pytest.raises(ConfigError, match="equal settings"):
        transport(SerialConfig(path=str(line.path), baud=115200, shared=True))
    await first.close()


async def test_one_connection_for_a_serial_server() -> None:
    server = TcpLine(Echo())
    await server.plug()
    config = TcpConfig(host="127.0.0.1", port=server.port, shared=True)
    one, two = transport(config), transport(config)
    await one.open()
    await two.open()  # a second connection would throw the first out
    await one.write(b"abc")
    assert await read(one, 3) == await read(two, 3) == b"abc"
    await close(one, two)
    await server.unplug()


async def test_silent_devices_leave_the_line_to_the_others(line: PtyLine) -> None:
    """Ten that do not answer, each 20 ms: the one that does waits for one of them at most."""
    echo = line.device
    assert isinstance(echo, Echo)
    echo.answers = False
    alive, *silent = ends(line, 11)
    for end in (alive, *silent):
        await end.open()
    turns: list[str] = []

    async def ask(end: Transport, name: str) -> None:
        while True:
            async with end.turn(unlikely=name != "alive"):
                turns.append(name)
                await asyncio.sleep(0.001 if name == "alive" else 0.02)

    asking = [asyncio.create_task(ask(end, str(n))) for n, end in enumerate(silent)]
    asking.append(asyncio.create_task(ask(alive, "alive")))
    async with asyncio.timeout(10):
        while turns.count("alive") < 20:
            await asyncio.sleep(0.005)
    first = turns.index("alive")
    assert all("alive" in turns[at : at + 2] for at in range(first, len(turns) - 1))
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    async with asyncio.timeout(10), silent[3].turn(unlikely=True):
        pass  # those that were cancelled gave it back
    await close(alive, *silent)


async def test_all_are_asked_at_once_when_silent_ones_answer_again(line: PtyLine) -> None:
    made = ends(line, 12)
    for end in made:
        await end.open()
    most = 0

    async def ask(end: Transport) -> None:
        nonlocal most
        for _ in range(3):
            async with end.turn(unlikely=True):
                while await end.read(0):
                    pass  # of the others
                await end.write(b"?")
                await read(end, 1)
                most = max(most, made[0]._line._hopes)  # type: ignore[attr-defined]

    await asyncio.gather(*(ask(end) for end in made))
    assert most > 4
    await close(*made)


async def test_a_reader_with_a_bug_tells_all_ends(line: PtyLine, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = ends(line, 2)
    await one.open()

    async def broken(timeout: float | None = None) -> bytes:
        raise RuntimeError("a bug")

    assert isinstance(one, SharedEnd)
    await one.close()
    monkeypatch.setattr(one._line._transport, "read", broken)
    await one.open()
    await two.open()
    for end in (one, two):
        with pytest.raises(LineLostError):
            await end.read(5)
    await close(one, two)
