"""Retained messages with what screens show besides the queue: guides, playlist, pictures, reasons.

A picture has the first 32 hex digits of its SHA-256 as id: the same id is the same picture for ever.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from wire.messages import Grade, Id, LocalText, Message

Span = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-4]):[0-5][0-9]\Z")]
"""Local time of day, e.g. "08:30-12:00"; the end is not part of it."""


class GuideMaterial(Message, frozen=True, kw_only=True):
    """What to bring. `original`: whether it must be shown as original; `copies`: how many to leave."""

    name: LocalText
    note: LocalText = {}
    original: bool = True
    copies: Annotated[int, msgspec.Meta(ge=0, le=99)] = 0


class GuideTitle(Message, frozen=True, kw_only=True):
    """A guide in the list. `initials` and `keywords` are for the search, as in the catalogue."""

    guide: Id
    name: LocalText
    services: tuple[Id, ...] = ()
    initials: str = ""
    keywords: tuple[str, ...] = ()


class GuideList(Message, frozen=True, kw_only=True):
    """`guides`, retained: which guides (办事指南) there are; a `guide/{guide}` that is not in it is old."""

    epoch: int
    rev: int
    guides: tuple[GuideTitle, ...] = ()


class Guide(Message, frozen=True, kw_only=True):
    """`guide/{guide}`, retained: all that a citizen must know of one matter."""

    guide: Id
    name: LocalText
    services: tuple[Id, ...] = ()
    conditions: tuple[LocalText, ...] = ()
    materials: tuple[GuideMaterial, ...] = ()
    steps: tuple[LocalText, ...] = ()
    time_limit: LocalText = {}
    fee: LocalText = {}
    basis: LocalText = {}
    phone: str = ""


class PlaylistItem(Message, frozen=True, kw_only=True):
    """One page of the playlist, shown for `seconds`. A text, or a picture with a text under it.

    When: from `first` to `last` (dates, both included), on `weekdays` (1 Monday … 7), in `times`; empty or
    None: always. `zones` empty: everywhere.
    """

    item: Id
    text: LocalText = {}
    picture: Id | None = None
    seconds: Annotated[float, msgspec.Meta(ge=2, le=3600)] = 12.0
    first: date | None = None
    last: date | None = None
    weekdays: tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...] = ()
    times: tuple[Span, ...] = ()
    zones: tuple[Id, ...] = ()


class Playlist(Message, frozen=True, kw_only=True):
    """`playlist`, retained: what hall displays show beside the calls, and kiosks when nobody is there."""

    epoch: int
    rev: int
    items: tuple[PlaylistItem, ...] = ()


class Picture(Message, frozen=True, kw_only=True):
    """`picture/{picture}`, retained: a PNG, JPEG or WebP of at most 180 KiB."""

    picture: Id
    format: Literal["png", "jpeg", "webp"]
    data: bytes


class RatingReason(Message, frozen=True, kw_only=True):
    """A tag under a grade: "态度不好" under 1 and 2."""

    reason: Id
    text: LocalText
    grades: tuple[Grade, ...]


class RatingReasons(Message, frozen=True, kw_only=True):
    """`rating_reasons`, retained: what rating panels offer after a grade. `version` grows with changes.

    Where the hall asks for none: version 0 without reasons.
    """

    version: int
    reasons: tuple[RatingReason, ...] = ()
