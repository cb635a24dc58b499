"""A TCP connection to a device (printers on 9100, Onbon cards on 5005)."""

from __future__ import annotations

import asyncio
import socket
from typing import Annotated, ClassVar, Final

import msgspec

from drivers.errors import LineLostError
from drivers.transport.descriptor import DescriptorTransport

SIOCOUTQNSD: Final = 0x894B
"""Bytes not sent yet (linux/sockios.h). Waiting for the acknowledgement too would add the peer's 40 ms."""
_TCP_CLOSE: Final = 7
"""TCP_CLOSE of <netinet/tcp.h>."""


class TcpConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tcp"):
    """`connect_timeout_s` bounds name look-up and connection together. `shared`: several drivers use this
    connection (a serial server with RS-485 behind it), each with the same settings."""

    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    connect_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 3.0
    shared: bool = False

    @property
    def line(self) -> str:
        """What two devices with equal lines are connected to."""
        return f"{self.host}:{self.port}"


class TcpTransport(DescriptorTransport):
    """One connection; a peer that vanished is noticed by keep-alive within about 20 s."""

    _out_queue: ClassVar[int] = SIOCOUTQNSD

    def __init__(self, config: TcpConfig) -> None:
        super().__init__()
        self._config = config
        self._socket: socket.socket | None = None

    @property
    def name(self) -> str:
        return self._config.line

    async def _open(self) -> int:
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                connection = await self._connect()
        except TimeoutError as error:
            raise LineLostError(
                f"{self.name}: no connection in {self._config.connect_timeout_s} s"
            ) from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        # keep-alive is silent while bytes wait for their acknowledgement
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20_000)
        self._socket = connection
        return connection.fileno()

    async def _connect(self) -> socket.socket:
        """To the first of the host's addresses that answers."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._config.host, self._config.port, type=socket.SOCK_STREAM)
        last: OSError | None = None
        for family, kind, protocol, _, address in found:
            connection = socket.socket(family, kind, protocol)
            connection.setblocking(False)
            try:
                await loop.sock_connect(connection, address)
            except OSError as error:
                connection.close()
                last = error
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise last or OSError(f"no address of {self._config.host}")

    def _alive(self) -> bool:
        # what was not acknowledged stays counted after a reset
        return (
            self._socket is None
            or self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _TCP_CLOSE
        )

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
