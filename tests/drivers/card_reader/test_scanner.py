"""A scanner on its line: what a set-up that is wrong, a killed program and a cancelled close do to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.card_reader.fake_scanner import FakeScanner
from drivers.card_reader.protocol import CardEvent
from drivers.card_reader.scanned_text import TextFormat, TextSplitter
from drivers.card_reader.scanner import TRIES, UNREAD_LIMIT, WRITE_S, Scanner, ScannerConfig
from drivers.driver import Health
from drivers.errors import FrameError
from drivers.transport.fake import PtyLine
from drivers.transport.serial import SerialConfig
from wire.texts import LANGUAGES, texts

PATIENCE = 20.0
LIGHT = {"watch_on": "16540D", "watch_off": "16550D"}


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[PtyLine]:
    made = PtyLine(FakeScanner(), tmp_path / "scanner")
    await made.plug()
    yield made
    await made.unplug()


def scanner_on(line: PtyLine, **options: Any) -> Scanner:
    return Scanner(ScannerConfig(transport=SerialConfig(path=str(line.path)), pause_ms=50, **options))


@asynccontextmanager
async def served(line: PtyLine, **options: Any) -> AsyncIterator[tuple[Scanner, FakeScanner]]:
    scanner = scanner_on(line, **options)
    await scanner.open()
    serving = asyncio.create_task(scanner.serve())
    try:
        assert isinstance(line.device, FakeScanner)
        yield scanner, line.device
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await scanner.close()


async def event(scanner: Scanner) -> CardEvent:
    return await asyncio.wait_for(scanner.next_event(), PATIENCE)


async def until_lit(fake: FakeScanner, lit: bool) -> None:
    async with asyncio.timeout(PATIENCE):
        while fake.lit != lit or not fake.commands:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("wrong", ["no terminator", "no prefix"])
async def test_codes_that_are_never_read_are_a_fault_that_goes_with_the_first_one(
    line: PtyLine, wrong: str
) -> None:
    async with served(line, format=TextFormat(prefix="<"), repeat_ms=0) as (scanner, fake):
        fake.prefix, fake.terminator = (b"<", b"") if wrong == "no terminator" else (b"", b"\r\n")
        for _ in range(UNREAD_LIMIT):
            assert scanner.health.state == "ok"
            fake.scan_ticket()
            assert (await event(scanner)).what == "lay_again"
        assert scanner.health == Health("degraded", FrameError.code)
        assert all(FrameError.code in texts(language) for language in LANGUAGES)
        fake.prefix, fake.terminator = b"<", b"\r\n"
        fake.scan_ticket()
        assert (await event(scanner)).what == "code"
        assert scanner.health == Health("ok")


async def test_a_light_that_a_killed_program_left_on_goes_off(line: PtyLine) -> None:
    fake = line.device
    assert isinstance(fake, FakeScanner)
    fake.lit = True
    async with served(line, **LIGHT) as (scanner, _):
        await until_lit(fake, False)
        await scanner.watch(True)
        await until_lit(fake, True)
    await until_lit(fake, False)


async def test_a_close_that_is_cancelled_lets_the_line_go(
    line: PtyLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner = scanner_on(line, on_close="55")
    await scanner.open()
    closed = asyncio.Event()
    close = scanner._line.close

    async def never(data: bytes, timeout: float = 5.0) -> None:
        await asyncio.Event().wait()

    async def close_() -> None:
        await close()
        closed.set()

    monkeypatch.setattr(scanner._line, "write", never)
    monkeypatch.setattr(scanner._line, "close", close_)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await scanner.close()
    assert closed.is_set()


def test_what_fills_up_a_hid_report_belongs_to_no_code() -> None:
    splitter = TextSplitter(TextFormat())
    codes = splitter.feed(b"one\r\n".ljust(64, b"\0")) + splitter.feed(b"two\r\n".ljust(64, b"\0"))
    assert [code.text for code in codes] == ["one", "two"]
    assert not splitter.waiting
    assert [code.text for code in splitter.feed(b"o\0ne\r\n")] == [None]


def test_silence_and_a_stalled_line_are_told_within_five_seconds_as_shipped() -> None:
    shipped = msgspec.convert({"transport": {"type": "serial", "path": "/dev/paihao/x"}}, ScannerConfig)
    assert shipped.ask_s + TRIES * shipped.answer_s < 5.0
    assert shipped.ask_s + TRIES * shipped.answer_s + WRITE_S < 5.0
