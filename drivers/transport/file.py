"""A device file that is read and written as it is, such as /dev/usb/lp0 (usblp)."""

from __future__ import annotations

import asyncio
import os
from typing import Final

import msgspec

from drivers.transport.descriptor import DescriptorTransport

_EMPTY_S: Final = 0.05
"""Pause after an empty read, which `poll` does not wait out."""


class FileConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="file"):
    path: str


class FileTransport(DescriptorTransport):
    """An empty read means nothing: USB printers answer with empty packets. A lost device fails instead."""

    def __init__(self, config: FileConfig) -> None:
        super().__init__()
        self._config = config

    @property
    def name(self) -> str:
        return self._config.path

    async def _open(self) -> int:
        return os.open(self._config.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)

    async def _empty(self) -> None:
        await asyncio.sleep(_EMPTY_S)
