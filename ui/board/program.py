"""The hall display (综合屏): recent calls, who waits, notices and the hall's own pages. Nobody touches it.

It keeps nothing: the agent's whole state gives the whole picture. When the agent or the hall falls silent,
what stood there stays, marked as old.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Final

from ui.beats import beat, next_beat
from ui.board.pages import display_page
from ui.board.seen import Seen
from ui.board.spotlight import Spotlight
from ui.elements import Page
from ui.hall_time import HallTime
from ui.news import Absence
from ui.playlist import Playing
from ui.program import Program
from ui.screen import Screen
from ui.tongue import Tongue
from wire.messages import BoardCall, BoardService, LocalText
from wire.screen_link import BoardShown, LinkMessage, PlaylistShown, ScreenRole, TimeShown

PAGE_S: Final = 10.0
"""How long each of the pages stands that are shown in turn."""
STALE_S: Final = 10
"""How old the last news is when the agent begins to call it stale."""


class HallDisplay(Program):
    """`languages`: "zh-CN", "en", or "zh-CN+en" for Chinese with English below."""

    role: ClassVar[ScreenRole] = "board"
    touched_by_people: ClassVar[bool] = False
    theme: ClassVar[str] = "board"

    def __init__(self, languages: str = "zh-CN") -> None:
        self._tongue = Tongue.of(languages)
        self._shown: BoardShown | None = None
        self._calls: tuple[BoardCall, ...] = ()
        self._services: tuple[BoardService, ...] = ()
        self._time = HallTime()
        self._spotlight = Spotlight()
        self._playing = Playing()
        self._absence = Absence()
        self._news_at: datetime | None = None

    def said(self, message: LinkMessage | None, now: float) -> None:
        if message is None:
            self._gone(now)
        elif isinstance(message, BoardShown):
            if message.board is None and self._shown is not None and self._shown.board is not None:
                self._gone(now)  # an agent that has just started and has not heard the hall yet
            else:
                self._board(message, now)
        elif isinstance(message, TimeShown):
            self._time.heard(message, now)
            self._playing.step(now, self._time.at(now))
        elif isinstance(message, PlaylistShown):
            self._playing.follow(message.pages, now, self._time.at(now))

    def due(self, now: float) -> float:
        return min(
            next_beat(0.0, PAGE_S, now),
            self._time.next_minute(now),
            self._spotlight.due(now),
            self._playing.due(),
            self._absence.due(now),
        )

    def tick(self, now: float) -> None:
        self._spotlight.step(now)
        self._playing.step(now, self._time.at(now))

    def page(self, screen: Screen, now: float) -> Page:
        return display_page(self.seen(now), screen)

    def seen(self, now: float) -> Seen:
        """What is to be shown at this moment."""
        return Seen(
            board=self._shown.board if self._shown is not None else None,
            tongue=self._tongue,
            zone=self._zone_name(),
            calls=self._calls,
            services=self._services,
            stale=self._is_stale(now),
            news_at=self._news_at,
            at=self._time.at(now),
            large=self._spotlight.large(self._calls),
            alternate=self._spotlight.alternate(now),
            fresh=self._spotlight.fresh(),
            beat=beat(0.0, PAGE_S, now),
            picture=self._playing.page,
            hall_name=self.hall_name,
        )

    # ---------------------------------------------------------------- inside

    def _board(self, message: BoardShown, now: float) -> None:
        at = self._time.at(now)
        if not message.stale:
            self._news_at = None
        elif not self._absence.lasts and self._shown is not None and not self._shown.stale:
            self._news_at = at - timedelta(seconds=STALE_S) if at is not None else None
        self._absence.ends()
        self._shown = message
        board, zone = message.board, message.zone
        self._calls = tuple(
            call for call in (board.calls if board else ()) if zone is None or call.zone in (None, zone)
        )
        self._services = tuple(
            service for service in (board.services if board else ()) if zone in (None, service.zone)
        )
        if board is not None:
            self._spotlight.follow(self._calls, now, at)

    def _zone_name(self) -> LocalText:
        """Of the zone that this display is for; empty for the whole hall."""
        shown = self._shown
        if shown is None or shown.board is None or shown.zone is None:
            return {}
        return shown.board.zone_names.get(shown.zone, {})

    def _gone(self, now: float) -> None:
        if self._absence.begins(now) and self._shown is not None and not self._shown.stale:
            self._news_at = self._time.at(now)

    def _is_stale(self, now: float) -> bool:
        return (self._shown is not None and self._shown.stale) or self._absence.is_marked(now)
