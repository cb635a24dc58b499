"""UDP keeps datagrams whole; raw HID keeps reports whole, with and without a number."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.errors import LineLostError
from drivers.transport.fake import FakeDevice, PtyLine
from drivers.transport.fake_udp import UdpLine
from drivers.transport.hidraw import HidrawConfig, HidrawTransport
from drivers.transport.udp import UdpConfig, UdpTransport


class Answers(FakeDevice):
    """Turns every piece around."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[bytes] = []
        self.news = asyncio.Event()

    def received(self, data: bytes) -> None:
        self.got.append(data)
        self.news.set()
        self.send(data[::-1])


@pytest.fixture
async def line() -> AsyncIterator[UdpLine]:
    made = UdpLine(Answers())
    await made.plug()
    yield made
    await made.unplug()


def peer(line: UdpLine) -> UdpTransport:
    return UdpTransport(UdpConfig(host="127.0.0.1", port=line.port))


async def test_one_read_is_one_datagram(line: UdpLine) -> None:
    end = peer(line)
    await end.open()
    await end.write(b"first")
    await end.write(b"second")
    await end.drained()
    assert await end.read(5) == b"tsrif"
    assert await end.read(5) == b"dnoces"
    assert await end.read(0.01) == b""
    await end.close()


async def test_a_refused_datagram_is_a_lost_line_and_a_plugged_one_works_again(line: UdpLine) -> None:
    end = peer(line)
    await end.open()
    await line.unplug()
    with pytest.raises(LineLostError):
        for _ in range(50):
            await end.write(b"?")
            await end.read(0.05)
    await line.plug()
    await end.open()
    await end.write(b"ab")
    assert await end.read(5) == b"ba"
    await end.close()


async def test_lost_datagrams_are_lost_without_a_word(line: UdpLine) -> None:
    end = peer(line)
    await end.open()
    line.faults.stop_after = 3
    await end.write(b"abc")
    assert await end.read(5) == b"cba"
    await end.write(b"lost")
    assert await end.read(0.02) == b""
    line.resume()
    await end.write(b"back")
    assert await end.read(5) == b"kcab"
    await end.close()


async def test_a_host_without_an_address() -> None:
    end = UdpTransport(UdpConfig(host="256.256.256.256", port=1))
    with pytest.raises(LineLostError):
        await end.open()


async def test_reports_are_padded_and_numbered(tmp_path: Path) -> None:
    device = Answers()
    line = PtyLine(device, tmp_path / "hidraw")
    await line.plug()
    end = HidrawTransport(HidrawConfig(path=str(line.path), report_size=8, report_id=5))
    await end.open()
    await end.write(b"0123456789")
    async with asyncio.timeout(5):
        while sum(map(len, device.got)) < 18:
            device.news.clear()
            await device.news.wait()
    assert b"".join(device.got) == b"\x05" + b"01234567" + b"\x05" + b"89\0\0\0\0\0\0"
    await end.close()
    await line.unplug()


async def test_only_the_wanted_reports_are_read(tmp_path: Path) -> None:
    path = tmp_path / "hidraw"
    os.mkfifo(path)
    device = os.open(path, os.O_RDWR)
    end = HidrawTransport(HidrawConfig(path=str(path), report_id=2))
    await end.open()
    os.write(device, b"\x01other")
    assert await end.read(0.02) == b""
    os.write(device, b"\x02mine")
    assert await end.read(5) == b"mine"
    plain = HidrawTransport(HidrawConfig(path=str(path)))
    await plain.open()
    os.write(device, b"\x00raw")
    assert await plain.read(5) == b"\x00raw"
    await end.close()
    await plain.close()
    os.close(device)
