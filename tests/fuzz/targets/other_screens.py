"""Answers of Alpha signs and Modbus displays."""

from __future__ import annotations

from collections.abc import Callable

from drivers.call_screen import alpha_frames, modbus_frames
from drivers.errors import FrameError


def alpha_packet(data: bytes) -> None:
    try:
        packet = alpha_frames.Packet.from_bytes(data)
    except FrameError:
        return
    assert alpha_frames.Packet.from_bytes(packet.to_bytes().lstrip(b"\0")) == packet


def alpha_answers(data: bytes) -> None:
    """The first byte cuts the stream; the cut changes nothing."""
    whole, parts = alpha_frames.AnswerReader(), alpha_frames.AnswerReader()
    stream, cut = data[1:], data[0] if data else 0
    assert whole.feed(stream) == parts.feed(stream[:cut]) + parts.feed(stream[cut:])


def modbus_frame(data: bytes) -> None:
    try:
        frame = modbus_frames.ModbusFrame.from_bytes(data)
    except FrameError:
        return
    assert frame.to_bytes() == data


def modbus_answers(data: bytes) -> None:
    """The first byte cuts the stream; the cut changes nothing."""
    whole, parts = modbus_frames.ModbusAnswers(7), modbus_frames.ModbusAnswers(7)
    stream, cut = data[1:], data[0] if data else 0
    found = whole.feed(stream)
    assert found == parts.feed(stream[:cut]) + parts.feed(stream[cut:])
    assert all(frame.address == 7 and frame.to_bytes() in stream for frame in found)


_ALPHA = alpha_frames.Packet(ord("E"), b"*\x41", 0, "0").to_bytes()
_MODBUS = (
    modbus_frames.ModbusFrame(7, 3, b"\x02AB").to_bytes()
    + modbus_frames.ModbusFrame(7, 0x90, b"\2").to_bytes()
)

TARGETS: dict[str, Callable[[bytes], None]] = {
    "alpha_packet": alpha_packet,
    "alpha_answers": alpha_answers,
    "modbus_frame": modbus_frame,
    "modbus_answers": modbus_answers,
}

SEEDS: dict[str, list[bytes]] = {
    "alpha_packet": [_ALPHA.lstrip(b"\0")],
    "alpha_answers": [b"\x07" + _ALPHA, b"\x20" + _ALPHA + _ALPHA],
    "modbus_frame": [_MODBUS[:7], _MODBUS[7:]],
    "modbus_answers": [b"\x03" + _MODBUS, b"\x09\x07\x03" + _MODBUS],
}
