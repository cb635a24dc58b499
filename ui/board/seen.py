"""What a hall display shows at one moment: all that its pages are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ui.board.spotlight import Key
from ui.tongue import Tongue
from wire.messages import Board, BoardCall, BoardService, LocalText
from wire.screen_link import ShownPicture


@dataclass(frozen=True, slots=True)
class Seen:
    """`calls` and `services`: those of this display's zone. `board` None: nothing was heard yet.

    `at`: the hall's time, None where no clock can be trusted. `news_at`: how old a `stale` picture is.
    `zone`: the name of this display's zone, empty for the whole hall.
    `large`: the call that stands large; `alternate`: in its other look. `beat`: counts up every PAGE_S, for
    what is shown in turn. `hall_name`: what the theme calls the hall, until the hall tells it.
    """

    board: Board | None
    tongue: Tongue
    zone: LocalText = field(default_factory=dict)
    calls: tuple[BoardCall, ...] = ()
    services: tuple[BoardService, ...] = ()
    stale: bool = False
    news_at: datetime | None = None
    at: datetime | None = None
    large: BoardCall | None = None
    alternate: bool = False
    fresh: frozenset[Key] = field(default_factory=frozenset)
    beat: int = 0
    picture: ShownPicture | None = None
    hall_name: LocalText = field(default_factory=dict)
