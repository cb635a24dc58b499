"""uvicorn in the coordinator's own loop: started and stopped like any other part, without its signals.

`ApiServer` is for programs that are known, `PublicServer` for whoever is on the hall's Wi-Fi: it bounds how
many connections there are, how long each lasts and how much it may say, so that none of them takes file
descriptors, memory or time from the queue beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STOP_S = 3
"""How long open requests may take when the server stops."""

PUBLIC_CONNECTIONS = 200
"""Of a public server, at once; further ones are closed …"""
PUBLIC_OF_ADDRESS = 20
"""… as are those of one address beyond this many, but for this machine's: there a reverse proxy may be."""
PUBLIC_S = 30.0
"""How long one lasts …"""
PUBLIC_BYTES = 64 * 1024
"""… and how many bytes it may send."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The coordinator handles signals."""
        yield


class _BoundedProtocol(HttpToolsProtocol):
    """See PUBLIC_CONNECTIONS and those below it."""

    received = 0
    lasting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # An address is a secret of the phone that has it: whatever others have done to the logger.
        self.access_log = False
        host = self.client[0] if self.client else ""
        peers = [getattr(other, "client", None) for other in self.connections]
        same = sum(peer is not None and peer[0] == host for peer in peers)
        if len(self.connections) > PUBLIC_CONNECTIONS or (
            same > PUBLIC_OF_ADDRESS and host not in ("127.0.0.1", "::1")
        ):
            transport.abort()
            return
        self.lasting = self.loop.call_later(PUBLIC_S, transport.abort)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if self.received > PUBLIC_BYTES:
            self.transport.abort()
        elif not self.transport.is_closing():
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.lasting is not None:
            self.lasting.cancel()
        super().connection_lost(exc)


class ApiServer:
    """Serves an ASGI application on `host`:`port`; port 0 chooses a free one, then in `port`."""

    options: ClassVar[dict[str, Any]] = {"http": "httptools", "limit_concurrency": 2000}

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
                loop="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=STOP_S,
                **self.options,
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


class PublicServer(ApiServer):
    """See the module. No websockets."""

    options: ClassVar[dict[str, Any]] = {"http": _BoundedProtocol, "ws": "none"}
