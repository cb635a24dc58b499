"""Every kind of line keeps the promises of `Transport`: one suite over pty, TCP, pair and shared pty."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import LineLostError, WriteStalledError
from drivers.transport.fake import FakeDevice, Line, PtyLine, TcpLine
from drivers.transport.file import FileConfig, FileTransport
from drivers.transport.hidraw import HidrawConfig
from drivers.transport.pair import PairLine
from drivers.transport.serial import SerialConfig, SerialTransport
from drivers.transport.table import transport
from drivers.transport.tcp import TcpConfig, TcpTransport
from drivers.transport.transport import Transport


class Recorder(FakeDevice):
    """Keeps what came and says when there is enough of it."""

    def __init__(self) -> None:
        super().__init__()
        self.got = bytearray()
        self.pieces: list[int] = []
        self.news = asyncio.Event()
        self.plugs = 0

    def received(self, data: bytes) -> None:
        self.got += data
        self.pieces.append(len(data))
        self.news.set()

    def plugged(self) -> None:
        self.plugs += 1
        self.news.set()

    async def until(self, count: int) -> bytes:
        async with asyncio.timeout(5):
            while len(self.got) < count:
                self.news.clear()
                await self.news.wait()
        return bytes(self.got)


class Joined:
    def __init__(self, device: Recorder, line: Line, end: Transport) -> None:
        self.device, self.line, self.end = device, line, end

    async def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = await self.end.read(5)
            assert 0 < len(piece) <= 4096
            data += piece
        return data

    async def connected(self) -> None:
        """The far end knows of us (TCP accepts a little after `open`)."""
        async with asyncio.timeout(5):
            while not self.device.plugs:
                self.device.news.clear()
                await self.device.news.wait()


@pytest.fixture(params=["pty", "tcp", "pair", "shared"])
async def joined(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Joined]:
    device = Recorder()
    line: Any
    end: Transport
    if request.param == "pty":
        line = PtyLine(device, tmp_path / "tty")
        await line.plug()
        end = SerialTransport(SerialConfig(path=str(line.path), baud=115200))
    elif request.param == "shared":
        line = PtyLine(device, tmp_path / "tty")
        await line.plug()
        end = transport(SerialConfig(path=str(line.path), baud=115200, shared=True))
    elif request.param == "tcp":
        line = TcpLine(device)
        await line.plug()
        end = TcpTransport(TcpConfig(host="127.0.0.1", port=line.port))
    else:
        line = PairLine(device)
        await line.plug()
        end = line.transport
    await end.open()
    both = Joined(device, line, end)
    await both.connected()
    yield both
    await end.close()
    await line.unplug()


async def test_bytes_pass_both_ways_unchanged(joined: Joined) -> None:
    every = bytes(range(256)) * 20
    await joined.end.write(every)
    await joined.end.drained()
    assert await joined.device.until(len(every)) == every
    joined.device.send(every)
    assert await joined.read(len(every)) == every


async def test_read_times_out_empty_and_the_line_lives_on(joined: Joined) -> None:
    assert await joined.end.read(0.01) == b""
    joined.device.send(b"late")
    assert await joined.read(4) == b"late"


async def test_unplugged_while_reading(joined: Joined) -> None:
    reading = asyncio.create_task(joined.end.read())
    await asyncio.sleep(0)
    await joined.line.unplug()
    with pytest.raises(LineLostError):
        await reading
    with pytest.raises(LineLostError):
        await joined.end.write(b"x" * 100)
        await joined.end.read(1)


async def test_closed_while_reading(joined: Joined) -> None:
    reading = asyncio.create_task(joined.end.read())
    await asyncio.sleep(0)
    await joined.end.close()
    await joined.end.close()
    with pytest.raises(LineLostError):
        await reading


async def test_plugged_in_again_is_found_at_the_same_place(joined: Joined) -> None:
    await joined.line.unplug()
    with pytest.raises(LineLostError):
        await joined.end.open()
    await joined.line.plug()
    await joined.end.open()
    await joined.end.write(b"back")
    assert await joined.device.until(4) == b"back"


async def test_cancelled_read_loses_nothing(joined: Joined) -> None:
    for _ in range(3):
        reading = asyncio.create_task(joined.end.read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    joined.device.send(b"kept")
    assert await joined.read(4) == b"kept"


async def test_timeout_of_the_caller_is_a_cancellation(joined: Joined) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await joined.end.read(5)


async def test_stalled_write_says_how_much_was_taken(joined: Joined) -> None:
    joined.line.faults.stop_after = 10
    data = bytes(8 << 20)  # more than any kernel's buffer
    with pytest.raises(WriteStalledError) as stalled:
        await joined.end.write(data, 0.1)
    assert 10 <= stalled.value.written < len(data) == stalled.value.total


async def test_stalled_line_goes_on(joined: Joined) -> None:
    joined.line.faults.stop_after = 3
    writing = asyncio.create_task(joined.end.write(bytes(100_000)))
    await joined.device.until(3)
    joined.line.resume()
    await writing
    assert len(await joined.device.until(100_000)) == 100_000


@pytest.mark.parametrize("piece", [1, 3])
async def test_pieces(joined: Joined, piece: int) -> None:
    joined.line.faults.piece = piece
    await joined.end.write(b"0123456789")
    assert await joined.device.until(10) == b"0123456789"
    assert max(joined.device.pieces) <= piece
    joined.device.send(b"abcdefg")
    assert await joined.read(7) == b"abcdefg"


async def test_noise_and_loss_are_repeatable(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        line = PairLine(Recorder(), seed=7)
        line.faults.noise = line.faults.loss = 0.2
        await line.plug()
        await line.transport.open()
        await line.transport.write(bytes(200))
        seen.append(bytes(line.device.got))  # type: ignore[attr-defined]
    assert seen[0] == seen[1] and len(seen[0]) < 200 and any(seen[0])


async def test_pair_is_pulled_at_an_exact_byte() -> None:
    device = Recorder()
    line = PairLine(device)
    await line.plug()
    await line.transport.open()
    line.unplug_after = 5
    with pytest.raises(LineLostError):
        await line.transport.write(b"0123456789")
    assert device.got == b"01234" and not line.plugged_in


async def test_reader_and_writer_at_once(joined: Joined) -> None:
    data = bytes(range(256)) * 256
    reading = asyncio.create_task(joined.read(len(data)))
    joined.device.send(data)
    await joined.end.write(data)
    assert await reading == data
    assert await joined.device.until(len(data)) == data


async def test_serial_line_is_locked_against_others(tmp_path: Path) -> None:
    line = PtyLine(Recorder(), tmp_path / "tty")
    await line.plug()
    first, second = (SerialTransport(SerialConfig(path=str(line.path))) for _ in range(2))
    await first.open()
    with pytest.raises(LineLostError) as held:
        await second.open()
    assert held.value.code == "device.in_use"
    await first.close()
    await second.open()
    await second.close()
    await line.unplug()


async def test_a_line_that_may_not_be_opened_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(LineLostError) as denied:
        await FileTransport(FileConfig(path=str(tmp_path / "lp0"))).open()
    assert denied.value.code == "device.no_permission"


async def test_nothing_there() -> None:
    for config in (
        SerialConfig(path="/nowhere/tty"),
        SerialConfig(path="/nowhere/tty", shared=True),
        FileConfig(path="/nowhere/lp0"),
        HidrawConfig(path="/nowhere/hidraw0"),
        TcpConfig(host="127.0.0.1", port=9),
    ):
        end = transport(config)
        with pytest.raises(LineLostError):
            await end.open()
        with pytest.raises(LineLostError):
            await end.read(0)
        await end.close()


async def test_host_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*arguments: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never, raising=False)
    end = TcpTransport(TcpConfig(host="127.0.0.1", port=9, connect_timeout_s=0.02))
    with pytest.raises(LineLostError, match="no connection"):
        await end.open()


async def test_second_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Recorder()
    line = TcpLine(device)
    await line.plug()
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def two(host: str, port: int, **options: Any) -> Any:
        dead, live = await real("127.0.0.1", 9, **options), await real("127.0.0.1", port, **options)
        return [*dead, *live]

    monkeypatch.setattr(loop, "getaddrinfo", two, raising=False)
    end = TcpTransport(TcpConfig(host="two", port=line.port))
    await end.open()
    await end.write(b"hi")
    assert await device.until(2) == b"hi"
    await end.close()
    await line.unplug()


async def test_reset_ends_the_wait_for_what_was_not_acknowledged() -> None:
    """What a peer that resets has not acknowledged stays counted as unsent."""
    line = TcpLine(Recorder())
    await line.plug()
    end = TcpTransport(TcpConfig(host="127.0.0.1", port=line.port))
    await end.open()
    await line.unplug()
    with pytest.raises(LineLostError):
        async with asyncio.timeout(4):
            await end.write(b"abc")
            await end.drained(30)
            await end.read()
    await end.close()


async def test_file_reads_past_empty_packets_and_cannot_tell_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "lp0"
    os.mkfifo(path)  # like usblp: an empty read while nobody writes, no count of what is left
    end = FileTransport(FileConfig(path=str(path)))
    await end.open()
    assert await end.read(0.01) == b""
    await end.write(b"round")
    assert await end.read(1) == b"round"
    await end.drained()
    await end.close()


async def test_a_line_that_never_runs_dry_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    path = tmp_path / "line"
    os.mkfifo(path)
    line = FileTransport(FileConfig(path=str(path)))
    await line.open()
    babbling = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    os.write(babbling, bytes(65_536))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    got = 0
    while got < 65_536:
        got += len(await line.read())
    assert turns >= 10
    beside.cancel()
    os.close(babbling)
    await line.close()
