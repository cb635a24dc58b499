"""Every reader of cards and codes where it stands: the fake, its line, and the options for the driver.

A driver for another reader joins the contract suite with one more maker of a `Place` in `PLACES`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import usb.core
from card_lines import HidrawLine, Pcscd, UsbLine, make_pyscard_importable

from drivers.card_reader.fake import FakeSamReader
from drivers.card_reader.fake_chip import FakeChip
from drivers.card_reader.fake_scanner import FakeScanner, FakeTypingScanner
from drivers.card_reader.protocol import CardEvent, CardReader, Secret
from drivers.card_reader.synthetic_cards import citizen, number_18
from drivers.table import build, config_type, driver_class
from drivers.transport.fake import Line, PtyLine, TcpLine
from drivers.transport.hidraw import HidrawTransport

NAMES: Final = ("样标记甲", "样标记乙", "样标记丙")
CARDS: Final = tuple(citizen(name, date(1977, 7, 1 + n), 770 + n) for n, name in enumerate(NAMES))
CODES: Final = tuple(f"样例预约 MARKER-1390000000{n}" for n in range(3))
UIDS: Final = tuple(bytes.fromhex(uid) for uid in ("04A1B2C3D4E5F6", "048877665544AA", "A1B2C3D4"))

Action = Callable[[], Any]


@dataclass(frozen=True)
class Fault:
    """`begin` and `mend` are done at the fake; `code` is what the state must say meanwhile."""

    begin: Action
    mend: Action
    code: str
    health: str


@dataclass
class Place:
    """`show(n)` lays the nth thing down or holds it up, `take` takes it away; `secrets` are their texts."""

    driver: str
    options: dict[str, Any]
    show: Callable[[int], Awaitable[None] | None]
    take: Callable[[], Awaitable[None] | None]
    secrets: tuple[str, ...]
    line: Line | Pcscd
    what: str
    stays: bool
    """A card, which lies there until it is taken; a code is only held up."""
    faults: dict[str, Fault] = field(default_factory=dict)
    spoil: Callable[[], Awaitable[None] | None] = lambda: None
    """Show something that cannot be read."""
    patient: dict[str, Any] = field(default_factory=dict)
    """Options for a slow line."""
    checked: bool = True
    """The protocol notices every changed byte."""

    def reader(self, **more: Any) -> CardReader:
        driver = driver_class(self.driver)
        config = msgspec.convert(self.options | more, config_type(driver))
        if self.driver == "sam_reader":
            config = msgspec.structs.replace(config, poll_ms=20)  # a real module wants 300
        made = build(driver, config)
        assert isinstance(made, CardReader)
        return made

    async def do(self, action: Callable[..., Any], *arguments: Any) -> None:
        result = action(*arguments)
        if result is not None:
            await result

    def is_of(self, event: CardEvent, n: int) -> bool:
        """The event is the reading of the nth thing, whole."""
        if event.what != self.what:
            return False
        if event.card is not None:
            number, name = Secret(CARDS[n].number, "number"), Secret(NAMES[n], "name")
            return event.card.number == number and event.card.name == name
        secret = event.code.text if event.code is not None else event.chip.uid if event.chip else None
        return secret == Secret(self.secrets[n], "code")


def _sam(line: Line, fake: FakeSamReader, options: dict[str, Any]) -> Place:
    def show(n: int) -> None:
        fake.lay(CARDS[n])

    def spoil() -> None:
        fake.lay(replace(CARDS[0], number=number_18("100001", date(1977, 7, 9), 1)))

    def lose_key() -> None:
        fake.lose_key()
        fake.lay(CARDS[0])

    def lose_authorisation() -> None:
        fake.lose_authorisation()
        fake.lay(CARDS[0])

    def replug() -> Any:
        return line.plug()

    return Place(
        "sam_reader",
        {"transport": options, "answer_s": 0.4},
        show,
        fake.take,
        tuple(card.number for card in CARDS) + NAMES,
        line,
        "read",
        stays=True,
        spoil=spoil,
        patient={"answer_s": 9.0},
        faults={
            "silent": Fault(fake.be_silent, fake.speak, "device.no_answer", "missing"),
            "self test": Fault(fake.fail_self_test, fake.recover, "card.self_test_failed", "fault"),
            "no key": Fault(lose_key, fake.recover, "card.not_authorised", "fault"),
            "unauthorised": Fault(lose_authorisation, fake.recover, "card.not_authorised", "fault"),
            "unplugged": Fault(line.unplug, replug, "device.unplugged", "missing"),
        },
    )


async def _sam_serial(folder: Path, patch: pytest.MonkeyPatch) -> Place:
    fake = FakeSamReader()
    line = PtyLine(fake, folder / "reader")
    return _sam(line, fake, {"type": "serial", "path": str(line.path), "baud": 115200})


async def _sam_tcp(folder: Path, patch: pytest.MonkeyPatch) -> Place:
    fake = FakeSamReader()
    line = TcpLine(fake)
    await line.plug()
    return _sam(line, fake, {"type": "tcp", "host": "127.0.0.1", "port": line.port})


async def _sam_usb(folder: Path, patch: pytest.MonkeyPatch) -> Place:
    fake = FakeSamReader()
    line = UsbLine(fake)
    patch.setattr(usb.core, "find", line.find)
    ends = {"endpoint_out": 0x02, "endpoint_in": 0x81}
    return _sam(line, fake, {"type": "usb", "vendor": 0x0400, "product": 0xC35A, **ends})


async def _hid(patch: pytest.MonkeyPatch, header: bytes, count: int) -> Place:
    fake = FakeSamReader()
    fake.report_size, fake.report_header, fake.report_count = 64, header, count
    line = HidrawLine(fake)

    async def open_(self: HidrawTransport) -> int:
        return line.open()

    patch.setattr(HidrawTransport, "_open", open_)
    place = _sam(line, fake, {"type": "hidraw", "path": "/dev/paihao/card", "report_size": 64})
    place.options["reports"] = {"header": header.hex(), "count_bytes": count}
    return place


async def _sam_hid(folder: Path, patch: pytest.MonkeyPatch) -> Place:
    return await _hid(patch, b"", 0)


async def _sam_hid_counted(folder: Path, patch: pytest.MonkeyPatch) -> Place:
    return await _hid(patch, b"\x5a\x01", 1)


def _scanner(line: Line, fake: FakeScanner | FakeTypingScanner, options: dict[str, Any]) -> Place:
    def show(n: int) -> None:
        fake.scan(CODES[n])

    def spoil() -> None:
        fake.scan_half()

    return Place(
        "scanner",
        {"transport": options, "repeat_ms": 5000, "pause_ms": 400},
        show,
        lambda: None,
        CODES,
        line,
        "code",
        stays=False,
        spoil=spoil,
        checked=False,
        faults={"unplugged": Fault(line.unplug, line.plug, "device.unplugged", "missing")},
    )


def _asked(place: Place, fake: FakeScanner) -> Place:
    fake.question, fake.answer = b"\x16M\rREV?.", b"\x16M\rREV1.\x06"
    place.options |= {"ask": fake.question.hex(), "answer": fake.answer.hex()}
    place.options |= {"ask_s": 0.1, "answer_s": 0.2}
    place.faults["silent"] = Fault(fake.be_silent, fake.speak, "device.no_answer", "missing")
    return place


async def _scanner_serial(folder: Path, patch: pytest.MonkeyPatch) -> Place:
    fake = FakeScanner()
    line = PtyLine(fake, folder / "scanner")
    return _asked(_scanner(line, fake, {"type": "serial", "path": str(line.path)}), fake)


async def _scanner_tcp(folder: Path, patch: pytest.MonkeyPatch) -> Place:
    fake = FakeScanner()
    fake.encoding = "gb18030"
    line = TcpLine(fake)
    await line.plug()
    return _asked(_scanner(line, fake, {"type": "tcp", "host": "127.0.0.1", "port": line.port}), fake)


async def _scanner_typing(folder: Path, patch: pytest.MonkeyPatch) -> Place:
    fake = FakeTypingScanner()
    line = PtyLine(fake, folder / "event")
    return _scanner(line, fake, {"type": "hid", "path": str(line.path)})


async def _pcsc(folder: Path, patch: pytest.MonkeyPatch) -> Place:
    make_pyscard_importable(folder)
    daemon = Pcscd(folder)
    await daemon.claim()
    await daemon.plug()
    chip = FakeChip(UIDS[0], port=daemon.port)

    async def show(n: int) -> None:
        chip.uid, chip.garbled = UIDS[n], 0
        await _reachable(chip)

    async def spoil() -> None:
        chip.garbled = 9
        await _reachable(chip)

    async def stop() -> None:
        await chip.take()
        await daemon.unplug()

    return Place(
        "pcsc_reader",
        {},
        show,
        chip.take,
        tuple(uid.hex().upper() for uid in UIDS),
        daemon,
        "chip",
        stays=True,
        spoil=spoil,
        faults={
            "daemon stopped": Fault(stop, daemon.plug, "card.pcscd_stopped", "missing"),
            "daemon hangs": Fault(daemon.hang, daemon.go_on, "card.pcscd_stopped", "missing"),
        },
    )


async def _reachable(chip: FakeChip) -> None:
    """Lay it down as soon as the virtual reader listens, which is a little after the daemon does."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await chip.lay()
            except OSError:
                await asyncio.sleep(0.02)


PLACES: Final[dict[str, Callable[[Path, pytest.MonkeyPatch], Awaitable[Place]]]] = {
    "sam_reader serial": _sam_serial,
    "sam_reader tcp": _sam_tcp,
    "sam_reader usb": _sam_usb,
    "sam_reader hidraw": _sam_hid,
    "sam_reader hidraw counted": _sam_hid_counted,
    "scanner serial": _scanner_serial,
    "scanner tcp": _scanner_tcp,
    "scanner typing": _scanner_typing,
    "pcsc_reader pcscd": _pcsc,
}
ON_LINES: Final = tuple(name for name in PLACES if name != "pcsc_reader pcscd")
"""Those whose line is ours: pcscd has its reader's to itself."""
