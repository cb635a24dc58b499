"""Codes and IC cards at a kiosk: a ticket by its id, all else masked and hashed, and the text nowhere."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device.profile import KioskStation, Profile, check
from device.stations import handles as handles_of
from device.stations import scan
from device.stations.kiosk import KioskStationRunner
from device.stations.scan import ticket_pattern
from drivers.card_reader.fake_scanner import FakeScanner
from drivers.card_reader.protocol import CardEvent, CardReader, Chip, Code, Secret
from drivers.card_reader.scanner import Scanner, ScannerConfig
from drivers.transport.fake import PtyLine
from drivers.transport.serial import SerialConfig
from wire.checked_toml import TomlProblems
from wire.messages import Catalogue
from wire.mqtt_options import BrokerOptions
from wire.proof import keyed_hash, read_key
from wire.screen_link import (
    CardShown,
    CodeScanned,
    KioskState,
    ScanWanted,
    decode_to_screen,
    encode_line,
)

KEY = bytes(range(32))
TEXT = "样例预约 SAMPLE-PERSON 13900000000"
CATALOGUE = Catalogue(
    epoch=1,
    rev=1,
    hall_name={"zh-CN": "市民中心"},
    services=(),
    groups=(),
    priorities=(),
    zones=(),
    ticket_url="https://hall.example/t/{ticket}?h=1",
)


class ScanReader(CardReader):
    def __init__(self) -> None:
        super().__init__()
        self.events: asyncio.Queue[CardEvent] = asyncio.Queue()
        self.watched: list[bool] = []

    async def open(self) -> None: ...

    async def serve(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None: ...

    async def next_event(self) -> CardEvent:
        return await self.events.get()

    async def watch(self, on: bool) -> None:
        self.watched.append(on)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "match.key"
    path.write_bytes(KEY)
    path.chmod(0o600)
    return path


@pytest.fixture
def scanner() -> ScanReader:
    return ScanReader()


def kiosk_of(room: Any, scanner: CardReader, key_file: Path | None) -> KioskStationRunner:
    entry = KioskStation(
        id="kiosk",
        printer="printer",
        card_reader="reader",
        scanner="scanner",
        match_key_file=str(key_file) if key_file is not None else None,
    )
    station = KioskStationRunner(entry, room.node, room.printer, room.reader, scanner)
    room.node.catalogue = CATALOGUE
    room.add(station)
    return station


@pytest.fixture
async def kiosk(room: Any, scanner: ScanReader, key_file: Path) -> KioskStationRunner:
    return kiosk_of(room, scanner, key_file)


def code(text: str) -> CardEvent:
    return CardEvent("code", code=Code(Secret(text, "code"), "qr"))


async def scanned(room: Any, count: int = 1) -> CodeScanned:
    await room.until(lambda: len(room.screen.of(CodeScanned)) >= count)
    last: CodeScanned = room.screen.of(CodeScanned)[-1]
    return last


@pytest.mark.parametrize("typed", ["https://hall.example/t/t-0193?h=1", "HTTPS://HALL.EXAMPLE/T/T-0193?H=1"])
async def test_a_ticket_of_the_hall_is_told_by_its_id(
    room: Any, kiosk: KioskStationRunner, scanner: ScanReader, typed: str
) -> None:
    scanner.events.put_nowait(code(typed))
    assert await scanned(room) == CodeScanned(kind="ticket", ticket="t-0193")


async def test_anything_else_gets_a_handle_for_its_keyed_hash(
    room: Any, kiosk: KioskStationRunner, scanner: ScanReader
) -> None:
    scanner.events.put_nowait(code(TEXT))
    shown = await scanned(room)
    assert (shown.kind, shown.ticket, shown.code) == ("appointment", None, None)
    assert shown.masked == "样例" + "*" * 16 + "00"
    assert shown.handle is not None
    expected = keyed_hash(KEY, TEXT)
    assert kiosk.handles.proof(shown.handle) == expected
    assert kiosk.handles.proof("another") is None


async def test_handles_are_few_and_short_lived(
    room: Any, kiosk: KioskStationRunner, scanner: ScanReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(handles_of.HANDLES + 1):
        scanner.events.put_nowait(code(f"{TEXT}{n}"))
    await scanned(room, handles_of.HANDLES + 1)
    handles = [message.handle for message in room.screen.of(CodeScanned)]
    assert len(set(handles)) == len(handles)
    assert kiosk.handles.proof(handles[0]) is None
    assert kiosk.handles.proof(handles[1]) is not None
    loop = asyncio.get_running_loop()
    later = loop.time() + handles_of.HANDLE_S
    monkeypatch.setattr(loop, "time", lambda: later)
    assert kiosk.handles.proof(handles[-1]) is None


async def test_an_ic_card_is_told_like_a_code_from_either_reader(
    room: Any, kiosk: KioskStationRunner, scanner: ScanReader
) -> None:
    chip = CardEvent("chip", chip=Chip(Secret("04A1B2C3D4E5F6", "code"), "MIFARE Ultralight"))
    scanner.events.put_nowait(chip)
    shown = await scanned(room)
    assert (shown.kind, shown.masked) == ("card", "04" + "*" * 10 + "F6")
    room.reader.events.put_nowait(chip)
    again = await scanned(room, 2)
    assert again.handle != shown.handle
    assert kiosk.handles.proof(again.handle) == kiosk.handles.proof(shown.handle)
    assert not room.screen.of(CardShown)


async def test_what_identifies_nothing_or_was_not_read_is_told_with_a_text(
    room: Any, kiosk: KioskStationRunner, scanner: ScanReader
) -> None:
    scanner.events.put_nowait(CardEvent("chip", chip=Chip(None)))
    assert await scanned(room) == CodeScanned(kind="unreadable", code="card.no_uid")
    scanner.events.put_nowait(CardEvent("lay_again"))
    assert await scanned(room, 2) == CodeScanned(kind="unreadable", code="scanner.unreadable")


@pytest.mark.parametrize("wrong", ["none", "missing", "open to all", "short"])
async def test_without_a_proper_key_tickets_are_told_and_nothing_can_be_matched(
    room: Any, scanner: ScanReader, key_file: Path, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    if wrong == "missing":
        key_file.unlink()
    elif wrong == "open to all":
        key_file.chmod(0o644)
    elif wrong == "short":
        key_file.write_bytes(KEY[:31])
    kiosk_of(room, scanner, None if wrong == "none" else key_file)
    scanner.events.put_nowait(code(TEXT))
    shown = await scanned(room)
    assert (shown.kind, shown.handle, shown.code) == ("appointment", None, "scanner.no_key")
    scanner.events.put_nowait(code("https://hall.example/t/t-1?h=1"))
    assert (await scanned(room, 2)).kind == "ticket"
    assert ("codes cannot be matched" in caplog.text) == (wrong != "none")


async def test_a_key_that_is_put_right_is_found_at_the_next_code(
    room: Any, scanner: ScanReader, key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key_file.chmod(0o644)
    kiosk = kiosk_of(room, scanner, key_file)
    for n in range(2):
        scanner.events.put_nowait(code(f"{TEXT}{n}"))
        assert (await scanned(room, n + 1)).code == "scanner.no_key"
    assert caplog.text.count("codes cannot be matched") == 1
    key_file.chmod(0o600)
    scanner.events.put_nowait(code(TEXT))
    shown = await scanned(room, 3)
    assert shown.code is None and kiosk.handles.proof(shown.handle or "") is not None


@pytest.mark.parametrize(
    "forged",
    [
        "110101199003070011",
        "11010119900307001X",
        "t-110101199003070011-1",
        "13900000000",
        "\u017f",  # the long s: an s without regard to case
        "\u212a",  # the sign of the kelvin: a k
    ],
)
async def test_a_forged_ticket_address_shows_no_number_and_nothing_that_is_no_id(
    room: Any, kiosk: KioskStationRunner, scanner: ScanReader, forged: str
) -> None:
    scanner.events.put_nowait(code(f"https://hall.example/t/{forged}?h=1"))
    shown = await scanned(room)
    assert (shown.kind, shown.ticket) == ("appointment", None)
    assert forged not in encode_line(shown).decode()


@pytest.mark.parametrize("ticket", ["t-0193", "01234567890123456789", "01" * 16, "4f" * 10])
def test_ids_of_tickets_fit_even_where_they_are_digits_alone(ticket: str) -> None:
    pattern = ticket_pattern(CATALOGUE.ticket_url)
    assert pattern is not None
    assert Secret(f"https://hall.example/t/{ticket}?h=1", "code").part(pattern) == ticket


async def test_what_a_code_holds_cannot_break_the_line_of_a_screen(
    room: Any, kiosk: KioskStationRunner, scanner: ScanReader
) -> None:
    for n, text in enumerate(("x" * 4096, "\x1b[2J\u202e\x07\x00", "\n\r\n" * 9)):
        scanner.events.put_nowait(code(text))
        shown = await scanned(room, n + 1)
        line = encode_line(shown)
        assert line.count(b"\n") == 1 and len(line) < 256
        assert decode_to_screen(line) == shown


async def test_light_and_trigger_follow_the_screen_and_go_off_by_themselves(
    room: Any, kiosk: KioskStationRunner, scanner: ScanReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kiosk.on_screen(ScanWanted(wanted=True))
    await kiosk.on_screen(ScanWanted(wanted=False))
    await room.until(lambda: scanner.watched == [True, False])
    monkeypatch.setattr(scan, "WATCH_S", 0.01)
    await kiosk.on_screen(ScanWanted(wanted=True))
    await room.until(lambda: scanner.watched == [True, False, True, False])


async def test_the_state_of_the_scanner_is_on_the_screen(room: Any, kiosk: KioskStationRunner) -> None:
    room.device("scanner", "card_reader", "missing", "device.unplugged")
    (state,) = [m for m in kiosk.whole() if isinstance(m, KioskState)]
    assert state.scanner is not None and state.scanner.code == "device.unplugged"
    assert room.screen.of(KioskState)[-1] == state


async def test_the_text_of_a_code_is_in_no_message_log_or_file(
    room: Any, key_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake = FakeScanner()
    line = PtyLine(fake, tmp_path / "scanner")
    await line.plug()
    driver = Scanner(ScannerConfig(transport=SerialConfig(path=str(line.path))))
    await driver.open()
    serving = asyncio.create_task(driver.serve())
    try:
        kiosk_of(room, driver, key_file)
        fake.scan(TEXT)
        shown = await scanned(room)
        fake.scan(TEXT.encode("utf-16-le") + b"\xff\xff")
        await scanned(room, 2)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await driver.close()
        await line.unplug()
    assert shown.handle is not None
    said = b"".join(encode_line(message) for _, message in room.screen.messages).decode()
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("agent.db*"))
    for piece in (TEXT, "SAMPLE-PERSON", "13900000000"):
        assert piece not in said and piece not in caplog.text
        assert piece.encode() not in stored
    with pytest.raises(TypeError):
        msgspec.json.encode(code(TEXT))


def test_the_pattern_takes_the_address_as_it_is_and_nothing_around_it() -> None:
    pattern = ticket_pattern("https://a.example/t/{ticket}/{ticket}.html?x=(1)")
    assert pattern is not None
    fits = Secret("https://a.example/t/t-1/t-1.html?x=(1)", "code")
    assert fits.part(pattern) == "t-1"
    for other in (
        "https://a.example/t/t-1/t-2.html?x=(1)",
        "https://axexample/t/t-1/t-1.html?x=(1)",
        "see https://a.example/t/t-1/t-1.html?x=(1)",
        "https://a.example/t/t_1/t_1.html?x=(1)",
        "https://a.example/t//.html?x=(1)",
    ):
        assert Secret(other, "code").part(pattern) is None
    assert ticket_pattern("") is None


def test_a_key_that_others_can_read_is_refused(key_file: Path) -> None:
    assert read_key(key_file) == KEY
    key_file.chmod(0o640)
    with pytest.raises(ValueError, match="chmod 600"):
        read_key(key_file)


def test_a_profile_names_its_scanner_and_only_a_reader_will_do() -> None:
    def profile(scanner: str) -> Profile:
        return msgspec.convert(
            {
                "hall": "h",
                "node": "n",
                "storage": "/tmp/x.db",
                "broker": msgspec.to_builtins(BrokerOptions(host="127.0.0.1")),
                "device": [
                    {"id": "printer", "driver": "escpos", "options": {"transport": PRINTER}},
                    {"id": "scanner", "driver": "scanner", "options": {"transport": SERIAL}},
                    {"id": "typing", "driver": "scanner", "options": {"transport": HID}},
                    {"id": "nfc", "driver": "pcsc_reader"},
                ],
                "station": [{"kind": "kiosk", "id": "k", "printer": "printer", "scanner": scanner}],
            },
            Profile,
        )

    for device in ("scanner", "typing", "nfc"):
        checked = check(profile(device))
        assert {d.description.kind for d in checked.devices} == {"ticket_printer", "card_reader"}
    with pytest.raises(TomlProblems, match="a card_reader is needed"):
        check(profile("printer"))


PRINTER = {"type": "tcp", "host": "127.0.0.1", "port": 9100}
SERIAL = {"type": "serial", "path": "/dev/paihao/scanner"}
HID = {"type": "hid", "path": "/dev/paihao/scanner"}
