"""Building and parsing the topics of the contract: `paihao/1/{hall}/…`.

A topic is parsed into a `Topic`; anything that is not of the contract raises `BadTopicError`, which a
reader counts and drops.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

import msgspec

from wire.messages import (
    Board,
    Call,
    Catalogue,
    CoordinatorAck,
    CoordinatorNumbers,
    CoordinatorState,
    CounterState,
    DeviceState,
    Message,
    NodeCommand,
    NodeConfig,
    NodeDescription,
    NodeEvent,
    NodeState,
)
from wire.shown import Guide, GuideList, Picture, Playlist, RatingReasons

ROOT: Final = "paihao/1"
_ID = re.compile(r"[a-z0-9-]{1,64}")


class Kind(msgspec.Struct, frozen=True):
    """One row of the contract: the pattern below the hall, the message, and how it is published."""

    pattern: str
    message: type[Message]
    retained: bool
    expires: bool = False


KINDS: Final[dict[str, Kind]] = {
    "coordinator_state": Kind("coordinator/state", CoordinatorState, True),
    "coordinator_numbers": Kind("coordinator/numbers", CoordinatorNumbers, True),
    "coordinator_ack": Kind("coordinator/ack/{node}", CoordinatorAck, False),
    "node_state": Kind("node/{node}/state", NodeState, True),
    "node_description": Kind("node/{node}/description", NodeDescription, True),
    "device_state": Kind("node/{node}/device/{device}/state", DeviceState, True),
    "node_event": Kind("node/{node}/event", NodeEvent, False),
    "node_command": Kind("node/{node}/command", NodeCommand, False, expires=True),
    "counter": Kind("counter/{counter}", CounterState, True),
    "board": Kind("board", Board, True),
    "catalogue": Kind("catalogue", Catalogue, True),
    "guides": Kind("guides", GuideList, True),
    "guide": Kind("guide/{guide}", Guide, True),
    "playlist": Kind("playlist", Playlist, True),
    "picture": Kind("picture/{picture}", Picture, True),
    "rating_reasons": Kind("rating_reasons", RatingReasons, True),
    "call": Kind("call", Call, False, expires=True),
    "config": Kind("config/{node}", NodeConfig, True),
}
"""Every topic of the contract by name."""


class BadTopicError(ValueError):
    """A topic that is not of the contract, or an id that may not stand in one."""


class Topic(msgspec.Struct, frozen=True):
    """A parsed topic: the hall, the row of `KINDS` and the ids in it ({"node": …, "device": …})."""

    hall: str
    name: str
    ids: dict[str, str]

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]


def topic(hall: str, name: str, **ids: str) -> str:
    """The topic of row `name`, e.g. topic("xian-1", "counter", counter="3").

    Raises BadTopicError for an id outside [a-z0-9-]{1,64}; KeyError for a row or an id that is missing.
    """
    _check(hall, *ids.values())
    return f"{ROOT}/{hall}/{KINDS[name].pattern.format(**ids)}"


def subscription(hall: str, name: str, **ids: str) -> str:
    """Like `topic`, with `+` for every id that is not given."""
    pattern = KINDS[name].pattern
    _check(hall, *ids.values())
    for key, value in ids.items():
        pattern = pattern.replace("{" + key + "}", value)
    return f"{ROOT}/{hall}/{re.sub(r'{[a-z]+}', '+', pattern)}"


def _check(*ids: str) -> None:
    for value in ids:
        if not _ID.fullmatch(value):
            raise BadTopicError(f"id {value!r} may only have a-z, 0-9 and -, 1 to 64 characters")


@lru_cache(maxsize=1024)
def parse_topic(text: str) -> Topic:
    """The reverse of `topic`. Raises BadTopicError. Kept for the newest topics: a reader sees few."""
    for name, pattern in _patterns().items():
        if match := pattern.fullmatch(text):
            ids = match.groupdict()
            return Topic(ids.pop("hall"), name, ids)
    raise BadTopicError(f"not a topic of the contract: {text[:200]!r}")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    # Compiled when first used: they cost a node's start 2 ms.
    return {
        name: re.compile(
            rf"{ROOT}/(?P<hall>{_ID.pattern})/"
            + re.sub(r"{([a-z]+)}", rf"(?P<\1>{_ID.pattern})", kind.pattern)
        )
        for name, kind in KINDS.items()
    }
