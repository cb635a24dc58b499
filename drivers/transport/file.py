"""A device file that is read and written as it is, such as /dev/usb/lp0 (usblp)."""

from __future__ import annotations

import os

import msgspec

from drivers.transport.descriptor import DescriptorTransport


class FileConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="file"):
    path: str


class FileTransport(DescriptorTransport):
    def __init__(self, config: FileConfig) -> None:
        super().__init__()
        self._config = config

    @property
    def name(self) -> str:
        return self._config.path

    async def _open(self) -> int:
        return os.open(self._config.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
