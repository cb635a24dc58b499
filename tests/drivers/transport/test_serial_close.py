"""Closing a serial port: what was just written goes out, and a stalled line holds nobody up."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from drivers.errors import LineLostError
from drivers.transport import serial as serial_transport
from drivers.transport.fake import FakeDevice, PtyLine
from drivers.transport.serial import SerialConfig, SerialTransport


class Recorder(FakeDevice):
    def __init__(self) -> None:
        super().__init__()
        self.got = bytearray()

    def received(self, data: bytes) -> None:
        self.got += data


async def until(recorder: Recorder, count: int) -> None:
    async with asyncio.timeout(10):
        while len(recorder.got) < count:
            await asyncio.sleep(0.001)


async def test_an_order_that_was_written_just_before_is_not_lost(tmp_path: Path) -> None:
    line = PtyLine(Recorder(), tmp_path / "tty")
    await line.plug()
    end = SerialTransport(SerialConfig(path=str(line.path)))
    for _ in range(10):
        await end.open()
        await end.write(b"lamps off!")
        await end.close()
    assert isinstance(line.device, Recorder)
    await until(line.device, 100)
    await line.unplug()


async def test_a_close_waits_a_moment_for_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = PtyLine(Recorder(), tmp_path / "tty")
    await line.plug()
    end = SerialTransport(SerialConfig(path=str(line.path)))
    await end.open()
    asked = []

    async def drained(timeout: float = 5.0) -> None:
        asked.append(timeout)

    monkeypatch.setattr(end, "drained", drained)
    await end.close()
    await end.close()
    assert asked == [serial_transport.LAST_WORDS_S]
    await line.unplug()


async def test_a_close_that_the_kernel_holds_up_does_not_hold_up_the_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = PtyLine(Recorder(), tmp_path / "tty")
    await line.plug()
    end = SerialTransport(SerialConfig(path=str(line.path)))
    await end.open()
    assert end._port is not None
    closed, may_close = threading.Event(), threading.Event()
    close = end._port.close

    def held_up() -> None:
        may_close.wait(20)
        close()
        closed.set()

    monkeypatch.setattr(end._port, "close", held_up)
    monkeypatch.setattr(serial_transport, "_left", lambda fd: 5)
    await end.close()
    assert not closed.is_set()
    with pytest.raises(LineLostError) as lost:
        await end.open()
    assert lost.value.code == "device.write_stalled"
    may_close.set()
    async with asyncio.timeout(10):
        while str(line.path) in serial_transport._closing:
            await asyncio.sleep(0.001)
    monkeypatch.undo()
    await end.open()
    await end.close()
    await line.unplug()


async def test_one_that_is_opened_while_it_closes_stays_open(tmp_path: Path) -> None:
    line = PtyLine(Recorder(), tmp_path / "tty")
    await line.plug()
    end = SerialTransport(SerialConfig(path=str(line.path)))
    await end.open()
    closing = asyncio.create_task(end.close())
    await asyncio.sleep(0)
    await end.open()
    await closing
    await end.write(b"here")
    assert isinstance(line.device, Recorder)
    await until(line.device, 4)
    await end.close()
    await line.unplug()
