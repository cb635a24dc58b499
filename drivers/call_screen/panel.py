"""A plain HDMI panel over a counter, drawn by a screen program of the node (`paihao screen panel`).

Binds to: nothing itself; the counter's station carries what is said (`Outlet`) over the node's socket of
screens. Implements: CallScreen. A text is `done` when the program says that its picture was handed to the
display; whether the panel is switched on nobody knows. A program that has just come shows the text within
PING_S.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, ClassVar, Final, Protocol

import msgspec

from drivers.call_screen.paced_screen import NO_ANSWER, Pace, PacedScreen
from drivers.call_screen.protocol import ScreenText
from drivers.driver import Health
from drivers.errors import LineLostError, NoAnswerError

AWAIT_S: Final = 15.0
"""How long `open` waits for a program; longer than the supervisor's STABLE_S, so that it never backs off."""
LOOK_S: Final = 0.2
"""So often it looks."""


class PanelConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`answer_s`: how long the program may take to draw."""

    answer_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.2


class PanelText(msgspec.Struct, frozen=True):
    """`show` is new for each text; said again with the same, it is answered again."""

    show: int
    content: ScreenText


class Outlet(Protocol):
    """The way to the program."""

    def there(self) -> bool:
        """Whether a program is connected."""

    def send(self, text: PanelText) -> None:
        """Say it to the program; nothing when there is none."""


class NoProgramError(LineLostError):
    """No screen program is connected."""

    code = "screen.no_program"


class Panel(PacedScreen):
    """See the module. The station sets `outlet` before `open` and calls `drawn`."""

    PING_S: ClassVar[float] = 1.0
    Config: ClassVar[type[msgspec.Struct]] = PanelConfig

    def __init__(self, config: PanelConfig) -> None:
        super().__init__(Pace(min_interval_s=0.0, retries=1))
        self._config = config
        self.outlet: Outlet | None = None
        self._show = 0
        self._newest: PanelText | None = None
        self._drawn: asyncio.Future[None] | None = None

    def drawn(self, show: int) -> None:
        """The program has drawn the text `show`."""
        if self._newest is not None and self._newest.show == show:
            self.seen()
            if self._drawn is not None and not self._drawn.done():
                self._drawn.set_result(None)

    async def _connect(self) -> None:
        if self.outlet is None or self.outlet.there():
            self._way()
            return
        self.report(Health("missing", NoProgramError.code))
        for _ in range(round(AWAIT_S / LOOK_S)):
            await asyncio.sleep(LOOK_S)
            if self.outlet.there():
                break
        self._way()

    async def _disconnect(self) -> None:
        if self._drawn is not None and not self._drawn.done():
            self._drawn.set_exception(NoProgramError("closed"))

    async def _put(self, content: ScreenText) -> str | None:
        self._show += 1
        self._newest = PanelText(self._show, content)
        await self._said(self._newest)
        return None

    async def _ping(self) -> None:
        self._way()
        if self._newest is not None:
            await self._said(self._newest)

    def _way(self) -> Outlet:
        if self.outlet is None or not self.outlet.there():
            raise NoProgramError("no screen program is connected")
        return self.outlet

    async def _said(self, text: PanelText) -> None:
        outlet = self._way()
        self._drawn = asyncio.get_running_loop().create_future()
        outlet.send(text)
        try:
            async with asyncio.timeout(self._config.answer_s):
                await self._drawn
        except TimeoutError as error:
            raise NoAnswerError("the screen program does not draw", code=NO_ANSWER) from error
        finally:
            self._drawn = None
