"""Answers of relays and light towers in every shipped format, and formats that a technician wrote."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec

from drivers.errors import FrameError
from drivers.light import frames
from drivers.light.fake import FakeLcus, FakeModbusRelay, FakeUsbTower

_FOLDER = Path(frames.__file__).with_name("formats")
_FORMATS = [frames.load_format(file.stem) for file in sorted(_FOLDER.glob("*.toml"))]
_ANSWERS = [
    frames.Layout(getattr(format, name), format.checksum, format.channels)
    for format in _FORMATS
    for name in ("on_answer", "off_answer", "set_answer", "query_answer", "refusal")
    if getattr(format, name)
]
_ASKED = frames.Values(1, 1, 8)


def answer(data: bytes) -> None:
    """Every frame that is read is written as the same bytes."""
    layout = _ANSWERS[data[0] % len(_ANSWERS)] if data else _ANSWERS[0]
    try:
        told = layout.from_bytes(data[1:], _ASKED)
    except FrameError:
        return
    assert layout.to_bytes(told) == data[1:]


def answers(data: bytes) -> None:
    """In one piece or in two, an answer is found or not; little is held. The first byte chooses which."""
    stream, cut = data[2:18], data[1] if len(data) > 1 else 0
    at = data[0] % len(_ANSWERS) if data else 0
    wanted = [_ANSWERS[at]]
    whole, parts = frames.AnswerReader(), frames.AnswerReader()
    found = whole.feed(stream, wanted, _ASKED)
    first = parts.feed(stream[:cut], wanted, _ASKED)
    second = parts.feed(stream[cut:], wanted, _ASKED) if first is None else first
    assert (found is None) == (second is None)
    assert len(parts._held) <= frames.HELD


def format(data: bytes) -> None:
    """A format that is taken makes frames of the size that it says, and reads them."""
    try:
        made = msgspec.convert(tomllib.loads(data.decode("utf-8")), frames.LightFormat)
    except (ValueError, RecursionError):
        return
    for name in ("on", "off", "blink", "set", "query", "query_answer", "refusal"):
        layout = frames.Layout(getattr(made, name), made.checksum, made.channels)
        frame = layout.to_bytes(_ASKED)
        assert len(frame) == layout.size
        layout.from_bytes(frame, _ASKED)


def orders(data: bytes) -> None:
    """The fakes take any bytes, too: they stand in public demonstrations."""
    for fake in (FakeLcus(8, answers=True), FakeModbusRelay(), FakeUsbTower()):
        for at in range(0, len(data), 7):
            fake.received(data[at : at + 7])
        assert set(fake.lamps.values()) <= {"off", "on", "blink"}


TARGETS: dict[str, Callable[[bytes], None]] = {
    "light_answer": answer,
    "light_answers": answers,
    "light_format": format,
    "light_orders": orders,
}
SEEDS: dict[str, list[bytes]] = {
    "light_answer": [bytes((n,)) + layout.to_bytes(_ASKED) for n, layout in enumerate(_ANSWERS)],
    "light_answers": [bytes((n, 4, 0, 255)) + layout.to_bytes(_ASKED) for n, layout in enumerate(_ANSWERS)],
    "light_format": [file.read_bytes() for file in sorted(_FOLDER.glob("*.toml"))],
    "light_orders": [
        bytes.fromhex("A0 01 03 A4 A0 01 05 A6"),
        bytes.fromhex("01 05 00 00 FF 00 8C 3A 01 01 00 00 00 08 3D CC"),
        bytes.fromhex("11 42 24 18"),
    ],
}
