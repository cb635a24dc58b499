"""Parsers of readers of cards and codes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from drivers.card_reader.card_text import CardTextError, card_from_text
from drivers.card_reader.fake_chip import MIFARE_1K
from drivers.card_reader.fake_scanner import FakeTypingScanner
from drivers.card_reader.hid_reports import ReportFraming
from drivers.card_reader.key_text import KeyText
from drivers.card_reader.pcsc_frames import ATR_LIMIT, Atr, Response, uid_of
from drivers.card_reader.sam_frames import LENGTH_LIMIT, SamFrame, SamReply, SamSplitter
from drivers.card_reader.scanned_text import TextFormat, TextSplitter
from drivers.card_reader.synthetic_cards import synthetic_cards
from drivers.errors import FrameError
from drivers.keypad.input_events import InputEvent

FIELDS = {"length", "type", "birth", "validity", "number", "name", "sex"}


def sam_frames(data: bytes) -> None:
    """A stream in pieces: bounded, and what comes out is what was framed."""
    data = data[:2600]
    splitter = SamSplitter()
    step = data[0] % 61 + 1 if data else 1
    for at in range(1, len(data), step):
        for frame in splitter.feed(data[at : at + step]):
            assert frame.to_bytes() in data
            try:
                SamReply.from_frame(frame).take_text()
            except FrameError:
                pass
            assert not any(frame.payload) or len(frame.payload) < 3
        assert len(splitter._buffer) <= LENGTH_LIMIT + 7 + step


def card_text(data: bytes) -> None:
    """256 bytes of any layout: a card, or an error that names a field and holds nothing else."""
    text = data[1:257].ljust(256, b"\0")
    if data and data[0] & 1:
        # layouts that look real at once: noise laid over a card
        card = bytearray(CARDS[data[0] // 2 % len(CARDS)])
        for at, value in zip(data[1::2], data[2::2], strict=False):
            card[at] = value
        text = bytes(card)
    try:
        card = card_from_text(text, details=bool(data) and data[0] & 2 != 0, newest_address=data[:70])
    except CardTextError as error:
        assert error.field in FIELDS
        assert error.args == (f"the {error.field} of the card does not fit",) and error.__context__ is None
        return
    assert card.name._text and card.birth <= date.max
    assert card.number._text not in repr(card)


KINDS = (1, 1, 1, 1, 1, 1, 0, 4)
CARDS = [card.text() for card in synthetic_cards()]
FORMATS = [
    TextFormat(),
    TextFormat(terminators="", longest=64),
    TextFormat(prefix="\x02", suffix="\x03", symbology="aim", encoding="gb18030", longest=64),
    TextFormat(symbology_letters={"Q": "qr", "QA": "data_matrix"}, longest=16),
]


def scanned_text(data: bytes) -> None:
    """What a scanner says, in every format."""
    if not data:
        return
    format = FORMATS[data[0] % len(FORMATS)]
    data = data[:600]
    splitter = TextSplitter(format)
    for at in range(1, len(data), 23):
        for code in [*splitter.feed(data[at : at + 23]), *(splitter.pause() if data[at] == 7 else [])]:
            assert code.text is None or 0 < len(code.text) <= 2 * format.longest
        assert len(splitter._buffer) <= splitter._limit
    splitter.pause()
    assert not splitter.waiting


def key_text(data: bytes) -> None:
    """Input events, whole and broken."""
    if not data:
        return
    keys = KeyText(FORMATS[data[0] % len(FORMATS)])
    step = data[0] % 37 + 12
    if data[0] & 64:
        data = data[:120]  # as it comes: no event, mostly
    else:
        events = zip(data[1:60:2], data[2:60:2], strict=False)
        data = b"\0" + b"".join(InputEvent(KINDS[v % 8], code, v // 8 % 3).to_bytes() for code, v in events)
    for at in range(1, len(data), step):
        keys.feed(data[at : at + step])
        assert keys._events.partial < 24 and len(keys._text) <= 1024 + 64
    keys.pause()
    assert not keys.waiting


def hid_reports(data: bytes) -> None:
    """Reports of any framing."""
    if not data:
        return
    framing = ReportFraming(header=data[1 : 1 + data[0] % 3].hex(), count_bytes=(0, 1, 2)[data[0] // 3 % 3])
    piece = framing.unpack(data[1:])
    assert piece in data
    packed = framing.pack(data, 64)
    assert b"".join(framing.unpack(report) for report in packed) == data


def atr_and_apdu(data: bytes) -> None:
    """What a card says at power-on and when it is asked."""
    try:
        atr = Atr.from_bytes(data)
        assert atr.to_bytes() == data and len(data) <= ATR_LIMIT
        assert atr.model is None or isinstance(atr.model, str)
    except FrameError:
        pass
    try:
        response = Response.from_bytes(data)
        assert response.to_bytes() == data
        assert response.more is None or len(response.more) == 5
        uid = uid_of(response.data)
        assert uid is None or bytes.fromhex(uid) == response.data
    except FrameError:
        pass


def _typed(text: str) -> bytes:
    scanner, sent = FakeTypingScanner(), bytearray()
    scanner.send = sent.extend
    scanner.scan(text)
    return bytes(sent)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "sam_frames": sam_frames,
    "card_text": card_text,
    "scanned_text": scanned_text,
    "key_text": key_text,
    "hid_reports": hid_reports,
    "atr_and_apdu": atr_and_apdu,
}
SEEDS: dict[str, list[bytes]] = {
    "sam_frames": [b"\x05" + SamFrame(b"\0\0\x9f\0\0\0\0").to_bytes() * 2],
    "card_text": [b"\0" + text for text in CARDS] + [bytes((2 * n + 1,)) for n in range(len(CARDS))],
    "scanned_text": [b"\0one\r\ntwo\r\n", b"\2\x02]Q1" + "样例".encode("gb18030") + b"\x03\r\n", b"\3QAx\r"],
    "key_text": [b"\x40" + _typed("Ab"), bytes((0, 42, 8, 30, 8, 42, 0, 30, 8, 28, 8))],
    "hid_reports": [b"\x05\x5a\x03abc"],
    "atr_and_apdu": [MIFARE_1K, b"\x04\xa1\xb2\xc3\x90\x00", b"\x6c\x07"],
}
