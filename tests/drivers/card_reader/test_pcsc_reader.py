"""The reader of IC cards: on a real pcscd with chips of every kind, and on a stand-in for its refusals."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest
from card_lines import Pcscd, make_pyscard_importable
from card_places import UIDS, _reachable

from drivers.card_reader.fake_chip import CONTACT, FakeChip
from drivers.card_reader.pcsc_reader import PcscReader, PcscReaderConfig
from drivers.card_reader.protocol import CardEvent, Chip, Secret
from drivers.errors import DriverError, LineLostError

PATIENCE = 20.0


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Pcscd]:
    make_pyscard_importable(tmp_path)
    made = Pcscd(tmp_path)
    await made.claim()
    await made.plug()
    yield made
    await made.release()


@pytest.fixture
async def chip(daemon: Pcscd) -> AsyncIterator[FakeChip]:
    made = FakeChip(UIDS[0], port=daemon.port)
    yield made
    await made.take()


async def opened(reader: PcscReader) -> asyncio.Task[None]:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await reader.open()
                return asyncio.create_task(reader.serve())
            except LineLostError:
                await asyncio.sleep(0.02)


@pytest.fixture
async def reader(daemon: Pcscd) -> AsyncIterator[PcscReader]:
    made = PcscReader(PcscReaderConfig(reader="Paihao"))
    serving = await opened(made)
    yield made
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await made.close()


async def event(reader: PcscReader) -> CardEvent:
    return await asyncio.wait_for(reader.next_event(), PATIENCE)


async def test_a_card_that_wants_the_length_said_is_read(chip: FakeChip, reader: PcscReader) -> None:
    chip.wants_length = True
    await _reachable(chip)
    assert (await event(reader)).chip == Chip(Secret(UIDS[0].hex().upper(), "code"), "MIFARE Classic 1K")
    assert chip.commands == [bytes.fromhex("FFCA000000"), bytes.fromhex("FFCA000007")]


@pytest.mark.parametrize("kind", ["contact", "made up anew each time"])
async def test_a_chip_without_a_number_of_its_own_says_so(
    chip: FakeChip, reader: PcscReader, kind: str
) -> None:
    if kind == "contact":
        chip.has_uid, chip.atr = False, CONTACT
    else:
        chip.uid = bytes.fromhex("08A1B2C3")
    await _reachable(chip)
    told = await event(reader)
    assert told.what == "chip" and told.chip is not None and told.chip.uid is None


async def test_a_card_snatched_away_while_it_is_read_is_asked_for_again(
    chip: FakeChip, reader: PcscReader
) -> None:
    chip.leave_when_asked = True
    await _reachable(chip)
    assert (await event(reader)).what == "lay_again"
    await _reachable(chip)
    while (told := await event(reader)).what != "chip":
        pass
    assert told.chip is not None and told.chip.uid == Secret(UIDS[0].hex().upper(), "code")


async def test_of_several_readers_the_named_one_is_taken(daemon: Pcscd) -> None:
    reader = PcscReader(PcscReaderConfig(reader="no such"))
    with pytest.raises(LineLostError, match="no reader"):
        await reader.open()
    assert (reader.health.state, reader.health.code) == ("missing", "device.unplugged")
    await reader.close()


# ------------------------------------------------------------------ a stand-in of pyscard's scard


class Scard(ModuleType):
    """As much of smartcard.scard as the driver uses; `result` is what every call answers."""

    SCARD_S_SUCCESS = 0
    SCARD_SCOPE_USER = 0
    SCARD_SHARE_SHARED = 2
    SCARD_PROTOCOL_T0, SCARD_PROTOCOL_T1 = 1, 2
    SCARD_LEAVE_CARD = 0
    SCARD_STATE_CHANGED, SCARD_STATE_UNKNOWN, SCARD_STATE_UNAVAILABLE = 2, 4, 8
    SCARD_STATE_EMPTY, SCARD_STATE_PRESENT, SCARD_STATE_MUTE = 16, 32, 512
    SCARD_E_TIMEOUT = 0x8010000A
    SCARD_E_NO_ACCESS = 0x80100027
    SCARD_E_UNKNOWN_READER, SCARD_E_READER_UNAVAILABLE = 0x80100009, 0x80100017
    SCARD_E_NO_SERVICE, SCARD_E_NO_READERS_AVAILABLE = 0x8010001D, 0x8010002E
    SCARD_W_SECURITY_VIOLATION = 0x8010006A

    def __init__(self) -> None:
        super().__init__("scard")
        self.context = self.listed = self.status = 0
        self.released: list[int] = []
        self.names = ["Stand-in 00 00"]
        self.state = self.SCARD_STATE_EMPTY

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:
        return self.context, int(self.context == self.SCARD_S_SUCCESS)

    def SCardReleaseContext(self, context: int) -> int:
        if context == 0:
            raise SystemError("error return without exception set")  # as pyscard 2.2 does
        self.released.append(context)
        return 0

    def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]:
        return self.listed, self.names

    def SCardGetStatusChange(
        self, context: int, ms: int, states: list[tuple[str, int]]
    ) -> tuple[int, list[tuple[str, int, list[int]]]]:
        if self.status == 0 and states[0][1] == self.state:
            return self.SCARD_E_TIMEOUT, []
        return self.status, [(states[0][0], self.state, [])]


@pytest.fixture
def scard(monkeypatch: pytest.MonkeyPatch) -> Scard:
    made = Scard()
    package = ModuleType("smartcard")
    package.scard = made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "smartcard", package)
    monkeypatch.setitem(sys.modules, "smartcard.scard", made)
    return made


@pytest.mark.parametrize(
    ("call", "result", "code", "state"),
    [
        ("context", Scard.SCARD_E_NO_SERVICE, "card.pcscd_stopped", "missing"),
        ("context", Scard.SCARD_W_SECURITY_VIOLATION, "card.pcsc_denied", "fault"),
        ("listed", Scard.SCARD_E_NO_READERS_AVAILABLE, "device.unplugged", "missing"),
    ],
)
async def test_why_it_does_not_open_is_told_apart(
    scard: Scard, call: str, result: int, code: str, state: str
) -> None:
    setattr(scard, call, result)
    scard.names = []
    reader = PcscReader(PcscReaderConfig())
    with pytest.raises(DriverError) as caught:
        await reader.open()
    assert (caught.value.code, reader.health.code, reader.health.state) == (code, code, state)
    await reader.close()
    assert scard.released == ([] if call == "context" else [1])


async def test_without_pyscard_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    monkeypatch.setitem(sys.modules, "smartcard.scard", None)
    reader = PcscReader(PcscReaderConfig())
    with pytest.raises(DriverError) as caught:
        await reader.open()
    assert caught.value.code == "card.pcsc_missing" and reader.health.state == "fault"
    await reader.close()


@pytest.mark.parametrize("how", ["state", "result"])
async def test_a_reader_that_is_pulled_is_unplugged(scard: Scard, how: str) -> None:
    reader = PcscReader(PcscReaderConfig())
    serving = await opened(reader)
    if how == "state":
        scard.state = Scard.SCARD_STATE_UNKNOWN | Scard.SCARD_STATE_CHANGED
    else:
        scard.status = Scard.SCARD_E_READER_UNAVAILABLE
    with pytest.raises(LineLostError, match="unplugged"):
        await asyncio.wait_for(serving, PATIENCE)
    assert (reader.health.state, reader.health.code) == ("missing", "device.unplugged")
    await reader.close()


async def test_a_card_that_does_not_answer_at_power_on_is_asked_for_again_once(scard: Scard) -> None:
    reader = PcscReader(PcscReaderConfig())
    serving = await opened(reader)
    scard.state = Scard.SCARD_STATE_PRESENT | Scard.SCARD_STATE_MUTE | 1 << 16
    assert (await event(reader)).what == "lay_again"
    scard.state = Scard.SCARD_STATE_EMPTY | 2 << 16
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.next_event(), 0.1)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await reader.close()
