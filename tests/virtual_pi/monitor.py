"""Talking with QEMU and with the machine inside it, one JSON object a line on Unix sockets.

`Monitor` is QMP (QEMU's own), `GuestAgent` the qemu-guest-agent inside, `Hardware` our guest/hardware.py. All
work while the machine's network is cut.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LINE_LIMIT: Final = 64 << 20
PIECE: Final = 32 * 1024
"""Bytes of a file handed over at once."""


class AnswerError(RuntimeError):
    """The other side answered that it did not do it."""


class JsonLines:
    """A socket that QEMU listens on; `_take` gets every message."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self, timeout: float = 30.0) -> None:
        """Waits until QEMU listens. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while True:
                try:
                    reader, self._writer = await asyncio.open_unix_connection(self._path, limit=LINE_LIMIT)
                    break
                except OSError:
                    await asyncio.sleep(0.05)
        self._reading = asyncio.create_task(self._read(reader), name=self._path.name)

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        if self._writer is not None:
            self._writer.close()

    def send(self, message: dict[str, Any]) -> None:
        """Raises AnswerError when the line was never open."""
        if self._writer is None:
            raise AnswerError(f"{self._path.name}: not open")
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                try:
                    message = json.loads(line.rpartition(b"\xff")[2])  # FF begins an answer to a sync
                except ValueError:
                    continue  # the rest of an answer to whoever asked before
                self._take(message)
        except ConnectionError:
            pass
        finally:
            self._ended()

    def _take(self, message: dict[str, Any]) -> None:
        raise NotImplementedError

    def _ended(self) -> None:
        """QEMU closed the socket."""


class Monitor(JsonLines):
    """QMP. `events` are kept for `event`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._events: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()

    async def open(self, timeout: float = 30.0) -> None:
        await super().open(timeout)
        await self.do("qmp_capabilities")

    async def do(self, command: str, **arguments: Any) -> Any:
        """A command's answer. Raises AnswerError."""
        async with self._turn, asyncio.timeout(60):
            self.send({"execute": command, "arguments": arguments})
            answer = await self._answers.get()
        if "error" in answer:
            raise AnswerError(f"{command}: {answer['error'].get('desc')}")
        return answer["return"]

    async def event(self, name: str, timeout: float, **data: Any) -> dict[str, Any]:
        """The next event of this name and content, also one that has already come. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while True:
                for event in self._events:
                    if event["event"] == name and data.items() <= event.get("data", {}).items():
                        self._events.remove(event)
                        return event
                self._news.clear()
                await self._news.wait()

    def _take(self, message: dict[str, Any]) -> None:
        if "event" in message:
            self._events.append(message)
            del self._events[:-200]
            self._news.set()
        elif "return" in message or "error" in message:
            self._answers.put_nowait(message)

    def _ended(self) -> None:
        self._answers.put_nowait({"error": {"desc": "QEMU has ended"}})


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a command inside."""

    status: int
    out: str
    error: str


class GuestAgent(JsonLines):
    """Commands and files inside, as root."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._turn = asyncio.Lock()

    async def until_up(self, timeout: float) -> None:
        """Wait until the agent inside answers. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while True:
                number = time.monotonic_ns() % (1 << 31)
                assert self._writer is not None
                self._writer.write(b"\xff")
                self.send({"execute": "guest-sync-delimited", "arguments": {"id": number}})
                try:
                    async with asyncio.timeout(1):
                        while (await self._answers.get()).get("return") != number:
                            pass
                        return
                except TimeoutError:
                    continue

    async def do(self, command: str, **arguments: Any) -> Any:
        async with self._turn, asyncio.timeout(60):
            self.send({"execute": command, "arguments": arguments})
            answer = await self._answers.get()
        if "error" in answer:
            raise AnswerError(f"{command}: {answer['error'].get('desc')}")
        return answer["return"]

    async def begin(self, command: str) -> int:
        """Start a shell command; its number for `end`."""
        started = await self.do("guest-exec", path="/bin/sh", arg=["-c", command], **{"capture-output": True})
        return int(started["pid"])

    async def end(self, number: int, timeout: float = 120.0) -> Ran:
        """Wait for a command that was begun. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while True:
                state = await self.do("guest-exec-status", pid=number)
                if state["exited"]:
                    return Ran(
                        int(state.get("exitcode", -1)),
                        _text(state.get("out-data")),
                        _text(state.get("err-data")),
                    )
                await asyncio.sleep(0.1)

    async def run(self, command: str, timeout: float = 120.0, *, check: bool = True) -> str:
        """Standard output of a shell command. Raises AnswerError when it fails (if `check`), TimeoutError."""
        ran = await self.end(await self.begin(command), timeout)
        if check and ran.status:
            raise AnswerError(f"{command!r} ended with {ran.status}: {ran.out[-800:]}{ran.error[-1200:]}")
        return ran.out

    async def put(self, path: str, data: bytes | str) -> None:
        content = data.encode() if isinstance(data, str) else data
        handle = await self.do("guest-file-open", path=path, mode="w")
        for at in range(0, len(content), PIECE):
            piece = base64.b64encode(content[at : at + PIECE]).decode()
            await self.do("guest-file-write", handle=handle, **{"buf-b64": piece})
        await self.do("guest-file-close", handle=handle)

    def _take(self, message: dict[str, Any]) -> None:
        self._answers.put_nowait(message)

    def _ended(self) -> None:
        self._answers.put_nowait({"error": {"desc": "QEMU has ended"}})


class Hardware(JsonLines):
    """guest/hardware.py. `on_printer` gets what the USB printer was sent."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self.on_printer: Callable[[bytes], None] | None = None

    async def do(self, action: str, **arguments: Any) -> Any:
        """One of its ACTIONS. Raises AnswerError, TimeoutError."""
        number = next(self._numbers)
        self._waiting[number] = future = asyncio.get_running_loop().create_future()
        self.begin(action, number, **arguments)
        async with asyncio.timeout(60):
            return await future

    def begin(self, action: str, number: int = 0, **arguments: Any) -> None:
        """The same without waiting for it."""
        self.send({"id": number, "do": action, **arguments})

    def _take(self, message: dict[str, Any]) -> None:
        if "printer" in message:
            if self.on_printer is not None:
                self.on_printer(base64.b64decode(message["printer"]))
            return
        future = self._waiting.pop(message.get("id", 0), None)
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(AnswerError(message["error"]))
        else:
            future.set_result(message.get("result"))


def _text(data: str | None) -> str:
    return base64.b64decode(data or "").decode(errors="replace")
