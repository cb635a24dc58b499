"""Runs in the virtual Pi, in the sandbox of the agent's unit: real drivers under the agent's own supervision,
on the word of the checks outside.

    driver_session.py HOST PORT

One JSON object a line. In: {"id": 1, "do": "add", "device": "printer", "driver": "escpos", "options": {…}},
{"id": 2, "do": "call", "device": "printer", "method": "print_ticket", "arguments": [{…}]}, "get" (an
attribute), "cancel" (of the call with the id in "call"), "remove". Out: {"id": 2, "result": …} or {"id": 2,
"error": "…"}, and by itself {"device": "printer", "state": {…}} whenever the health of a device changed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import traceback
from datetime import UTC
from typing import Any, get_type_hints

import msgspec

from device.clock import Clock
from device.supervision import Supervisor
from drivers.driver import Driver
from drivers.table import build, config_type, driver_class

LINE_LIMIT = 1 << 20


class Session:
    """All devices of one run."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._drivers: dict[str, Driver] = {}
        self._supervised: dict[str, asyncio.Task[None]] = {}
        self._calls: dict[int, asyncio.Task[None]] = {}

    def begin(self, request: dict[str, Any]) -> None:
        task = asyncio.create_task(self._answer(request))
        self._calls[request["id"]] = task
        task.add_done_callback(lambda _: self._calls.pop(request["id"], None))

    async def _answer(self, request: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"id": request["id"]}
        try:
            answer["result"] = await getattr(self, f"do_{request['do']}")(request)
        except Exception:  # noqa: BLE001 — the check that asked is told
            answer["error"] = traceback.format_exc()
        self._say(answer)

    def _say(self, message: dict[str, Any]) -> None:
        self._writer.write(msgspec.json.encode(message, enc_hook=str) + b"\n")

    async def do_add(self, request: dict[str, Any]) -> None:
        name, kind = request["device"], driver_class(request["driver"])
        self._drivers[name] = driver = build(kind, msgspec.convert(request["options"], config_type(kind)))
        supervisor = Supervisor(name, driver, Clock(UTC), lambda s: self._say({"device": name, "state": s}))
        self._supervised[name] = asyncio.create_task(supervisor.run())

    async def do_remove(self, request: dict[str, Any]) -> None:
        self._drivers.pop(request["device"])
        task = self._supervised.pop(request["device"])
        task.cancel()
        await asyncio.wait([task])

    async def do_call(self, request: dict[str, Any]) -> Any:
        method = getattr(self._drivers[request["device"]], request["method"])
        names = method.__func__.__code__.co_varnames[1:]
        hints = get_type_hints(method)
        arguments = [
            msgspec.convert(argument, hints.get(name, Any))
            for name, argument in zip(names, request["arguments"], strict=False)
        ]
        result = await method(*arguments)
        return msgspec.to_builtins(result, enc_hook=str)

    async def do_get(self, request: dict[str, Any]) -> Any:
        return msgspec.to_builtins(
            getattr(self._drivers[request["device"]], request["attribute"]), enc_hook=str
        )

    async def do_cancel(self, request: dict[str, Any]) -> None:
        if (task := self._calls.get(request["call"])) is not None:
            task.cancel()


async def main() -> None:
    reader, writer = await asyncio.open_connection(sys.argv[1], int(sys.argv[2]), limit=LINE_LIMIT)
    session = Session(writer)
    while line := await reader.readline():
        session.begin(json.loads(line))


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("asyncio").setLevel(logging.INFO)
    asyncio.run(main())
