"""A line to a device: bytes in, bytes out, every wait bounded.

`serial`, `tcp`, `udp`, `usb`, `hid`, `hidraw` and `file` (usblp) implement it, `shared` for several drivers
on one line; `pair` joins a driver to its fake in one process.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class Transport(Protocol):
    """One line. Not shared between tasks: one reader and one writer at a time."""

    @property
    def name(self) -> str:
        """For logs and errors, e.g. "/dev/paihao/printer" or "10.0.0.9:9100"."""

    async def open(self) -> None:
        """Raises LineLostError when there is no such line."""

    async def read(self, timeout: float | None = None) -> bytes:
        """The bytes that came, at least one and at most 4096; b"" only when `timeout` seconds ran out.

        Raises LineLostError when the line is gone.
        """

    async def write(self, data: bytes, timeout: float = 5.0) -> None:
        """Returns when the kernel has taken all bytes.

        Raises WriteStalledError (with the count taken) after `timeout` seconds, LineLostError.
        """

    async def drained(self, timeout: float = 5.0) -> None:
        """Returns when the kernel has sent all bytes out, where the kind of line can tell.

        Raises WriteStalledError, LineLostError.
        """

    def turn(self, *, urgent: bool = False, unlikely: bool = False) -> AbstractAsyncContextManager[Any]:
        """The right to ask and be answered, where several drivers share the line; at once where not.

        `urgent`: before all turns that are not. `unlikely`: no answer is expected; such turns together take
        half of the line's time at most, more for a while after one was answered.

        Raises LineLostError when the line was lost while waiting.
        """

    async def close(self) -> None:
        """Safe at any time and more than once."""
