"""A device that is spoken to in UDP datagrams (Onbon cards on 5007).

UDP tells nothing of a device that is not there, but for the refusal of its machine when no program listens:
whether it lives is found out by its answers.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Annotated

import msgspec

from drivers.errors import LineLostError
from drivers.transport.descriptor import DescriptorTransport


class UdpConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="udp"):
    """`resolve_timeout_s` bounds the look-up of `host`."""

    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    resolve_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 3.0


class UdpTransport(DescriptorTransport):
    """One peer. A read is one datagram, cut off at 4096 bytes; a write is one datagram."""

    def __init__(self, config: UdpConfig) -> None:
        super().__init__()
        self._config = config
        self._socket: socket.socket | None = None

    @property
    def name(self) -> str:
        return f"udp {self._config.host}:{self._config.port}"

    async def _open(self) -> int:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._config.resolve_timeout_s):
                found = await loop.getaddrinfo(self._config.host, self._config.port, type=socket.SOCK_DGRAM)
        except TimeoutError as error:
            raise LineLostError(f"{self.name}: no address in {self._config.resolve_timeout_s} s") from error
        family, kind, protocol, _, address = found[0]
        peer = socket.socket(family, kind, protocol)
        peer.setblocking(False)
        try:
            peer.connect(address)  # only this peer's datagrams are taken; connecting sends nothing
        except BaseException:
            peer.close()
            raise
        self._socket = peer
        return peer.fileno()

    async def _empty(self) -> None:
        """A datagram without bytes: nothing was said."""

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
