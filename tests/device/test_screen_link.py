from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from device import screen_link
from device.screen_link import ScreenLink
from wire.codec import MAX_PAYLOAD, encode
from wire.messages import Board, Catalogue
from wire.screen_link import (
    MAX_LINE,
    BoardShown,
    CardGone,
    KioskState,
    LinkMessage,
    ScreenHello,
    TakeTicket,
    ToAgent,
    decode_to_screen,
    encode_line,
)

STATE = BoardShown(board=None, stale=True)
HELLO = encode_line(ScreenHello(station="a", role="kiosk"))


class Station:
    def __init__(self) -> None:
        self.touched: asyncio.Queue[ToAgent] = asyncio.Queue()

    def whole(self) -> list[LinkMessage]:
        return [STATE]

    async def on_screen(self, message: ToAgent) -> None:
        self.touched.put_nowait(message)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def line(self) -> bytes:
        async with asyncio.timeout(5):
            try:
                return await self.reader.readline()
            except ConnectionError:
                return b""


@pytest.fixture
def station() -> Station:
    return Station()


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s") / "s"


@pytest.fixture
async def link(path: Path, station: Station) -> AsyncIterator[ScreenLink]:
    made = ScreenLink(str(path), {"a": station, "b": Station()})
    await made.start()
    yield made
    await made.stop()
    assert not os.path.lexists(path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def connect(path: Path, hello: bytes = HELLO) -> Client:
    client = Client(*await asyncio.open_unix_connection(str(path), limit=MAX_LINE))
    client.writer.write(hello)
    return client


async def test_a_screen_gets_the_whole_state_and_then_what_is_for_its_station(
    link: ScreenLink, path: Path, station: Station
) -> None:
    assert not link.has_screen("a", "kiosk")
    client = await connect(path)
    assert decode_to_screen(await client.line()) == STATE
    assert link.has_screen("a", "kiosk") and not link.has_screen("b", "kiosk")
    link.send("b", STATE)
    link.send("a", CardGone())
    assert decode_to_screen(await client.line()) == CardGone()
    wish = TakeTicket(request="r", service="s")
    client.writer.write(encode_line(wish))
    assert await asyncio.wait_for(station.touched.get(), 5) == wish
    client.writer.close()


@pytest.mark.parametrize(
    "lines",
    [
        b"not json\n",
        b"\xff\xfe\n",
        b"{}\n",
        b'{"type":"take_ticket"}\n',
        encode_line(ScreenHello(station="none", role="kiosk")),
        encode_line(TakeTicket(request="r", service="s")),
        b"x" * (MAX_LINE + 2) + b"\n",
        HELLO + b"[[[[\n",
        HELLO + b'{"type":"rate_service","prompt":"p","grade":9}\n',
    ],
)
async def test_a_line_that_is_none_closes_the_screen_and_is_counted(
    link: ScreenLink, path: Path, lines: bytes
) -> None:
    client = await connect(path, lines)
    async with asyncio.timeout(5):
        while await client.line():
            pass
    assert link.bad_lines == 1
    again = await connect(path)
    assert decode_to_screen(await again.line()) == STATE
    again.writer.close()


async def test_the_longest_that_the_hall_says_fits_a_line(link: ScreenLink, path: Path) -> None:
    long = {"zh-CN": "政" * 85_000}
    catalogue = Catalogue(epoch=1, rev=1, hall_name=long, services=(), groups=(), priorities=(), zones=())
    board = Board(
        epoch=1,
        rev=1,
        business_date=date(2026, 11, 23),
        calls=(),
        services=(),
        missed=(),
        announcements=(long,),
    )
    for message in (catalogue, board):
        assert MAX_PAYLOAD - 20_000 < len(encode(message)) <= MAX_PAYLOAD
    client = await connect(path)
    await client.line()
    state = KioskState(online=True, catalogue=catalogue, board=board, printer=None, card_reader=None)
    link.send("a", state)
    assert decode_to_screen(await client.line()) == state
    client.writer.close()


async def test_a_screen_that_does_not_read_is_closed_and_the_others_go_on(
    link: ScreenLink, path: Path
) -> None:
    slow, good = await connect(path), await connect(path)
    await good.line()
    await slow.line()
    message = BoardShown(board=None, stale=False)
    big = encode_line(message).rstrip() + b" " * 60_000 + b"\n"
    slow_one = next(iter(link._clients))
    for _ in range(screen_link.QUEUE + 8):
        slow_one.send(big)
    async with asyncio.timeout(5):
        while slow_one in link._clients:
            await asyncio.sleep(0.001)
    link.send("a", CardGone())
    assert decode_to_screen(await good.line()) == CardGone()
    slow.writer.close()
    good.writer.close()


async def test_the_newest_screens_have_room(
    link: ScreenLink, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen_link, "CLIENTS", 2)
    clients = []
    for _ in range(4):
        clients.append(await connect(path))
        assert decode_to_screen(await clients[-1].line()) == STATE
    assert await clients[0].line() == b"" == await clients[1].line()
    assert len(link._clients) == 2
    for client in clients:
        client.writer.close()


async def test_who_says_nothing_makes_room_for_who_does(
    link: ScreenLink, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen_link, "WAITING", 2)
    silent = [await connect(path, b"") for _ in range(3)]
    assert await silent[0].line() == b""
    good = await connect(path)
    assert decode_to_screen(await good.line()) == STATE
    assert await silent[1].line() == b""
    silent[2].writer.write(HELLO)
    assert decode_to_screen(await silent[2].line()) == STATE
    for client in (*silent, good):
        client.writer.close()


async def test_a_socket_left_by_a_killed_agent_is_replaced_and_only_the_group_may_use_it(
    path: Path, station: Station
) -> None:
    for _ in range(2):
        link = ScreenLink(str(path), {"a": station})
        await link.start()
        assert mode(path) == 0o660
        assert link._server is not None
        link._server.close()
    await link.stop()


async def test_a_node_without_screens_needs_no_socket(station: Station) -> None:
    link = ScreenLink(None, {"a": station})
    await link.start()
    link.send("a", STATE)
    assert not link.has_screen("a", "kiosk")
    await link.stop()
