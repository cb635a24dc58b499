"""The parent's end of `screen_probe`: a real screen program under supervision, seen and touched from here."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from simulator.parts import Part

log = logging.getLogger(__name__)

PROBE: Final = Path(__file__).with_name("screen_probe.py")
LINE_LIMIT: Final = 1 << 20
STEP_S: Final = 1.5
"""Of each flash of 1 s one look is drawn, in turn the other one: a day has half a million of them."""
QUIET_S: Final = 0.3
"""A touch so soon after another page came counts for nothing (`ui.touch`)."""


class ScreenEnd:
    """One screen program. What is told of it: `page`, `words`, `targets` (action → place), `said`.

    It is a `Part`: killed, it is started again after 0.5 s, as its systemd unit says.

    Attributes:
        faults: Pictures that were blank, and pages with something cut, in words.
        pages: Every page that was seen, with how often it was told.
        on_news: Called after each line that it told.
    """

    def __init__(
        self, screen: str, folder: Path, sockets: Path, arguments: list[str], *, own_clock: bool = False
    ) -> None:
        self.screen = screen
        self.page = ""
        self.words = ""
        self.targets: dict[str, tuple[int, int]] = {}
        self.draws = self.heard = 0
        self.pictures = 0
        self.due_s = 0.0
        self.started_at = 0.0
        self.page_since = 0.0
        self.connections = 0
        self.said: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.pages: dict[str, int] = {}
        self.on_news: Callable[[], None] | None = None
        self._did = self._ordered = 0
        self._path = sockets / f"{screen}.probe"
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._news = asyncio.Event()
        clock = ["--own-clock"] if own_clock else []
        command = [sys.executable, str(PROBE), str(self._path), *clock, screen, *arguments]
        quiet = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
        self.part = Part(
            f"screen-{screen}", command, folder, sockets=sockets, environment=quiet, longest_delay_s=0.5
        )

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self._path), limit=LINE_LIMIT)
        await self.part.start()

    async def stop(self) -> None:
        await self.part.stop()
        if self._server is not None:
            self._server.close()

    @property
    def alive(self) -> bool:
        return self._writer is not None

    async def until(self, holds: Callable[[], bool], timeout: float) -> None:
        """Until `holds`; it is asked after each news. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def heard_all(self, count: int, timeout: float = 20.0) -> None:
        """Until it has heard `count` messages since it started, and drawn what came of them."""
        await self.until(lambda: self.heard >= count, timeout)

    # ---------------------------------------------------------------- what people do

    async def touch(self, action: str, *, own_clock: bool = False) -> bool:
        """A finger on the target with this action; False when it is not there (any more)."""
        place = self.targets.get(action)
        if place is None:
            return False
        if own_clock:
            await self.pass_s(QUIET_S)
        elif (early := self.page_since + QUIET_S - time.monotonic()) > 0:
            await asyncio.sleep(early)
        place = self.targets.get(action)
        if place is None:
            return False
        await self._order(f"down {place[0]} {place[1]}")
        await self._order(f"up {place[0]} {place[1]}")
        return True

    async def pass_s(self, seconds: float) -> None:
        """Let so much time of its own clock pass; what is due happens, moment by moment, STEP_S apart."""
        if seconds > 0:
            await self._order(f"pass {seconds:.4f} {STEP_S}")

    async def _order(self, order: str) -> None:
        """Returns when it has been done and drawn, or the program has gone."""
        writer = self._writer
        if writer is None:
            return
        self._ordered += 1
        wanted = self._ordered
        writer.write(f"{order}\n".encode())
        await self.until(lambda: self._did >= wanted or self._writer is not writer, 20.0)

    # ---------------------------------------------------------------- what it tells

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._did = self._ordered = self.heard = self.draws = 0
        self.page, self.words, self.targets = "", "", {}
        self.connections += 1
        self.started_at = time.monotonic()
        try:
            while line := await reader.readline():
                self._told(json.loads(line))
        except OSError:
            pass  # killed
        finally:
            if self._writer is writer:
                self._writer = None
                self.page = ""
            writer.close()
            self._tell()

    def _told(self, told: dict[str, Any]) -> None:
        if "said" in told:
            self.said.append(told)
        else:
            if told["page"] != self.page:
                self.page_since = time.monotonic()
            self.pictures += told["draws"] - self.draws
            self.page, self.words = told["page"], told["words"]
            self.draws, self.heard, self._did = told["draws"], told["heard"], told["did"]
            self.targets = {action: (x, y) for action, x, y in told["targets"]}
            self.due_s = told["due"]
            self.pages[self.page] = self.pages.get(self.page, 0) + 1
            for words in (told["fault"], *told["problems"]):
                if words:
                    log.info("%s, page %s (%s): %s", self.screen, self.page, told["look"], words)
                    self.faults.append(f"{self.screen}, page {self.page} ({told['look']}): {words}")
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        if self.on_news is not None:
            self.on_news()
