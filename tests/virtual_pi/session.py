"""The host's side of guest/driver_session.py: devices inside, worked from here."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

LINE_LIMIT: Final = 1 << 20
CALL_S: Final = 60.0
STATE_S: Final = 30.0
"""How long a state is waited for; whether it came in time is the check's own matter."""

State = dict[str, Any]


class InsideError(RuntimeError):
    """Something was raised inside; the text is its traceback."""


class Device:
    """One supervised driver inside. `state` is the newest that the agent's supervision would publish."""

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        self.state: State = {"health": "unknown", "code": None, "facts": {}}
        self._session = session
        self._news = asyncio.Event()

    def heard(self, state: State) -> None:
        self.state = state
        self._news.set()

    async def until(self, health: str, code: str | None = None, timeout: float = STATE_S) -> float:
        """Wait for a health, and a code where one is given; the seconds it took. Raises TimeoutError."""
        return await self.until_state(
            lambda s: s["health"] == health and (code is None or s["code"] == code), timeout
        )

    async def until_state(self, condition: Callable[[State], bool], timeout: float = STATE_S) -> float:
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                while not condition(self.state):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"{self.name} is {self.state}") from None
        return time.monotonic() - began

    async def call(self, method: str, *arguments: Any, timeout: float = CALL_S) -> Any:
        """What a method of the driver returns, as plain data. Raises InsideError, TimeoutError."""
        return await self._session.ask(
            "call", timeout, device=self.name, method=method, arguments=list(arguments)
        )

    async def get(self, attribute: str) -> Any:
        return await self._session.ask("get", CALL_S, device=self.name, attribute=attribute)


class Session:
    """Listens on loopback, which is 10.0.2.2 for the machine."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._devices: dict[str, Device] = {}

    async def listen(self) -> int:
        """The port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LINE_LIMIT)
        return int(self._server.sockets[0].getsockname()[1])

    async def until_connected(self, timeout: float = 60.0) -> None:
        async with asyncio.timeout(timeout):
            await self._connected.wait()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._writer is not None:
            self._writer.close()

    @asynccontextmanager
    async def device(self, name: str, driver: str, options: dict[str, Any]) -> AsyncIterator[Device]:
        """A driver inside, opened and served by the agent's supervisor until the end of the block."""
        device = self._devices[name] = Device(self, name)
        await self.ask("add", CALL_S, device=name, driver=driver, options=options)
        try:
            yield device
        finally:
            await self.ask("remove", CALL_S, device=name)
            del self._devices[name]

    async def ask(self, action: str, timeout: float, **arguments: Any) -> Any:
        """One request. A call that takes too long is ended inside, too."""
        assert self._writer is not None, "the session inside has not connected"
        number = next(self._numbers)
        self._waiting[number] = future = asyncio.get_running_loop().create_future()
        self._send({"id": number, "do": action, **arguments})
        try:
            async with asyncio.timeout(timeout):
                return await future
        except BaseException:
            if action == "call" and not self._writer.is_closing():
                self._send({"id": 0, "do": "cancel", "call": number})
            raise
        finally:
            self._waiting.pop(number, None)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._writer is not None
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._connected.set()
        while line := await reader.readline():
            message = json.loads(line)
            if "state" in message:
                if (device := self._devices.get(message["device"])) is not None:
                    device.heard(message["state"])
            elif (future := self._waiting.get(message["id"])) is not None and not future.done():
                if "error" in message:
                    future.set_exception(InsideError(message["error"]))
                else:
                    future.set_result(message["result"])
        self._connected.clear()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(InsideError("the session inside has ended"))
        writer.close()
