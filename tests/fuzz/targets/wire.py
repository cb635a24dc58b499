"""What comes from the broker, from a screen and from a technician's file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import msgspec

from device.profile import Profile
from hall.config import HallConfig
from wire.checked_toml import TomlProblems, loads
from wire.codec import BadMessageError, command_body, decode, encode, event_body
from wire.messages import NodeCommand, NodeEvent
from wire.screen_link import decode_to_agent, decode_to_screen, encode_line
from wire.topics import KINDS, BadTopicError, parse_topic

_MESSAGES = sorted({kind.message for kind in KINDS.values()}, key=lambda message: message.__name__)


def topic(data: bytes) -> None:
    with contextlib.suppress(BadTopicError):
        parse_topic(data.decode("utf-8", "replace"))


def message(data: bytes) -> None:
    """The first byte chooses the topic; what was understood means the same after another round."""
    if not data:
        return
    kind = _MESSAGES[data[0] % len(_MESSAGES)]
    try:
        first = decode(data[1:], kind)
    except BadMessageError:
        return
    assert decode(encode(first), kind) == first
    with contextlib.suppress(BadMessageError):
        if isinstance(first, NodeEvent):
            event_body(first)
        elif isinstance(first, NodeCommand):
            command_body(first)


def screen_line(data: bytes) -> None:
    for read in (decode_to_agent, decode_to_screen):
        try:
            said = read(data)
        except BadMessageError:
            continue
        assert read(encode_line(said)) == said


def _toml(data: bytes, kind: type[msgspec.Struct]) -> None:
    try:
        loads(data.decode("utf-8", "replace"), kind)
    except TomlProblems as error:
        assert error.problems and all(error.problems)


def profile(data: bytes) -> None:
    _toml(data, Profile)


def hall_config(data: bytes) -> None:
    _toml(data, HallConfig)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "wire_topic": topic,
    "wire_message": message,
    "wire_screen_line": screen_line,
    "profile_toml": profile,
    "hall_toml": hall_config,
}

SEEDS: dict[str, list[bytes]] = {
    "wire_topic": [b"paihao/1/demo/node/kiosk-1/device/printer/state", b"paihao/1/demo/board"],
    "wire_message": [
        bytes((n,)) + b'{"id":"e","stream":"s","seq":1,"session":"x","at":"2026-11-02T09:00:00+08:00",'
        b'"kind":"key_pressed","body":{"counter":"1","key":"next"}}'
        for n in range(len(_MESSAGES))
    ],
    "wire_screen_line": [
        b'{"type":"hello","station":"kiosk-1"}\n',
        b'{"type":"rate_service","prompt":"p","grade":5}\n',
        b'{"type":"card_shown","name":"\xe7\x8e\x8b*\xe6\x98\x8e"}\n',
    ],
    "profile_toml": [
        b'hall = "h"\nnode = "n"\nstorage = "x"\n[broker]\nhost = "b"\n[[station]]\nkind = "board"\n'
    ],
    "hall_toml": [
        b'[hall]\nid = "h"\nname = { en = "H" }\nstorage = "x"\n[[group]]\nid = "a"\nprefix = "A"\n'
    ],
}
