"""The page's end of a screen program (`simulator.glass`): its newest picture, and touches to it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from simulator.parts import Part

log = logging.getLogger(__name__)

PART_LIMIT: Final = 16 << 20


class Pane:
    """One screen of the hall. `picture` is a PNG, b"" before the first; `version` counts them.

    `on_change` is called with each new picture. Its program is a `Part`: killed or hung, it is started again.
    """

    def __init__(self, name: str, folder: Path, sockets: Path, arguments: list[str]) -> None:
        """`arguments`: of `simulator.glass`, without `--glass`."""
        self.name = name
        self.picture = b""
        self.targets = "[]"
        """What can be touched on it, as JSON (see `simulator.glass`)."""
        self.version = 0
        self.on_change: Callable[[], None] | None = None
        self._path = sockets / f"{name}.glass"
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._drawn_by: asyncio.StreamWriter | None = None
        command = [sys.executable, "-m", "simulator.glass", *arguments, "--glass", str(self._path)]
        self.part = Part(f"screen_{name}", command, folder, sockets=sockets, probe=self._has_picture)

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self._path))
        await self.part.start()

    async def stop(self) -> None:
        await self.part.stop()
        if self._server is not None:
            self._server.close()

    def touch(self, what: str, x: float, y: float) -> None:
        """ "down", "move" or "up" at parts (0 … 1) of its width and height."""
        if what in ("down", "move", "up") and 0 <= x <= 1 and 0 <= y <= 1 and self._writer is not None:
            self._writer.write(f"{what} {x:.4f} {y:.4f}\n".encode())

    async def _has_picture(self) -> bool:
        return self._writer is not None and self._drawn_by is self._writer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        try:
            while True:
                targets = (await _part(reader)).decode()
                self.picture, self.targets = await _part(reader), targets
                self.version += 1
                self._drawn_by = writer
                if self.on_change is not None:
                    self.on_change()
        except (asyncio.IncompleteReadError, OSError, ValueError) as error:
            log.debug("screen %s: %s", self.name, error)
        finally:
            if self._writer is writer:
                self._writer = None
            writer.close()


async def _part(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(4), "big")
    if length > PART_LIMIT:
        raise ValueError("a picture that is too large")
    return await reader.readexactly(length)
