"""What Onbon cards send, what areas are made of, and texts on their way to a strip."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from drivers.call_screen.onbon_bx_areas import dynamic_areas, read_dynamic_areas
from drivers.call_screen.onbon_bx_card import OnbonCard
from drivers.call_screen.onbon_bx_commands import CardStatus, Command, Reply, Speech, k_request, lock
from drivers.call_screen.onbon_bx_frames import MAX_WIRE, FrameSplitter, KFrame, MatrixFrame
from drivers.call_screen.protocol import ScreenText
from drivers.call_screen.text_layout import cells, gb2312, lay_out, pages
from drivers.errors import FrameError


def _frames(kind: type[KFrame] | type[MatrixFrame], data: bytes) -> None:
    """In one piece and in many the same frames are found, and each is written as it was read."""
    whole: FrameSplitter[KFrame | MatrixFrame] = FrameSplitter(kind.from_bytes)
    found = whole.feed(data)
    pieces: FrameSplitter[KFrame | MatrixFrame] = FrameSplitter(kind.from_bytes)
    step = 1 + len(data) // 8
    again = [frame for at in range(0, len(data), step) for frame in pieces.feed(data[at : at + step])]
    assert found == again
    assert len(pieces._buffer) <= MAX_WIRE
    for frame in found:
        assert kind.from_bytes(frame.to_bytes()) == frame


def k_frames(data: bytes) -> None:
    _frames(KFrame, data)


def matrix_frames(data: bytes) -> None:
    _frames(MatrixFrame, data)


def replies(data: bytes) -> None:
    for read in (Reply.from_k, Reply.from_matrix):
        with contextlib.suppress(FrameError):
            reply = read(data)
            with contextlib.suppress(FrameError):
                assert len(CardStatus.from_bytes(reply.data).areas) <= 255


def dialogue(data: bytes) -> None:
    """A card that answers anything: no answer is taken for a request that it was not to."""
    card = OnbonCard("k", 1)
    request = card.request(Command.PING)
    source = KFrame.from_bytes(request.wire).src
    for answer in card.answers(data):
        if request.mine(answer):
            assert answer.dst in (source, 0x8000)


def areas(data: bytes) -> None:
    try:
        delete, shown = read_dynamic_areas(data)
    except FrameError:
        return
    assert dynamic_areas(shown, delete=delete) == data


def layout(data: bytes) -> None:
    """The first byte is the width, the second the lines."""
    if len(data) < 2:
        return
    width, lines = 2 + data[0] % 63, 1 + data[1] % 3
    text = data[2:].decode("utf-8", "replace")
    wordings = text.split("|")
    laid = lay_out(ScreenText(wordings[0], flash=True, shorter=tuple(wordings[1:])), width, lines)
    assert laid.scrolls or all(cells(line) <= width for line in laid.lines)
    assert len(laid.lines) <= lines and all(line.isprintable() for line in laid.lines)
    assert all(cells(page) <= width for page in pages(text, width))
    gb2312(text, data[0])[0].decode("gb2312")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "onbon_k_frames": k_frames,
    "onbon_matrix_frames": matrix_frames,
    "onbon_replies": replies,
    "onbon_dialogue": dialogue,
    "onbon_areas": areas,
    "text_layout": layout,
}

_ACK = KFrame(b"\xa0\0\0\0\0", dst=0x8000, src=1).to_bytes()
_STATUS = b"\xa1\x02\0\0\0\x01\x0f" + bytes(8) + b"\x01P000\0\0\x01\0" + bytes(28)
_AREA = bytes.fromhex(
    "000123000000800000808020000000000a00000000020101 00020a08000000bbb6d3adb9e2c1d9".replace(" ", "")
)
SEEDS: dict[str, list[bytes]] = {
    "onbon_k_frames": [_ACK, KFrame(k_request(Command.LOCK, lock("P000", True))).to_bytes()],
    "onbon_matrix_frames": [MatrixFrame(b"\0\xa0\0\0\0\0\0\0\0", dst=0x8000).to_bytes()],
    "onbon_replies": [b"\xa0\x01\x05\0\0", b"\0\xa0\0\0\0\0\0\0\0", _STATUS],
    "onbon_dialogue": [_ACK, KFrame(_STATUS, dst=0x8001, src=1).to_bytes()],
    "onbon_areas": [_AREA, Speech(b"A005").k_payload()],
    "text_layout": [b"\x0e\x01" + "请A005号到3号窗口|A005 3号窗口".encode()],
}
