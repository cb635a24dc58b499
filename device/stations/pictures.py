"""The pictures that this node's screens show, as files beside the storage: `pictures/{id}.{format}`.

A station says which ones it shows (`want`); only those that are not there yet are subscribed, so a counter
does not download the playlist and nothing comes twice. An id is the hash of the data: what does not fit its
name is refused, and a file once right stays right. A disk that is full or broken costs the pictures only.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from device.stations.station import Node
from wire.shown import Picture

logger = logging.getLogger(__name__)

R = TypeVar("R")

MOST: Final = 64
"""Files; what is wanted beyond them is not shown. As many again may be left from an earlier process."""
BIGGEST: Final = 180 * 1024
"""Bytes of one picture: all together take 11.25 MiB at most."""
RETRY_S: Final = 60.0
"""How soon a picture that could not be written is asked for again."""
STRAYS_S: Final = 600.0
"""So long after the start the stations know what they show: what is not wanted by then is removed."""
GATHER_S: Final = 0.2
"""Pictures that come within this time are told together: a screen gets no flood of playlists."""
_FILE: Final = re.compile(r"([0-9a-f]{32})\.(png|jpeg|webp)")
NOT_KEPT: Final = "agent.pictures_not_kept"


class Pictures:
    """`folder` is made when the first picture comes.

    Attributes:
        on_change: Called a moment after a file came.
        on_fault: Called when `fault` changed.
        follow: Called with a picture's id and whether its topic is to be subscribed.
        fault: A key of `wire.texts` while pictures cannot be written, else None.
    """

    def __init__(self, folder: Path, node: Node) -> None:
        self._folder = folder
        self._node = node
        self._wanted: dict[str, tuple[str, ...]] = {}
        self._files: dict[str, str] = {}
        """File names by id, of those whose content was checked."""
        self._asked: set[str] = set()
        self._writing: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._executor: ThreadPoolExecutor | None = None
        self._looked = False
        self.on_change: Callable[[], None] | None = None
        self.on_fault: Callable[[], None] | None = None
        self.follow: Callable[[str, bool], None] | None = None
        self.fault: str | None = None

    # ---------------------------------------------------------------- life

    def start(self) -> None:
        """Look, beside everything else, at what an earlier process left."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="pictures")
        self._node.spawn(self._look(), "looking at the pictures")
        self._later("strays", STRAYS_S, self._remove_unwanted)

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None

    # ---------------------------------------------------------------- stations

    def want(self, station: str, pictures: Iterable[str]) -> None:
        """All pictures that `station` shows from now on, the most needed first."""
        before = self._all_wanted()
        self._wanted[station] = tuple(dict.fromkeys(pictures))
        if before - self._all_wanted():
            self._remove_unwanted()
        self._ask()

    def file(self, picture: str | None) -> str | None:
        """The path of a picture; None while it is not there."""
        name = self._files.get(picture) if picture is not None else None
        return str(self._folder / name) if name is not None else None

    def take(self, picture: Picture) -> None:
        """A picture came from the hall. Others may be on their way still that nobody wants any more."""
        id = picture.picture
        if id not in self._all_wanted() or id in self._files or id in self._writing:
            return
        if len(picture.data) > BIGGEST:
            logger.warning("picture %s refused: %d bytes, at most %d", id, len(picture.data), BIGGEST)
            return
        self._writing.add(id)
        if not self._node.spawn(self._keep(picture), f"picture {id}"):
            self._writing.discard(id)
            self._again(id)

    # ---------------------------------------------------------------- inside

    def _all_wanted(self) -> set[str]:
        every = dict.fromkeys(picture for wanted in self._wanted.values() for picture in wanted)
        return set(list(every)[:MOST])

    def _ask(self) -> None:
        """Subscribe what is wanted and not there, and nothing else."""
        if not self._looked or self.follow is None:
            return
        missing = self._all_wanted() - self._files.keys()
        for picture in self._asked - missing:
            self.follow(picture, False)
        for picture in sorted(missing - self._asked):
            self.follow(picture, True)
        self._asked = missing
        if not missing:
            self._set_fault(None)

    def _again(self, picture: str) -> None:
        """The broker gives a retained message again to who subscribes anew."""

        def anew() -> None:
            if self.follow is not None and picture in self._asked:
                self.follow(picture, False)
                self.follow(picture, True)

        self._later(picture, RETRY_S, anew)

    def _later(self, key: str, seconds: float, work: Callable[[], None]) -> None:
        def due() -> None:
            del self._timers[key]
            work()

        if key not in self._timers:
            self._timers[key] = asyncio.get_running_loop().call_later(seconds, due)

    async def _look(self) -> None:
        try:
            self._files.update(await self._run(self._blocking_look))
        except OSError as error:
            logger.warning("the pictures of an earlier process are not readable: %s", error)
        self._looked = True
        self._ask()
        self._changed()

    async def _keep(self, picture: Picture) -> None:
        try:
            name = await self._run(lambda: self._blocking_write(picture))
        except OSError as error:
            self._again(picture.picture)
            if self.fault is None:
                logger.error("a picture could not be kept: %s", error)
            self._set_fault(NOT_KEPT)
            return
        finally:
            self._writing.discard(picture.picture)
        if name is None:
            logger.warning("picture %s refused: its data is another one", picture.picture)
            return
        if picture.picture not in self._all_wanted():
            await self._run(lambda: self._blocking_remove([name]))
            return
        self._files[picture.picture] = name
        self._set_fault(None)
        self._ask()
        self._changed()

    def _remove_unwanted(self) -> None:
        wanted = self._all_wanted()
        names = [self._files.pop(picture) for picture in list(self._files) if picture not in wanted]
        if names:
            self._node.spawn(self._run(lambda: self._blocking_remove(names)), "old pictures")

    def _set_fault(self, code: str | None) -> None:
        if code != self.fault:
            self.fault = code
            if self.on_fault is not None:
                self.on_fault()

    def _changed(self) -> None:
        def tell() -> None:
            if self.on_change is not None:
                self.on_change()

        self._later("changed", GATHER_S, tell)

    async def _run(self, work: Callable[[], R]) -> R:
        if self._executor is None:
            raise OSError("stopped")
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    # ---------------------------------------------------------------- in the executor

    def _blocking_look(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if not self._folder.is_dir():
            return found
        for path in sorted(self._folder.iterdir()):
            try:
                named = _FILE.fullmatch(path.name)
                fits = named is not None and len(found) < MOST and path.stat().st_size <= BIGGEST
                if named is not None and fits and _id(path.read_bytes()) == named[1]:
                    found[named[1]] = path.name
                else:
                    # Half written when the power went, damaged, or beyond all bounds.
                    path.unlink()
            except OSError as error:
                logger.warning("%s is left as it is: %s", path.name, error)
        return found

    def _blocking_write(self, picture: Picture) -> str | None:
        if _id(picture.data) != picture.picture:
            return None
        self._folder.mkdir(mode=0o750, exist_ok=True)
        name = f"{picture.picture}.{picture.format}"
        # One writer: a name of its own is enough for what is not whole yet.
        partial = self._folder / f"{name}.new"
        try:
            with partial.open("wb") as file:
                file.write(picture.data)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(self._folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        return name

    def _blocking_remove(self, names: list[str]) -> None:
        for name in names:
            with contextlib.suppress(OSError):
                (self._folder / name).unlink()


def _id(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
