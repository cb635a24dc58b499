"""A device in datagrams, at the far end of a `UdpTransport`, on loopback."""

from __future__ import annotations

import asyncio
from typing import Final

from drivers.transport.fake import FakeDevice, Line

_LONGEST: Final = 4096
"""Bytes of a datagram that a transport reads."""


class UdpLine(Line):
    """Answers whoever spoke last. Unplugged, nobody listens on its port.

    Faults of the line spoil or lose bytes within datagrams; `faults.stop_after` loses all that comes later:
    a network has no back-pressure. `faults.piece` is the size of datagrams towards the driver.
    """

    def __init__(self, device: FakeDevice, *, port: int = 0, seed: int = 0) -> None:
        super().__init__(device, seed=seed)
        self.port = port
        self._endpoint: asyncio.DatagramTransport | None = None
        self._peer: tuple[str, int] | None = None
        self._deaf = False

    @property
    def plugged_in(self) -> bool:
        return self._endpoint is not None

    async def plug(self) -> None:
        if self.plugged_in:
            return
        loop = asyncio.get_running_loop()
        self._endpoint, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=("127.0.0.1", self.port)
        )
        self.port = self._endpoint.get_extra_info("sockname")[1]
        self.device.plugged()

    async def unplug(self) -> None:
        if self._endpoint is not None:
            self._endpoint.abort()
            self._endpoint = None
            self._peer = None
            self._forget()
            await asyncio.sleep(0)  # the socket is closed in the next turn of the loop

    def resume(self) -> None:
        super().resume()
        self._deaf = False

    def came(self, data: bytes, peer: tuple[str, int]) -> None:
        """A datagram from the driver."""
        if not self._deaf:
            self._peer = peer
            self._used(len(data))
            self._take(data)

    def _stalled(self) -> None:
        self._deaf = True

    def _write(self, data: bytes) -> int:
        if self._endpoint is not None and self._peer is not None:
            for start in range(0, len(data), _LONGEST):
                self._endpoint.sendto(data[start : start + _LONGEST], self._peer)
        return len(data)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, line: UdpLine) -> None:
        self._line = line

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._line.came(data, addr)
