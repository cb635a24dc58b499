"""A screen whose dots this machine drives itself: laid out, drawn, scrolled and blinked here.

A new kind of panel is a child of `DotScreen` with three functions: `_blocking_open`, `_blocking_draw` and
`_blocking_close`. Such panels say nothing: whether one is really lit is never known, and every result that
is `done` has the code `screen.not_watched`. Every PING_S all of it is sent again, so that a panel that lost
its power, or was plugged in later, shows the text within that time.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, ParamSpec, TypeVar

from drivers.call_screen import glyphs
from drivers.call_screen.brightness import Brightness
from drivers.call_screen.paced_screen import NOT_WATCHED, Pace, PacedScreen
from drivers.call_screen.protocol import Colour, ScreenText
from drivers.call_screen.text_layout import Layout, lay_out
from drivers.driver import Fact
from drivers.errors import DriverError, LineLostError

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

DRAW_S: Final = 2.0
"""A library that takes longer for a picture hangs."""
BEGIN_S: Final = 20.0
"""The same for the first time: libraries and fonts are read from the card of a Pi."""
BLINK_S: Final = 0.5
"""A flashing text is shown and dark for so long, in turn: 1 Hz, far from what troubles people."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel shows: `rows` from the top, each a number of `width` bits, the leftmost highest."""

    width: int
    rows: tuple[int, ...]
    colour: Colour = "red"

    def lit(self, x: int, y: int) -> bool:
        """Whether a dot is lit; x from the left, y from the top."""
        return bool(self.rows[y] >> (self.width - 1 - x) & 1)


@dataclass(frozen=True, slots=True)
class DotSize:
    """`width` × `height` dots, characters `font` dots high; `scroll` dots a second."""

    width: int
    height: int
    font: int
    scroll: float

    @property
    def cells(self) -> int:
        return self.width // (self.font // 2)

    @property
    def lines(self) -> int:
        return max(1, self.height // self.font)


def still(layout: Layout, size: DotSize) -> Picture:
    """Lines in the middle of the panel; of a scrolling text the beginning."""
    rows: list[int] = []
    for line in layout.lines:
        wide, drawn = glyphs.line(line, size.font)
        room = size.width - wide
        left = 0 if room < 0 else room // 2
        rows += [_cut(row, wide, -left, size.width) for row in drawn]
    above = (size.height - len(rows)) // 2
    below = size.height - above - len(rows)
    return Picture(size.width, (*(0,) * above, *rows, *(0,) * below), layout.colour)


def motion(layout: Layout, size: DotSize) -> Iterator[tuple[Picture, float]]:
    """The pictures of a text that moves or blinks, with the seconds that each is shown. Without end.

    A scrolling text stands for a second before it moves, and its end is a panel's width from its beginning.
    """
    first = still(layout, size)
    if not layout.scrolls:
        dark = Picture(size.width, (0,) * size.height, layout.colour)
        while True:
            yield first, BLINK_S
            yield dark, BLINK_S
    wide, drawn = glyphs.line(layout.lines[0], size.font)
    above = (size.height - size.font) // 2
    below = size.height - above - size.font
    length = wide + size.width
    while True:
        yield first, 1.0
        for offset in range(1, length):
            shown = offset if offset < wide else offset - length
            rows = tuple(_cut(row, wide, shown, size.width) for row in drawn)
            picture = Picture(size.width, (*(0,) * above, *rows, *(0,) * below), layout.colour)
            yield picture, 1 / size.scroll


def _cut(row: int, wide: int, start: int, width: int) -> int:
    """`width` bits of a row of `wide` bits from bit `start`; beyond its ends it is dark."""
    shift = wide - start - width
    return (row >> shift if shift >= 0 else row << -shift) & ((1 << width) - 1)


class DotScreen(PacedScreen):
    """See the module."""

    def __init__(self, size: DotSize, brightness: Brightness | None = None) -> None:
        super().__init__(Pace(min_interval_s=0.0, retries=0), brightness)
        self._size = size
        self._worker: ThreadPoolExecutor | None = None
        self._closing: asyncio.Future[None] | None = None
        self._moving: asyncio.Task[None] | None = None
        self._picture: Picture | None = None

    # ------------------------------------------------------------ what a child fills in

    @abstractmethod
    def _blocking_open(self) -> None:
        """Take the bus or the pins. Raises DriverError, OSError."""

    @abstractmethod
    def _blocking_draw(self, picture: Picture) -> None:
        """Show the picture, setting up the panel as if it had just been switched on. Raises OSError."""

    @abstractmethod
    def _blocking_close(self) -> None:
        """Let go; safe at any time and more than once."""

    # ------------------------------------------------------------ PacedScreen

    def _facts(self) -> dict[str, Fact]:
        return {**super()._facts(), "watched": False}

    async def _connect(self) -> None:
        if self._closing is not None and not self._closing.done():
            raise DriverError("the library hangs", code="screen.no_panel")
        self._picture = None  # what stood there may be an old call
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="dots")
        await self._run(BEGIN_S, self._blocking_open)

    async def _disconnect(self) -> None:
        worker, self._worker = self._worker, None
        await self._stand()
        if worker is not None:
            self._closing = asyncio.get_running_loop().run_in_executor(worker, self._closed)
            worker.shutdown(wait=False)
        if self._closing is not None:
            await asyncio.wait({self._closing}, timeout=DRAW_S)

    async def _put(self, content: ScreenText) -> str | None:
        await self._stand()
        layout = lay_out(content, self._size.cells, self._size.lines)
        await self._draw(await self._run(BEGIN_S, still, layout, self._size))
        if self._worker is not None and (layout.scrolls or layout.flashes):
            moving = self._move(layout)
            self._moving = asyncio.get_running_loop().create_task(moving, name="dots in motion")
        return NOT_WATCHED

    async def _ping(self) -> None:
        if self._picture is not None:
            await self._draw(self._picture)

    # ------------------------------------------------------------ inside

    def _closed(self) -> None:
        try:
            self._blocking_close()
        except Exception:
            log.exception("closing the panel")

    async def _draw(self, picture: Picture) -> None:
        self._picture = picture
        await self._run(DRAW_S, self._blocking_draw, picture)

    async def _move(self, layout: Layout) -> None:
        try:
            for picture, seconds in motion(layout, self._size):
                await self._draw(picture)
                await asyncio.sleep(seconds)
        except DriverError as error:
            self._lost(error)

    async def _stand(self) -> None:
        moving, self._moving = self._moving, None
        if moving is not None:
            moving.cancel()
            await asyncio.wait({moving})

    async def _run(self, limit_s: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """In the worker; what the system refuses, or takes too long for, is a lost panel: DriverError."""
        if self._worker is None:
            raise LineLostError("closed")
        done = asyncio.get_running_loop().run_in_executor(self._worker, partial(work, *args, **kwargs))
        try:
            async with asyncio.timeout(limit_s):
                return await done
        except OSError as error:
            if isinstance(error, DriverError):
                raise
            raise DriverError(str(error), code="screen.no_panel") from error
