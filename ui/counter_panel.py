"""The panel over a counter (窗口屏): whose turn it is, who sits there, and whether the counter works now.

It keeps nothing: the agent's whole state gives the whole picture. When the agent or the hall falls silent,
what stood there stays, pale and marked as old.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from ui.beats import HALF_S, lit, next_beat
from ui.elements import Art, Box, Element, Page, Text, column, growing, row
from ui.ems import LEADING, ems, lines, size_for
from ui.hall_time import HallTime, hours_in_words, is_open, next_start, part_and_time, spans
from ui.news import FLASH_S, Absence, is_fresh
from ui.program import Program
from ui.screen import Screen
from ui.tongue import Tongue
from wire.messages import CounterClerk, CounterState
from wire.screen_link import CounterShown, LinkMessage, ScreenRole, TimeShown

ONE_LINE: Final = 0.6
"""Type that stands in one line may be so much smaller than in several."""
STRIP: Final = 2.6
"""A screen that is so many times as wide as high has everything in one row."""


class CounterPanel(Program):
    """`languages`: "zh-CN", "en", or "zh-CN+en" for Chinese with English below it."""

    role: ClassVar[ScreenRole] = "counter"
    touched_by_people: ClassVar[bool] = False
    theme: ClassVar[str] = "board"

    def __init__(self, languages: str = "zh-CN") -> None:
        self._tongue = Tongue.of(languages)
        self._shown: CounterShown | None = None
        self._time = HallTime()
        self._called: tuple[str | None, datetime | None] | None = None
        self._flash_since: float | None = None
        self._absence = Absence()

    def said(self, message: LinkMessage | None, now: float) -> None:
        known = self._shown is not None and self._shown.counter is not None
        # An agent that has just started may not have heard the hall yet: what stood there stays.
        if message is None or (isinstance(message, CounterShown) and message.counter is None and known):
            self._absence.begins(now)
        elif isinstance(message, CounterShown):
            self._absence.ends()
            if message.counter is not None:
                self._follow(message.counter, now)
            self._shown = message
        elif isinstance(message, TimeShown):
            self._time.heard(message, now)

    def due(self, now: float) -> float:
        times = [self._time.next_minute(now), self._absence.due(now)]
        if self._flashes(now):
            times.append(next_beat(self._flash_since or 0.0, HALF_S, now))
        return min(times)

    def page(self, screen: Screen, now: float) -> Page:
        counter = self._shown.counter if self._shown is not None else None
        wide, high = screen.width / screen.unit, screen.height / screen.unit
        if self._shown is None or counter is None:
            return Page("counter_starting", _starting(self._tongue), self._tongue.first)
        stale = self._shown.stale or self._absence.is_marked(now)
        other = self._flashes(now) and not lit(self._flash_since or 0.0, now)
        made = _Picture(self._tongue, counter, self._shown.photo, self._time.at(now), stale, other)
        name = "counter_stale" if stale else f"counter_{counter.state}"
        return Page(name, made.body(wide, high), self._tongue.first)

    def _follow(self, counter: CounterState, now: float) -> None:
        """Flash a call that was not there before, and each recall of it."""
        called = (counter.call, counter.called_at)
        new = called != self._called
        first, self._called = self._called is None, called
        if counter.state != "called":
            self._flash_since = None
        elif new and (not first or is_fresh(counter.called_at, self._time.at(now))):
            self._flash_since = now

    def _flashes(self, now: float) -> bool:
        return self._flash_since is not None and now < self._flash_since + FLASH_S


def _starting(tongue: Tongue) -> Box:
    words: list[Element] = [Text(tongue.text("counter_panel.starting"), 9.0, "ink", "center", least=4.0)]
    if below := tongue.under("counter_panel.starting"):
        words.append(Text(below, 5.0, "soft", "center", least=3.0))
    return column(*words, gap=2.0, pad=4.0, justify="center", grow=1.0)


class _Picture:
    """One picture of a counter; `other`: a flashing call in its other look."""

    def __init__(
        self,
        tongue: Tongue,
        counter: CounterState,
        photo: str | None,
        at: datetime | None,
        stale: bool,
        other: bool,
    ) -> None:
        self.tongue = tongue
        self.counter = counter
        self.photo = photo
        self.at = at
        self.stale = stale
        self.other = other

    def body(self, wide: float, high: float) -> Box:
        """The whole panel on `wide` × `high` units."""
        if wide / high >= STRIP:
            return self._strip(wide, high)
        clerk = self.counter.clerk
        head = 24.0 if self.tongue.second else 20.0
        room = high - head - 4.0 - (self._mark_height() + 2.0 if self.stale else 0.0)
        parts: list[Element] = [self._head(wide, head)]
        if self.stale:
            parts.append(self._mark())
        if clerk is None:
            body: Element = self._main(wide - 4.0, room)
        elif wide > high:
            aside = 46.0
            body = row(
                growing(self._main(wide - 6.0 - aside, room), wide - 6.0 - aside),
                growing(self._clerk(clerk, aside, room), aside),
                gap=2.0, grow=1.0,
            )  # fmt: skip
        else:
            below = room * 0.3
            body = column(
                growing(self._main(wide - 4.0, room - below - 2.0), room - below - 2.0),
                growing(self._clerk_row(clerk, below), below),
                gap=2.0, grow=1.0,
            )  # fmt: skip
        parts.append(Box((body,), pad=2.0, grow=1.0))
        return column(*parts)

    def _strip(self, wide: float, high: float) -> Box:
        """Counter, number and clerk beside each other."""
        name_wide, clerk = wide * 0.24, self.counter.clerk
        clerk_wide = wide * 0.17 if clerk is not None else 0.0
        main_wide = wide - name_wide - clerk_wide - 8.0
        mark = self._mark_height() + 2.0 if self.stale else 0.0
        main: Element = self._main(main_wide, high - 4.0 - mark)
        if self.stale:
            main = column(self._mark(), main, gap=2.0, grow=1.0)
        parts: list[Element] = [
            Box((self._name(name_wide - 6.0, high),), pad=3.0, fill="accent", radius=0, grow=name_wide),
            Box((main,), pad=2.0, grow=main_wide + 4.0),
        ]
        if clerk is not None:
            parts.append(Box((self._clerk(clerk, clerk_wide, high - 4.0),), pad=2.0, grow=clerk_wide + 4.0))
        return row(*parts)

    # ---------------------------------------------------------------- parts

    def _head(self, wide: float, high: float) -> Box:
        waiting = self._waiting(6.0)
        left = wide - 6.0 - (34.0 if waiting else 0.0)
        parts: list[Element] = [Box((self._name(left, high - 2.0),), grow=left)]
        if waiting:
            parts.append(column(*waiting, justify="center"))
        return row(*parts, gap=3.0, pad=(3.0, 1.0), height=high, fill="accent", radius=0, name="head")

    def _name(self, wide: float, high: float) -> Box:
        """The counter's name, as large as it can be."""
        words, below = self.tongue.local(self.counter.name), self.tongue.local_under(self.counter.name)
        size = _size(words, wide, high / (1.45 if below else 1.0), 40.0)
        made: list[Element] = [Text(words, size, "accent_ink", "center", strong=True, least=4.0)]
        if below:
            under = size_for([below], wide, max(3.6, size * 0.4), 3.0)
            made.append(Text(below, under, "accent_ink", "center", least=2.6))
        return column(*made, justify="center", grow=1.0)

    def _waiting(self, size: float) -> list[Element]:
        """How many wait, where that says something."""
        if self.counter.state == "closed" or self.stale:
            return []
        made: list[Element] = [
            Text(
                self.tongue.text("counter_panel.waiting", count=self.counter.waiting),
                size,
                "accent_ink",
                lines=1,
            )
        ]
        if below := self.tongue.under("counter_panel.waiting", count=self.counter.waiting):
            made.append(Text(below, size * 0.6, "accent_ink", lines=1, least=2.6))
        return made

    def _mark_height(self) -> float:
        return 13.0 if self.tongue.second is not None else 9.0

    def _mark(self) -> Box:
        words: list[Element] = [Text(self.tongue.text("counter_panel.stale"), 5.2, "warn_ink", least=3.4)]
        if below := self.tongue.under("counter_panel.stale"):
            words.append(Text(below, 3.4, "warn_ink", least=2.6))
        return row(
            Art("warning", 6.0, 6.0, "warn_ink"),
            column(*words, grow=1.0, justify="center"),
            gap=2.0, pad=(3.0, 0.8), height=self._mark_height(), fill="warn", radius=0, align="center",
            name="stale",
        )  # fmt: skip

    def _main(self, wide: float, high: float) -> Box:
        number = self.counter.number
        if self.counter.state in ("called", "serving") and number is not None:
            return self._number(number, wide, high)
        return self._state(wide, high)

    def _number(self, number: str, wide: float, high: float) -> Box:
        """The number that is called or served, with what it is about."""
        fill, ink = "surface", "ink"
        if self.stale:
            ink = "soft"
        elif self.counter.state == "called":
            fill, ink = ("surface", "call") if self.other else ("call", "call_ink")
        key = f"counter_panel.{self.counter.state}"
        inner = wide - 6.0
        top = size_for([self.tongue.text(key)], inner, high * 0.13, 3.6)
        made: list[Element] = [Text(self.tongue.text(key), top, ink, "center", lines=1)]
        used = top * LEADING + 4.0
        if below := self.tongue.under(key):
            made.append(Text(below, top * 0.55, ink, "center", lines=1, least=2.4))
            used += top * 0.55 * LEADING
        service: list[Element] = []
        if self.counter.service_name is not None:
            words = self.tongue.local(self.counter.service_name)
            under = self.tongue.local_under(self.counter.service_name)
            size = _size(words, inner, high * 0.26, max(6.4, high * 0.1))
            service = [Text(words, size, ink, "center", least=3.0)]
            used += lines(words, inner / size) * size * LEADING
            if under:
                service.append(Text(under, size * 0.66, ink, "center", least=2.4))
                used += lines(under, inner / (size * 0.66)) * size * 0.66 * LEADING
        largest = min(inner / ems(number) / 1.04, max(8.0, (high - used) / LEADING), 70.0)
        figure = Text(number, largest, ink, "center", lines=1, least=5.0, strong=True)
        return column(
            *made, column(figure, grow=1.0, justify="center"), *service,
            pad=(3.0, 2.0), fill=fill, line="call" if ink == "call" else None, line_width=0.9, radius=2.4,
            grow=1.0, name="main",
        )  # fmt: skip

    def _state(self, wide: float, high: float) -> Box:
        """Free, paused or closed, and what to do or when it goes on."""
        large, then = self._state_keys()
        inner = wide - 6.0
        closed = self.counter.state in ("closed", "paused")
        ink = "soft" if self.stale else "warn" if closed else "ink"
        words = self.tongue.text(large)
        size = _size(words, inner, high * 0.45, max(24.0, high * 0.36))
        made: list[Element] = [Text(words, size, ink, "center", strong=True, least=4.0)]
        if below := self.tongue.under(large):
            made.append(Text(below, size * 0.5, ink, "center", least=3.0))
        for told, told_below in then:
            told_size = _size(told, inner, high * 0.18, min(16.0, size * 0.6))
            made.append(Text(told, told_size, "soft" if self.stale else "ink", "center", least=3.4))
            if told_below:
                made.append(Text(told_below, told_size * 0.6, "soft", "center", least=2.6))
        return column(
            *made, gap=high * 0.02, pad=(3.0, 2.0), fill="surface", radius=2.4, justify="center", grow=1.0,
            name="main",
        )  # fmt: skip

    def _state_keys(self) -> tuple[str, list[tuple[str, str]]]:
        """The key of the large words, and what stands below in both languages."""
        counter, tongue = self.counter, self.tongue
        if counter.state not in ("closed", "paused"):
            return "counter_panel.free", [_said(tongue, "counter_panel.free_state")]
        own = f"counter_panel.{counter.state}"
        # After midnight, or with the hall away since yesterday, they are of a day that is over.
        hours = counter.hours if self.at is None or counter.business_date in (None, self.at.date()) else ()
        if self.at is not None and not is_open(hours, self.at):
            start = next_start(hours, self.at)
            if start is None:
                return ("counter_panel.over" if counter.state == "closed" else own), []
            below = tongue.second
            when = part_and_time(start, tongue.first)
            second = part_and_time(start, below) if below is not None else ""
            starts = (
                tongue.text("counter_panel.starts", when=when),
                tongue.under("counter_panel.starts", when=second),
            )
            return own, [starts]
        if counter.state == "closed" and self.at is None and spans(counter.hours):
            return own, [(hours_in_words(counter.hours), "")]
        return own, [_said(tongue, f"{own}_do")]

    # ---------------------------------------------------------------- the clerk

    def _clerk(self, clerk: CounterClerk, wide: float, high: float) -> Box:
        """Photo above number and name."""
        words = self._clerk_words(clerk, wide - 4.0, "center")
        return column(
            self._photo(wide * 0.7),
            *words,
            gap=1.6,
            pad=2.0,
            fill="surface",
            radius=2.4,
            grow=1.0,
            name="clerk",
        )

    def _clerk_row(self, clerk: CounterClerk, high: float) -> Box:
        """Photo beside number and name."""
        words = self._clerk_words(clerk, 50.0, "left")
        return row(
            Box((self._photo(30.0),), grow=1.0), column(*words, gap=1.6, justify="center", grow=1.6),
            gap=3.0, pad=2.0, fill="surface", radius=2.4, grow=1.0, name="clerk",
        )  # fmt: skip

    def _photo(self, wide: float) -> Art:
        if self.photo is not None:
            return Art("file", wide, wide * 4 / 3, "soft", args=(self.photo,), grow=1.0)
        return Art("person", wide * 0.7, wide * 0.7, "soft", grow=1.0)

    def _clerk_words(self, clerk: CounterClerk, wide: float, align: str) -> list[Element]:
        said, below = _said(self.tongue, "counter_panel.clerk", number=clerk.number)
        ink = "soft" if self.stale else "ink"
        made: list[Element] = []
        if name := self.tongue.local(clerk.name):
            size = size_for([name], wide, 9.0, 4.0)
            made.append(Text(name, size, ink, align, lines=1, least=3.0, strong=True))  # type: ignore[arg-type]
        if under := self.tongue.local_under(clerk.name):
            made.append(Text(under, 3.8, "soft", align, lines=1, least=2.6))  # type: ignore[arg-type]
        size = size_for([said], wide, 6.4, 3.6)
        made.append(Text(said, size, ink, align, lines=1, least=3.0))  # type: ignore[arg-type]
        if below:
            made.append(Text(below, 3.6, "soft", align, lines=1, least=2.6))  # type: ignore[arg-type]
        return made


def _said(tongue: Tongue, key: str, **values: object) -> tuple[str, str]:
    return tongue.text(key, **values), tongue.under(key, **values)


def _size(words: str, wide: float, high: float, most: float) -> float:
    """The greatest size, at most `most`, at which the words stand on `wide` × `high` units.

    In one line, if that is not much smaller than in several: a short name is not torn apart.
    """
    most = min(most, high / LEADING)
    one = min(most, wide / (ems(words) * 1.04)) if words else most
    size = most
    while size > 3.6 and lines(words, wide / (size * 1.04)) * size * LEADING > high:
        size *= 0.94
    return one if one > ONE_LINE * size else size
