"""uvicorn in the coordinator's own loop: started and stopped like any other part, without its signals."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

STOP_S = 3
"""How long open requests may take when the server stops."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The coordinator handles signals."""
        yield


class ApiServer:
    """Serves an ASGI application on `host`:`port`; port 0 chooses a free one, then in `port`."""

    def __init__(self, app: Any, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._app = app
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when connections are accepted. Raises OSError when the port cannot be had."""
        listening = socket.create_server(
            (self.host, self.port),
            family=socket.AF_INET6 if ":" in self.host else socket.AF_INET,
            backlog=512,
        )
        self.port = listening.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                self._app,
                http="httptools",
                loop="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=STOP_S,
                limit_concurrency=2000,
            )
        )
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]), name="api")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise OSError("the server ended at once")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Close; safe at any time."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await asyncio.wait([self._task], timeout=2 * STOP_S)
            self._task = None
