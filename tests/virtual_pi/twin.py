"""The twin of a screen program: this checkout's own, told what the agent inside tells its screens.

It draws on a surface of the host's memory what the emulated display must show. Nothing that it says is sent:
there must not be a second citizen. Its clock is that of the machine, by which pages turn and numbers flash.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import deque
from typing import Any, Final

os.environ |= {"SDL_VIDEODRIVER": "dummy", "PYGAME_HIDE_SUPPORT_PROMPT": "1"}

import msgspec
import pygame
import pygame.freetype
from machine import DISPLAY, Machine

from ui.command import SCREENS
from ui.items import Layout, Words
from ui.layout import lay_out
from ui.paint import Painter
from ui.program import Program
from ui.screen import Screen
from ui.theme import load_theme
from wire.codec import BadMessageError
from wire.screen_link import (
    MAX_LINE,
    LinkMessage,
    ScreenRole,
    TakeAppointment,
    TakeTicket,
    TicketProgress,
    decode_to_screen,
)

HOST: Final = "10.0.2.2"
RELAY: Final = "/opt/paihao/bin/python /opt/virtual-pi/screen_relay.py /run/paihao/screens.sock"
CONNECT_S: Final = 60.0
RECENT_S: Final = 6.0
"""The display of the emulated machine may be so far behind."""
RECENT: Final = 8
"""Pictures that are kept for that."""


class Twin:
    """`start`, then `pictures`, `target`, `touch`; `stop` at the end."""

    def __init__(self, role: ScreenRole, station: str) -> None:
        self.role = role
        self.station = station
        self.program: Program = SCREENS[role][1]("zh-CN", None)
        self.layout = Layout((0, 0, 0))
        self.page = ""
        self._screen = Screen.of(DISPLAY)
        self._surface: pygame.Surface | None = None
        self._painter: Painter | None = None
        self._recent: deque[tuple[float, bytes]] = deque(maxlen=RECENT)
        self._ahead = 0.0
        self._asked: list[str] = []
        self._theirs: dict[str, str] = {}
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()

    async def start(self, machine: Machine) -> None:
        """Join the agent's screens. Raises TimeoutError when the relay inside does not come."""
        pygame.display.init()
        pygame.freetype.init()
        self._surface = pygame.Surface(DISPLAY, 0, 32)
        self._painter = Painter(self._surface)
        self.program.say = self._say  # type: ignore[method-assign]
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_LINE)
        port = self._server.sockets[0].getsockname()[1]
        await machine.agent.begin(f"{RELAY} {self.station} {self.role} {HOST} {port}")
        await asyncio.wait_for(self._connected.wait(), CONNECT_S)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._writer is not None:
            self._writer.close()

    def now(self) -> float:
        """The machine's monotonic clock, in seconds."""
        return time.monotonic() + self._ahead

    def touch(self, action: str) -> None:
        """What the screen inside is touched for."""
        self.program.touched(action, self.now())
        self.forget()

    def forget(self) -> None:
        """Only what it shows from now on counts."""
        self._recent.clear()

    def target(self, action: str) -> tuple[float, float]:
        """Where the target with this action is, in shares of the display. Raises LookupError."""
        self.draw()
        for target in self.layout.targets:
            if target.action == action and not target.off:
                left, top, wide, high = target.rect
                return (left + wide / 2) / DISPLAY[0], (top + high / 2) / DISPLAY[1]
        actions = [target.action for target in self.layout.targets if not target.off]
        raise LookupError(f"page {self.page} has no {action}: {actions}")

    def actions(self) -> list[str]:
        """What can be touched now."""
        self.draw()
        return [target.action for target in self.layout.targets if not target.off]

    def words(self) -> str:
        """All that stands on the page."""
        self.draw()
        return "\n".join("".join(item.lines) for item in self.layout.items if isinstance(item, Words))

    def pictures(self) -> list[bytes]:
        """What the display may show now, the newest first: RGB, row by row."""
        self.draw()
        now = self.now()
        while len(self._recent) > 1 and self._recent[0][0] < now - RECENT_S:
            self._recent.popleft()
        return [picture for _, picture in reversed(self._recent)]

    def draw(self) -> None:
        """The page of this moment, as `ui.runner` does it."""
        assert self._surface is not None and self._painter is not None
        now = self.now()
        if self.program.due(now) <= now:
            self.program.tick(now)
        page = self.program.page(self._screen, now)
        self.page = page.name
        self.layout = lay_out(page, self._screen, load_theme(page.theme or self.program.theme))
        self._painter.paint(self.layout)
        self.program.focused("", 0, len(self.layout.targets), now)
        self.program.shown(page, now)
        picture = pygame.image.tobytes(self._surface, "RGB")
        if self._recent and self._recent[-1][1] == picture:
            self._recent.pop()
        self._recent.append((now, picture))

    # ---------------------------------------------------------------- the agent's side

    def _say(self, message: LinkMessage) -> bool:
        if isinstance(message, TakeTicket | TakeAppointment) and message.request not in self._asked:
            self._asked.append(message.request)
        return True

    def _hear(self, said: LinkMessage | None) -> None:
        if isinstance(said, TicketProgress):
            # the screen inside has asked under an id of its own, in the same order
            if said.request not in self._theirs and len(self._theirs) < len(self._asked):
                self._theirs[said.request] = self._asked[len(self._theirs)]
            said = msgspec.structs.replace(said, request=self._theirs.get(said.request, said.request))
        self.program.said(said, self.now())
        self.draw()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        clock: Any = json.loads(await reader.readline())
        self._ahead = float(clock) - time.monotonic()
        self._connected.set()
        while line := await reader.readline():
            if line == b"null\n":
                self._hear(None)
                continue
            try:
                message = decode_to_screen(line)
            except BadMessageError:
                continue  # cut off by the agent's end
            self._hear(message)
